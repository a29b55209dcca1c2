//! Events, stores and answers for the tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Divergence, Head, Level, LogCheck, Report, segment_name};
use event::{Event, Recorded, Timestamp};
use stillthere_eventlog::storage::{Disk, Storage};
use stillthere_eventlog::{Log, LogFiles, OpenError, Options, ReadError, Reader};

/// The time of every test's clock.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00Z").unwrap()
}

/// Options with a clock that stands still, and segments of so many bytes.
pub fn options(segment_bytes: u64) -> Options {
    Options { segment_bytes, ..Options::new(now) }
}

/// The event of a line of JSON, whose commonest fields are given apart.
pub fn event(account: &str, id: &str, rest: &str) -> Event {
    let comma = if rest.is_empty() { "" } else { "," };
    let line = format!(
        r#"{{"id":"{id}","account":"{account}","occurred_at":"2026-02-13T13:47:38Z","actor":"user"{comma}{rest}}}"#
    );
    event::read_line(line.as_bytes()).unwrap_or_else(|e| panic!("{line}: {e:?}"))
}

/// `from..to` of an endless row of different events of a few accounts.
pub fn events(from: usize, to: usize) -> Vec<Event> {
    let one = |n: usize| {
        let rest = match n % 6 {
            0 => format!(r#""kind":"item_uploaded","item":"i{n}","category":"photos","bytes":{n}"#),
            1 => format!(r#""kind":"item_trashed","item":"i{}","surface":"web""#, n - 1),
            2 => r#""kind":"sync_off","category":"notes""#.to_owned(),
            3 => format!(
                r#""kind":"backup_completed","backup":"b{n}","bytes":7,"parts":["home_layout"]"#
            ),
            4 => r#""kind":"page_viewed","attributes":{"from":"here","to":"there"}"#.to_owned(),
            _ => r#""kind":"item_purged","item":"x","cause":"quota""#.to_owned(),
        };
        event(&format!("account-{}", n % 5), &format!("e{n}"), &rest)
    };
    (from..to).map(one).collect()
}

/// Everything that a check of a store's files says.
pub fn check_on(
    storage: Arc<dyn Storage>,
    dir: &Path,
    level: Level,
) -> Result<(Report, Vec<Recorded>), Box<Divergence>> {
    let files = LogFiles::open_on(storage, dir).unwrap_or_else(|e| panic!("{e}"));
    let checked = check_in_order(&files, level);
    let on_all_cores = files.check(level, || (), |_| ()).map(|log| log.report);
    let on_all_cores = on_all_cores.map_err(Stop::divergence);
    assert_eq!(on_all_cores.as_ref(), checked.as_ref().map(|(report, _)| report));
    checked
}

fn check_in_order(
    files: &LogFiles,
    level: Level,
) -> Result<(Report, Vec<Recorded>), Box<Divergence>> {
    let mut events = Vec::new();
    let mut check = LogCheck::new(level, files.head())?;
    for file in files.files() {
        check.file(&file.name)?;
        let feed = |bytes: &[u8]| {
            check.feed(bytes, &mut |checked| events.push(checked.recorded())).map_err(Stop::Found)
        };
        files.read(file, feed).map_err(Stop::divergence)?;
    }
    Ok((check.finish()?, events))
}

/// [`check_on`] the real disk, at full level.
pub fn check(dir: &Path) -> Result<(Report, Vec<Recorded>), Box<Divergence>> {
    check_on(Arc::new(Disk), dir, Level::Full)
}

enum Stop {
    Found(Box<Divergence>),
    Read(ReadError),
}

impl Stop {
    fn divergence(self) -> Box<Divergence> {
        match self {
            Stop::Found(divergence) => divergence,
            Stop::Read(e) => panic!("{e}"),
        }
    }
}

impl From<ReadError> for Stop {
    fn from(e: ReadError) -> Stop {
        Stop::Read(e)
    }
}

impl From<Box<Divergence>> for Stop {
    fn from(divergence: Box<Divergence>) -> Stop {
        Stop::Found(divergence)
    }
}

/// Opens for writing, in segments of 64 MiB.
pub fn open(dir: &Path) -> Log {
    try_open(dir).unwrap_or_else(|e| panic!("{e}"))
}

/// The same, where it may fail.
pub fn try_open(dir: &Path) -> Result<Log, OpenError> {
    Log::open(dir, options(64 << 20))
}

/// The last segment of a store, and where `HEAD` says that it ends.
pub fn end(dir: &Path) -> (PathBuf, u64) {
    let head = std::fs::read(dir.join("log/HEAD")).unwrap();
    let now = Head::decode(&head).unwrap().now;
    (dir.join("log").join(segment_name(now.segment)), now.offset)
}

/// Takes the room behind the end away.
pub fn cut_room(dir: &Path) {
    let (path, end) = end(dir);
    std::fs::File::options().write(true).open(path).unwrap().set_len(end).unwrap();
}

/// All events of a store, by a reader's scan; held against every other way to read them.
pub fn read_all(storage: Arc<dyn Storage>, dir: &Path) -> Vec<Recorded> {
    let reader = Reader::open_on(storage, dir).unwrap_or_else(|e| panic!("{e}"));
    let mut all = Vec::new();
    reader
        .scan::<ReadError>(|recorded| {
            all.push(recorded);
            Ok(())
        })
        .unwrap();
    assert_eq!(all.len() as u64, reader.size());
    for (n, recorded) in all.iter().enumerate() {
        assert_eq!(recorded.position, n as u64);
        assert_eq!(reader.event_at(n as u64).unwrap().as_ref(), Some(recorded));
    }
    assert_eq!(reader.event_at(reader.size()).unwrap(), None);
    let mut names: Vec<&str> = all.iter().map(|r| r.event.account.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(reader.accounts(), names.len() as u64);
    let mut histories = Vec::new();
    reader
        .for_each_account::<ReadError>(|history| {
            histories.push(history.clone());
            Ok(())
        })
        .unwrap();
    assert_eq!(histories.iter().map(|h| h.account.as_str()).collect::<Vec<_>>(), names);
    for history in &histories {
        let own: Vec<Recorded> =
            all.iter().filter(|r| r.event.account == history.account).cloned().collect();
        for (revision, recorded) in own.iter().enumerate() {
            assert_eq!(recorded.revision, revision as u64);
        }
        assert_eq!(*history, event::History::of(&history.account, &own));
        assert_eq!(reader.account_history(&history.account).unwrap().as_ref(), Some(history));
        assert_eq!(reader.account_events(&history.account).unwrap(), own);
    }
    assert_eq!(reader.account_history("nobody").unwrap(), None);
    assert_eq!(reader.account_events("nobody").unwrap(), []);
    all
}

/// The events of a store without their places, after every way to read and check it agreed.
pub fn contents(dir: &Path) -> Vec<Event> {
    let all = read_all(Arc::new(Disk), dir);
    let (report, checked) = check(dir).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(checked, all);
    let (quick, _) = check_on(Arc::new(Disk), dir, Level::Quick).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(quick, report);
    all.into_iter().map(|recorded| recorded.event).collect()
}
