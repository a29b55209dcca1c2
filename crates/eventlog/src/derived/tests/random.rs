//! Random work: appends, flushes, merges, closes, kills, cuts of the log; the answers stay right.

use super::*;

fn run(seed: u64, rounds: usize, accounts: usize, most: usize) {
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    let mut derived = log.open(dir.path(), true);
    for _ in 0..rounds {
        for _ in 0..rng.usize(..=most) {
            log.push(&mut rng, accounts);
        }
        if log.events.is_empty() {
            continue;
        }
        log.replay(&mut derived);
        match rng.u32(..10) {
            // A clean close: what comes next replays nothing.
            0 | 1 => {
                log.flush(&mut derived).unwrap();
                derived = log.open(dir.path(), true);
                assert!(derived.table.accounts() == 0);
            }
            // A kill.
            2 => derived = log.open(dir.path(), true),
            // A recovery that cuts the log, by what was appended since the last flush or more.
            3 => {
                log.cut(log.events.len() - rng.usize(..=most.min(log.events.len())));
                derived = log.open(dir.path(), true);
            }
            4 => {
                derived.reset().unwrap();
                log.replay(&mut derived);
            }
            _ => log.flush(&mut derived).unwrap(),
        }
        assert!(derived.runs.runs.len() < 12);
    }
    log.check(&derived).unwrap();
    log.check(&log.open(dir.path(), false)).unwrap();
    let files = std::fs::read_dir(dir.path().join("runs")).unwrap().count();
    assert_eq!(files, derived.runs.runs.len());
}

#[test]
fn a_little_at_a_time() {
    for seed in 0..60 {
        run(seed, 12, 6, 8);
    }
}

/// Enough for several blocks of accounts and of ids.
#[test]
fn much_at_a_time() {
    for seed in 0..3 {
        run(seed, 12, 150, 600);
    }
}

#[test]
fn a_full_table_says_so() {
    let mut rng = fastrand::Rng::with_seed(5);
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    let mut derived = log.open(dir.path(), true);
    let mut flushes = 0;
    for _ in 0..2000 {
        log.push(&mut rng, 20);
        log.replay(&mut derived);
        assert!(derived.table.memory_bytes() < 21_000);
        if derived.is_full() {
            log.flush(&mut derived).unwrap();
            assert!(!derived.is_full());
            flushes += 1;
        }
    }
    assert!((20..60).contains(&flushes), "{flushes}");
    log.check(&derived).unwrap();
}

/// A reader has the runs open that a writer merges and deletes.
#[test]
fn a_reader_keeps_what_it_has_open() {
    let mut rng = fastrand::Rng::with_seed(8);
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    let mut writer = log.open(dir.path(), true);
    for _ in 0..3 {
        (0..40).for_each(|_| log.push(&mut rng, 5));
        log.flush(&mut writer).unwrap();
    }
    let (reader, then) = (log.open(dir.path(), false), log.clone());
    assert_eq!(reader.runs.runs.len(), 3);
    (0..40).for_each(|_| log.push(&mut rng, 5));
    log.flush(&mut writer).unwrap();
    assert_eq!(writer.runs.runs.len(), 1);
    then.check(&reader).unwrap();
    log.check(&writer).unwrap();
}

/// A writer merges after a reader has listed the folder: the reader looks again.
#[test]
fn a_reader_looks_again() {
    let mut rng = fastrand::Rng::with_seed(9);
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    let mut writer = log.open(dir.path(), true);
    for _ in 0..3 {
        (0..10).for_each(|_| log.push(&mut rng, 5));
        log.flush(&mut writer).unwrap();
    }
    (0..10).for_each(|_| log.push(&mut rng, 5));
    let reader = Derived::open(Options::new(dir.path(), STORE, false), |_, _| {
        log.flush(&mut writer).unwrap();
        true
    });
    let reader = reader.unwrap();
    assert_eq!(reader.covered().unwrap().0, 40);
    log.check(&reader).unwrap();
}

/// A store where each process appends one event leaves few files.
#[test]
fn many_small_closes() {
    let mut rng = fastrand::Rng::with_seed(10);
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    for _ in 0..50 {
        log.push(&mut rng, 3);
        let mut writer = log.open(dir.path(), true);
        log.flush(&mut writer).unwrap();
        assert!(writer.runs.runs.len() < 4);
    }
    log.check(&log.open(dir.path(), false)).unwrap();
}

/// Where positions and revisions have gaps, what is there keeps its numbers.
#[test]
fn gaps_are_kept() {
    let mut rng = fastrand::Rng::with_seed(11);
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    (0..8).for_each(|_| log.push(&mut rng, 1));
    for (recorded, n) in log.events.iter_mut().zip([1, 10, 12, 40, 42, 1 << 20, 1 << 30, 1 << 31]) {
        (recorded.position, recorded.revision) = (n, n / 2);
    }
    let expected = log.account("account 0");
    let mut derived = Derived::open(Options::new(dir.path(), STORE, true), |_, _| true).unwrap();
    for (i, recorded) in log.events.iter().enumerate() {
        derived.append(&log.entry(recorded));
        // Six runs, of which four are merged, and two events in the table.
        if i < 6 {
            derived.flush(&log.anchor(1)).unwrap();
        }
        let so_far = derived.account("account 0").unwrap().unwrap();
        assert_eq!(so_far.places, expected.places[..=i]);
        assert_eq!(so_far.head.count, recorded.revision + 1);
    }
    assert_eq!(
        derived.account("account 0").unwrap(),
        Some(Account { head: derived.head("account 0").unwrap().unwrap(), ..expected })
    );
    assert_eq!(derived.next_position(), (1 << 31) + 1);
}
