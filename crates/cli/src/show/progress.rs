//! Progress on standard error: what is done, the rate, the time left. Only on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that says how far a long work is.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of so many bytes; of an unknown number without.
    pub fn of_bytes(total: Option<u64>) -> Progress {
        Progress::new(
            total,
            "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            "{spinner} {bytes} {bytes_per_sec}",
        )
    }

    /// Of so many things.
    pub fn of_things(total: u64) -> Progress {
        Progress::new(Some(total), "{wide_bar} {human_pos}/{human_len} {per_sec} {eta} left", "")
    }

    /// Of what nobody looks at.
    pub fn hidden() -> Progress {
        Progress { bar: ProgressBar::hidden() }
    }

    fn new(total: Option<u64>, known: &str, unknown: &str) -> Progress {
        let bar = ProgressBar::new(total.unwrap_or(0));
        if !io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
            return Progress { bar };
        }
        bar.set_style(match total {
            Some(_) => ProgressStyle::with_template(known).expect("a sound template"),
            None => ProgressStyle::with_template(unknown).expect("a sound template"),
        });
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar }
    }

    /// So much is done.
    pub fn at(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// So much more is done.
    pub fn more(&self, done: u64) {
        self.bar.inc(done);
    }

    /// Writes to standard error, above the line.
    pub fn write(&self, text: &[u8]) {
        self.bar.suspend(|| {
            let _ = io::stderr().write_all(text);
        });
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
