//! What the log knows already: of an id, of an account.

use std::sync::Arc;

use commitment::Digest;
use event::canonical;

use super::{Account, Log, State};
use crate::derived::DerivedError;
use crate::indexer::Indexer;
use crate::locate::event_frame;
use crate::prepare::{Entered, Prepared};
use crate::{AppendError, Outcome, ReadError, index};

impl Log {
    /// What the log knows of an event's id.
    pub(super) fn find(
        &self,
        state: &mut State,
        parcel: &Prepared,
        new: &Entered,
    ) -> Result<Option<Outcome>, AppendError> {
        let tag = &new.key.id;
        if let Some(recently) = state.recent.get(tag) {
            return Ok(Some(recently.outcome(&new.key)));
        }
        // What is imported again comes in the order of the log.
        if let Some(next) = state.last_duplicate.map(|last| last + 1)
            && let Some(Outcome::Duplicate { position }) = self.compare(state, parcel, new, next)?
        {
            state.last_duplicate = Some(position);
            return Ok(Some(Outcome::Duplicate { position }));
        }
        let Some(found) = self.ask(state, |indexer| indexer.find_id(tag))? else {
            return Ok(None);
        };
        // The log has the last word, on the id and on the content.
        let outcome = match self.compare(state, parcel, new, found)? {
            Some(outcome) => Some(outcome),
            None => {
                let end = state.durable;
                state.indexer.rebuild(end).map_err(Arc::new)?;
                match state.indexer.find_id(tag) {
                    Ok(Some(found)) => self.compare(state, parcel, new, found)?,
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
        parcel: &Prepared,
        new: &Entered,
        position: u64,
    ) -> Result<Option<Outcome>, AppendError> {
        if position >= state.durable.events {
            return Ok(None);
        }
        let Some(account) = self.account(state, &new.key.account, parcel.account(new))? else {
            return Ok(None);
        };
        let end = state.durable;
        let found = state.locator.find(&self.folder, end, position).map_err(Arc::new)?;
        let bytes = state.locator.frame(&self.folder, end, found.place).map_err(Arc::new)?;
        let frame = event_frame(&self.folder, found.place, bytes).map_err(Arc::new)?;
        let Some((envelope, content)) = frame else { return Ok(None) };
        if envelope.ordinal != account.ordinal {
            return Ok(None);
        }
        let step = &new.step;
        let is_same = content == parcel.content(new)
            && envelope.kind == step.kind
            && envelope.actor == step.actor
            && envelope.surface == step.surface
            && envelope.occurred_at == step.occurred_at;
        if is_same {
            return Ok(Some(Outcome::Duplicate { position }));
        }
        let old = canonical::decode_content(envelope.kind, content);
        let has_id = old.is_ok_and(|old| old.id == parcel.id(new));
        Ok(has_id.then_some(Outcome::Conflict { position }))
    }

    /// An account, if it has an event or one is staged.
    pub(super) fn account(
        &self,
        state: &mut State,
        key: &Digest,
        name: &str,
    ) -> Result<Option<Account>, AppendError> {
        if let Some(account) = state.accounts.get(key) {
            return Ok(Some(account));
        }
        let Some(head) = self.ask(state, |indexer| indexer.head(name))? else { return Ok(None) };
        let ordinal = u32::try_from(head.ordinal).map_err(|_| {
            let what = format!("account {name:?} has the ordinal {}", head.ordinal);
            Arc::new(ReadError::io("use", &self.folder.derived().0)(std::io::Error::other(what)))
        })?;
        let account = Account { ordinal, secret: head.secret, next: head.count, to: 0 };
        let State { accounts, indexer, .. } = state;
        accounts.put(key, account, || indexer.covered());
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
