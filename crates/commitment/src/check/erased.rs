//! What a check asks of erasures: that each frame of which something was taken out is named by a later record, and that so
//! much of it is left as the records say that name it (docs/format.md, "Erased").

use std::ops::Range;

use super::{Divergence, Level, LogCheck, divergence};
use crate::envelope::Envelope;
use crate::erasure::{Erasure, ErasureRecord, Ranges, erased_root};
use crate::fault::{Fault, same_bytes};
use crate::frame::{ENVELOPE_AT, FRAME_HEADER, Frame, Left, SHRUNK_FRAME, chain_start};
use crate::hash::Digest;
use crate::segment::segment_name;

/// The erased frames and the records of erasures that a check has met. Memory: some 90 bytes a frame, and the records.
#[derive(Default)]
pub(super) struct Erasures {
    pub(super) records: Vec<ErasureRecord>,
    /// By position.
    pub(super) events: Frames,
    /// By ordinal.
    pub(super) names: Frames,
    /// How many of these no record has named yet, and no earlier check knew.
    pub(super) unrecorded_names: u64,
    /// The check began behind so many events and accounts.
    pub(super) from: (u64, u64),
}

/// Erased frames, found by their numbers, which rise. These lie beside each other: a record may name millions, and each of them
/// only here and there.
#[derive(Default)]
pub(super) struct Frames {
    numbers: Vec<u64>,
    met: Vec<Met>,
}

/// An erased frame.
struct Met {
    /// Of an event its own; of a name how many events are before it.
    position: u64,
    ordinal: u32,
    left: Left,
    /// What the records that were met say is left of it; `None` if none names it.
    recorded: Option<Left>,
    leaf: Digest,
    /// When the event occurred, where its envelope says so, in ms since the epoch.
    occurred_ms: Option<i64>,
    segment: u64,
    offset: u64,
}

impl Frames {
    pub(super) const fn len(&self) -> usize {
        self.met.len()
    }

    fn push(&mut self, number: u64, met: Met) {
        self.numbers.push(number);
        self.met.push(met);
    }

    fn get(&self, number: u64) -> Option<&Met> {
        self.numbers.binary_search(&number).ok().map(|at| &self.met[at])
    }

    /// The first that the records do not account for.
    fn unaccounted(&self) -> Option<&Met> {
        self.met.iter().find(|met| met.recorded != Some(met.left))
    }

    /// Where those of these ranges are, as far as the check, which began at `from`, has met them; or the first that is not there.
    fn spans(&self, ranges: &Ranges, from: u64) -> Result<Vec<Range<usize>>, u64> {
        let Frames { numbers, .. } = self;
        let (mut spans, mut behind) = (Vec::new(), 0);
        for range in ranges.iter().filter(|range| range.end > from) {
            let (first, end) = (range.start.max(from), range.end);
            // Ranges rise, and the next is near: in twice as many steps as the distance has binary digits.
            let mut step = 1;
            while numbers.get(behind + step).is_some_and(|number| *number < first) {
                behind += step;
                step *= 2;
            }
            let near = &numbers[behind..(behind + step).min(numbers.len())];
            let start = behind + near.partition_point(|number| *number < first);
            let numbers = numbers[start..].iter().copied();
            let there = numbers.zip(first..end).take_while(|(found, asked)| found == asked).count();
            if there as u64 != end - first {
                return Err(first + there as u64);
            }
            behind = start + there;
            spans.push(start..behind);
        }
        Ok(spans)
    }
}

impl Erasures {
    /// Whether the name of this account is erased.
    pub(super) fn is_nameless(&self, ordinal: u32) -> bool {
        self.names.get(ordinal.into()).is_some()
    }

    /// Whether a record that was met says so.
    pub(super) fn is_gone(&self, ordinal: u32) -> bool {
        self.names.get(ordinal.into()).is_some_and(|name| name.recorded.is_some())
    }

    /// Takes in a record; gives how many names it is the first to name.
    fn record(&mut self, erasure: &Erasure<'_>) -> Result<u64, Fault> {
        let left = erasure.left;
        let whole = |what: &str, number: u64| {
            let expected =
                format!("{what} {number}, which this names, erased to its {}", word(left));
            Fault::new(0, expected, "it whole")
        };
        let (position, ordinal) = self.from;
        let events = self.events.spans(&erasure.events, position);
        let events = events.map_err(|number| whole("the event of position", number))?;
        let names = self.names.spans(&erasure.names, ordinal);
        let names = names.map_err(|number| whole("the name of account", number))?;

        // In the order of the log: a name comes before the event of its position.
        let (mut frames, mut first) = (Vec::new(), 0);
        let mut names = names.into_iter().flatten().peekable();
        let mut name = |met: &mut Met| {
            first += u64::from(met.recorded.replace(left).is_none());
            (met.ordinal, met.leaf)
        };
        for event in events.into_iter().flatten() {
            let met = &mut self.events.met[event];
            while let Some(at) = names.next_if(|at| self.names.met[*at].position <= met.position) {
                frames.push(name(&mut self.names.met[at]));
            }
            if met.left < left {
                let position = met.position;
                let expected = format!("the event of position {position} erased to its leaf");
                return Err(Fault::new(0, expected, "its envelope left"));
            }
            let both = erasure.before_ms.zip(met.occurred_ms);
            if let Some((before, ms)) = both.filter(|(before, ms)| ms >= before) {
                let expected = format!("events that occurred before {before} ms");
                let found = format!("the one of position {} at {ms} ms", met.position);
                return Err(Fault::new(0, expected, found));
            }
            met.recorded = met.recorded.max(Some(left));
            frames.push((met.ordinal, met.leaf));
        }
        frames.extend(names.map(|at| name(&mut self.names.met[at])));
        // Else some are before where the check began.
        if frames.len() as u64 == erasure.events.count() + erasure.names.count() {
            same_bytes(0, "the root over what was erased,", &erased_root(&frames), &erasure.root)?;
        }
        Ok(first)
    }

    /// The first erased frame, in the order of the log, that the records do not account for.
    fn unaccounted(&self) -> Option<(&Met, bool)> {
        match (self.events.unaccounted(), self.names.unaccounted()) {
            (Some(event), Some(name)) if event.position < name.position => Some((event, true)),
            (_, Some(name)) => Some((name, false)),
            (event, None) => event.map(|event| (event, true)),
        }
    }
}

const fn word(left: Left) -> &'static str {
    match left {
        Left::Envelope => "envelope",
        Left::Leaf => "leaf",
    }
}

impl LogCheck {
    /// Takes in an erased frame.
    pub(super) fn erased(
        &mut self,
        frame: &Frame<'_>,
        bytes: &[u8],
        offset: u64,
    ) -> Result<(), Fault> {
        let leaf = frame.leaf().expect("an erased frame keeps its leaf");
        Frame::check(bytes, &leaf)?;
        let is_cut = bytes.len() == SHRUNK_FRAME;
        // A name may have been erased when its segment was shrunk already.
        if is_cut || frame.is_event() {
            self.length(is_cut)?;
        }
        let position = self.pages.position();
        let (ordinal, left, occurred_ms) = match frame {
            Frame::NameErased { ordinal, .. } => {
                self.is_next_name(*ordinal)?;
                (*ordinal, Left::Leaf, None)
            }
            Frame::EventErased { ordinal, .. } => {
                self.place(FRAME_HEADER, *ordinal, None)?;
                if self.erasures.is_gone(*ordinal) {
                    let expected = "no event of an account behind the record that names it";
                    return Err(Fault::new(
                        FRAME_HEADER,
                        expected,
                        format!("one of account {ordinal}"),
                    ));
                }
                self.pages.hide_clock();
                (*ordinal, Left::Leaf, None)
            }
            Frame::ContentErased { envelope, .. } => {
                let envelope =
                    Envelope::decode(envelope).map_err(|f| f.moved(ENVELOPE_AT as u64))?;
                let at = ENVELOPE_AT + 4;
                self.place(at, envelope.ordinal, envelope.clock_ms())?;
                self.is_known(at, envelope.ordinal)?;
                (envelope.ordinal, Left::Envelope, Some(envelope.occurred_at.ms()))
            }
            _ => unreachable!("the frame is erased"),
        };
        let segment = self.segment.unwrap_or_default();
        let recorded = None;
        let met = Met { position, ordinal, left, recorded, leaf, occurred_ms, segment, offset };
        let is_full = self.level == Level::Full;
        if frame.is_event() {
            if is_full {
                self.accounts.chains.add(ordinal, leaf);
            }
            self.erasures.events.push(position, met);
        } else {
            if is_full {
                self.accounts.push("", &[0; 32], chain_start(&leaf), 0);
            }
            self.named += 1;
            self.awaited = Some(ordinal);
            self.erasures.names.push(ordinal.into(), met);
            self.erasures.unrecorded_names += 1;
        }
        match is_full {
            true => self.pages.push(leaf, bytes.len(), frame.is_event()),
            false => self.pages.count(bytes.len(), frame.is_event()),
        }
        Ok(())
    }

    /// Holds whether an event's frame, or an erased one, is cut to what is left of it against the others of its segment.
    pub(super) fn length(&mut self, is_cut: bool) -> Result<(), Fault> {
        let is_last = self.segment >= Some(self.head.now.segment);
        if is_cut && is_last {
            let expected = "a frame as long as it was, in the last segment";
            return Err(Fault::new(1, expected, "one of 36 bytes"));
        }
        match (*self.is_shrunk.get_or_insert(is_cut), is_cut) {
            (true, false) => {
                let expected = "an event erased to its leaf, of 36 bytes, in a shrunk segment";
                Err(Fault::new(1, expected, "another one"))
            }
            (false, true) => {
                let expected = "a frame as long as it was, in a segment that is not shrunk";
                Err(Fault::new(1, expected, "one of 36 bytes"))
            }
            _ => Ok(()),
        }
    }

    /// Holds a record against the frames that it names.
    pub(super) fn erasure(&mut self, erasure: &Erasure<'_>) -> Result<(), Fault> {
        self.is_on_time("an erasure", erasure.at_ms)?;
        let (events, names) = (erasure.events.end(), erasure.names.end());
        if events > self.batch_position || names > self.batch_named {
            let before =
                format!("{} events and {} accounts", self.batch_position, self.batch_named);
            let found = format!("up to {events} and {names}");
            return Err(Fault::new(
                0,
                format!("an erasure of what is before its batch, {before}"),
                found,
            ));
        }
        let first = self.erasures.record(erasure)?;
        let former = self.unmap(&erasure.names);
        self.erasures.unrecorded_names -= first.saturating_sub(former);
        self.pages.set_clock_ms(erasure.at_ms);
        let (number, page) = (self.erasures.records.len() as u64, self.pages.closed());
        self.erasures.records.push(ErasureRecord::of(number, page, erasure));
        self.closing = Some("an erasure's record");
        Ok(())
    }

    /// Counts the accounts that no seal's map can be made with: their names are erased, and no record says so yet.
    pub(super) fn count_unrecorded(&mut self) {
        let is_unrecorded =
            |name: &&Met| name.recorded.is_none() && !self.seals.is_former(name.ordinal);
        let count = self.erasures.names.met.iter().filter(is_unrecorded).count();
        self.erasures.unrecorded_names = count as u64;
    }

    /// At the end: nothing is erased of which no record says so.
    pub(super) fn end_erasures(&self) -> Result<(), Box<Divergence>> {
        let Some((met, is_event)) = self.erasures.unaccounted() else { return Ok(()) };
        let expected = format!(
            "behind an erased frame a record that says that only its {} is left",
            word(met.left)
        );
        let found = match met.recorded {
            None => "none".to_owned(),
            Some(left) => format!("one that leaves its {}", word(left)),
        };
        let fault = Fault::new(0, expected, found).moved(met.offset);
        let mut found = divergence(&segment_name(met.segment), fault);
        if is_event {
            found.position = Some(met.position);
            found.account = self.accounts.name(met.ordinal).map(str::to_owned);
        }
        Err(found)
    }
}
