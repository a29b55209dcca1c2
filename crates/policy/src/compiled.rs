//! From the compiled form back to a policy: what a certificate carries and is judged by, with no
//! file and no time zone database.
//!
//! Read is what [`Policy::canonical_bytes`] writes (the page of `hash.rs` lays it out) and nothing
//! else: what no policy file compiles to is refused, whatever it would mean. So bytes and policies go
//! one to one, and what is read gives back the same bytes and the same [`Policy::hash`].
//!
//! A zone may have changes that the database never had, so that a certificate outlives it: they are
//! held to be whole seconds from the year 1 to 2500, in order, with offsets of under 26 hours.
//!
//! What the form holds only by hash, or not at all, is empty: [`Version::source`], the texts of
//! [`Clause::text`] (their languages are there), the zone's name, [`Reading::set`]. Readings come by
//! their ids. The rest, and with it every fold, is that of the policy which was compiled.
//!
//! Memory is proportional to the bytes: a list grows by what was read of it and never by the length
//! that it claims, and the clauses of a version are not copied for each reading.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use event::limits::TEXT_BYTES;
use event::msgpack::Reader;
use event::{Actor, CanonicalError, Kind, Names, Timestamp};

use crate::compile::is_date;
use crate::hash::{LAYOUT, MARK};
use crate::zone::{FARTHEST_MS, LISTED_MS};
use crate::{
    Act, Actors, Acts, Basis, Clause, Confidence, Days, Full, FullOf, Kinds, OnChange, Over,
    Policy, Reading, Shortens, Stage, Stated, Tier, TrashRules, Version, When, Window, Zone,
};

/// Bytes that are not the compiled form of a policy: the first thing wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompiledError {
    /// Not canonical `MessagePack`, or a value of another type, range or length.
    #[error(transparent)]
    Spelling(#[from] CanonicalError),
    /// A value that no policy has there.
    #[error("at byte {offset}: expected {expected}, found {found}")]
    Value {
        /// Where the value begins, in bytes from 0.
        offset: usize,
        /// What can be there.
        expected: &'static str,
        /// What is.
        found: String,
    },
}

impl CompiledError {
    /// Where the value at fault begins, in bytes from 0.
    #[must_use]
    pub const fn offset(&self) -> usize {
        match self {
            CompiledError::Spelling(error) => error.offset,
            CompiledError::Value { offset, .. } => *offset,
        }
    }
}

fn refused(offset: usize, expected: &'static str, found: impl Display) -> Box<CompiledError> {
    let found: &dyn Display = &found;
    Box::new(CompiledError::Value { offset, expected, found: found.to_string() })
}

impl From<CanonicalError> for Box<CompiledError> {
    fn from(error: CanonicalError) -> Self {
        Box::new(CompiledError::Spelling(error))
    }
}

/// The error is passed on through many hands.
type Result<T> = std::result::Result<T, Box<CompiledError>>;

impl Policy {
    /// The policy of this compiled form, without its texts.
    ///
    /// # Errors
    /// [`CompiledError`]: [`Policy::canonical_bytes`] gives these bytes for no policy file.
    pub fn from_canonical_bytes(bytes: &[u8]) -> std::result::Result<Policy, CompiledError> {
        let mut reader = Reader::new(bytes);
        let policy = policy(&mut reader).map_err(|error| *error)?;
        reader.finish()?;
        Ok(policy)
    }
}

fn policy(r: &mut Reader<'_>) -> Result<Policy> {
    r.array_of("the 5 parts of a compiled policy", 5)?;
    let at = r.offset();
    let mark = r.text("the mark of a compiled policy", 1, TEXT_BYTES)?;
    if mark != MARK {
        return Err(refused(at, "the mark of a compiled policy", format_args!("{mark:?}")));
    }
    let at = r.offset();
    let layout = r.uint("layout 1", u64::MAX)?;
    if layout != u64::from(LAYOUT) {
        return Err(refused(at, "layout 1", layout));
    }
    let name = name(r, "the policy's name")?.to_owned();
    let zone = zone(r)?;
    let at = r.offset();
    let mut ids = Names::default();
    let mut versions = Vec::new();
    rising(r, "versions in the order in which they take effect", &mut |r| {
        let version = version(r, &mut ids)?;
        let from = version.effective_from;
        versions.push(version);
        Ok(from)
    })?;
    if versions.is_empty() {
        return Err(refused(at, "at least one version", "none"));
    }
    Ok(Policy { name, zone, versions })
}

fn zone(r: &mut Reader<'_>) -> Result<Zone> {
    r.array_of("the 2 parts of a zone", 2)?;
    let first_ms = offset_ms(r)?;
    let mut held = first_ms;
    let mut later = Vec::new();
    rising(r, "changes of the zone in the order of time", &mut |r| {
        r.array_of("the 2 parts of a change", 2)?;
        let at = r.offset();
        let at_ms = r.int("the instant of a change")?;
        if !(Timestamp::MIN.ms()..LISTED_MS).contains(&at_ms) || at_ms % 1000 != 0 {
            return Err(refused(at, "a whole second from the year 1 to 2500, in ms", at_ms));
        }
        let at = r.offset();
        let next = offset_ms(r)?;
        if next == held {
            return Err(refused(at, "an offset other than the one before it", next / 1000));
        }
        held = next;
        later.push((at_ms, next));
        Ok(at_ms)
    })?;
    Ok(Zone::of_changes(first_ms, later))
}

fn offset_ms(r: &mut Reader<'_>) -> Result<i64> {
    const FARTHEST_S: i64 = FARTHEST_MS / 1000;
    let at = r.offset();
    let offset_s = r.int("an offset")?;
    if (1 - FARTHEST_S..FARTHEST_S).contains(&offset_s) {
        Ok(offset_s * 1000)
    } else {
        Err(refused(at, "an offset of under 26 hours, in seconds", offset_s))
    }
}

fn version<'a>(r: &mut Reader<'a>, ids: &mut Names) -> Result<Version> {
    r.array_of("the 7 parts of a version", 7)?;
    let id = unique(r, "a version's id that none before it has", ids)?;
    let at = r.offset();
    let ms = r.int("the instant from which a version is in force")?;
    let effective_from = Timestamp::from_ms(ms)
        .ok_or_else(|| refused(at, "an instant from the year 1 to 9999, in ms", ms))?;
    let confidence = word(r, "a confidence", Confidence::ALL)?;
    let mut text_hashes = vec![*r.bytes("the hash of the source")?];
    let read_as = |r: &mut Reader<'a>| rules(r, id, effective_from, confidence);
    let mut base = read_as(r)?;
    let mut ids = Names::default();
    let mut clauses = Vec::new();
    each(r, "clauses", &mut |r| {
        clauses.push(clause(r, &mut ids, &mut text_hashes)?);
        Ok(())
    })?;
    base.clauses = clauses.into();
    base.text_hashes = text_hashes.into();
    let mut readings = Vec::new();
    rising(r, "readings in the order of their ids", &mut |r| {
        r.array_of("the 2 parts of a reading", 2)?;
        let at = r.offset();
        let id = name(r, "a reading's id")?;
        if id == "default" {
            return Err(refused(at, "a reading's id", "\"default\", the policy as it stands"));
        }
        let at = r.offset();
        let mut version = read_as(r)?;
        if !version.tiers.iter().map(|t| &t.name).eq(base.tiers.iter().map(|t| &t.name)) {
            return Err(refused(at, "rules with the version's own tiers", "others"));
        }
        if !version.stages.keys().eq(base.stages.keys()) {
            return Err(refused(at, "rules with the version's own stages", "others"));
        }
        if version.keep != base.keep {
            return Err(refused(at, "rules that keep records as long as the version's", "others"));
        }
        version.clauses = base.clauses.clone();
        version.text_hashes = base.text_hashes.clone();
        readings.push(Reading { id: id.to_owned(), set: BTreeMap::new(), version });
        Ok(id)
    })?;
    base.readings = readings;
    Ok(base)
}

/// A version of these rules, with no clauses and no readings.
fn rules(
    r: &mut Reader<'_>,
    id: &str,
    effective_from: Timestamp,
    confidence: Confidence,
) -> Result<Version> {
    let says_more = longer(r, "the 7 or 8 parts of rules", 7)?;
    let on_change = word(r, "what a change does", OnChange::ALL)?;
    let at = r.offset();
    let mut named = Names::default();
    let mut tiers = Vec::new();
    each(r, "tiers", &mut |r| {
        r.array_of("the 3 parts of a tier", 3)?;
        tiers.push(Tier {
            name: unique(r, "a tier's name that none before it has", &mut named)?.to_owned(),
            quota: r.optional("a quota", |r| r.uint("a quota", u64::MAX))?,
            trash: window(r, "a tier's window")?,
        });
        Ok(())
    })?;
    if tiers.is_empty() {
        return Err(refused(at, "at least one tier", "none"));
    }
    let trash = trash(r)?;
    r.array_of("the 5 parts of the rules of inactivity", 5)?;
    let inactivity_window = window(r, "the window of inactivity")?;
    let resets: Kinds = words(r, "kinds in the order of their numbers", Kind::ALL)?;
    let actors: Actors = words(r, "actors in the order of their numbers", Actor::ALL)?;
    let notice = window(r, "a notice")?;
    let mut exempt_tiers = BTreeSet::new();
    rising(r, "exempt tiers in the order of their names", &mut |r| {
        let at = r.offset();
        let tier = name(r, "an exempt tier")?;
        if named.find(tier).is_none() {
            return Err(refused(at, "a tier of the version", format_args!("{tier:?}")));
        }
        exempt_tiers.insert(tier.to_owned());
        Ok(tier)
    })?;
    let mut version = Version {
        id: id.to_owned(),
        effective_from,
        confidence,
        source: String::new(),
        on_change,
        tiers,
        trash,
        inactivity_window,
        resets,
        actors,
        everywhere: Kinds::NONE,
        notice,
        exempt_tiers,
        over: word(r, "what happens over quota", Over::ALL)?,
        stages: BTreeMap::new(),
        stale_after: window(r, "the window of a backup")?,
        late_after: window(r, "the window of lateness")?,
        keep: Window::Never,
        clauses: [].into(),
        readings: Vec::new(),
        text_hashes: [].into(),
    };
    if says_more {
        more(r, &mut version)?;
    }
    Ok(version)
}

/// The rules at the end: one at least is there.
fn more(r: &mut Reader<'_>, version: &mut Version) -> Result<()> {
    let at = r.offset();
    let keeps = longer(r, "the 3 or 4 parts of further rules", 3)?;
    version.trash.full = r.optional("when the trash is full", full)?;
    version.everywhere = words(r, "kinds in the order of their numbers", Kind::ALL)?;
    rising(r, "stages in the order of their names", &mut |r| {
        r.array_of("the 6 parts of a stage", 6)?;
        let name = name(r, "a stage's name")?;
        version.stages.insert(name.to_owned(), stage(r)?);
        Ok(name)
    })?;
    if keeps {
        let at = r.offset();
        version.keep = window(r, "how long records are kept")?;
        if version.keep == Window::Never {
            return Err(refused(at, "how long records are kept", "never"));
        }
    }
    if version.says_more() { Ok(()) } else { Err(refused(at, "a further rule", "none")) }
}

fn full(r: &mut Reader<'_>) -> Result<Full> {
    r.array_of("the 4 parts of a full trash", 4)?;
    let percent = r.uint("a share in hundredths", 100)?;
    Ok(Full {
        percent: u8::try_from(percent).expect("no more than asked for"),
        of: word(r, "of what a share is taken", FullOf::ALL)?,
        window: window(r, "the window of a full trash")?,
        shortens: word(r, "what a full trash shortens", Shortens::ALL)?,
    })
}

fn stage(r: &mut Reader<'_>) -> Result<Stage> {
    let when = word(r, "the condition of a stage", When::ALL)?;
    let after = window(r, "the window of a stage")?;
    let at = r.offset();
    let admits: Acts = words(r, "acts in the order of their numbers", Act::ALL)?;
    let only_purge = Acts::NONE.with(Act::Purge);
    if admits.is_empty() || (when == When::CategoryInactive && admits != only_purge) {
        return Err(refused(at, "acts that the condition can admit", "none or others"));
    }
    let categories = categories(r, "categories in the order of their names")?;
    Ok(Stage { when, after, admits, categories, notice: window(r, "a notice")? })
}

/// Whether an array has one part more than `parts`, which it may.
fn longer(r: &mut Reader<'_>, what: &'static str, parts: usize) -> Result<bool> {
    let at = r.offset();
    match r.array(what)? {
        found if found == parts => Ok(false),
        found if found == parts + 1 => Ok(true),
        found => Err(refused(at, what, found)),
    }
}

fn trash(r: &mut Reader<'_>) -> Result<TrashRules> {
    r.array_of("the 6 parts of the rules of the trash", 6)?;
    let basis = word(r, "whose window counts", Basis::ALL)?;
    let days = word(r, "how days are counted", Days::ALL)?;
    let purge_lag = window(r, "a purge lag")?;
    let counts_toward_quota = r.flag("whether the trash counts toward the quota")?;
    let mut windows = BTreeMap::new();
    rising(r, "categories in the order of their names", &mut |r| {
        r.array_of("the 2 parts of a category", 2)?;
        let category = name(r, "a category")?;
        windows.insert(category.to_owned(), window(r, "a category's window")?);
        Ok(category)
    })?;
    let no_trash = categories(r, "categories without a trash in the order of their names")?;
    Ok(TrashRules {
        basis,
        days,
        purge_lag,
        counts_toward_quota,
        categories: windows,
        no_trash,
        full: None,
    })
}

fn categories(r: &mut Reader<'_>, what: &'static str) -> Result<BTreeSet<String>> {
    let mut categories = BTreeSet::new();
    rising(r, what, &mut |r| {
        let category = name(r, "a category")?;
        categories.insert(category.to_owned());
        Ok(category)
    })?;
    Ok(categories)
}

/// A clause; the hashes of its texts go to `text_hashes`.
fn clause<'a>(
    r: &mut Reader<'a>,
    ids: &mut Names,
    text_hashes: &mut Vec<[u8; 32]>,
) -> Result<Clause> {
    let says_where = longer(r, "the 3 or 4 parts of a clause", 3)?;
    let id = unique(r, "a clause's id that none before it has", ids)?.to_owned();
    let mut for_ = Vec::new();
    each(r, "what a clause is for", &mut |r| {
        for_.push(name(r, "a word")?.to_owned());
        Ok(())
    })?;
    let mut text = BTreeMap::new();
    rising(r, "texts in the order of their languages", &mut |r| {
        r.array_of("the 2 parts of a text", 2)?;
        let language = name(r, "a language")?;
        text_hashes.push(*r.bytes("the hash of a text")?);
        text.insert(language.to_owned(), String::new());
        Ok(language)
    })?;
    let stated = if says_where { stated(r, text_hashes)? } else { Stated::default() };
    Ok(Clause { id, for_, text, stated })
}

/// Where a clause is stated; the hash of its source goes to `text_hashes`.
fn stated(r: &mut Reader<'_>, text_hashes: &mut Vec<[u8; 32]>) -> Result<Stated> {
    let at = r.offset();
    r.array_of("the 3 parts of where a clause is stated", 3)?;
    let confidence = r.optional("a confidence", |r| word(r, "a confidence", Confidence::ALL))?;
    let source = r.optional("the hash of a source", |r| {
        Ok::<_, Box<CompiledError>>(*r.bytes("its 32 bytes")?)
    })?;
    text_hashes.extend(source);
    let date_at = r.offset();
    let seen =
        r.optional("a date", |r| Ok::<_, Box<CompiledError>>(name(r, "a date")?.to_owned()))?;
    if let Some(text) = seen.as_ref().filter(|text| !is_date(text)) {
        return Err(refused(date_at, "a date such as 2026-11-26", format_args!("{text:?}")));
    }
    let stated = Stated { source: source.map(|_| String::new()), seen, confidence };
    if stated == Stated::default() {
        return Err(refused(at, "a source, a date or a confidence", "none"));
    }
    Ok(stated)
}

fn window(r: &mut Reader<'_>, what: &'static str) -> Result<Window> {
    let ends = r.optional(what, |r| {
        r.array_of(what, 2)?;
        let of = match r.uint("the unit of a window", 2)? {
            0 => Window::Days,
            1 => Window::Months,
            _ => Window::Years,
        };
        let n = r.uint("the number of a window", u64::from(u32::MAX))?;
        Ok::<_, Box<CompiledError>>(of(u32::try_from(n).expect("no more than asked for")))
    })?;
    Ok(ends.unwrap_or(Window::Never))
}

fn name<'a>(r: &mut Reader<'a>, what: &'static str) -> Result<&'a str> {
    Ok(r.text(what, 1, TEXT_BYTES)?)
}

/// A name that is not among `names`, and then is.
fn unique<'a>(r: &mut Reader<'a>, what: &'static str, names: &mut Names) -> Result<&'a str> {
    let at = r.offset();
    let name = name(r, what)?;
    match names.find(name) {
        Some(_) => Err(refused(at, what, format_args!("{name:?}"))),
        None => {
            names.push(name);
            Ok(name)
        }
    }
}

/// One of a closed list of words, which is in the order of their numbers from 0, by its number.
fn word<T: Copy>(r: &mut Reader<'_>, what: &'static str, all: &[T]) -> Result<T> {
    let at = r.offset();
    let found = r.uint(what, u64::MAX)?;
    let word = usize::try_from(found).ok().and_then(|found| all.get(found));
    word.copied().ok_or_else(|| refused(at, what, found))
}

/// A set of them.
fn words<T: Copy + Ord, S: FromIterator<T>>(
    r: &mut Reader<'_>,
    what: &'static str,
    all: &[T],
) -> Result<S> {
    let mut words = Vec::new();
    rising(r, what, &mut |r| {
        let word = word(r, "the number of a word", all)?;
        words.push(word);
        Ok(word)
    })?;
    Ok(words.into_iter().collect())
}

/// A list, of which `read` reads and keeps one at a time: nothing says yet that as many are there as it claims.
fn each<'a>(
    r: &mut Reader<'a>,
    what: &'static str,
    read: &mut dyn FnMut(&mut Reader<'a>) -> Result<()>,
) -> Result<()> {
    for _ in 0..r.array(what)? {
        read(r)?;
    }
    Ok(())
}

/// A list of what has a key, which `read` gives, each above the one before it.
fn rising<'a, K: Copy + Ord>(
    r: &mut Reader<'a>,
    what: &'static str,
    read: &mut dyn FnMut(&mut Reader<'a>) -> Result<K>,
) -> Result<()> {
    let mut last = None;
    each(r, what, &mut |r| {
        let at = r.offset();
        let key = read(r)?;
        if last.is_some_and(|last| last >= key) {
            return Err(refused(at, what, "one that is not above the one before it"));
        }
        last = Some(key);
        Ok(())
    })
}
