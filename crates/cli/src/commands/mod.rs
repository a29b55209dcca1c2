//! The verbs, a file each.

mod accounts;
mod audit;
mod audit_log;
mod backup;
pub mod bench;
mod certify;
mod check;
mod checkpoint;
mod completions;
mod doctor;
mod explain;
mod export;
mod findings;
mod generate;
mod import;
mod key;
pub mod policy;
mod replay;
mod salvage;
mod snapshot;
mod state;
mod verify;

use crate::args::Verb;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::screen::Screen;

/// Runs one.
pub fn run(verb: Verb, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    match verb {
        Verb::Import(args) => import::run(&args, question, screen),
        Verb::Replay { account } => replay::run(&account, question, screen),
        Verb::State { account, all } => state::run(&account, all, question, screen),
        Verb::Explain { account, item } => explain::run(&account, &item, question, screen),
        Verb::Accounts(args) => accounts::run(&args, question, screen),
        Verb::Findings(args) => findings::run(&args, question, screen),
        Verb::Audit { claims } => audit::run(&claims, question, screen),
        Verb::Snapshot(args) => snapshot::run(&args, question, screen),
        Verb::Verify(args) => verify::run(&args, question, screen),
        Verb::Backup { to } => backup::run(&to, question, screen),
        Verb::Restore { from } => backup::restore(&from, question, screen),
        Verb::Doctor => doctor::run(question, screen),
        Verb::Salvage { to, unproven } => salvage::run(&to, unproven.as_deref(), question, screen),
        Verb::Key(verb) => key::run(&verb, question, screen),
        Verb::Checkpoint(args) => checkpoint::run(&args, question, screen),
        Verb::Certify(args) => certify::run(&args, question, screen),
        Verb::Check(args) => check::run(&args, question, screen),
        Verb::AuditLog(args) => audit_log::run(&args, question, screen),
        Verb::Policy(verb) => policy::run(&verb, question, screen),
        Verb::Export(args) => export::run(&args, question, screen),
        Verb::Generate(args) => generate::run(&args, question, screen),
        Verb::Bench(args) => bench::run(&args, question, screen),
        Verb::Completions { shell } => completions::run(shell, screen),
    }
}
