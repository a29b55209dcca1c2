//! `policy`: the presets, what a policy says, whether a file is one, and how two differ.

mod check;
pub mod diff;
mod meaning;
mod new;
pub mod show;

use std::path::Path;

use commitment::Control;
use event::Timestamp;
use eventlog::{Log, Options};
use policy::{Policy, Version, presets};
use serde_json::json;

pub use self::new::NewArgs;
use self::show::Page;
use crate::args::PolicyVerb;
use crate::failure::{Failure, Outcome};
use crate::question::{Question, bad_policy, find_policy, now, policy_text};
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table};
use crate::show::words::Word;

pub fn run(
    verb: &PolicyVerb,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    match verb {
        PolicyVerb::List => list(question, screen)?,
        PolicyVerb::Show { which, toml: true } => {
            let which = which.as_deref().unwrap_or_else(|| question.policy_asked());
            let text = policy_text(which)?;
            Policy::parse(&text).map_err(|error| bad_policy(which, &error))?;
            screen.bytes(text.as_bytes())?;
        }
        PolicyVerb::Show { which, toml: false } => {
            let policy = match which {
                Some(which) => find_policy(which)?,
                None => question.policy()?,
            };
            match question.json {
                true => screen.json(&policy)?,
                false => Page { policy: &policy, question, screen }.show()?,
            }
        }
        PolicyVerb::Adopt { which } => adopt(which.as_deref(), question, screen)?,
        PolicyVerb::New(args) => new::run(args, question, screen)?,
        PolicyVerb::Check { file } => check::run(file, question, screen)?,
        PolicyVerb::Diff(args) => diff::run(args, question, screen)?,
    }
    Ok(Outcome::Fine)
}

/// Puts the policy into the log.
fn adopt(which: Option<&Path>, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    let policy = which.map_or_else(|| question.policy(), find_policy)?;
    let compiled = policy.canonical_bytes();
    // A store that is missing is not made.
    drop(question.open()?);
    let log = Log::open(&question.store, Options::new(now))?;
    log.record(&Control::Adoption { hash: *policy.hash().as_bytes(), compiled: &compiled })?;
    log.close()?;
    let (name, hash) = (&policy.name, policy.hash());
    if question.json {
        return screen.json(&json!({ "policy": name, "policy_hash": hash }));
    }
    screen.line(question.pick(
        format!("The log has adopted {name} ({hash}). `stillthere checkpoint` seals it."),
        format!("日志已采用 {name}（{hash}）。用 `stillthere checkpoint` 封存。"),
    ))
}

fn list(question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    let mut table = Table::new([
        Column::text(question.pick("policy", "政策")),
        Column::text(question.pick("version", "版本")),
        Column::text(question.pick("in force from", "生效时间")),
        Column::text(question.pick("confidence", "可信度")),
        Column::text(question.pick("seen", "查阅日期")),
        Column::long(question.pick("source", "来源")),
    ]);
    for (name, _) in presets() {
        let policy = Policy::preset(name).expect("a preset is a policy");
        if question.json {
            screen.json(&json!({
                "policy": policy.name,
                "policy_hash": policy.hash(),
                "versions": policy.versions.iter().map(|version| json!({
                    "id": version.id,
                    "effective_from": version.effective_from,
                    "confidence": version.confidence,
                    "source": version.source,
                    "seen": seen(version),
                })).collect::<Vec<_>>(),
            }))?;
            continue;
        }
        for version in &policy.versions {
            table.row(
                screen,
                vec![
                    Cell::styled(&policy.name, style::BOLD),
                    (&version.id).into(),
                    from(version, question),
                    version.confidence.word(question.lang).into(),
                    Cell::or_dash(seen(version)),
                    (&version.source).into(),
                ],
            )?;
        }
    }
    table.end(screen)
}

/// The last date on which a source of the version's clauses was read.
fn seen(version: &Version) -> Option<&str> {
    version.clauses.iter().filter_map(|clause| clause.stated.seen.as_deref()).max()
}

fn from(version: &Version, question: &Question) -> Cell {
    match version.effective_from {
        Timestamp::MIN => question.pick("the beginning", "起初").into(),
        at => at.to_string().into(),
    }
}
