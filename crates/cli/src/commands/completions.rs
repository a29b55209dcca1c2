//! `completions`: a shell's script, from the definition that clap parses by.

use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::{Failure, Outcome};
use crate::show::screen::Screen;

pub fn run(shell: Shell, screen: &mut Screen) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command_line(), "stillthere", &mut script);
    screen.bytes(&script)?;
    Ok(Outcome::Fine)
}
