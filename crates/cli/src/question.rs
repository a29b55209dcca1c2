//! What every verb is asked with: the store, the policy, the two clocks, the language.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use event::Timestamp;
use policy::{Policy, PolicyError, presets};
use verifier::Language;

use crate::args::Global;
use crate::failure::Failure;
use crate::show::escape::escaped_path;
use crate::store::Store;

/// The global options, with now read once.
pub struct Question {
    pub store: PathBuf,
    policy: PathBuf,
    /// Answer as of then.
    pub as_of: Timestamp,
    /// Answer by what was recorded up to then.
    pub known_at: Timestamp,
    /// The two as given: what writes the log out filters only when asked to.
    pub asked_as_of: Option<Timestamp>,
    pub asked_known_at: Option<Timestamp>,
    pub json: bool,
    pub lang: Language,
}

impl Question {
    pub fn new(global: Global) -> Question {
        let now = now();
        Question {
            store: global.store,
            policy: global.policy,
            as_of: global.as_of.unwrap_or(now),
            known_at: global.known_at.unwrap_or(now),
            asked_as_of: global.as_of,
            asked_known_at: global.known_at,
            json: global.json,
            lang: global.lang,
        }
    }

    /// Opens the store for reading.
    pub fn open(&self) -> Result<Store, Failure> {
        Store::open(&self.store)
    }

    /// The policy of `--policy`.
    pub fn policy(&self) -> Result<Policy, Failure> {
        find_policy(&self.policy)
    }

    /// In English or in Chinese.
    pub fn pick<T>(&self, en: T, zh: T) -> T {
        self.lang.pick(en, zh)
    }

    /// The failure of an account that is not there as of the instant asked.
    pub fn no_account(&self, account: &str, store: &Store) -> Failure {
        let account_shown = crate::show::escape::escaped(account);
        let Question { as_of, known_at, .. } = self;
        Failure::Usage(match store.has_account(account) {
            true => format!(
                "account {account_shown}: no event is on record as of {as_of}, as known at \
                 {known_at}; ask with a later --as-of or --known-at"
            ),
            false => format!(
                "account {account_shown}: not in the log of {}; `stillthere accounts` lists those \
                 that are",
                escaped_path(&self.store)
            ),
        })
    }
}

/// The clock of this machine.
pub fn now() -> Timestamp {
    let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    };
    let edge = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_ms(ms).unwrap_or(edge)
}

/// The preset of this name, else the policy in this file.
pub fn find_policy(which: &Path) -> Result<Policy, Failure> {
    if let Some(policy) = which.to_str().and_then(Policy::preset) {
        return Ok(policy);
    }
    let text = match read_policy(which) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let names: Vec<&str> = presets().iter().map(|(name, _)| *name).collect();
            return Err(Failure::Usage(format!(
                "{}: neither a preset ({}) nor a policy file; `stillthere policy list` says more",
                escaped_path(which),
                names.join(", ")
            )));
        }
        read => read.map_err(|error| Failure::file(which, "read the policy", &error))?,
    };
    Policy::parse(&text).map_err(|error| bad_policy(which, &error))
}

/// The text of a policy file.
pub fn read_policy(path: &Path) -> io::Result<String> {
    // Longer than any policy that a person would write; a device or a log must not fill memory.
    const MOST_BYTES: u64 = 16 << 20;
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("longer than 16 MiB, which no policy is"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::other(format!("not UTF-8 at byte {at}"))
    })
}

/// `FILE:LINE:COLUMN: key: reason`
pub fn bad_policy(path: &Path, error: &PolicyError) -> Failure {
    Failure::Usage(format!("{}:{error}", escaped_path(path)))
}
