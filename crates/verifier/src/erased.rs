//! What is said where erased events leave an answer open, in two languages.

use projection::{Subject, Unsure, View};

use crate::subject::Record;
use crate::wording::{Language, quoted};

/// Whether a sentence about a record can be told as if all of it were known.
pub(crate) fn tells_all(unsure: Unsure) -> bool {
    let open = unsure.since || unsure.cause || unsure.until || unsure.how || unsure.lawful;
    !unsure.state && !open
}

/// That not all of a record is known, without a full stop.
pub(crate) fn says(
    view: &View<'_>,
    subject: Subject,
    record: Record<'_>,
    lang: Language,
) -> String {
    let name = quoted(view.names().get(subject.name()));
    let (en, zh) = match subject {
        Subject::Item(_) => ("", ""),
        Subject::Backup(_) => ("backup ", "备份"),
    };
    let events = count(view, lang);
    match view.unsure(subject).state {
        true => lang.pick(
            format!(
                "what became of {en}{name} is not known: {events} of the account were erased that \
                 may matter to it"
            ),
            format!("{zh}{name}的状态无法确定：该账号有 {events}已被擦除，可能与此有关"),
        ),
        false => {
            let state = record.state();
            lang.pick(
                format!(
                    "{en}{name} is {state}; not all about it is known, for {events} of the account \
                     were erased"
                ),
                format!(
                    "{zh}{name}的状态是“{}”；其余无法全部确定，因为该账号有 {events}已被擦除",
                    crate::explain::state_in_chinese(state)
                ),
            )
        }
    }
}

/// How many events of the account were erased.
pub(crate) fn count(view: &View<'_>, lang: Language) -> String {
    let (contents, leaves) = view.erased();
    let events = contents + leaves;
    let s = if events == 1 { "" } else { "s" };
    lang.pick(format!("{events} event{s}"), format!("{events} 条事件"))
}

/// The caveat of a verdict that erased events leave open.
pub(crate) fn caveat(view: &View<'_>, lang: Language) -> String {
    let (contents, leaves) = view.erased();
    lang.pick(
        format!(
            "Events of the account were erased that may matter to this: {leaves} of which nothing is \
             left but that they were logged, and {contents} whose contents are gone."
        ),
        format!(
            "该账号有可能与此有关的事件已被擦除：{leaves} 条只剩下曾被记录这一事实，{contents} 条内容已不存在。"
        ),
    )
}

/// The reason of a verdict about several that is left open, without a full stop.
pub(crate) fn several(view: &View<'_>, known: usize, lang: Language) -> String {
    let events = count(view, lang);
    lang.pick(
        format!(
            "the claim holds for what is known of the {known} on record, and {events} of the account \
             were erased that may matter"
        ),
        format!("就日志中 {known} 项已知的情况而言，主张成立；但该账号有 {events}已被擦除，可能与此有关"),
    )
}
