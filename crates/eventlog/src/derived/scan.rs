//! Goes through all accounts in byte order of names, each put together from the runs and the table.

use event::History;

use super::account::Gather;
use super::block::Cursor;
use super::merge::least_name;
use super::table::{Parts, Steps};
use super::{Derived, DerivedError, Head};

/// Walks accounts in byte order of names. Not an `Iterator`, so that one history's memory serves
/// for all.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    /// Of each run, the oldest first.
    cursors: Vec<Cursor<'a>>,
    /// Of the table.
    parts: Parts<'a>,
    to: Option<String>,
    steps: Steps,
    gather: Gather,
    head: Head,
    derived: &'a Derived,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        derived: &'a Derived,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Scan<'a>, DerivedError> {
        let runs = &derived.runs.runs;
        let cursors = runs.iter().map(|run| Cursor::open(run, from)).collect::<Result<_, _>>()?;
        let to = to.map(str::to_owned);
        Ok(Scan {
            cursors,
            parts: derived.table.parts(from, to.as_deref()),
            to,
            steps: Steps::default(),
            gather: Gather::default(),
            head: Head::default(),
            derived,
        })
    }

    /// Puts the next account's history into `history`, whatever was in it; false at the end.
    ///
    /// # Errors
    /// See [`DerivedError`].
    pub(crate) fn next_into(&mut self, history: &mut History) -> Result<bool, DerivedError> {
        let in_runs = least_name(&self.cursors)?;
        let in_table = self.parts.name();
        let name = match (in_runs, in_table) {
            (Some(a), Some(b)) => a.min(b),
            (Some(name), None) | (None, Some(name)) => name,
            (None, None) => return Ok(false),
        };
        if self.to.as_deref().is_some_and(|to| name >= to) {
            return Ok(false);
        }
        self.gather.begin(name, history);
        let mut is_begun = false;
        for cursor in &mut self.cursors {
            if cursor.name()? == Some(history.account.as_str()) {
                let record = cursor.record()?;
                if !std::mem::replace(&mut is_begun, true) {
                    cursor.run().begins_at(record.first)?;
                }
                let added = self.gather.add(&record, history, None);
                added.map_err(|what| cursor.damaged(what))?;
                record.head_into(&mut self.head);
                cursor.advance()?;
            }
        }
        if self.parts.name() == Some(history.account.as_str())
            && let Some((_, head)) = self.parts.take(&mut self.steps)
        {
            self.gather.add_in_memory(&self.steps, history, None);
            self.head = head.into_owned();
        }
        self.gather.end(history, None);
        self.gather.tell(&self.head.secret, &self.derived.erasures, history);
        Ok(true)
    }

    /// The head of the account that `next_into` gave last.
    #[allow(dead_code, reason = "sealing will ask for ordinals and chains")]
    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }
}
