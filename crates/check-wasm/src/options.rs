//! With what a certificate is checked: one object, whose fields are the options of `stillthere check`.
//!
//! | field | of the command line | |
//! |---|---|---|
//! | `keys` | `--key` | the log's verifier keys, at least one |
//! | `auditors`, `witnesses` | `--auditor`, `--witness` | verifier keys |
//! | `require_witnesses` | `--require-witnesses` | a number |
//! | `account`, `item`, `size`, `as_of`, `known_at` | the same | refuse one of another |
//! | `policy_hash` | the hash of `--policy` | 64 hexadecimal digits |
//! | `lang` | `--lang` | `en` (if left out) or `zh` |
//! | `file` | the file's name | what a refusal calls it |

use commitment::{Quorum, VerifierKey, unhex};
use event::Timestamp;
use policy::PolicyHash;
use serde::Deserialize;
use verifier::Language;
use verifier::certificate::{Expected, Trust};

/// What to check with.
pub struct Options {
    pub trust: Trust,
    pub expected: Expected,
    pub file: String,
    pub lang: Language,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    keys: Vec<String>,
    #[serde(default)]
    auditors: Vec<String>,
    #[serde(default)]
    witnesses: Vec<String>,
    require_witnesses: Option<usize>,
    account: Option<String>,
    item: Option<String>,
    policy_hash: Option<String>,
    size: Option<u64>,
    as_of: Option<String>,
    known_at: Option<String>,
    lang: Option<String>,
    #[serde(default)]
    file: String,
}

impl Options {
    /// Reads them, or says what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Options, String> {
        let given: Given = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let log = keys("keys", &given.keys)?;
        if log.iter().any(|key| key.name() != log[0].name()) {
            return Err("keys: the keys of one log have one name".to_owned());
        }
        let witnesses = keys("witnesses", &given.witnesses)?;
        let witnesses = match given.require_witnesses {
            None if witnesses.is_empty() => None,
            need => Some(
                Quorum::new(need.unwrap_or(0), witnesses).map_err(|e| format!("witnesses: {e}"))?,
            ),
        };
        let instant = |field: &str, text: Option<String>| {
            let at = text.map(|text| Timestamp::parse(&text)).transpose();
            at.map_err(|error| format!("{field}: {error}"))
        };
        let lang = given.lang.as_deref().unwrap_or("en");
        let lang = Language::ALL.iter().find(|one| one.name() == lang);
        let options = Options {
            trust: Trust { log, auditors: keys("auditors", &given.auditors)?, witnesses },
            expected: Expected {
                account: given.account,
                item: given.item,
                policy: given.policy_hash.as_deref().map(policy_hash).transpose()?,
                size: given.size,
                as_of: instant("as_of", given.as_of)?,
                known_at: instant("known_at", given.known_at)?,
            },
            file: given.file,
            lang: *lang.ok_or("lang: expected one of en, zh")?,
        };
        match options.trust.log.is_empty() {
            true => Err("keys: no key of a log to check with".to_owned()),
            false => Ok(options),
        }
    }
}

fn keys(field: &str, given: &[String]) -> Result<Vec<VerifierKey>, String> {
    let parse = |text: &String| {
        VerifierKey::parse(text).map_err(|error| format!("{field}: {text:?}: {error}"))
    };
    given.iter().map(parse).collect()
}

fn policy_hash(text: &str) -> Result<PolicyHash, String> {
    let bytes = unhex(text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.map(PolicyHash::from_bytes).ok_or_else(|| "policy_hash: expected 64 digits".to_owned())
}
