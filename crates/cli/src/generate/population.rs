//! A believable population: three years of many accounts, as event lines.
//!
//! Activity is spread over the accounts as in real services, by a power law of exponent 0.9.
//! Accounts upload, modify, trash, restore and sync; jobs purge what lapsed, mostly on time, some
//! too early, some late; idle accounts are notified, frozen and cleared; memberships lapse; a
//! provider errs now and then. Lines come in the order in which they were written down
//! (`recorded_at` never falls); about one in a hundred happened well before another event of its
//! account that was written down earlier.
//!
//! The same numbers give the same bytes on every platform: integers alone, and a generator of
//! random numbers of our own. Memory is for the accounts and for what is waiting in their trash,
//! not for the events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{self, Write};

use event::{Actor, ClearCause, Event, Payload, Timestamp, write_ndjson};

use super::account::{Account, Act, Item, Later, Status, provider};
use super::random::{SplitMix64, Zipf, mix};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 1440 * MINUTE_MS;
/// 2023-01-01T00:00:00Z.
const START_MS: i64 = 1_672_531_200_000;
/// To 2026-01-01T00:00:00Z, whatever the number of events.
const SPAN_MS: i64 = 1096 * DAY_MS;

/// How many lines in a thousand are reported late, where the account has a past.
const LATE_IN_THOUSAND: u64 = 14;

/// Writes `events` event lines of `accounts` accounts to `out`; every account has one at least
/// when there are as many events as accounts.
///
/// # Errors
/// Those of `out`; [`io::ErrorKind::InvalidInput`] for more than [`Zipf::MOST`] accounts, or none
/// with events to write.
pub fn generate(accounts: u64, events: u64, seed: u64, out: &mut dyn Write) -> io::Result<()> {
    if accounts > Zipf::MOST || (accounts == 0 && events > 0) {
        let reason =
            format!("the number of accounts must be from 1 to {}, found {accounts}", Zipf::MOST);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    const BUFFER_BYTES: usize = 1 << 16;
    let mut population = Population::new(accounts, events, seed);
    let mut lines = Vec::with_capacity(2 * BUFFER_BYTES);
    for number in 0..events {
        let (event, recorded_at) = population.next(number);
        write_ndjson(&event, Some(recorded_at), &mut lines);
        lines.push(b'\n');
        if lines.len() >= BUFFER_BYTES {
            out.write_all(&lines)?;
            lines.clear();
        }
    }
    out.write_all(&lines)
}

/// An account in its place in time.
#[derive(Default)]
struct Member {
    account: Account,
    /// How many events it has.
    events: u32,
    opened_at: i64,
    /// When the newest of its events happened.
    last_at: i64,
    /// When it was last used, by its user or a device.
    active_at: i64,
    /// Whether a look at its inactivity is due.
    watched: bool,
}

enum Job {
    Purge(Item),
    Clear(ClearCause),
    /// Looks whether the account is idle.
    Watch,
}

struct Population {
    events: u64,
    random: SplitMix64,
    seed: u64,
    zipf: Zipf,
    members: Vec<Member>,
    /// Every rank below was opened.
    opened: u32,
    /// When the next jobs are due, each by its place in `jobs`.
    due: BinaryHeap<Reverse<(i64, u32)>>,
    /// Jobs and whose they are; the free places are in `free`.
    jobs: Vec<(u32, Job)>,
    free: Vec<u32>,
    /// When the line before was written down.
    recorded_ms: i64,
}

impl Population {
    fn new(accounts: u64, events: u64, seed: u64) -> Population {
        Population {
            events,
            random: SplitMix64::new(seed),
            seed,
            zipf: Zipf::new(accounts),
            members: (0..accounts).map(|_| Member::default()).collect(),
            opened: 0,
            due: BinaryHeap::new(),
            jobs: Vec::new(),
            free: Vec::new(),
            recorded_ms: START_MS,
        }
    }

    /// The event of line `number`, and when it was written down.
    fn next(&mut self, number: u64) -> (Event, Timestamp) {
        let tick =
            |number: u64| (u128::from(number) * SPAN_MS as u128 / u128::from(self.events)) as i64;
        let (from, to) = (START_MS + tick(number), START_MS + tick(number + 1));
        let now = from + self.random.below((to - from).max(1) as u64) as i64;
        let now = now.max(self.recorded_ms);

        if let Some(rank) = self.opening_due(number) {
            return self.open(rank, now);
        }
        while let Some(Reverse((due_at, _))) = self.due.peek()
            && *due_at <= now
        {
            let Reverse((due_at, place)) = self.due.pop().expect("it was peeked at");
            let (rank, job) = std::mem::replace(&mut self.jobs[place as usize], (0, Job::Watch));
            self.free.push(place);
            let at = due_at.max(self.recorded_ms);
            if let Some(act) = self.work(rank, job, at) {
                return self.told(rank, act, at, at);
            }
        }
        let rank = self.busy();
        match self.members[rank as usize].account.status {
            Status::Unopened | Status::Closed => self.open(rank, now),
            _ if self.random.in_thousand(LATE_IN_THOUSAND) => self.act_late(rank, now),
            _ => self.act(rank, now),
        }
    }

    /// Accounts are opened as they are first used, but all of them within three quarters of the
    /// lines.
    fn opening_due(&mut self, number: u64) -> Option<u32> {
        let all = self.members.len() as u64;
        let by_now = u128::from(number + 1) * u128::from(all) * 4 / (u128::from(self.events) * 3);
        let by_now = by_now.min(u128::from(all)) as u32;
        while self.opened < by_now {
            let rank = self.opened;
            self.opened += 1;
            if self.members[rank as usize].account.status == Status::Unopened {
                return Some(rank);
            }
        }
        None
    }

    /// Whose turn it is. A closed account comes back rarely.
    fn busy(&mut self) -> u32 {
        for _ in 0..20 {
            let rank = self.zipf.sample(&mut self.random);
            let closed = self.members[rank as usize].account.status == Status::Closed;
            if !closed || self.random.in_thousand(20) {
                return rank;
            }
        }
        self.zipf.sample(&mut self.random)
    }

    fn open(&mut self, rank: u32, now: i64) -> (Event, Timestamp) {
        let member = &mut self.members[rank as usize];
        let act = member.account.open(&mut self.random);
        member.opened_at = now;
        self.told(rank, act, now, now)
    }

    fn act(&mut self, rank: u32, now: i64) -> (Event, Timestamp) {
        let account = &mut self.members[rank as usize].account;
        let (act, later) = account.act(&mut self.random);
        let trash_days = if account.diamond { 180 } else { 30 };
        match later {
            None => {}
            Some(Later::Purge(item)) => {
                let deadline = now + trash_days * DAY_MS;
                let random = &mut self.random;
                let mut days = |most: u64| random.below(most * 1440) as i64 * MINUTE_MS;
                let due_at = match days(1000) / DAY_MS {
                    0..20 => Some(deadline - DAY_MS - days(20)),
                    20..50 => Some(deadline + 8 * DAY_MS + days(30)),
                    50..60 => None,
                    _ => Some(deadline + MINUTE_MS + days(3)),
                };
                if let Some(due_at) = due_at {
                    self.schedule(due_at, rank, Job::Purge(item));
                }
            }
            Some(Later::Clear(cause)) => {
                let due_at = now + (3 + self.random.below(20) as i64) * DAY_MS;
                self.schedule(due_at, rank, Job::Clear(cause));
            }
        }
        // Most is written down as it happens, some a few seconds later.
        let delay = [0, 0, 0, 20_000][self.random.below(4) as usize];
        let delay = self.random.below(delay + 1) as i64;
        let at = (now - delay).max(self.members[rank as usize].last_at);
        self.told(rank, act, at, now)
    }

    /// A device was out of reach: what it did before the account's newest event arrives after it.
    fn act_late(&mut self, rank: u32, now: i64) -> (Event, Timestamp) {
        let member = &mut self.members[rank as usize];
        let past = member.last_at - member.opened_at;
        if past < DAY_MS || member.account.status != Status::Open {
            return self.act(rank, now);
        }
        let act = member.account.act_unhurried(&mut self.random);
        let back = MINUTE_MS + self.random.below((12 * DAY_MS).min(past - MINUTE_MS) as u64) as i64;
        let at = member.last_at - back;
        self.told(rank, act, at, now)
    }

    fn schedule(&mut self, due_at: i64, rank: u32, job: Job) {
        let place = match self.free.pop() {
            Some(place) => {
                self.jobs[place as usize] = (rank, job);
                place
            }
            None => {
                self.jobs.push((rank, job));
                u32::try_from(self.jobs.len() - 1).expect("a trash has few places")
            }
        };
        self.due.push(Reverse((due_at, place)));
    }

    /// What a job does at `now`, if it finds anything to do.
    fn work(&mut self, rank: u32, job: Job, now: i64) -> Option<Act> {
        let account = &mut self.members[rank as usize].account;
        match job {
            Job::Purge(item) => account.purge_expired(item),
            Job::Clear(cause) => (account.status == Status::Closed).then(|| account.clear(cause)),
            Job::Watch => self.watch(rank, now),
        }
    }

    /// A month before a year of silence is over some users are told; of these accounts most are
    /// frozen after it, and half of those cleared a month later. A few are frozen too soon.
    fn watch(&mut self, rank: u32, now: i64) -> Option<Act> {
        let random = &mut self.random;
        let member = &mut self.members[rank as usize];
        member.watched = false;
        let status = &mut member.account.status;
        let idle_days = (now - member.active_at) / DAY_MS;
        let (act, next_days) = match *status {
            Status::Unopened | Status::Closed | Status::Cleared => return None,
            _ if idle_days < 335 => (None, 335),
            Status::Open if random.in_thousand(10) => {
                *status = Status::Frozen;
                (Some(Payload::AccountFrozen), 400)
            }
            Status::Open if random.in_thousand(600) => return None,
            Status::Open => {
                *status = Status::Notified;
                (Some(Payload::InactivityNotified), 367 + random.below(20))
            }
            Status::Notified if idle_days < 367 => (None, 367),
            Status::Notified if random.in_thousand(300) => return None,
            Status::Notified => {
                *status = Status::Frozen;
                (Some(Payload::AccountFrozen), 400 + random.below(30))
            }
            Status::Frozen if idle_days < 400 => (None, 400),
            Status::Frozen if random.in_thousand(500) => return None,
            Status::Frozen => {
                *status = Status::Cleared;
                return Some(member.account.clear(ClearCause::Inactivity));
            }
        };
        let next_at = (member.active_at + next_days as i64 * DAY_MS).max(now + DAY_MS);
        member.watched = true;
        self.schedule(next_at, rank, Job::Watch);
        act.map(provider)
    }

    /// The event that tells of `act`.
    fn told(&mut self, rank: u32, act: Act, at: i64, recorded_at: i64) -> (Event, Timestamp) {
        let Act { actor, surface, payload } = act;
        self.recorded_ms = recorded_at;
        let member = &mut self.members[rank as usize];
        // No two events of the population share an id: ranks and places differ, and `mix` keeps
        // different numbers different.
        let number = u64::from(rank) << 32 | u64::from(member.events);
        let id = format!("{:016x}", mix(number ^ mix(self.seed)));
        member.events += 1;
        member.last_at = member.last_at.max(at);
        let used = matches!(actor, Actor::User | Actor::Device);
        if used {
            member.active_at = member.active_at.max(at);
            if !std::mem::replace(&mut member.watched, true) {
                self.schedule(at + 335 * DAY_MS, rank, Job::Watch);
            }
        }
        let mut attributes = BTreeMap::new();
        if used && self.random.in_thousand(150) {
            let clients = ["android-14.2", "android-15.0", "ios-18.1", "web-7", "windows-3.9"];
            attributes.insert("client".to_owned(), self.random.pick(&clients).to_owned());
        }
        let time = |ms| Timestamp::from_ms(ms).expect("within the span and its margins");
        let account = self.name(rank);
        let occurred_at = time(at);
        let event = Event {
            id,
            account,
            occurred_at,
            recorded_at: None,
            actor,
            surface,
            attributes,
            payload,
        };
        (event, time(recorded_at))
    }

    /// Names tell nothing of ranks: multiplying by a prime above the number of accounts only
    /// changes their order.
    fn name(&self, rank: u32) -> String {
        format!("user-{:06}", u64::from(rank) * 2_654_435_761 % self.members.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use event::{Kind, read_line};

    use super::*;

    fn lines(accounts: u64, events: u64, seed: u64) -> Vec<u8> {
        let mut out = Vec::new();
        generate(accounts, events, seed, &mut out).unwrap();
        out
    }

    /// The bytes of a seed are a promise, to benchmarks that are compared over years.
    #[test]
    fn the_same_bytes_for_a_seed() {
        let check = |accounts, events, seed, hash: &str| {
            let got = blake3::hash(&lines(accounts, events, seed)).to_hex();
            assert_eq!(got.as_str(), hash, "{accounts} accounts, {events} events, seed {seed}");
        };
        check(100, 20_000, 1, "041cfacc1c6e22e59d8ce043a1dfb4cec55a84935f289210bef3f04d4d52d048");
        check(5, 20, 7, "15ea000fdcc0c7a1f5678a6f85a8a845bfbd144e2a97e776c60bbb0835773785");
    }

    #[test]
    fn counts() {
        let check = |accounts, events, expected_accounts| {
            let out = lines(accounts, events, 3);
            let text = std::str::from_utf8(&out).unwrap();
            let events_read: Vec<Event> =
                text.lines().map(|line| read_line(line.as_bytes()).unwrap()).collect();
            assert_eq!(events_read.len() as u64, events);
            let names: HashSet<&str> = events_read.iter().map(|e| e.account.as_str()).collect();
            assert_eq!(names.len(), expected_accounts, "{accounts} accounts, {events} events");
        };
        check(1, 0, 0);
        check(0, 0, 0);
        check(1, 1, 1);
        check(1, 3000, 1);
        check(10, 10, 10);
        check(10, 11, 10);
        check(10, 7, 7);
        check(1000, 1100, 1000);
        check(1000, 20_000, 1000);
    }

    #[test]
    fn no_accounts_have_no_events() {
        for accounts in [0, Zipf::MOST + 1] {
            let error = generate(accounts, 1, 1, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn is_believable() {
        let (accounts, events) = (2_000, 100_000);
        let out = lines(accounts, events, 5);
        let mut ids = HashSet::new();
        let mut newest: HashMap<String, Timestamp> = HashMap::new();
        let mut by_account: HashMap<String, u64> = HashMap::new();
        let mut by_kind: HashMap<Kind, u64> = HashMap::new();
        let mut late = 0;
        let mut last_recorded = Timestamp::MIN;
        for line in out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event = read_line(line).unwrap();
            let recorded_at = event.recorded_at.unwrap();
            assert!(recorded_at >= last_recorded && event.occurred_at <= recorded_at, "{event:?}");
            last_recorded = recorded_at;
            assert!(ids.insert((event.account.clone(), event.id.clone())), "{event:?}");
            let at = newest.entry(event.account.clone()).or_insert(event.occurred_at);
            late += u64::from(event.occurred_at < *at);
            *at = event.occurred_at.max(*at);
            *by_account.entry(event.account).or_default() += 1;
            *by_kind.entry(event.payload.kind()).or_default() += 1;
        }
        assert!((events / 200..events / 50).contains(&late), "{late} late");
        for kind in Kind::ALL {
            assert!(by_kind.contains_key(kind), "no {kind} in {by_kind:?}");
        }
        let mut sizes: Vec<u64> = by_account.into_values().collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        // Of the weight of 2000 ranks, 1 / 11.95 is on the first and half on the first 64.
        assert!((6_500..10_000).contains(&sizes[0]), "{}", sizes[0]);
        let busiest: u64 = sizes[..64].iter().sum();
        assert!((40_000..60_000).contains(&busiest), "{busiest}");
    }
}
