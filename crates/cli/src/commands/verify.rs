//! `verify`: whether the log is as it was written, and answers as the log says.

use commitment::{Divergence, Level, LogCheck, Report, hex};
use eventlog::{LogFiles, ReadError};
use policy::{Policy, PolicyHash, presets};
use projection::fold;
use serde_json::{Map, Value, json};

use crate::agreement::Agreement;
use crate::args::VerifyArgs;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount::{bytes, count, counted};
use crate::show::progress::Progress;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};
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

/// What the accounts' replay came to.
#[derive(Default)]
struct Replayed {
    /// Statements that a replay confirmed.
    snapshots_held: u64,
    /// Statements under another policy or another version of the projection.
    snapshots_skipped: u64,
}

pub fn run(
    args: &VerifyArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let files = LogFiles::open(&question.store)?;
    let total = files.files().iter().map(|file| file.len).sum();
    let progress = Progress::of_bytes(Some(total));
    let mut agreement = Agreement::default();
    let result = check(args, &files, &progress, &mut agreement).and_then(|report| {
        if let Some(expected) = args.expect_root.filter(|expected| *expected != report.root) {
            return Err(Stop::Tampered(other_root(&expected, &report)));
        }
        if args.quick {
            return Ok((report, Replayed::default()));
        }
        let replayed = replay(&policy, question, &report, agreement)?;
        Ok((report, replayed))
    });
    progress.end();
    let checked = match result {
        Err(Stop::Failed(failure)) => return Err(failure),
        Err(Stop::Tampered(divergence)) => {
            tampered(&divergence, question, screen)?;
            return Ok(Outcome::BadNews);
        }
        Ok(checked) => checked,
    };
    sound(&checked.0, &checked.1, total, args, question, screen)?;
    Ok(Outcome::Fine)
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
) -> Result<Replayed, Stop> {
    let store = question.open()?;
    let statements = Statements::open(&question.store, store.id(), false);
    let policies = known_policies(policy);
    let progress = Progress::of_things(report.accounts);
    let mut replayed = Replayed::default();
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
                Held::Same => replayed.snapshots_held += 1,
                Held::Skipped => replayed.snapshots_skipped += 1,
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
        None => Ok(replayed),
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
        found: "others (delete the folder derived: it is made anew)".to_owned(),
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

fn tampered(
    divergence: &Divergence,
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let Divergence { account, position, revision, file, offset, expected, found } = divergence;
    let heading = question.pick("The log is NOT as it was written.", "日志已被改动或损坏。");
    paragraph(screen, 0, &Cell::styled(heading, style::BAD))?;
    let mut place =
        vec![question.pick(format!("{file}, byte {offset}"), format!("{file}，第 {offset} 字节"))];
    place.extend(
        account
            .as_ref()
            .map(|account| question.pick(format!("account {account}"), format!("账号 {account}"))),
    );
    place.extend(
        position.map(|position| {
            question.pick(format!("position {position}"), format!("位置 {position}"))
        }),
    );
    place.extend(
        revision.map(|revision| {
            question.pick(format!("revision {revision}"), format!("序号 {revision}"))
        }),
    );
    for (en, zh, text) in [
        ("where", "位置", place.join(", ")),
        ("expected", "应为", expected.clone()),
        ("found", "实为", found.clone()),
    ] {
        let name = question.pick(en, zh);
        paragraph(screen, 2, &format!("{name}: {text}").into())?;
    }
    if file == "log" {
        let text = question.pick(
            "A root is of one size of the log: one that was noted before events were appended is \
             another. Else the log was made anew.",
            "根散列对应特定大小的日志：追加事件之后，先前记下的根不再相同；否则即是日志被重新制作。",
        );
        paragraph(screen, 2, &Cell::styled(text, style::DIM))?;
    }
    Ok(())
}

fn sound(
    report: &Report,
    replayed: &Replayed,
    total_bytes: u64,
    args: &VerifyArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let Report { events, accounts, torn, .. } = *report;
    let root = hex(&report.root);
    let Replayed { snapshots_held, snapshots_skipped } = *replayed;
    if question.json {
        return screen.json(&json!({
            "ok": true,
            "events": events,
            "accounts": accounts,
            "root": root,
            "checked": if args.quick { "quick" } else { "full" },
            "bytes": total_bytes,
            "unfinished_bytes": torn,
            "snapshots": { "held": snapshots_held, "skipped": snapshots_skipped },
        }));
    }
    let heading = question.pick("The log is as it was written.", "日志与写入时一致。");
    paragraph(screen, 0, &Cell::styled(heading, style::GOOD))?;
    let what = question.pick(
        format!(
            "{} of {}, {}",
            counted(events, "event"),
            counted(accounts, "account"),
            bytes(total_bytes)
        ),
        format!("{} 个账号的 {} 条事件，{}", count(accounts), count(events), bytes(total_bytes)),
    );
    let how = match args.quick {
        true => question.pick(
            "the files' bytes alone were checked, not the hashes above them",
            "只检查了文件字节，没有重算其上的散列",
        ),
        false => question.pick(
            "every byte was read, every hash up to the root recomputed, every account replayed",
            "已读取全部字节，重算直至根的全部散列，并重放全部账号",
        ),
    };
    paragraph(
        screen,
        0,
        &question.pick(format!("{what}: {how}."), format!("{what}:{how}。")).into(),
    )?;
    if snapshots_held + snapshots_skipped > 0 {
        let (held, skipped) = (count(snapshots_held), count(snapshots_skipped));
        let text = question.pick(
            format!("Snapshots kept: {held} agree with the replay, {skipped} are under a policy not at hand."),
            format!("已存快照：{held} 份与重放一致，{skipped} 份所依政策不在手边。"),
        );
        paragraph(screen, 0, &text.into())?;
    }
    if torn > 0 {
        let text = question.pick(
            format!("Behind the log's end lie {torn} bytes of a write that was cut short; the next import sets them aside."),
            format!("日志末尾之后有 {torn} 字节未写完的内容，下次导入时会移开。"),
        );
        paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
    }
    screen.line(format_args!("root {root}"))?;
    let text = match args.expect_root {
        Some(_) => question.pick(
            "It is the root that you expected.".to_owned(),
            "与给定的根一致。".to_owned(),
        ),
        None => question.pick(
            format!(
                "Who makes the whole log anew is found only against a root kept elsewhere: note this \
                 one, which is of {}, and check it with --expect-root.",
                counted(events, "event")
            ),
            format!(
                "整本重做的日志，只有对照存于别处的根才能发现：请记下此根（对应 {} 条事件），日后用 \
                 --expect-root 核对。",
                count(events)
            ),
        ),
    };
    paragraph(screen, 0, &Cell::styled(text, style::DIM))
}
