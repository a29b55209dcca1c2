//! `verify`: whether the log is as it was written, and answers as the log says.

mod answer;

use commitment::{AccountCounts, Divergence, Level, LogCheck, Report, hex};
use eventlog::{LogFiles, ReadError, Remains};
use policy::{Policy, PolicyHash, presets};
use projection::fold;

pub use self::answer::Told;
use self::answer::{Answer, Snapshots};
use crate::agreement::Agreement;
use crate::args::VerifyArgs;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::progress::Progress;
use crate::show::screen::Screen;
use crate::statements::{Held, Statements};

/// Why a check stopped.
enum Stop {
    /// Something is not as it was written.
    Tampered(Box<Divergence>),
    /// It could not be looked at.
    Failed(Failure),
}

impl From<Box<Divergence>> for Stop {
    /// Of a file in the log's folder.
    fn from(mut divergence: Box<Divergence>) -> Stop {
        divergence.file = format!("log/{}", divergence.file);
        Stop::Tampered(divergence)
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Stop {
        match error {
            ReadError::Corrupt { divergence, .. } => Stop::from(divergence),
            error => Stop::Failed(error.into()),
        }
    }
}

impl<F: Into<Failure>> From<F> for Stop
where
    F: NotARead,
{
    fn from(failure: F) -> Stop {
        Stop::Failed(failure.into())
    }
}

/// The failures that say nothing of the log's bytes.
trait NotARead {}
impl NotARead for Failure {}
impl NotARead for eventlog::OpenError {}

pub fn run(
    args: &VerifyArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let files = LogFiles::open(&question.store)?;
    let bytes = files.files().iter().map(|file| file.len).sum();
    let progress = Progress::of_bytes(Some(bytes));
    let mut agreement = Agreement::default();
    let checked = check(args, &files, &progress, &mut agreement);
    progress.end();
    let mut answer = Answer::new(args.quick, bytes);
    let result = checked.and_then(|report| {
        answer.found(&report);
        match args.expect_root {
            Some(expected) if expected != report.root => {
                return Err(Stop::Tampered(other_root(&expected, &report)));
            }
            Some(_) => answer.is_expected = true,
            None => {}
        }
        if !args.quick {
            answer.snapshots = replay(&policy, question, &report, agreement)?;
        }
        Ok(())
    });
    match result {
        Ok(()) => answer.ok = true,
        Err(Stop::Tampered(divergence)) => {
            if divergence.file.starts_with("log/") {
                answer.accounts_left = accounts_left(question);
            }
            answer.divergence = Some(Told::from(*divergence));
        }
        Err(Stop::Failed(failure)) => return Err(failure),
    }
    match question.json {
        true => screen.json(&answer)?,
        false => answer.show(question, screen)?,
    }
    Ok(if answer.ok { Outcome::Fine } else { Outcome::BadNews })
}

/// Which accounts came through, where a survey finds what is missing: of a log whose pieces are all
/// sound by themselves nobody can say.
fn accounts_left(question: &Question) -> Option<AccountCounts> {
    let remains = Remains::open(&question.store).ok()?;
    let surveyed = remains.survey::<ReadError>(&mut |_| {}, &mut |_| Ok(())).ok()?;
    (!surveyed.missing.is_empty()).then_some(surveyed.accounts)
}

/// Reads every byte of the log.
fn check(
    args: &VerifyArgs,
    files: &LogFiles,
    progress: &Progress,
    agreement: &mut Agreement,
) -> Result<Report, Stop> {
    let level = if args.quick { Level::Quick } else { Level::Full };
    let mut check = LogCheck::new(level, files.head())?;
    for file in files.files() {
        check.file(&file.name)?;
        files.read::<Stop>(file, |piece| {
            check.feed(piece, &mut |event| agreement.add(&event.recorded))?;
            progress.more(piece.len() as u64);
            Ok(())
        })?;
    }
    Ok(check.finish()?)
}

/// Replays every account from what answers are read from.
fn replay(
    policy: &Policy,
    question: &Question,
    report: &Report,
    mut agreement: Agreement,
) -> Result<Snapshots, Stop> {
    let store = question.open()?;
    let statements = Statements::open(&question.store, store.id(), false);
    let policies = known_policies(policy);
    let progress = Progress::of_things(report.accounts);
    let mut snapshots = Snapshots::default();
    let mut divergence = None;
    let result = store.each_account(|history| {
        progress.more(1);
        if !agreement.take(history, report.events) {
            divergence = Some(derived_differs(&history.account));
            return Err(Failure::BrokenPipe);
        }
        let _ = fold(history, policy, question.as_of, question.known_at);
        let held = statements.as_ref().map(|kept| kept.hold(history, &policies));
        for held in held.unwrap_or_default() {
            match held {
                Held::Same => snapshots.held += 1,
                Held::Skipped => snapshots.skipped += 1,
                Held::Differs { as_of, position, revision, stated, replayed } => {
                    divergence = Some(Box::new(Divergence {
                        account: Some(history.account.clone()),
                        position: Some(position),
                        revision: Some(revision),
                        file: "derived/sled".to_owned(),
                        offset: 0,
                        expected: format!("the state stated as of {as_of}, {stated}"),
                        found: format!("{replayed} by a replay of the log"),
                    }));
                    return Err(Failure::BrokenPipe);
                }
            }
        }
        Ok(())
    });
    progress.end();
    if let Some(divergence) = divergence {
        return Err(Stop::Tampered(divergence));
    }
    result?;
    match agreement.left_over() {
        Some(account) => Err(Stop::Tampered(derived_differs(account))),
        None => Ok(snapshots),
    }
}

/// The policy asked for, and the presets: a statement under one of them can be replayed.
fn known_policies(policy: &Policy) -> Vec<(PolicyHash, Policy)> {
    let presets = presets().iter().filter_map(|(name, _)| Policy::preset(name));
    [policy.clone()].into_iter().chain(presets).map(|policy| (policy.hash(), policy)).collect()
}

fn derived_differs(account: &str) -> Box<Divergence> {
    Box::new(Divergence {
        account: Some(account.to_owned()),
        position: None,
        revision: None,
        file: "derived/runs".to_owned(),
        offset: 0,
        expected: "the account's events as the log has them".to_owned(),
        found: "others".to_owned(),
    })
}

fn other_root(expected: &commitment::Digest, report: &Report) -> Box<Divergence> {
    Box::new(Divergence {
        account: None,
        position: None,
        revision: None,
        file: "log".to_owned(),
        offset: 0,
        expected: hex(expected),
        found: hex(&report.root),
    })
}
