//! What is said where erased events leave an answer open, in two languages.

use projection::{Subject, Unsure, View};

use crate::subject::Record;
use crate::wording::{Language, quoted};

/// Whether a sentence about a record can be told as if all of it were known.
pub(crate) fn tells_all(unsure: Unsure) -> bool {
    let open = unsure.since || unsure.took || unsure.cause || unsure.until;
    let open = open || unsure.how || unsure.lawful;
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
    let erased = events(view, lang);
    match view.unsure(subject).state {
        true => lang.pick(
            format!("what became of {en}{name} is not known: {erased}, and may matter to it"),
            format!("{zh}{name}的状态无法确定：{erased}，可能与此有关"),
        ),
        false => {
            let state = record.state();
            lang.pick(
                format!("{en}{name} is {state}; not all about it is known: {erased}"),
                format!(
                    "{zh}{name}的状态是“{}”；其余无法全部确定：{erased}",
                    crate::explain::state_in_chinese(state)
                ),
            )
        }
    }
}

/// How many events of the account were erased.
fn events(view: &View<'_>, lang: Language) -> String {
    let (contents, leaves) = view.erased();
    match contents + leaves {
        1 => lang.pick("1 event of the account was erased", "该账号有 1 条事件已被擦除").to_owned(),
        n => lang.pick(
            format!("{n} events of the account were erased"),
            format!("该账号有 {n} 条事件已被擦除"),
        ),
    }
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
    let erased = events(view, lang);
    lang.pick(
        format!(
            "the claim holds for what is known of the {known} on record, and {erased}, which may \
             matter"
        ),
        format!("就日志中 {known} 项已知的情况而言，主张成立；但{erased}，可能与此有关"),
    )
}
