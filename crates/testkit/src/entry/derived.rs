//! A derived file beside a sound log.

use std::path::{Path, PathBuf};

use event::{History, Timestamp};
use eventlog::{Log, Options, ReadError, Reader};
use serde_json::Value;
use tempfile::TempDir;

/// The store of the format's test vectors, and what it answers.
struct Store {
    dir: TempDir,
    run: PathBuf,
    histories: Vec<History>,
}

thread_local! {
    static STORE: Store = Store::make();
}

/// Bytes in place of the derived run of a small log. It has checksums, so what the store answers is
/// what the log says, or an error: never a panic, never another answer.
pub fn derived(run: &[u8]) {
    STORE.with(|store| {
        std::fs::write(&store.run, run).expect("a temporary file is written");
        let Ok(reader) = Reader::open(store.dir.path()) else { return };
        let mut histories = Vec::new();
        if each(&reader, &mut histories).is_ok() {
            assert!(histories == store.histories, "other histories");
            assert_eq!(reader.accounts(), store.histories.len() as u64);
        }
        for expected in &store.histories {
            if let Ok(history) = reader.account_history(&expected.account) {
                assert_eq!(history.as_ref(), Some(expected));
            }
            if let Ok(events) = reader.account_events(&expected.account) {
                assert_eq!(History::of(&expected.account, &events), *expected);
            }
        }
    });
}

/// The run that a writer makes of that log.
#[must_use]
pub fn sound_run() -> Vec<u8> {
    let store = Store::make();
    std::fs::read(&store.run).expect("it was made")
}

fn each(reader: &Reader, histories: &mut Vec<History>) -> Result<(), ReadError> {
    reader.for_each_account::<ReadError>(|history| {
        histories.push(history.clone());
        Ok(())
    })
}

impl Store {
    fn make() -> Store {
        let dir = tempfile::tempdir().expect("a temporary folder");
        write_log(dir.path());
        let mut histories = Vec::new();
        let reader = Reader::open(dir.path()).expect("the vectors' log is sound");
        each(&reader, &mut histories).expect("it can be read");
        // A writer that has nothing to write makes the run.
        let options = Options::new(|| Timestamp::from_ms(0).expect("1970"));
        let log = Log::open(dir.path(), options).expect("it can be opened");
        log.close().expect("it can be closed");
        let runs = dir.path().join("derived/runs").read_dir().expect("there are runs");
        let mut runs = runs.map(|entry| entry.expect("an entry").path());
        let run = runs.next().expect("there is a run");
        assert!(runs.next().is_none(), "a log this small has one");
        Store { dir, run, histories }
    }
}

fn write_log(dir: &Path) {
    let vectors = include_str!("../../../../fixtures/format/vectors.json");
    let vectors: Value = serde_json::from_str(vectors).expect("the vectors are JSON");
    let store = &vectors["store"];
    let segments = store["segments"].as_object().expect("segments").iter();
    let segments = segments.map(|(name, bytes)| (name.as_str(), bytes));
    std::fs::create_dir(dir.join("log")).expect("made");
    for (name, bytes) in segments.chain([("HEAD", &store["HEAD"])]) {
        let bytes = commitment::unhex(bytes.as_str().expect("text")).expect("hex");
        std::fs::write(dir.join("log").join(name), bytes).expect("written");
    }
}
