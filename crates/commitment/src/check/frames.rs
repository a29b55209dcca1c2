//! What a check asks of each frame: names, events and page trailers. Of control frames see `seals.rs`.

use super::looked::{Batch, Looked, Run, Seen, SeenContent, SeenEvent, SeenName, What};
use super::standing::id_hash;
use super::{Checked, Divergence, Ids, Level, LogCheck, Sink, divergence};
use crate::fault::{Fault, at, same, same_bytes};
use crate::frame::{ENVELOPE_AT, FRAME_HEADER, Frame, PADDED_AT};
use crate::page::{MAX_PAGE, Summary};
use crate::tree::tree_leaf;

/// The accounts of so many frames are fetched at a time, of which all stay near.
const FETCHED: usize = 256;

impl LogCheck {
    /// Holds the frames of a batch against what was before them, `first` of those that were looked at.
    pub(super) fn body<T>(
        &mut self,
        looked: &Looked<'_, T>,
        batch: &Batch,
        first: usize,
        is_sound: bool,
        sink: Sink<'_, T>,
    ) -> Result<(), Box<Divergence>> {
        self.batch_position = self.pages.position();
        self.batch_named = self.named;
        let frames = &looked.frames[first..batch.frames];
        for (n, seen) in (first..).zip(frames) {
            if n.is_multiple_of(FETCHED) {
                let next = looked.frames[n..].iter().take(FETCHED);
                self.accounts.fetch(next.filter_map(Seen::event_ordinal));
            }
            let offset = self.offset + (seen.at - batch.at) as u64;
            let bytes = &looked.bytes[seen.at..seen.at + seen.len];
            match &seen.what {
                What::Run(run) => self.run(run, bytes, offset, is_sound, sink)?,
                what => self.frame(what, bytes, offset, is_sound, sink)?,
            }
        }
        if !is_sound {
            // Where frames begin is not known behind a byte that may be anything.
            return Ok(());
        }
        if let Some((at, fault)) = &batch.fault {
            let position = Some(self.pages.position());
            let found = *self.here(fault.clone().moved(*at as u64));
            return Err(Box::new(Divergence { position, ..found }));
        }
        if let Some(ordinal) = self.awaited {
            let expected = format!("an event of account {ordinal}, which was just named");
            let end = batch.header.total();
            return Err(self.here(Fault::new(end, expected, "the end of the batch")));
        }
        if let Some(what) = self.closing {
            let end = batch.header.total();
            let expected = format!("a page trailer behind {what}");
            return Err(self.here(Fault::new(end, expected, "the end of the batch")));
        }
        let is_erased = |seen: &Seen<'_, T>| matches!(&seen.what, What::Frame(f) if f.is_erased());
        if batch.header.rewritten != frames.iter().any(is_erased) {
            let (expected, found) = match batch.header.rewritten {
                true => ("an erased frame in a batch that says it was rewritten", "none"),
                false => {
                    ("a batch with an erased frame that says it was rewritten", "one that does not")
                }
            };
            return Err(self.here(Fault::new(28, expected, found)));
        }
        let events = self.pages.position() - self.batch_position;
        same(28, "a count of events of", events, u64::from(batch.header.events))
            .map_err(|fault| self.here(fault))
    }

    /// Takes in a run of events. Where one of them may not be as it should, each is asked by itself.
    fn run<T>(
        &mut self,
        run: &Run,
        bytes: &[u8],
        offset: u64,
        is_sound: bool,
        sink: Sink<'_, T>,
    ) -> Result<(), Box<Divergence>> {
        let fits = self.is_shrunk != Some(true)
            && self.pages.has_room_for(bytes.len())
            && self.awaited.is_none_or(|awaited| awaited == run.first_ordinal)
            && u64::from(run.most_ordinal) < self.named
            && run.clock_ms.is_none_or(|(first, _)| first >= self.pages.clock_ms());
        if fits {
            self.is_shrunk = Some(false);
            self.awaited = None;
            if let Some((_, last)) = run.clock_ms {
                self.pages.set_clock_ms(last);
            }
            self.pages.count_events(run.events, bytes.len());
            return Ok(());
        }
        let (mut rest, mut offset) = (bytes, offset);
        while let Ok((Frame::Event { envelope, padded, .. }, len)) = Frame::read(rest) {
            let mut look = |_: &_, _: &_| -> T { unreachable!("no content is read") };
            let event = SeenEvent::of(Level::Quick, envelope, padded, &mut look);
            self.frame(&What::Event(event), &rest[..len], offset, is_sound, sink)?;
            (rest, offset) = (&rest[len..], offset + len as u64);
        }
        Ok(())
    }

    fn frame<T>(
        &mut self,
        what: &What<'_, T>,
        bytes: &[u8],
        offset: u64,
        is_sound: bool,
        sink: Sink<'_, T>,
    ) -> Result<(), Box<Divergence>> {
        let in_frame = |check: &LogCheck, fault: Fault| {
            let is_event = match what {
                What::Frame(frame) => frame.is_event(),
                What::Name(_) => false,
                What::Event(_) | What::Run(_) => true,
            };
            let position = is_event.then(|| check.pages.position());
            Box::new(Divergence { position, ..*divergence(&check.file, fault.moved(offset)) })
        };
        let is_trailer = matches!(what, What::Frame(Frame::Trailer(_)));
        if let (false, Some(what)) = (is_trailer, self.closing) {
            let expected = format!("a page trailer behind {what}");
            return Err(in_frame(self, Fault::new(0, expected, "another frame")));
        }
        if !is_trailer && self.pages.is_full_for(bytes.len()) {
            let expected = format!("a page trailer before a page of more than {MAX_PAGE} bytes");
            return Err(in_frame(self, Fault::new(0, expected, "another frame")));
        }
        match what {
            What::Event(event) => {
                let ordinal = event.ordinal();
                let placed = event.clock_ms.as_ref().map_err(|fault| (**fault).clone());
                placed
                    .and_then(|clock_ms| self.length(false).map(|()| clock_ms))
                    .and_then(|clock_ms| self.place(ENVELOPE_AT + 4, ordinal, *clock_ms))
                    .map_err(|fault| self.of_account(ordinal, in_frame(self, fault)))?;
                let Some(content) = &event.content else {
                    self.pages.count(bytes.len(), true);
                    return Ok(());
                };
                let content = self.content(event, content, bytes);
                let content =
                    content.map_err(|fault| self.of_account(ordinal, in_frame(self, fault)))?;
                let revision = self.accounts.chains.add(ordinal, event.leaf);
                if is_sound {
                    let checked = Checked {
                        position: self.pages.position(),
                        revision,
                        ordinal,
                        file: &self.file,
                        offset,
                        bytes,
                        names: &self.accounts.names,
                    };
                    sink(checked, &content.told);
                }
                self.pages.push(event.leaf, bytes.len(), true);
            }
            What::Frame(Frame::Trailer(summary)) => {
                let checked = Frame::check(bytes, &tree_leaf(*summary)).and_then(|()| {
                    self.trailer(summary).map_err(|fault| fault.moved(FRAME_HEADER as u64))
                });
                checked.map_err(|fault| {
                    let position = Some(self.pages.first_position());
                    let found = *divergence(&self.file, fault.moved(offset));
                    Box::new(Divergence { position, ..found })
                })?;
            }
            What::Name(seen) => {
                let named = self.name(seen).and_then(|()| {
                    seen.hashes.map_or(Ok(()), |hashes| Frame::check(bytes, &hashes.leaf))
                });
                named.map_err(|fault| {
                    let account = Some(seen.name.to_owned());
                    Box::new(Divergence { account, ..*in_frame(self, fault) })
                })?;
                match &seen.hashes {
                    Some(hashes) => self.pages.push(hashes.leaf, bytes.len(), false),
                    None => self.pages.count(bytes.len(), false),
                }
            }
            What::Frame(frame @ Frame::Control { kind, body, .. }) => {
                let leaf = (self.level == Level::Full).then(|| frame.leaf().expect("it has one"));
                let checked = leaf.map_or(Ok(()), |leaf| Frame::check(bytes, &leaf));
                let checked = checked.and_then(|()| self.control(*kind, body));
                checked.map_err(|fault| in_frame(self, fault))?;
                match leaf {
                    Some(leaf) => self.pages.push(leaf, bytes.len(), false),
                    None => self.pages.count(bytes.len(), false),
                }
            }
            What::Frame(
                frame @ (Frame::ContentErased { .. }
                | Frame::EventErased { .. }
                | Frame::NameErased { .. }),
            ) => {
                self.erased(frame, bytes, offset).map_err(|fault| match frame.event_ordinal() {
                    Some(ordinal) => self.of_account(ordinal, in_frame(self, fault)),
                    None => in_frame(self, fault),
                })?;
            }
            What::Frame(Frame::Event { .. } | Frame::Name { .. }) | What::Run(_) => {
                unreachable!("events and names are looked at as such")
            }
        }
        Ok(())
    }

    /// The same fault, of an event of an account that may be known.
    fn of_account(&self, ordinal: u32, mut found: Box<Divergence>) -> Box<Divergence> {
        if let Some(name) = self.accounts.name(ordinal) {
            found.account = Some(name.to_owned());
            found.revision = Some(self.accounts.chains.events(ordinal));
        }
        found
    }

    fn trailer(&mut self, bytes: &[u8; crate::SUMMARY]) -> Result<(), Fault> {
        let found = Summary::decode(bytes)?;
        let is_full = self.level == Level::Full;
        self.pages.take_clock(&found);
        let Some(expected) = self.pages.open() else {
            return Err(Fault::new(0, "a frame with a leaf before a page trailer", "none"));
        };
        expected.check(&found, is_full)?;
        self.tree.push(tree_leaf(bytes));
        self.pages.close(bytes);
        self.open_page.clear();
        self.closing = None;
        self.keep_page();
        Ok(())
    }

    /// Takes in a name.
    fn name(&mut self, seen: &SeenName<'_>) -> Result<(), Fault> {
        let SeenName { ordinal, secret, name, hashes } = *seen;
        self.is_next_name(ordinal)?;
        if let Some(hashes) = hashes
            && let Some(other) = self.accounts.push(name, secret, hashes.chain_start, 0)
        {
            let found = format!("the name of account {other}");
            return Err(Fault::new(FRAME_HEADER + 36, "a new name", found));
        }
        self.named += 1;
        self.awaited = Some(ordinal);
        Ok(())
    }

    /// What stands before a name's frame.
    pub(super) fn is_next_name(&self, ordinal: u32) -> Result<(), Fault> {
        if let Some(awaited) = self.awaited {
            let expected = format!("an event of account {awaited}, which was just named");
            return Err(Fault::new(0, expected, "another name"));
        }
        same(FRAME_HEADER, "the ordinal", self.named, u64::from(ordinal))
    }

    /// What an event's account and time must be where it stands. `at` is where in the frame its ordinal is.
    pub(super) fn place(
        &mut self,
        at: usize,
        ordinal: u32,
        clock_ms: Option<i64>,
    ) -> Result<(), Fault> {
        if let Some(awaited) = self.awaited.take() {
            let what = "an event of the account just named, of ordinal";
            same(at, what, awaited, ordinal)?;
        }
        if u64::from(ordinal) >= self.named {
            let expected = format!("the ordinal of an account named before, under {}", self.named);
            return Err(Fault::new(at, expected, ordinal.to_string()));
        }
        if let Some(ms) = clock_ms {
            if ms < self.pages.clock_ms() {
                let expected =
                    format!("a time of the log's clock from {} ms", self.pages.clock_ms());
                return Err(Fault::new(ENVELOPE_AT + 16, expected, format!("{ms} ms")));
            }
            self.pages.set_clock_ms(ms);
        }
        Ok(())
    }

    /// At [`Level::Full`], an event of which more than the leaf is left is none of an account whose name was erased.
    pub(super) fn is_known(&self, at: usize, ordinal: u32) -> Result<(), Fault> {
        if self.level == Level::Quick || self.accounts.is_named(ordinal) {
            return Ok(());
        }
        let expected = "an event erased to its leaf, as the name of its account is";
        Err(Fault::new(at, expected, format!("more of one of account {ordinal}")))
    }

    /// What an event's content must be among its account's.
    fn content<'s, 'a, T>(
        &mut self,
        event: &SeenEvent<'a, T>,
        content: &'s Result<SeenContent<'a, T>, Box<Fault>>,
        bytes: &[u8],
    ) -> Result<&'s SeenContent<'a, T>, Fault> {
        let content = content.as_ref().map_err(|fault| (**fault).clone())?;
        let ordinal = event.ordinal();
        self.is_known(ENVELOPE_AT + 4, ordinal)?;
        let tag = content.scope.tag(self.accounts.secret(ordinal), content.subject);
        same_bytes(ENVELOPE_AT + 24, "the subject's tag", &tag, &at::<16>(event.envelope, 24))?;
        if !self.ids.take(ordinal, content.id) {
            let found = format!("the id {:?} again", content.id);
            return Err(Fault::new(PADDED_AT, "an id that is new in the account", found));
        }
        Frame::check(bytes, &event.leaf)?;
        Ok(content)
    }
}

impl Ids {
    /// Takes in an id; false if it was there.
    fn take(&mut self, ordinal: u32, id: &str) -> bool {
        match self {
            Ids::All(seen) => seen.insert(id_hash(ordinal, id)),
            Ids::Doubted { is_doubted, seen } => {
                !is_doubted(ordinal, id) || seen.insert((ordinal, id.into()))
            }
            Ids::Known { before, since } => {
                let hash = id_hash(ordinal, id);
                before.binary_search(&hash).is_err() && since.insert(hash)
            }
        }
    }
}
