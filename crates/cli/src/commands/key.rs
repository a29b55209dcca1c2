//! `key`: the key that signs a log's checkpoints, or an auditor's notes.

use serde_json::json;

use crate::args::KeyVerb;
use crate::failure::{Failure, Outcome};
use crate::keys::KeyRing;
use crate::question::Question;
use crate::show::escape::escaped_path;
use crate::show::screen::Screen;

pub fn run(verb: &KeyVerb, question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let (ring, made) = match verb {
        KeyVerb::New { origin, key } => {
            let ring = KeyRing::of(key.as_deref(), question);
            let made = ring.make(origin.as_deref())?;
            (ring, Some(made))
        }
        KeyVerb::Rotate { key } => {
            let ring = KeyRing::of(key.as_deref(), question);
            let made = ring.rotate()?;
            (ring, Some(made))
        }
        KeyVerb::Show { key } => (KeyRing::of(key.as_deref(), question), None),
    };
    let verifiers = ring.verifiers()?;
    let current = verifiers.last().expect("a file of keys has one");
    let path = escaped_path(ring.path());
    if question.json {
        let all: Vec<String> = verifiers.iter().map(ToString::to_string).collect();
        screen.json(&json!({
            "origin": current.name(), "vkey": current.to_string(), "verifiers": all, "key": path,
        }))?;
        return Ok(Outcome::Fine);
    }
    if made.is_none() {
        verifiers.iter().try_for_each(|key| screen.line(key))?;
        return Ok(Outcome::Fine);
    }
    screen.line(current)?;
    screen.line(question.pick(
        format!(
            "This verifier key is for everyone. The private key is in {path}: keep a copy where nobody else \
             reads it."
        ),
        format!("以上验证密钥可公开。私钥在 {path}：请在他人读不到之处另存一份。"),
    ))?;
    Ok(Outcome::Fine)
}
