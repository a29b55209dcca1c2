//! Checks a certificate with no store and no network.

use std::collections::BTreeSet;

use commitment::{
    Checkpoint, CheckpointError, Control, ControlKind, Digest, Domain, MapKey, MapProofError, Note,
    ProofError, Quorum, QuorumError, SUMMARY, Seal, Signed, Summary, VerifierKey, Witnessed,
    chain_start, chain_step, check_consistency, check_inclusion, control_leaf, hash, hex,
    page_root_by, tree_leaf,
};
use event::{LineError, Timestamp};
use policy::{CompiledError, Policy, PolicyHash};
use serde::{Serialize, Serializer};

use super::replay::{Replay, answers, without_sentences};
use super::{Adopted, Certificate, Fact, Placed, Shown, Since, Stream, WireError, facts};
use crate::Language;
use crate::attestation::Attestation;

/// Whose word counts.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The log's keys, all of one name: its origin. At least one.
    pub log: Vec<VerifierKey>,
    /// Auditors.
    pub auditors: Vec<VerifierKey>,
    /// Witnesses, with how many of them must have signed.
    pub witnesses: Option<Quorum>,
}

/// What the certificate has to be about; what is `None` may be anything.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The account's name.
    pub account: Option<String>,
    /// The item; a certificate of the whole account is about another thing.
    pub item: Option<String>,
    /// The policy.
    pub policy: Option<PolicyHash>,
    /// The log's events up to the seal.
    pub size: Option<u64>,
    /// The instant of the question.
    pub as_of: Option<Timestamp>,
    /// A tree that somebody kept the signed checkpoint of: the log has to be proven to go on from it.
    pub since: Option<Tree>,
    /// Up to when what was recorded counts. `None` is not anything: then all that is shown has to count, or an
    /// answer could leave out what it shows.
    pub known_at: Option<Timestamp>,
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say what the fields are")]
pub enum CertificateError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("no key of a log to check it with")]
    NoKey,
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("the earlier checkpoint: {0}")]
    Since(CheckpointError),
    #[error("the earlier checkpoint has no pages, so every log goes on from it")]
    SinceNothing,
    #[error("its witnesses: {0}")]
    Witnesses(#[from] QuorumError),
    #[error("{what}: {source}")]
    Tree { what: &'static str, source: ProofError },
    #[error("{what} does not lie in its page")]
    Page { what: &'static str },
    #[error("its seal: {0}")]
    Seal(String),
    #[error("the account map: {0}")]
    Map(#[from] MapProofError),
    #[error("the account map says that the account has {expected}, and {found} shown")]
    Presence { expected: &'static str, found: &'static str },
    #[error("{found} events are shown, and the account map counts {expected}")]
    Count { expected: u64, found: u64 },
    #[error("the events shown end in another head of the chain than the account map has")]
    Head,
    #[error("the event of revision {revision}: {what}")]
    Event { revision: u64, what: String },
    #[error("no event that is shown whole names the item {0:?}")]
    NoItem(String),
    #[error("an event that the answer needs is not shown whole")]
    Hidden,
    #[error("its policy: {0}")]
    Policy(#[from] CompiledError),
    #[error("the policy was adopted by another log")]
    Adoption,
    #[error("its record: {0}")]
    Record(String),
    #[error(
        "it leaves out of the answer what was recorded behind {known_at}, as the event of {recorded_at}"
    )]
    LeftOut { known_at: Timestamp, recorded_at: Timestamp },
    #[error("its claim: {0}")]
    Claim(LineError),
    #[error("the claim {0:?} is about something else than the certificate")]
    OtherClaim(String),
    #[error(
        "{claims} claims under a policy of {readings} readings: expected at most 64 readings, and 4096 claims, each counted \
         once and once a reading"
    )]
    Work { claims: usize, readings: usize },
    #[error("another answer follows from what it shows, from byte {} on", differ(expected, found))]
    Answer { expected: String, found: String },
    #[error("an auditor's note: {0}")]
    Auditor(String),
    #[error(
        "a fork: the tree of size {0} of its log has another root than the checkpoint, both signed"
    )]
    Forked(u64),
    #[error(
        "it does not show that the log goes on from the checkpoint of size {0}; `certify … --since` it does"
    )]
    NotSince(u64),
    #[error("made for the whole account, expected the item {0:?}")]
    OfAccount(String),
    #[error("made for {what} {found}, expected {expected}")]
    Other { what: &'static str, expected: String, found: String },
}

/// Where two texts differ.
fn differ(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// A tree that the log signed; the fields are in byte order, as outputs have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tree {
    /// Its root.
    #[serde(serialize_with = "as_hex")]
    pub root: Digest,
    /// Its pages.
    #[serde(rename = "size")]
    pub pages: u64,
}

fn as_hex<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(digest))
}

/// What a certificate that holds says.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The log.
    pub origin: String,
    /// The log's tree.
    pub tree: Tree,
    /// An earlier one, with which it begins.
    pub since: Option<Tree>,
    /// What the seal says.
    pub seal: Seal,
    /// Whose log.
    pub store: [u8; 16],
    /// The account.
    pub account: String,
    /// The heads of the account's chain, from that before its first event on; `None` if it is not there.
    pub heads: Option<Vec<Digest>>,
    /// The policy.
    pub policy: PolicyHash,
    /// The policy's name.
    pub policy_name: String,
    /// The instant asked about.
    pub as_of: Timestamp,
    /// By what was recorded up to then.
    pub known_at: Timestamp,
    /// Whether events that are shown were recorded later, and so do not count.
    pub leaves_out: bool,
    /// Of which item; `None`: of the whole account.
    pub item: Option<String>,
    /// The answers, each a line of JSON, with their sentences.
    pub answers: Vec<String>,
    /// The language of these.
    pub lang: Language,
    /// How many events are shown whole.
    pub whole: u64,
    /// How many are shown by their envelopes.
    pub hidden: u64,
    /// Where the log adopted the policy: the page's number.
    pub adopted: Option<u64>,
    /// The auditors who replayed the log up to the seal.
    pub auditors: Vec<String>,
    /// The witnesses who saw the checkpoint.
    pub witnesses: Vec<Witnessed>,
}

impl Checked {
    /// Each fact with the word for what it rests on, and the reason.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        facts::of(self, self.lang)
    }
}

/// Checks a certificate; what it answers is told in `lang`.
///
/// # Errors
/// The first reason for which it proves nothing, or is about something else than was expected.
pub fn check(
    bytes: &[u8],
    trust: &Trust,
    expected: &Expected,
    lang: Language,
) -> Result<Checked, CertificateError> {
    let certificate = Certificate::decode(bytes)?;
    let Certificate { checkpoint, seal, seal_body, map, account, stream, question, .. } =
        &certificate;
    let Sealed { checkpoint, witnesses, summary, seal } =
        sealed(checkpoint, (seal, seal_body), trust)?;
    let since = certificate.since.as_ref();
    let since = since.map(|since| goes_on(since, &checkpoint, &trust.log)).transpose()?;

    let key = MapKey::of(&hex(&summary.store), account);
    let leaf = map.check(&key, &seal.root)?;
    let heads = match (leaf, stream) {
        (None, None) => None,
        (Some(leaf), Some(stream)) => {
            let found = stream.events.len() as u64;
            if found != leaf.count {
                return Err(CertificateError::Count { expected: leaf.count, found });
            }
            let heads = chain(account, stream);
            if heads.last() != Some(&leaf.head) {
                return Err(CertificateError::Head);
            }
            positions(stream, seal.size)?;
            Some(heads)
        }
        (Some(_), None) => {
            return Err(CertificateError::Presence { expected: "events", found: "none are" });
        }
        (None, Some(_)) => {
            return Err(CertificateError::Presence { expected: "none", found: "some are" });
        }
    };

    let policy = Policy::from_canonical_bytes(&certificate.policy)?;
    let policy_hash = PolicyHash::of_compiled(&certificate.policy);
    let adopted = certificate
        .adopted
        .as_ref()
        .map(|adopted| adoption(adopted, &checkpoint, &summary, &certificate.policy))
        .transpose()?;

    let shown = stream
        .as_ref()
        .map(|stream| Replay::of(account, stream, question.item.as_deref(), &policy));
    let replay = shown.transpose()?;
    let answers = answers(account, replay.as_ref(), &policy, question, lang)?;
    let bare = without_sentences(&answers, question);
    if bare != certificate.answers {
        let (expected, found) = (bare.join(" "), certificate.answers.join(" "));
        return Err(CertificateError::Answer { expected, found });
    }

    let own = Attestation::of(&checkpoint, &seal);
    let auditors = audited_by(&certificate.audits, &own, &trust.auditors)?;
    let counted = |is_whole: bool| {
        let events = stream.iter().flat_map(|stream| &stream.events);
        events.filter(|shown| matches!(shown, Shown::Whole { .. }) == is_whole).count() as u64
    };
    let steps = replay.iter().flat_map(|replay| &replay.history.steps);
    let last_recorded = steps.map(|step| step.recorded_at).max();
    let left_out = last_recorded.filter(|at| *at > question.known_at);
    let checked = Checked {
        origin: checkpoint.origin,
        tree: Tree { pages: checkpoint.size, root: checkpoint.root },
        since,
        store: summary.store,
        account: account.clone(),
        heads,
        policy: policy_hash,
        policy_name: policy.name,
        as_of: question.as_of,
        known_at: question.known_at,
        leaves_out: left_out.is_some(),
        item: question.item.clone(),
        answers,
        lang,
        whole: counted(true),
        hidden: counted(false),
        adopted,
        auditors,
        witnesses,
        seal,
    };
    is_as_expected(&checked, expected)?;
    match left_out {
        Some(recorded_at) if expected.known_at.is_none() => {
            Err(CertificateError::LeftOut { known_at: question.known_at, recorded_at })
        }
        _ => Ok(checked),
    }
}

/// A log up to a seal, as a certificate shows it.
pub(super) struct Sealed {
    pub(super) checkpoint: Checkpoint,
    pub(super) witnesses: Vec<Witnessed>,
    /// Of the seal's page, the last one.
    pub(super) summary: Summary,
    pub(super) seal: Seal,
}

/// Holds that the log signed the checkpoint, and that its tree ends with the seal.
pub(super) fn sealed(
    checkpoint: &str,
    (placed, body): (&Placed, &[u8]),
    trust: &Trust,
) -> Result<Sealed, CertificateError> {
    if trust.log.is_empty() {
        return Err(CertificateError::NoKey);
    }
    let witnesses = trust.witnesses.as_ref().map_or(&[][..], Quorum::witnesses);
    let (checkpoint, signed) = opened(checkpoint, &trust.log, witnesses)?;
    let witnesses = seen_by(&signed, trust)?;
    let summary = in_tree(placed, &checkpoint, "the seal's page")?;
    if summary.page + 1 != checkpoint.size {
        return Err(CertificateError::Seal("it is not in the tree's last page".to_owned()));
    }
    let last = summary.leaves.saturating_sub(1);
    in_page(placed, (ControlKind::Seal, body), last, &summary, "the seal")?;
    let seal = match Control::decode(ControlKind::Seal, body) {
        Ok(Control::Seal(seal)) => seal,
        Ok(_) => unreachable!("a seal was asked for"),
        Err(fault) => return Err(CertificateError::Seal(fault.to_string())),
    };
    let covered = summary.first_position + u64::from(summary.events);
    if seal.size != covered {
        let what = format!("it covers {} events, and its page ends at {covered}", seal.size);
        return Err(CertificateError::Seal(what));
    }
    Ok(Sealed { checkpoint, witnesses, summary, seal })
}

/// The witnesses who signed, if they are enough.
fn seen_by(signed: &[Signed], trust: &Trust) -> Result<Vec<Witnessed>, CertificateError> {
    match &trust.witnesses {
        None => Ok(Vec::new()),
        Some(quorum) => Ok(quorum.check(signed)?),
    }
}

/// A checkpoint of the log whose keys these are, and who signed it.
fn opened(
    note: &str,
    log: &[VerifierKey],
    witnesses: &[VerifierKey],
) -> Result<(Checkpoint, Vec<Signed>), CheckpointError> {
    let note = Note::parse(note.as_bytes())?;
    Checkpoint::open(&note, log[0].name(), log, witnesses)
}

/// The earlier tree, with which the checkpoint's begins.
pub(super) fn goes_on(
    since: &Since,
    checkpoint: &Checkpoint,
    log: &[VerifierKey],
) -> Result<Tree, CertificateError> {
    let (Checkpoint { size, root, .. }, _) =
        opened(&since.checkpoint, log, &[]).map_err(CertificateError::Since)?;
    if size == 0 {
        return Err(CertificateError::SinceNothing);
    }
    check_consistency(size, &root, checkpoint.size, &checkpoint.root, &since.proof)
        .map_err(|source| CertificateError::Tree { what: "the earlier checkpoint", source })?;
    Ok(Tree { pages: size, root })
}

/// The summary of a page that lies in the tree.
pub(super) fn in_tree(
    placed: &Placed,
    checkpoint: &Checkpoint,
    what: &'static str,
) -> Result<Summary, CertificateError> {
    let bytes: &[u8; SUMMARY] = &placed.summary;
    let summary = Summary::decode(bytes).map_err(|_| CertificateError::Page { what })?;
    let Checkpoint { size, root, .. } = checkpoint;
    let leaf = tree_leaf(bytes);
    check_inclusion(&leaf, summary.page, *size, &placed.in_tree, root)
        .map_err(|source| CertificateError::Tree { what, source })?;
    Ok(summary)
}

/// Holds that a control frame is leaf `leaf` of the page.
pub(super) fn in_page(
    placed: &Placed,
    (kind, body): (ControlKind, &[u8]),
    leaf: u32,
    summary: &Summary,
    what: &'static str,
) -> Result<(), CertificateError> {
    let hash = control_leaf(kind, &placed.salt, body);
    match page_root_by(hash, leaf, summary.leaves, &placed.in_page) {
        Some(root) if root == summary.root => Ok(()),
        _ => Err(CertificateError::Page { what }),
    }
}

/// The leaf of the name of the account whose stream it is.
pub(super) fn name_leaf(account: &str, stream: &Stream) -> Digest {
    let name = hash(Domain::Name, &[&stream.name_salt, account.as_bytes()]);
    let ordinal = stream.ordinal.to_le_bytes();
    hash(Domain::NameLeaf, &[&ordinal, &stream.secret_hash, &name])
}

/// The leaf of an event that is shown.
pub(super) fn event_leaf(shown: &Shown) -> Digest {
    let (envelope, content) = match shown {
        Shown::Whole { envelope, salt, padded, .. } => {
            (envelope, hash(Domain::Content, &[salt, padded]))
        }
        Shown::Envelope { envelope, content } => (envelope, *content),
    };
    hash(Domain::EventLeaf, &[envelope, &content])
}

/// The heads of the chain of the events shown, from that before the first on.
fn chain(account: &str, stream: &Stream) -> Vec<Digest> {
    let mut head = chain_start(&name_leaf(account, stream));
    let mut heads = vec![head];
    for shown in &stream.events {
        head = chain_step(&head, &event_leaf(shown));
        heads.push(head);
    }
    heads
}

/// Holds that positions rise with the events, and end before the seal. Nothing commits to them.
fn positions(stream: &Stream, size: u64) -> Result<(), CertificateError> {
    let mut least = 0;
    for (revision, shown) in (0u64..).zip(&stream.events) {
        if let Shown::Whole { position, .. } = shown {
            if !(least..size).contains(position) {
                let what = format!("it cannot have the position {position}");
                return Err(CertificateError::Event { revision, what });
            }
            least = *position;
        }
        least += 1;
    }
    Ok(())
}

/// The number of the page in which the log adopted the policy.
fn adoption(
    adopted: &Adopted,
    checkpoint: &Checkpoint,
    seal: &Summary,
    policy: &[u8],
) -> Result<u64, CertificateError> {
    let what = "the policy's adoption";
    let summary = in_tree(&adopted.placed, checkpoint, what)?;
    let hash = *PolicyHash::of_compiled(policy).as_bytes();
    let body = Control::Adoption { hash, compiled: policy }.encode();
    in_page(&adopted.placed, (ControlKind::Adoption, &body), adopted.leaf, &summary, what)?;
    match summary.store == seal.store {
        true => Ok(summary.page),
        false => Err(CertificateError::Adoption),
    }
}

/// The names of the known auditors whose notes are about this seal.
pub(super) fn audited_by(
    notes: &[String],
    own: &Attestation,
    known: &[VerifierKey],
) -> Result<Vec<String>, CertificateError> {
    let bad = |error: &dyn std::fmt::Display| CertificateError::Auditor(error.to_string());
    let mut names = BTreeSet::new();
    for note in notes {
        let note = Note::parse(note.as_bytes()).map_err(|e| bad(&e))?;
        if !note.signatures().iter().any(|line| known.iter().any(|key| line.is_by(key))) {
            continue;
        }
        let opened = note.open(known).map_err(|e| bad(&e))?;
        let says = Attestation::parse(opened.text).map_err(|e| bad(&e))?;
        if says == *own {
            names.extend(opened.signed.iter().map(|signed| signed.key.name().to_owned()));
        } else if says.origin == own.origin && says.pages == own.pages {
            // To this very size, the auditor has another log.
            return Err(bad(&"a known auditor found another log up to this seal"));
        }
    }
    Ok(names.into_iter().collect())
}

/// Holds that the tree that was kept is among those that are signed.
pub(super) fn goes_on_from(
    signed: impl Iterator<Item = Tree>,
    since: Tree,
) -> Result<(), CertificateError> {
    let mut is_forked = false;
    for tree in signed.filter(|tree| tree.pages == since.pages) {
        if tree == since {
            return Ok(());
        }
        is_forked = true;
    }
    Err(match is_forked {
        true => CertificateError::Forked(since.pages),
        false => CertificateError::NotSince(since.pages),
    })
}

fn is_as_expected(checked: &Checked, expected: &Expected) -> Result<(), CertificateError> {
    let other = |what, expected: String, found: String| match expected == found {
        true => Ok(()),
        false => Err(CertificateError::Other { what, expected, found }),
    };
    if let Some(account) = &expected.account {
        other("the account", format!("{account:?}"), format!("{:?}", checked.account))?;
    }
    if let Some(item) = &expected.item {
        let found = checked.item.as_ref();
        let found = found.ok_or_else(|| CertificateError::OfAccount(item.clone()))?;
        other("the item", format!("{item:?}"), format!("{found:?}"))?;
    }
    if let Some(policy) = &expected.policy {
        other("the policy", policy.to_string(), checked.policy.to_string())?;
    }
    if let Some(size) = expected.size {
        other("a log of size", size.to_string(), checked.seal.size.to_string())?;
    }
    expected.since.map_or(Ok(()), |since| goes_on_from(checked.signed(), since))?;
    if let Some(as_of) = expected.as_of {
        other("the instant", as_of.to_string(), checked.as_of.to_string())?;
    }
    if let Some(known_at) = expected.known_at {
        other("what was recorded up to", known_at.to_string(), checked.known_at.to_string())?;
    }
    Ok(())
}
