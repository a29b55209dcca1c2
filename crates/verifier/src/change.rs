//! What a person would say of one change of an item, in two languages.

use event::{Kind, Step, Timestamp};
use policy::Policy;
use projection::{ChangeSource, Changed, ItemState};

use crate::wording::{Language, given_cause, purged, sentence, who};

/// A sentence of its own.
pub(crate) fn says(
    changed: &Changed,
    source: ChangeSource,
    step: Option<&Step>,
    policy: &Policy,
    lang: Language,
) -> String {
    let by = step.map_or("", |step| who(step.actor.is_user(), lang));
    let until = |until: Option<Timestamp>| match until {
        Some(until) => lang
            .say(format_args!("recoverable until {until}"), format_args!("{until} 之前可以恢复")),
        None => lang.pick("recoverable without a time limit", "恢复没有时间限制").to_owned(),
    };
    let text = match *changed {
        Changed::Item { from, to, recoverable_until, .. } => match (from, to) {
            (None, ItemState::Live) if step.is_none_or(|s| s.kind == Kind::ItemUploaded) => {
                lang.say(format_args!("{by} uploaded it"), format_args!("{by}上传了它"))
            }
            (None, ItemState::Live) => lang.pick(
                "first named here; its upload is not on record".to_owned(),
                "在此首次出现，没有上传记录".to_owned(),
            ),
            (Some(_), ItemState::Live) if step.is_some_and(|s| s.kind == Kind::ItemUploaded) => {
                lang.say(
                    format_args!("{by} uploaded it anew, which began a new life"),
                    format_args!("{by}重新上传，开始新的生命周期"),
                )
            }
            (_, ItemState::Live) => {
                lang.say(format_args!("{by} restored it"), format_args!("{by}将其恢复"))
            }
            (_, ItemState::Trashed) => {
                let until = until(recoverable_until);
                lang.say(
                    format_args!("{by} moved it to the trash: {until}"),
                    format_args!("{by}将其移入回收站：{until}"),
                )
            }
            (_, ItemState::Expired) => lang.pick(
                "its window ended; no purge was needed for that".to_owned(),
                "可恢复期结束，无需另行清除".to_owned(),
            ),
            (_, ItemState::Purged) => {
                let given = step.filter(|step| !step.actor.is_user());
                let given = given.and_then(|step| step.purge_cause);
                let (en, zh) = given.map_or_else(Default::default, |cause| {
                    let cause = given_cause(cause, lang);
                    (format!(", giving “{cause}” as the cause"), format!("以“{cause}”为由"))
                });
                let purged = purged(step.is_some_and(|step| step.actor.is_user()));
                lang.say(format_args!("{by} purged it{en}"), format_args!("{by}{zh}{purged}"))
            }
            (_, ItemState::Removed) => lang.say(
                format_args!("{by} cleared the account's data"),
                format_args!("{by}清空了账号数据"),
            ),
        },
        Changed::Deadline { from, to, .. } => {
            let until = until(to);
            match source {
                ChangeSource::PolicyVersion(version) => {
                    let id = &policy.versions[version].id;
                    lang.say(
                        format_args!("policy version {id} took effect: {until}"),
                        format_args!("政策版本 {id} 生效：{until}"),
                    )
                }
                _ if step
                    .is_some_and(|s| matches!(s.kind, Kind::AccountOpened | Kind::TierChanged)) =>
                {
                    lang.say(
                        format_args!("the tier changed: {until}"),
                        format_args!("会员等级变化：{until}"),
                    )
                }
                _ if is_sooner(to, from) => lang.say(
                    format_args!("the trash is full: {until}"),
                    format_args!("回收站已满：{until}"),
                ),
                _ => lang.say(
                    format_args!("the trash is no longer full: {until}"),
                    format_args!("回收站不再是满的：{until}"),
                ),
            }
        }
        Changed::Backup { .. } => String::new(),
    };
    sentence(&text, lang)
}

/// Whether an end comes before another; none, never, is the last.
fn is_sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    one.is_some_and(|one| other.is_none_or(|other| one < other))
}
