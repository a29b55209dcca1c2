//! Several certificates that hold: whether they can all be true, and whether they are shown to be of one log.

use std::path::{Path, PathBuf};

use serde_json::json;
use verifier::certificate::{Checked, Conflict, Together, conflict, together};

use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::escape::{escaped, escaped_path, typed_path};
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};

/// Holds them against each other.
pub fn show(
    all: &[Checked],
    files: &[PathBuf],
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let mut pairs = (0..all.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let found = pairs.find_map(|(a, b)| Some(((a, b), conflict(&all[a], &all[b])?)));
    match (found, question.json) {
        (Some((pair, conflict)), false) => {
            misconduct(all, files, pair, &conflict, question, screen)
        }
        (None, false) => no_misconduct(all, files, question, screen),
        (found, true) => {
            let shown = found.is_none().then(|| together(all));
            let pair = found.as_ref().map(|(pair, _)| *pair);
            let unshown = shown.and_then(|(_, unshown)| unshown);
            screen.json(&json!({
                "ok": found.is_none(),
                "misconduct": found.as_ref().map(|(_, conflict)| conflict.told(question.lang)),
                "shown": shown.map(|(shown, _)| shown),
                "between": pair.or(unshown).map(|(a, b)| [a, b].map(|at| escaped_path(&files[at]))),
                "command": unshown.map(|pair| command(all, files, pair)),
                "origin": all[0].origin,
                "accounts": all.iter().map(|one| &one.account).collect::<Vec<_>>(),
                "sizes": all.iter().map(|one| one.tree.pages).collect::<Vec<_>>(),
            }))?;
            Ok(if found.is_none() { Outcome::Fine } else { Outcome::BadNews })
        }
    }
}

/// By which whoever holds the store shows that the log goes on from the earlier one to a later one.
fn command(all: &[Checked], files: &[PathBuf], (earlier, later): (usize, usize)) -> String {
    let account = typed_path(Path::new(&all[later].account));
    format!("stillthere certify {account} --since {} -o FILE", typed_path(&files[earlier]))
}

fn hold(count: usize, question: &Question) -> String {
    match count {
        2 => question.pick("Both hold", "两份均成立").to_owned(),
        _ => question.pick(format!("All {count} hold"), format!("{count} 份均成立")),
    }
}

fn misconduct(
    all: &[Checked],
    files: &[PathBuf],
    (a, b): (usize, usize),
    conflict: &Conflict,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let [a, b] = [a, b].map(|at| escaped_path(&files[at]));
    let (hold, what) = (hold(all.len(), question), conflict.told(question.lang));
    let origin = escaped(&all[0].origin);
    let text = question.pick(
        format!(
            "{hold}, and {a} and {b} cannot both be true: {what}. Whoever signed them for {origin} is at fault."
        ),
        format!("{hold}，但 {a} 与 {b} 不可能同时为真：{what}。过错在为 {origin} 签名者。"),
    );
    paragraph(screen, 0, &Cell::styled(text, style::BAD))?;
    if conflict.is_void_if_erased() {
        let text = question.pick(
            "Unless the account was erased in between: then whoever holds the store can show it, by `stillthere \
             certify --erasure N`, and `check` takes that certificate beside these.",
            "除非该账号在此期间被擦除：持有存储者可用 `stillthere certify --erasure N` 示出，并将该证书一并交给 `check`。",
        );
        paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
    }
    Ok(Outcome::BadNews)
}

fn no_misconduct(
    all: &[Checked],
    files: &[PathBuf],
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let (shown, unshown) = together(all);
    let hold = hold(all.len(), question);
    let Some(pair @ (earlier, later)) = unshown else {
        let text = question.pick(
            format!("{hold}, and are proven to be of one log: each larger tree begins with the smaller one."),
            format!("{hold}，且已证明出自同一份日志：较大的树以较小的树开头。"),
        );
        paragraph(screen, 0, &Cell::styled(text, style::GOOD))?;
        return Ok(Outcome::Fine);
    };
    let text = question.pick(
        format!("{hold}, and go together as far as they show."),
        format!("{hold}，且就其所示内容彼此一致。"),
    );
    paragraph(screen, 0, &Cell::from(text))?;
    if shown == Together::Account {
        let account = escaped(&all[0].account);
        let text = question.pick(
            format!("The events of {account} are proven to be the same ones: each later certificate begins with those of the earlier one."),
            format!("已证明 {account} 的事件相同：较晚的证书以较早证书的事件开头。"),
        );
        paragraph(screen, 0, &Cell::styled(text, style::GOOD))?;
    }
    let [earlier, later] = [earlier, later].map(|at| escaped_path(&files[at]));
    let text = question.pick(
        format!(
            "It was not shown that {earlier} and {later} are of one log. Whoever holds the store can show it, by a \
             later certificate:"
        ),
        format!("未示出 {earlier} 与 {later} 出自同一份日志。持有存储者可用一份更新的证书示出："),
    );
    paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
    screen.line(format!("  {}", command(all, files, pair)))?;
    Ok(Outcome::Fine)
}
