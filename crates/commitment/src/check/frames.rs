//! What a check asks of each frame: names, events and page trailers.

use event::{Event, Recorded, RecordedBy, canonical};

use super::{AccountCheck, Checked, Divergence, Level, LogCheck, Sink, divergence};
use crate::batch::{BATCH_HEADER, BatchHeader};
use crate::envelope::{Envelope, Scope};
use crate::fault::{Fault, same, same_bytes};
use crate::frame::{
    ENVELOPE_AT, FRAME_HEADER, Frame, PADDED_AT, chain_start, chain_step, content_of,
    leaves_of_events,
};
use crate::hash::Digest;
use crate::page::{MAX_PAGE, Summary};
use crate::tree::tree_leaf;

impl LogCheck {
    /// Reads the frames of a batch.
    pub(super) fn body(
        &mut self,
        header: &BatchHeader,
        body: &[u8],
        is_sound: bool,
        sink: Sink<'_>,
    ) -> Result<(), Box<Divergence>> {
        self.batch_position = self.pages.position();
        // Those of a whole batch at once, for they are most of the work.
        let mut leaves = match self.level {
            Level::Full => leaves_of_events(body),
            Level::Quick => Vec::new(),
        }
        .into_iter();
        let mut at = 0;
        while at < body.len() {
            let offset = self.offset + (BATCH_HEADER + at) as u64;
            let (frame, len) = match Frame::read(&body[at..]) {
                Ok(read) => read,
                // Where frames begin is not known behind a byte that may be anything.
                Err(_) if !is_sound => return Ok(()),
                Err(fault) => {
                    let position = Some(self.pages.position());
                    let found = *divergence(&self.file, fault.moved(offset));
                    return Err(Box::new(Divergence { position, ..found }));
                }
            };
            let leaf = match frame {
                Frame::Event { .. } => leaves.next(),
                _ => None,
            };
            self.frame(&frame, leaf, &body[at..at + len], offset, is_sound, sink)?;
            at += len;
        }
        if !is_sound {
            return Ok(());
        }
        if let Some(ordinal) = self.awaited {
            let expected = format!("an event of account {ordinal}, which was just named");
            return Err(self.here(Fault::new(header.total(), expected, "the end of the batch")));
        }
        let events = self.pages.position() - self.batch_position;
        same(28, "a count of events of", events, u64::from(header.events))
            .map_err(|fault| self.here(fault))
    }

    fn frame(
        &mut self,
        frame: &Frame<'_>,
        leaf: Option<Digest>,
        bytes: &[u8],
        offset: u64,
        is_sound: bool,
        sink: Sink<'_>,
    ) -> Result<(), Box<Divergence>> {
        let is_event = matches!(frame, Frame::Event { .. });
        let in_frame = |check: &LogCheck, fault: Fault| {
            let position = is_event.then(|| check.pages.position());
            Box::new(Divergence { position, ..*divergence(&check.file, fault.moved(offset)) })
        };
        if !matches!(frame, Frame::Trailer(_)) && self.pages.is_full_for(bytes.len()) {
            let expected = format!("a page trailer before a page of more than {MAX_PAGE} bytes");
            return Err(in_frame(self, Fault::new(0, expected, "another frame")));
        }
        match frame {
            Frame::Trailer(summary) => {
                let checked = Frame::check(bytes, &tree_leaf(*summary)).and_then(|()| {
                    self.trailer(summary).map_err(|fault| fault.moved(FRAME_HEADER as u64))
                });
                checked.map_err(|fault| {
                    let position = Some(self.pages.first_position());
                    let found = *divergence(&self.file, fault.moved(offset));
                    Box::new(Divergence { position, ..found })
                })?;
            }
            Frame::Name { ordinal, secret, name } => {
                let leaf = self.name(*ordinal, secret, name, frame);
                let leaf = leaf.and_then(|leaf| {
                    leaf.map_or(Ok(()), |leaf| Frame::check(bytes, &leaf)).map(|()| leaf)
                });
                let leaf = leaf.map_err(|fault| {
                    let account = Some((*name).to_owned());
                    Box::new(Divergence { account, ..*in_frame(self, fault) })
                })?;
                self.count(leaf, bytes, false);
            }
            Frame::Event { envelope, padded, .. } => {
                let ordinal =
                    u32::from_le_bytes([envelope[4], envelope[5], envelope[6], envelope[7]]);
                if let Some(awaited) = self.awaited.take() {
                    let what = "an event of the account just named, of ordinal";
                    same(ENVELOPE_AT + 4, what, awaited, ordinal).map_err(|f| in_frame(self, f))?;
                }
                if self.level == Level::Quick {
                    self.quick_event(envelope).map_err(|fault| in_frame(self, fault))?;
                    self.count(None, bytes, true);
                    return Ok(());
                }
                let leaf = leaf.expect("an event has a leaf");
                let recorded = self.event(ordinal, envelope, padded);
                let recorded = recorded.and_then(|r| Frame::check(bytes, &leaf).map(|()| r));
                let recorded = recorded.map_err(|fault| {
                    let account = self.accounts.get(ordinal as usize);
                    Box::new(Divergence {
                        account: account.map(|a| a.name.to_string()),
                        revision: account.map(|a| a.events),
                        ..*in_frame(self, fault)
                    })
                })?;
                self.count(Some(leaf), bytes, true);
                let account = &mut self.accounts[ordinal as usize];
                account.chain = chain_step(&account.chain, &leaf);
                account.events += 1;
                if is_sound {
                    sink(Checked {
                        recorded,
                        ordinal,
                        secret: &account.secret,
                        leaf,
                        chain: account.chain,
                        file: &self.file,
                        offset,
                    });
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, leaf: Option<Digest>, bytes: &[u8], is_event: bool) {
        match leaf {
            Some(leaf) => self.pages.push(leaf, bytes.len(), is_event),
            None => {
                self.pages.count(bytes.len(), is_event);
                self.open_page.extend_from_slice(bytes);
            }
        }
    }

    fn trailer(&mut self, bytes: &[u8; crate::SUMMARY]) -> Result<(), Fault> {
        let found = Summary::decode(bytes)?;
        let Some(expected) = self.pages.open() else {
            return Err(Fault::new(0, "a frame with a leaf before a page trailer", "none"));
        };
        expected.check(&found, self.level == Level::Full)?;
        self.tree.push(tree_leaf(bytes));
        self.pages.close(bytes);
        self.open_page.clear();
        Ok(())
    }

    /// Takes in a name; gives its leaf at [`Level::Full`].
    fn name(
        &mut self,
        ordinal: u32,
        secret: &[u8; 32],
        name: &str,
        frame: &Frame<'_>,
    ) -> Result<Option<Digest>, Fault> {
        if let Some(awaited) = self.awaited {
            let expected = format!("an event of account {awaited}, which was just named");
            return Err(Fault::new(0, expected, "another name"));
        }
        same(FRAME_HEADER, "the ordinal", self.named, u64::from(ordinal))?;
        let mut leaf = None;
        if self.level == Level::Full {
            if let Some(other) = self.names.insert(name.into(), ordinal) {
                let found = format!("the name of account {other}");
                return Err(Fault::new(FRAME_HEADER + 36, "a new name", found));
            }
            let own = frame.leaf().expect("a name has a leaf");
            leaf = Some(own);
            self.accounts.push(AccountCheck {
                name: name.into(),
                secret: *secret,
                chain: chain_start(&own),
                events: 0,
            });
        }
        self.named += 1;
        self.awaited = Some(ordinal);
        Ok(leaf)
    }

    fn quick_event(&mut self, envelope: &[u8; crate::ENVELOPE]) -> Result<(), Fault> {
        let envelope = Envelope::decode(envelope).map_err(|f| f.moved(ENVELOPE_AT as u64))?;
        self.known(envelope.ordinal)?;
        self.clock(&envelope)
    }

    fn known(&self, ordinal: u32) -> Result<(), Fault> {
        if u64::from(ordinal) < self.named {
            return Ok(());
        }
        let expected = format!("the ordinal of an account named before, under {}", self.named);
        Err(Fault::new(ENVELOPE_AT + 4, expected, ordinal.to_string()))
    }

    fn clock(&mut self, envelope: &Envelope) -> Result<(), Fault> {
        if envelope.recorded_by == RecordedBy::Log {
            let ms = envelope.recorded_at.ms();
            if ms < self.pages.clock_ms() {
                let expected =
                    format!("a time of the log's clock from {} ms", self.pages.clock_ms());
                return Err(Fault::new(ENVELOPE_AT + 16, expected, format!("{ms} ms")));
            }
            self.pages.set_clock_ms(ms);
        }
        Ok(())
    }

    /// Everything that an event must be by itself and among its account's.
    fn event(
        &mut self,
        ordinal: u32,
        envelope: &[u8; crate::ENVELOPE],
        padded: &[u8],
    ) -> Result<Recorded, Fault> {
        let envelope = Envelope::decode(envelope).map_err(|f| f.moved(ENVELOPE_AT as u64))?;
        self.known(ordinal)?;
        self.clock(&envelope)?;
        let account = &self.accounts[ordinal as usize];
        let bytes = content_of(padded);
        let content = canonical::decode_content(envelope.kind, bytes).map_err(|e| {
            let end = PADDED_AT + padded.len();
            let at = end - bytes.len() + e.offset;
            Fault::new(at.min(end - 1), "a canonical content", e.problem.to_string())
        })?;
        let (scope, subject) = Scope::of(&content.payload);
        same(ENVELOPE_AT + 3, "the scope", scope as u8, envelope.scope as u8)?;
        let tag = scope.tag(&account.secret, subject);
        same_bytes(ENVELOPE_AT + 24, "the subject's tag", &tag, &envelope.tag)?;
        if !self.ids.insert(id_hash(ordinal, content.id)) {
            let found = format!("the id {:?} again", content.id);
            return Err(Fault::new(PADDED_AT, "an id that is new in the account", found));
        }
        let recorded_at = envelope.recorded_at;
        let is_honoured = envelope.recorded_by == RecordedBy::Source;
        Ok(Recorded {
            event: Event {
                id: content.id,
                account: &*account.name,
                occurred_at: envelope.occurred_at,
                recorded_at: is_honoured.then_some(recorded_at),
                actor: envelope.actor,
                surface: envelope.surface,
                attributes: content.attributes,
                payload: content.payload,
            }
            .into_owned(),
            position: self.pages.position(),
            revision: account.events,
            recorded_at,
            recorded_by: envelope.recorded_by,
        })
    }
}

/// 16 bytes that stand for an id in an account, to find it a second time.
fn id_hash(ordinal: u32, id: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&ordinal.to_le_bytes()).update(id.as_bytes());
    crate::hash::first(hasher.finalize().as_bytes())
}
