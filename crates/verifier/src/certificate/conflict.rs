//! Two certificates of one log that cannot both be true: proof of misconduct by whoever signed them.

use super::Checked;

/// What two certificates cannot both say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say what the fields are")]
pub enum Conflict {
    #[error("two trees of {0} pages with other roots, both signed")]
    Roots(u64),
    #[error("two logs of one origin: the stores are not the same")]
    Stores,
    #[error("the account has events up to position {0}, and none up to the later {1}")]
    Vanished(u64, u64),
    #[error("the account has {0} events up to position {1}, and only {2} up to the later {3}")]
    Fewer(u64, u64, u64, u64),
    #[error("of the account's first {0} events, at least one is another in the later log")]
    Chains(u64),
}

/// Holds two certificates that hold by themselves against each other; `None` if they go together as far as
/// they show.
#[must_use]
pub fn conflict(a: &Checked, b: &Checked) -> Option<Conflict> {
    if a.origin != b.origin {
        return None;
    }
    if a.store != b.store {
        return Some(Conflict::Stores);
    }
    if a.pages == b.pages && a.root != b.root {
        return Some(Conflict::Roots(a.pages));
    }
    if a.account != b.account {
        return None;
    }
    let (earlier, later) = if a.pages <= b.pages { (a, b) } else { (b, a) };
    let (size, later_size) = (earlier.seal.size, later.seal.size);
    let heads = earlier.heads.as_ref()?;
    let Some(later_heads) = &later.heads else {
        return Some(Conflict::Vanished(size, later_size));
    };
    let (count, later_count) = (heads.len() as u64 - 1, later_heads.len() as u64 - 1);
    if later_count < count {
        return Some(Conflict::Fewer(count, size, later_count, later_size));
    }
    (later_heads[heads.len() - 1] != heads[heads.len() - 1]).then_some(Conflict::Chains(count))
}
