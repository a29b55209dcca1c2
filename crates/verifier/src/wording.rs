//! The sentences of a verdict, in two languages.

use std::collections::BTreeMap;

use event::{ClearCause, Kind, Step, Timestamp};
use policy::{Confidence, Policy};
use projection::{
    Backup, ChangeSource, Changed, Ending, How, Item, ItemState, StateCause, Subject, View,
};

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

/// `name` between quotation marks (both languages have the same), control characters escaped.
fn quoted(name: &str) -> String {
    let name: String = name
        .chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    format!("“{name}”")
}

fn day_count(ms: i64, lang: Language) -> String {
    let days = ms / 86_400_000;
    match (days, lang) {
        (0, Language::En) => "less than a day".to_owned(),
        (1, Language::En) => "1 day".to_owned(),
        (n, Language::En) => format!("{n} days"),
        (0, Language::Zh) => "不到一天".to_owned(),
        (n, Language::Zh) => format!(" {n} 天"),
    }
}

/// That an act was a breach, whatever made it one, as the end of a sentence.
fn disallowed(lang: Language) -> &'static str {
    lang.pick(", which the policy does not allow", "，政策不允许这样做")
}

/// How an item or backup ended, as the end of a sentence.
fn ended(ending: &Ending, deadline: Option<Timestamp>, lang: Language) -> String {
    let (by, at) = (who(ending.by_user, lang), ending.at);
    match ending.how {
        How::Cleared { cause, inactive } => {
            let why = match cause {
                ClearCause::Inactivity => lang.pick("for inactivity", "因长期不活跃而"),
                ClearCause::Terminated => lang.pick("on its termination", "因账号被终止而"),
                ClearCause::Closed => lang.pick("on its closure", "因账号注销而"),
            };
            let due = match (cause, inactive) {
                (ClearCause::Inactivity, false) => lang.pick(
                    ", though the account did not count as inactive",
                    "，但当时账号不能认定为不活跃",
                ),
                _ if ending.breach => disallowed(lang),
                _ => "",
            };
            lang.pick(
                format!("{by} cleared the account {why} at {at}{due}"),
                format!("{by}于 {at} {why}清除了账号数据{due}"),
            )
        }
        How::Purged { admissible, .. } => {
            let when = match deadline {
                Some(deadline) if ending.at == deadline => {
                    lang.pick(", just as its window ended", "，其时可恢复期刚好结束").to_owned()
                }
                Some(deadline) if ending.after_deadline => {
                    let days = day_count(ending.at.ms() - deadline.ms(), lang);
                    lang.pick(
                        format!(", {days} after its window ended"),
                        format!("，此时可恢复期已结束{days}"),
                    )
                }
                Some(deadline) => {
                    let days = day_count(deadline.ms() - ending.at.ms(), lang);
                    lang.pick(
                        format!(", {days} before its window would have ended"),
                        format!("，距可恢复期结束还有{days}"),
                    )
                }
                None => String::new(),
            };
            let allowed = match (ending.breach, admissible) {
                (true, _) => disallowed(lang),
                (false, true) => lang.pick(", as the policy allows", "，政策允许这样做"),
                (false, false) => "",
            };
            let (en, zh) = match ending.cause {
                StateCause::UserEmptiedTrash => {
                    ("purged it by emptying the trash", "清空回收站，将其永久清除")
                }
                StateCause::UserDeletedBackups => ("deleted it", "将其删除"),
                _ => ("purged it", "将其永久清除"),
            };
            lang.pick(
                format!("{by} {en} at {at}{when}{allowed}"),
                format!("{by}于 {at} {zh}{when}{allowed}"),
            )
        }
    }
}

/// What became of an item, as a sentence without its full stop.
fn item_says(name: &str, item: &Item, lang: Language) -> String {
    let name = quoted(name);
    let trashed = item.trashing.as_ref().map(|t| {
        let (by, at) = (who(t.by_user, lang), t.at);
        let (en, zh) =
            if t.breach { (", against the policy", "违反政策，") } else { ("", "") };
        lang.pick(
            format!("{by} moved {name} to the trash at {at}{en}"),
            format!("{by}{zh}于 {at} 将{name}移入回收站"),
        )
    });
    let deadline = item.trashing.as_ref().and_then(|t| t.deadline);
    match (item.state, trashed, deadline) {
        (ItemState::Trashed, Some(trashed), Some(until)) => lang.pick(
            format!("{trashed}, and it can be recovered until {until}"),
            format!("{trashed}，在 {until} 之前可以恢复"),
        ),
        (ItemState::Trashed, Some(trashed), None) => lang.pick(
            format!("{trashed}, and it can be recovered without a time limit"),
            format!("{trashed}，恢复没有时间限制"),
        ),
        (ItemState::Expired, Some(trashed), Some(until)) => lang.pick(
            format!("{trashed}; its window ended at {until}, and no purge is on record"),
            format!("{trashed}；可恢复期已于 {until} 结束，日志中没有清除记录"),
        ),
        (_, trashed, deadline) => match (&item.ending, trashed) {
            (Some(ending), Some(trashed)) => {
                format!("{trashed}{}{}", lang.pick("; ", "；"), ended(ending, deadline, lang))
            }
            (Some(ending), None) => lang.pick(
                format!("{name} was live until {}", ended(ending, None, lang)),
                format!("{name}原本正常保留，{}", ended(ending, None, lang)),
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
    let name = quoted(name);
    match &backup.ending {
        Some(ending) => lang.pick(
            format!("backup {name} was kept until {}", ended(ending, None, lang)),
            format!("备份{name}原本保留，{}", ended(ending, None, lang)),
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
pub(crate) fn because(
    claim: &Claim,
    facts: &Facts<'_>,
    outcome: Outcome,
    readings: &BTreeMap<String, Outcome>,
    lang: Language,
) -> String {
    let because = outcome_because(claim, facts, lang);
    let ids = differing(outcome, readings);
    if ids.is_empty() {
        return sentence(&because, lang);
    }
    let held = match outcome {
        Outcome::Upheld => lang.pick("holds", "成立"),
        _ => lang.pick("fails", "不成立"),
    };
    let ids = ids.join(lang.pick(", ", "、"));
    let whole = lang.pick(
        format!("{because}; so the claim {held} as the policy stands, but not as read by {ids}"),
        format!("{because}；按政策默认读法，主张{held}，按 {ids} 的读法则相反"),
    );
    sentence(&whole, lang)
}

/// The readings under which the answer is another than `outcome`, that of the policy as it stands.
fn differing(outcome: Outcome, readings: &BTreeMap<String, Outcome>) -> Vec<&str> {
    readings.iter().filter(|(_, o)| **o != outcome).map(|(id, _)| id.as_str()).collect()
}

/// The reason for the outcome under the policy as it stands, without a full stop.
fn outcome_because(claim: &Claim, facts: &Facts<'_>, lang: Language) -> String {
    let (first, rest) = facts.rows.split_first().expect("a record");
    if matches!(claim.subject, ClaimSubject::Item(_) | ClaimSubject::Backup(_)) || rest.is_empty() {
        return says(facts, first.0, first.1, lang);
    }
    let total = facts.rows.len();
    let against: Vec<_> =
        facts.rows.iter().filter(|(_, record)| !record.holds(claim.asserts)).collect();
    match against.first() {
        None => lang.pick(
            format!("the claim holds for each of the {total} on record"),
            format!("日志中的 {total} 项全都符合"),
        ),
        Some((subject, record)) => {
            let (count, example) = (against.len(), says(facts, *subject, *record, lang));
            lang.pick(
                format!(
                    "the claim fails for {count} of the {total} on record; for example, {example}"
                ),
                format!("日志中的 {total} 项里有 {count} 项不符合；例如，{example}"),
            )
        }
    }
}

/// The reason when there is no record.
pub(crate) fn no_record(claim: &Claim, as_of: Timestamp, lang: Language) -> String {
    let account = quoted(&claim.account);
    let text = match &claim.subject {
        ClaimSubject::Item(item) => {
            let item = quoted(item);
            lang.pick(
                format!("the log holds no item {item} of account {account} as of {as_of}"),
                format!("截至 {as_of}，日志中没有账号{account}的条目{item}"),
            )
        }
        ClaimSubject::Backup(backup) => {
            let backup = quoted(backup);
            lang.pick(
                format!("the log holds no backup {backup} of account {account} as of {as_of}"),
                format!("截至 {as_of}，日志中没有账号{account}的备份{backup}"),
            )
        }
        ClaimSubject::Category(category) => {
            let category = quoted(category);
            lang.pick(
                format!("the log holds no item of category {category} of account {account} as of {as_of}"),
                format!("截至 {as_of}，日志中没有账号{account}在类别{category}下的条目"),
            )
        }
        ClaimSubject::Account => lang.pick(
            format!("the log holds nothing kept by account {account} as of {as_of}"),
            format!("截至 {as_of}，日志中没有账号{account}的数据"),
        ),
    };
    sentence(&text, lang)
}

/// What to bear in mind when there is no record.
pub(crate) fn no_record_caveats(lang: Language) -> Vec<String> {
    let text = lang.pick(
        "No record is no proof that nothing was there: the log shows what was logged.",
        "没有记录并不证明从未存在：日志只反映被记录的内容。",
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
    let differing = differing(outcome, readings);
    if !differing.is_empty() {
        let ids = differing.join(", ");
        caveats.push(lang.pick(
            format!("The policy can be read otherwise, and then the answer is another: {ids}."),
            format!("政策条文另有读法，按这些读法结论不同：{ids}。"),
        ));
    }
    let version = facts.view.version();
    if version.confidence != Confidence::Official {
        let id = &version.id;
        let sure = match version.confidence {
            Confidence::Operator => lang.pick("the operator's word", "运营者的说法"),
            Confidence::Secondary | Confidence::Official => {
                lang.pick("a secondary source", "二手资料")
            }
        };
        caveats.push(lang.pick(
            format!("The rules of policy version {id} rest on {sure}, not on an official text."),
            format!("政策版本 {id} 的规则依据{sure}，并非官方条文。"),
        ));
    }
    let as_of = facts.view.as_of();
    if as_of > known_at {
        caveats.push(lang.pick(
            format!("As of {as_of} lies ahead of what was known at {known_at}: what happens until then may change it."),
            format!("所问时刻 {as_of} 晚于已知范围 {known_at}：其间发生的事可能改变结论。"),
        ));
    }
    let never_seen =
        |record: &Record<'_>| matches!(record, Record::Item(i) if i.category.is_none());
    let unseen = facts.rows.iter().filter(|(_, record)| never_seen(record)).count();
    match (unseen, facts.rows.len()) {
        (0, _) => {}
        (1, 1) => {
            let text = lang.pick("Its upload is not on record.", "日志中没有它的上传记录。");
            caveats.push(text.to_owned());
        }
        (unseen, total) => caveats.push(lang.pick(
            format!("The uploads of {unseen} of the {total} are not on record."),
            format!("{total} 项中有 {unseen} 项没有上传记录。"),
        )),
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
                "在此首次出现，没有上传记录".to_owned(),
            ),
            (Some(_), ItemState::Live) if step.is_some_and(|s| s.kind == Kind::ItemUploaded) => {
                lang.pick(
                    format!("{by} uploaded it anew, which began a new life"),
                    format!("{by}重新上传，开始新的生命周期"),
                )
            }
            (_, ItemState::Live) => lang.pick(format!("{by} restored it"), format!("{by}将其恢复")),
            (_, ItemState::Trashed) => {
                let until = until(recoverable_until);
                lang.pick(
                    format!("{by} moved it to the trash: {until}"),
                    format!("{by}将其移入回收站：{until}"),
                )
            }
            (_, ItemState::Expired) => lang.pick(
                "its window ended; no purge was needed for that".to_owned(),
                "可恢复期结束，无需另行清除".to_owned(),
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
                        format!("政策版本 {id} 生效：{until}"),
                    )
                }
                _ => lang
                    .pick(format!("the tier changed: {until}"), format!("会员等级变化：{until}")),
            }
        }
        Changed::Backup { .. } => String::new(),
    };
    sentence(&text, lang)
}
