//! `generate`: event lines of a believable population.

use std::io::{self, Write};

use crate::args::GenerateArgs;
use crate::failure::{Failure, Outcome};
use crate::generate::generate;
use crate::output::{Sink, Thing};
use crate::question::Question;
use crate::show::screen::Screen;

pub fn run(
    args: &GenerateArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let sink = Sink::open(args.output.as_deref(), question, screen)?;
    let mut lines = Lines { sink, failure: None };
    if let Err(error) = generate(args.accounts, args.events, args.seed, &mut lines) {
        return Err(lines.failure.unwrap_or_else(|| Failure::Usage(format!("generate: {error}"))));
    }
    lines.sink.end(&Thing::EVENTS, args.events, question)?;
    Ok(Outcome::Fine)
}

/// A sink as the generator wants it.
struct Lines<'a> {
    sink: Sink<'a>,
    /// Why writing failed.
    failure: Option<Failure>,
}

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes).map_err(|failure| {
            self.failure = Some(failure);
            io::Error::other("the output failed")
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
