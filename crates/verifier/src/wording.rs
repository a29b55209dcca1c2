//! The sentences of a verdict, in two languages.

use std::fmt;

use event::{ClearCause, Kind, Names, PurgeCause, Step, Timestamp};
use projection::{Backup, Ending, How, Item, ItemState, StateCause, Subject, View};

use crate::claim::{Claim, ClaimSubject};
use crate::erased;
use crate::judge::{Asked, Readings};
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

    /// The same of texts that are not put together yet: only the one of this language is.
    #[must_use]
    pub fn say(self, en: fmt::Arguments<'_>, zh: fmt::Arguments<'_>) -> String {
        self.pick(en, zh).to_string()
    }
}

/// What a sentence is made of.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'v> {
    pub view: &'v View<'v>,
    pub rows: &'v [(Subject, Record<'v>)],
    pub telling: Telling<'v>,
}

/// How things are told, and what of the events is told beside the records.
#[derive(Clone, Copy)]
pub(crate) struct Telling<'v> {
    /// The account's events.
    pub steps: &'v [Step],
    pub known_at: Timestamp,
    /// Whether what was lawful depends on the reading of the policy.
    pub hedged: bool,
    /// Whether it matters since when sync was off.
    pub tells_sync: bool,
    pub lang: Language,
}

impl Telling<'_> {
    /// The cause that the provider gave for what ended in `ending`.
    fn given(&self, ending: &Ending) -> Option<PurgeCause> {
        let step = self.steps.iter().find(|step| step.revision == ending.event.revision)?;
        step.purge_cause.filter(|_| !ending.by_user)
    }

    /// The event since which the sync of an item's category was off when it ended.
    fn sync_off_since(&self, item: &Item, ending: &Ending) -> Option<&Step> {
        let end = (ending.at, ending.event.revision);
        let before = self.steps.iter().filter(|step| {
            (step.occurred_at, step.revision) < end
                && step.recorded_at <= self.known_at
                && step.word == item.category
        });
        before.fold(None, |since, step| match step.kind {
            Kind::SyncOff => since.or(Some(step)),
            Kind::SyncOn => None,
            _ => since,
        })
    }
}

/// A cause that a provider gives for a purge, as a person would say it.
#[must_use]
pub fn given_cause(cause: PurgeCause, lang: Language) -> String {
    let zh = match cause {
        PurgeCause::SyncOff => "关闭同步",
        PurgeCause::Quota => "超出空间",
        PurgeCause::TierLapsed => "等级到期",
        PurgeCause::Inactivity => "长期不活跃",
        PurgeCause::Expired => "可恢复期结束",
    };
    lang.pick(cause.name().replace('_', " "), zh.to_owned())
}

/// Who did something.
pub(crate) fn who(by_user: bool, lang: Language) -> &'static str {
    match by_user {
        true => lang.pick("the user", "用户"),
        false => lang.pick("the provider", "服务方"),
    }
}

/// `name` between quotation marks (both languages have the same), control characters escaped.
pub(crate) fn quoted(name: &str) -> String {
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
fn disallowed(telling: Telling<'_>) -> &'static str {
    match telling.hedged {
        false => telling.lang.pick(", which the policy does not allow", "，政策不允许这样做"),
        true => telling.lang.pick(
            ", which the policy by the default reading does not allow",
            "，按默认读法，政策不允许这样做",
        ),
    }
}

/// That an act was admitted, as the end of a sentence.
fn allowed(telling: Telling<'_>) -> &'static str {
    match telling.hedged {
        false => telling.lang.pick(", as the policy allows", "，政策允许这样做"),
        true => telling
            .lang
            .pick(", as the policy by the default reading allows", "，按默认读法，政策允许这样做"),
    }
}

/// How an item or backup ended, as the end of a sentence.
fn ended(ending: &Ending, deadline: Option<Timestamp>, telling: Telling<'_>) -> String {
    let lang = telling.lang;
    let (by, at) = (who(ending.by_user, lang), ending.at);
    match ending.how {
        How::Cleared { cause, inactive } => {
            let why = match cause {
                ClearCause::Inactivity => lang.pick("for inactivity", "因长期不活跃而"),
                ClearCause::Terminated => lang.pick("on its termination", "因账号被终止而"),
                ClearCause::Closed => lang.pick("on its closure", "因账号注销而"),
            };
            let due = match (cause, inactive) {
                (ClearCause::Inactivity, false) if telling.hedged => lang.pick(
                    ", though the account by the default reading did not count as inactive",
                    "，但按默认读法，当时账号不能认定为不活跃",
                ),
                (ClearCause::Inactivity, false) => lang.pick(
                    ", though the account did not count as inactive",
                    "，但当时账号不能认定为不活跃",
                ),
                _ if ending.breach => disallowed(telling),
                _ => "",
            };
            lang.say(
                format_args!("{by} cleared the account {why} at {at}{due}"),
                format_args!("{by}于 {at} {why}清空了账号数据{due}"),
            )
        }
        How::Purged { admissible, .. } => {
            let when = match deadline {
                Some(deadline) if ending.at == deadline => {
                    lang.pick(", just as its window ended", "，此时可恢复期恰好届满").to_owned()
                }
                Some(deadline) if ending.after_deadline => {
                    let ms = ending.at.ms() - deadline.ms();
                    let days = day_count(ms, lang);
                    let already = if ms < 86_400_000 { "" } else { "已" };
                    lang.say(
                        format_args!(", {days} after its window ended"),
                        format_args!("，此时可恢复期{already}结束{days}"),
                    )
                }
                Some(deadline) => {
                    let ms = deadline.ms() - ending.at.ms();
                    let days = day_count(ms, lang);
                    let still = if ms < 86_400_000 { "" } else { "还有" };
                    lang.say(
                        format_args!(", {days} before its window would have ended"),
                        format_args!("，距可恢复期结束{still}{days}"),
                    )
                }
                None => String::new(),
            };
            let allowed = match (ending.breach, admissible) {
                (true, _) => disallowed(telling),
                (false, true) => allowed(telling),
                (false, false) => "",
            };
            let given = telling.given(ending).map(|cause| given_cause(cause, lang));
            let (en_given, zh_given) = given.map_or_else(Default::default, |cause| {
                (format!(", giving “{cause}” as the cause"), format!("以“{cause}”为由"))
            });
            let (en, zh) = match ending.cause {
                StateCause::UserEmptiedTrash => {
                    ("purged it by emptying the trash", "清空回收站，将其彻底删除")
                }
                StateCause::UserDeletedBackups => ("deleted it", "将其删除"),
                _ => ("purged it", purged(ending.by_user)),
            };
            lang.say(
                format_args!("{by} {en} at {at}{en_given}{when}{allowed}"),
                format_args!("{by}于 {at} {zh_given}{zh}{when}{allowed}"),
            )
        }
    }
}

/// In Chinese the provider's purge is another word than the user's.
pub(crate) fn purged(by_user: bool) -> &'static str {
    if by_user { "将其彻底删除" } else { "将其清除" }
}

/// What became of an item, as a sentence without its full stop.
fn item_says(name: &str, item: &Item, names: &Names, telling: Telling<'_>) -> String {
    let lang = telling.lang;
    let says = item_tells(name, item, telling);
    let off = item.ending.as_ref().filter(|_| telling.tells_sync);
    let off = off.and_then(|ending| telling.sync_off_since(item, ending)).zip(item.category);
    match off {
        None => says,
        Some((step, category)) => {
            let (category, at, position) =
                (quoted(names.get(category)), step.occurred_at, step.position);
            lang.say(
                format_args!(
                    "{says}; sync of {category} had been off since {at} (event @{position})"
                ),
                format_args!("{says}；{category}的同步自 {at} 起一直关闭（事件 @{position}）"),
            )
        }
    }
}

fn item_tells(name: &str, item: &Item, telling: Telling<'_>) -> String {
    let lang = telling.lang;
    let name = quoted(name);
    let trashed = item.trashing.as_ref().map(|t| {
        let (by, at) = (who(t.by_user, lang), t.at);
        let (en, zh) = match (t.breach, telling.hedged) {
            (false, _) => ("", ""),
            (true, false) => (", against the policy", "违反政策，"),
            (true, true) => (", against the policy by the default reading", "按默认读法违反政策，"),
        };
        lang.say(
            format_args!("{by} moved {name} to the trash at {at}{en}"),
            format_args!("{by}{zh}于 {at} 将{name}移入回收站"),
        )
    });
    let deadline = item.trashing.as_ref().and_then(|t| t.deadline);
    match (item.state, trashed, deadline) {
        (ItemState::Trashed, Some(trashed), Some(until)) => lang.say(
            format_args!("{trashed}, and it can be recovered until {until}"),
            format_args!("{trashed}，在 {until} 之前可以恢复"),
        ),
        (ItemState::Trashed, Some(trashed), None) => lang.say(
            format_args!("{trashed}, and it can be recovered without a time limit"),
            format_args!("{trashed}，恢复没有时间限制"),
        ),
        (ItemState::Expired, Some(trashed), Some(until)) => lang.say(
            format_args!("{trashed}; its window ended at {until}, and no purge is on record"),
            format_args!("{trashed}；可恢复期已于 {until} 结束，日志中没有清除记录"),
        ),
        (_, trashed, deadline) => match (&item.ending, trashed) {
            (Some(ending), Some(trashed)) => {
                format!("{trashed}{}{}", lang.pick("; ", "；"), ended(ending, deadline, telling))
            }
            (Some(ending), None) => {
                let ended = ended(ending, None, telling);
                lang.say(
                    format_args!("{name} was live until {ended}"),
                    format_args!("{name}原本正常保留，{ended}"),
                )
            }
            (None, _) => lang.say(
                format_args!("{name} has been live since {}", item.since),
                format_args!("{name}自 {} 起一直正常保留", item.since),
            ),
        },
    }
}

/// What became of a backup, as a sentence without its full stop.
fn backup_says(name: &str, backup: &Backup, telling: Telling<'_>) -> String {
    let lang = telling.lang;
    let name = quoted(name);
    match &backup.ending {
        Some(ending) => {
            let ended = ended(ending, None, telling);
            lang.say(
                format_args!("backup {name} was kept until {ended}"),
                format_args!("备份{name}原本保留，{ended}"),
            )
        }
        None => lang.say(
            format_args!("backup {name} has been kept since {}", backup.since),
            format_args!("备份{name}自 {} 起一直保留", backup.since),
        ),
    }
}

fn says(facts: &Facts<'_>, subject: Subject, record: Record<'_>) -> String {
    let telling = facts.telling;
    let names = facts.view.names();
    if !erased::tells_all(facts.view.unsure(subject)) {
        return erased::says(facts.view, subject, record, telling.lang);
    }
    match (subject, record) {
        (Subject::Item(id), Record::Item(item)) => item_says(names.get(id), item, names, telling),
        (Subject::Backup(id), Record::Backup(backup)) => {
            backup_says(names.get(id), backup, telling)
        }
        _ => unreachable!("a subject goes with its record"),
    }
}

/// A sentence: its first letter large, its full stop at the end. It begins with a word of ours, in ASCII:
/// tables of all other letters would be 14 kB of the WebAssembly module.
pub(crate) fn sentence(text: &str, lang: Language) -> String {
    let mut sentence = format!("{text}{}", lang.pick(".", "。"));
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

/// What is on record of an item, in one sentence.
pub(crate) fn item_sentence(name: &str, item: &Item, telling: Telling<'_>) -> String {
    sentence(&item_tells(name, item, telling), telling.lang)
}

/// The reason for a verdict, in one sentence.
pub(crate) fn because(claim: &Claim, facts: &Facts<'_>, readings: &Readings<'_>) -> String {
    let lang = facts.telling.lang;
    let because = outcome_because(claim, facts, readings, lang);
    let ids = readings.other_outcome();
    if ids.is_empty() {
        return sentence(&because, lang);
    }
    let held = match readings.outcome {
        Outcome::Upheld => lang.pick("holds", "成立"),
        _ => lang.pick("fails", "不成立"),
    };
    let ids = ids.join(lang.pick(", ", "、"));
    let whole = lang.say(
        format_args!(
            "{because}; so the claim {held} by the default reading, but not as read by {ids}"
        ),
        format_args!("{because}；按默认读法，主张{held}，按 {ids} 的读法则相反"),
    );
    sentence(&whole, lang)
}

/// The reason for the outcome under the policy as it stands, without a full stop.
fn outcome_because(
    claim: &Claim,
    facts: &Facts<'_>,
    readings: &Readings<'_>,
    lang: Language,
) -> String {
    let (first, rest) = facts.rows.split_first().expect("a record");
    let is_one = matches!(claim.subject, ClaimSubject::Item(_) | ClaimSubject::Backup(_));
    // Of several of which one is known, what leaves the rest open is to be said.
    let may_be_more = readings.outcome == Outcome::Undetermined;
    if is_one || (rest.is_empty() && !may_be_more) {
        return says(facts, first.0, first.1);
    }
    let total = facts.rows.len();
    let fails = |(subject, record): &&(Subject, Record<'_>)| {
        record.said(claim.asserts, facts.view.unsure(*subject)) == Some(false)
    };
    let against: Vec<_> = facts.rows.iter().filter(fails).collect();
    match against.first() {
        None if readings.outcome == Outcome::Undetermined => {
            erased::several(facts.view, total, lang)
        }
        None => lang.say(
            format_args!("the claim holds for each of the {total} on record"),
            format_args!("日志中的 {total} 项全都符合"),
        ),
        Some((subject, record)) => {
            let (count, example) = (against.len(), says(facts, *subject, *record));
            lang.pick(
                format!(
                    "the claim fails for {count} of the {total} on record; for example, {example}"
                ),
                match count == total {
                    true => format!("日志中的 {total} 项均不符合；例如，{example}"),
                    false => format!("日志中的 {total} 项里有 {count} 项不符合；例如，{example}"),
                },
            )
        }
    }
}

/// The reason when there is no record.
pub(crate) fn no_record(claim: &Claim, asked: &Asked) -> String {
    let (lang, as_of) = (asked.lang, claim.as_of.unwrap_or(asked.as_of));
    let as_of = match asked.names_known_at {
        false => as_of.to_string(),
        true => lang.say(
            format_args!("{as_of}, as known at {}", asked.known_at),
            format_args!("{as_of}（以 {} 时已知的记录为准）", asked.known_at),
        ),
    };
    let account = quoted(&claim.account);
    let text = match &claim.subject {
        ClaimSubject::Item(item) => {
            let item = quoted(item);
            lang.say(
                format_args!("the log holds no item {item} of account {account} as of {as_of}"),
                format_args!("截至 {as_of}，日志中没有账号{account}的条目{item}"),
            )
        }
        ClaimSubject::Backup(backup) => {
            let backup = quoted(backup);
            lang.say(
                format_args!("the log holds no backup {backup} of account {account} as of {as_of}"),
                format_args!("截至 {as_of}，日志中没有账号{account}的备份{backup}"),
            )
        }
        ClaimSubject::Category(category) => {
            let category = quoted(category);
            lang.say(
                format_args!("the log holds no item of category {category} of account {account} as of {as_of}"),
                format_args!("截至 {as_of}，日志中没有账号{account}在类别{category}下的条目"))
        }
        ClaimSubject::Account => lang.say(
            format_args!("the log holds nothing kept by account {account} as of {as_of}"),
            format_args!("截至 {as_of}，日志中没有账号{account}的数据"),
        ),
    };
    sentence(&text, lang)
}
