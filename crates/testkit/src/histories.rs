//! Random cases from a seed: a policy, one account's history, an as-of and claims.
//!
//! Their times gather where answers change: an event brings its own instant into a pool, and the
//! instants at which any of the policy's windows counted from it end; the next event, the as-of
//! and the known-at are picked from that pool, a millisecond or a second beside it, or fall on the
//! very instant of the event before. Names are few, so that lives, tiers and holds meet.

mod policies;

use std::collections::BTreeMap;

use event::{
    Actor, ClearCause, Event, Kind, Payload, PurgeCause, Recorded, RecordedBy, Surface, Timestamp,
};
use fastrand::Rng;
use policy::{Policy, Window};

use crate::claims::{Asserts, Claim, Subject};
use crate::notation::{ndjson, time};

pub use policies::policy_toml;

/// A policy, a history, the two clocks and claims.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it was made from.
    pub seed: u64,
    /// The policy file.
    pub policy_toml: String,
    /// The same, compiled.
    pub policy: Policy,
    /// The events of account `a` in the order of revisions, which is not that of time.
    pub events: Vec<Recorded>,
    /// As of when.
    pub as_of: Timestamp,
    /// By what was recorded when.
    pub known_at: Timestamp,
    /// Claims about the account.
    pub claims: Vec<Claim>,
    /// More instants at which answers may change, sorted.
    pub boundaries: Vec<Timestamp>,
}

impl Case {
    /// Everything about the case, to be printed when a test fails.
    #[must_use]
    pub fn show(&self) -> String {
        let claims: Vec<String> = self.claims.iter().map(Claim::line).collect();
        let recorded: Vec<String> = self
            .events
            .iter()
            .map(|r| format!("{}: {} by {}", r.revision, r.recorded_at, r.recorded_by))
            .collect();
        format!(
            "seed {}\n{}\n{}recorded {}\nas of {}, known at {}\n{}\n",
            self.seed,
            self.policy_toml,
            ndjson(&self.events),
            recorded.join(", "),
            self.as_of,
            self.known_at,
            claims.join("\n"),
        )
    }
}

/// Places in time where calendars are uneven: the end of January, the two clock changes of New
/// York, the eve of 29 February, and a plain day.
const CENTRES: [&str; 5] =
    ["2026-01-30T12:00", "2026-03-07T07:30", "2026-10-31T05:30", "2024-02-28T16:00", "2026-06-01"];

const ITEMS: [&str; 7] = ["i1", "i2", "i3", "i1", "i2", "i3", "x"];
const BACKUPS: [&str; 5] = ["b1", "b1", "b2", "b2", "x"];
const HOLDS: [&str; 2] = ["h1", "h2"];

/// The case of this seed.
///
/// # Panics
/// When the policy it makes is refused.
#[must_use]
pub fn case(seed: u64) -> Case {
    let mut rng = Rng::with_seed(seed);
    let centre = time(pick(&mut rng, &CENTRES));
    let hours = [0, 1, 12, 24, 36, 48, 72, 96, 120];
    let grid: Vec<Timestamp> = hours.iter().map(|h| shifted(centre, h * 3_600_000)).collect();
    let policy_toml = policy_toml(&mut rng, &grid);
    let policy = Policy::parse(&policy_toml).unwrap_or_else(|e| {
        panic!("seed {seed}: a random policy is refused: {e:?}\n{policy_toml}");
    });
    let mut pool = Pool::new(&policy, &grid);
    let events = history(&mut rng, &policy, &mut pool);
    let last = events.iter().map(|r| r.event.occurred_at).max().unwrap();
    let as_of = pool.as_of(&mut rng, last);
    let known_at = match rng.u32(0..3) {
        0 => {
            let recorded_at = pick(&mut rng, &events).recorded_at;
            shifted(recorded_at, pick(&mut rng, &[-1, 0, 0, 1, 86_400_000]))
        }
        _ => Timestamp::MAX,
    };
    let claims = (0..6).map(|n| claim(&mut rng, n, &pool, last)).collect();
    pool.instants.sort();
    pool.instants.dedup();
    let boundaries = pool.instants;
    Case { seed, policy_toml, policy, events, as_of, known_at, claims, boundaries }
}

/// One of `from`, each as likely.
fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())].clone()
}

fn shifted(at: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_ms(at.ms() + ms).unwrap_or(at)
}

/// The instants at which answers may change, as far as known.
struct Pool<'p> {
    policy: &'p Policy,
    windows: Vec<Window>,
    instants: Vec<Timestamp>,
}

impl<'p> Pool<'p> {
    fn new(policy: &'p Policy, grid: &[Timestamp]) -> Pool<'p> {
        let mut windows = Vec::new();
        for version in &policy.versions {
            windows.extend(version.tiers.iter().map(|tier| tier.trash));
            windows.extend(version.trash.categories.values());
            windows.extend([
                version.trash.purge_lag,
                version.inactivity_window,
                version.notice,
                version.stale_after,
                version.late_after,
            ]);
            windows.extend(version.trash.full.map(|full| full.window));
            windows.extend(version.stages.values().flat_map(|s| [s.after, s.notice]));
        }
        let mut instants = grid.to_vec();
        let from = grid[0];
        let starts = policy.versions.iter().map(|v| v.effective_from);
        instants.extend(starts.filter(|start| *start >= from));
        Pool { policy, windows, instants }
    }

    /// Takes in an instant and some of those at which a window from it ends, or a window from
    /// that end.
    fn add(&mut self, rng: &mut Rng, at: Timestamp) {
        self.instants.push(at);
        for _ in 0..4 {
            let mut end = at;
            for _ in 0..pick(rng, &[1, 1, 2]) {
                let (zone, window) = (&self.policy.zone, pick(rng, &self.windows));
                let after = match rng.bool() {
                    true => window.after(end, zone),
                    false => window.after_local_dates(end, zone),
                };
                let Some(after) = after else { break };
                end = after;
                self.instants.push(end);
            }
        }
    }

    /// An instant near one of the pool.
    fn near(&self, rng: &mut Rng) -> Timestamp {
        let beside = pick(rng, &[0, 0, 0, 0, 0, -1, 1, -1000, 1000]);
        shifted(pick(rng, &self.instants), beside)
    }

    /// One of the next few instants after `now`.
    fn next(&self, rng: &mut Rng, now: Timestamp) -> Timestamp {
        let mut later: Vec<Timestamp> =
            self.instants.iter().copied().filter(|at| *at > now).collect();
        later.sort();
        later.dedup();
        later.truncate(4);
        if later.is_empty() {
            return shifted(now, 3_600_000);
        }
        let beside = pick(rng, &[0, 0, 0, 0, 0, -1, 1, -1000, 1000]);
        shifted(pick(rng, &later), beside).max(now)
    }

    /// An instant from which to look at a history whose last event is at `last`.
    fn as_of(&self, rng: &mut Rng, last: Timestamp) -> Timestamp {
        match rng.u32(0..10) {
            0 => time("2040-01-01"),
            1..=2 => last,
            3..=4 => self.next(rng, last),
            // The later of two: most of the history is to be seen.
            5..=8 => self.near(rng).max(self.near(rng)),
            _ => self.near(rng),
        }
    }
}

fn history(rng: &mut Rng, policy: &Policy, pool: &mut Pool) -> Vec<Recorded> {
    let count = pick(rng, &[1, 3, 6, 10, 15, 20, 30]);
    let story = rng.usize(0..3);
    let mut now = if rng.bool() { pool.instants[0] } else { pool.near(rng) };
    let mut in_time: Vec<(Timestamp, Event)> = Vec::new();
    if rng.u32(0..4) > 0 {
        for payload in beginning(rng) {
            let actor = pick(rng, &[Actor::User, Actor::Device, Actor::Provider]);
            in_time.push((now, event(now, in_time.len(), actor, None, payload)));
        }
        pool.add(rng, now);
    }
    for _ in 0..count {
        now = match rng.u32(0..10) {
            0..=3 => now,
            4..=8 => pool.next(rng, now),
            // Backward or far ahead: this one is not where the story is.
            _ => pool.near(rng),
        };
        pool.add(rng, now);
        in_time.push((now, any_event(rng, story, now, in_time.len())));
    }
    // The story's order is mostly that of appending; some cases are appended pell-mell.
    if rng.u32(0..5) == 0 {
        rng.shuffle(&mut in_time);
    }
    for _ in 0..pick(rng, &[0, 0, 1, 3]) {
        let (a, b) = (rng.usize(0..in_time.len()), rng.usize(0..in_time.len()));
        in_time.swap(a, b);
    }
    let mut position = rng.u64(0..3);
    let mut clock = in_time[0].0;
    let mut events = Vec::new();
    for (revision, (at, mut event)) in in_time.into_iter().enumerate() {
        position += pick(rng, &[1, 1, 5]);
        clock = clock.max(at);
        let honoured = rng.u32(0..12) == 0;
        let recorded_at = if honoured {
            let late = policy.version_at(at).late_after.after(at, &policy.zone).unwrap_or(at);
            shifted(pick(rng, &[at, late, late]), pick(rng, &[-1, 0, 1, 1000]))
        } else {
            clock
        };
        event.recorded_at = honoured.then_some(recorded_at);
        events.push(Recorded {
            event,
            position,
            revision: revision as u64,
            recorded_at,
            recorded_by: if honoured { RecordedBy::Source } else { RecordedBy::Log },
        });
    }
    events
}

/// How often each kind comes in a story about everything, about the trash, and about activity.
const KINDS: [(Kind, [u32; 3]); 31] = [
    (Kind::ItemUploaded, [14, 10, 4]),
    (Kind::ItemTrashed, [16, 40, 4]),
    (Kind::ItemPurged, [10, 8, 6]),
    (Kind::ItemRestored, [6, 6, 1]),
    (Kind::ItemModified, [3, 0, 1]),
    (Kind::TrashEmptied, [2, 2, 1]),
    (Kind::TierChanged, [9, 30, 6]),
    (Kind::HoldPlaced, [4, 3, 1]),
    (Kind::HoldReleased, [4, 3, 1]),
    (Kind::BackupCompleted, [5, 0, 6]),
    (Kind::BackupPurged, [4, 0, 8]),
    (Kind::BackupRestored, [2, 0, 1]),
    (Kind::BackupOff, [2, 0, 3]),
    (Kind::BackupOn, [1, 0, 0]),
    (Kind::DataCleared, [3, 0, 6]),
    (Kind::InactivityNotified, [3, 0, 8]),
    (Kind::AccountFrozen, [2, 0, 5]),
    (Kind::AccountUnfrozen, [1, 0, 1]),
    (Kind::AccountTerminated, [2, 0, 3]),
    (Kind::AccountClosed, [2, 0, 3]),
    (Kind::AccountOpened, [3, 2, 3]),
    (Kind::QuotaChanged, [2, 0, 0]),
    (Kind::SyncOff, [4, 2, 1]),
    (Kind::SyncOn, [2, 1, 1]),
    (Kind::Synced, [2, 1, 2]),
    (Kind::PageViewed, [4, 1, 8]),
    (Kind::SignedIn, [2, 0, 2]),
    (Kind::SignInFailed, [1, 0, 0]),
    (Kind::FindDeviceOn, [1, 0, 0]),
    (Kind::FindDeviceOff, [1, 0, 0]),
    (Kind::UploadRejected, [1, 0, 0]),
];

/// What most accounts begin with: something to lose.
fn beginning(rng: &mut Rng) -> Vec<Payload> {
    let mut events = vec![Payload::AccountOpened { tier: None }];
    for (item, category) in [("i1", "photos"), ("i2", "notes"), ("i3", "photos")] {
        let (item, category) = (item.to_owned(), category.to_owned());
        events.push(Payload::ItemUploaded { item, category, bytes: 5 });
    }
    events.push(Payload::BackupCompleted { backup: "b1".to_owned(), bytes: 5, parts: Vec::new() });
    if rng.u32(0..3) == 0 {
        events.push(Payload::SyncOff { category: "photos".to_owned() });
    }
    events.retain(|_| rng.u32(0..6) > 0);
    if events.is_empty() {
        events.push(Payload::SignedIn);
    }
    events
}

pub(crate) fn any_event(rng: &mut Rng, story: usize, occurred_at: Timestamp, n: usize) -> Event {
    let mut ticket = rng.u32(0..KINDS.iter().map(|(_, often)| often[story]).sum());
    let mut kind = Kind::SignedIn;
    for (candidate, often) in KINDS {
        if ticket < often[story] {
            kind = candidate;
            break;
        }
        ticket -= often[story];
    }
    let actors = [Actor::User, Actor::User, Actor::Device, Actor::Provider, Actor::Provider];
    let actor = if rng.u32(0..12) == 0 { Actor::Support } else { pick(rng, &actors) };
    let surfaces = [None, None, Some(Surface::Device), Some(Surface::Device), Some(Surface::Web)];
    let surface = pick(rng, &surfaces);
    event(occurred_at, n, actor, surface, payload(rng, kind))
}

fn event(
    occurred_at: Timestamp,
    n: usize,
    actor: Actor,
    surface: Option<Surface>,
    payload: Payload,
) -> Event {
    Event {
        id: format!("e{n}"),
        account: "a".to_owned(),
        occurred_at,
        recorded_at: None,
        actor,
        surface,
        attributes: BTreeMap::new(),
        payload,
    }
}

pub(crate) fn payload(rng: &mut Rng, kind: Kind) -> Payload {
    let tier = pick(rng, &["std", "plus", "pro", "pro", "ghost"]).to_owned();
    let category = pick(rng, &policies::CATEGORIES).to_owned();
    let item = pick(rng, &ITEMS).to_owned();
    let backup = pick(rng, &BACKUPS).to_owned();
    let hold = pick(rng, &HOLDS).to_owned();
    let bytes = pick(rng, &[0, 1, 5, 5, 10, 10, 20, (1 << 53) - 1]);
    let causes = [None, Some(PurgeCause::Inactivity), Some(PurgeCause::Quota)];
    let cause = match rng.bool() {
        true => pick(rng, &causes),
        false => Some(pick(rng, PurgeCause::ALL)),
    };
    match kind {
        Kind::AccountOpened => Payload::AccountOpened { tier: rng.bool().then_some(tier) },
        Kind::TierChanged => Payload::TierChanged { tier },
        Kind::QuotaChanged => Payload::QuotaChanged { bytes },
        Kind::SignedIn => Payload::SignedIn,
        Kind::SignInFailed => Payload::SignInFailed,
        Kind::PageViewed => Payload::PageViewed,
        Kind::FindDeviceOn => Payload::FindDeviceOn,
        Kind::FindDeviceOff => Payload::FindDeviceOff,
        Kind::SyncOn => Payload::SyncOn { category },
        Kind::SyncOff => Payload::SyncOff { category },
        Kind::Synced => {
            Payload::Synced { category: if rng.bool() { category } else { "calls".to_owned() } }
        }
        Kind::ItemUploaded => Payload::ItemUploaded { item, category, bytes },
        Kind::ItemModified => Payload::ItemModified { item, bytes: rng.bool().then_some(bytes) },
        Kind::ItemTrashed => Payload::ItemTrashed { item },
        Kind::ItemRestored => Payload::ItemRestored { item },
        Kind::ItemPurged => Payload::ItemPurged { item, cause },
        Kind::TrashEmptied => Payload::TrashEmptied,
        Kind::BackupOn => Payload::BackupOn,
        Kind::BackupCompleted => Payload::BackupCompleted { backup, bytes, parts: Vec::new() },
        Kind::BackupRestored => Payload::BackupRestored { backup },
        Kind::BackupPurged => Payload::BackupPurged { backup, cause },
        Kind::BackupOff => Payload::BackupOff { delete_backups: rng.u32(0..4) > 0 },
        Kind::UploadRejected => {
            Payload::UploadRejected { reason: "full".to_owned(), item: rng.bool().then_some(item) }
        }
        Kind::InactivityNotified => Payload::InactivityNotified,
        Kind::AccountFrozen => Payload::AccountFrozen,
        Kind::AccountUnfrozen => Payload::AccountUnfrozen,
        Kind::AccountTerminated => Payload::AccountTerminated,
        Kind::AccountClosed => Payload::AccountClosed,
        Kind::DataCleared => Payload::DataCleared { cause: pick(rng, ClearCause::ALL) },
        Kind::HoldPlaced => Payload::HoldPlaced { hold },
        Kind::HoldReleased => Payload::HoldReleased { hold },
    }
}

fn claim(rng: &mut Rng, n: usize, pool: &Pool, last: Timestamp) -> Claim {
    let subject = match rng.u32(0..12) {
        0..=5 => Subject::Item(pick(rng, &ITEMS).to_owned()),
        6..=7 => Subject::Backup(pick(rng, &BACKUPS).to_owned()),
        8..=9 => Subject::Category(pick(rng, &policies::CATEGORIES).to_owned()),
        _ => Subject::Account,
    };
    let account = if rng.u32(0..40) == 0 { "nobody" } else { "a" }.to_owned();
    let asserts = pick(rng, &Asserts::ALL).0;
    let as_of = rng.bool().then(|| pool.as_of(rng, last));
    Claim { claim: format!("c{n}"), account, subject, asserts, as_of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims;
    use crate::model;

    #[test]
    fn a_seed_is_a_case() {
        for seed in 0..50 {
            assert_eq!(case(seed).show(), case(seed).show());
        }
    }

    #[test]
    fn the_events_are_sound_lines() {
        for seed in 0..200 {
            let events = case(seed).events;
            for (line, recorded) in ndjson(&events).lines().zip(&events) {
                assert_eq!(event::read_line(line.as_bytes()), Ok(recorded.event.clone()));
            }
        }
    }

    /// Nothing in the lists of docs/ may be out of the generator's reach.
    #[test]
    fn every_word_comes_up() {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut see = |word: String| *seen.entry(word).or_default() += 1;
        for seed in 0..4000 {
            let case = case(seed);
            let known_at = case.known_at;
            let Some(state) = model::state(&case.events, &case.policy, case.as_of, known_at) else {
                see("no event".to_owned());
                continue;
            };
            see(format!("status {}", state.status));
            for item in &state.items {
                see(format!("item {:?} {}", item.state, item.cause.unwrap_or("")));
            }
            for backup in &state.backups {
                see(format!("backup {} {}", backup.state, backup.cause.unwrap_or("")));
            }
            for stage in &state.stages {
                see(format!("stage {} {}", stage.when, stage.reached));
            }
            for finding in &state.findings {
                see(format!("finding {}", finding.code));
            }
            for claim in &case.claims {
                let answer = claims::judge(claim, &case.events, &case.policy, case.as_of, known_at);
                see(format!("claim {} {}", claim.asserts.name(), answer.verdict));
                see(format!("lawful {}", answer.lawful));
            }
        }
        for (word, times) in &seen {
            println!("{times:7} {word}");
        }
        let count = |head: &str| seen.keys().filter(|word| word.starts_with(head)).count();
        assert_eq!(count("status "), 6);
        assert_eq!(count("finding "), 19);
        assert_eq!(count("lawful "), 4);
        // Live; trashed ×2; expired; purged ×6; removed ×3.
        assert_eq!(count("item "), 1 + 2 + 1 + 6 + 3);
        // Kept; removed by the user, as stale, for inactivity ×2, over quota, by the provider, by a
        // clearing.
        assert_eq!(count("backup "), 1 + 7);
        assert_eq!(count("claim "), 9 * 3);
        assert_eq!(count("stage "), 3 * 2);
    }
}
