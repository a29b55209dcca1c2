//! The bytes of a certificate (docs/proofs.md, "Certificates"): one spelling, read strictly, at the cost of its
//! length.

use commitment::{Digest, ENVELOPE, MIN_CONTENT, MapProof, SALT, SUMMARY};
use event::Timestamp;

use super::{Adopted, Certificate, Placed, Question, Shown, Since, Stream};

/// The first bytes of every certificate.
const MAGIC: &[u8; 8] = b"STILLCRT";
/// The latest version that is written and read.
const LATEST: u32 = 2;
/// The longest certificate that is read, in bytes.
pub const MAX_CERTIFICATE: usize = 1 << 30;

/// Why bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Other bytes.
    #[error("not a certificate: it does not begin with STILLCRT")]
    Magic,
    /// Made by a later version of this program.
    #[error("a certificate of version {found}, and this program reads versions 1 to {latest}")]
    Future {
        /// The version that it says.
        found: u32,
        /// The latest of its kind that is read.
        latest: u32,
    },
    /// More than [`MAX_CERTIFICATE`].
    #[error("a certificate of {0} bytes, expected at most {MAX_CERTIFICATE}")]
    TooLong(usize),
    /// Its checksum does not hold.
    #[error("it was changed or cut since it was written: its checksum does not hold")]
    Changed,
    /// It ends too early.
    #[error("cut off at byte {offset}: expected {expected}")]
    Short {
        /// Where it ends.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// Something that no certificate has there.
    #[error("at byte {offset}: expected {expected}")]
    Unexpected {
        /// From its beginning.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
    },
}

/// Whether bytes begin as a certificate of an answer does.
#[must_use]
pub fn is_certificate(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

impl Certificate {
    /// The lowest version that has all that it carries: so it has one spelling.
    const fn version(&self) -> u32 {
        match self.since {
            None => 1,
            Some(_) => 2,
        }
    }

    /// As bytes.
    ///
    /// # Panics
    /// If a part has 2^32 bytes or more.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Out(Vec::with_capacity(4096));
        out.raw(MAGIC);
        out.u32(self.version());
        out.text(&self.checkpoint);
        if self.version() >= 2 {
            out.since(self.since.as_ref());
        }
        out.list(&self.audits, |out, note| out.text(note));
        out.placed(&self.seal);
        out.bytes(&self.seal_body);
        out.bytes(&self.map.encode());
        out.text(&self.account);
        out.optional(self.stream.as_ref(), |out, stream| {
            out.u32(stream.ordinal);
            out.raw(&stream.name_salt);
            out.raw(&stream.secret_hash);
            out.list(&stream.events, |out, shown| match shown {
                Shown::Whole { envelope, salt, padded, position } => {
                    out.u8(0);
                    out.raw(envelope);
                    out.raw(salt);
                    out.bytes(padded);
                    out.u64(*position);
                }
                Shown::Envelope { envelope, content } => {
                    out.u8(1);
                    out.raw(envelope);
                    out.raw(content);
                }
            });
        });
        out.bytes(&self.policy);
        out.optional(self.adopted.as_ref(), |out, adopted| {
            out.u32(adopted.leaf);
            out.placed(&adopted.placed);
        });
        let Question { as_of, known_at, item, claims } = &self.question;
        out.u64(as_of.ms().cast_unsigned());
        out.u64(known_at.ms().cast_unsigned());
        out.optional(item.as_ref(), |out, item| out.text(item));
        out.list(claims, |out, claim| out.text(claim));
        out.list(&self.answers, |out, answer| out.text(answer));
        out.end()
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`WireError`]: the first thing that no certificate has.
    pub fn decode(bytes: &[u8]) -> Result<Certificate, WireError> {
        let mut input = In::new(bytes)?;
        match input.array::<8>("a certificate's first bytes") {
            Ok(magic) if magic == *MAGIC => {}
            _ => return Err(WireError::Magic),
        }
        let version = input.u32("a version")?;
        match version {
            1..=LATEST => {}
            0 => return Err(WireError::Unexpected { offset: 8, expected: "a version from 1" }),
            found => return Err(WireError::Future { found, latest: LATEST }),
        }
        input.checksum()?;
        let checkpoint = input.text("a checkpoint")?;
        let since = match version {
            1 => None,
            _ => input.since()?,
        };
        let audits = input.list("auditors' notes", |input| input.text("an auditor's note"))?;
        let seal = input.placed()?;
        let seal_body = input.bytes("what a seal says")?.to_vec();
        let map_at = input.at;
        let map = MapProof::decode(input.bytes("a proof in the account map")?);
        let expected = "a proof in the account map";
        let map = map.map_err(|_| WireError::Unexpected { offset: map_at, expected })?;
        let account = input.text("an account's name")?;
        let stream = input.optional("an account's stream", |input| {
            Ok(Stream {
                ordinal: input.u32("an ordinal")?,
                name_salt: input.array("a name's salt")?,
                secret_hash: input.array("a secret's hash")?,
                events: input.list("events", In::shown)?,
            })
        })?;
        let policy = input.bytes("a compiled policy")?.to_vec();
        let adopted = input.optional("the adoption of a policy", |input| {
            Ok(Adopted { leaf: input.u32("a leaf's number")?, placed: input.placed()? })
        })?;
        let question = Question {
            as_of: input.time("an instant")?,
            known_at: input.time("an instant")?,
            item: input.optional("an item", |input| input.text("an item"))?,
            claims: input.list("claims", |input| input.text("a claim"))?,
        };
        let answers = input.list("answers", |input| input.text("an answer"))?;
        input.end()?;
        let certificate = Certificate {
            checkpoint,
            since,
            audits,
            seal,
            seal_body,
            map,
            account,
            stream,
            policy,
            adopted,
            question,
            answers,
        };
        if certificate.version() != version {
            let expected = "the lowest version that has what it carries";
            return Err(WireError::Unexpected { offset: 8, expected });
        }
        Ok(certificate)
    }
}

/// Writes the parts of a certificate.
pub(super) struct Out(pub(super) Vec<u8>);

impl Out {
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn u8(&mut self, n: u8) {
        self.0.push(n);
    }

    pub(super) fn u32(&mut self, n: u32) {
        self.raw(&n.to_le_bytes());
    }

    fn u64(&mut self, n: u64) {
        self.raw(&n.to_le_bytes());
    }

    /// With a checksum of all of it behind it.
    pub(super) fn end(mut self) -> Vec<u8> {
        let checksum = blake3::hash(&self.0);
        self.raw(checksum.as_bytes());
        self.0
    }

    fn count(&mut self, n: usize) {
        self.u32(u32::try_from(n).expect("under 2^32"));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    pub(super) fn text(&mut self, text: impl AsRef<str>) {
        self.bytes(text.as_ref().as_bytes());
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Out, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    fn optional<T>(&mut self, item: Option<T>, write: impl FnOnce(&mut Out, T)) {
        self.u8(u8::from(item.is_some()));
        if let Some(item) = item {
            write(self, item);
        }
    }

    fn hashes(&mut self, hashes: &[Digest]) {
        self.list(hashes, |out, hash| out.raw(hash));
    }

    pub(super) fn since(&mut self, since: Option<&Since>) {
        self.optional(since, |out, since| {
            out.text(&since.checkpoint);
            out.hashes(&since.proof);
        });
    }

    pub(super) fn placed(&mut self, placed: &Placed) {
        self.raw(&placed.salt);
        self.hashes(&placed.in_page);
        self.raw(&placed.summary);
        self.hashes(&placed.in_tree);
    }
}

/// Reads them.
pub(super) struct In<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> In<'a> {
    /// Of all the bytes, if they are not too many.
    pub(super) fn new(bytes: &'a [u8]) -> Result<In<'a>, WireError> {
        match bytes.len() {
            len if len > MAX_CERTIFICATE => Err(WireError::TooLong(len)),
            _ => Ok(In { bytes, at: 0 }),
        }
    }

    /// Holds the checksum at the end, and takes it off. It lets nobody trust the rest more, but tells what was
    /// changed by chance from what was forged.
    pub(super) fn checksum(&mut self) -> Result<(), WireError> {
        let (bytes, checksum) = self.bytes.split_last_chunk().ok_or(WireError::Changed)?;
        if bytes.len() < self.at || blake3::hash(bytes).as_bytes() != checksum {
            return Err(WireError::Changed);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Holds that nothing is left.
    pub(super) fn end(&self) -> Result<(), WireError> {
        match self.at < self.bytes.len() {
            true => Err(self.unexpected(0, "the end of the certificate")),
            false => Ok(()),
        }
    }

    /// What begins `back` bytes before is something else.
    pub(super) fn unexpected(&self, back: usize, expected: &'static str) -> WireError {
        WireError::Unexpected { offset: self.at - back, expected }
    }

    fn raw(&mut self, len: usize, expected: &'static str) -> Result<&'a [u8], WireError> {
        let offset = self.bytes.len();
        let bytes = self.bytes[self.at..].get(..len);
        let bytes = bytes.ok_or(WireError::Short { offset, expected })?;
        self.at += len;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        expected: &'static str,
    ) -> Result<[u8; N], WireError> {
        Ok(self.raw(N, expected)?.try_into().expect("of this length"))
    }

    fn u8(&mut self, expected: &'static str) -> Result<u8, WireError> {
        Ok(self.array::<1>(expected)?[0])
    }

    pub(super) fn u32(&mut self, expected: &'static str) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array(expected)?))
    }

    fn u64(&mut self, expected: &'static str) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array(expected)?))
    }

    pub(super) fn bytes(&mut self, expected: &'static str) -> Result<&'a [u8], WireError> {
        let len = self.u32(expected)? as usize;
        self.raw(len, expected)
    }

    pub(super) fn text(&mut self, expected: &'static str) -> Result<String, WireError> {
        let bytes = self.bytes(expected)?;
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned).map_err(|_| self.unexpected(bytes.len(), expected))
    }

    /// Room is made as items are read: a count alone costs nothing.
    pub(super) fn list<T>(
        &mut self,
        expected: &'static str,
        mut read: impl FnMut(&mut In<'a>) -> Result<T, WireError>,
    ) -> Result<Vec<T>, WireError> {
        let count = self.u32(expected)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn optional<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&mut In<'a>) -> Result<T, WireError>,
    ) -> Result<Option<T>, WireError> {
        match self.u8(expected)? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(self.unexpected(1, expected)),
        }
    }

    fn time(&mut self, expected: &'static str) -> Result<Timestamp, WireError> {
        let ms = self.u64(expected)?.cast_signed();
        Timestamp::from_ms(ms).ok_or_else(|| self.unexpected(8, expected))
    }

    fn hashes(&mut self) -> Result<Vec<Digest>, WireError> {
        self.list("hashes", |input| input.array("a hash"))
    }

    pub(super) fn since(&mut self) -> Result<Option<Since>, WireError> {
        self.optional("an earlier checkpoint", |input| {
            Ok(Since { checkpoint: input.text("a checkpoint")?, proof: input.hashes()? })
        })
    }

    pub(super) fn placed(&mut self) -> Result<Placed, WireError> {
        Ok(Placed {
            salt: self.array::<SALT>("a salt")?,
            in_page: self.hashes()?,
            summary: self.array::<SUMMARY>("a page's summary")?,
            in_tree: self.hashes()?,
        })
    }

    fn shown(&mut self) -> Result<Shown, WireError> {
        match self.u8("an event")? {
            0 => {
                let envelope = self.array::<ENVELOPE>("an envelope")?;
                let salt = self.array::<SALT>("a salt")?;
                let padded = self.bytes("an event's content")?;
                if padded.len() < MIN_CONTENT {
                    return Err(self.unexpected(padded.len(), "a content of at least 16 bytes"));
                }
                let position = self.u64("a position")?;
                Ok(Shown::Whole { envelope, salt, padded: padded.to_vec(), position })
            }
            1 => Ok(Shown::Envelope {
                envelope: self.array::<ENVELOPE>("an envelope")?,
                content: self.array("a content's hash")?,
            }),
            _ => Err(self.unexpected(1, "an event, whole (0) or by its envelope (1)")),
        }
    }
}
