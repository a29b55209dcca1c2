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
use event::json::{Json, Object};
use policy::PolicyHash;
use verifier::Language;
use verifier::certificate::{Expected, Trust};

/// What to check with.
pub struct Options {
    pub trust: Trust,
    pub expected: Expected,
    pub file: String,
    pub lang: Language,
}

impl Options {
    /// Reads them, or says what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Options, String> {
        let mut given = Given(Object::read(bytes).map_err(|error| error.to_string())?);
        let log = keys(&mut given, "keys")?.ok_or("missing field `keys`")?;
        if log.iter().any(|key| key.name() != log[0].name()) {
            return Err("keys: the keys of one log have one name".to_owned());
        }
        let auditors = keys(&mut given, "auditors")?.unwrap_or_default();
        let witnesses = keys(&mut given, "witnesses")?.unwrap_or_default();
        let need = given.number("require_witnesses")?;
        let witnesses = match need.map(|need| usize::try_from(need).unwrap_or(usize::MAX)) {
            None if witnesses.is_empty() => None,
            need => Some(
                Quorum::new(need.unwrap_or(0), witnesses).map_err(|e| format!("witnesses: {e}"))?,
            ),
        };
        let lang = given.text("lang")?.unwrap_or_else(|| "en".to_owned());
        let lang = Language::ALL.iter().find(|one| one.name() == lang);
        let options = Options {
            trust: Trust { log, auditors, witnesses },
            expected: Expected {
                account: given.text("account")?,
                item: given.text("item")?,
                policy: given.text("policy_hash")?.map(policy_hash).transpose()?,
                size: given.number("size")?,
                since: None,
                as_of: given.instant("as_of")?,
                known_at: given.instant("known_at")?,
            },
            file: given.text("file")?.unwrap_or_default(),
            lang: *lang.ok_or("lang: expected one of en, zh")?,
        };
        if let Some(more) = given.0.keys().next() {
            return Err(format!("unknown field `{more}`"));
        }
        match options.trust.log.is_empty() {
            true => Err("keys: no key of a log to check with".to_owned()),
            false => Ok(options),
        }
    }
}

/// What is given, and was not taken yet. What is null is not given.
struct Given<'a>(Object<'a>);

impl Given<'_> {
    fn text(&mut self, field: &str) -> Result<Option<String>, String> {
        match self.0.take(field) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.into_owned())),
            Some(other) => Err(must_be(field, "a string", &other)),
        }
    }

    fn texts(&mut self, field: &str) -> Result<Option<Vec<String>>, String> {
        let list = match self.0.take(field) {
            None | Some(Json::Null) => return Ok(None),
            Some(Json::Array(list)) => list,
            Some(other) => return Err(must_be(field, "an array of strings", &other)),
        };
        let mut texts = Vec::new();
        for one in list {
            match one {
                Json::Text(text) => texts.push(text.into_owned()),
                other => return Err(must_be(field, "an array of strings", &other)),
            }
        }
        Ok(Some(texts))
    }

    fn number(&mut self, field: &str) -> Result<Option<u64>, String> {
        match self.0.take(field) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Unsigned(number)) => Ok(Some(number)),
            Some(other) => Err(must_be(field, "a whole number", &other)),
        }
    }

    fn instant(&mut self, field: &str) -> Result<Option<Timestamp>, String> {
        let at = self.text(field)?.map(|text| Timestamp::parse(&text)).transpose();
        at.map_err(|error| format!("{field}: {error}"))
    }
}

fn must_be(field: &str, what: &str, found: &Json<'_>) -> String {
    format!("{field}: must be {what}, found {}", found.what())
}

fn keys(given: &mut Given<'_>, field: &str) -> Result<Option<Vec<VerifierKey>>, String> {
    let parse = |text: String| {
        VerifierKey::parse(&text).map_err(|error| format!("{field}: {text:?}: {error}"))
    };
    let texts = given.texts(field)?;
    texts.map(|texts| texts.into_iter().map(parse).collect()).transpose()
}

fn policy_hash(text: String) -> Result<PolicyHash, String> {
    let bytes = unhex(&text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.map(PolicyHash::from_bytes).ok_or_else(|| "policy_hash: expected 64 digits".to_owned())
}
