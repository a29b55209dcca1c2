//! `verify`: whether the log is as it was written, and answers as the log says.

mod answer;

use commitment::{AccountCounts, Divergence, Level, LogCheck, Report, hex};
use eventlog::{LogFiles, ReadError, Remains};
use policy::{Policy, PolicyHash, presets};
use projection::fold;

pub use self::answer::Told;
use self::answer::{Answer, OTHER_ROOT, Snapshots};
use crate::agreement::{Keys, Sums};
use crate::args::VerifyArgs;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::progress::Progress;
use crate::show::screen::Screen;
use crate::statements::{Held, Statements};
use crate::store::Store;

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
    // Opened first: of what is written meanwhile only the log below its end is looked at.
    let store = if args.quick { None } else { Some(question.open()) };
    let size = store.as_ref().and_then(|store| store.as_ref().ok()).map_or(0, Store::size);
    let files = LogFiles::open(&question.store)?;
    let bytes = files.files().iter().map(|file| file.len).sum();
    let progress = Progress::of_bytes(Some(bytes));
    let keys = Keys::default();
    let mut sums = Sums::new(&keys, size);
    let (checked, replayed) = std::thread::scope(|scope| {
        let replay =
            || store.map(|store| replay(&policy, question, store?, Sums::new(&keys, size)));
        let replayed = scope.spawn(replay);
        let checked = check(args, &files, &progress, &mut sums);
        progress.end();
        (checked, replayed.join().expect("a replay does not panic"))
    });
    let mut answer = Answer::new(args.quick, bytes);
    // The log comes first: what was replayed of one that is not as it was written says nothing.
    let result = checked.and_then(|report| {
        answer.found(&report);
        match args.expect_root {
            Some(expected) if expected != report.root => {
                return Err(Stop::Tampered(other_root(&expected, &report)));
            }
            Some(_) => answer.is_expected = true,
            None => {}
        }
        if let Some(replayed) = replayed {
            let (derived, snapshots) = replayed?;
            if let Some(account) = sums.differs(&derived) {
                return Err(Stop::Tampered(derived_differs(account)));
            }
            answer.snapshots = snapshots;
        }
        Ok(())
    });
    match result {
        Ok(()) => answer.ok = true,
        Err(Stop::Tampered(divergence)) => {
            if divergence.file.starts_with("log/")
                && let Some((accounts, nameless)) = accounts_left(question)
            {
                (answer.accounts_left, answer.nameless) = (Some(accounts), nameless);
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
/// sound by themselves nobody can say. And how many events have no account's name any more.
fn accounts_left(question: &Question) -> Option<(AccountCounts, u64)> {
    let remains = Remains::open(&question.store).ok()?;
    let surveyed = remains.survey::<ReadError>(&mut |_| {}, &mut |_| Ok(())).ok()?;
    (!surveyed.missing.is_empty()).then_some((surveyed.accounts, surveyed.nameless))
}

/// Reads every byte of the log.
fn check(
    args: &VerifyArgs,
    files: &LogFiles,
    progress: &Progress,
    sums: &mut Sums,
) -> Result<Report, Stop> {
    let level = if args.quick { Level::Quick } else { Level::Full };
    let mut check = LogCheck::new(level, files.head())?;
    for file in files.files() {
        check.file(&file.name)?;
        files.read::<Stop>(file, |piece| {
            check.feed(piece, &mut |event| sums.add(&event.recorded))?;
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
    store: Store,
    mut derived: Sums,
) -> Result<(Sums, Snapshots), Stop> {
    let statements = Statements::open(&question.store, store.id(), false);
    let policies = known_policies(policy);
    let mut snapshots = Snapshots::default();
    let mut divergence = None;
    let result = store.each_account(|history| {
        derived.add_history(history);
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
    if let Some(divergence) = divergence {
        return Err(Stop::Tampered(divergence));
    }
    result?;
    Ok((derived, snapshots))
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
        file: OTHER_ROOT.to_owned(),
        offset: 0,
        expected: hex(expected),
        found: hex(&report.root),
    })
}
