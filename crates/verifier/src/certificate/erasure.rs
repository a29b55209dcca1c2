//! Certificates of erasure (docs/proofs.md, "Certificates of erasure"): that these frames of a log were taken out under
//! a record of it. Whoever holds an earlier certificate sees which of its events are among them.

use std::collections::HashSet;

use commitment::{
    Control, ControlKind, Digest, Erasure, Left, Ranges, Seal, Witnessed, erased_root,
};
use event::Timestamp;

use super::check::{
    Sealed, audited_by, event_leaf, goes_on, goes_on_from, in_page, in_tree, name_leaf, sealed,
};
use super::conflict::forked;
use super::facts::{of_log, operator};
use super::wire::{In, Out};
use super::{
    Basis, Certificate, CertificateError, Checked, Conflict, Expected, Fact, Placed, Since, Tree,
    Trust, WireError,
};
use crate::Language;
use crate::attestation::Attestation;

/// The first bytes of every certificate of erasure.
const MAGIC: &[u8; 8] = b"STILLERA";
/// The version that is written and read.
const VERSION: u32 = 1;

/// The record of an erasure in its place in a log, and what it took out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureCertificate {
    /// The signed checkpoint of the log's tree, as it is.
    pub checkpoint: String,
    /// An earlier checkpoint, from which the log goes on.
    pub since: Option<Since>,
    /// Notes of auditors who replayed the log up to here.
    pub audits: Vec<String>,
    /// Where the seal stands, which is the last leaf of the last page.
    pub seal: Placed,
    /// What the seal says: the body of its frame, behind the salt.
    pub seal_body: Vec<u8>,
    /// Where the record stands, which is the last leaf of its page.
    pub record: Placed,
    /// What it says: the body of its frame, behind the salt.
    pub record_body: Vec<u8>,
    /// Of each frame that it names the account's number and the leaf, in the order of the log.
    pub frames: Vec<(u32, Digest)>,
}

/// Whether bytes begin as a certificate of erasure does.
#[must_use]
pub fn is_erasure(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

impl ErasureCertificate {
    /// As bytes.
    ///
    /// # Panics
    /// If a part has 2^32 bytes or more.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Out(Vec::with_capacity(4096 + 36 * self.frames.len()));
        out.raw(MAGIC);
        out.u32(VERSION);
        out.text(&self.checkpoint);
        out.since(self.since.as_ref());
        out.list(&self.audits, |out, note| out.text(note));
        out.placed(&self.seal);
        out.bytes(&self.seal_body);
        out.placed(&self.record);
        out.bytes(&self.record_body);
        out.list(&self.frames, |out, (ordinal, leaf)| {
            out.u32(*ordinal);
            out.raw(leaf);
        });
        out.end()
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`WireError`]: the first thing that no certificate of erasure has.
    pub fn decode(bytes: &[u8]) -> Result<ErasureCertificate, WireError> {
        let mut input = In::new(bytes)?;
        let expected = "the first bytes of a certificate of erasure";
        if input.array::<8>(expected)? != *MAGIC {
            return Err(input.unexpected(8, expected));
        }
        let expected = "a version of a certificate of erasure";
        match input.u32(expected)? {
            VERSION => {}
            0 => return Err(input.unexpected(4, expected)),
            found => return Err(WireError::Future { found, latest: VERSION }),
        }
        input.checksum()?;
        let certificate = ErasureCertificate {
            checkpoint: input.text("a checkpoint")?,
            since: input.since()?,
            audits: input.list("auditors' notes", |input| input.text("an auditor's note"))?,
            seal: input.placed()?,
            seal_body: input.bytes("what a seal says")?.to_vec(),
            record: input.placed()?,
            record_body: input.bytes("what the record of an erasure says")?.to_vec(),
            frames: input.list("erased frames", |input| {
                Ok((input.u32("an ordinal")?, input.array("a leaf")?))
            })?,
        };
        input.end()?;
        Ok(certificate)
    }
}

/// What a certificate of erasure that holds says.
#[derive(Debug, Clone)]
pub struct CheckedErasure {
    /// The log.
    pub origin: String,
    /// The log's tree.
    pub tree: Tree,
    /// An earlier one, with which it begins.
    pub since: Option<Tree>,
    /// Whose log.
    pub store: [u8; 16],
    /// What the seal says.
    pub seal: Seal,
    /// The number of the record's page.
    pub page: u64,
    /// The log's clock at the record, by the operator's word.
    pub at: Timestamp,
    /// On what ground.
    pub ground: String,
    /// By whom, by the operator's word.
    pub by: String,
    /// How much is left of each event at most.
    pub left: Left,
    /// All of the events occurred before then; `None` if that is not said.
    pub before: Option<Timestamp>,
    /// The numbers of the accounts whose names were erased.
    pub names: Ranges,
    /// The positions of the events.
    pub events: Ranges,
    /// The auditors who replayed the log up to the seal.
    pub auditors: Vec<String>,
    /// The witnesses who saw the checkpoint.
    pub witnesses: Vec<Witnessed>,
    /// The language of the facts.
    pub lang: Language,
    frames: Vec<(u32, Digest)>,
}

/// What of an earlier certificate an erasure took out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOut {
    /// The revisions of the events, rising.
    pub revisions: Vec<u64>,
    /// How many events the certificate shows.
    pub of: u64,
    /// Whether the account's name is among it.
    pub name: bool,
}

/// Checks a certificate of erasure; its facts are told in `lang`.
///
/// # Errors
/// The first reason for which it proves nothing, or is about something else than was expected.
pub fn check_erasure(
    bytes: &[u8],
    trust: &Trust,
    expected: &Expected,
    lang: Language,
) -> Result<CheckedErasure, CertificateError> {
    let certificate = ErasureCertificate::decode(bytes)?;
    let ErasureCertificate { record, record_body, frames, .. } = &certificate;
    let Sealed { checkpoint, witnesses, summary, seal } =
        sealed(&certificate.checkpoint, (&certificate.seal, &certificate.seal_body), trust)?;

    let since = certificate.since.as_ref();
    let since = since.map(|since| goes_on(since, &checkpoint, &trust.log)).transpose()?;
    let what = "the record of the erasure";
    let page = in_tree(record, &checkpoint, what)?;
    let last = page.leaves.saturating_sub(1);
    in_page(record, (ControlKind::Erasure, record_body), last, &page, what)?;
    let bad = |what: String| CertificateError::Record(what);
    if page.store != summary.store {
        return Err(bad("it is of another log".to_owned()));
    }
    let said = match Control::decode(ControlKind::Erasure, record_body) {
        Ok(Control::Erasure(erasure)) => erasure,
        Ok(_) => unreachable!("an erasure was asked for"),
        Err(fault) => return Err(bad(fault.to_string())),
    };
    let before = page.first_position + u64::from(page.events);
    if said.events.end() > before {
        let last = said.events.end() - 1;
        return Err(bad(format!("it names position {last}, and stands before {before}")));
    }
    let named = said.names.count() + said.events.count();
    if frames.len() as u64 != named {
        return Err(bad(format!("it names {named} frames, and {} are shown", frames.len())));
    }
    if erased_root(frames) != said.root {
        return Err(bad("the frames that are shown are others than it names".to_owned()));
    }

    let own = Attestation::of(&checkpoint, &seal);
    let auditors = audited_by(&certificate.audits, &own, &trust.auditors)?;
    let Erasure { at_ms, ground, by, left, before_ms, names, events, .. } = said;
    let time = |ms| Timestamp::from_ms(ms).expect("a record's times are read within the years");
    let checked = CheckedErasure {
        origin: checkpoint.origin,
        tree: Tree { pages: checkpoint.size, root: checkpoint.root },
        since,
        store: summary.store,
        seal,
        page: page.page,
        at: time(at_ms),
        ground: ground.to_owned(),
        by: by.to_owned(),
        left,
        before: before_ms.map(time),
        names,
        events,
        auditors,
        witnesses,
        lang,
        frames: certificate.frames,
    };
    is_as_expected(&checked, expected)?;
    Ok(checked)
}

/// It is about no account, item, policy or instant: who expects one has another certificate in mind.
fn is_as_expected(checked: &CheckedErasure, expected: &Expected) -> Result<(), CertificateError> {
    let Expected { account, item, policy, size, since, as_of, known_at } = expected;
    let is_answer = account.is_some() || item.is_some() || policy.is_some();
    if is_answer || as_of.is_some() || known_at.is_some() {
        let (what, found) = ("the erasure recorded in page", checked.page.to_string());
        let expected = "an answer about an account".to_owned();
        return Err(CertificateError::Other { what, expected, found });
    }
    since.map_or(Ok(()), |since| goes_on_from(checked.signed(), since))?;
    match size {
        Some(size) if *size != checked.seal.size => {
            let (expected, found) = (size.to_string(), checked.seal.size.to_string());
            Err(CertificateError::Other { what: "a log of size", expected, found })
        }
        _ => Ok(()),
    }
}

impl CheckedErasure {
    /// What of the account of an earlier certificate it took out.
    #[must_use]
    pub fn taken_out(&self, earlier: &Certificate) -> TakenOut {
        let Some(stream) = &earlier.stream else {
            return TakenOut { revisions: Vec::new(), of: 0, name: false };
        };
        let own = self.frames.iter().filter(|(ordinal, _)| *ordinal == stream.ordinal);
        let leaves: HashSet<&Digest> = own.map(|(_, leaf)| leaf).collect();
        let is_taken = |leaf| leaves.contains(&leaf);
        let revisions = (0u64..).zip(&stream.events);
        let revisions = revisions.filter(|(_, shown)| is_taken(event_leaf(shown)));
        TakenOut {
            revisions: revisions.map(|(revision, _)| revision).collect(),
            of: stream.events.len() as u64,
            name: is_taken(name_leaf(&earlier.account, stream)),
        }
    }

    /// What it and a certificate of an answer cannot both say; `None` if they go together.
    #[must_use]
    pub fn conflict(&self, other: &Checked) -> Option<Conflict> {
        if self.origin != other.origin {
            return None;
        }
        if self.store != other.store {
            return Some(Conflict::Stores);
        }
        forked((self.tree, self.since), (other.tree, other.since))
    }

    /// The trees that it shows to be signed.
    fn signed(&self) -> impl Iterator<Item = Tree> {
        [self.tree].into_iter().chain(self.since)
    }

    /// Whether it is shown to be of one log with another certificate: by a tree that both have, or by something that it took
    /// out of what the other shows.
    #[must_use]
    pub fn is_of_one_log(&self, other: &Checked, taken: &TakenOut) -> bool {
        let is_known = |tree: Tree| other.signed().any(|other| other == tree);
        self.signed().any(is_known) || taken.name || !taken.revisions.is_empty()
    }

    /// Each fact with the word for what it rests on, and the reason.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let CheckedErasure { origin, tree, seal, page, at, ground, by, lang, .. } = self;
        let pick = |en: String, zh: String| lang.pick(en, zh);
        let (events, names) = (self.events.count(), self.names.count());
        let s = |count: u64| if count == 1 { "" } else { "s" };
        let operator = operator(origin, *lang);
        let mut facts = of_log(origin, (tree, self.since.as_ref()), &self.witnesses, *lang);
        let mut fact = |basis, by: Option<&str>, fact: String, because: String| {
            facts.push(Fact { fact, basis, by: by.map(str::to_owned), because });
        };
        let sealed_at =
            Timestamp::from_ms(seal.at_ms).map_or_else(String::new, |at| at.to_string());
        let (names_en, names_zh) = match names {
            0 => (String::new(), String::new()),
            _ => (
                format!(" and the name{} of {names} account{}", s(names), s(names)),
                format!("及 {names} 个账号的名称"),
            ),
        };
        let (left_en, left_zh) = match self.left {
            Left::Envelope => {
                ("their contents were taken out, and their envelopes left", "擦除其内容，保留封套")
            }
            Left::Leaf => ("they were taken out but for their hashes", "除其哈希外全部擦除"),
        };
        fact(
            Basis::Proven,
            None,
            pick(
                format!(
                    "the log has a record, in page {page}, which names {events} event{}{names_en}, and says \
                     that {left_en}, on the ground {ground:?}",
                    s(events)
                ),
                format!(
                    "日志第 {page} 页有一条记录，列明 {events} 条事件{names_zh}，称已{left_zh}，理由为 {ground:?}"
                ),
            ),
            pick(
                format!("the record lies under the signed root, before the seal at {sealed_at}"),
                format!("该记录位于已签名的根之下，在 {sealed_at} 的封条之前"),
            ),
        );
        fact(
            Basis::Proven,
            None,
            pick(
                format!(
                    "it names these {} frames and no others, whatever the log says of them later",
                    events + names
                ),
                format!("其所列即此 {} 帧，别无其他，日志此后所言不能改变", events + names),
            ),
            pick(
                "their hashes give the root in the record; an earlier certificate of one of them has the \
                 same hash"
                    .to_owned(),
                "其哈希得出记录中的根；此前为其中任何一条出具的证书载有相同的哈希".to_owned(),
            ),
        );
        fact(
            Basis::Attested,
            Some(&operator),
            pick(
                format!("the erasure was carried out at {at}, by {by:?}"),
                format!("擦除由 {by:?} 于 {at} 执行"),
            ),
            pick("the record says so".to_owned(), "记录如此记载".to_owned()),
        );
        let done = pick(
            "of each of these frames the log holds no more than the record says".to_owned(),
            "日志对其中每一帧所存的内容不多于记录所言".to_owned(),
        );
        if self.auditors.is_empty() {
            fact(
                Basis::Attested,
                Some(&operator),
                done,
                pick(
                    "a hash does not show what lies behind it; only who reads the log sees that it is gone; \
                     no auditor's note is here"
                        .to_owned(),
                    "哈希不显示其背后之物；只有读取日志者才能看到内容已不存在；此处没有审计者的声明".to_owned(),
                ),
            );
        } else {
            for auditor in &self.auditors {
                let because = pick(
                    "whoever replayed the whole log found each of them so".to_owned(),
                    "重放过整个日志者，所见每一帧皆是如此".to_owned(),
                );
                fact(Basis::Attested, Some(auditor), done.clone(), because);
            }
        }
        for (en, zh) in [
            (
                "no copy of what was taken out was kept: in a backup, in a snapshot of a file system, on the medium, \
                 or by whoever once read it",
                "没有留下被擦除内容的副本：无论在备份、文件系统快照、存储介质上，还是在曾读取者手中",
            ),
            (
                "nothing else in the log or elsewhere is about the same person",
                "日志或别处没有关于同一人的其他内容",
            ),
        ] {
            fact(
                Basis::Unprovable,
                None,
                pick(en.to_owned(), zh.to_owned()),
                pick("no log can show it".to_owned(), "任何日志都无法表明".to_owned()),
            );
        }
        facts
    }
}
