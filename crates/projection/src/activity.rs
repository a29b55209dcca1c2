//! When the account counted as active (docs/policies.md).

use event::{Kind, Timestamp};
use policy::Window;
use serde::{Deserialize, Serialize};

use crate::FoldState;
use crate::fold::Rules;

/// Activity so far. The spans are closed up to `open_from`; from there on the account is active
/// until `base` + the window of the version in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActivityState {
    /// The last activity.
    pub last: Option<(Timestamp, Kind)>,
    /// The last activity, or until a first one the account's first event.
    pub base: Timestamp,
    /// The earliest `inactivity_notified` folded after the last activity: if any gave notice long
    /// enough before a clearing, this one did.
    pub notified_at: Option<Timestamp>,
    open_from: Timestamp,
    /// `[from, to)`, apart from each other, none empty.
    spans: Vec<(Timestamp, Timestamp)>,
}

impl ActivityState {
    pub fn from(first: Timestamp) -> ActivityState {
        ActivityState {
            last: None,
            base: first,
            notified_at: None,
            open_from: first,
            spans: Vec::new(),
        }
    }

    /// Counts the time from `open_from` to `until`, the window being `window`.
    fn close(&mut self, until: Timestamp, window: Window, rules: Rules<'_>) {
        let end = match lapses_before(self.base, window, until, rules) {
            Some(end) => end,
            None => until,
        };
        push(&mut self.spans, self.open_from, end);
        self.open_from = until;
    }

    /// All spans, the running one to its end; `None` is never.
    fn spans(&self, end: Option<Timestamp>) -> Vec<(Timestamp, Option<Timestamp>)> {
        let mut closed = self.spans.clone();
        if let Some(end) = end {
            push(&mut closed, self.open_from, end);
        }
        let mut spans: Vec<_> = closed.into_iter().map(|(from, to)| (from, Some(to))).collect();
        if end.is_none() {
            match spans.last_mut() {
                Some((_, to)) if to.is_some_and(|to| to >= self.open_from) => *to = None,
                _ => spans.push((self.open_from, None)),
            }
        }
        spans
    }
}

/// Adds `[from, to)` unless it is empty; touching spans become one.
fn push(spans: &mut Vec<(Timestamp, Timestamp)>, from: Timestamp, to: Timestamp) {
    if to <= from {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.1 >= from => last.1 = last.1.max(to),
        _ => spans.push((from, to)),
    }
}

/// The end of `window` from `base` if it comes before `until`. Most gaps between activities are
/// far shorter than the window, so the calendar is asked only when it could matter.
fn lapses_before(
    base: Timestamp,
    window: Window,
    until: Timestamp,
    rules: Rules<'_>,
) -> Option<Timestamp> {
    if until.ms() - base.ms() <= window.at_least_ms() {
        return None;
    }
    window.after(base, &rules.policy.zone).filter(|end| *end < until)
}

impl FoldState {
    /// The instant from which the account is inactive, by the version in force.
    pub(crate) fn inactive_at(&self, rules: Rules<'_>) -> Option<Timestamp> {
        rules.version(self).inactivity_window.after(self.activity.base, &rules.policy.zone)
    }

    /// Whether the account is inactive at `at`, whatever its tier.
    pub(crate) fn is_inactive(&self, at: Timestamp, rules: Rules<'_>) -> bool {
        let window = rules.version(self).inactivity_window;
        let next = Timestamp::from_ms(at.ms() + 1).unwrap_or(Timestamp::MAX);
        if at == Timestamp::MAX {
            return self.inactive_at(rules).is_some_and(|end| at >= end);
        }
        lapses_before(self.activity.base, window, next, rules).is_some()
    }

    /// Whether the tier is exempt from inactivity in the version in force.
    pub(crate) fn is_exempt(&self, rules: Rules<'_>) -> bool {
        let version = rules.version(self);
        !version.exempt_tiers.is_empty() && version.is_exempt(self.tier(rules))
    }

    /// Counts an activity of `kind` at `at`.
    pub(crate) fn count_activity(&mut self, at: Timestamp, kind: Kind, rules: Rules<'_>) {
        let window = rules.version(self).inactivity_window;
        self.activity.close(at, window, rules);
        self.activity.base = at;
        self.activity.last = Some((at, kind));
        self.activity.notified_at = None;
        self.standing.cleared = false;
        self.standing.frozen = false;
    }

    /// Counts the time up to a change of the policy's version, by the version before it.
    pub(crate) fn close_activity(&mut self, at: Timestamp, rules: Rules<'_>) {
        let window = rules.version(self).inactivity_window;
        self.activity.close(at, window, rules);
    }

    /// The spans in which the account counted as active; `None` is never.
    pub(crate) fn active_spans(&self, rules: Rules<'_>) -> Vec<(Timestamp, Option<Timestamp>)> {
        self.activity.spans(self.inactive_at(rules))
    }
}
