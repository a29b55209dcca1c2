//! What erasing a person costs, and what reading costs afterwards. On stores of their own, since an erasure is written
//! into the log for good.

use std::cell::RefCell;

use event::Kind;

use super::Bench;
use super::growth::AT_A_TENTH;
use super::measure::{Contender, Row, Sample};
use super::ours::Ours;
use super::place::{ALL, Place, Subject, TENTH};
use super::works::{Verb, Work};
use crate::failure::Failure;
use crate::store::Store;

const ERASED: Subject = Subject { store: "erased.store", ..ALL };
const ERASED_TENTH: Subject = Subject { store: "erased-tenth.store", ..TENTH };

/// The events of the account that is erased, or as near to it as there is one.
const EVENTS: usize = 100;

/// Whom to erase, the next one last, in the log and in one of a tenth of the events.
#[derive(Default)]
pub struct Persons {
    all: RefCell<Vec<String>>,
    tenth: RefCell<Vec<String>>,
}

/// Makes the stores, and erases the first person of each.
pub fn prepare(bench: &Bench<'_>) -> Result<Persons, Failure> {
    let of = |subject| {
        Ours::of(&bench.place, subject).import()?;
        let mut persons = persons(&bench.place, subject, bench.turns.rounds as usize + 1)?;
        let first = persons.pop();
        first.map(|first| erase(&bench.place, subject, &first)).transpose()?;
        Ok::<_, Failure>(RefCell::new(persons))
    };
    Ok(Persons { all: of(ERASED)?, tenth: of(ERASED_TENTH)? })
}

/// So many accounts of about [`EVENTS`] events, if there are as many, that no hold keeps.
fn persons(place: &Place, subject: Subject, most: usize) -> Result<Vec<String>, Failure> {
    let mut persons = Vec::new();
    Store::open(&place.path(subject.store))?.each_account(|history| {
        if !history.steps.iter().any(|step| step.kind == Kind::HoldPlaced) {
            persons.push((history.steps.len().abs_diff(EVENTS), history.account.clone()));
        }
        Ok(())
    })?;
    persons.sort();
    persons.truncate(most);
    Ok(persons.into_iter().map(|(_, account)| account).collect())
}

fn erase(place: &Place, subject: Subject, account: &str) -> Result<Sample, Failure> {
    Ours::of(place, subject).ask(&["erase", account, "--ground", "bench", "--by", "bench"])
}

/// Another account each round.
pub fn account(bench: &Bench<'_>) -> Result<Row, Failure> {
    let of = |subject: Subject, persons: &RefCell<Vec<String>>| {
        let person = persons.borrow_mut().pop();
        let person = person.ok_or_else(|| {
            Failure::Usage("bench: too few accounts to erase one a round; more --accounts".into())
        })?;
        erase(&bench.place, subject, &person)
    };
    let contenders = vec![
        Contender::new("stillthere", || of(ERASED, &bench.persons.all)),
        Contender::new(AT_A_TENTH, || of(ERASED_TENTH, &bench.persons.tenth)),
    ];
    Row::measure(Work::Erase, &bench.turns, None, contenders)
}

/// What a command takes afterwards.
pub fn reading(work: Work, verb: Verb, bench: &Bench<'_>) -> Result<Row, Failure> {
    let of = |subject| verb.run(Ours::of(&bench.place, subject));
    let contenders = vec![
        Contender::new("stillthere", move || of(ERASED)),
        Contender::new("nothing erased", move || of(ALL)),
    ];
    Row::measure(work, &bench.turns, Some(bench.args.events), contenders)
}
