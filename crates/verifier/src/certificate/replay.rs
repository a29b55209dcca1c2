//! The answer that follows from what a certificate shows.

use commitment::{ENVELOPE, Envelope, Scope, content_of, hex};
use event::json::Json;
use event::{ErasedEvents, EventHash, History, Names, Recorded, Step, Timestamp, canonical};
use policy::Policy;
use projection::fold_whole;
use serde::Serialize;

use super::{CertificateError, Question, Shown, Stream};
use crate::{Asked, Bench, Claim, ClaimSubject, Language};

/// The most readings of a policy under which a certificate's claims are judged: each is a policy of its own.
const MAX_READINGS: usize = 64;
/// The most folds that a certificate's claims ask for, one a claim and reading and one a claim: each goes over all events, so
/// more would cost out of proportion to its length.
const MAX_FOLDS: usize = 4096;

/// A stream as far as it is shown, fit to be folded.
pub(super) struct Replay {
    pub(super) history: History,
    /// By revision; `None` of an event that is shown by its envelope.
    hashes: Vec<Option<EventHash>>,
}

/// Whether an answer about one item needs the whole event: all but those about other items and about
/// backups, of which it needs to know only that they are. Under a policy that
/// [reads other items](Policy::reads_other_items) ask with no item: everything is needed.
#[must_use]
pub fn is_needed(envelope: &Envelope, item: Option<&[u8; 16]>) -> bool {
    let Some(item) = item else { return true };
    match envelope.scope {
        Scope::Account | Scope::Category => true,
        Scope::Item => envelope.tag == *item,
        Scope::Backup => false,
    }
}

/// Whether an event of this kind is about an item or a backup, as its envelope says. Of any other kind an
/// answer about an item reads the content, whatever the envelope says of its scope.
fn can_be_hidden(envelope: &Envelope) -> bool {
    match envelope.scope {
        Scope::Item => envelope.kind.may_name_item(),
        Scope::Backup => envelope.kind.names_backup(),
        Scope::Account | Scope::Category => false,
    }
}

/// What tells one hidden subject from another.
fn tagged(scope: Scope, tag: &[u8; 16]) -> String {
    format!("{} {}", scope as u8, hex(tag))
}

impl Replay {
    /// # Errors
    /// An event that is not what the log takes, or not shown as the question needs it.
    pub(super) fn of(
        account: &str,
        stream: &Stream,
        item: Option<&str>,
        policy: &Policy,
    ) -> Result<Replay, CertificateError> {
        let needs_all = item.is_none() || policy.reads_other_items();
        let mut names = Names::default();
        let mut steps = Vec::with_capacity(stream.events.len());
        let mut hashes = Vec::with_capacity(stream.events.len());
        // The tag of the item that was asked for, and those of what is hidden, each with the number that it goes by.
        let mut asked: Option<[u8; 16]> = None;
        let (mut tags, mut hidden) = (Names::default(), Vec::new());
        for (revision, shown) in (0u64..).zip(&stream.events) {
            let bad = |what: String| CertificateError::Event { revision, what };
            let bytes: &[u8; ENVELOPE] = match shown {
                Shown::Whole { envelope, .. } | Shown::Envelope { envelope, .. } => envelope,
            };
            let envelope = Envelope::decode(bytes).map_err(|fault| bad(fault.to_string()))?;
            if envelope.ordinal != stream.ordinal {
                return Err(bad("it is of another account's number".to_owned()));
            }
            match shown {
                Shown::Whole { padded, position, .. } => {
                    let content = canonical::decode_content(envelope.kind, content_of(padded))
                        .map_err(|error| bad(error.to_string()))?;
                    let event = envelope.event(account, content);
                    let (scope, subject) = Scope::of(&event.payload);
                    if scope != envelope.scope {
                        return Err(bad("its envelope is of another scope".to_owned()));
                    }
                    if scope == Scope::Item && Some(subject) == item {
                        if asked.is_some_and(|tag| tag != envelope.tag) {
                            return Err(bad("the item has another tag elsewhere".to_owned()));
                        }
                        asked = Some(envelope.tag);
                    }
                    hashes.push(Some(EventHash::of(&event)));
                    let recorded = Recorded {
                        event,
                        position: *position,
                        revision,
                        recorded_at: envelope.recorded_at,
                        recorded_by: envelope.recorded_by,
                    };
                    steps.push(Step::of(&recorded, &mut names));
                }
                Shown::Envelope { .. } => {
                    if needs_all || !can_be_hidden(&envelope) {
                        return Err(bad("the answer needs its content".to_owned()));
                    }
                    let tag = tags.intern(&tagged(envelope.scope, &envelope.tag)).index();
                    if tag == hidden.len() {
                        // No subject is called so: it has at least one byte.
                        hidden.push(names.push(""));
                    }
                    hashes.push(None);
                    steps.push(Step { subject: Some(hidden[tag]), ..envelope.step(0, revision) });
                }
            }
        }
        if let Some(item) = item {
            let tag = asked.ok_or_else(|| CertificateError::NoItem(item.to_owned()))?;
            if tags.find(&tagged(Scope::Item, &tag)).is_some() {
                return Err(CertificateError::Hidden);
            }
        }
        event::sort_by_key(&mut steps, |step| (step.occurred_at, step.revision));
        // Of what was erased nothing but envelopes can be shown, and where an answer needs more it was refused above.
        let erased = ErasedEvents::default();
        Ok(Replay {
            history: History { account: account.to_owned(), names, steps, erased },
            hashes,
        })
    }
}

/// What follows from a stream under a policy: a line of JSON a claim; without claims one of the item or the
/// account. An account without events is absent. Sentences are told in `lang`, and say nothing of what a reading of the policy
/// sets: its compiled form, which a certificate has, does not spell that.
///
/// # Errors
/// A claim that cannot be read or is about something else, an event that is not what the log takes; more than 64 readings
/// under which claims are asked, or more than 4,096 folds for them ([`CertificateError::Work`]).
pub fn answer(
    account: &str,
    stream: Option<&Stream>,
    policy: &Policy,
    question: &Question,
    lang: Language,
) -> Result<Vec<String>, CertificateError> {
    let item = question.item.as_deref();
    let replay = stream.map(|stream| Replay::of(account, stream, item, policy)).transpose()?;
    answers(account, replay.as_ref(), policy, question, lang)
}

/// The same of a stream that was read.
pub(super) fn answers(
    account: &str,
    replay: Option<&Replay>,
    policy: &Policy,
    question: &Question,
    lang: Language,
) -> Result<Vec<String>, CertificateError> {
    let Question { as_of, known_at, item, claims } = question;
    if !claims.is_empty() {
        let (claims_asked, readings) = (claims.len(), policy.readings().len());
        if readings > MAX_READINGS || claims_asked.saturating_mul(readings + 1) > MAX_FOLDS {
            return Err(CertificateError::Work { claims: claims_asked, readings });
        }
        let bench = Bench::of_certificate(policy.clone());
        let (as_of, known_at) = (*as_of, *known_at);
        let asked = Asked { as_of, known_at, names_known_at: false, lang };
        let judged = claims.iter().map(|line| {
            let claim = claim(line, account, item.as_deref())?;
            let history = replay.map(|replay| &replay.history);
            let verdict = bench.judge(&claim, history, &asked, |event| {
                let hashes = replay.map_or(&[][..], |replay| &replay.hashes);
                let hash = usize::try_from(event.revision).ok().and_then(|n| hashes.get(n));
                hash.copied().flatten().ok_or(CertificateError::Hidden)
            })?;
            Ok(json(&verdict))
        });
        return judged.collect();
    }
    let view = replay.and_then(|r| fold_whole(&r.history, policy, *as_of, *known_at));
    let Some(view) = view else {
        return Ok(vec![json(&Absent { account, as_of: *as_of, absent: true })]);
    };
    let Some(item) = item else { return Ok(vec![json(&view.account_state())]) };
    let row = view.account_state().items.into_iter().find(|row| row.item == *item);
    Ok(vec![match row {
        Some(item) => json(&ItemAnswer { account, as_of: *as_of, item: &item }),
        None => json(&Absent { account, as_of: *as_of, absent: true }),
    }])
}

/// Answers as a certificate has them: without the sentences of verdicts, which may be worded otherwise one day.
///
/// # Panics
/// If they are not what [`answer`] gave to the question.
#[must_use]
pub fn without_sentences(answers: &[String], question: &Question) -> Vec<String> {
    let bare = |answer: &String| {
        let mut verdict = read(answer);
        if let Json::Object(fields) = &mut verdict {
            fields.take("because");
            fields.take("caveats");
        }
        json(&verdict.sorted())
    };
    match question.claims.is_empty() {
        true => answers.to_vec(),
        false => answers.iter().map(bare).collect(),
    }
}

/// A claim about what the certificate is about.
fn claim(line: &str, account: &str, item: Option<&str>) -> Result<Claim, CertificateError> {
    let claim = Claim::read(line.as_bytes()).map_err(CertificateError::Claim)?;
    let is_about = match (&claim.subject, item) {
        (ClaimSubject::Item(subject), Some(item)) => subject == item,
        (_, Some(_)) => false,
        (_, None) => true,
    };
    if claim.account != account || !is_about {
        return Err(CertificateError::OtherClaim(claim.claim));
    }
    Ok(claim)
}

#[derive(Serialize)]
struct Absent<'a> {
    account: &'a str,
    as_of: Timestamp,
    absent: bool,
}

#[derive(Serialize)]
struct ItemAnswer<'a> {
    account: &'a str,
    as_of: Timestamp,
    #[serde(flatten)]
    item: &'a projection::ItemRow,
}

/// Without a word of the error that there cannot be: its text is kilobytes of WebAssembly.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| unreachable!("answers are JSON"))
}

/// An answer as it was told.
pub(super) fn read(answer: &str) -> Json<'_> {
    serde_json::from_str(answer).unwrap_or_else(|_| unreachable!("answers are JSON"))
}
