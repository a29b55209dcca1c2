//! What would have been lawful in place of a finding, held against the model of `testkit`: the same act
//! at that instant gives no such finding, and a millisecond to the other side it does.

use std::collections::BTreeMap;

use event::{Actor, Event, History, Payload, PurgeCause, Recorded, RecordedBy, Timestamp};
use policy::Policy;
use stillthere_projection::{Finding, FindingCode, Lawful, LawfulWhen, Subject, fold, lawful_then};
use testkit::histories::case;
use testkit::{model, notation};

/// Cases; `STILLTHERE_CASES` asks for more.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("STILLTHERE_CASES").ok().and_then(|n| n.parse().ok());
    let from = std::env::var("STILLTHERE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    from..from + count.unwrap_or(8_000)
}

fn beside(at: Timestamp, ms: i64) -> Option<Timestamp> {
    Timestamp::from_ms(at.ms() + ms)
}

/// A finding in the events of its account, all known, and another world in which to look for it.
struct World<'a> {
    events: Vec<Recorded>,
    policy: &'a Policy,
    code: FindingCode,
    item: Option<&'a str>,
    backup: Option<&'a str>,
    /// The revision of the event.
    revision: u64,
    /// More instants to look at.
    grid: &'a [Timestamp],
}

/// What is found of a purge that nothing admits.
const PURGES: [&str; 5] = [
    "premature-purge",
    "loss-after-sync-off",
    "loss-over-quota",
    "loss-on-tier-lapse",
    "purge-without-cause",
];

impl World<'_> {
    fn event(&self) -> &Recorded {
        self.events.iter().find(|e| e.revision == self.revision).expect("it is on record")
    }

    fn at(&self) -> Timestamp {
        self.event().event.occurred_at
    }

    /// Whether the model finds it in `events`.
    fn is_found(&self, events: &[Recorded], revision: u64) -> bool {
        let last = events.iter().map(|e| e.event.occurred_at).max().expect("an event");
        self.is_found_as_of(events, revision, last)
    }

    fn is_found_as_of(&self, events: &[Recorded], revision: u64, as_of: Timestamp) -> bool {
        let state = model::state(events, self.policy, as_of, Timestamp::MAX).expect("an event");
        state.findings.iter().any(|found| {
            found.code == self.code.name()
                && found.revision == revision
                && found.item.as_deref() == self.item
                && found.backup.as_deref() == self.backup
        })
    }

    /// The events before it, and those after it that `kept` says.
    fn without(&self, kept: impl Fn(&Payload) -> bool) -> Vec<Recorded> {
        let place = (self.at(), self.revision);
        let is_kept = |e: &&Recorded| {
            (e.event.occurred_at, e.revision) < place
                || ((e.event.occurred_at, e.revision) > place && kept(&e.event.payload))
        };
        self.events.iter().filter(is_kept).cloned().collect()
    }

    /// Whether it is found when the event comes last at `at`, with those of `events` by then.
    fn is_found_moved(&self, events: &[Recorded], at: Timestamp, payload: &Payload) -> bool {
        self.gives_moved(events, at, payload, |code| code == self.code.name())
    }

    /// Whether anything of a code that is `against` is found of it then.
    fn gives_moved(
        &self,
        events: &[Recorded],
        at: Timestamp,
        payload: &Payload,
        against: impl Fn(&str) -> bool,
    ) -> bool {
        let mut moved = self.event().clone();
        moved.event.occurred_at = at;
        moved.event.payload = payload.clone();
        moved.revision = u64::MAX;
        let by_then = events.iter().filter(|e| e.event.occurred_at <= at).cloned();
        let events: Vec<Recorded> = by_then.chain([moved]).collect();
        let state = model::state(&events, self.policy, at, Timestamp::MAX).expect("an event");
        state.findings.iter().any(|found| {
            against(found.code)
                && found.revision == u64::MAX
                && found.item.as_deref() == self.item
                && found.backup.as_deref() == self.backup
        })
    }

    /// Whether it is found with another event just before this one.
    fn is_found_after(&self, actor: Actor, payload: Payload) -> bool {
        let mut events = self.events.clone();
        for event in &mut events {
            event.revision = 2 * event.revision + 1;
        }
        let at = self.at();
        events.push(recorded(at, 2 * self.revision, actor, payload));
        self.is_found(&events, 2 * self.revision + 1)
    }
}

/// Since when each item is as it is.
fn items(events: &[Recorded], policy: &Policy, as_of: Timestamp) -> BTreeMap<String, Timestamp> {
    let state = model::state(events, policy, as_of, Timestamp::MAX);
    let items = state.into_iter().flat_map(|state| state.items);
    items.map(|row| (row.item.clone(), row.since)).collect()
}

fn recorded(at: Timestamp, revision: u64, actor: Actor, payload: Payload) -> Recorded {
    let event = Event {
        id: "other".to_owned(),
        account: "a".to_owned(),
        occurred_at: at,
        recorded_at: None,
        actor,
        surface: None,
        attributes: BTreeMap::new(),
        payload,
    };
    Recorded { event, position: 0, revision, recorded_at: at, recorded_by: RecordedBy::Log }
}

fn check(world: &World<'_>, finding: &Finding, lawful: &Lawful) -> Result<(), String> {
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let payload = &world.event().event.payload;
    let item = || world.item.expect("of an item").to_owned();
    match lawful.when {
        LawfulWhen::Undetermined => Err("nothing was erased".to_owned()),
        LawfulWhen::WindowEnded
        | LawfulWhen::Inactive
        | LawfulWhen::Stale
        | LawfulWhen::Notified
        | LawfulWhen::StageReached => {
            let is_own = matches!(
                finding.code,
                FindingCode::PrematurePurge | FindingCode::ClearedWithoutNotice
            );
            let with = |cause| match world.backup {
                Some(backup) => Payload::BackupPurged { backup: backup.to_owned(), cause },
                None => Payload::ItemPurged { item: item(), cause },
            };
            // What nobody deleted is purged for a cause that the policy may know.
            let acts = match finding.subject {
                Some(_) if !is_own => {
                    vec![with(Some(PurgeCause::Inactivity)), with(Some(PurgeCause::Quota))]
                }
                _ => vec![payload.clone()],
            };
            let before = world.without(|_| false);
            let against = |code: &str| match finding.subject {
                Some(_) => {
                    PURGES.contains(&code)
                        || (finding.code == FindingCode::ClearedWithoutNotice
                            && code == finding.code.name())
                }
                None => code == finding.code.name(),
            };
            let is_found = |at, act: &Payload| world.gives_moved(&before, at, act, against);
            let all_found = |at| acts.iter().all(|act| is_found(at, act));
            let later =
                |at: &Timestamp| *at >= world.at() && lawful.from.is_none_or(|from| *at < from);
            let versions = world.policy.versions.iter().map(|v| v.effective_from);
            let grid = world.grid.iter().copied().chain(versions);
            let grid =
                grid.chain([Timestamp::MAX]).filter(later).step_by(world.grid.len() / 16 + 1);
            ensure({ grid }.all(all_found), "it is not found at an earlier instant")?;
            let Some(from) = lawful.from else { return Ok(()) };
            ensure(from >= world.at(), "it is earlier")?;
            ensure(from > world.at() || acts.len() > 1, "it is found where it was")?;
            let act = acts.iter().find(|act| !is_found(from, act));
            let act = act.ok_or("it is found at that instant too")?;
            let given = match act {
                Payload::ItemPurged { cause, .. } | Payload::BackupPurged { cause, .. } => *cause,
                _ => None,
            };
            ensure(lawful.stage.is_none() || lawful.cause == given, "it is another cause")?;
            if from > world.at() {
                let just_before = beside(from, -1).expect("later than something");
                ensure(all_found(just_before), "it is not found a millisecond before")?;
            }
            let end = lawful.until.unwrap_or(Timestamp::MAX);
            if lawful.until.is_some() {
                ensure(is_found(end, act), "it is not found at the end")?;
            }
            let still = world.grid.iter().copied().filter(|at| *at >= from && *at < end);
            let still = still.step_by(world.grid.len() / 16 + 1).chain(beside(end, -1));
            ensure({ still }.all(|at| !is_found(at, act)), "it is found before the end")
        }
        LawfulWhen::HoldReleased | LawfulWhen::SyncOn => {
            let rest = world.without(|payload| match (payload, lawful.when) {
                (Payload::HoldPlaced { .. } | Payload::HoldReleased { .. }, w) => {
                    w == LawfulWhen::HoldReleased
                }
                (Payload::SyncOn { .. } | Payload::SyncOff { .. }, w) => w == LawfulWhen::SyncOn,
                _ => false,
            });
            // In a later version the category may have a trash.
            if matches!(payload, Payload::ItemTrashed { .. }) && world.policy.versions.len() > 1 {
                return Ok(());
            }
            let is_found = |at| world.is_found_moved(&rest, at, payload);
            let (until, last) = match lawful.from {
                Some(from) => (beside(from, -1).expect("later than something"), Some(from)),
                None => {
                    (rest.iter().map(|e| e.event.occurred_at).max().unwrap_or(world.at()), None)
                }
            };
            if until >= world.at() {
                ensure(is_found(until), "it is not found before")?;
            }
            ensure(last.is_none_or(|at| !is_found(at)), "it is found at that instant too")
        }
        LawfulWhen::WithinWindow => {
            let Some(until) = lawful.until else {
                let before = world.without(|_| false);
                let items = items(&before, world.policy, world.at());
                let ended = items.get(&item()).ok_or("it was never seen")?;
                let trashed = |e: &Recorded| {
                    let own = Payload::ItemTrashed { item: item() };
                    e.event.payload == own && e.event.occurred_at == *ended
                };
                return ensure(before.iter().any(trashed), "its window lasted");
            };
            let rest = world.without(|_| true);
            let before = beside(until, -1).ok_or("out of range")?;
            ensure(!world.is_found_moved(&rest, before, payload), "it is found just before")?;
            // Of its own instant it was judged in its own place.
            let at_deadline = until == world.at() || world.is_found_moved(&rest, until, payload);
            ensure(at_deadline, "it is not found at the deadline")
        }
        LawfulWhen::WithinLag => {
            let (from, until) = lawful.from.zip(lawful.until).ok_or("it has both ends")?;
            let purged = |at: Timestamp| {
                let purge = Payload::ItemPurged { item: item(), cause: None };
                let mut events = world.events.clone();
                events.push(recorded(at, u64::MAX, Actor::Provider, purge));
                events
            };
            let is_found = |at| world.is_found_as_of(&purged(at), world.revision, finding.at);
            ensure(!is_found(until), "it is found though purged in time")?;
            let late = beside(until, 1).ok_or("out of range")?;
            ensure(is_found(late), "it is not found though purged too late")?;
            let early = World { code: FindingCode::PrematurePurge, events: purged(from), ..*world };
            ensure(
                !early.is_found(&early.events, u64::MAX),
                "a purge at the deadline is premature",
            )?;
            let before = beside(from, -1).ok_or("out of range")?;
            if before >= world.at() {
                let events = purged(before);
                let as_of = before;
                ensure(early.is_found_as_of(&events, u64::MAX, as_of), "one before it is not")?;
            }
            Ok(())
        }
        LawfulWhen::WithinQuota => {
            let (used, limit) = lawful.bytes.ok_or("it has bytes")?;
            ensure(used > u128::from(limit), "it was not over")?;
            // Another limit may make the trash full, and what ends by it is used no more: look instead.
            if world.policy.trash_can_be_full() {
                let before = world.without(|_| false);
                let state = model::state(&before, world.policy, world.at(), Timestamp::MAX);
                let quota = state.map(|state| state.quota).ok_or("nothing was used")?;
                let measured = (quota.used_bytes, quota.limit_bytes);
                return ensure(measured == (used, Some(limit)), "others were used or allowed");
            }
            let Ok(used) = u64::try_from(used) else { return Ok(()) };
            let allowed =
                |bytes| world.is_found_after(Actor::Provider, Payload::QuotaChanged { bytes });
            ensure(!allowed(used), "it is found with that limit too")?;
            ensure(allowed(used - 1), "it is not found with a byte less")
        }
        LawfulWhen::RecordedInTime => {
            let until = lawful.until.ok_or("it was late")?;
            let is_found = |recorded_at| {
                let mut events = world.events.clone();
                let own = events.iter_mut().find(|e| e.revision == world.revision);
                own.expect("it is on record").recorded_at = recorded_at;
                world.is_found(&events, world.revision)
            };
            ensure(!is_found(until), "it is found in time")?;
            ensure(beside(until, 1).is_none_or(is_found), "it is not found too late")
        }
        LawfulWhen::OnRecord | LawfulWhen::UploadedAnew => {
            let before = match world.backup {
                Some(backup) => {
                    let (backup, parts) = (backup.to_owned(), Vec::new());
                    Payload::BackupCompleted { backup, bytes: 0, parts }
                }
                None => Payload::ItemUploaded { item: item(), category: "x".to_owned(), bytes: 0 },
            };
            ensure(!world.is_found_after(Actor::User, before), "it is found all the same")
        }
        LawfulWhen::Trashed => {
            let before = Payload::ItemTrashed { item: item() };
            ensure(!world.is_found_after(Actor::User, before), "it is found all the same")
        }
        LawfulWhen::ByUser => {
            let mut events = world.events.clone();
            let own = events.iter_mut().find(|e| e.revision == world.revision);
            own.expect("it is on record").event.actor = Actor::User;
            ensure(!world.is_found(&events, world.revision), "it is found all the same")
        }
    }
}

#[test]
fn the_model_agrees_on_what_would_have_been_lawful() {
    let mut checked: BTreeMap<(FindingCode, LawfulWhen, bool), u64> = BTreeMap::new();
    for seed in seeds() {
        let case = case(seed);
        let history = History::of("a", &case.events);
        let Some(view) = fold(&history, &case.policy, case.as_of, case.known_at) else { continue };
        let findings: Vec<Finding> = view.findings().into_iter().map(|(found, _)| found).collect();
        let lawful = lawful_then(&history, &case.policy, case.as_of, case.known_at, &findings);
        assert_eq!(lawful.len(), findings.len());
        let known =
            |e: &&Recorded| e.recorded_at <= case.known_at && e.event.occurred_at <= case.as_of;
        let events: Vec<Recorded> = case.events.iter().filter(known).cloned().collect();
        for (finding, lawful) in findings.iter().zip(lawful) {
            let name = |id| Some(history.names.get(id));
            let (item, backup) = match finding.subject {
                Some(Subject::Item(id)) => (name(id), None),
                Some(Subject::Backup(id)) => (None, name(id)),
                None => (None, None),
            };
            let world = World {
                events: events.clone(),
                policy: &case.policy,
                code: finding.code,
                item,
                backup,
                revision: finding.event.revision,
                grid: &case.boundaries,
            };
            if let Err(what) = check(&world, finding, &lawful) {
                panic!("{what}: {finding:?} {lawful:?} of {item:?} {backup:?}\n{}", case.show());
            }
            *checked.entry((finding.code, lawful.when, lawful.from.is_some())).or_default() += 1;
        }
    }
    for code in FindingCode::ALL {
        assert!(checked.keys().any(|(checked, ..)| checked == code), "{code} was never found");
    }
    println!("{checked:#?}");
}

/// The rules of the cases below: a window of 30 days, a lag of 7, a year to become inactive.
const RULES: &str = r#"
schema = 1
policy = "p"
[[version]]
id = "v"
[version.tiers.free]
quota = "10B"
trash = "30d"
[version.trash]
purge_lag = "7d"
counts_toward_quota = true
[version.inactivity]
window = "1y"
resets = ["item_uploaded", "item_trashed"]
notice = "30d"
[version.quota]
over = "block_uploads"
[version.backup]
stale_after = "6mo"
[version.clock]
late_after = "2d"
"#;

#[track_caller]
fn says(events: &str, as_of: &str, code: &str, expected: &str) {
    says_by(RULES, events, as_of, code, expected);
}

#[track_caller]
fn says_by(rules: &str, events: &str, as_of: &str, code: &str, expected: &str) {
    let policy = Policy::parse(rules).expect("sound rules");
    let recorded = notation::events(events);
    let (history, as_of) = (History::of("a", &recorded), notation::time(as_of));
    let view = fold(&history, &policy, as_of, Timestamp::MAX).expect("events");
    let findings: Vec<Finding> = view.findings().into_iter().map(|(found, _)| found).collect();
    let lawful = lawful_then(&history, &policy, as_of, Timestamp::MAX, &findings);
    let found = findings.iter().position(|f| f.code.name() == code).expect("it is found");
    let Lawful { when, from, until, stage, cause, bytes } = lawful[found].clone();
    let text = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
    let bytes = bytes.map_or(String::new(), |(used, limit)| format!(" {used} of {limit}"));
    let stage = stage.map_or(String::new(), |stage| format!(" by {stage}"));
    let cause = cause.map_or(String::new(), |cause| format!(" for {cause}"));
    assert_eq!(format!("{when} {} {}{stage}{cause}{bytes}", text(from), text(until)), expected);
}

#[test]
fn what_would_have_been_lawful_worked_out_by_hand() {
    let start = "2026-01-01 user item_uploaded item=i category=photos bytes=4\n";
    let with = |rest: &str| format!("{start}{rest}");
    // 10 January + 30 d = 9 February.
    let trashed = with("2026-01-10 user item_trashed item=i\n");
    says(
        &format!("{trashed}2026-02-08T23:59:59 provider item_purged item=i"),
        "2026-03-01",
        "premature-purge",
        "window_ended 2026-02-09T00:00:00Z -",
    );
    // Inactive a year after the upload; sync off is no cause.
    says(
        &with("2026-05-01 provider item_purged item=i cause=sync_off"),
        "2026-06-01",
        "loss-after-sync-off",
        "inactive 2027-01-01T00:00:00Z -",
    );
    says(
        &with("2026-05-01 provider data_cleared cause=inactivity"),
        "2026-06-01",
        "cleared-while-active",
        "inactive 2027-01-01T00:00:00Z -",
    );
    // Notified on 1 June 2027: 30 d later is 1 July.
    let notified = with("2027-06-01 provider inactivity_notified\n");
    says(
        &format!("{notified}2027-06-30T23:59:59 provider data_cleared cause=inactivity"),
        "2028-01-01",
        "cleared-without-notice",
        "notified 2027-07-01T00:00:00Z -",
    );
    says(
        &with("2027-06-30 provider data_cleared cause=inactivity"),
        "2028-01-01",
        "cleared-without-notice",
        "notified - -",
    );
    // Expired on 9 February, overdue 7 d later.
    says(
        &trashed,
        "2026-03-01",
        "overdue-purge",
        "within_lag 2026-02-09T00:00:00Z 2026-02-16T00:00:00Z",
    );
    says(
        &format!("{trashed}2026-02-09 user item_restored item=i"),
        "2026-03-01",
        "restored-after-window",
        "within_window - 2026-02-09T00:00:00Z",
    );
    says(
        &with(
            "2026-01-02 user item_uploaded item=j category=photos bytes=8
            2026-01-03 user item_uploaded item=k category=photos bytes=1",
        ),
        "2026-03-01",
        "upload-over-quota",
        "within_quota - - 12 of 10",
    );
    says(
        &with(
            "2026-01-02 provider hold_placed hold=h
            2026-01-03 user item_purged item=i
            2026-01-09 provider hold_released hold=h",
        ),
        "2026-03-01",
        "purged-under-hold",
        "hold_released 2026-01-09T00:00:00Z -",
    );
    // Completed on 1 March, stale after 6 months: before the year is over.
    says(
        &with(
            "2026-03-01 device backup_completed backup=b bytes=1
            2026-04-01 provider backup_purged backup=b",
        ),
        "2026-06-01",
        "purge-without-cause",
        "stale 2026-09-01T00:00:00Z -",
    );
    says(
        &with("2026-01-02 user item_purged item=x recorded=2026-01-04T00:00:01"),
        "2026-03-01",
        "late-recorded",
        "recorded_in_time - 2026-01-04T00:00:00Z",
    );
}

/// Full with more than 5 bytes, then 5 days; ten days over quota and two of a full trash are stages.
const STAGED: &str = r#"
schema = 1
policy = "p"
[[version]]
id = "v"
[version.tiers.free]
quota = "10B"
trash = "30d"
[version.trash]
full_at = "50%"
full_window = "5d"
[version.stages.over]
when = "over_quota"
after = "10d"
admits = ["freeze", "purge"]
notice = "7d"
[version.stages.full]
when = "trash_full"
after = "2d"
admits = ["purge_trashed"]
"#;

#[test]
fn what_stages_would_have_admitted_worked_out_by_hand() {
    let says = |events: String, code: &str, expected: &str| {
        says_by(STAGED, &events, "2026-03-01", code, expected);
    };
    // Over quota from 1 January on, the stage is reached on the 11th.
    let over = |rest: &str| {
        format!("2026-01-01 user item_uploaded item=i category=photos bytes=12\n{rest}")
    };
    says(
        over("2026-01-10T23:59:59 provider account_frozen"),
        "frozen-while-active",
        "stage_reached 2026-01-11T00:00:00Z - by over",
    );
    // Syncing off is no cause; that of the stage is.
    says(
        over("2026-01-05 provider item_purged item=i cause=sync_off"),
        "loss-after-sync-off",
        "stage_reached 2026-01-11T00:00:00Z - by over for quota",
    );
    // Admitted on the 12th, but the notice of the 8th is a week old on the 15th.
    says(
        over(
            "2026-01-08 provider inactivity_notified
            2026-01-12 provider item_purged item=i cause=quota",
        ),
        "cleared-without-notice",
        "notified 2026-01-15T00:00:00Z - by over for quota",
    );
    says(
        over("2026-01-12 provider item_purged item=i cause=quota"),
        "cleared-without-notice",
        "notified - -",
    );
    // Trashed on the 5th, 8 bytes fill the trash: they are gone on the 10th. With them the account is no
    // longer over quota, a day before the stage.
    let full = |rest: &str| {
        over(&format!(
            "2026-01-01 user item_modified item=i bytes=4
            2026-01-01 user item_uploaded item=j category=photos bytes=8
            2026-01-05 user item_trashed item=j\n{rest}"
        ))
    };
    says(full("2026-01-06 provider account_frozen"), "frozen-while-active", "inactive - -");
    says(
        full("2026-01-06 provider item_purged item=j"),
        "premature-purge",
        "window_ended 2026-01-10T00:00:00Z -",
    );
    // For quota, two days after the trash came to be full.
    says(
        full("2026-01-06 provider item_purged item=j cause=quota"),
        "premature-purge",
        "stage_reached 2026-01-07T00:00:00Z - by full for quota",
    );
    // What is left from the 10th on does not fill it: the other item has its 30 days again.
    says(
        full(
            "2026-01-06 user item_trashed item=i
            2026-01-06T00:00:01 provider item_purged item=i cause=quota",
        ),
        "premature-purge",
        "stage_reached 2026-01-07T00:00:00Z 2026-01-10T00:00:00Z by full for quota",
    );
    // A window of no length: there was no instant to restore it at.
    let policy = STAGED.replace("full_window = \"5d\"", "full_window = \"0d\"");
    let events = full("2026-01-06 user item_restored item=j");
    says_by(&policy, &events, "2026-03-01", "restored-after-window", "within_window - -");
}
