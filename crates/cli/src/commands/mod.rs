//! The verbs, a file each.

mod accounts;
mod audit;
mod audit_log;
pub mod backup;
pub mod bench;
mod certify;
mod check;
mod checkpoint;
mod completions;
mod doctor;
pub mod erase;
mod erasures;
pub mod explain;
pub mod export;
mod findings;
pub mod forecast;
mod generate;
pub mod import;
mod key;
pub mod policy;
mod replay;
pub mod report;
pub mod retain;
mod salvage;
mod snapshot;
mod state;
pub mod sweep;
mod verify;
pub mod watch;

use crate::args::Verb;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::screen::Screen;

/// Runs one.
pub fn run(verb: Verb, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    match verb {
        Verb::Import(args) => import::run(&args, question, screen),
        Verb::Watch(args) => watch::run(&args, question, screen),
        Verb::Replay { account } => replay::run(&account, question, screen),
        Verb::State { account, all } => state::run(&account, all, question, screen),
        Verb::Explain(args) => explain::run(&args, question, screen),
        Verb::Forecast(args) => forecast::run(&args, question, screen),
        Verb::Accounts(args) => accounts::run(&args, question, screen),
        Verb::Findings(args) => findings::run(&args, question, screen),
        Verb::Audit { claims } => audit::run(&claims, question, screen),
        Verb::Snapshot(args) => snapshot::run(&args, question, screen),
        Verb::Erase(args) => erase::run(&args, question, screen),
        Verb::Retain(args) => retain::run(&args, question, screen),
        Verb::Erasures => erasures::run(question, screen),
        Verb::Verify(args) => verify::run(&args, question, screen),
        Verb::Backup(args) => backup::run(&args, question, screen),
        Verb::Restore(args) => backup::restore(&args, question, screen),
        Verb::Doctor => doctor::run(question, screen),
        Verb::Salvage { to, unproven } => salvage::run(&to, unproven.as_deref(), question, screen),
        Verb::Key(verb) => key::run(&verb, question, screen),
        Verb::Checkpoint(args) => checkpoint::run(&args, question, screen),
        Verb::Certify(args) => certify::run(&args, question, screen),
        Verb::Check(args) => check::run(&args, question, screen),
        Verb::AuditLog(args) => audit_log::run(&args, question, screen),
        Verb::Policy(verb) => policy::run(&verb, question, screen),
        Verb::Sweep(args) => sweep::run(&args, question, screen),
        Verb::Export(args) => export::run(&args, question, screen),
        Verb::Report(args) => report::run(&args, question, screen),
        Verb::Generate(args) => generate::run(&args, question, screen),
        Verb::Bench(args) => bench::run(&args, question, screen),
        Verb::Completions { shell } => completions::run(shell, screen),
    }
}
