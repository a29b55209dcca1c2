//! `snapshot`: states what an account is at a position, and keeps the statement.

use std::path::Path;
use std::time::{Duration, Instant};

use event::History;
use projection::fold;
use verifier::snapshot;

use crate::args::SnapshotArgs;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::screen::Screen;
use crate::show::table::{Cell, Column, Table};
use crate::statements::{NotKept, Statements};

pub fn run(
    args: &SnapshotArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let policy_hash = policy.hash();
    let store = question.open()?;
    // Opened with the first statement: a question about an account that is not there writes nothing.
    let mut statements: Option<Option<Statements>> = None;
    question.known_at_line(screen)?;
    let mut kept = Ok(());
    let mut table = Table::new([
        Column::long(question.pick("account", "账号")),
        Column::number(question.pick("revision", "账号内序号")),
        Column::number(question.pick("position", "日志位置")),
        Column::text(question.pick("as of", "截至")),
        Column::long(question.pick("state hash", "状态散列")),
    ]);
    let mut take = |history: &History| -> Result<bool, Failure> {
        let Some(view) = fold(history, &policy, question.as_of, question.known_at) else {
            return Ok(false);
        };
        let row = snapshot(&view, &policy_hash);
        let statements =
            statements.get_or_insert_with(|| open_patiently(&question.store, store.id()));
        let keep = |kept: &mut Statements| kept.keep(&row, question.known_at, store.reader());
        kept = kept.and(statements.as_mut().map_or(Err(NotKept::NoCache), keep));
        match question.json {
            true => screen.json(&row)?,
            false => {
                let cells = vec![
                    Cell::from(&row.account),
                    row.revision.to_string().into(),
                    row.position.to_string().into(),
                    row.as_of.to_string().into(),
                    row.state_hash.to_string().into(),
                ];
                table.row(screen, cells)?;
            }
        }
        Ok(true)
    };
    match &args.account {
        None => store.each_account(|history| take(history).map(drop))?,
        Some(account) => {
            let history = store.history(account)?;
            let is_there = history.as_ref().map_or(Ok(false), take)?;
            if !is_there {
                return Err(question.no_account(account, &store));
            }
        }
    }
    table.end(screen)?;
    if let Some(mut statements) = statements.flatten() {
        kept = kept.and_then(|()| statements.put(store.reader()));
    }
    if !question.json {
        screen.line(
            question.pick(format!("policy hash {policy_hash}"), format!("政策散列 {policy_hash}")),
        )?;
    }
    kept.map_err(|why| {
        let text = match why {
            NotKept::NoCache => {
                "the statements were not kept: the store's derived folder cannot be written, or another \
                 process has it open; `verify` will not know of them"
            }
            NotKept::Erased => {
                "something was erased meanwhile, so not all of the statements were kept: ask again"
            }
        };
        Failure::Store(text.to_owned())
    })?;
    Ok(Outcome::Fine)
}

/// Opens the statements to keep more. Another process may have them for a moment.
fn open_patiently(store_dir: &Path, store: [u8; 16]) -> Option<Statements> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let started = Instant::now();
    loop {
        let statements = Statements::open(store_dir, store, true);
        if statements.is_some() || started.elapsed() >= PATIENCE {
            return statements;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
