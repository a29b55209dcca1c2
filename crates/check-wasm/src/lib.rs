//! Checks certificates where there is a WebAssembly machine and nothing else: bytes in, JSON out.
//!
//! | export | what |
//! |---|---|
//! | `alloc(len) -> ptr` | room for `len` bytes, for the caller to fill |
//! | `check(certificate, options) -> ptr` | what `stillthere check FILE --json` prints, in UTF-8; both are such room, filled |
//! | `length(ptr) -> len` | of room; 0 if there is none at this address |
//! | `free(ptr)` | gives room back: the two that were filled, and what `check` answered |
//!
//! The options are in `options.rs`. A fault in them, which on the command line is an error of usage, is `{"error": …}`.
//!
//! No pointer is followed: `room.rs` finds bytes by the address that it gave out, so a wrong address is an answer and
//! nothing worse. What is left of unsafe code is the attribute that exports a function by its name, which would
//! be a danger where another function has it; on machines with an operating system, where C has `free`, none is exported.

mod options;
mod room;

use options::Options;
use serde::Serialize;
use verifier::certificate::{check as check_certificate, check_erasure, is_erasure, refusal};

/// Room for `len` bytes.
#[allow(unsafe_code, reason = "no other function of the module is called so")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn alloc(len: usize) -> usize {
    room::put(vec![0; len])
}

/// How many bytes there are at an address.
#[allow(unsafe_code, reason = "no other function of the module is called so")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn length(ptr: usize) -> usize {
    room::with(ptr, <[u8]>::len).unwrap_or_default()
}

/// Gives room back. An address at which there is none is no matter.
#[allow(unsafe_code, reason = "no other function of the module is called so")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn free(ptr: usize) {
    room::forget(ptr);
}

/// Checks a certificate; the address of the answer.
#[allow(unsafe_code, reason = "no other function of the module is called so")]
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn check(certificate: usize, options: usize) -> usize {
    let options = room::with(options, <[u8]>::to_vec).unwrap_or_default();
    let answer = room::with(certificate, |bytes| answer(bytes, &options));
    room::put(answer.unwrap_or_else(|| fault("no certificate")).into_bytes())
}

/// The line of JSON that the command line prints.
fn answer(certificate: &[u8], options: &[u8]) -> String {
    let Options { trust, expected, file, lang } = match Options::read(options) {
        Ok(options) => options,
        Err(error) => return fault(&format!("options: {error}")),
    };
    let told = match is_erasure(certificate) {
        true => check_erasure(certificate, &trust, &expected, lang).map(|c| json(&c.report())),
        false => check_certificate(certificate, &trust, &expected, lang).map(|c| json(&c.report())),
    };
    match told {
        Ok(report) => report,
        Err(error) => json(&refusal(&file, &error.to_string())),
    }
}

fn fault(what: &str) -> String {
    json(&Fault { error: what })
}

#[derive(Serialize)]
struct Fault<'a> {
    error: &'a str,
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| unreachable!("answers are JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a caller does it, but that it writes into the room from outside.
    fn asked(certificate: &[u8], options: &str) -> String {
        let [certificate, options] =
            [certificate, options.as_bytes()].map(|bytes| room::put(bytes.to_vec()));
        let answered = check(certificate, options);
        let text = room::with(answered, |bytes| String::from_utf8(bytes.to_vec()).unwrap());
        assert_eq!(length(answered), text.as_ref().unwrap().len());
        for room in [certificate, options, answered] {
            free(room);
        }
        assert_eq!(length(answered), 0);
        text.unwrap()
    }

    #[test]
    fn wrong_options_are_told() {
        for (options, told) in [
            ("", "the line ends within a value"),
            ("[]", "must be a JSON object, found an array"),
            ("{}", "missing field `keys`"),
            (r#"{"keys":[],"keys":[]}"#, "given twice"),
            (r#"{"keys":"x"}"#, "keys: must be an array of strings, found a string"),
            (r#"{"keys":[7]}"#, "keys: must be an array of strings, found a number"),
            (r#"{"keys":[],"file":7}"#, "file: must be a string, found a number"),
            (r#"{"keys":[],"size":-1}"#, "size: must be a whole number, found a number"),
            (r#"{"keys":[]}"#, "no key of a log"),
            (r#"{"keys":["x"]}"#, "keys: "),
            (r#"{"keys":[],"more":1,"lang":null}"#, "unknown field `more`"),
            (r#"{"keys":[],"lang":"de"}"#, "lang: expected one of en, zh"),
            (r#"{"keys":[],"as_of":"2026"}"#, "as_of: "),
            (r#"{"keys":[],"policy_hash":"00"}"#, "policy_hash: "),
            (r#"{"keys":[],"require_witnesses":1}"#, "witnesses"),
        ] {
            let answered = asked(b"", options);
            assert!(answered.starts_with(r#"{"error":"options: "#), "{answered}");
            assert!(answered.contains(told), "{answered}: {told}");
        }
    }

    #[test]
    fn no_bytes_are_no_certificate() {
        let key =
            commitment::SignerKey::new("a", commitment::Algorithm::Ed25519, &[1; 32]).unwrap();
        let options = format!(r#"{{"keys":["{}"],"file":"a.cert"}}"#, key.verifier());
        let expected = r#"{"file":"a.cert","ok":false,"reason":"not a certificate: it does not begin with STILLCRT","what":[]}"#;
        assert_eq!(asked(b"", &options), expected);
    }

    #[test]
    fn an_address_that_was_not_given_out_is_no_room() {
        assert_eq!(length(7), 0);
        free(7);
        let answered = check(7, 7);
        let text = room::with(answered, |bytes| String::from_utf8(bytes.to_vec()).unwrap());
        assert_eq!(text.as_deref(), Some(r#"{"error":"no certificate"}"#));
        let empty = [alloc(0), alloc(0)];
        assert_ne!(empty[0], empty[1]);
    }
}
