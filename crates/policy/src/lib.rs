//! Retention rules as data.
//!
//! A tour: [`Policy`] is the checked, compiled form of a policy file (docs/policies.md), a
//! sequence of [`Version`]s; [`Policy::parse`] reads one or says where it is wrong
//! ([`PolicyError`]), [`Policy::check`] also says what its author may not have meant
//! ([`Remark`]), and [`Policy::preset`] is one that is compiled in. [`Window`] is a duration of
//! the policy language and does its arithmetic in a [`Zone`]; [`Policy::with_reading`] is the same
//! policy with a disputed sentence read another way, [`Policy::with_parameter`] with a [`Parameter`] moved;
//! [`Policy::differences`] is what another policy says otherwise; [`Policy::hash`] names what a policy means
//! and not how its file is written: it is that of [`Policy::canonical_bytes`], from which
//! [`Policy::from_canonical_bytes`] makes a policy that folds the same with no file and no database.
//!
//! Nothing here reads a clock, a file or a random source: presets and the time zone database are
//! compiled in.

mod choice;
mod compile;
mod compiled;
mod crossing;
mod difference;
mod error;
mod hash;
mod parameter;
mod preset;
mod reading;
mod remark;
mod rules;
mod show;
mod size;
mod tree;
mod window;
mod zone;

pub use choice::{
    Act, Actors, Acts, Basis, Confidence, Days, FullOf, Kinds, OnChange, Over, Shortens, When,
};
pub use compiled::CompiledError;
pub use difference::Difference;
pub use error::{Place, PolicyError, Remark};
pub use hash::PolicyHash;
pub use parameter::{Amount, Parameter, ParameterError};
pub use preset::{DEFAULT_PRESET, presets};
pub use remark::CITABLE;
pub use rules::{Clause, Full, Policy, Reading, Setting, Stage, Stated, Tier, TrashRules, Version};
pub use size::{ShareError, SizeError, parse_share, parse_size, size_text};
pub use window::{Window, WindowError};
pub use zone::{Zone, ZoneError};
