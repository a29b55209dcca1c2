//! Certificates of an operator who lies: events are changed, and everything that commits to them is made
//! and signed anew, so that only what the events themselves say can be objected to.

use commitment::{
    AccountMap, Checkpoint, Control, ControlKind, Digest, Domain, Frontier, MapKey, MapLeaf, Note,
    Seal, SignerKey, Summary, chain_start, chain_step, control_leaf, hash, hex, tree_leaf,
};
use fastrand::Rng;
use testkit::mutate::mutate;
use verifier::certificate::{Certificate, Placed, Shown, Since, Stream};

const POSITION: &str = "another position";

/// One or two lies, and the certificate with them.
pub fn forge(bytes: &[u8], other: &[u8], key: &SignerKey, random: &mut Rng) -> (String, Vec<u8>) {
    let mut certificate = Certificate::decode(bytes).expect("it is sound");
    let mut lies = Vec::new();
    let other = Certificate::decode(other).expect("it is sound");
    let others = other.stream.map_or(vec![], |stream| stream.events);
    if let Some(stream) = &mut certificate.stream {
        for _ in 0..random.usize(1..3) {
            lies.push(lie(stream, &others, random));
        }
        if !lies.contains(&POSITION) {
            place_anew(&mut stream.events);
        }
    }
    if random.u8(..16) == 0 {
        lies.push("another account");
        certificate.account = "n".repeat([0, 1, 128, 129][random.usize(..4)]);
    }
    let items = [None, Some("i1".to_owned()), Some("none".to_owned())];
    if random.u8(..6) == 0 {
        lies.push("another item");
        certificate.question.item = random.choice(items).expect("items");
    }
    sign_anew(&mut certificate, key);
    if let Some(since) = &mut certificate.since
        && random.bool()
    {
        lies.push(lie_of_since(since, key, random));
    }
    if random.u8(..8) > 0 {
        certificate.audits.clear();
    }
    (format!("forged, {}", lies.join(", ")), certificate.encode())
}

/// Of an earlier checkpoint of a tree of one page.
fn lie_of_since(since: &mut Since, key: &SignerKey, random: &mut Rng) -> &'static str {
    let note = Note::parse(since.checkpoint.as_bytes()).expect("a note");
    let mut checkpoint = Checkpoint::parse(note.unverified_text()).expect("a checkpoint");
    let lie = match random.u8(..5) {
        0 => {
            checkpoint.size = 0;
            checkpoint.root = Frontier::default().root();
            "since nothing"
        }
        1 => {
            checkpoint.size += 1;
            "since a larger tree"
        }
        2 => {
            checkpoint.root[random.usize(..32)] ^= 1;
            "since another tree"
        }
        3 => {
            checkpoint.extensions.push("extension".to_owned());
            "since one with an extension"
        }
        _ => {
            since.proof.push(checkpoint.root);
            "a hash too many"
        }
    };
    since.checkpoint = checkpoint.sign(key).expect("it is the key's").to_string();
    lie
}

/// With the events of a kind shown by their envelopes, which say that they are of this scope.
pub fn with_hidden(bytes: &[u8], kind: &str, scope: u8, key: &SignerKey) -> Vec<u8> {
    let mut certificate = Certificate::decode(bytes).expect("it is sound");
    let kind = event::Kind::from_name(kind).expect("a kind") as u8;
    for shown in certificate.stream.iter_mut().flat_map(|stream| &mut stream.events) {
        if let Shown::Whole { envelope, salt, padded, .. } = shown
            && envelope[0] == kind
        {
            let content = hash(Domain::Content, &[salt, padded]);
            envelope[3] = scope;
            *shown = Shown::Envelope { envelope: *envelope, content };
        }
    }
    sign_anew(&mut certificate, key);
    certificate.encode()
}

/// With positions that they can have.
fn place_anew(events: &mut [Shown]) {
    for (n, event) in (3..).zip(events) {
        if let Shown::Whole { position, .. } = event {
            *position = n;
        }
    }
}

fn lie(stream: &mut Stream, others: &[Shown], random: &mut Rng) -> &'static str {
    let Stream { events, ordinal, .. } = stream;
    let count = events.len();
    let n = random.usize(..count);
    match (random.u8(..16), &mut events[n]) {
        (0, _) if count > 1 => {
            events.remove(n);
            "an event left out"
        }
        (1, event) => {
            let twice = event.clone();
            events.insert(n, twice);
            "an event twice"
        }
        (2, _) => {
            let other = random.usize(..count);
            events.swap(n, other);
            "two events in each other's place"
        }
        (3..=4, event) if !others.is_empty() => {
            *event = random.choice(others).expect("there are some").clone();
            let (Shown::Whole { envelope, .. } | Shown::Envelope { envelope, .. }) = event;
            envelope[4..8].copy_from_slice(&ordinal.to_le_bytes());
            "an event of another certificate"
        }
        (5..=6, Shown::Whole { envelope, salt, padded, .. }) => {
            let content = hash(Domain::Content, &[salt, padded]);
            events[n] = Shown::Envelope { envelope: *envelope, content };
            "an event hidden"
        }
        (7, Shown::Whole { position, .. }) => {
            *position = position.wrapping_add_signed(random.i64(-3..=3));
            POSITION
        }
        (8..=9, Shown::Whole { padded, .. }) => {
            mutate(padded, b"\x93\x91\xa2i1\xa2id\x80", random);
            padded.resize(padded.len().max(16), 0);
            "another content"
        }
        (_, Shown::Whole { envelope, .. } | Shown::Envelope { envelope, .. }) => {
            // Kind, actor, surface, scope; the times; else anything.
            let at = *[0, 0, 1, 2, 3, 3, 8, 9, 10, 11, 12, 16, 19, 20, random.usize(..40)]
                .get(random.usize(..15))
                .expect("it is short");
            envelope[at] = match at {
                0 => random.u8(..32),
                1 => random.u8(..5),
                2 => random.u8(..6),
                3 => random.u8(..5) | random.u8(..2) << 4,
                _ => envelope[at] ^ 1 << random.u8(..8),
            };
            if envelope[3] & 15 == 0 {
                envelope[24..].fill(0);
            }
            "another envelope"
        }
    }
}

/// A log of one page with a seal and nothing else, whose map has this account alone or nobody.
fn sign_anew(certificate: &mut Certificate, key: &SignerKey) {
    let store = [7; 16];
    let account = MapKey::of(&hex(&store), &certificate.account);
    let mut map = AccountMap::default();
    let proof = match &certificate.stream {
        None => map.prove_absence(&account),
        Some(stream) => {
            let head = head(&certificate.account, stream);
            let leaf = MapLeaf::of(&[1; 32], &head, stream.events.len() as u64);
            map.apply(vec![(account, Some(leaf.hash(&account)))]);
            map.prove(&account, leaf)
        }
    };
    certificate.map = proof.expect("it is so");
    let at_ms = certificate.question.as_of.ms();
    let seal = Seal { size: 1 << 20, accounts: 1, root: map.root(), at_ms };
    certificate.seal_body = Control::Seal(seal).encode();
    let summary = Summary {
        store,
        page: 0,
        first_position: seal.size,
        events: 0,
        leaves: 1,
        root: control_leaf(ControlKind::Seal, &[2; 16], &certificate.seal_body),
        predecessor: [0; 32],
        clock_ms: at_ms,
    };
    let summary = summary.encode();
    certificate.seal = Placed { salt: [2; 16], in_page: vec![], summary, in_tree: vec![] };
    let origin = key.verifier().name().to_owned();
    let checkpoint = Checkpoint { origin, size: 1, root: tree_leaf(&summary), extensions: vec![] };
    certificate.checkpoint = checkpoint.sign(key).expect("it is the key's").to_string();
    if let Some(since) = &mut certificate.since {
        *since = Since { checkpoint: certificate.checkpoint.clone(), proof: vec![] };
    }
    certificate.adopted = None;
}

fn head(account: &str, stream: &Stream) -> Digest {
    let name = hash(Domain::Name, &[&stream.name_salt, account.as_bytes()]);
    let ordinal = stream.ordinal.to_le_bytes();
    let name_leaf = hash(Domain::NameLeaf, &[&ordinal, &stream.secret_hash, &name]);
    stream.events.iter().fold(chain_start(&name_leaf), |head, shown| {
        let (envelope, content) = match shown {
            Shown::Whole { envelope, salt, padded, .. } => {
                (envelope, hash(Domain::Content, &[salt, padded]))
            }
            Shown::Envelope { envelope, content } => (envelope, *content),
        };
        chain_step(&head, &hash(Domain::EventLeaf, &[envelope, &content]))
    })
}
