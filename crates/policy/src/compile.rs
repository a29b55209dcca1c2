//! From the tree of a policy file to the checked policy.
//!
//! What a file must say and what its silence means is in docs/policies.md. Beyond it: a
//! version's id, and a clause's id in its version, are given once; names (of the policy, versions,
//! tiers, categories, clauses, readings) are 1–128 bytes, as on the wire; `effective_from` may also
//! be a TOML date-time with an offset; the languages of a clause and the words that it is `for`
//! are free, and [`Policy::check`] remarks on those that nothing would use.

use std::collections::{BTreeMap, BTreeSet};

use event::{Actor, Kind, Timestamp};

use crate::error::{Fault, Place};
use crate::tree::{Node, Section, Table, Value, is_name};
use crate::{
    Act, Actors, Acts, Basis, Clause, Confidence, Days, Full, FullOf, Kinds, OnChange, Over,
    Policy, PolicyError, Remark, Shortens, Stage, Stated, Tier, TrashRules, Version, When, Window,
    Zone, parse_share, parse_size, reading, remark,
};

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`]: the first thing wrong, with its place in the file.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        Node::parse(text).and_then(|root| policy(&root)).map_err(|fault| fault.locate(text))
    }

    /// Reads a policy file, with remarks on what its author may not have meant, in the order of
    /// the file.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn check(text: &str) -> Result<(Policy, Vec<Remark>), PolicyError> {
        let compile = || {
            let root = Node::parse(text)?;
            let policy = policy(&root)?;
            let mut remarks = remark::remarks(&root, &policy);
            remarks.sort_by_key(|fault| fault.offset);
            Ok((policy, remarks))
        };
        let (policy, remarks) = compile().map_err(|fault: Fault| fault.locate(text))?;
        let remarks = remarks.into_iter().map(|fault| Remark {
            place: Place::of(text, fault.offset, fault.path),
            text: fault.reason,
        });
        Ok((policy, remarks.collect()))
    }
}

fn policy(root: &Node) -> Result<Policy, Fault> {
    let mut file = Section::of(Some(root))?;
    let schema = file.need("schema")?;
    if !matches!(&schema.value, Value::Integer(number) if number == "1") {
        return Err(schema.fault(format!("expected 1, found {}", schema.value.what())));
    }
    let name = file.need("policy")?.name()?.to_owned();
    let zone = match file.get("time_zone") {
        Some(node) => Zone::new(node.text()?).map_err(|error| node.fault(error.to_string()))?,
        None => Zone::utc(),
    };
    let version_node = file.need("version")?;
    file.end()?;
    let nodes = version_node.list("tables ([[version]])")?;
    if nodes.is_empty() {
        return Err(version_node.fault("expected at least one version"));
    }
    let mut versions: Vec<Version> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let version = version_with_readings(node)?;
        for before in &versions {
            if before.id == version.id {
                let id = node.table()?.get("id").unwrap_or(node);
                return Err(id.fault(format!("a version before it is called {:?} too", before.id)));
            }
            if before.effective_from == version.effective_from {
                let place = node.table()?.get("effective_from").unwrap_or(node);
                return Err(place.fault(format!(
                    "version {:?} takes effect at the same instant as version {:?}, {}",
                    version.id, before.id, before.effective_from,
                )));
            }
        }
        versions.push(version);
    }
    versions.sort_by_key(|version| version.effective_from);
    Ok(Policy { name, zone, versions })
}

fn version_with_readings(node: &Node) -> Result<Version, Fault> {
    let mut base = version(node)?;
    if let Some(list) = node.table()?.get("readings") {
        base.readings = reading::readings(list, node.table()?)?;
    }
    Ok(base)
}

/// A version without its readings.
pub(crate) fn version(node: &Node) -> Result<Version, Fault> {
    let mut file = Section::of(Some(node))?;
    let id = file.need("id")?.name()?.to_owned();
    let effective_from = file.get("effective_from").map_or(Ok(Timestamp::MIN), instant)?;
    let confidence =
        choice(file.get("confidence"), Confidence::ALL, Confidence::name, Confidence::Operator)?;
    let source = file.get("source").map_or(Ok(""), Node::text)?.to_owned();
    let on_change =
        choice(file.get("on_change"), OnChange::ALL, OnChange::name, OnChange::Grandfather)?;
    let tiers = tiers(file.need("tiers")?)?;
    let trash = trash(file.get("trash"))?;

    let mut inactivity = Section::of(file.get("inactivity"))?;
    let inactivity_window = window(inactivity.get("window"))?;
    let resets: Kinds = words(inactivity.get("resets"), Kind::ALL, Kind::name, "kinds")?
        .map_or(Kinds::NONE, Kinds::from_iter);
    let actors: Actors = words(inactivity.get("actors"), Actor::ALL, Actor::name, "actors")?
        .map_or_else(|| Actors::from_iter([Actor::User, Actor::Device]), Actors::from_iter);
    let everywhere: Kinds = words(inactivity.get("everywhere"), Kind::ALL, Kind::name, "kinds")?
        .map_or(Kinds::NONE, Kinds::from_iter);
    let notice = window(inactivity.get("notice"))?;
    let exempt_tiers = exempt_tiers(inactivity.get("exempt_tiers"), &tiers)?;
    inactivity.end()?;

    let mut quota = Section::of(file.get("quota"))?;
    let over = choice(quota.get("over"), Over::ALL, Over::name, Over::BlockUploads)?;
    quota.end()?;
    let mut backup = Section::of(file.get("backup"))?;
    let stale_after = window(backup.get("stale_after"))?;
    backup.end()?;
    let mut clock = Section::of(file.get("clock"))?;
    let late_after = window(clock.get("late_after"))?;
    clock.end()?;
    let mut records = Section::of(file.get("records"))?;
    let keep = window(records.get("keep"))?;
    records.end()?;

    let stages = file.get("stages").map_or(Ok(BTreeMap::new()), stages)?;
    let clauses = file.get("clauses").map_or(Ok(Vec::new()), clauses)?;
    let _ = file.get("readings");
    file.end()?;
    Ok(Version {
        id,
        effective_from,
        confidence,
        source,
        on_change,
        tiers,
        trash,
        inactivity_window,
        resets,
        actors,
        everywhere,
        notice,
        exempt_tiers,
        over,
        stages,
        stale_after,
        late_after,
        keep,
        clauses: clauses.into(),
        readings: Vec::new(),
        text_hashes: [].into(),
    })
}

fn tiers(node: &Node) -> Result<Vec<Tier>, Fault> {
    let table = node.table()?;
    if table.entries.is_empty() {
        return Err(node.fault("expected at least one tier"));
    }
    let mut tiers = Vec::with_capacity(table.entries.len());
    for (name, node) in named(table)? {
        let mut tier = Section::of(Some(node))?;
        let quota = match tier.get("quota") {
            None => None,
            Some(Node { value: Value::Text(text), .. }) if text == "unlimited" => None,
            Some(node) => Some(node.read("a size such as \"5GiB\"", parse_size)?),
        };
        let trash = window(tier.get("trash"))?;
        tier.end()?;
        tiers.push(Tier { name: name.to_owned(), quota, trash });
    }
    Ok(tiers)
}

fn trash(node: Option<&Node>) -> Result<TrashRules, Fault> {
    let mut trash = Section::of(node)?;
    let basis = choice(trash.get("basis"), Basis::ALL, Basis::name, Basis::TierWhenTrashed)?;
    let days = choice(trash.get("days"), Days::ALL, Days::name, Days::Exact)?;
    let purge_lag = window(trash.get("purge_lag"))?;
    let counts_toward_quota = trash.get("counts_toward_quota").map_or(Ok(true), Node::bool)?;
    let mut categories = BTreeMap::new();
    if let Some(node) = trash.get("categories") {
        for (name, node) in named(node.table()?)? {
            categories.insert(name.to_owned(), window(Some(node))?);
        }
    }
    let no_trash = names(trash.get("no_trash"))?.into_iter().map(|(name, _)| name).collect();
    let example = "a share such as \"10%\"";
    let full_at = trash.get("full_at").map_or(Ok(None), |node| node.read(example, parse_share))?;
    let of = choice(trash.get("full_of"), FullOf::ALL, FullOf::name, FullOf::Limit)?;
    let full_window = window(trash.get("full_window"))?;
    let shortens =
        choice(trash.get("full_shortens"), Shortens::ALL, Shortens::name, Shortens::WhileFull)?;
    trash.end()?;
    let full = full_at.map(|percent| Full { percent, of, window: full_window, shortens });
    Ok(TrashRules { basis, days, purge_lag, counts_toward_quota, categories, no_trash, full })
}

fn stages(node: &Node) -> Result<BTreeMap<String, Stage>, Fault> {
    let mut stages = BTreeMap::new();
    for (name, node) in named(node.table()?)? {
        let mut stage = Section::of(Some(node))?;
        let when = stage.need("when")?.word(When::ALL, When::name)?;
        let after = window(Some(stage.need("after")?))?;
        let admits_node = stage.need("admits")?;
        let mut admits = Acts::NONE;
        for node in admits_node.list("acts")? {
            let act = node.word(Act::ALL, Act::name)?;
            if when == When::CategoryInactive && act != Act::Purge {
                return Err(node.fault("an inactive category admits \"purge\" alone"));
            }
            admits = admits.with(act);
        }
        if admits.is_empty() {
            return Err(admits_node.fault("expected at least one act"));
        }
        let categories =
            names(stage.get("categories"))?.into_iter().map(|(name, _)| name).collect();
        let notice = window(stage.get("notice"))?;
        stage.end()?;
        stages.insert(name.to_owned(), Stage { when, after, admits, categories, notice });
    }
    Ok(stages)
}

fn exempt_tiers(node: Option<&Node>, tiers: &[Tier]) -> Result<BTreeSet<String>, Fault> {
    let mut exempt = BTreeSet::new();
    for (name, node) in names(node)? {
        if !tiers.iter().any(|tier| tier.name == name) {
            return Err(node.fault(format!("the version has no tier {name:?}")));
        }
        exempt.insert(name);
    }
    Ok(exempt)
}

fn clauses(node: &Node) -> Result<Vec<Clause>, Fault> {
    let mut clauses: Vec<Clause> = Vec::new();
    for node in node.list("tables ([[version.clauses]])")? {
        let mut file = Section::of(Some(node))?;
        let id_node = file.need("id")?;
        let id = id_node.name()?.to_owned();
        if clauses.iter().any(|clause| clause.id == id) {
            return Err(id_node.fault(format!("a clause before it is called {id:?} too")));
        }
        let for_ = names(file.get("for"))?.into_iter().map(|(name, _)| name).collect();
        let mut text = BTreeMap::new();
        if let Some(node) = file.get("text") {
            for (language, node) in named(node.table()?)? {
                text.insert(language.to_owned(), node.text()?.to_owned());
            }
        }
        let stated = Stated {
            source: file.get("source").map(Node::text).transpose()?.map(str::to_owned),
            seen: file.get("seen").map(date).transpose()?,
            confidence: file
                .get("confidence")
                .map(|node| node.word(Confidence::ALL, Confidence::name))
                .transpose()?,
        };
        file.end()?;
        clauses.push(Clause { id, for_, text, stated });
    }
    Ok(clauses)
}

/// A date, as text or as one of TOML.
fn date(node: &Node) -> Result<String, Fault> {
    let (Value::Text(text) | Value::Time(text)) = &node.value else {
        let found = node.value.what();
        return Err(node.fault(format!("expected a date such as \"2026-11-26\", found {found}")));
    };
    match is_date(text) {
        true => Ok(text.clone()),
        false => Err(node.fault(format!("{text:?} is not a date such as \"2026-11-26\""))),
    }
}

/// Whether a text is a date, `2026-11-26`.
pub(crate) fn is_date(text: &str) -> bool {
    text.len() == 10 && Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok()
}

/// The entries of a table whose keys are names.
fn named(table: &Table) -> Result<Vec<(&str, &Node)>, Fault> {
    let entries = table.entries.iter().map(|(key, node)| {
        let name = key.name.as_str();
        if is_name(name) { Ok((name, node)) } else { Err(key.fault("expected 1 to 128 bytes")) }
    });
    entries.collect()
}

/// A list of names, each with its node.
fn names(node: Option<&Node>) -> Result<Vec<(String, &Node)>, Fault> {
    let nodes = node.map_or(Ok(&[][..]), |node| node.list("strings"))?;
    nodes.iter().map(|node| Ok((node.name()?.to_owned(), node))).collect()
}

/// A list of words out of a closed one.
fn words<'a, T: Copy>(
    node: Option<&'a Node>,
    all: &'a [T],
    name: impl Fn(T) -> &'static str + Copy,
    what: &str,
) -> Result<Option<Vec<T>>, Fault> {
    let Some(node) = node else { return Ok(None) };
    node.list(what)?.iter().map(|node| node.word(all, name)).collect::<Result<_, _>>().map(Some)
}

fn choice<T: Copy>(
    node: Option<&Node>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
    silent: T,
) -> Result<T, Fault> {
    node.map_or(Ok(silent), |node| node.word(all, name))
}

fn window(node: Option<&Node>) -> Result<Window, Fault> {
    node.map_or(Ok(Window::Never), |node| node.read("a duration such as \"30d\"", Window::parse))
}

fn instant(node: &Node) -> Result<Timestamp, Fault> {
    let text = match &node.value {
        Value::Text(text) | Value::Time(text) => text,
        other => {
            let found = other.what();
            return Err(node.fault(format!(
                "expected a time such as \"2026-02-13T13:47:38Z\", found {found}"
            )));
        }
    };
    Timestamp::parse(text).map_err(|error| node.fault(format!("{text:?}: {error}")))
}
