//! What would have been lawful in place of a finding, as a row and as a sentence in two languages.

use event::{History, PurgeCause, Timestamp};
use policy::{Policy, Stage, Window};
use projection::{Finding, FindingCode, Lawful, LawfulWhen, Subject, lawful_then};
use serde::Serialize;

use crate::reading::window_says;
use crate::wording::{Language, sentence};

/// What the policy would have allowed in place of what was found (docs/explain.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LawfulThen {
    /// On what condition.
    pub when: LawfulWhen,
    /// The first instant at which it is met; `None` where no instant is known.
    pub from: Option<Timestamp>,
    /// Until when it is met.
    pub until: Option<Timestamp>,
    /// The stage that admits it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The cause that a purge has to give, where a stage admits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<PurgeCause>,
    /// The bytes used just before, where that is the condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<u128>,
    /// The bytes allowed, where that is the condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
    /// What a person would say.
    pub because: String,
}

impl LawfulThen {
    /// Of each of `findings`, in their order, which were found in `history` under `policy` as of `as_of`
    /// and as known at `known_at`. The account is replayed once for all of them.
    #[must_use]
    pub fn of(
        history: &History,
        policy: &Policy,
        as_of: Timestamp,
        known_at: Timestamp,
        findings: &[Finding],
        lang: Language,
    ) -> Vec<LawfulThen> {
        let lawful = lawful_then(history, policy, as_of, known_at, findings);
        let rows = findings.iter().zip(lawful);
        rows.map(|(finding, lawful)| LawfulThen::row(policy, finding, lawful, lang)).collect()
    }

    fn row(policy: &Policy, finding: &Finding, lawful: Lawful, lang: Language) -> LawfulThen {
        let because = sentence(&says(policy, finding, &lawful, lang), lang);
        LawfulThen {
            when: lawful.when,
            from: lawful.from,
            until: lawful.until,
            used_bytes: lawful.bytes.map(|(used, _)| used),
            limit_bytes: lawful.bytes.map(|(_, limit)| limit),
            because,
            stage: lawful.stage,
            cause: lawful.cause,
        }
    }
}

/// A sentence without its full stop.
fn says(policy: &Policy, finding: &Finding, lawful: &Lawful, lang: Language) -> String {
    let text = condition(policy, finding, lawful, lang);
    match (lawful.from, lawful.until) {
        (Some(_), Some(until)) if lawful.when != LawfulWhen::WithinLag => lang.say(
            format_args!("{text}; no longer from {until} on"),
            format_args!("{text}；自 {until} 起不再可以"),
        ),
        (None, _) if lawful.when == LawfulWhen::Inactive && has_stages(policy, finding.at) => lang
            .say(
                format_args!("{text}, and time alone brings no stage that admits it"),
                format_args!("{text}，时间本身也不会使准许此事的阶段达到"),
            ),
        _ => text,
    }
}

/// Whether a version in force from `at` on has stages.
fn has_stages(policy: &Policy, at: Timestamp) -> bool {
    policy.versions[policy.version_index_at(at)..].iter().any(|version| !version.stages.is_empty())
}

/// On what condition, and from when on.
fn condition(policy: &Policy, finding: &Finding, lawful: &Lawful, lang: Language) -> String {
    let pick = |en: &str, zh: &str| lang.pick(en, zh).to_owned();
    let is_backup = matches!(finding.subject, Some(Subject::Backup(_)));
    let of_account = finding.subject.is_none();
    let was_deleted =
        matches!(finding.code, FindingCode::PrematurePurge | FindingCode::ClearedWithoutNotice);
    // Its rules are those of the instant at which it would be lawful.
    let version = policy.version_at(lawful.from.unwrap_or(finding.at));
    match (lawful.when, lawful.from, lawful.until) {
        (LawfulWhen::WindowEnded, Some(from), _) => lang.say(
            format_args!("the provider may purge it from {from} on, when its window has ended"),
            format_args!("服务方自 {from} 起才可以将其清除，那时可恢复期已结束"),
        ),
        (LawfulWhen::WindowEnded, None, _) => pick(
            "the provider may never purge it: its window does not end",
            "可恢复期没有期限，服务方不得将其清除",
        ),
        (LawfulWhen::Stale, from, _) => {
            let from = from.map_or_else(String::new, |from| from.to_string());
            let after = window_says(version.stale_after, lang);
            lang.say(
                format_args!(
                    "the provider may remove it from {from} on, when no backup was \
                     completed for {after}"
                ),
                format_args!("服务方自 {from} 起才可以将其清除，那时已有{after}没有完成过备份"),
            )
        }
        (LawfulWhen::Inactive, Some(from), _) if of_account || was_deleted => lang.say(
            format_args!(
                "the provider may do this from {from} on, when the account has been without \
                 activity for long enough"
            ),
            format_args!("服务方自 {from} 起才可以这样做，那时账号不活跃的时间已经够长"),
        ),
        (LawfulWhen::Inactive, None, _) if of_account => pick(
            "the provider may never do this: by the policy the account does not become \
             inactive, or its tier is exempt",
            "服务方不得这样做：按政策，账号不会被认定为不活跃，或其等级获豁免",
        ),
        (LawfulWhen::Inactive, Some(from), _) if from <= finding.at => pick(
            "nobody had deleted it: by then the provider could purge it for inactivity, and \
             gave another cause or none",
            "没有人删除过它：当时服务方可以以长期不活跃为由将其清除，但给出的是别的原因或没有给出原因",
        ),
        (LawfulWhen::Inactive, Some(from), _) => lang.say(
            format_args!(
                "nobody had deleted it: the provider may purge it only for inactivity, from \
                 {from} on"
            ),
            format_args!("没有人删除过它：服务方只能以长期不活跃为由将其清除，且须自 {from} 起"),
        ),
        (LawfulWhen::Inactive, None, _) => pick(
            "nobody had deleted it: the provider may never purge it, for by the policy the \
             account does not become inactive, or its tier is exempt",
            "没有人删除过它：服务方不得将其清除，因为按政策，账号不会被认定为不活跃，或其等级获豁免",
        ),
        (LawfulWhen::Undetermined, ..) => pick(
            "what would have been lawful is not known: events of the account were erased that may \
             matter to it",
            "怎样才算合规无法确定：该账号有可能与此有关的事件已被擦除",
        ),
        (LawfulWhen::StageReached, from, _) => {
            let stage = lawful.stage.as_deref().and_then(|name| version.stages.get_key_value(name));
            let is_late = from.is_none_or(|from| from > finding.at);
            stage.map_or_else(String::new, |stage| by_stage(stage, lawful, is_late, lang))
        }
        (LawfulWhen::Notified, from, _) if finding.subject.is_some() => {
            let stage = lawful.stage.as_ref().and_then(|name| version.stages.get(name));
            purge_notified(stage, from, lang)
        }
        (LawfulWhen::Notified, from, _) => notified(version.notice, from, lang),
        (LawfulWhen::HoldReleased, Some(from), _) => lang.say(
            format_args!(
                "it may be purged or removed once the last hold is released, which was at \
                 {from}"
            ),
            format_args!("最后一项保全解除之后才可以清除或移除，解除时间为 {from}"),
        ),
        (LawfulWhen::HoldReleased, None, _) => pick(
            "it may be purged or removed once the last hold is released, of which nothing is on \
             record",
            "最后一项保全解除之后才可以清除或移除，日志中没有解除的记录",
        ),
        (LawfulWhen::WithinWindow, _, None) => pick(
            "it could not be restored: its window ended at the instant at which it began",
            "它无法恢复：可恢复期一开始便已结束",
        ),
        (LawfulWhen::WithinWindow, _, until) => {
            let until = until.map_or_else(String::new, |until| until.to_string());
            lang.say(
                format_args!("it can be restored before {until}, when its window ended"),
                format_args!("只能在 {until} 之前恢复，可恢复期在那时结束"),
            )
        }
        (LawfulWhen::WithinLag, from, until) => {
            let text = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
            let (from, until) = (text(from), text(until));
            lang.say(
                format_args!("the provider has to purge it from {from} to {until}"),
                format_args!("服务方应在 {from} 至 {until} 之间将其清除"),
            )
        }
        (LawfulWhen::WithinQuota, ..) => {
            let (used, limit) = lawful.bytes.unwrap_or_default();
            let over = used.saturating_sub(u128::from(limit));
            let what = match is_backup {
                true => lang.pick("a backup", "备份"),
                false => lang.pick("an upload", "上传"),
            };
            lang.say(
                format_args!("{what} is taken when no more than {limit} bytes are used: {used} were, \
                    {over} too many"),
                format_args!("已用空间不超过 {limit} 字节时才接受{what}：当时已用 {used} 字节，超出 {over} 字节"))
        }
        (LawfulWhen::SyncOn, from, _) => {
            let (en, zh) = match from {
                Some(from) => (format!(", which was at {from}"), format!("（{from}）")),
                None => Default::default(),
            };
            lang.say(
                format_args!("automatic sync may upload once sync of the category is on again{en}"),
                format_args!("该类别的同步重新开启后{zh}，自动同步才可以上传"),
            )
        }
        (LawfulWhen::RecordedInTime, _, until) => {
            let until = until.map_or_else(String::new, |until| until.to_string());
            lang.say(
                format_args!("the first such event is in time when it is recorded by {until}"),
                format_args!("第一条这样的事件应在 {until} 之前（含）记录"),
            )
        }
        (LawfulWhen::OnRecord, ..) => match is_backup {
            true => pick(
                "nothing is noted when a backup's completion is on record before",
                "此前若有完成备份的记录，便不会有此提示",
            ),
            false => pick(
                "nothing is noted when its upload is on record before",
                "此前若有上传记录，便不会有此提示",
            ),
        },
        (LawfulWhen::Trashed, ..) => pick(
            "nothing is noted when it is moved to the trash first and purged there",
            "先移入回收站、再从那里彻底删除，便不会有此提示",
        ),
        (LawfulWhen::UploadedAnew, ..) => match finding.code {
            FindingCode::Resurrected if is_backup => pick(
                "what is removed cannot come back: it can only be backed up anew",
                "已移除的备份无法恢复，只能重新备份",
            ),
            _ => pick(
                "what is purged or removed cannot come back: it can only be uploaded anew",
                "已清除或移除的内容无法恢复，只能重新上传",
            ),
        },
        (LawfulWhen::ByUser, ..) => pick(
            "the provider may never do this: only the user moves what is live to the trash",
            "服务方不得这样做：只有用户可以把正常保留的内容移入回收站",
        ),
    }
}

/// By a stage that is reached, with the notice that it asks for.
fn by_stage(
    (name, stage): (&String, &Stage),
    lawful: &Lawful,
    is_late: bool,
    lang: Language,
) -> String {
    let from = lawful.from.map_or_else(String::new, |from| from.to_string());
    let (cause_en, cause_zh) = match lawful.cause {
        Some(cause) => (
            format!(", giving {} as the cause", cause.name()),
            format!("，且须以 {} 为由", cause.name()),
        ),
        None => Default::default(),
    };
    let (notice_en, notice_zh) = match (lawful.cause, stage.notice) {
        (None, _) | (_, Window::Never) => Default::default(),
        (_, notice) => {
            let notice = window_says(notice, lang);
            (format!(" and {notice} after a notice"), format!("，并在通知{notice}之后"))
        }
    };
    match is_late {
        true => lang.say(
            format_args!(
                "the provider may do this from {from} on, when the stage {name} is \
                 reached{cause_en}{notice_en}"
            ),
            format_args!("服务方自 {from} 起才可以这样做，那时已达到阶段 {name}{cause_zh}{notice_zh}")),
        false => lang.say(
            format_args!("by then the stage {name} was reached: the provider could do this{cause_en}{notice_en}"),
            format_args!("当时已达到阶段 {name}，服务方可以这样做{cause_zh}{notice_zh}")),
    }
}

/// Of a purge that a stage admits and whose notice is missing.
fn purge_notified(stage: Option<&Stage>, from: Option<Timestamp>, lang: Language) -> String {
    match stage.zip(from) {
        Some((stage, from)) => {
            let notice = window_says(stage.notice, lang);
            lang.say(
                format_args!("the provider may purge it from {from} on, {notice} after the notice"),
                format_args!("服务方自 {from} 起才可以将其清除，那时距通知已有{notice}"))
        }
        None => lang.pick(
            "the stage that admits the purge asks for a notice since its condition began, and none \
             is on record that would be old enough while it holds"
                .to_owned(),
            "准许清除的阶段要求在其条件开始之后通知，而日志中没有在条件成立期间期满的通知".to_owned(),
        ),
    }
}

fn notified(notice: Window, from: Option<Timestamp>, lang: Language) -> String {
    let is_asked = notice != Window::Never;
    let notice = window_says(notice, lang);
    match from {
        Some(from) if !is_asked => lang.say(
            format_args!(
                "the provider may clear it from {from} on, when the policy asks for no notice"
            ),
            format_args!("服务方自 {from} 起才可以清空，那时政策不要求通知"),
        ),
        Some(from) => lang.say(
            format_args!("the provider may clear it from {from} on, {notice} after the notice"),
            format_args!("服务方自 {from} 起才可以清空，那时距通知已有{notice}"),
        ),
        None => lang.say(
            format_args!(
                "the provider may clear it {notice} after a notice, and none is on record \
                 since the last activity"
            ),
            format_args!(
                "服务方须在通知{notice}之后才可以清空，而自最后一次活动以来没有通知的记录"
            ),
        ),
    }
}
