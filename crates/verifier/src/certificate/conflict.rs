//! Several certificates of one log: whether they can all be true, and how far they are shown to be of one log.

use std::collections::BTreeSet;

use super::{Checked, Tree};
use crate::Language;

/// What two certificates cannot both say: proof of misconduct by whoever signed them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say what the fields are")]
pub enum Conflict {
    #[error("two trees of {0} pages with other roots, both signed")]
    Roots(u64),
    #[error("two logs of one origin: the stores are not the same")]
    Stores,
    #[error("a fork: the trees of size {0} of their logs have other roots, both signed")]
    Fork(u64),
    #[error(
        "the account has events up to position {0}, and none up to the later {1}, and nothing shows that it was erased"
    )]
    Vanished(u64, u64),
    #[error(
        "the account of this name up to position {0} is not the one up to the later {1}, and nothing shows that the first was \
         erased"
    )]
    Another(u64, u64),
    #[error("the account has {0} events up to position {1}, and only {2} up to the later {3}")]
    Fewer(u64, u64, u64, u64),
    #[error("of the account's first {0} events, at least one is another in the later log")]
    Chains(u64),
}

impl Conflict {
    /// Whether nobody is at fault if the account was erased in between: a certificate of that erasure takes it away.
    #[must_use]
    pub const fn is_void_if_erased(&self) -> bool {
        matches!(self, Conflict::Vanished(..) | Conflict::Another(..))
    }

    /// The sentence in this language.
    #[must_use]
    pub fn told(&self, lang: Language) -> String {
        let zh = match self {
            Conflict::Roots(pages) => format!("两棵 {pages} 页的树根不同，且均已签名"),
            Conflict::Stores => "同一来源的两份日志：存储不同".to_owned(),
            Conflict::Fork(pages) => {
                format!("分叉：两份日志的前 {pages} 页根不同，且均已签名")
            }
            Conflict::Vanished(at, later) => {
                format!(
                    "该账号在位置 {at} 之前有事件，到更晚的 {later} 却没有，且没有证据表明已被擦除"
                )
            }
            Conflict::Another(at, later) => format!(
                "同名账号在位置 {at} 之前与更晚的 {later} 之前并非同一个，且没有证据表明前者已被擦除"
            ),
            Conflict::Fewer(count, at, fewer, later) => format!(
                "该账号在位置 {at} 之前有 {count} 条事件，到更晚的 {later} 却只有 {fewer} 条"
            ),
            Conflict::Chains(count) => {
                format!("该账号最初的 {count} 条事件中，至少一条在更晚的日志中不同")
            }
        };
        lang.pick(self.to_string(), zh)
    }
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
    if let Some(forked) = forked((a.tree, a.since), (b.tree, b.since)) {
        return Some(forked);
    }
    if a.account != b.account {
        return None;
    }
    let (earlier, later) = if a.tree.pages <= b.tree.pages { (a, b) } else { (b, a) };
    let (size, later_size) = (earlier.seal.size, later.seal.size);
    let heads = earlier.heads.as_ref()?;
    let Some(later_heads) = &later.heads else {
        return Some(Conflict::Vanished(size, later_size));
    };
    if later_heads[0] != heads[0] {
        return Some(Conflict::Another(size, later_size));
    }
    let (count, later_count) = (heads.len() as u64 - 1, later_heads.len() as u64 - 1);
    if later_count < count {
        return Some(Conflict::Fewer(count, size, later_count, later_size));
    }
    (later_heads[heads.len() - 1] != heads[heads.len() - 1]).then_some(Conflict::Chains(count))
}

/// Whether the trees that two certificates show to be signed, each its own and an earlier one, have as many pages and
/// other roots.
pub(super) fn forked(a: (Tree, Option<Tree>), b: (Tree, Option<Tree>)) -> Option<Conflict> {
    let differ = |a: Tree, b: Tree| a.pages == b.pages && a.root != b.root;
    if differ(a.0, b.0) {
        return Some(Conflict::Roots(a.0.pages));
    }
    let [mut a, b] = [a, b].map(|(own, since)| [own].into_iter().chain(since));
    let forked = a.find(|one| b.clone().any(|other| differ(*one, other)));
    forked.map(|tree| Conflict::Fork(tree.pages))
}

event::words! {
    /// How far certificates that can all be true are shown to be of one log.
    Together {
        /// Of each two the smaller tree is proven to be the beginning of the larger.
        Log = 0 "log",
        /// They are of one account, and its events in the smaller tree are proven to be the first of those in the
        /// larger; nothing is shown of others.
        Account = 1 "account",
        /// They may be of two logs.
        Nothing = 2 "nothing",
    }
}

/// How far certificates of which no two [`conflict`] are shown to be of one log; and the first two, by their places in
/// `all`, of which the tree of the one is not shown to be the beginning of the other's.
#[must_use]
pub fn together(all: &[Checked]) -> (Together, Option<(usize, usize)>) {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| all[*at].tree.pages);
    let begun: Vec<BTreeSet<Tree>> =
        order.iter().map(|at| beginnings(all[*at].tree, &order, all)).collect();
    let pairs = || order.windows(2).map(|pair| (pair[0], pair[1]));
    // Two beginnings of one tree are beginnings of each other.
    let is_shown = |(a, b): &(usize, usize)| {
        begun.iter().any(|begun| [a, b].iter().all(|at| begun.contains(&all[**at].tree)))
    };
    let Some(unshown) = pairs().find(|pair| !is_shown(pair)) else { return (Together::Log, None) };
    let is_of_one_account =
        |(a, b): (usize, usize)| all[a].account == all[b].account && all[a].heads.is_some();
    match pairs().all(is_of_one_account) {
        true => (Together::Account, Some(unshown)),
        false => (Together::Nothing, Some(unshown)),
    }
}

/// The trees with which a tree is shown to begin, itself among them.
fn beginnings(tree: Tree, order: &[usize], all: &[Checked]) -> BTreeSet<Tree> {
    let mut found = BTreeSet::from([tree]);
    // What a tree goes on from is no larger, so once through from the largest down finds all.
    for at in order.iter().rev() {
        if found.contains(&all[*at].tree) {
            found.extend(all[*at].since);
        }
    }
    found
}

impl Checked {
    /// The trees that it shows to be signed.
    pub(super) fn signed(&self) -> impl Iterator<Item = Tree> {
        [self.tree].into_iter().chain(self.since)
    }
}
