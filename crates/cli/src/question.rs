//! What every verb is asked with: the store, the policy, the two clocks, the language.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use event::Timestamp;
use policy::{Policy, PolicyError, Version, presets};
use verifier::Language;

use crate::args::Global;
use crate::failure::Failure;
use crate::show::amount::{count, counted, counted_were};
use crate::show::escape::escaped_path;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};
use crate::show::words::Word;
use crate::store::Store;

/// Which global options were given, and are not the default.
pub struct Asked {
    pub store: bool,
    pub policy: bool,
}

/// The global options, with now read once.
pub struct Question {
    pub store: PathBuf,
    /// Whether the store was asked for, and is not the default.
    pub is_store_asked: bool,
    policy: PathBuf,
    /// Whether the policy was asked for, and is not the default.
    pub is_policy_asked: bool,
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
    pub fn new(global: Global, asked: Asked) -> Question {
        let now = now();
        Question {
            store: global.store,
            is_store_asked: asked.store,
            policy: global.policy,
            is_policy_asked: asked.policy,
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

    /// What `--policy` names.
    pub fn policy_asked(&self) -> &Path {
        &self.policy
    }

    /// Which rules an answer went by, for people: the version in force, the file if one was given,
    /// and the beginning of the policy's hash.
    pub fn policy_line(&self, policy: &Policy, version: &Version) -> String {
        let (name, id, sure) = (&policy.name, &version.id, version.confidence.word(self.lang));
        let rules = self.pick(format!("{name} {id} ({sure})"), format!("{name} {id}（{sure}）"));
        let is_preset = presets().iter().any(|(preset, _)| self.policy.as_os_str() == *preset);
        let file = self.policy.file_name().filter(|_| !is_preset);
        let hash = policy.hash().to_string()[..8].to_owned();
        let parts = [Some(rules), file.map(|file| escaped_path(Path::new(file))), Some(hash)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// A line for people that says what `--known-at` was, if it was given.
    pub fn known_at_line(&self, screen: &mut Screen) -> Result<(), Failure> {
        match self.asked_known_at {
            Some(at) if !self.json => {
                let text = self.pick(format!("known at  {at}"), format!("已知截至  {at}"));
                let text = screen.styled(text, style::DIM);
                screen.line(text)
            }
            _ => Ok(()),
        }
    }

    /// In English or in Chinese.
    pub fn pick<T>(&self, en: T, zh: T) -> T {
        self.lang.pick(en, zh)
    }

    /// What is said where an empty store leaves nothing to list.
    pub fn nothing_yet(&self) -> &'static str {
        self.pick(
            "The log holds no events: `stillthere import` appends some.",
            "日志中还没有事件：用 `stillthere import` 导入。",
        )
    }

    /// Says for people that nothing can be said of accounts that were erased, if any were.
    pub fn erased_accounts_line(&self, store: &Store, screen: &mut Screen) -> Result<(), Failure> {
        let erased = if self.json { 0 } else { store.erased_accounts()? };
        if erased == 0 {
            return Ok(());
        }
        let of = counted(erased, "account");
        let were = if erased == 1 { "was" } else { "were" };
        let text = self.pick(
            format!("Of {of} that {were} erased nothing can be said."),
            format!("另有 {} 个账号已擦除，无从得知。", count(erased)),
        );
        paragraph(screen, 0, &Cell::styled(text, style::DIM))
    }

    /// The failure of an account that is not there as of the instant asked.
    pub fn no_account(&self, account: &str, store: &Store) -> Failure {
        let account_shown = crate::show::escape::escaped(account);
        let as_of = self.as_of;
        Failure::Usage(match store.has_account(account) {
            true => {
                let known_at =
                    self.asked_known_at.map_or(String::new(), |at| format!(", as known at {at}"));
                format!(
                    "nothing of account {account_shown} is on record as of {as_of}{known_at}; ask with \
                     a later --as-of or --known-at"
                )
            }
            false => {
                let erased = match store.erased_accounts() {
                    Ok(erased) if erased > 0 => {
                        format!(", unless it was erased: {}", counted_were(erased, "account"))
                    }
                    _ => String::new(),
                };
                format!(
                    "account {account_shown}: not in the log of {}{erased}; `stillthere accounts` lists \
                     those that are",
                    escaped_path(&self.store)
                )
            }
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
    Policy::parse(&policy_text(which)?).map_err(|error| bad_policy(which, &error))
}

/// The text of the preset of this name, else of this file.
pub fn policy_text(which: &Path) -> Result<Cow<'static, str>, Failure> {
    if let Some((_, text)) = presets().iter().find(|(name, _)| which.as_os_str() == *name) {
        return Ok(Cow::Borrowed(*text));
    }
    match read_policy(which) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let names: Vec<&str> = presets().iter().map(|(name, _)| *name).collect();
            Err(Failure::Usage(format!(
                "{}: neither a preset ({}) nor a policy file; `stillthere policy list` says more",
                escaped_path(which),
                names.join(", ")
            )))
        }
        read => {
            read.map(Cow::Owned).map_err(|error| Failure::file(which, "read the policy", &error))
        }
    }
}

/// The text of a policy file.
fn read_policy(path: &Path) -> io::Result<String> {
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
