//! `import --dry-run`: what would be appended, and nothing is. No store is opened.

use std::sync::mpsc::sync_channel;

use event::{Event, write_ndjson};
use verifier::Language;

use super::answer::Answers;
use super::format::Reading;
use super::parcel::{Beside, Parcel, read};
use super::rejects::Rejects;
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::question::Question;
use crate::show::amount::{count, counted};
use crate::show::progress::Progress;
use crate::show::screen::{Screen, say};
use crate::show::table::{Cell, Column, Table};
use crate::show::words::{Word, kind};

/// So many events are shown.
const SHOWN: usize = 10;
/// Parcels that wait to be looked at.
const PARCELS_WAITING: usize = 4;

pub fn run(
    inputs: Vec<Input>,
    reading: Reading,
    rejects: Option<Rejects>,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    if let Some(rejects) = &rejects {
        rejects.empty()?;
    }
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let progress = Progress::of_bytes(None);
    let mut answers = Answers::new(&progress, rejects, None);
    answers.tally.skipped = (!reading.is_of_lines()).then_some(0);
    let mut shown = Shown::new(question);
    let mut broken = None;
    let (sender, parcels) = sync_channel(PARCELS_WAITING);
    let named = std::thread::Builder::new().name("read".to_owned());
    named
        .spawn(move || read::<Vec<Event>>(inputs, &reading, &sender))
        .expect("a thread can be started");
    for parcel in parcels {
        match parcel {
            Parcel::Lines { input, text, lines, events } => {
                let outcomes =
                    events.iter().map(|_| eventlog::Outcome::Appended { position: 0, revision: 0 });
                answers.lines(&names[input], &text, lines, outcomes.collect())?;
                events.iter().try_for_each(|event| shown.take(event, screen))?;
            }
            Parcel::Beside(Beside::Broken(failure)) => broken = Some(failure),
            Parcel::Beside(beside) => answers.beside(beside, &names)?,
        }
    }
    progress.end();
    if let Some(rejects) = &mut answers.rejects {
        rejects.flush()?;
    }
    let sentence = sentence(&answers, question);
    match question.json {
        // Standard output has the events and nothing else.
        true => say(sentence),
        false => {
            shown.end(screen)?;
            screen.line(sentence)?;
        }
    }
    match broken {
        Some(failure) => Err(failure),
        None if answers.tally.rejected > 0 => Ok(Outcome::BadNews),
        None => Ok(Outcome::Fine),
    }
}

fn sentence(answers: &Answers<'_>, question: &Question) -> String {
    let tally = &answers.tally;
    let skipped = tally.skipped.unwrap_or(0);
    let names = if skipped > 0 { format!(" ({})", answers.skipped_names()) } else { String::new() };
    question.pick(
        format!(
            "{} would be imported, {} rejected, {} skipped{names}. Nothing was appended.",
            counted(tally.appended, "event"),
            count(tally.rejected),
            count(skipped)
        ),
        format!(
            "将导入 {} 条事件，拒绝 {}，跳过 {}{names}。未写入任何内容。",
            count(tally.appended),
            count(tally.rejected),
            count(skipped)
        ),
    )
}

/// The first events as a table, or all of them as lines.
struct Shown {
    json: bool,
    lang: Language,
    table: Table<'static>,
    rows: usize,
}

impl Shown {
    fn new(question: &Question) -> Shown {
        let table = Table::new([
            Column::long(question.pick("account", "账号")),
            Column::text(question.pick("occurred at", "发生时间")),
            Column::words(question.pick("kind", "类型")),
            Column::long(question.pick("about", "对象")),
            Column::words(question.pick("by", "操作者")),
        ]);
        Shown { json: question.json, lang: question.lang, table, rows: 0 }
    }

    fn take(&mut self, event: &Event, screen: &mut Screen) -> Result<(), Failure> {
        if self.json {
            let mut line = Vec::new();
            write_ndjson(event, event.recorded_at, &mut line);
            line.push(b'\n');
            return screen.bytes(&line);
        }
        if self.rows == SHOWN {
            return Ok(());
        }
        self.rows += 1;
        let row = vec![
            Cell::from(&event.account),
            Cell::from(event.occurred_at.to_string()),
            Cell::from(kind(event.payload.kind(), event.actor, self.lang)),
            Cell::or_dash(about(event)),
            Cell::from(event.actor.word(self.lang)),
        ];
        self.table.row(screen, row)
    }

    fn end(self, screen: &mut Screen) -> Result<(), Failure> {
        if self.rows > 0 {
            self.table.end(screen)?;
            screen.line("")?;
        }
        Ok(())
    }
}

/// What of the account it is about, with how large it is.
fn about(event: &Event) -> Option<String> {
    use event::Payload as P;
    match &event.payload {
        P::ItemUploaded { item, category, bytes } => {
            Some(format!("{item} ({category}, {bytes} B)"))
        }
        P::ItemModified { item, bytes: Some(bytes) } => Some(format!("{item} ({bytes} B)")),
        P::ItemModified { item, bytes: None }
        | P::ItemTrashed { item }
        | P::ItemRestored { item }
        | P::ItemPurged { item, .. } => Some(item.clone()),
        P::BackupCompleted { backup, .. }
        | P::BackupRestored { backup }
        | P::BackupPurged { backup, .. } => Some(backup.clone()),
        P::SyncOn { category } | P::SyncOff { category } | P::Synced { category } => {
            Some(category.clone())
        }
        P::UploadRejected { item, reason } => Some(item.clone().unwrap_or(reason.clone())),
        P::AccountOpened { tier: Some(tier) } | P::TierChanged { tier } => Some(tier.clone()),
        P::HoldPlaced { hold } | P::HoldReleased { hold } => Some(hold.clone()),
        _ => None,
    }
}
