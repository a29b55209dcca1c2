//! An operator with the real key, who writes whatever log they like: every checksum, leaf, page, map and seal in it is made
//! anew, so that only what the log says can be wrong, and not how.

use std::fs;
use std::path::Path;

use commitment::{
    AccountMap, BATCH_HEADER, BatchHeader, Checkpoint, Control, Digest, Domain, Envelope, Erasure,
    FRAME_HEADER, Frame, Frontier, KeyedDomain, Left, MapKey, MapLeaf, MapProof, ProofError,
    Ranges, SALT, SEGMENT_HEADER, SUMMARY, Scope, Seal, SegmentHeader, SignerKey, Slot,
    VerifierKey, begin_batch, chain_start, chain_step, content_of, erase_frame, erased_root,
    finish_batch, hash, hex, keyed, page_path, page_root, prove_consistency, prove_inclusion,
    rewrite_batch, segment_name, tree_leaf, write_control, write_event, write_name, write_trailer,
};
use event::{RecordedBy, Timestamp, canonical};
use verifier::Language;
use verifier::certificate::{
    Certificate, Placed, Question, Shown, Stream, answer, is_needed, without_sentences,
};

const STORE: [u8; 16] = [0x5e; 16];

/// What a log is made of.
#[derive(Clone)]
pub enum Entry {
    Event(Event),
    Seal(Sealing),
    /// Behind a seal.
    Erasure(Erasing),
}

/// What is erased, and what is said of it.
#[derive(Clone, Copy)]
pub struct Erasing {
    pub at: Timestamp,
    pub ground: &'static str,
    /// What is erased, by positions.
    pub taken: &'static [u64],
    /// What is left of it.
    pub left: Left,
    /// What the record says is.
    pub said: Left,
    /// Whose it is said to have been, where nothing else of it is left.
    pub whose: Option<u32>,
    /// What the record names; without any there is none.
    pub named: &'static [u64],
}

/// An event, and what is false about its frame.
#[derive(Clone)]
pub struct Event {
    /// The number of its account's frame: by the order in which they come.
    pub ordinal: u32,
    /// The line of JSON.
    pub line: String,
    /// Tagged as this item.
    pub tagged: Option<&'static str>,
    /// By its envelope about a backup.
    pub as_backup: bool,
    /// Not in the chain that the map has.
    pub is_left_out: bool,
    /// By the log's own clock.
    pub by_log: bool,
}

/// A seal, and what is false about it.
#[derive(Clone)]
pub struct Sealing {
    pub at: Timestamp,
    /// Another root than the map's.
    pub root: Option<Digest>,
    /// An account that the map does not have.
    pub without: Option<&'static str>,
}

/// A log, and all that certificates of it are made of.
pub struct Forged {
    segment: Vec<u8>,
    head: Vec<u8>,
    names: Vec<String>,
    /// By ordinal: the events in the chain.
    streams: Vec<Vec<Shown>>,
    pub seals: Vec<Made>,
    summaries: Vec<[u8; SUMMARY]>,
}

/// A seal that was written, or an erasure's record, at the end of a page.
pub struct Made {
    body: Vec<u8>,
    leaves: Vec<Digest>,
    map: AccountMap,
    /// By ordinal: how many events were in the chain, and its head.
    heads: Vec<(u64, Digest)>,
}

impl Made {
    fn salt() -> [u8; SALT] {
        [0xca; SALT]
    }
}

fn secret(ordinal: u32) -> [u8; 32] {
    [ordinal as u8 + 1; 32]
}

impl Forged {
    /// Writes a log, a page to each seal.
    pub fn of(entries: &[Entry]) -> Forged {
        let header = SegmentHeader {
            store: STORE,
            segment: 0,
            first_position: 0,
            pages: 0,
            accounts: 0,
            clock_ms: Timestamp::MIN.ms(),
            before: [0; 16],
            predecessor: [0; 32],
        };
        let mut segment = header.encode().to_vec();
        let (_, mut checksum) = SegmentHeader::decode(&header.encode()).unwrap();
        let (mut names, mut streams): (Vec<String>, Vec<Vec<Shown>>) = (Vec::new(), Vec::new());
        let mut heads: Vec<(u64, Digest)> = Vec::new();
        let (mut seals, mut summaries) = (Vec::new(), Vec::new());
        let mut pages = commitment::Pages::new(STORE);
        let (mut leaves, mut batch, mut in_batch) = (Vec::new(), Vec::new(), 0);
        let mut position = 0;
        begin_batch(&mut batch);
        for entry in entries {
            let start = batch.len();
            match entry {
                Entry::Event(entry) => {
                    let event = event::read_line(entry.line.as_bytes()).expect("a line");
                    let secret = secret(entry.ordinal);
                    if entry.ordinal as usize == names.len() {
                        let leaf = write_name(&mut batch, entry.ordinal, &secret, &event.account);
                        pages.push(leaf, batch.len() - start, false);
                        leaves.push(leaf);
                        names.push(event.account.clone());
                        streams.push(Vec::new());
                        heads.push((0, chain_start(&leaf)));
                    }
                    let (scope, subject) = Scope::of(&event.payload);
                    let scope = if entry.as_backup { Scope::Backup } else { scope };
                    let recorded_at = event.recorded_at.expect("a time");
                    let envelope = Envelope {
                        kind: event.payload.kind(),
                        actor: event.actor,
                        surface: event.surface,
                        scope,
                        recorded_by: if entry.by_log {
                            RecordedBy::Log
                        } else {
                            RecordedBy::Source
                        },
                        ordinal: entry.ordinal,
                        occurred_at: event.occurred_at,
                        recorded_at,
                        tag: scope.tag(&secret, entry.tagged.unwrap_or(subject)),
                    };
                    let mut content = Vec::new();
                    canonical::encode_content(&event, &mut content);
                    let (envelope, salt) = (envelope.encode(), [position as u8; SALT]);
                    let start = batch.len();
                    let put = |out: &mut Vec<u8>| out.extend_from_slice(&content);
                    let leaf = write_event(&mut batch, &envelope, &salt, put);
                    let padded = batch[start + 8 + envelope.len() + SALT..].to_vec();
                    assert_eq!(content_of(&padded), content);
                    pages.push(leaf, batch.len() - start, true);
                    if entry.by_log && recorded_at.ms() > pages.clock_ms() {
                        pages.set_clock_ms(recorded_at.ms());
                    }
                    leaves.push(leaf);
                    if !entry.is_left_out {
                        let (count, head) = &mut heads[entry.ordinal as usize];
                        (*count, *head) = (*count + 1, chain_step(head, &leaf));
                        let shown = Shown::Whole { envelope, salt, padded, position };
                        streams[entry.ordinal as usize].push(shown);
                    }
                    (position, in_batch) = (position + 1, in_batch + 1);
                }
                Entry::Erasure(erasing) => {
                    assert_eq!(in_batch, 0, "an erasure is behind a seal");
                    let taken = take_out(&mut segment, erasing);
                    if erasing.named.is_empty() {
                        continue;
                    }
                    let control = Control::Erasure(Erasure {
                        at_ms: erasing.at.ms(),
                        ground: erasing.ground,
                        by: "operator",
                        left: erasing.said,
                        before_ms: None,
                        names: Ranges::default(),
                        events: erasing.named.iter().copied().collect(),
                        root: erased_root(&taken),
                    });
                    let leaf = write_control(&mut batch, &control, &Made::salt());
                    pages.push(leaf, batch.len() - start, false);
                    pages.set_clock_ms(erasing.at.ms());
                    let (map, heads) = (map_of(&names, &heads, None), heads.clone());
                    seals.push(Made { body: control.encode(), leaves: vec![leaf], map, heads });
                    let summary = pages.open().unwrap().encode();
                    write_trailer(&mut batch, &summary);
                    pages.close(&summary);
                    summaries.push(summary);
                    checksum = finish_batch(&mut batch, &STORE, &checksum, 0);
                    segment.append(&mut batch);
                    begin_batch(&mut batch);
                }
                Entry::Seal(sealing) => {
                    let map = map_of(&names, &heads, sealing.without);
                    let seal = Seal {
                        size: position,
                        accounts: names.len() as u64,
                        root: sealing.root.unwrap_or(map.root()),
                        at_ms: sealing.at.ms(),
                    };
                    let control = Control::Seal(seal);
                    let leaf = write_control(&mut batch, &control, &Made::salt());
                    pages.push(leaf, batch.len() - start, false);
                    pages.set_clock_ms(seal.at_ms);
                    leaves.push(leaf);
                    let leaves = std::mem::take(&mut leaves);
                    assert_eq!(pages.open().unwrap().root, page_root(&leaves));
                    let heads = heads.clone();
                    seals.push(Made { body: control.encode(), leaves, map, heads });
                    let summary = pages.open().unwrap().encode();
                    write_trailer(&mut batch, &summary);
                    pages.close(&summary);
                    summaries.push(summary);
                    checksum = finish_batch(&mut batch, &STORE, &checksum, in_batch);
                    segment.append(&mut batch);
                    begin_batch(&mut batch);
                    in_batch = 0;
                }
            }
        }
        assert_eq!(in_batch, 0, "a log ends with a seal");
        let slot = |sequence| Slot {
            store: STORE,
            sequence,
            shut: true,
            segment: 0,
            offset: segment.len() as u64,
            events: position,
            checksum,
        };
        let head = [slot(0).encode(), slot(1).encode()].concat();
        Forged { segment, head, names, streams, seals, summaries }
    }

    fn leaves(&self, pages: u64) -> Vec<Digest> {
        self.summaries[..pages as usize].iter().map(|summary| tree_leaf(summary)).collect()
    }

    /// The tree's node of a level, by definition.
    fn node(&self, level: u8, index: u64) -> Digest {
        let (from, to) = (index << level, (index + 1) << level);
        let mut tree = Frontier::default();
        self.leaves(to)[from as usize..].iter().for_each(|leaf| tree.push(*leaf));
        tree.root()
    }

    /// The checkpoint at the end of so many pages.
    pub fn checkpoint(&self, pages: u64, key: &SignerKey) -> Checkpoint {
        let mut tree = Frontier::default();
        self.leaves(pages).into_iter().for_each(|leaf| tree.push(leaf));
        let origin = key.verifier().name().to_owned();
        Checkpoint { origin, size: pages, root: tree.root(), extensions: vec![] }
    }

    /// The same, signed.
    pub fn note(&self, pages: u64, key: &SignerKey) -> String {
        self.checkpoint(pages, key).sign(key).unwrap().to_string()
    }

    /// That the tree of `new` pages begins with that of `old`: the only such proof that there is.
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest>> {
        let node = |level, index| Ok::<_, ProofError>(self.node(level, index));
        prove_consistency(old, new, node).ok()
    }

    /// Puts the log and its last checkpoint into a folder.
    pub fn write(&self, store: &Path, key: &SignerKey) {
        fs::create_dir_all(store.join("log")).unwrap();
        fs::create_dir_all(store.join("tlog")).unwrap();
        fs::write(store.join("log").join(segment_name(0)), &self.segment).unwrap();
        fs::write(store.join("log/HEAD"), &self.head).unwrap();
        let pages = self.summaries.len() as u64;
        fs::write(store.join("tlog/checkpoint"), self.note(pages, key)).unwrap();
        let vkey: &VerifierKey = key.verifier();
        fs::write(store.join("tlog/vkey"), format!("{vkey}\n")).unwrap();
        let tile = store.join("tlog/tile/0/000.p");
        fs::create_dir_all(&tile).unwrap();
        fs::write(tile.join(pages.to_string()), self.leaves(pages).concat()).unwrap();
    }

    /// A certificate about `name`, whose events are those of account `ordinal`, at the seal that ends the first
    /// `pages`, under the checkpoint of `signed` pages. Of an item it shows whole what is tagged so.
    pub fn certify(
        &self,
        (name, ordinal): (&str, Option<u32>),
        (pages, signed): (u64, u64),
        (question, policy): (Question, &policy::Policy),
        key: &SignerKey,
    ) -> Certificate {
        let made = &self.seals[pages as usize - 1];
        let node = |level, index| Ok::<_, ProofError>(self.node(level, index));
        let seal = Placed {
            salt: Made::salt(),
            in_page: page_path(&made.leaves, made.leaves.len() - 1),
            summary: self.summaries[pages as usize - 1],
            in_tree: prove_inclusion(pages - 1, signed, node).unwrap(),
        };
        let map_key = MapKey::of(&hex(&STORE), name);
        let map = match ordinal {
            Some(ordinal) => {
                let of = |ordinal: u32| {
                    let (count, head) = &made.heads[ordinal as usize];
                    MapLeaf::of(&secret(ordinal), head, *count)
                };
                // Where the map has another leaf there is no proof of this one: the best there is has this one put into
                // the other's.
                let others = (0..made.heads.len() as u32).rev().flat_map(|other| {
                    let keys = [name, &self.names[other as usize]];
                    let key = keys.map(|name| MapKey::of(&hex(&STORE), name));
                    key.into_iter().find_map(|key| made.map.prove(&key, of(other)))
                });
                let proofs = made.map.prove(&map_key, of(ordinal)).into_iter().chain(others);
                proofs.map(|proof| with_leaf(&proof, &of(ordinal))).next()
            }
            None => made.map.prove_absence(&map_key),
        };
        let stream = ordinal.map(|ordinal| {
            let secret = secret(ordinal);
            let count = made.heads[ordinal as usize].0 as usize;
            let tag = question.item.as_ref().map(|item| Scope::Item.tag(&secret, item));
            let shown = self.streams[ordinal as usize][..count].iter();
            Stream {
                ordinal,
                name_salt: keyed(&secret, KeyedDomain::NameSalt, &[]),
                secret_hash: hash(Domain::Secret, &[&secret]),
                events: shown.map(|shown| as_needed(shown, tag.as_ref())).collect(),
            }
        });
        let compiled = policy.canonical_bytes();
        let policy = policy::Policy::from_canonical_bytes(&compiled).unwrap();
        let answers = answer(name, stream.as_ref(), &policy, &question, Language::En);
        // What honest code does not take as the last event is to have no part in the answer.
        let answers = answers.unwrap_or_else(|_| {
            let mut stream = stream.clone().expect("it has events");
            stream.events.pop();
            answer(name, Some(&stream), &policy, &question, Language::En).unwrap()
        });
        let answers = without_sentences(&answers, &question);
        Certificate {
            checkpoint: self.note(signed, key),
            since: None,
            audits: Vec::new(),
            seal,
            seal_body: made.body.clone(),
            map: map.expect("the map is of these chains"),
            account: name.to_owned(),
            stream,
            policy: compiled,
            adopted: None,
            question,
            answers,
        }
    }
}

/// Erases in place; gives the frames of those that the record names.
fn take_out(segment: &mut [u8], erasing: &Erasing) -> Vec<(u32, Digest)> {
    let (mut at, mut position, mut taken) = (SEGMENT_HEADER, 0, Vec::new());
    while let Some(header) = segment[at..].first_chunk() {
        let end = at + BatchHeader::read(header).unwrap().total();
        let batch = &mut segment[at..end];
        let (mut done, mut is_rewritten) = (BATCH_HEADER, false);
        while done < batch.len() {
            let (frame, len) = Frame::read(&batch[done..]).unwrap();
            if frame.is_event() {
                if erasing.taken.contains(&position) {
                    let frame = &mut batch[done..done + len];
                    let (mut ordinal, leaf) = erase_frame(frame, erasing.left).unwrap();
                    if let Some(other) = erasing.whose {
                        ordinal = other;
                        frame[FRAME_HEADER..FRAME_HEADER + 4].copy_from_slice(&other.to_le_bytes());
                    }
                    let is_named = erasing.named.contains(&position);
                    taken.extend(is_named.then_some((ordinal, leaf)));
                    is_rewritten = true;
                }
                position += 1;
            }
            done += len;
        }
        if is_rewritten {
            rewrite_batch(batch, &STORE);
        }
        at = end;
    }
    taken
}

fn with_leaf(proof: &MapProof, leaf: &MapLeaf) -> MapProof {
    let mut bytes = proof.encode();
    bytes.truncate(bytes.len() - 72);
    bytes.extend_from_slice(&leaf.blind);
    bytes.extend_from_slice(&leaf.head);
    bytes.extend_from_slice(&leaf.count.to_le_bytes());
    MapProof::decode(&bytes).expect("a proof's spelling")
}

/// Whole, if the answer needs it by its envelope.
fn as_needed(shown: &Shown, item: Option<&[u8; 16]>) -> Shown {
    let Shown::Whole { envelope, salt, padded, .. } = shown else { return shown.clone() };
    match is_needed(&Envelope::decode(envelope).unwrap(), item) {
        true => shown.clone(),
        false => {
            Shown::Envelope { envelope: *envelope, content: hash(Domain::Content, &[salt, padded]) }
        }
    }
}

/// The map of the chains; of two accounts of one name the later.
fn map_of(names: &[String], heads: &[(u64, Digest)], without: Option<&str>) -> AccountMap {
    let mut map = AccountMap::default();
    for (ordinal, (name, (count, head))) in (0..).zip(names.iter().zip(heads)) {
        if Some(name.as_str()) == without {
            continue;
        }
        let key = MapKey::of(&hex(&STORE), name);
        let leaf = MapLeaf::of(&secret(ordinal), head, *count);
        map.apply(vec![(key, Some(leaf.hash(&key)))]);
    }
    map
}
