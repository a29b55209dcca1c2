//! What the log knows already: of an id, of an account.

use std::sync::Arc;

use event::canonical;

use super::{Account, Log, State};
use crate::derived::DerivedError;
use crate::indexer::Indexer;
use crate::locate::event_frame;
use crate::prepare::Entered;
use crate::{AppendError, Outcome, ReadError, index};

impl Log {
    /// What the log knows of an event's id.
    pub(super) fn find(
        &self,
        state: &mut State,
        new: &Entered,
    ) -> Result<Option<Outcome>, AppendError> {
        if let Some((position, hash)) = state.recent.get(&new.tag) {
            return Ok(Some(if hash == new.hash {
                Outcome::Duplicate { position }
            } else {
                Outcome::Conflict { position }
            }));
        }
        // What is imported again comes in the order of the log.
        if let Some(next) = state.last_duplicate.map(|last| last + 1)
            && let Some(Outcome::Duplicate { position }) = self.compare(state, new, next)?
        {
            state.last_duplicate = Some(position);
            return Ok(Some(Outcome::Duplicate { position }));
        }
        let Some(found) = self.ask(state, |indexer| indexer.find_id(&new.tag))? else {
            return Ok(None);
        };
        // The log has the last word, on the id and on the content.
        let outcome = match self.compare(state, new, found.position)? {
            Some(outcome) => Some(outcome),
            None => {
                let end = state.durable;
                state.indexer.rebuild(end).map_err(Arc::new)?;
                match state.indexer.find_id(&new.tag) {
                    Ok(Some(found)) => self.compare(state, new, found.position)?,
                    Ok(None) => None,
                    Err(e) => return Err(Arc::new(index::failed(&self.folder, &e)).into()),
                }
            }
        };
        state.last_duplicate = match outcome {
            Some(Outcome::Duplicate { position }) => Some(position),
            _ => None,
        };
        Ok(outcome)
    }

    /// Holds a new event against the one at `position`; `None` if that has another id or account.
    fn compare(
        &self,
        state: &mut State,
        new: &Entered,
        position: u64,
    ) -> Result<Option<Outcome>, AppendError> {
        if position >= state.durable.events {
            return Ok(None);
        }
        let Some(account) = self.account(state, &new.recorded.event.account)? else {
            return Ok(None);
        };
        let end = state.durable;
        let found = state.locator.find(&self.folder, end, position).map_err(Arc::new)?;
        let bytes = state.locator.frame(&self.folder, end, found.place).map_err(Arc::new)?;
        let (envelope, content) =
            event_frame(&self.folder, found.place, bytes).map_err(Arc::new)?;
        if envelope.ordinal != account.ordinal {
            return Ok(None);
        }
        let event = &new.recorded.event;
        let is_same = content == new.content
            && envelope.kind == event.payload.kind()
            && envelope.actor == event.actor
            && envelope.surface == event.surface
            && envelope.occurred_at == event.occurred_at;
        if is_same {
            return Ok(Some(Outcome::Duplicate { position }));
        }
        let old = canonical::decode_content(envelope.kind, content);
        let has_id = old.is_ok_and(|old| old.id == event.id);
        Ok(has_id.then_some(Outcome::Conflict { position }))
    }

    /// An account, if it has an event or one is staged.
    pub(super) fn account(
        &self,
        state: &mut State,
        name: &str,
    ) -> Result<Option<Account>, AppendError> {
        if let Some(account) = state.accounts.get(name) {
            return Ok(Some(account));
        }
        let Some(head) = self.ask(state, |indexer| indexer.head(name))? else { return Ok(None) };
        let ordinal = u32::try_from(head.ordinal).map_err(|_| {
            let what = format!("account {name:?} has the ordinal {}", head.ordinal);
            Arc::new(ReadError::io("use", &self.folder.derived().0)(std::io::Error::other(what)))
        })?;
        let account = Account { ordinal, secret: head.secret, next: head.count, to: 0 };
        let State { accounts, indexer, .. } = state;
        accounts.put(name, account, || indexer.covered());
        Ok(Some(account))
    }

    /// Asks the derived files; if they turn out damaged, they are made anew and asked again.
    fn ask<T>(
        &self,
        state: &mut State,
        question: impl Fn(&Indexer) -> Result<T, DerivedError>,
    ) -> Result<T, AppendError> {
        if let Ok(answer) = question(&state.indexer) {
            return Ok(answer);
        }
        state.indexer.rebuild(state.durable).map_err(Arc::new)?;
        question(&state.indexer).map_err(|e| Arc::new(index::failed(&self.folder, &e)).into())
    }
}
