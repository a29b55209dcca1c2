//! Certificates of erasure: what one says, and what it took out of what earlier certificates show.

use std::path::Path;

use serde_json::json;
use verifier::certificate::{
    Certificate, CertificateError, Checked, CheckedErasure, Conflict, Expected, TakenOut, Trust,
    check, check_erasure, conflict, is_erasure,
};

use super::{refuse, show_facts};
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount::{count, counted};
use crate::show::escape::{escaped, escaped_path};
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};

/// What certificates of erasure hold of the others.
struct Pair<'a> {
    erasure: (&'a Path, &'a CheckedErasure),
    other: (&'a Path, &'a Checked),
    taken: TakenOut,
}

/// Checks files of which one at least is a certificate of erasure.
pub fn run(
    files: &[(&Path, Vec<u8>)],
    trust: &Trust,
    expected: &Expected,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let lang = question.lang;
    // What the answers are expected to be about is no matter of an erasure that is shown beside them.
    let anything = Expected::default();
    let of_erasures = match files.iter().all(|(_, bytes)| is_erasure(bytes)) {
        true => expected,
        false => &anything,
    };
    let (mut erasures, mut others) = (Vec::new(), Vec::new());
    for (file, bytes) in files {
        let checked = match is_erasure(bytes) {
            true => check_erasure(bytes, trust, of_erasures, lang)
                .map(|checked| erasures.push((*file, checked))),
            false => check(bytes, trust, expected, lang).map(|checked| {
                let shown = Certificate::decode(bytes).expect("it was read just now");
                others.push((*file, checked, shown));
            }),
        };
        if let Err(error) = checked {
            return refused(file, &error, question, screen);
        }
    }
    if let ([(_, only)], []) = (&erasures[..], &others[..]) {
        show_one(only, question, screen)?;
        return Ok(Outcome::Fine);
    }
    let mut pairs = Vec::new();
    for (file, erasure) in &erasures {
        for (other, checked, shown) in &others {
            let taken = erasure.taken_out(shown);
            pairs.push(Pair { erasure: (*file, erasure), other: (*other, checked), taken });
        }
    }
    let found = misconduct(&pairs, &others);
    match question.json {
        true => screen.json(&json!({
            "ok": found.is_none(),
            "misconduct": found.as_ref().map(|(_, conflict)| conflict.told(lang)),
            "between": found.as_ref().map(|(files, _)| files.map(escaped_path)),
            "taken_out": pairs.iter().map(Pair::report).collect::<Vec<_>>(),
            "origin": erasures[0].1.origin,
        }))?,
        false => show(&pairs, found.as_ref(), question, screen)?,
    }
    Ok(if found.is_none() { Outcome::Fine } else { Outcome::BadNews })
}

fn refused(
    file: &Path,
    error: &CertificateError,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    match error {
        CertificateError::Wire(verifier::certificate::WireError::Magic) => {
            Err(Failure::Usage(format!("{}: not a certificate", escaped_path(file))))
        }
        error => refuse(file, &error.to_string(), question, screen),
    }
}

/// Two that cannot both be true. An account that an erasure took out is not missing later.
fn misconduct<'a>(
    pairs: &[Pair<'a>],
    others: &[(&'a Path, Checked, Certificate)],
) -> Option<([&'a Path; 2], Conflict)> {
    let mut of_pairs = pairs.iter().filter_map(|pair| {
        let conflict = pair.erasure.1.conflict(pair.other.1)?;
        Some(([pair.erasure.0, pair.other.0], conflict))
    });
    of_pairs.next().or_else(|| {
        let mut of_others =
            (0..others.len()).flat_map(|b| (0..b).map(move |a| (&others[a], &others[b])));
        of_others.find_map(|((a, one, _), (b, other, _))| {
            let found = conflict(one, other)?;
            let earlier = if one.tree.pages <= other.tree.pages { a } else { b };
            let is_erased = found.is_void_if_erased()
                && pairs.iter().any(|pair| pair.other.0 == *earlier && pair.taken.name);
            (!is_erased).then_some(([*a, *b], found))
        })
    })
}

impl Pair<'_> {
    fn report(&self) -> serde_json::Value {
        let TakenOut { revisions, of, name } = &self.taken;
        json!({
            "erasure": escaped_path(self.erasure.0), "certificate": escaped_path(self.other.0),
            "account": self.other.1.account, "events": revisions.len(), "of": of,
            "revisions": revisions, "name": name,
            "one_log": self.erasure.1.is_of_one_log(self.other.1, &self.taken),
        })
    }

    fn show(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let TakenOut { revisions, of, name } = &self.taken;
        let [erasure, other] = [self.erasure.0, self.other.0].map(escaped_path);
        let account = escaped(&self.other.1.account);
        let taken = revisions.len() as u64;
        let text = match (taken, name) {
            (0, false) => question.pick(
                format!("{erasure} took nothing out of what {other} shows."),
                format!("{erasure} 未擦除 {other} 所示的任何内容。"),
            ),
            _ => question.pick(
                format!(
                    "Of the {} of {account} that {other} shows, {erasure} took out {}{}, under the record in page {}.",
                    counted(*of, "event"),
                    count(taken),
                    if *name { ", and the name" } else { "" },
                    self.erasure.1.page
                ),
                format!(
                    "{other} 所示 {account} 的 {} 条事件中，{erasure} 按第 {} 页的记录擦除了 {} 条{}。",
                    count(*of),
                    self.erasure.1.page,
                    count(taken),
                    if *name { "，连同名称" } else { "" }
                ),
            ),
        };
        paragraph(screen, 0, &Cell::styled(text, style::BOLD))?;
        if !self.erasure.1.is_of_one_log(self.other.1, &self.taken) {
            let text = question.pick(
                format!(
                    "It was not shown that they are of one log: `stillthere certify --erasure N --since {other}` shows it."
                ),
                format!(
                    "未示出二者出自同一份日志：可用 `stillthere certify --erasure N --since {other}` 示出。"
                ),
            );
            paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
        }
        Ok(())
    }
}

fn show(
    pairs: &[Pair<'_>],
    found: Option<&([&Path; 2], Conflict)>,
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    if let Some((files, conflict)) = found {
        let ([a, b], what) = (files.map(escaped_path), conflict.told(question.lang));
        let text = question.pick(
            format!("All hold, and {a} and {b} cannot both be true: {what}."),
            format!("均成立，但 {a} 与 {b} 不可能同时为真：{what}。"),
        );
        return paragraph(screen, 0, &Cell::styled(text, style::BAD));
    }
    let text = question.pick(
        "All hold: what was certified before an erasure stays proven.",
        "均成立：擦除之前所证明的仍然有效。",
    );
    paragraph(screen, 0, &Cell::styled(text, style::GOOD))?;
    pairs.iter().try_for_each(|pair| pair.show(question, screen))
}

/// Shows one that holds.
pub fn show_one(
    checked: &CheckedErasure,
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    if question.json {
        return screen.json(&checked.report());
    }
    let (events, accounts) = (checked.events.count(), checked.names.count());
    screen.line(question.pick(
        format!(
            "The certificate holds: an erasure of {} and the names of {}.",
            counted(events, "event"),
            counted(accounts, "account")
        ),
        format!("证书成立：擦除 {} 条事件及 {} 个账号的名称。", count(events), count(accounts)),
    ))?;
    show_facts(checked.facts(), question, screen)
}
