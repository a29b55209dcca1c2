//! Judging a claim on a history, under a policy and under each of its readings.

use event::{EventHash, History, Kind, NameId, Timestamp};
use policy::{Policy, Reading, Version};
use projection::{EventRef, Item, Said, Subject, Unsure, View, fold, fold_whole};

use crate::caveats;
use crate::claim::{Assert, Claim, ClaimSubject};
use crate::erased;
use crate::reading::reading_says;
use crate::subject::Record;
use crate::verdict::{Evidence, Lawful, Outcome, Verdict};
use crate::wording::{self, Language, Telling};

/// A policy as it stands beside each of its readings.
#[derive(Debug, Clone)]
pub struct Bench {
    policy: Policy,
    readings: Vec<(String, Policy)>,
    means: Means,
}

/// How a bench folds histories and words what a reading of the policy says.
#[derive(Debug, Clone, Copy)]
struct Means {
    fold: for<'a> fn(&'a History, &'a Policy, Timestamp, Timestamp) -> Option<View<'a>>,
    reading_says: ReadingSays,
}

/// What a reading of a version says, as [`reading_says`]; nothing where nobody knows.
pub(crate) type ReadingSays = fn(&Reading, &Version, Language) -> String;

/// How claims are asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// As of then, unless a claim names an instant.
    pub as_of: Timestamp,
    /// By what was recorded up to then.
    pub known_at: Timestamp,
    /// Whether sentences name `known_at`, as it was chosen.
    pub names_known_at: bool,
    /// The language of sentences.
    pub lang: Language,
}

/// What the readings say beside the policy as it stands.
pub(crate) struct Readings<'a> {
    /// Of the policy as it stands.
    pub outcome: Outcome,
    /// By name, with that.
    pub outcomes: Vec<(String, Outcome)>,
    /// The readings by which what is lawful is another.
    pub other_lawful: Vec<&'a str>,
    pub says: ReadingSays,
}

/// What one reading of the policy says of a claim.
struct Finding<'v, 'a> {
    view: &'v View<'a>,
    rows: Vec<(Subject, Record<'v>)>,
    /// There may be others that it is about.
    misses: bool,
}

impl Readings<'_> {
    /// The readings by which the outcome is another, where both are known.
    pub fn other_outcome(&self) -> Vec<&str> {
        if self.outcome == Outcome::Undetermined {
            return Vec::new();
        }
        let differs = |o: Outcome| o != self.outcome && o != Outcome::Undetermined;
        let others = self.outcomes.iter().filter(|(_, outcome)| differs(*outcome));
        others.map(|(id, _)| id.as_str()).collect()
    }
}

impl Bench {
    /// `policy` and its readings.
    #[must_use]
    pub fn new(policy: Policy) -> Bench {
        Bench::by(Means { fold, reading_says }, policy)
    }

    /// The same of what a certificate has: histories of which nothing was erased, and a policy in its compiled form, of which
    /// nobody knows how a reading spells what it sets. Who judges nothing else does not link what is needed for it.
    pub(crate) fn of_certificate(policy: Policy) -> Bench {
        let reading_says: ReadingSays = |_, _, _| String::new();
        Bench::by(Means { fold: fold_whole, reading_says }, policy)
    }

    fn by(means: Means, policy: Policy) -> Bench {
        let readings = policy.readings().into_iter().filter_map(|id| {
            let reading = policy.with_reading(&id)?;
            Some((id, reading))
        });
        let readings = readings.collect();
        Bench { policy, readings, means }
    }

    /// The policy as it stands.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Judges `claim` on the account's history. `hash_of` gives an event's hash for the evidence; its
    /// errors are passed on.
    ///
    /// # Errors
    /// Those of `hash_of`.
    pub fn judge<E>(
        &self,
        claim: &Claim,
        history: Option<&History>,
        asked: &Asked,
        mut hash_of: impl FnMut(EventRef) -> Result<EventHash, E>,
    ) -> Result<Verdict, E> {
        let (as_of, known_at) = (claim.as_of.unwrap_or(asked.as_of), asked.known_at);
        let view_under =
            |policy| history.and_then(|h| (self.means.fold)(h, policy, as_of, known_at));
        let view = view_under(&self.policy);
        let finding = view.as_ref().and_then(|view| Finding::of(claim, view));
        let (Some(history), Some(finding)) = (history, finding) else {
            let mut verdict = self.no_record(claim, asked);
            if let Some(view) = view.as_ref().filter(|view| misses(claim, view)) {
                // It may have been there: its events, or their names, are erased.
                verdict.lawful = Lawful::Undetermined;
                verdict.undetermined = vec!["state", "cause", "recoverable_until"];
                verdict.caveats.insert(0, erased::caveat(view, asked.lang));
            }
            return Ok(verdict);
        };

        let outcome = finding.outcome(claim.asserts);
        let lawful = finding.lawful();
        let outcomes = Vec::new();
        let says = self.means.reading_says;
        let mut readings = Readings { outcome, outcomes, other_lawful: Vec::new(), says };
        let mut lawful_is_open = lawful == Lawful::Undetermined;
        for (id, policy) in &self.readings {
            let view = view_under(policy);
            let finding = view.as_ref().and_then(|view| Finding::of(claim, view));
            // A reading changes what became of a record, never whether there is one.
            let Some(finding) = finding else { continue };
            match finding.lawful() {
                Lawful::Undetermined => lawful_is_open = true,
                other if other != lawful => readings.other_lawful.push(id),
                _ => {}
            }
            readings.outcomes.push((id.clone(), finding.outcome(claim.asserts)));
        }
        put_default(&mut readings.outcomes, outcome);
        if lawful_is_open {
            readings.other_lawful.clear();
        }
        let depends = !readings.other_lawful.is_empty();
        let facts = wording::Facts {
            view: finding.view,
            rows: &finding.rows,
            telling: Telling {
                steps: &history.steps,
                known_at,
                hedged: depends,
                // One does not know since when where an event that set it may have been erased.
                tells_sync: claim.asserts == Assert::LostAfterSyncOff && finding.view.knows_past(),
                lang: asked.lang,
            },
        };
        let verdict = match readings.outcomes.iter().all(|(_, other)| *other == outcome) {
            true => outcome,
            false => Outcome::Undetermined,
        };
        let is_open =
            lawful_is_open || readings.outcomes.iter().any(|(_, o)| *o == Outcome::Undetermined);
        let mut caveats = caveats::of(&facts, &readings, asked.lang);
        if is_open {
            caveats.insert(0, erased::caveat(finding.view, asked.lang));
        }
        let (state, cause, until) = (finding.state(), finding.cause(), finding.recoverable_until());
        let is_open = [
            ("state", state.is_none()),
            ("cause", cause.is_none()),
            ("recoverable_until", until.is_none()),
        ];
        let cause = cause.flatten();
        let evidence = finding
            .evidence(claim, history, known_at)
            .into_iter()
            .filter(|(event, _)| history.erased.contents.binary_search(&event.revision).is_err())
            .map(|(event, subject)| {
                let (item, backup) = match subject {
                    Some(Subject::Item(id)) => (Some(id), None),
                    Some(Subject::Backup(id)) => (None, Some(id)),
                    None => (None, None),
                };
                let name = |id: NameId| finding.view.names().get(id).to_owned();
                Ok(Evidence {
                    position: event.position,
                    revision: event.revision,
                    hash: hash_of(event)?,
                    item: item.map(name),
                    backup: backup.map(name),
                })
            })
            .collect::<Result<_, E>>()?;
        Ok(Verdict {
            claim: claim.claim.clone(),
            account: claim.account.clone(),
            verdict,
            state: state.flatten(),
            cause,
            lawful: match () {
                () if lawful_is_open => Lawful::Undetermined,
                () if depends => Lawful::Depends,
                () => lawful,
            },
            recoverable_until: until.flatten(),
            undetermined: is_open.iter().filter(|(_, open)| *open).map(|(name, _)| *name).collect(),
            evidence,
            clauses: finding.clauses(claim.asserts, cause),
            caveats,
            because: wording::because(claim, &facts, &readings),
            readings: readings.outcomes,
        })
    }

    fn no_record(&self, claim: &Claim, asked: &Asked) -> Verdict {
        let ids = self.readings.iter().map(|(id, _)| id.clone());
        let mut readings = ids.map(|id| (id, Outcome::Undetermined)).collect();
        put_default(&mut readings, Outcome::Undetermined);
        Verdict {
            claim: claim.claim.clone(),
            account: claim.account.clone(),
            verdict: Outcome::Undetermined,
            state: None,
            cause: None,
            lawful: Lawful::None,
            recoverable_until: None,
            undetermined: Vec::new(),
            evidence: Vec::new(),
            clauses: Vec::new(),
            readings,
            caveats: caveats::no_record(asked.lang),
            because: wording::no_record(claim, asked),
        }
    }
}

/// Puts the outcome under the policy as it stands among those of its readings, which are in byte order of their names.
fn put_default(outcomes: &mut Vec<(String, Outcome)>, outcome: Outcome) {
    let at = outcomes.partition_point(|(id, _)| id.as_str() < "default");
    outcomes.insert(at, ("default".to_owned(), outcome));
}

/// Whether there may be something that `claim` is about and that the view does not list as that.
fn misses(claim: &Claim, view: &View<'_>) -> bool {
    let is_open = |(id, _): &(NameId, &Item)| view.unsure(Subject::Item(*id)).category;
    match &claim.subject {
        ClaimSubject::Item(_) => view.may_miss_items(),
        ClaimSubject::Backup(_) => view.may_miss_backups(),
        ClaimSubject::Category(_) => view.may_miss_items() || view.items().iter().any(is_open),
        ClaimSubject::Account => {
            let of_backups = claim.asserts.is_of_backups();
            view.may_miss_items() || (of_backups && view.may_miss_backups())
        }
    }
}

impl<'v, 'a> Finding<'v, 'a> {
    /// The records that the claim is about, by name; `None` if there is none.
    fn of(claim: &Claim, view: &'v View<'a>) -> Option<Finding<'v, 'a>> {
        let names = view.names();
        let item = |(id, item)| (Subject::Item(id), Record::Item(item));
        let backup = |(id, backup)| (Subject::Backup(id), Record::Backup(backup));
        let rows: Vec<(Subject, Record<'v>)> = match &claim.subject {
            ClaimSubject::Item(name) => {
                let id = names.find(name)?;
                vec![item((id, view.item(id)?))]
            }
            ClaimSubject::Backup(name) => {
                let id = names.find(name)?;
                vec![backup((id, view.backup(id)?))]
            }
            ClaimSubject::Category(name) => {
                let category = Some(names.find(name)?);
                let items = view.items().into_iter();
                let own = items.filter(|(id, i)| {
                    i.category == category && !view.unsure(Subject::Item(*id)).category
                });
                own.map(item).collect()
            }
            ClaimSubject::Account => {
                let backups = match claim.asserts.is_of_backups() {
                    true => view.backups(),
                    false => Vec::new(),
                };
                let items = view.items().into_iter().map(item);
                items.chain(backups.into_iter().map(backup)).collect()
            }
        };
        let is_one = matches!(claim.subject, ClaimSubject::Item(_) | ClaimSubject::Backup(_));
        let misses = !is_one && misses(claim, view);
        (!rows.is_empty()).then_some(Finding { view, rows, misses })
    }

    fn outcome(&self, assert: Assert) -> Outcome {
        let said = self.rows.iter().map(|(subject, r)| r.said(assert, self.view.unsure(*subject)));
        let said: Vec<Said<bool>> = said.collect();
        match () {
            () if said.contains(&Some(false)) => Outcome::Refuted,
            () if self.misses || said.contains(&None) => Outcome::Undetermined,
            () => Outcome::Upheld,
        }
    }

    /// What all have, if they agree; known where all of them are, and what `is` tells of, and where two differ whatever
    /// the others have.
    fn of_all<T: PartialEq>(
        &self,
        is: fn(Unsure) -> bool,
        of: impl Fn(Record<'v>) -> T,
    ) -> Said<Option<T>> {
        let (mut is_open, mut differ, mut first) = (self.misses, false, None);
        for (subject, record) in &self.rows {
            let unsure = self.view.unsure(*subject);
            if unsure.state || is(unsure) {
                is_open = true;
                continue;
            }
            let value = of(*record);
            match &first {
                None => first = Some(value),
                Some(first) => differ |= *first != value,
            }
        }
        match differ {
            true => Some(None),
            false => (!is_open).then_some(first),
        }
    }

    fn state(&self) -> Said<Option<&'static str>> {
        self.of_all(|_| false, Record::state)
    }

    fn cause(&self) -> Said<Option<&'static str>> {
        let cause = self.of_all(|unsure| unsure.cause, Record::cause)?;
        Some(cause.flatten().map(|cause| cause.name()))
    }

    fn recoverable_until(&self) -> Said<Option<Timestamp>> {
        Some(self.of_all(|unsure| unsure.until, Record::recoverable_until)?.flatten())
    }

    /// The worst of all: `no` before what is not known before `yes` before `none`.
    fn lawful(&self) -> Lawful {
        let rows = self.rows.iter();
        let said = rows.map(|(subject, r)| r.said_lawful(self.view.unsure(*subject)));
        let said: Vec<Lawful> = said.collect();
        match () {
            () if said.contains(&Lawful::No) => Lawful::No,
            () if self.misses => Lawful::Undetermined,
            () => said.into_iter().max().unwrap_or(Lawful::None),
        }
    }

    fn clauses(&self, assert: Assert, cause: Option<&str>) -> Vec<String> {
        let cited = |what: &String| what == assert.name() || Some(what.as_str()) == cause;
        let clauses = self.view.version().clauses.iter();
        clauses.filter(|c| c.for_.iter().any(cited)).map(|c| c.id.clone()).collect()
    }

    /// What is known to have happened to a record of an unknown state.
    fn known_events(
        &self,
        subject: Subject,
        history: &History,
        known_at: Timestamp,
    ) -> Vec<EventRef> {
        let is_item = matches!(subject, Subject::Item(_));
        let own = history.steps_seen(self.view.as_of(), known_at).filter(|step| {
            let is_backup = matches!(
                step.kind,
                Kind::BackupCompleted | Kind::BackupRestored | Kind::BackupPurged
            );
            let is_hold = matches!(step.kind, Kind::HoldPlaced | Kind::HoldReleased);
            step.subject == Some(subject.name()) && !is_hold && is_backup != is_item
        });
        own.map(|step| EventRef { position: step.position, revision: step.revision }).collect()
    }

    fn evidence(
        &self,
        claim: &Claim,
        history: &History,
        known_at: Timestamp,
    ) -> Vec<(EventRef, Option<Subject>)> {
        let mut rows: Vec<(EventRef, Option<Subject>)> = match &claim.subject {
            ClaimSubject::Item(_) | ClaimSubject::Backup(_) => {
                let events = self.rows.iter().flat_map(|(subject, record)| {
                    let unsure = self.view.unsure(*subject);
                    match unsure.state || unsure.began || unsure.took {
                        true => self.known_events(*subject, history, known_at),
                        false => record.events(),
                    }
                });
                events.map(|event| (event, None)).collect()
            }
            ClaimSubject::Category(_) | ClaimSubject::Account => {
                let against = self.rows.iter().filter(|(subject, r)| {
                    r.said(claim.asserts, self.view.unsure(*subject)) == Some(false)
                });
                // By position, as the whole list is: what was appended last, whenever it occurred.
                let last = |record: &Record<'_>| {
                    *record.events().iter().max_by_key(|e| e.position).expect("a life began")
                };
                against.map(|(subject, record)| (last(record), Some(*subject))).collect()
            }
        };
        // Within one event as findings are: by item, then by backup.
        event::sort_by_key(&mut rows, |(event, subject)| {
            let is_item = matches!(subject, Some(Subject::Item(_)));
            let name = subject.map(|subject| self.view.names().get(subject.name()));
            (event.position, is_item, name)
        });
        rows.dedup();
        rows
    }
}
