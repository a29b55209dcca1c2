//! Event lines that did not happen: read as strictly as those that did, and put behind an account's own.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use event::{Event, EventHash, History, LineError, Recorded, Step, Timestamp};

use crate::failure::Failure;
use crate::input::{Input, Next};
use crate::show::amount::counted;
use crate::show::escape::escaped;

/// The events of one account that are assumed, in the order of their lines.
pub struct Assumed {
    pub events: Vec<Event>,
    /// Lines left out because what they say is there already, in the log as it is seen or further up.
    pub duplicates: u64,
}

impl Assumed {
    /// Reads the event lines of `path`, which must all be of `account` and contradict neither each other
    /// nor its `logged` events. One that was logged and is not seen (`is_seen`) is assumed too.
    pub fn read(
        path: &Path,
        account: &str,
        logged: &[Recorded],
        is_seen: impl Fn(&Recorded) -> bool,
    ) -> Result<Assumed, Failure> {
        let mut input = Input::open(path)?;
        let logged: HashMap<&str, &Recorded> =
            logged.iter().map(|recorded| (recorded.event.id.as_str(), recorded)).collect();
        let mut known: HashMap<String, (EventHash, u64)> = HashMap::new();
        let mut assumed = Assumed { events: Vec::new(), duplicates: 0 };
        let mut rejected = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = match input.next_line(&mut line)? {
                Next::End => break,
                Next::Line if event::is_blank(&line) => continue,
                Next::Line => event::read_line(&line),
                Next::LongLine => Err(input.long_line(line.len())?),
            };
            let number = input.line_number();
            let sound = read.and_then(|event| {
                is_of(&event, account)?;
                let hash = EventHash::of(&event);
                let id = escaped(&event.id).into_owned();
                let conflict = |place: String| {
                    LineError::new("id", format!("`{id}` is already {place} with other content"))
                };
                let logged = logged.get(event.id.as_str());
                if let Some(logged) = logged
                    && EventHash::of(&logged.event) != hash
                {
                    return Err(conflict(format!("at position {}", logged.position)));
                }
                let is_there = match known.get(&event.id) {
                    Some((other, line)) if *other != hash => {
                        return Err(conflict(format!("on line {line}")));
                    }
                    known => known.is_some() || logged.is_some_and(|logged| is_seen(logged)),
                };
                Ok((event, hash, is_there))
            });
            match sound {
                Ok((_, _, true)) => assumed.duplicates += 1,
                Ok((event, hash, false)) => {
                    known.insert(event.id.clone(), (hash, number));
                    assumed.events.push(event);
                }
                Err(error) => {
                    let _ = writeln!(rejected, "{}:{number}: {error}", input.name);
                }
            }
        }
        if rejected.is_empty() {
            return Ok(assumed);
        }
        let count = rejected.iter().filter(|byte| **byte == b'\n').count() as u64;
        // Nobody listening there is no error.
        let _ = std::io::stderr().write_all(&rejected);
        let (name, lines) = (&input.name, counted(count, "line"));
        Err(Failure::Usage(format!("{name}: {lines} rejected, so nothing is assumed")))
    }

    /// The account with these events behind what is seen of its own as of `as_of` and as known at
    /// `known_at`: their revisions go on from the highest there is, their positions from `size`.
    pub fn behind(
        &self,
        history: Option<&History>,
        account: &str,
        as_of: Timestamp,
        known_at: Timestamp,
        size: u64,
    ) -> History {
        let mut names = history.map(|history| history.names.clone()).unwrap_or_default();
        let mut steps: Vec<Step> = history
            .map(|history| history.steps_seen(as_of, known_at).copied().collect())
            .unwrap_or_default();
        let own = history.map_or(&[][..], |history| &history.steps);
        let erased = history.map_or(&[][..], |history| &history.erased.leaves);
        let logged = own.iter().map(|step| step.revision);
        let logged = logged.chain(erased.iter().map(|leaf| leaf.revision));
        let next = logged.max().map_or(0, |last| last + 1);
        for (n, event) in (0..).zip(&self.events) {
            let step = Step::unplaced(event, &mut names);
            steps.push(Step { revision: next + n, position: size + n, ..step });
        }
        steps.sort_by_key(|step| (step.occurred_at, step.revision));
        let erased = history.map(|history| history.erased.clone()).unwrap_or_default();
        History { account: account.to_owned(), names, steps, erased }
    }
}

fn is_of(event: &Event, account: &str) -> Result<(), LineError> {
    match event.account == account {
        true => Ok(()),
        false => {
            let (found, account) = (escaped(&event.account), escaped(account));
            let reason =
                format!("must be `{account}`, the account that is forecast, found `{found}`");
            Err(LineError::new("account", reason))
        }
    }
}
