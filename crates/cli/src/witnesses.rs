//! Asks witnesses over HTTP to cosign a checkpoint (C2SP tlog-witness, `add-checkpoint`; docs/proofs.md).
//!
//! Nothing that a witness says is believed but a cosignature by a key that was named beforehand. No redirect is
//! followed, no proxy is taken from the environment, and an answer has an end in bytes and in time.

use std::time::Duration;

use commitment::{
    AddCheckpoint, Checkpoint, Digest, Note, SignatureLine, Signed, VerifierKey, answered_lines,
    conflict_size,
};
use eventlog::{SealError, Sealer};
use ureq::Agent;
use ureq::http::{StatusCode, Uri};

use crate::failure::{Failure, reason};
use crate::question::now;
use crate::show::amount::counted;
use crate::show::escape::escaped;

/// No answer is longer, in bytes: some lines of signatures.
const MOST: u64 = 64 << 10;
/// So much a witness's clock may differ from this machine's, in seconds.
const SLACK_S: u64 = 300;
/// A stranger's words are shown so far, in characters.
const SHOWN: usize = 120;

/// A witness that can be asked: the address in front of `/add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessUrl(String);

/// What is asked of each: to cosign this checkpoint, going on from what they signed last.
pub struct Asked<'a> {
    pub note: &'a Note,
    pub checkpoint: &'a Checkpoint,
    /// The log's keys.
    pub log: &'a [VerifierKey],
    /// Those whose cosignatures count.
    pub witnesses: &'a [VerifierKey],
    /// What they are thought to have signed last, in pages.
    pub old: u64,
    pub sealer: &'a Sealer,
    /// For each request, from looking up the name to the last byte.
    pub timeout: Duration,
}

/// Why there is no cosignature of a witness, in one sentence.
enum Unsigned {
    Said(String),
    Store(SealError),
}

impl WitnessUrl {
    /// Of an address; `None` if it is not one of HTTP, but perhaps a file's name.
    ///
    /// # Errors
    /// An address of HTTP that cannot be asked.
    pub fn parse(text: &str) -> Option<Result<WitnessUrl, Failure>> {
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return None;
        }
        let host = text.parse::<Uri>().ok().and_then(|uri| uri.authority().cloned());
        let is_one = !text.contains(['?', '#', '@']) && host.is_some_and(|h| !h.host().is_empty());
        Some(match is_one {
            true => Ok(WitnessUrl(text.trim_end_matches('/').to_owned())),
            false => Err(Failure::Usage(format!(
                "{}: not the address of a witness, expected http(s)://HOST[:PORT][/PATH]",
                escaped(text)
            ))),
        })
    }
}

impl Asked<'_> {
    /// Asks all of them at the same time: the cosignatures that hold, and a sentence for each witness without one.
    ///
    /// # Errors
    /// Where this log's own tree cannot be read.
    pub fn ask_all(
        &self,
        urls: &[WitnessUrl],
    ) -> Result<(Vec<SignatureLine>, Vec<String>), Failure> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            // A witness may close a connection that nothing is said on just when it is asked again.
            .max_idle_connections(0)
            .timeout_global(Some(self.timeout))
            .user_agent(concat!("stillthere/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::new_with_config(config);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let asked: Vec<_> = urls
                .iter()
                .map(|WitnessUrl(url)| {
                    let agent = &agent;
                    scope.spawn(move || self.ask(agent, url))
                })
                .collect();
            asked.into_iter().map(|one| one.join().expect("asking does not panic")).collect()
        });
        let (mut lines, mut unsigned) = (Vec::new(), Vec::new());
        for (WitnessUrl(url), answer) in urls.iter().zip(answers) {
            match answer {
                Ok(signed) => lines.extend(signed),
                Err(Unsigned::Said(why)) => {
                    unsigned.push(format!("the witness at {}: {why}", escaped(url)));
                }
                Err(Unsigned::Store(error)) => return Err(error.into()),
            }
        }
        Ok((lines, unsigned))
    }

    fn ask(&self, agent: &Agent, url: &str) -> Result<Vec<SignatureLine>, Unsigned> {
        let asked_s = now_s();
        let (status, body) = self.post(agent, url, self.old)?;
        // It says what it signed last, and is asked once more from there.
        let (status, body) = match status {
            StatusCode::CONFLICT => self.post(agent, url, self.conflict(&body, self.old)?)?,
            _ => (status, body),
        };
        match status {
            StatusCode::OK => self.cosignatures(&body, asked_s),
            StatusCode::CONFLICT => Err(Unsigned::Said(
                "it names another size than the one it has just asked for: somebody else writes to it, or it \
                 is at fault"
                    .to_owned(),
            )),
            _ => Err(Unsigned::Said(refusal(status, &body))),
        }
    }

    /// One request: that what it signed last, of `old` pages, is the beginning of the checkpoint's tree.
    fn post(&self, agent: &Agent, url: &str, old: u64) -> Result<(StatusCode, Vec<u8>), Unsigned> {
        let size = self.checkpoint.size;
        let proof: Vec<Digest> = self.sealer.consistency(old, size).map_err(Unsigned::Store)?;
        let request = AddCheckpoint::new(old, proof, self.note.clone())
            .map_err(|error| Unsigned::Said(error.to_string()))?;
        let said = |error: ureq::Error| Unsigned::Said(self.unanswered(&error));
        let answer = agent
            .post(format!("{url}/add-checkpoint"))
            .content_type("text/plain; charset=utf-8")
            .send(request.to_string())
            .map_err(said)?;
        let status = answer.status();
        let body = answer.into_body().into_with_config().limit(MOST).read_to_vec().map_err(said)?;
        Ok((status, body))
    }

    /// The size that a witness says it signed last.
    fn conflict(&self, body: &[u8], old: u64) -> Result<u64, Unsigned> {
        let size = self.checkpoint.size;
        Err(Unsigned::Said(match conflict_size(body) {
            None => format!(
                "it answers 409, expected the size that it signed last and a newline, found {}",
                shown(body)
            ),
            Some(last) if last > size => format!(
                "it signed a tree of {} before, and this log has {size}: the log was cut, or goes on \
                 elsewhere",
                counted(last, "page")
            ),
            Some(last) if last == old => format!(
                "it answers 409 and names the size that it was asked with, {old}: it knows another tree of \
                 that size"
            ),
            Some(last) => return Ok(last),
        }))
    }

    /// The lines of an answer that hold, by keys that were named.
    fn cosignatures(&self, body: &[u8], asked_s: u64) -> Result<Vec<SignatureLine>, Unsigned> {
        let said = |why: String| Err(Unsigned::Said(why));
        let Some(lines) = answered_lines(body) else {
            return said(format!(
                "it answers 200, expected signature lines, found {}",
                shown(body)
            ));
        };
        let mut held = Vec::new();
        for line in lines {
            let Some(key) = self.witnesses.iter().find(|key| line.is_by(key)) else { continue };
            let mut note = self.note.clone();
            let origin = &self.checkpoint.origin;
            let opened = note.add(line.clone()).map_err(|error| error.to_string()).and_then(|()| {
                let one = std::slice::from_ref(key);
                Checkpoint::open(&note, origin, self.log, one).map_err(|error| error.to_string())
            });
            let signed = match opened {
                Ok((_, signed)) => signed,
                Err(error) => return said(error),
            };
            let time_s = signed.iter().find(|Signed { key: by, .. }| by == key);
            let time_s = time_s.and_then(|signed| signed.time_s).unwrap_or(0);
            if time_s + SLACK_S < asked_s || time_s > now_s() + SLACK_S {
                return said(format!(
                    "its cosignature is of the time {time_s} s since 1970, expected now, {}, within {SLACK_S} s",
                    now_s()
                ));
            }
            held.push(line);
        }
        match held.is_empty() {
            true => said("it answers with no cosignature by a --witness-key".to_owned()),
            false => Ok(held),
        }
    }

    fn unanswered(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => {
                format!("no answer within {} s", self.timeout.as_secs())
            }
            ureq::Error::BodyExceedsLimit(_) => {
                format!("an answer of more than {MOST} bytes")
            }
            ureq::Error::HostNotFound => "no such host".to_owned(),
            ureq::Error::Io(error) => format!("cannot be asked: {}", reason(error)),
            other => format!("cannot be asked: {other}"),
        }
    }
}

/// What an answer that is no cosignature means.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let meaning = match status.as_u16() {
        400 => "it cannot read the request",
        403 => "it does not know the key that signed the checkpoint",
        404 => "it does not look after this log, or nobody answers there as a witness does",
        422 => {
            "the tree that it signed last is not the beginning of this log's: one of the two is forged"
        }
        300..400 => {
            "it sends the request elsewhere, and that is not followed; give that address itself"
        }
        _ => "it answers otherwise than a witness does",
    };
    format!("{meaning} (it answers {}: {})", status.as_u16(), shown(body))
}

/// The beginning of a stranger's words, on one line.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_end();
    let line: String = text.chars().take(SHOWN).collect();
    let more = if line.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", escaped(&line))
}

fn now_s() -> u64 {
    u64::try_from(now().ms() / 1000).unwrap_or(0)
}
