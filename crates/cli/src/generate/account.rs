//! One generated account: what it has, and what happens to it next.
//!
//! The generator knows of an account only what it needs to go on believably: some dozens of its
//! items, what is in the trash, how full it is. So its memory does not grow with the events.

use event::{Actor, ClearCause, Payload, PurgeCause, Surface};

use super::random::{SplitMix64, mix};

const GIB: u64 = 1 << 30;

/// How many items of an account can be touched again; older ones just stay. And how many fit into
/// its trash before it is emptied.
const REMEMBERED: usize = 48;

/// What happens: who does it, where, and what.
pub struct Act {
    pub actor: Actor,
    pub surface: Option<Surface>,
    pub payload: Payload,
}

/// What an [`Act`] brings about later.
pub enum Later {
    /// A job takes this item out of the trash, unless something else does before.
    Purge(Item),
    /// A job clears the account, unless it is opened again before.
    Clear(ClearCause),
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    #[default]
    Unopened,
    Open,
    Notified,
    Frozen,
    Cleared,
    /// By the user or the provider; its data goes some days later.
    Closed,
}

/// An item by its number; all else about it follows from that and the account's salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item(u32);

/// What the generator remembers of an account.
#[derive(Default)]
pub struct Account {
    pub status: Status,
    pub diamond: bool,
    /// Tells this account's items from those of others.
    salt: u64,
    /// How many items it ever had.
    items: u32,
    live: Vec<Item>,
    trash: Vec<Item>,
    used_bytes: u64,
    /// A bit for each of [`CATEGORIES`] whose sync is off.
    sync_off: u8,
    /// How many devices it ever backed up.
    devices: u32,
    backed_up: bool,
    /// How many holds were placed on it; the last may still stand.
    holds: u32,
    held: bool,
}

struct Category {
    name: &'static str,
    prefix: &'static str,
    suffix: &'static str,
    /// The smallest item; the largest is 257 times as large.
    least_bytes: u64,
}

const CATEGORIES: [Category; 6] = [
    Category { name: "photos", prefix: "相册/IMG_", suffix: ".jpg", least_bytes: 400_000 },
    Category { name: "contacts", prefix: "contact-", suffix: "", least_bytes: 4 },
    Category { name: "notes", prefix: "note-", suffix: "", least_bytes: 20 },
    Category { name: "messages", prefix: "thread-", suffix: "", least_bytes: 8 },
    Category { name: "drive", prefix: "Documents/scan-", suffix: ".pdf", least_bytes: 100_000 },
    Category { name: "recordings", prefix: "REC_", suffix: ".m4a", least_bytes: 100_000 },
];

const PARTS: [&str; 3] = ["home_layout", "app_list", "system_settings"];

pub fn provider(payload: Payload) -> Act {
    Act { actor: Actor::Provider, surface: None, payload }
}

fn support(payload: Payload) -> Act {
    Act { actor: Actor::Support, surface: None, payload }
}

fn device(payload: Payload) -> Act {
    Act { actor: Actor::Device, surface: Some(Surface::Device), payload }
}

fn user(payload: Payload, random: &mut SplitMix64) -> Act {
    let surface = random.pick(&[Surface::Web, Surface::App, Surface::App, Surface::Desktop]);
    Act { actor: Actor::User, surface: Some(surface), payload }
}

impl Account {
    /// Opens it, for the first time or anew, with nothing in it.
    pub fn open(&mut self, random: &mut SplitMix64) -> Act {
        // Numbers of items go on, so that an item of the old life is not taken for a new one.
        *self = Account { items: self.items, devices: self.devices, ..Account::default() };
        self.salt = random.next();
        self.status = Status::Open;
        self.diamond = random.in_thousand(80);
        // Some phones are set up to send photos alone.
        self.sync_off = if random.in_thousand(150) { 0b11_1110 } else { 0 };
        let tier = if self.diamond {
            Some("diamond".to_owned())
        } else {
            random.in_thousand(700).then(|| "standard".to_owned())
        };
        user(Payload::AccountOpened { tier }, random)
    }

    /// What the user, the devices or the service do next.
    pub fn act(&mut self, random: &mut SplitMix64) -> (Act, Option<Later>) {
        if self.status == Status::Frozen {
            self.status = Status::Open;
            return (support(Payload::AccountUnfrozen), None);
        }
        self.status = Status::Open;
        let act = match random.below(10_000) {
            0..3000 => Some(self.upload(random)),
            3000..3800 => self.modify(random),
            3800..4700 => return self.trash(random),
            4700..4900 => self.restore(random),
            4900..5030 => self.purge(random),
            5030..5100 => self.empty_trash(random),
            5100..6800 => Some(sync(random)),
            6800..7000 => Some(self.switch_sync(random)),
            7000..7700 => Some(user(Payload::SignedIn, random)),
            7700..7820 => Some(user(Payload::SignInFailed, random)),
            7820..8120 => Some(self.back_up(random)),
            8120..8220 => Some(self.handle_backups(random)),
            8220..8300 => Some(switch_find_device(random)),
            8300..8360 => Some(self.change_tier(random)),
            8360..8370 => {
                let bytes = (5 + random.below(20)) * GIB;
                Some(provider(Payload::QuotaChanged { bytes }))
            }
            8370..8400 => Some(self.switch_hold()),
            8400..8420 => self.wrong(random),
            8420..8425 => return self.end(random),
            _ => None,
        };
        (act.unwrap_or_else(|| user(Payload::PageViewed, random)), None)
    }

    /// Something that a device may report days later: the account's story does not hang on it.
    pub fn act_unhurried(&mut self, random: &mut SplitMix64) -> Act {
        match random.below(4) {
            0 => user(Payload::PageViewed, random),
            1 => sync(random),
            _ => self.upload(random),
        }
    }

    /// The item leaves the trash by a job, on time or not.
    pub fn purge_expired(&mut self, item: Item) -> Option<Act> {
        let at = self.trash.iter().position(|trashed| *trashed == item)?;
        self.trash.remove(at);
        self.forget(item);
        let cause = Some(PurgeCause::Expired);
        Some(provider(Payload::ItemPurged { item: self.name(item), cause }))
    }

    /// The whole account is cleared by a job.
    pub fn clear(&mut self, cause: ClearCause) -> Act {
        self.live.clear();
        self.trash.clear();
        self.used_bytes = 0;
        self.backed_up = false;
        provider(Payload::DataCleared { cause })
    }

    fn upload(&mut self, random: &mut SplitMix64) -> Act {
        let item = Item(self.items);
        let bytes = self.bytes(item);
        let quota_bytes = if self.diamond { 1024 * GIB } else { 5 * GIB };
        if self.used_bytes + bytes > quota_bytes && !random.in_thousand(20) {
            if random.in_thousand(700) {
                return user(Payload::PageViewed, random);
            }
            let item = random.in_thousand(500).then(|| self.name(item));
            return provider(Payload::UploadRejected { reason: "over_quota".to_owned(), item });
        }
        self.items += 1;
        self.used_bytes += bytes;
        self.remember(item);
        let category = self.category(item);
        let payload = Payload::ItemUploaded {
            item: self.name(item),
            category: CATEGORIES[category].name.to_owned(),
            bytes,
        };
        // A few devices go on although sync is off.
        let off = self.sync_off >> category & 1 == 1;
        if random.in_thousand(if off { 20 } else { 800 }) {
            device(payload)
        } else {
            user(payload, random)
        }
    }

    fn modify(&mut self, random: &mut SplitMix64) -> Option<Act> {
        let item = *self.live.get(random.below(self.live.len() as u64) as usize)?;
        // Sizes vary as uploads do, but what is used is only guessed at here.
        let bytes = random.in_thousand(600).then(|| self.bytes(item) + random.below(1000));
        let payload = Payload::ItemModified { item: self.name(item), bytes };
        Some(if random.in_thousand(500) { device(payload) } else { user(payload, random) })
    }

    fn trash(&mut self, random: &mut SplitMix64) -> (Act, Option<Later>) {
        if self.trash.len() >= REMEMBERED {
            let act = self.empty_trash(random).expect("it is full");
            return (act, None);
        }
        let Some(item) = take_any(&mut self.live, random) else {
            return (self.upload(random), None);
        };
        self.trash.push(item);
        let payload = Payload::ItemTrashed { item: self.name(item) };
        (user(payload, random), Some(Later::Purge(item)))
    }

    fn restore(&mut self, random: &mut SplitMix64) -> Option<Act> {
        let item = take_any(&mut self.trash, random)?;
        self.remember(item);
        Some(user(Payload::ItemRestored { item: self.name(item) }, random))
    }

    /// The second delete, in the trash.
    fn purge(&mut self, random: &mut SplitMix64) -> Option<Act> {
        let item = take_any(&mut self.trash, random)?;
        self.forget(item);
        Some(user(Payload::ItemPurged { item: self.name(item), cause: None }, random))
    }

    fn empty_trash(&mut self, random: &mut SplitMix64) -> Option<Act> {
        if self.trash.is_empty() {
            return None;
        }
        for item in std::mem::take(&mut self.trash) {
            self.forget(item);
        }
        Some(user(Payload::TrashEmptied, random))
    }

    fn switch_sync(&mut self, random: &mut SplitMix64) -> Act {
        let number = random.below(CATEGORIES.len() as u64) as usize;
        let category = CATEGORIES[number].name.to_owned();
        self.sync_off ^= 1 << number;
        let off = self.sync_off >> number & 1 == 1;
        let payload =
            if off { Payload::SyncOff { category } } else { Payload::SyncOn { category } };
        user(payload, random)
    }

    fn back_up(&mut self, random: &mut SplitMix64) -> Act {
        if !self.backed_up {
            self.backed_up = true;
            self.devices += 1;
            return user(Payload::BackupOn, random);
        }
        let bytes = 50_000_000 + random.below(2_000_000_000);
        let parts = PARTS[..random.below(4) as usize].iter().map(|part| (*part).to_owned());
        let parts = parts.collect();
        device(Payload::BackupCompleted { backup: self.backup(), bytes, parts })
    }

    fn handle_backups(&mut self, random: &mut SplitMix64) -> Act {
        if !self.backed_up {
            return self.back_up(random);
        }
        let backup = self.backup();
        match random.below(10) {
            0..5 => user(Payload::BackupRestored { backup }, random),
            5..7 => user(Payload::BackupPurged { backup, cause: None }, random),
            7 => {
                let cause = random.pick(&[None, Some(PurgeCause::Quota)]);
                provider(Payload::BackupPurged { backup, cause })
            }
            _ => {
                self.backed_up = false;
                user(Payload::BackupOff { delete_backups: random.in_thousand(400) }, random)
            }
        }
    }

    /// A membership bought, or lapsed: nothing that is stored is touched by it.
    fn change_tier(&mut self, random: &mut SplitMix64) -> Act {
        self.diamond = !self.diamond;
        if self.diamond {
            user(Payload::TierChanged { tier: "diamond".to_owned() }, random)
        } else {
            provider(Payload::TierChanged { tier: "standard".to_owned() })
        }
    }

    fn switch_hold(&mut self) -> Act {
        self.held = !self.held;
        if self.held {
            self.holds += 1;
            support(Payload::HoldPlaced { hold: format!("case-{}", self.holds) })
        } else {
            support(Payload::HoldReleased { hold: format!("case-{}", self.holds) })
        }
    }

    /// What a provider should not do.
    fn wrong(&mut self, random: &mut SplitMix64) -> Option<Act> {
        let item = take_any(&mut self.live, random)?;
        let name = self.name(item);
        if random.in_thousand(200) {
            self.trash.push(item);
            return Some(provider(Payload::ItemTrashed { item: name }));
        }
        self.forget(item);
        let cause = random.pick(&[
            Some(PurgeCause::SyncOff),
            Some(PurgeCause::Quota),
            Some(PurgeCause::TierLapsed),
            Some(PurgeCause::Inactivity),
            None,
        ]);
        Some(provider(Payload::ItemPurged { item: name, cause }))
    }

    fn end(&mut self, random: &mut SplitMix64) -> (Act, Option<Later>) {
        self.status = Status::Closed;
        if random.in_thousand(100) {
            (provider(Payload::AccountTerminated), Some(Later::Clear(ClearCause::Terminated)))
        } else {
            (user(Payload::AccountClosed, random), Some(Later::Clear(ClearCause::Closed)))
        }
    }

    fn remember(&mut self, item: Item) {
        if self.live.len() >= REMEMBERED {
            self.live.remove(0);
        }
        self.live.push(item);
    }

    fn forget(&mut self, item: Item) {
        self.used_bytes = self.used_bytes.saturating_sub(self.bytes(item));
    }

    fn scattered(&self, item: Item) -> u64 {
        mix(self.salt ^ u64::from(item.0))
    }

    /// Half of the items are photos.
    fn category(&self, item: Item) -> usize {
        (self.scattered(item) % 10).saturating_sub(4) as usize
    }

    fn bytes(&self, item: Item) -> u64 {
        let scattered = self.scattered(item);
        let least = CATEGORIES[self.category(item)].least_bytes;
        // Small ones are the more frequent: each doubling is as likely as the next.
        let most = least << (1 + (scattered >> 8) % 8);
        least + (scattered >> 16) % most
    }

    fn name(&self, item: Item) -> String {
        let Category { prefix, suffix, .. } = CATEGORIES[self.category(item)];
        format!("{prefix}{:06}{suffix}", item.0)
    }

    fn backup(&self) -> String {
        format!("phone-{}", self.devices)
    }
}

fn sync(random: &mut SplitMix64) -> Act {
    let number = random.below(CATEGORIES.len() as u64) as usize;
    device(Payload::Synced { category: CATEGORIES[number].name.to_owned() })
}

fn switch_find_device(random: &mut SplitMix64) -> Act {
    let on = random.in_thousand(700);
    user(if on { Payload::FindDeviceOn } else { Payload::FindDeviceOff }, random)
}

fn take_any(items: &mut Vec<Item>, random: &mut SplitMix64) -> Option<Item> {
    let at = random.below(items.len() as u64) as usize;
    (at < items.len()).then(|| items.remove(at))
}
