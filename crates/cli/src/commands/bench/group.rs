//! The least that lets threads share a sync: a mutex, a condition and a file. What [`eventlog::Log`] is
//! held against.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex};

/// A file to which threads append durably.
pub struct Group {
    state: Mutex<State>,
    turn: Condvar,
}

struct State {
    /// Whoever writes has it.
    file: Option<File>,
    waiting: Vec<u8>,
    /// How many appends have entered `waiting`, ever, and how many are on the disk.
    entered: u64,
    durable: u64,
}

impl Group {
    pub fn new(file: File) -> Group {
        let state = State { file: Some(file), waiting: Vec::new(), entered: 0, durable: 0 };
        Group { state: Mutex::new(state), turn: Condvar::new() }
    }

    /// Returns when the bytes are on the disk.
    pub fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().expect("nobody panics with the lock");
        state.waiting.extend_from_slice(bytes);
        state.entered += 1;
        let mine = state.entered;
        while state.durable < mine {
            let Some(mut file) = state.file.take() else {
                state = self.turn.wait(state).expect("nobody panics with the lock");
                continue;
            };
            let (batch, entered) = (std::mem::take(&mut state.waiting), state.entered);
            drop(state);
            let written = file.write_all(&batch).and_then(|()| file.sync_data());
            state = self.state.lock().expect("nobody panics with the lock");
            state.file = Some(file);
            state.durable = entered;
            self.turn.notify_all();
            written?;
        }
        Ok(())
    }
}
