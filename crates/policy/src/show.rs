//! A policy as JSON, for people and scripts to look at.
//!
//! Laid out as a policy file is, every default said: windows as their text, sizes in bytes, tiers
//! as a list (their order counts).

use std::collections::{BTreeMap, BTreeSet};

use event::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    Actors, Acts, Basis, Clause, Confidence, Days, FullOf, Kinds, OnChange, Over, Policy,
    PolicyHash, Reading, Setting, Shortens, Stage, Tier, Version, When, Window,
};

#[derive(Serialize)]
struct PolicyShown<'a> {
    policy: &'a str,
    time_zone: &'a str,
    policy_hash: PolicyHash,
    versions: &'a [Version],
}

#[derive(Serialize)]
struct VersionShown<'a> {
    id: &'a str,
    effective_from: Timestamp,
    confidence: Confidence,
    source: &'a str,
    on_change: OnChange,
    tiers: &'a [Tier],
    trash: TrashShown<'a>,
    inactivity: InactivityShown<'a>,
    quota: QuotaShown,
    stages: Vec<StageShown<'a>>,
    backup: BackupShown,
    clock: ClockShown,
    records: RecordsShown,
    clauses: &'a [Clause],
    readings: &'a [Reading],
}

#[derive(Serialize)]
struct TrashShown<'a> {
    basis: Basis,
    days: Days,
    purge_lag: Window,
    counts_toward_quota: bool,
    categories: &'a BTreeMap<String, Window>,
    no_trash: &'a BTreeSet<String>,
    full_at: Option<String>,
    full_of: FullOf,
    full_window: Window,
    full_shortens: Shortens,
}

#[derive(Serialize)]
struct InactivityShown<'a> {
    window: Window,
    resets: Kinds,
    actors: Actors,
    everywhere: Kinds,
    notice: Window,
    exempt_tiers: &'a BTreeSet<String>,
}

#[derive(Serialize)]
struct QuotaShown {
    over: Over,
}

#[derive(Serialize)]
struct StageShown<'a> {
    stage: &'a str,
    when: When,
    after: Window,
    admits: Acts,
    categories: &'a BTreeSet<String>,
    notice: Window,
}

#[derive(Serialize)]
struct BackupShown {
    stale_after: Window,
}

#[derive(Serialize)]
struct ClockShown {
    late_after: Window,
}

#[derive(Serialize)]
struct RecordsShown {
    keep: Window,
}

#[derive(Serialize)]
struct TierShown<'a> {
    tier: &'a str,
    quota_bytes: Option<u64>,
    trash: Window,
}

#[derive(Serialize)]
struct ClauseShown<'a> {
    id: &'a str,
    r#for: &'a [String],
    text: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<Confidence>,
}

#[derive(Serialize)]
struct ReadingShown<'a> {
    id: &'a str,
    set: &'a BTreeMap<String, Setting>,
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        PolicyShown {
            policy: &self.name,
            time_zone: self.zone.name(),
            policy_hash: self.hash(),
            versions: &self.versions,
        }
        .serialize(s)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        VersionShown {
            id: &self.id,
            effective_from: self.effective_from,
            confidence: self.confidence,
            source: &self.source,
            on_change: self.on_change,
            tiers: &self.tiers,
            trash: TrashShown {
                basis: self.trash.basis,
                days: self.trash.days,
                purge_lag: self.trash.purge_lag,
                counts_toward_quota: self.trash.counts_toward_quota,
                categories: &self.trash.categories,
                no_trash: &self.trash.no_trash,
                full_at: self.trash.full.map(|full| format!("{}%", full.percent)),
                full_of: self.trash.full.map_or(FullOf::Limit, |full| full.of),
                full_window: self.trash.full.map_or(Window::Never, |full| full.window),
                full_shortens: self.trash.full.map_or(Shortens::WhileFull, |full| full.shortens),
            },
            inactivity: InactivityShown {
                window: self.inactivity_window,
                resets: self.resets,
                actors: self.actors,
                everywhere: self.everywhere,
                notice: self.notice,
                exempt_tiers: &self.exempt_tiers,
            },
            quota: QuotaShown { over: self.over },
            stages: self.stages.iter().map(StageShown::of).collect(),
            backup: BackupShown { stale_after: self.stale_after },
            clock: ClockShown { late_after: self.late_after },
            records: RecordsShown { keep: self.keep },
            clauses: &self.clauses,
            readings: &self.readings,
        }
        .serialize(s)
    }
}

impl<'a> StageShown<'a> {
    fn of((name, stage): (&'a String, &'a Stage)) -> StageShown<'a> {
        let Stage { when, after, admits, ref categories, notice } = *stage;
        StageShown { stage: name, when, after, admits, categories, notice }
    }
}

impl Serialize for Tier {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        TierShown { tier: &self.name, quota_bytes: self.quota, trash: self.trash }.serialize(s)
    }
}

impl Serialize for Clause {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let stated = &self.stated;
        ClauseShown {
            id: &self.id,
            r#for: &self.for_,
            text: &self.text,
            source: stated.source.as_deref(),
            seen: stated.seen.as_deref(),
            confidence: stated.confidence,
        }
        .serialize(s)
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        ReadingShown { id: &self.id, set: &self.set }.serialize(s)
    }
}
