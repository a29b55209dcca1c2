//! What a sweep counts.

use projection::{FindingCode, ItemState, Severity, Status, Tally};

use crate::question::Question;
use crate::show::amount;
use crate::show::words::{self, Word};

/// A number that a population comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Items in a state.
    Items(ItemState),
    /// Accounts at risk.
    AtRisk,
    /// Accounts over their limit.
    OverQuota,
    /// Bytes that use quota.
    BytesHeld,
    /// Items restored though they were expired: findings of `restored-after-window`.
    RestoredTooLate,
    /// Findings of a severity.
    Severity(Severity),
    /// Findings of a code.
    Finding(FindingCode),
}

impl Metric {
    /// Every one; findings by code come last.
    pub fn all() -> impl Iterator<Item = Metric> {
        let items = ItemState::ALL.iter().map(|state| Metric::Items(*state));
        let severities = Severity::ALL.iter().map(|severity| Metric::Severity(*severity));
        let findings = FindingCode::ALL.iter().map(|code| Metric::Finding(*code));
        let others =
            [Metric::AtRisk, Metric::OverQuota, Metric::BytesHeld, Metric::RestoredTooLate];
        items.chain(others).chain(severities).chain(findings)
    }

    /// The word on the command line, and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Items(state) => state.name(),
            Metric::AtRisk => "at-risk",
            Metric::OverQuota => "over-quota",
            Metric::BytesHeld => "bytes-held",
            Metric::RestoredTooLate => "restored-too-late",
            Metric::Severity(Severity::Breach) => "breaches",
            Metric::Severity(Severity::Warning) => "warnings",
            Metric::Severity(Severity::Note) => "notes",
            Metric::Finding(code) => code.name(),
        }
    }

    /// Reads a word.
    pub fn read(text: &str) -> Result<Metric, String> {
        Metric::all().find(|metric| metric.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Metric::all().map(Metric::name).collect();
            format!("--metric: nothing is called {text:?}: expected {}", names.join(", "))
        })
    }

    /// Whether more of it is worse.
    pub fn is_bad(self) -> bool {
        match self {
            Metric::Severity(severity) => severity == Severity::Breach,
            Metric::Finding(code) => code.severity() == Severity::Breach,
            Metric::Items(_)
            | Metric::AtRisk
            | Metric::OverQuota
            | Metric::BytesHeld
            | Metric::RestoredTooLate => false,
        }
    }

    pub fn of(self, tally: &Tally) -> u128 {
        let items = &tally.items;
        u128::from(match self {
            Metric::Items(ItemState::Live) => items.live,
            Metric::Items(ItemState::Trashed) => items.trashed,
            Metric::Items(ItemState::Expired) => items.expired,
            Metric::Items(ItemState::Purged) => items.purged,
            Metric::Items(ItemState::Removed) => items.removed,
            Metric::AtRisk => tally.status(Status::AtRisk),
            Metric::OverQuota => tally.over_quota,
            Metric::BytesHeld => return tally.used_bytes,
            Metric::RestoredTooLate => tally.finding(FindingCode::RestoredAfterWindow),
            Metric::Severity(severity) => tally.severity(severity),
            Metric::Finding(code) => tally.finding(code),
        })
    }

    /// A number of it, short, for people.
    pub fn text(self, number: u128) -> String {
        match self {
            Metric::BytesHeld => amount::bytes(number),
            _ => amount::count(number),
        }
    }

    /// How much more than another it is, short, for people.
    pub fn more_text(self, number: u128, than: u128) -> String {
        format!("+{}", self.text(number - than))
    }

    /// The heading of its column: in English the word that it is asked for by.
    pub fn head(self, question: &Question) -> String {
        question.pick(self.name().to_owned(), self.title(question))
    }

    /// What it counts, for people.
    pub fn title(self, question: &Question) -> String {
        let lang = question.lang;
        match self {
            Metric::Items(state) => {
                let word = state.word(lang);
                question.pick(format!("items {word}"), format!("项目：{word}"))
            }
            Metric::AtRisk => question.pick("accounts at risk", "已满不活跃期的账号").to_owned(),
            Metric::OverQuota => {
                question.pick("accounts over the limit", "超出空间的账号").to_owned()
            }
            Metric::BytesHeld => question.pick("bytes used", "已用空间").to_owned(),
            Metric::RestoredTooLate => {
                question.pick("items restored too late", "过期后恢复的项目").to_owned()
            }
            Metric::Severity(severity) => {
                let word = severity.word(lang);
                question.pick(self.name().to_owned(), format!("问题：{word}"))
            }
            Metric::Finding(code) => words::finding(code, lang),
        }
    }
}
