//! What the log knows already: of an id, of an account.

use std::sync::Arc;

use event::canonical;

use super::{Account, Log, State};
use crate::derived::{Derived, DerivedError};
use crate::locate::event_frame;
use crate::prepare::Prepared;
use crate::{AppendError, Outcome, ReadError, index};

impl Log {
    /// What the log knows of an event's id.
    pub(super) fn find(
        &self,
        state: &mut State,
        new: &Prepared,
    ) -> Result<Option<Outcome>, AppendError> {
        if let Some((position, hash)) = state.pending.get(&new.tag) {
            let position = *position;
            return Ok(Some(if *hash == new.hash {
                Outcome::Duplicate { position }
            } else {
                Outcome::Conflict { position }
            }));
        }
        let Some(found) = self.ask(state, |derived| derived.find_id(&new.tag))? else {
            return Ok(None);
        };
        // The log has the last word, on the id and on the content.
        match self.compare(state, new, found.position)? {
            Some(outcome) => Ok(Some(outcome)),
            None => {
                let end = state.durable;
                state.index.rebuild(&self.folder, self.store, end).map_err(Arc::new)?;
                match state.index.derived.find_id(&new.tag) {
                    Ok(Some(found)) => Ok(self.compare(state, new, found.position)?),
                    Ok(None) => Ok(None),
                    Err(e) => Err(Arc::new(index::failed(&self.folder, &e)).into()),
                }
            }
        }
    }

    /// Holds a new event against the one at `position`; `None` if that has another id or account.
    fn compare(
        &self,
        state: &mut State,
        new: &Prepared,
        position: u64,
    ) -> Result<Option<Outcome>, AppendError> {
        if position >= state.durable.events {
            return Ok(None);
        }
        let Some(account) = self.account(state, &new.event.account)? else { return Ok(None) };
        let end = state.durable;
        let found = state.locator.find(&self.folder, end, position).map_err(Arc::new)?;
        let bytes = state.locator.frame(&self.folder, end, found.place).map_err(Arc::new)?;
        let (envelope, content) =
            event_frame(&self.folder, found.place, bytes).map_err(Arc::new)?;
        if envelope.ordinal != account.ordinal {
            return Ok(None);
        }
        let event = &new.event;
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
            return Ok(Some(*account));
        }
        let Some(head) = self.ask(state, |derived| derived.head(name))? else { return Ok(None) };
        let ordinal = u32::try_from(head.ordinal).map_err(|_| {
            let what = format!("account {name:?} has the ordinal {}", head.ordinal);
            Arc::new(ReadError::io("use", &self.folder.derived().0)(std::io::Error::other(what)))
        })?;
        let account = Account { ordinal, secret: head.secret, next: head.count };
        state.accounts.insert(name.to_owned(), account);
        Ok(Some(account))
    }

    /// Asks the derived files; if they turn out damaged, they are made anew and asked again.
    fn ask<T>(
        &self,
        state: &mut State,
        question: impl Fn(&Derived) -> Result<T, DerivedError>,
    ) -> Result<T, AppendError> {
        if let Ok(answer) = question(&state.index.derived) {
            return Ok(answer);
        }
        let end = state.durable;
        state.index.rebuild(&self.folder, self.store, end).map_err(Arc::new)?;
        question(&state.index.derived).map_err(|e| Arc::new(index::failed(&self.folder, &e)).into())
    }
}
