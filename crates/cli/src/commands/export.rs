//! `export`: every event, in the order of the log.

use event::limits::LINE_BYTES;
use event::{write_cloudevent, write_ndjson};

use crate::args::{ExportArgs, Format};
use crate::failure::{Failure, Outcome};
use crate::output::Sink;
use crate::question::Question;
use crate::show::progress::Progress;
use crate::show::screen::Screen;

pub fn run(
    args: &ExportArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let store = question.open()?;
    let mut sink = Sink::open(args.output.as_deref(), question, screen)?;
    let progress = Progress::of_things(store.size());
    let write = match args.format {
        Format::Ndjson => write_ndjson,
        Format::Cloudevents => write_cloudevent,
    };
    let mut line = Vec::new();
    let mut written = 0;
    store.each_event(|recorded| {
        progress.more(1);
        if question.asked_as_of.is_some_and(|as_of| recorded.event.occurred_at > as_of)
            || question.asked_known_at.is_some_and(|known_at| recorded.recorded_at > known_at)
        {
            return Ok(());
        }
        line.clear();
        write(&recorded.event, Some(recorded.recorded_at), &mut line);
        if line.len() > LINE_BYTES {
            // It came in without the time: with it the line would be longer than `import` takes.
            line.clear();
            write(&recorded.event, None, &mut line);
        }
        line.push(b'\n');
        written += 1;
        sink.write(&line)
    })?;
    progress.end();
    sink.end("event", written, question)?;
    Ok(Outcome::Fine)
}
