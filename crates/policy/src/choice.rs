//! The closed word lists of the policy language, and sets of kinds and of actors.
//!
//! Each word has a wire name (docs/policies.md) and a number, which is its tag in canonical
//! bytes and never changes: new words are added at the end. The first of each list is what a
//! policy that is silent means, but for [`Confidence`].

use event::{Actor, Kind};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal $wire:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $number),+ }

        impl $name {
            /// Every word, in the order of their numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word in a policy file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $wire),+ }
            }

            /// The word of this name, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($wire => Some($name::$variant),)+ _ => None }
            }

            /// The number in canonical bytes.
            #[must_use]
            pub const fn number(self) -> u8 { self as u8 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.name())
            }
        }
    };
}

choice! {
    /// Whose trash window counts.
    Basis {
        /// That of the tier held when the item was trashed.
        TierWhenTrashed = 0 "tier_when_trashed",
        /// That of the tier held at each instant.
        TierNow = 1 "tier_now",
        /// The longest of the tiers held from the trashing on.
        LongestHeld = 2 "longest_held",
    }
}

choice! {
    /// How the days of a trash window are counted.
    Days {
        /// 24 hours each; months and years to the same wall time.
        Exact = 0 "exact",
        /// To the end of the last local day.
        LocalDates = 1 "local_dates",
    }
}

choice! {
    /// What a version, when it takes effect, does to what is in the trash.
    OnChange {
        /// Nothing: the version under which an item was trashed goes on measuring it.
        Grandfather = 0 "grandfather",
        /// The new windows, counted from the change.
        Restart = 1 "restart",
        /// The new windows, counted from the trashing, with no end before the change.
        Retroactive = 2 "retroactive",
    }
}

choice! {
    /// What being over quota does to uploads.
    Over {
        /// They are refused.
        BlockUploads = 0 "block_uploads",
        /// They are taken.
        Allow = 1 "allow",
    }
}

choice! {
    /// Of what the share is taken that makes a trash full.
    FullOf {
        /// The account's limit.
        Limit = 0 "limit",
        /// What of the limit live items and backups leave.
        Free = 1 "free",
    }
}

choice! {
    /// For which items a full trash shortens the window.
    Shortens {
        /// For what lies there, while it is full.
        WhileFull = 0 "while_full",
        /// For what lay there at any moment when it was full, for good.
        OnceFull = 1 "once_full",
    }
}

choice! {
    /// The condition of a stage.
    When {
        /// More is used than the limit.
        OverQuota = 0 "over_quota",
        /// The trash is full.
        TrashFull = 1 "trash_full",
        /// No activity in the category of the item at hand.
        CategoryInactive = 2 "category_inactive",
    }
}

choice! {
    /// What a stage admits of the provider.
    Act {
        /// Freezing the account.
        Freeze = 0 "freeze",
        /// Clearing it.
        Clear = 1 "clear",
        /// Terminating it.
        Terminate = 2 "terminate",
        /// Purging items and backups.
        Purge = 3 "purge",
        /// Purging what is in the trash.
        PurgeTrashed = 4 "purge_trashed",
    }
}

choice! {
    /// How sure it is that the rules are the provider's.
    Confidence {
        /// The provider states them.
        Official = 0 "official",
        /// Somebody else states them.
        Secondary = 1 "secondary",
        /// Whoever wrote the policy file states them.
        Operator = 2 "operator",
    }
}

macro_rules! word_set {
    ($(#[$doc:meta])* $name:ident of $word:ident in $bits:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name($bits);

        impl $name {
            /// The set of none.
            pub const NONE: $name = $name(0);

            /// Whether `word` is in the set.
            #[must_use]
            pub const fn contains(self, word: $word) -> bool {
                self.0 & (1 << word.number()) != 0
            }

            /// The set with `word`.
            #[must_use]
            pub const fn with(self, word: $word) -> $name {
                $name(self.0 | 1 << word.number())
            }

            /// Whether there is none in it.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Its words, in the order of their numbers.
            pub fn iter(self) -> impl Iterator<Item = $word> {
                $word::ALL.iter().copied().filter(move |word| self.contains(*word))
            }
        }

        impl FromIterator<$word> for $name {
            fn from_iter<I: IntoIterator<Item = $word>>(words: I) -> $name {
                words.into_iter().fold($name::NONE, $name::with)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_seq(self.iter())
            }
        }
    };
}

word_set! {
    /// A set of kinds of events.
    Kinds of Kind in u32
}

word_set! {
    /// A set of acts of the provider.
    Acts of Act in u8
}

word_set! {
    /// A set of actors, as written in the policy (a device is not the user here).
    Actors of Actor in u8
}

// A kind beyond the bits of the set would be lost in silence.
const _: () = assert!(Kind::ALL.len() <= 32 && Actor::ALL.len() <= 8 && Act::ALL.len() <= 8);
