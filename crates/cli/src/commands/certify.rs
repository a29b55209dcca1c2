//! `certify`: an answer with all that it rests on, in one file.

mod erasure;
pub mod since;

use std::path::Path;

use commitment::{Checkpoint, ENVELOPE, Envelope, Note, Scope};
use eventlog::{PlacedControl, Reader, SealedLog, ShownEvent, ShownStream};
use policy::Policy;
use serde_json::json;
use verifier::certificate::{
    self, Adopted, Certificate, CertificateError, Expected, Placed, Shown, Stream, Trust, answer,
    is_needed, without_sentences,
};

use self::since::Earlier;
use super::checkpoint::published;
use crate::args::CertifyArgs;
use crate::commands::check::show;
use crate::failure::{Failure, Outcome};
use crate::input::{Input, Next};
use crate::keys::{note_in, own_keys};
use crate::output::{Partial, refuse_in_store};
use crate::question::Question;
use crate::show::amount::counted;
use crate::show::escape::escaped;
use crate::show::screen::Screen;

pub fn run(
    args: &CertifyArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    if let Some(path) = &args.output {
        refuse_in_store(path, &question.store)?;
    }
    let Some(account) = &args.account else {
        return erasure::run(args, question, screen);
    };
    let policy = question.policy()?;
    let claims = args.claim.as_deref().map(claims_in).transpose()?.unwrap_or_default();
    let audits = audits(args)?;
    let reader = Reader::open(&question.store)?;
    let (note, checkpoint) = published(args.checkpoint.as_deref(), question)?;
    let sealed = SealedLog::open(&question.store, &reader, checkpoint.size)?;
    is_of(&sealed, &checkpoint)?;
    let keys = own_keys(question, Some(&checkpoint.origin))?;
    let earlier = args.since.as_deref().map(|path| Earlier::open(path, &checkpoint, &keys));
    let since = earlier.transpose()?.map(|earlier| earlier.goes_on(&sealed, &reader, question));
    let since = since.transpose()?;
    let stream = sealed.stream(&reader, account)?;
    let tag = match (&stream, &args.item) {
        (Some(stream), Some(item)) => Some(item_tag(stream, item, question)?),
        (None, Some(_)) => return Err(question.no_account(account, &question.open()?)),
        (_, None) => None,
    };
    // Where the policy weighs the account's other items, an answer about one needs all events.
    let of_item = tag.as_ref().filter(|_| !policy.reads_other_items());
    if let Some(stream) = &stream {
        nothing_needed_is_erased(stream, of_item, &policy, &reader, question, account)?;
    }
    let stream = stream.map(|stream| shown(stream, of_item));
    let asked = certificate::Question {
        as_of: question.as_of,
        known_at: question.known_at,
        item: args.item.clone(),
        claims,
    };
    let compiled = policy.canonical_bytes();
    // As whoever checks it reads it: without the texts, of which the compiled form has the hashes.
    let policy = Policy::from_canonical_bytes(&compiled)
        .map_err(|error| Failure::Usage(format!("the policy: {error}")))?;
    let answers = answer(account, stream.as_ref(), &policy, &asked, question.lang);
    let answers = without_sentences(&answers.map_err(refused)?, &asked);
    let adopted = sealed.adoption(&compiled)?;
    let seal = sealed.seal()?;
    let certificate = Certificate {
        checkpoint: note.to_string(),
        since,
        audits: audits.iter().map(ToString::to_string).collect(),
        seal_body: seal.body.clone(),
        seal: placed(seal),
        map: sealed.map(account)?,
        account: account.clone(),
        stream,
        policy: compiled,
        adopted: adopted.map(|adopted| Adopted { leaf: adopted.leaf, placed: placed(adopted) }),
        question: asked,
        answers,
    };
    let bytes = certificate.encode();
    // Whoever is handed it will check it: so it is checked first.
    let trust = Trust { log: keys, ..Trust::default() };
    let expected = Expected { known_at: Some(question.known_at), ..Expected::default() };
    let checked = certificate::check(&bytes, &trust, &expected, question.lang);
    let checked = checked.map_err(|error| would_not_hold(&error))?;
    if let Some(path) = &args.output {
        let mut file = Partial::create(path)?;
        file.write(&bytes)?;
        let name = file.end()?;
        if !args.print {
            return match question.json {
                true => screen.json(&json!({
                    "certificate": name, "bytes": bytes.len(), "account": account,
                    "whole": checked.whole, "envelopes": checked.hidden, "size": checked.tree.pages,
                    "events": checked.seal.size, "since": checked.since,
                })),
                false => screen.line(question.pick(
                    format!(
                        "{} written to {name}: {} of {} whole, {} by envelope.",
                        counted(bytes.len() as u64, "byte"),
                        counted(checked.whole, "event"),
                        escaped(account),
                        checked.hidden
                    ),
                    format!(
                        "已写入 {name}：{} 字节；{} 的 {} 条事件完整示出，{} 条仅示封套。",
                        bytes.len(),
                        escaped(account),
                        checked.whole,
                        checked.hidden
                    ),
                )),
            }
            .map(|()| Outcome::Fine);
        }
    }
    show(&checked, question, screen)?;
    Ok(Outcome::Fine)
}

/// Holds that the log begins with the checkpoint's tree.
fn is_of(sealed: &SealedLog, checkpoint: &Checkpoint) -> Result<(), Failure> {
    match sealed.head().root == checkpoint.root {
        true => Ok(()),
        false => Err(Failure::Refused(format!(
            "the first {} of this log have another root than the checkpoint",
            counted(checkpoint.size, "page")
        ))),
    }
}

fn audits(args: &CertifyArgs) -> Result<Vec<Note>, Failure> {
    args.audits.iter().map(|path| note_in(path)).collect()
}

fn refused(error: CertificateError) -> Failure {
    Failure::Usage(error.to_string())
}

/// The lines of a file of claims.
fn claims_in(path: &Path) -> Result<Vec<String>, Failure> {
    let mut input = Input::open(path)?;
    let mut claims = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let wrong = |input: &Input, reason: &str| {
            Failure::Usage(format!("{}:{}: {reason}", input.name, input.line_number()))
        };
        match input.next_line(&mut line)? {
            Next::End => break,
            Next::LongLine => return Err(wrong(&input, "line: too long")),
            Next::Line if event::is_blank(&line) => {}
            Next::Line => {
                let text = line.trim_ascii();
                verifier::Claim::read(text).map_err(|e| wrong(&input, &e.to_string()))?;
                claims.push(String::from_utf8_lossy(text).into_owned());
            }
        }
    }
    match claims.is_empty() {
        true => Err(Failure::Usage(format!("{}: no claims", input.name))),
        false => Ok(claims),
    }
}

/// The tag of an item that some event names.
fn item_tag(stream: &ShownStream, item: &str, question: &Question) -> Result<[u8; 16], Failure> {
    let tag = stream.tag(item);
    let is_it = |event: &ShownEvent| {
        let envelope = event.envelope().map(Envelope::decode);
        matches!(envelope, Some(Ok(Envelope { scope: Scope::Item, tag: own, .. })) if own == tag)
    };
    match stream.events.iter().any(is_it) {
        true => Ok(tag),
        false => Err(Failure::Usage(format!(
            "item {}: no event of the account up to the checkpoint names it; `stillthere state` lists those \
             that are, `stillthere checkpoint` seals what is new in {}",
            escaped(item),
            crate::show::escape::escaped_path(&question.store)
        ))),
    }
}

/// Whether an answer needs the whole of an event of this envelope.
fn needs(envelope: &[u8; ENVELOPE], item: Option<&[u8; 16]>) -> bool {
    Envelope::decode(envelope).is_ok_and(|envelope| is_needed(&envelope, item))
}

/// Refuses where the answer rests on what was erased: that it is undetermined proves nothing.
fn nothing_needed_is_erased(
    stream: &ShownStream,
    item: Option<&[u8; 16]>,
    policy: &Policy,
    reader: &Reader,
    question: &Question,
    account: &str,
) -> Result<(), Failure> {
    let is_missed = |event: &&ShownEvent| match event {
        ShownEvent::Whole { .. } => false,
        ShownEvent::Envelope { envelope, .. } => needs(envelope, item),
        ShownEvent::Leaf { .. } => true,
    };
    let Some(missed) = stream.events.iter().find(is_missed) else { return Ok(()) };
    let position = missed.position();
    let records = reader.erasures()?;
    let record = records.iter().rev().find(|record| record.events.contains(position));
    let number = record.map_or(0, |record| record.number);
    let account = escaped(account);
    // Of which item a whole event was that is gone nobody can say, and some policies weigh all items.
    let is_of_some_items = item.is_none()
        && !policy.reads_other_items()
        && stream.events.iter().all(|event| match event {
            ShownEvent::Whole { .. } => true,
            ShownEvent::Envelope { envelope, .. } => !needs(envelope, Some(&[0; 16])),
            ShownEvent::Leaf { .. } => false,
        });
    let (of_items, zh_of_items) = match is_of_some_items {
        true => (
            "a certificate of an item of which nothing was erased (--item), ",
            "未被擦除的单个条目的证书（--item），",
        ),
        false => ("", ""),
    };
    Err(Failure::Refused(question.pick(
        format!(
            "account {account}: nothing is certified, because the answer needs the event at position {position}, which was \
             erased (erasure {number}), and that an answer is undetermined would prove nothing. What can be had: {of_items}a \
             certificate that was made before the erasure, which holds as it did, and one of the erasure itself (certify \
             --erasure {number})"
        ),
        format!(
            "账号 {account}：未出具证书。答案需要日志位置 {position} 的事件，而它已被擦除（第 {number} 号擦除）；证明“无法确定”毫无意义。\
             仍可取得：{zh_of_items}擦除之前出具的证书（依然有效），以及擦除本身的证书（certify --erasure {number}）"
        ),
    )))
}

/// The stream, as far as the question needs it: all that it needs is there.
fn shown(stream: ShownStream, item: Option<&[u8; 16]>) -> Stream {
    let event = |event: ShownEvent| match event {
        ShownEvent::Whole { envelope, salt, padded, position } if needs(&envelope, item) => {
            Shown::Whole { envelope, salt, padded, position }
        }
        event => {
            let left = event.envelope().copied().zip(event.content_hash());
            let (envelope, content) = left.expect("one that was erased to its leaf is needed");
            Shown::Envelope { envelope, content }
        }
    };
    Stream {
        ordinal: stream.ordinal,
        name_salt: stream.name_salt,
        secret_hash: stream.secret_hash,
        events: stream.events.into_iter().map(event).collect(),
    }
}

fn placed(control: PlacedControl) -> Placed {
    let PlacedControl { salt, in_page, summary, in_tree, .. } = control;
    Placed { salt, in_page, summary, in_tree }
}

/// A certificate that its own check refuses.
fn would_not_hold(error: &certificate::CertificateError) -> Failure {
    Failure::Refused(format!("the certificate would not hold, so it was not written: {error}"))
}
