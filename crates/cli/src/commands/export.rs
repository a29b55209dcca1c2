//! `export`: every event, in the order of the log.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use event::{write_cloudevent, write_ndjson};
use serde_json::json;

use crate::args::{ExportArgs, Format};
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount::counted;
use crate::show::escape::escaped_path;
use crate::show::progress::Progress;
use crate::show::screen::Screen;

pub fn run(
    args: &ExportArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let store = question.open()?;
    let mut sink = Sink::open(args.output.as_deref(), screen)?;
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
        line.push(b'\n');
        written += 1;
        sink.write(&line)
    })?;
    progress.end();
    sink.end("event", written, question)?;
    Ok(Outcome::Fine)
}

/// Where lines go: a file, or standard output.
pub enum Sink<'a> {
    File { name: String, file: BufWriter<File>, screen: &'a mut Screen },
    Screen(&'a mut Screen),
}

impl<'a> Sink<'a> {
    pub fn open(output: Option<&Path>, screen: &'a mut Screen) -> Result<Sink<'a>, Failure> {
        let Some(path) = output.filter(|path| path.as_os_str() != "-") else {
            return Ok(Sink::Screen(screen));
        };
        let file = File::create(path).map_err(|error| Failure::file(path, "write it", &error))?;
        let file = BufWriter::with_capacity(1 << 16, file);
        Ok(Sink::File { name: escaped_path(path), file, screen })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Sink::File { name, file, .. } => file.write_all(bytes).map_err(|e| failed(name, &e)),
            Sink::Screen(screen) => screen.bytes(bytes),
        }
    }

    /// Ends it; of a file it says how much is in it.
    pub fn end(self, what: &str, written: u64, question: &Question) -> Result<(), Failure> {
        let Sink::File { name, mut file, screen } = self else { return Ok(()) };
        file.flush().map_err(|error| failed(&name, &error))?;
        if question.json {
            return screen.json(&json!({ "events": written, "output": name }));
        }
        let text = question.pick(
            format!("{} written to {name}.", counted(written, what)),
            format!("已写入 {name}：{written} 条事件。"),
        );
        screen.line(text)
    }
}

fn failed(name: &str, error: &std::io::Error) -> Failure {
    Failure::file(Path::new(name), "write it", error)
}
