//! `verify`: whether the log is as it was written, and answers as the log says.

mod answer;
mod kept;

use std::collections::HashMap;

use commitment::{AccountCounts, Divergence, Fault, Level, Report, hex};
use event::History;
use eventlog::{CheckedLog, LogFiles, ReadError, Remains};
use policy::{Policy, PolicyHash, presets};
use projection::fold;

pub use self::answer::Told;
use self::answer::{Answer, OTHER_ROOT, Snapshots};
use self::kept::Kept;
use crate::agreement::{Keys, LogSums, Sum, differs};
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
    let kept = Kept::open(args)?;
    let mut answer = Answer::new(args.quick);
    let result = LogFiles::steadily(&question.store, |before| {
        answer = Answer::new(args.quick);
        answer.is_cut_short = before.has_unfinished_erasure();
        look(args, &policy, kept.as_ref(), question, &mut answer)
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

/// Checks the log and what is derived of it, as they are now.
fn look(
    args: &VerifyArgs,
    policy: &Policy,
    kept: Option<&Kept>,
    question: &Question,
    answer: &mut Answer,
) -> Result<(), Stop> {
    // Opened first: of what is written meanwhile only the log below its end is looked at.
    let store = if args.quick { None } else { Some(question.open()) };
    let size = store.as_ref().and_then(|store| store.as_ref().ok()).map_or(0, Store::size);
    let files = LogFiles::open(&question.store)?;
    answer.bytes = files.files().iter().map(|file| file.len).sum();
    let progress = Progress::of_bytes(Some(answer.bytes));
    let keys = Keys::default();
    let (checked, replayed) = std::thread::scope(|scope| {
        let replay =
            || store.map(|store| replay(policy, question, store?, &|h| keys.of_history(h, size)));
        let replayed = scope.spawn(replay);
        let level = if args.quick { Level::Quick } else { Level::Full };
        let checked: Result<CheckedLog<LogSums<'_>>, Stop> =
            files.check(level, || keys.of_log(size), |more| progress.more(more));
        progress.end();
        (checked, replayed.join().expect("a replay does not panic"))
    });
    // The log comes first: what was replayed of one that is not as it was written says nothing.
    let CheckedLog { report, takers, accounts } = checked?;
    answer.found(&report);
    match args.expect_root {
        Some(expected) if expected != report.root => {
            return Err(Stop::Tampered(other_root(&expected, &report)));
        }
        Some(_) => answer.is_expected = true,
        None => {}
    }
    if let Some(kept) = kept {
        answer.checkpoint = Some(kept.hold(question)?);
    }
    if let Some(replayed) = replayed {
        let (histories, snapshots) = replayed?;
        if let Some(account) = differs(&takers, &accounts, histories) {
            return Err(Stop::Tampered(derived_differs(&account)));
        }
        answer.snapshots = snapshots;
    }
    Ok(())
}

/// Which accounts came through, where a survey finds what is missing: of a log whose pieces are all
/// sound by themselves nobody can say. And how many events have no account's name any more.
fn accounts_left(question: &Question) -> Option<(AccountCounts, u64)> {
    let remains = Remains::open(&question.store).ok()?;
    let surveyed = remains.survey::<ReadError>(&mut |_| {}, &mut |_| Ok(())).ok()?;
    (!surveyed.missing.is_empty()).then_some((surveyed.accounts, surveyed.nameless))
}

/// Replays every account from what answers are read from, on all cores; takes a `sum` of each.
fn replay(
    policy: &Policy,
    question: &Question,
    store: Store,
    sum: &(impl Fn(&History) -> Sum + Sync),
) -> Result<(HashMap<Box<str>, Sum>, Snapshots), Stop> {
    let statements = Statements::open(&question.store, store.id(), false);
    let policies = known_policies(policy);
    let (mut sums, mut snapshots) = (HashMap::new(), Snapshots::default());
    let mut divergence = None;
    let replay = |history: &History| {
        std::hint::black_box(fold(history, policy, question.as_of, question.known_at));
        let held = statements.as_ref().map(|kept| kept.hold(history, &policies));
        Some((Box::from(&*history.account), sum(history), held.unwrap_or_default()))
    };
    let result = store.map_accounts(replay, |(account, sum, held): (Box<str>, _, _)| {
        for held in held {
            match held {
                Held::Same => snapshots.held += 1,
                Held::Skipped => snapshots.skipped += 1,
                Held::Differs { as_of, position, revision, stated, replayed } => {
                    divergence = Some(Box::new(Divergence {
                        account: Some(account.into()),
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
        sums.insert(account, sum);
        Ok(())
    });
    if let Some(divergence) = divergence {
        return Err(Stop::Tampered(divergence));
    }
    result?;
    Ok((sums, snapshots))
}

/// The policy asked for, and the presets: a statement under one of them can be replayed.
fn known_policies(policy: &Policy) -> Vec<(PolicyHash, Policy)> {
    let presets = presets().iter().filter_map(|(name, _)| Policy::preset(name));
    [policy.clone()].into_iter().chain(presets).map(|policy| (policy.hash(), policy)).collect()
}

fn derived_differs(account: &str) -> Box<Divergence> {
    let expected = "the account's events as the log has them".to_owned();
    let fault = Fault { offset: 0, expected, found: "others".to_owned() };
    let account = Some(account.to_owned());
    Box::new(Divergence { account, ..Divergence::new("derived/runs", fault) })
}

fn other_root(expected: &commitment::Digest, report: &Report) -> Box<Divergence> {
    let fault = Fault { offset: 0, expected: hex(expected), found: hex(&report.root) };
    Box::new(Divergence::new(OTHER_ROOT, fault))
}
