//! What to bear in mind of a verdict, in two languages.

use std::collections::BTreeSet;

use policy::Confidence;
use projection::{EventRef, How, Severity, Subject};

use crate::judge::Readings;
use crate::subject::Record;
use crate::wording::{Facts, Language};

/// Of a verdict without a record.
pub(crate) fn no_record(lang: Language) -> Vec<String> {
    let text = lang.pick(
        "That there is no record does not prove that nothing was there: the log shows what was logged.",
        "没有记录并不证明从未存在：日志只反映被记录的内容。",
    );
    vec![text.to_owned()]
}

/// Of a verdict on records.
pub(crate) fn of(facts: &Facts<'_>, readings: &Readings<'_>, lang: Language) -> Vec<String> {
    let mut caveats = Vec::new();
    let differing = readings.other_outcome();
    if !differing.is_empty() {
        let readings = named(facts, readings, &differing, lang);
        caveats.push(lang.say(
            format_args!("Under another reading of the policy the answer differs: {readings}."),
            format_args!("政策条文另有读法，按这些读法结论不同：{readings}。"),
        ));
    }
    if !readings.other_lawful.is_empty() {
        let readings = named(facts, readings, &readings.other_lawful, lang);
        caveats.push(lang.say(
            format_args!(
                "Whether it was lawful depends on the reading; it differs under {readings}."
            ),
            format_args!("是否合规取决于读法，按这些读法有所不同：{readings}。"),
        ));
    }
    let version = facts.view.version();
    if version.confidence != Confidence::Official {
        let id = &version.id;
        let sure = match version.confidence {
            Confidence::Operator => lang.pick("the operator's word", "运营方自述"),
            Confidence::Secondary | Confidence::Official => {
                lang.pick("a secondary source", "二手资料")
            }
        };
        caveats.push(lang.say(
            format_args!(
                "The rules of policy version {id} rest on {sure}, not on an official text."
            ),
            format_args!("政策版本 {id} 的规则依据{sure}，并非官方条文。"),
        ));
    }
    let clearings: Vec<EventRef> = (facts.rows.iter())
        .filter_map(|(_, record)| record.ending())
        .filter(|ending| matches!(ending.how, How::Cleared { .. }))
        .map(|ending| ending.event)
        .collect();
    if !clearings.is_empty() {
        let found = facts.view.findings().into_iter().map(|(finding, _)| finding);
        let of_clearing = found.filter(|finding| {
            let is_grave = finding.code.severity() != Severity::Note;
            is_grave && finding.subject.is_none() && clearings.contains(&finding.event)
        });
        let mut codes = BTreeSet::new();
        codes.extend(of_clearing.map(|finding| finding.code.name().to_owned()));
        if !codes.is_empty() {
            let codes = codes.into_iter().collect::<Vec<_>>().join(lang.pick(", ", "、"));
            caveats.push(lang.say(
                format_args!("Of the clearing itself `findings` says: {codes}."),
                format_args!("对这次清空本身另有发现：{codes}。"),
            ));
        }
    }
    let (as_of, known_at) = (facts.view.as_of(), facts.telling.known_at);
    if as_of > known_at {
        caveats.push(lang.say(
            format_args!("As of {as_of} lies ahead of what was known at {known_at}: what happens until then may change it."),
            format_args!("所问时刻 {as_of} 晚于已知范围 {known_at}：其间发生的事可能改变结论。")));
    }
    let never_seen =
        |record: &Record<'_>| matches!(record, Record::Item(i) if i.category.is_none());
    let is_known = |subject: &Subject| !facts.view.unsure(*subject).category;
    let unseen = facts.rows.iter();
    let unseen = unseen.filter(|(subject, record)| never_seen(record) && is_known(subject)).count();
    match (unseen, facts.rows.len()) {
        (0, _) => {}
        (1, 1) => {
            let text = lang.pick("Its upload is not on record.", "日志中没有它的上传记录。");
            caveats.push(text.to_owned());
        }
        (unseen, total) => caveats.push(lang.say(
            format_args!("The uploads of {unseen} of the {total} are not on record."),
            format_args!("{total} 项中有 {unseen} 项没有上传记录。"),
        )),
    }
    caveats
}

/// Readings by name, each with what it says.
fn named(facts: &Facts<'_>, readings: &Readings<'_>, ids: &[&str], lang: Language) -> String {
    let policy = facts.view.policy();
    let named = ids.iter().map(|id| {
        let mut versions = policy.versions.iter().rev();
        let says = versions.find_map(|version| {
            let reading = version.readings.iter().find(|reading| reading.id == *id)?;
            Some((readings.says)(reading, version, lang))
        });
        let Some(says) = says.filter(|says| !says.is_empty()) else { return (*id).to_owned() };
        lang.say(format_args!("{id} ({says})"), format_args!("{id}（{says}）"))
    });
    named.collect::<Vec<_>>().join(lang.pick(", ", "、"))
}
