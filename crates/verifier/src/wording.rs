//! The sentences of a verdict, in two languages.

use std::collections::BTreeMap;

use event::{ClearCause, Kind, Step, Timestamp};
use policy::{Confidence, Policy};
use projection::{Backup, ChangeSource, Changed, Ending, How, Item, ItemState, Subject, View};

use crate::claim::{Claim, ClaimSubject};
use crate::subject::Record;
use crate::verdict::Outcome;

event::words! {
    /// The language of sentences.
    Language {
        En = 0 "en",
        Zh = 1 "zh",
    }
}

impl Language {
    /// The text of this language.
    #[must_use]
    pub fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

/// What a sentence is made of.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'v> {
    pub view: &'v View<'v>,
    pub rows: &'v [(Subject, Record<'v>)],
}

/// Who did something.
fn who(by_user: bool, lang: Language) -> &'static str {
    match by_user {
        true => lang.pick("the user", "用户"),
        false => lang.pick("the provider", "服务方"),
    }
}

/// `name` between the language's quotation marks, control characters escaped.
pub(crate) fn quoted(name: &str, lang: Language) -> String {
    let name: String = name
        .chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    lang.pick(format!("“{name}”"), format!("「{name}」"))
}

fn day_count(ms: i64, lang: Language) -> String {
    let days = ms / 86_400_000;
    match (days, lang) {
        (0, Language::En) => "less than a day".to_owned(),
        (1, Language::En) => "1 day".to_owned(),
        (n, Language::En) => format!("{n} days"),
        (0, Language::Zh) => "不到一天".to_owned(),
        (n, Language::Zh) => format!("{n} 天"),
    }
}

/// How an item or backup ended, as the end of a sentence.
fn ended(ending: &Ending, deadline: Option<Timestamp>, lang: Language) -> String {
    let (by, at) = (who(ending.by_user, lang), ending.at);
    match ending.how {
        How::Cleared { cause, inactive } => {
            let why = match cause {
                ClearCause::Inactivity => lang.pick("for inactivity", "因长期不活跃"),
                ClearCause::Terminated => lang.pick("on termination", "因账号被终止"),
                ClearCause::Closed => lang.pick("on closing", "因账号注销"),
            };
            let due = match (cause, inactive) {
                (ClearCause::Inactivity, false) => {
                    lang.pick(", though the account was not inactive", ",而当时账号并非不活跃")
                }
                _ => "",
            };
            lang.pick(
                format!("{by} cleared the account {why} at {at}{due}"),
                format!("{by}于 {at} {why}清除了账号数据{due}"),
            )
        }
        How::Purged { admissible, .. } => {
            let when = match deadline {
                Some(deadline) if ending.after_deadline => {
                    let days = day_count(ending.at.ms() - deadline.ms(), lang);
                    lang.pick(
                        format!(", {days} after its window ended"),
                        format!(",在可恢复期结束{days}之后"),
                    )
                }
                Some(deadline) => {
                    let days = day_count(deadline.ms() - ending.at.ms(), lang);
                    lang.pick(
                        format!(", {days} before its window would have ended"),
                        format!(",距可恢复期结束还有{days}"),
                    )
                }
                None => String::new(),
            };
            let allowed = match (ending.by_user || ending.after_deadline, admissible) {
                (true, _) => "",
                (false, true) => lang.pick(", as the policy admits", ",政策允许这样做"),
                (false, false) => {
                    lang.pick(", which the policy does not admit", ",政策不允许这样做")
                }
            };
            lang.pick(
                format!("{by} purged it at {at}{when}{allowed}"),
                format!("{by}于 {at} 将其永久清除{when}{allowed}"),
            )
        }
    }
}

/// What became of an item, as a sentence without its full stop.
fn item_says(name: &str, item: &Item, lang: Language) -> String {
    let name = quoted(name, lang);
    let trashed = item.trashing.as_ref().map(|t| {
        let (by, at) = (who(t.by_user, lang), t.at);
        lang.pick(
            format!("{by} moved {name} to the trash at {at}"),
            format!("{by}于 {at} 将{name}移入回收站"),
        )
    });
    let deadline = item.trashing.as_ref().and_then(|t| t.deadline);
    match (item.state, trashed, deadline) {
        (ItemState::Trashed, Some(trashed), Some(until)) => lang.pick(
            format!("{trashed}, and it can be recovered until {until}"),
            format!("{trashed},在 {until} 之前可以恢复"),
        ),
        (ItemState::Trashed, Some(trashed), None) => lang.pick(
            format!("{trashed}, and it can be recovered without a time limit"),
            format!("{trashed},恢复没有时间限制"),
        ),
        (ItemState::Expired, Some(trashed), Some(until)) => lang.pick(
            format!("{trashed}; its window ended at {until}, and no purge is on record"),
            format!("{trashed};可恢复期已于 {until} 结束,日志中没有清除记录"),
        ),
        (_, trashed, deadline) => match (&item.ending, trashed) {
            (Some(ending), Some(trashed)) => {
                format!("{trashed}{}{}", lang.pick("; ", ";"), ended(ending, deadline, lang))
            }
            (Some(ending), None) => lang.pick(
                format!("{name} was live until {}", ended(ending, None, lang)),
                format!("{name}原本正常保留,{}", ended(ending, None, lang)),
            ),
            (None, _) => lang.pick(
                format!("{name} has been live since {}", item.since),
                format!("{name}自 {} 起一直正常保留", item.since),
            ),
        },
    }
}

/// What became of a backup, as a sentence without its full stop.
fn backup_says(name: &str, backup: &Backup, lang: Language) -> String {
    let name = quoted(name, lang);
    match &backup.ending {
        Some(ending) => lang.pick(
            format!("backup {name} was kept until {}", ended(ending, None, lang)),
            format!("备份{name}原本保留,{}", ended(ending, None, lang)),
        ),
        None => lang.pick(
            format!("backup {name} has been kept since {}", backup.since),
            format!("备份{name}自 {} 起一直保留", backup.since),
        ),
    }
}

fn says(facts: &Facts<'_>, subject: Subject, record: Record<'_>, lang: Language) -> String {
    let names = facts.view.names();
    match (subject, record) {
        (Subject::Item(id), Record::Item(item)) => item_says(names.get(id), item, lang),
        (Subject::Backup(id), Record::Backup(backup)) => backup_says(names.get(id), backup, lang),
        _ => unreachable!("a subject goes with its record"),
    }
}

/// A sentence: its first letter large, its full stop at the end.
fn sentence(text: &str, lang: Language) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}{}", chars.as_str(), lang.pick(".", "。"))
}

/// What is on record of an item, in one sentence.
pub(crate) fn item_sentence(name: &str, item: &Item, lang: Language) -> String {
    sentence(&item_says(name, item, lang), lang)
}

/// The reason for a verdict, in one sentence.
pub(crate) fn because(claim: &Claim, facts: &Facts<'_>, lang: Language) -> String {
    let (first, rest) = facts.rows.split_first().expect("a record");
    if matches!(claim.subject, ClaimSubject::Item(_) | ClaimSubject::Backup(_)) || rest.is_empty() {
        return sentence(&says(facts, first.0, first.1, lang), lang);
    }
    let total = facts.rows.len();
    let against: Vec<_> =
        facts.rows.iter().filter(|(_, record)| !record.holds(claim.asserts)).collect();
    let text = match against.first() {
        None => lang.pick(
            format!("it holds of all {total} on record"),
            format!("日志中的全部 {total} 项都符合"),
        ),
        Some((subject, record)) => {
            let (count, example) = (against.len(), says(facts, *subject, *record, lang));
            lang.pick(
                format!("it does not hold of {count} of {total} on record; for one, {example}"),
                format!("日志中的 {total} 项里有 {count} 项不符合;例如,{example}"),
            )
        }
    };
    sentence(&text, lang)
}

/// The reason when there is no record.
pub(crate) fn no_record(claim: &Claim, as_of: Timestamp, lang: Language) -> String {
    let account = quoted(&claim.account, lang);
    let text = match &claim.subject {
        ClaimSubject::Item(item) => {
            let item = quoted(item, lang);
            lang.pick(
                format!("the log holds no item {item} of account {account} as of {as_of}"),
                format!("截至 {as_of},日志中没有账号{account}的条目{item}"),
            )
        }
        ClaimSubject::Backup(backup) => {
            let backup = quoted(backup, lang);
            lang.pick(
                format!("the log holds no backup {backup} of account {account} as of {as_of}"),
                format!("截至 {as_of},日志中没有账号{account}的备份{backup}"),
            )
        }
        ClaimSubject::Category(category) => {
            let category = quoted(category, lang);
            lang.pick(
                format!("the log holds no item of category {category} of account {account} as of {as_of}"),
                format!("截至 {as_of},日志中没有账号{account}在类别{category}下的条目"),
            )
        }
        ClaimSubject::Account => lang.pick(
            format!("the log holds nothing kept by account {account} as of {as_of}"),
            format!("截至 {as_of},日志中没有账号{account}的数据"),
        ),
    };
    sentence(&text, lang)
}

/// What to bear in mind when there is no record.
pub(crate) fn no_record_caveats(lang: Language) -> Vec<String> {
    let text = lang.pick(
        "No record is no proof that nothing was there: the log shows what was logged.",
        "没有记录并不证明从未存在:日志只反映被记录的内容。",
    );
    vec![text.to_owned()]
}

/// What to bear in mind of a verdict.
pub(crate) fn caveats(
    facts: &Facts<'_>,
    outcome: Outcome,
    readings: &BTreeMap<String, Outcome>,
    known_at: Timestamp,
    lang: Language,
) -> Vec<String> {
    let mut caveats = Vec::new();
    let differing: Vec<&str> =
        readings.iter().filter(|(_, o)| **o != outcome).map(|(id, _)| id.as_str()).collect();
    if !differing.is_empty() {
        let ids = differing.join(", ");
        caveats.push(lang.pick(
            format!("The policy can be read otherwise, and then the answer is another: {ids}."),
            format!("政策条文另有读法,按这些读法结论不同:{ids}。"),
        ));
    }
    let version = facts.view.version();
    if version.confidence != Confidence::Official {
        let (id, sure) = (&version.id, version.confidence.name());
        caveats.push(lang.pick(
            format!(
                "The rules of policy version {id} rest on a source that is {sure}, not official."
            ),
            format!("政策版本 {id} 的规则来源可信度为 {sure},并非官方条文。"),
        ));
    }
    let as_of = facts.view.as_of();
    if as_of > known_at {
        caveats.push(lang.pick(
            format!("As of {as_of} lies ahead of what was known at {known_at}: what happens until then may change it."),
            format!("所问时刻 {as_of} 晚于已知范围 {known_at}:其间发生的事可能改变结论。"),
        ));
    }
    let never_seen =
        |record: &Record<'_>| matches!(record, Record::Item(i) if i.category.is_none());
    let unseen = facts.rows.iter().filter(|(_, record)| never_seen(record)).count();
    if unseen > 0 {
        caveats.push(lang.pick(
            format!("The upload of {unseen} of {} is not on record.", facts.rows.len()),
            format!("{} 项中有 {unseen} 项没有上传记录。", facts.rows.len()),
        ));
    }
    caveats
}

/// What a person would say of one change of an item.
pub(crate) fn change(
    changed: &Changed,
    source: ChangeSource,
    step: Option<&Step>,
    policy: &Policy,
    lang: Language,
) -> String {
    let by = step.map_or("", |step| who(step.actor.is_user(), lang));
    let until = |until: Option<Timestamp>| match until {
        Some(until) => {
            lang.pick(format!("recoverable until {until}"), format!("{until} 之前可以恢复"))
        }
        None => lang.pick("recoverable without a time limit", "恢复没有时间限制").to_owned(),
    };
    let text = match *changed {
        Changed::Item { from, to, recoverable_until, .. } => match (from, to) {
            (None, ItemState::Live) if step.is_none_or(|s| s.kind == Kind::ItemUploaded) => {
                lang.pick(format!("{by} uploaded it"), format!("{by}上传了它"))
            }
            (None, ItemState::Live) => lang.pick(
                "first named here; its upload is not on record".to_owned(),
                "在此首次出现,没有上传记录".to_owned(),
            ),
            (Some(_), ItemState::Live) if step.is_some_and(|s| s.kind == Kind::ItemUploaded) => {
                lang.pick(
                    format!("{by} uploaded it anew, which began a new life"),
                    format!("{by}重新上传,开始新的生命周期"),
                )
            }
            (_, ItemState::Live) => lang.pick(format!("{by} restored it"), format!("{by}恢复了它")),
            (_, ItemState::Trashed) => {
                let until = until(recoverable_until);
                lang.pick(
                    format!("{by} moved it to the trash: {until}"),
                    format!("{by}将其移入回收站:{until}"),
                )
            }
            (_, ItemState::Expired) => lang.pick(
                "its window ended; no purge was needed for that".to_owned(),
                "可恢复期结束,无需清除操作".to_owned(),
            ),
            (_, ItemState::Purged) => {
                lang.pick(format!("{by} purged it"), format!("{by}将其永久清除"))
            }
            (_, ItemState::Removed) => {
                lang.pick(format!("{by} cleared the account's data"), format!("{by}清除了账号数据"))
            }
        },
        Changed::Deadline { to, .. } => {
            let until = until(to);
            match source {
                ChangeSource::PolicyVersion(version) => {
                    let id = &policy.versions[version].id;
                    lang.pick(
                        format!("policy version {id} took effect: {until}"),
                        format!("政策版本 {id} 生效:{until}"),
                    )
                }
                _ => {
                    lang.pick(format!("the tier changed: {until}"), format!("会员等级变化:{until}"))
                }
            }
        }
        Changed::Backup { .. } => String::new(),
    };
    sentence(&text, lang)
}
