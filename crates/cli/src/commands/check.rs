//! `check`: whether a certificate holds, and what its answer rests on; with no store and no network.

pub mod erasure;
mod several;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use commitment::{Checkpoint, Quorum};
use serde_json::Value;
use verifier::certificate::{
    Basis, CertificateError, Checked, Expected, Fact, MAX_CERTIFICATE, Tree, Trust, WireError,
    check, is_certificate, is_erasure, refusal,
};

use crate::args::CheckArgs;
use crate::commands::certify::since::kept;
use crate::failure::{Failure, Outcome};
use crate::keys::{own_keys, published_key, verifier_keys};
use crate::question::Question;
use crate::show::escape::{escaped, escaped_path};
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};

pub fn run(args: &CheckArgs, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let witnesses = verifier_keys(&args.witness_keys)?;
    let witnesses = match args.require_witnesses {
        None if witnesses.is_empty() => None,
        need => Some(
            Quorum::new(need.unwrap_or(0), witnesses).map_err(|e| Failure::Usage(e.to_string()))?,
        ),
    };
    let log = match args.keys.is_empty() {
        false => verifier_keys(&args.keys)?,
        true if published_key(question).is_file() => own_keys(question, None)?,
        true => {
            let text = "whose log is it of? give the log's verifier key with --key";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    if let Some(other) = log.iter().find(|key| key.name() != log[0].name()) {
        return Err(Failure::Usage(format!(
            "--key: the keys of one log have one name; these have {} and {}",
            log[0].name(),
            other.name()
        )));
    }
    let since = match &args.since {
        None => None,
        Some(path) => {
            let (_, Checkpoint { size, root, .. }) = kept(path, log[0].name(), &log)?;
            Some(Tree { pages: size, root })
        }
    };
    let trust = Trust { log, auditors: verifier_keys(&args.auditors)?, witnesses };
    let expected = Expected {
        account: args.account.clone(),
        item: args.item.clone(),
        policy: question
            .is_policy_asked
            .then(|| question.policy().map(|p| p.hash()))
            .transpose()?,
        size: args.size,
        since,
        as_of: question.asked_as_of,
        known_at: question.asked_known_at,
    };
    let files = args.files.iter().map(|file| Ok((file.as_path(), read_certificate(file)?)));
    let files = files.collect::<Result<Vec<(&Path, Vec<u8>)>, Failure>>()?;
    if files.iter().any(|(_, bytes)| is_erasure(bytes)) {
        return erasure::run(&files, &trust, &expected, question, screen);
    }
    let mut held = Vec::new();
    for (file, bytes) in &files {
        match check(bytes, &trust, &expected, question.lang) {
            Ok(checked) => held.push(checked),
            Err(CertificateError::Wire(WireError::Magic)) => {
                return Err(Failure::Usage(format!("{}: not a certificate", escaped_path(file))));
            }
            Err(error) => return refuse(file, &error.to_string(), question, screen),
        }
    }
    match &held[..] {
        [one] => show(one, question, screen).map(|()| Outcome::Fine),
        all => several::show(all, &args.files, question, screen),
    }
}

/// A file, up to more than the longest certificate has.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    read_if(path, |_| true)
}

/// The same, and of what is no certificate the beginning alone.
fn read_certificate(path: &Path) -> Result<Vec<u8>, Failure> {
    read_if(path, |begins| is_certificate(begins) || is_erasure(begins))
}

fn read_if(path: &Path, goes_on: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, Failure> {
    const BEGINS: u64 = 8;
    let failed = |e: std::io::Error| Failure::file(path, "read the certificate", &e);
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(failed)?;
    file.by_ref().take(BEGINS).read_to_end(&mut bytes).map_err(failed)?;
    if goes_on(&bytes) {
        let rest = MAX_CERTIFICATE as u64 + 1 - BEGINS;
        file.take(rest).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}

fn refuse(
    file: &Path,
    reason: &str,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let file = escaped_path(file);
    match question.json {
        true => screen.json(&refusal(&file, reason))?,
        false => {
            let said = question.pick("does not hold", "不成立");
            screen.line(format_args!("{file}: {said}: {reason}"))?;
        }
    }
    Ok(Outcome::BadNews)
}

/// Shows a certificate that holds.
pub fn show(checked: &Checked, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    if question.json {
        return screen.json(&checked.report());
    }
    let about = match &checked.item {
        Some(item) => format!("{}: {}", escaped(&checked.account), escaped(item)),
        None => escaped(&checked.account).to_string(),
    };
    screen.line(question.pick(
        format!("The certificate holds: {about}, as of {}", checked.as_of),
        format!("证书成立：{about}，截至 {}", checked.as_of),
    ))?;
    screen.line("")?;
    for answer in &checked.answers {
        let answer: Value = serde_json::from_str(answer).expect("answers are JSON");
        for line in answer_lines(&answer, question) {
            paragraph(screen, 2, &Cell::from(line))?;
        }
    }
    show_facts(checked.facts(), question, screen)
}

/// Shows facts, by what they rest on.
fn show_facts(
    mut facts: Vec<Fact>,
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    facts.sort_by_key(|fact| fact.basis);
    let mut last = None;
    for Fact { fact, basis, by, because } in facts {
        let heading = match by {
            Some(by) => question.pick(format!("{basis} by {by}"), format!("{}：{by}", word(basis))),
            None => question.pick(basis.to_string(), word(basis).to_owned()),
        };
        if last.as_ref() != Some(&heading) {
            screen.line("")?;
            let style = match basis {
                Basis::Proven => style::GOOD,
                Basis::Attested => style::BOLD,
                Basis::Unprovable => style::CARE,
            };
            paragraph(screen, 0, &Cell::styled(&heading, style))?;
            last = Some(heading);
        }
        paragraph(screen, 2, &Cell::from(fact))?;
        paragraph(screen, 4, &Cell::styled(because, style::DIM))?;
    }
    Ok(())
}

fn word(basis: Basis) -> &'static str {
    match basis {
        Basis::Proven => "已证明",
        Basis::Attested => "有人担保",
        Basis::Unprovable => "无法证明",
    }
}

/// An answer for a person: what a claim came to, or the state.
fn answer_lines(answer: &Value, question: &Question) -> Vec<String> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).map(|t| escaped(t).to_string());
    if let (Some(claim), Some(verdict)) = (text("claim"), text("verdict")) {
        let because = text("because").unwrap_or_default();
        return vec![format!("{claim}: {verdict}"), because];
    }
    if answer.get("absent").is_some() {
        return vec![question.pick("not there", "不存在").to_owned()];
    }
    let mut lines = Vec::new();
    for key in ["item", "status", "state", "cause", "since", "recoverable_until"] {
        if let Some(value) = text(key) {
            lines.push(format!("{key}: {value}"));
        }
    }
    if let Some(counts) = answer.get("counts") {
        lines.push(format!("counts: {counts}"));
    }
    lines
}
