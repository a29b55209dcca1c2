//! Bytes that caller and module share, by their address.
//!
//! The caller writes into them behind the back of this code, between two calls: whose addresses were exposed for it,
//! and whose bytes are not looked at in between.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A buffer, and how much of it counts.
struct Room {
    bytes: Vec<u8>,
    len: usize,
}

impl Room {
    fn address(&self) -> usize {
        self.bytes.as_ptr().expose_provenance()
    }
}

static ROOM: Mutex<Vec<Room>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<Room>> {
    ROOM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps bytes; where they are.
pub fn put(mut bytes: Vec<u8>) -> usize {
    let len = bytes.len();
    if len == 0 {
        // Room for none would have no address of its own.
        bytes.push(0);
    }
    let at = bytes.as_mut_ptr().expose_provenance();
    all().push(Room { bytes, len });
    at
}

/// Looks at the bytes at an address, if there are any.
pub fn with<T>(at: usize, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let all = all();
    all.iter().find(|room| room.address() == at).map(|room| look(&room.bytes[..room.len]))
}

/// Forgets the bytes at an address.
pub fn forget(at: usize) {
    all().retain(|room| room.address() != at);
}
