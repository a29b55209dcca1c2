//! What a view leaves open, field by field and row by row.

use event::NameId;

use crate::report::CategoryRow;
use crate::unsure::Unsure;
use crate::{Item, ItemState, Subject, View};

impl View<'_> {
    /// Whether events were erased that may matter to what the account is.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.undetermined.is_empty()
    }

    /// How many events of the account were erased: their contents alone, and to their leaves.
    #[must_use]
    pub fn erased(&self) -> (u64, u64) {
        self.open.as_ref().map_or((0, 0), |open| (open.contents, open.leaves))
    }

    /// What is not known of an item or backup.
    #[must_use]
    pub fn unsure(&self, subject: Subject) -> Unsure {
        self.open.as_ref().map_or(Unsure::default(), |open| open.doubt.of(subject))
    }

    /// Whether there may be items that [`View::items`] does not list: of an erased name, or that no event names any more.
    #[must_use]
    pub fn may_miss_items(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.doubt.items.others.state || self.has_nameless(&self.state.items)
        })
    }

    /// The same of backups.
    #[must_use]
    pub fn may_miss_backups(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.doubt.backups.others.state || self.has_nameless(&self.state.backups)
        })
    }

    /// Whether what the account was before is known: no event was erased to its leaf, nor one that tells of
    /// more than one thing in its contents.
    #[must_use]
    pub fn knows_past(&self) -> bool {
        self.open.as_ref().is_none_or(|open| !open.doubt.past)
    }

    /// Whether there may be findings that [`View::findings`] does not list.
    #[must_use]
    pub fn may_miss_findings(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.more || open.doubt.past)
    }

    fn has_nameless<T>(&self, table: &[Option<T>]) -> bool {
        let names = self.rules.names;
        (0u32..).zip(table).any(|(id, slot)| slot.is_some() && names.get(NameId(id)).is_empty())
    }

    /// Whether `is` holds of what is not known of any item, of those too that the state does not have.
    pub(crate) fn any_item(&self, is: impl Fn(Unsure, Option<&Item>) -> bool) -> bool {
        let Some(open) = &self.open else { return false };
        let items = &open.doubt.items;
        let mut seen = (0u32..).map(NameId).zip(&self.state.items).filter(|(_, i)| i.is_some());
        is(items.others, None) || seen.any(|(id, item)| is(items.get(id), item.as_ref()))
    }

    /// The fields that erased events leave open.
    pub(crate) fn open_fields(&self) -> Vec<String> {
        let Some(open) = &self.open else { return Vec::new() };
        let counts = self.counts();
        let doubt = &open.doubt;
        let last = doubt.active_by.is_some();
        let fields = [
            (open.revision.is_none(), "revision"),
            (open.status.is_none(), "status"),
            (open.tier.is_none(), "tier"),
            (open.limit.is_none(), "quota.limit_bytes"),
            (open.used.is_none(), "quota.used_bytes"),
            (open.over.is_none(), "quota.over"),
            (last, "activity.last_at"),
            (last, "activity.last_kind"),
            (open.inactive_at.is_none(), "activity.inactive_at"),
            (doubt.past, "activity.windows"),
            (self.may_miss_categories(), "categories"),
        ];
        let named = |fields: &[(bool, &str)]| {
            let open = fields.iter().filter(|(open, _)| *open);
            open.map(|(_, field)| (*field).to_owned()).collect::<Vec<_>>()
        };
        let mut all = named(&fields);
        for (name, row) in self.categories() {
            let sync = self.rules.names.find(&name).is_some_and(|id| doubt.sync(id).is_none());
            let cells = [
                (sync, "sync"),
                (row.live.is_none(), "live"),
                (row.trashed.is_none(), "trashed"),
                (row.gone.is_none(), "gone"),
                (row.bytes.is_none(), "bytes"),
            ];
            all.extend(named(&cells).iter().map(|cell| format!("categories.{name}.{cell}")));
        }
        all.extend(named(&[(self.may_miss_items(), "items")]));
        for (id, item) in self.items() {
            let unsure = self.unsure(Subject::Item(id));
            let ends = item.state == ItemState::Trashed;
            all.extend(rows(&format!("items.{}", self.rules.names.get(id)), unsure, true, ends));
        }
        all.extend(named(&[(self.may_miss_backups(), "backups")]));
        for (id, _) in self.backups() {
            let unsure = self.unsure(Subject::Backup(id));
            let row = format!("backups.{}", self.rules.names.get(id));
            all.extend(rows(&row, unsure, false, false));
        }
        all.extend(named(&[
            (counts.live.is_none(), "counts.live"),
            (counts.trashed.is_none(), "counts.trashed"),
            (counts.expired.is_none(), "counts.expired"),
            (counts.purged.is_none(), "counts.purged"),
            (counts.removed.is_none(), "counts.removed"),
            (self.may_miss_findings(), "findings"),
            (doubt.conditions && !self.version().stages.is_empty(), "stages"),
        ]));
        all
    }

    fn may_miss_categories(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.doubt.has_lost_categories() || self.any_item(|u, _| u.category)
        })
    }

    /// Takes out of the rows what an item of which not all is known could change.
    pub(crate) fn open_categories(&self, rows: &mut [Option<CategoryRow>]) {
        let mut open = |unsure: Unsure, item: Option<&Item>| {
            if unsure == Unsure::default() {
                return;
            }
            let own = item.filter(|_| !unsure.category).map(|item| item.category);
            let concerned = (0u32..).map(NameId).zip(rows.iter_mut());
            let concerned = concerned.filter(|(id, _)| own.is_none_or(|own| own == Some(*id)));
            // In a known state it counts there, in whichever category.
            let state = item.filter(|_| !unsure.state).map(|item| item.state);
            let is = |of: &[ItemState]| match state {
                Some(state) => unsure.category && of.contains(&state),
                None => unsure.state,
            };
            for row in concerned.filter_map(|(_, row)| row.as_mut()) {
                if is(&[ItemState::Live]) && (unsure.is_there || state.is_some()) {
                    row.live = None;
                }
                if is(&[ItemState::Trashed]) && (unsure.is_there || state.is_some()) {
                    row.trashed = None;
                }
                if is(&[ItemState::Expired, ItemState::Purged, ItemState::Removed]) {
                    row.gone = None;
                }
                let weighs = unsure.bytes && state == Some(ItemState::Live);
                if row.live.is_none() || weighs {
                    row.bytes = None;
                }
            }
        };
        let Some(items) = self.open.as_ref().map(|open| &open.doubt.items) else { return };
        open(items.others, None);
        for (id, item) in (0u32..).map(NameId).zip(&self.state.items) {
            if let Some(item) = item {
                open(items.get(id), Some(item));
            }
        }
    }
}

/// The fields of an item's or backup's row that are left open: the row itself where its state is.
fn rows(row: &str, unsure: Unsure, is_item: bool, ends: bool) -> Vec<String> {
    if unsure.state {
        return vec![row.to_owned()];
    }
    let until = is_item && unsure.until;
    let fields = [
        (is_item && unsure.category, "category"),
        (unsure.bytes, "bytes"),
        (unsure.since, "since"),
        (until, "recoverable_until"),
        (until && ends, "remaining_days"),
        (unsure.cause, "cause"),
    ];
    let open = fields.into_iter().filter(|(open, _)| *open);
    open.map(|(_, field)| format!("{row}.{field}")).collect()
}
