//! What an append makes of its events before it waits for its turn.
//!
//! Events come in thousands and have a handful of short texts each, so they are kept together: fixed
//! parts in one list, texts and contents behind one another in one buffer.

use std::ops::Range;

use commitment::{Digest, Domain, FRAME_HEADER, MIN_CONTENT, Scope, hash_pairs};
use event::{Event, Names, Recorded, Step, Timestamp, canonical};

use crate::AppendError;
use crate::derived::{Entry, IdTag, Place};

/// An event's content is at most this long: several times what a line of an event can hold.
pub(crate) const MAX_CONTENT: usize = 4 << 20;
/// As many bytes of frames make a parcel of those that are cut to size here.
const PARCEL_BYTES: usize = 1 << 20;

/// Events with all that can be made of them without the log: a thread that prepares leaves less to the
/// one that appends. They go into one batch.
#[derive(Default)]
pub struct Prepared {
    pub(crate) events: Vec<Entered>,
    texts: String,
    contents: Vec<u8>,
    /// The bytes that their frames take at most.
    frames: usize,
    /// To take the texts of one event apart.
    names: Names,
}

/// An event on its way into the log.
pub(crate) struct Entered {
    /// What a fold reads of it but for its texts. Its place and `recorded_at` are known once it is
    /// staged.
    pub(crate) step: Step,
    /// Its own `recorded_at`.
    pub(crate) recorded_at: Option<Timestamp>,
    pub(crate) scope: Scope,
    account: Span,
    about: Span,
    subject: Option<Span>,
    word: Option<Span>,
    id: Span,
    content: Span,
    pub(crate) key: Key,
    /// Once it is staged; an event that the log knew is not.
    pub(crate) staged: Option<Staged>,
}

/// What an event is looked up by.
#[derive(Clone, Copy, Default)]
pub(crate) struct Key {
    /// Of its account's name.
    pub(crate) account: Digest,
    /// Of account and id.
    pub(crate) id: IdTag,
    /// Of all else that must be the same in a duplicate.
    pub(crate) event: [u8; 16],
}

/// Where an event went.
#[derive(Clone, Copy)]
pub(crate) struct Staged {
    pub(crate) ordinal: u32,
    /// Its account's.
    pub(crate) secret: [u8; 32],
    /// Where its frame begins: in its batch, then in the log.
    pub(crate) place: Place,
}

/// A range of a parcel's texts or contents: under 2^32 bytes of each.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Prepared {
    /// None yet.
    #[must_use]
    pub fn new() -> Prepared {
        Prepared::default()
    }

    /// None yet, with room for as many as here.
    #[must_use]
    pub fn sized_alike(&self) -> Prepared {
        Prepared {
            events: Vec::with_capacity(self.events.len() * 9 / 8),
            texts: String::with_capacity(self.texts.len() * 9 / 8),
            contents: Vec::with_capacity(self.contents.len() * 9 / 8),
            ..Prepared::default()
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The bytes that their frames take at most: a batch holds some 16 MiB.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.frames
    }

    /// Checks an event and adds it.
    ///
    /// # Errors
    /// Which limit of an event (docs/format.md, section 6) it breaks; it is not added then.
    pub fn push<S: AsRef<str>>(&mut self, event: &Event<S>) -> Result<(), String> {
        event.check().map_err(|e| e.to_string())?;
        let start = self.contents.len();
        canonical::encode_content(event, &mut self.contents);
        let len = self.contents.len() - start;
        if len > MAX_CONTENT {
            self.contents.truncate(start);
            return Err(format!("has {len} bytes, more than {MAX_CONTENT}"));
        }
        self.enter(event, span(start, start + len));
        Ok(())
    }

    /// Adds an event that is in the log.
    pub(crate) fn push_recorded<S: AsRef<str>>(&mut self, recorded: &Recorded<S>, staged: Staged) {
        self.enter(&recorded.event, span(0, 0));
        let entered = self.events.last_mut().expect("it was just added");
        entered.step.position = recorded.position;
        entered.step.revision = recorded.revision;
        entered.step.recorded_at = recorded.recorded_at;
        entered.step.recorded_by = recorded.recorded_by;
        entered.staged = Some(staged);
    }

    fn enter<S: AsRef<str>>(&mut self, event: &Event<S>, content: Span) {
        self.names.clear();
        let step = Step::unplaced(event, &mut self.names);
        let account = keep(&mut self.texts, event.account.as_ref());
        let id = keep(&mut self.texts, event.id.as_ref());
        let (scope, about) = Scope::of(&event.payload);
        let subject = step.subject.map(|name| keep(&mut self.texts, self.names.get(name)));
        let word = step.word.map(|name| keep(&mut self.texts, self.names.get(name)));
        let about = match (scope, subject, word) {
            (Scope::Item | Scope::Backup, Some(subject), _) => subject,
            (Scope::Category, _, Some(word)) => word,
            _ => keep(&mut self.texts, about),
        };
        let name_frame = FRAME_HEADER + 36 + event.account.as_ref().len();
        let content_bytes = content.range().len().max(MIN_CONTENT);
        self.frames += name_frame + FRAME_HEADER + 56 + content_bytes;
        let (recorded_at, key) = (event.recorded_at, Key::default());
        self.events.push(Entered {
            step,
            recorded_at,
            scope,
            account,
            about,
            subject,
            word,
            id,
            content,
            key,
            staged: None,
        });
    }

    /// Makes what events are looked up by. All at once costs much less than each by itself, and here
    /// less than while others wait: the log does it for those who did not.
    pub fn finish(&mut self) {
        // A key that is there is not zero.
        let begin = self.events.iter().position(|event| event.key.account == [0; 32]);
        let begin = begin.unwrap_or(self.events.len());
        let events = &self.events[begin..];
        let text = |span: Span| &self.texts.as_bytes()[span.range()];
        let hash = |domain, pairs: Vec<[&[u8]; 2]>| hash_pairs(domain, &pairs);
        let none: &[u8] = &[];
        let accounts = events.iter().map(|event| [text(event.account), none]).collect();
        let accounts = hash(Domain::DerivedAccount, accounts);
        let ids =
            events.iter().zip(&accounts).map(|(event, account)| [&account[..], text(event.id)]);
        let ids = hash(Domain::DerivedId, ids.collect());
        let heads: Vec<[u8; 11]> = events.iter().map(|event| head(&event.step)).collect();
        let whole = events.iter().zip(&heads).map(|(event, head)| [&head[..], self.content(event)]);
        let whole = hash(Domain::DerivedEvent, whole.collect());
        let keys = accounts.into_iter().zip(ids).zip(whole);
        for (event, ((account, id), whole)) in self.events[begin..].iter_mut().zip(keys) {
            event.key = Key { account, id: first(&id), event: first(&whole) };
        }
    }

    pub(crate) fn account(&self, event: &Entered) -> &str {
        self.text(event.account)
    }

    pub(crate) fn id(&self, event: &Entered) -> &str {
        self.text(event.id)
    }

    /// The subject of its scope.
    pub(crate) fn about(&self, event: &Entered) -> &str {
        self.text(event.about)
    }

    pub(crate) fn content(&self, event: &Entered) -> &[u8] {
        &self.contents[event.content.range()]
    }

    fn text(&self, span: Span) -> &str {
        &self.texts[span.range()]
    }

    /// It was written in a batch that begins here.
    pub(crate) fn written(&mut self, start: Place) {
        for staged in self.events.iter_mut().filter_map(|event| event.staged.as_mut()) {
            staged.place.segment = start.segment;
            staged.place.offset += start.offset;
        }
        // What no derived file has need not wait with the rest.
        self.contents = Vec::new();
    }

    /// What the derived files take in: of those that were staged.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.events.iter().filter_map(|event| {
            let staged = event.staged?;
            Some(Entry {
                step: event.step,
                account: self.text(event.account),
                subject: event.subject.map(|span| self.text(span)),
                word: event.word.map(|span| self.text(span)),
                ordinal: u64::from(staged.ordinal),
                secret: staged.secret,
                chain: [0; 32],
                tag: event.key.id,
                place: staged.place,
            })
        })
    }

    /// Forgets all, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.texts.clear();
        self.contents.clear();
        self.frames = 0;
    }
}

fn keep(texts: &mut String, text: &str) -> Span {
    let start = texts.len();
    texts.push_str(text);
    span(start, texts.len())
}

fn span(start: usize, end: usize) -> Span {
    let number = |n| u32::try_from(n).expect("a parcel has under 4 GiB");
    Span { start: number(start), end: number(end) }
}

/// What an event has beside its account, id and content.
fn head(step: &Step) -> [u8; 11] {
    let mut head = [0; 11];
    head[0] = step.kind.number();
    head[1] = step.actor.number();
    head[2] = step.surface.map_or(0, |surface| surface.number() + 1);
    head[3..].copy_from_slice(&step.occurred_at.ms().to_le_bytes());
    head
}

fn first(digest: &Digest) -> [u8; 16] {
    *digest.first_chunk().expect("16 of 32 bytes")
}

/// What an account is looked up by.
pub(crate) fn account_key(account: &str) -> Digest {
    commitment::hash(Domain::DerivedAccount, &[account.as_bytes()])
}

/// What stands for (account, id) in the derived files.
pub(crate) fn id_tag(account: &str, id: &str) -> IdTag {
    first(&commitment::hash(Domain::DerivedId, &[&account_key(account), id.as_bytes()]))
}

/// Prepares all, in parcels that are not too large.
pub(crate) fn prepare<'e, S: AsRef<str> + 'e>(
    events: impl IntoIterator<Item = &'e Event<S>>,
) -> Result<Vec<Prepared>, AppendError> {
    let mut parcels = Vec::new();
    let mut parcel = Prepared::new();
    for (index, event) in events.into_iter().enumerate() {
        parcel.push(event).map_err(|reason| AppendError::Event { index, reason })?;
        if parcel.frames >= PARCEL_BYTES {
            parcels.push(std::mem::take(&mut parcel));
        }
    }
    if !parcel.is_empty() {
        parcels.push(parcel);
    }
    parcels.iter_mut().for_each(Prepared::finish);
    Ok(parcels)
}
