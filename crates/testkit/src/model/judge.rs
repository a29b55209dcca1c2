//! What an event gives and does: each judged by the state that those before it left, then folded.

use event::{ClearCause, Payload, PurgeCause, Surface, Timestamp};
use policy::{Act, Over, Window};

use super::walk::{About, Backup, Found, Item, ItemState, Trashing, Walked};

/// The way in which an item is purged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Outright,
    TrashEmptied,
    WithoutTrash,
}

impl Walked<'_> {
    /// Judges the event of index `n` by the state that those before it left, and folds it.
    pub(super) fn fold(&mut self, n: usize) {
        let at = self.past.at(n);
        let by_user = self.past.by_user(n);
        match self.past.payload(n) {
            Payload::ItemUploaded { item, category, bytes } => {
                let by_device = self.past.events[n].event.surface == Some(Surface::Device);
                if by_device && self.past.sync(n, category) == Some(false) {
                    self.find("upload-while-sync-off", n, About::Item(item.clone()));
                }
                self.judge_quota(n, About::Item(item.clone()));
                self.end_lapse(item, at);
                let mut life = new_item(n, at);
                life.category = Some(category.clone());
                life.bytes = *bytes;
                self.items.insert(item.clone(), life);
            }
            Payload::ItemModified { item, bytes } => {
                self.see_item(item, n);
                if let Some(bytes) = bytes {
                    self.items.get_mut(item).unwrap().bytes = *bytes;
                }
            }
            Payload::ItemTrashed { item } => {
                self.see_item(item, n);
                self.trash(item, n);
            }
            Payload::ItemRestored { item } => {
                self.see_item(item, n);
                self.restore(item, n);
            }
            Payload::ItemPurged { item, cause } => {
                self.see_item(item, n);
                self.purge(item, n, *cause, Way::Outright);
            }
            Payload::TrashEmptied => {
                for name in self.items.keys().cloned().collect::<Vec<_>>() {
                    if matches!(self.items[&name].state, ItemState::Trashed | ItemState::Expired) {
                        self.purge(&name, n, None, Way::TrashEmptied);
                    }
                }
            }
            Payload::BackupCompleted { backup, bytes, .. } => {
                self.judge_quota(n, About::Backup(backup.clone()));
                let mut life = new_backup(n, at);
                life.bytes = *bytes;
                life.completed = Some(at);
                self.backups.insert(backup.clone(), life);
            }
            Payload::BackupRestored { backup } => {
                self.see_backup(backup, n);
                let life = self.backups.get_mut(backup).unwrap();
                if !life.kept {
                    life.kept = true;
                    life.since = at;
                    life.cause = None;
                    life.ended = None;
                    self.find("resurrected", n, About::Backup(backup.clone()));
                }
            }
            Payload::BackupPurged { backup, cause } => {
                self.see_backup(backup, n);
                self.remove_backup(backup, n, *cause);
            }
            Payload::BackupOff { delete_backups: true } => {
                for name in self.backups.keys().cloned().collect::<Vec<_>>() {
                    self.remove_backup(&name, n, None);
                }
            }
            Payload::DataCleared { cause } => self.clear(n, *cause),
            Payload::AccountFrozen if !by_user => {
                self.judge_lapse(n, "frozen-while-active", Act::Freeze);
            }
            Payload::AccountTerminated | Payload::AccountClosed if !by_user => {
                self.judge_lapse(n, "terminated-while-active", Act::Terminate);
            }
            // Tier, quota, holds, sync and activity are read from the events where they matter.
            _ => {}
        }
    }

    pub(super) fn find(&mut self, code: &'static str, event: usize, about: About) {
        let at = self.past.at(event);
        self.found.push(Found { code, at, event, about, count: None });
    }

    /// Makes an item that was never seen, of no bytes and no category.
    fn see_item(&mut self, name: &str, n: usize) {
        if !self.items.contains_key(name) {
            self.items.insert(name.to_owned(), new_item(n, self.past.at(n)));
            self.find("unknown-item", n, About::Item(name.to_owned()));
        }
    }

    /// Makes a backup that was never seen, of no bytes.
    fn see_backup(&mut self, name: &str, n: usize) {
        if !self.backups.contains_key(name) {
            self.backups.insert(name.to_owned(), new_backup(n, self.past.at(n)));
            self.find("unknown-item", n, About::Backup(name.to_owned()));
        }
    }

    /// An item that is no longer expired is no longer left lying about.
    fn end_lapse(&mut self, name: &str, at: Timestamp) {
        for lapse in &mut self.lapses {
            if lapse.item == name && lapse.over.is_none() {
                lapse.over = Some(at);
            }
        }
    }

    fn trash(&mut self, name: &str, n: usize) {
        let at = self.past.at(n);
        let version = self.past.policy.version_index_at(at);
        let no_trash = &self.past.policy.versions[version].trash.no_trash;
        let item = self.items.get_mut(name).unwrap();
        if item.state != ItemState::Live {
            return;
        }
        if item.category.as_ref().is_some_and(|c| no_trash.contains(c)) {
            return self.purge(name, n, None, Way::WithoutTrash);
        }
        let by_user = self.past.by_user(n);
        item.state = ItemState::Trashed;
        item.since = at;
        item.cause = Some(if by_user { "user_trashed" } else { "provider_trashed" });
        item.out = Some(n);
        item.trashing = Some(Trashing { event: n, version, start: at, once_full: false });
        if !by_user {
            self.find("trashed-by-provider", n, About::Item(name.to_owned()));
        }
    }

    fn restore(&mut self, name: &str, n: usize) {
        let at = self.past.at(n);
        let item = self.items.get_mut(name).unwrap();
        let was = item.state;
        if was == ItemState::Live {
            return;
        }
        item.state = ItemState::Live;
        item.since = at;
        item.cause = None;
        item.out = None;
        item.ended = None;
        item.trashing = None;
        item.deadline = None;
        self.end_lapse(name, at);
        match was {
            ItemState::Expired => self.find("restored-after-window", n, About::Item(name.into())),
            ItemState::Purged | ItemState::Removed => {
                self.find("resurrected", n, About::Item(name.into()));
            }
            ItemState::Live | ItemState::Trashed => {}
        }
    }

    fn purge(&mut self, name: &str, n: usize, given: Option<PurgeCause>, way: Way) {
        let at = self.past.at(n);
        let by_user = self.past.by_user(n);
        let about = About::Item(name.to_owned());
        let was = self.items[name].state;
        if matches!(was, ItemState::Purged | ItemState::Removed) {
            return;
        }
        let may = !by_user && matches!(was, ItemState::Live | ItemState::Trashed);
        let inactive = may && given == Some(PurgeCause::Inactivity) && self.past.may_lapse(n, at);
        let category = self.items[name].category.clone();
        let staged = (may && !inactive)
            .then(|| self.admitted(n, given, category.as_deref(), was == ItemState::Trashed))
            .flatten();
        let admissible = inactive || staged.is_some();
        if let Some(staged) = staged {
            self.admitted |= staged.over_quota;
            if staged.unnoticed {
                self.find("cleared-without-notice", n, about.clone());
            }
        }
        if by_user {
            if was == ItemState::Live && way == Way::Outright {
                self.find("purged-without-trash", n, about.clone());
            }
        } else if !admissible {
            match (was, given) {
                (ItemState::Trashed, _) => self.find("premature-purge", n, about.clone()),
                (ItemState::Live, Some(PurgeCause::SyncOff)) => {
                    self.find("loss-after-sync-off", n, about.clone());
                }
                (ItemState::Live, Some(PurgeCause::Quota)) => {
                    self.find("loss-over-quota", n, about.clone());
                }
                (ItemState::Live, Some(PurgeCause::TierLapsed)) => {
                    self.find("loss-on-tier-lapse", n, about.clone());
                }
                (ItemState::Live, _) => self.find("purge-without-cause", n, about.clone()),
                _ => {}
            }
        }
        if self.past.held(n) {
            self.find("purged-under-hold", n, about);
        }
        self.end_lapse(name, at);
        let item = self.items.get_mut(name).unwrap();
        item.cause = Some(match (by_user, way) {
            (true, Way::TrashEmptied) => "user_emptied_trash",
            (true, _) => "user_purged",
            (false, _) if was == ItemState::Expired => "window_lapsed",
            (false, _) if admissible && given == Some(PurgeCause::Quota) => "quota_cleared",
            (false, _) if admissible => "inactivity_cleared",
            (false, _) => "provider_purged",
        });
        item.state = ItemState::Purged;
        item.since = at;
        item.out = item.out.or(Some(n));
        item.ended = Some(n);
    }

    fn remove_backup(&mut self, name: &str, n: usize, given: Option<PurgeCause>) {
        let at = self.past.at(n);
        let by_user = self.past.by_user(n);
        let about = About::Backup(name.to_owned());
        if !self.backups[name].kept {
            return;
        }
        let stale_after = self.past.policy.version_at(at).stale_after;
        let stale_from = self.backups[name]
            .completed
            .and_then(|completed| stale_after.after(completed, &self.past.policy.zone));
        let stale = stale_from.is_some_and(|from| from <= at);
        let inactive = given == Some(PurgeCause::Inactivity) && self.past.may_lapse(n, at);
        let staged = (!by_user && !stale && !inactive)
            .then(|| self.admitted(n, given, None, false))
            .flatten();
        if let Some(staged) = &staged {
            self.admitted |= staged.over_quota;
            if staged.unnoticed {
                self.find("cleared-without-notice", n, about.clone());
            }
        }
        if !by_user && !stale && !inactive && staged.is_none() {
            self.find("purge-without-cause", n, about.clone());
        }
        if self.past.held(n) {
            self.find("purged-under-hold", n, about);
        }
        let backup = self.backups.get_mut(name).unwrap();
        backup.cause = Some(match by_user {
            true => "user_deleted_backups",
            false if stale => "window_lapsed",
            false if inactive => "inactivity_cleared",
            false if staged.is_some() => "quota_cleared",
            false => "provider_purged",
        });
        backup.kept = false;
        backup.since = at;
        backup.ended = Some(n);
    }

    fn clear(&mut self, n: usize, given: ClearCause) {
        let at = self.past.at(n);
        if !self.past.by_user(n) {
            self.judge_lapse(n, "cleared-while-active", Act::Clear);
            let notice = self.past.policy.version_at(at).notice;
            if notice != Window::Never
                && !self.past.closed_by_user(n)
                && !self.past.notified(n, notice, at)
            {
                self.find("cleared-without-notice", n, About::Account);
            }
        }
        let cause = match given {
            ClearCause::Inactivity => "inactivity_cleared",
            ClearCause::Terminated => "account_terminated",
            ClearCause::Closed => "account_closed",
        };
        let held = self.past.held(n);
        for name in self.items.keys().cloned().collect::<Vec<_>>() {
            let item = self.items.get_mut(&name).unwrap();
            if matches!(item.state, ItemState::Purged | ItemState::Removed) {
                continue;
            }
            item.state = ItemState::Removed;
            item.since = at;
            item.cause = Some(cause);
            item.out = item.out.or(Some(n));
            item.ended = Some(n);
            self.end_lapse(&name, at);
            if held {
                self.find("purged-under-hold", n, About::Item(name));
            }
        }
        for name in self.backups.keys().cloned().collect::<Vec<_>>() {
            let backup = self.backups.get_mut(&name).unwrap();
            if !backup.kept {
                continue;
            }
            backup.kept = false;
            backup.since = at;
            backup.cause = Some(cause);
            backup.ended = Some(n);
            if held {
                self.find("purged-under-hold", n, About::Backup(name));
            }
        }
    }

    /// A clearing, freezing or ending by the provider is a breach before the account's time is up
    /// or while its tier is exempt, unless the user had closed it or a stage admits it.
    fn judge_lapse(&mut self, n: usize, code: &'static str, act: Act) {
        let lapses = self.past.may_lapse(n, self.past.at(n));
        if !lapses && !self.past.closed_by_user(n) && !self.admits(n, act) {
            self.find(code, n, About::Account);
        }
    }

    fn judge_quota(&mut self, n: usize, about: About) {
        let at = self.past.at(n);
        if self.past.policy.version_at(at).over == Over::BlockUploads && self.over(n, at) {
            self.find("upload-over-quota", n, about);
        }
    }
}

fn new_item(n: usize, at: Timestamp) -> Item {
    Item {
        category: None,
        bytes: 0,
        state: ItemState::Live,
        since: at,
        cause: None,
        began: n,
        out: None,
        ended: None,
        trashing: None,
        deadline: None,
    }
}

fn new_backup(n: usize, at: Timestamp) -> Backup {
    Backup { kept: true, bytes: 0, since: at, cause: None, began: n, ended: None, completed: None }
}
