//! The binary `stillthere`: reads the command line, calls the libraries, shows what they say.
//!
//! A command a file under `commands/`; what people see is under `show/`. Standard output has the
//! answer and nothing else, standard error what went wrong, a sentence each.

#![allow(missing_docs, reason = "a binary has no callers")]

mod agreement;
mod args;
mod assumed;
mod calendar;
mod commands;
mod failure;
mod generate;
mod input;
mod keys;
mod output;
mod question;
mod show;
mod statements;
mod store;
mod witnesses;

use std::io::Write;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::parser::ValueSource;

use crate::args::Cli;
use crate::failure::Failure;
use crate::question::{Asked, Question};
use crate::show::screen::{Screen, say};

fn main() -> ExitCode {
    let line = Cli::command_line();
    // Set to nothing is not set.
    let line = match std::env::var_os("STILLTHERE_STORE").is_some_and(|store| store.is_empty()) {
        true => line.mut_arg("store", |store| store.env(None::<&str>)),
        false => line,
    };
    let read = line.try_get_matches().and_then(|matches| {
        let is_asked =
            |id| !matches!(matches.value_source(id), None | Some(ValueSource::DefaultValue));
        let asked = Asked { store: is_asked("store"), policy: is_asked("policy") };
        Ok((Cli::from_arg_matches(&matches)?, asked))
    });
    let (cli, asked) = match read {
        Ok(read) => read,
        Err(error) => return not_a_command(&error),
    };
    let mut screen = Screen::new();
    let question = Question::new(cli.global, asked);
    let result = commands::run(cli.verb, &question, &mut screen);
    // What was answered before a failure is an answer still.
    let result = match (result, screen.flush()) {
        (Ok(_), Err(failure)) => Err(failure),
        (result, _) => result,
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            if let Some(message) = failure.message() {
                say(message);
            }
            failure.exit_code()
        }
    }
}

/// Help, the version, or what is wrong with the command line.
fn not_a_command(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let mut screen = Screen::new();
        let text = error.render();
        let text = if screen.is_coloured() { text.ansi().to_string() } else { text.to_string() };
        return match screen.bytes(text.as_bytes()).and_then(|()| screen.flush()) {
            Ok(()) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
            Err(failure) => failure.exit_code(),
        };
    }
    let text = error.render().to_string();
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(std::io::stderr(), "{text}");
        return ExitCode::from(2);
    }
    say(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
    ExitCode::from(2)
}
