//! What is ahead of an account of which events were erased: the dates that come in every world, and at which
//! what they are about is known.

use std::collections::HashSet;

use event::{ErasedEvents, NameId, Step, Timestamp};

use crate::doubt::Doubt;
use crate::fold::Rules;
use crate::forecast::{Ahead, just_before};
use crate::worlds::{World, is_of_one};
use crate::{FoldState, ForecastDate, Foreseen, Stage};

/// The dates after `as_of` up to `until`, through the `later` steps; the worlds are as of `as_of`.
pub(crate) fn foresee(
    worlds: &[World],
    erased: &ErasedEvents,
    rules: Rules<'_>,
    as_of: Timestamp,
    later: &[Step],
    until: Timestamp,
) -> Vec<ForecastDate> {
    let contents: HashSet<u64> = erased.contents.iter().copied().collect();
    // What tells of more than one thing, and has been erased, leaves nothing known behind it.
    let is_lost = |step: &&Step| contents.contains(&step.revision) && !is_of_one(step.kind);
    let lost = later.iter().find(is_lost).map(|step| step.occurred_at);
    let until = lost.map_or(until, |at| until.min(just_before(at)));
    let later = &later[..later.partition_point(|step| step.occurred_at <= until)];
    let mut all: Option<Vec<ForecastDate>> = None;
    for World { state, doubt } in worlds {
        let dates = Ahead::of(state.clone(), rules, as_of).forecast(as_of, later, until);
        let mut walk = Walk { state: state.clone(), doubt: doubt.clone(), later, rules };
        let certain = walk.certain(dates, &contents);
        all = Some(match all {
            None => certain,
            Some(all) => agreed(all, &certain),
        });
    }
    all.unwrap_or_default()
}

/// A world on its way.
struct Walk<'s, 'a> {
    state: FoldState,
    doubt: Doubt,
    later: &'s [Step],
    rules: Rules<'a>,
}

impl Walk<'_, '_> {
    /// Those of `dates`, which are in order of time, that are certain before and after every step of
    /// their instant.
    fn certain(&mut self, dates: Vec<ForecastDate>, contents: &HashSet<u64>) -> Vec<ForecastDate> {
        let mut certain = Vec::new();
        let mut dates = dates.into_iter().peekable();
        while let Some(at) = dates.peek().map(|date| date.at) {
            let mut of_instant = Vec::new();
            while let Some(date) = dates.next_if(|date| date.at == at) {
                of_instant.push(date);
            }
            while let Some((step, later)) = self.later.split_first()
                && step.occurred_at <= at
            {
                if step.occurred_at == at {
                    self.keep(&mut of_instant, at);
                }
                let erased = contents.contains(&step.revision);
                self.doubt.apply(&mut self.state, step, erased, self.rules);
                self.later = later;
            }
            self.keep(&mut of_instant, at);
            certain.extend(of_instant);
        }
        certain
    }

    /// Leaves out what is not certain as the world stands.
    fn keep(&self, dates: &mut Vec<ForecastDate>, at: Timestamp) {
        let (doubt, names) = (&self.doubt, self.rules.names);
        let named = |id: NameId| !names.get(id).is_empty();
        let item = |id: NameId| named(id) && !doubt.items.get(id).state;
        let backup = |id: NameId| {
            let unsure = doubt.backups.get(id);
            named(id) && !unsure.state && !unsure.completed
        };
        let risk = doubt.active_by.is_none() && doubt.status(&self.state, at, self.rules).is_some();
        dates.retain_mut(|date| match &mut date.what {
            Foreseen::ItemExpires(id) => item(*id),
            Foreseen::AccountAtRisk => risk,
            Foreseen::BackupStale(id) => backup(*id),
            Foreseen::Stage(Stage::Reached { .. }) => !doubt.conditions,
            Foreseen::Stage(Stage::PolicyVersion {
                moved,
                ends_risk,
                ends_stale,
                ends_stages,
                ..
            }) => {
                moved.retain(|moved| item(moved.item));
                *ends_risk &= risk;
                ends_stale.retain(|id| backup(*id));
                ends_stages.retain(|_| !doubt.conditions);
                *ends_risk || !moved.is_empty() || !ends_stale.is_empty() || !ends_stages.is_empty()
            }
        });
    }
}

/// What both say; of a version that takes effect, what both say of it.
fn agreed(all: Vec<ForecastDate>, other: &[ForecastDate]) -> Vec<ForecastDate> {
    let agreed = |date: ForecastDate| {
        let from = other.partition_point(|other| other.at < date.at);
        let mut others = other[from..].iter().take_while(|other| other.at == date.at);
        others.find_map(|other| both(&date, other))
    };
    all.into_iter().filter_map(agreed).collect()
}

fn both(a: &ForecastDate, b: &ForecastDate) -> Option<ForecastDate> {
    let (Foreseen::Stage(of_a), Foreseen::Stage(of_b)) = (&a.what, &b.what) else {
        return (a == b).then(|| a.clone());
    };
    let mut agreed = of_a.clone();
    let Stage::PolicyVersion { version, moved, ends_risk, ends_stale, ends_stages } = &mut agreed
    else {
        return (a == b).then(|| a.clone());
    };
    let Stage::PolicyVersion {
        version: other,
        moved: theirs,
        ends_risk: risk,
        ends_stale: stale,
        ends_stages: stages,
    } = of_b
    else {
        return None;
    };
    if version != other {
        return None;
    }
    moved.retain(|moved| theirs.contains(moved));
    *ends_risk &= *risk;
    ends_stale.retain(|id| stale.contains(id));
    ends_stages.retain(|stage| stages.contains(stage));
    let is_any =
        *ends_risk || !moved.is_empty() || !ends_stale.is_empty() || !ends_stages.is_empty();
    is_any.then(|| ForecastDate { what: Foreseen::Stage(agreed), ..a.clone() })
}
