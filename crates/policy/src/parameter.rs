//! A rule that is a number: what can be moved to see what follows.
//!
//! Named by the dotted key of a reading; `trash.tiers.NAME` is `tiers.NAME.trash` too.

use std::fmt;

use crate::{Policy, Version, Window};

/// A duration or a size that a policy states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// `tiers.NAME.trash`, the trash window of a tier.
    TierTrash(String),
    /// `tiers.NAME.quota`, the space that a tier gives.
    TierQuota(String),
    /// `trash.categories.NAME`, the trash window of a category.
    CategoryTrash(String),
    /// `trash.purge_lag`.
    PurgeLag,
    /// `trash.full_window`, the trash window while the trash is full.
    FullWindow,
    /// `stages.NAME.after`, how long the condition of a stage must have held.
    StageAfter(String),
    /// `inactivity.window`.
    InactivityWindow,
    /// `inactivity.notice`.
    Notice,
    /// `backup.stale_after`.
    StaleAfter,
    /// `clock.late_after`.
    LateAfter,
}

/// What a [`Parameter`] is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// A duration.
    Window(Window),
    /// Bytes.
    Bytes(u64),
}

/// Why nothing can be moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The key is of no duration and no size.
    #[error(
        "{0:?} is no duration and no size of a policy: expected tiers.NAME.trash, tiers.NAME.quota, \
         trash.categories.NAME, trash.purge_lag, trash.full_window, inactivity.window, \
         inactivity.notice, stages.NAME.after, backup.stale_after or clock.late_after"
    )]
    Key(String),
    /// No version has the tier.
    #[error("no version that is asked for has the tier {0:?}: expected one of {1}")]
    Tier(String, String),
    /// No version has the stage.
    #[error("no version that is asked for has the stage {0:?}: expected {1}")]
    Stage(String, String),
    /// In no version can the trash be full.
    #[error(
        "in no version that is asked for can the trash be full: expected one with trash.full_at"
    )]
    NeverFull,
    /// There is no such version.
    #[error("the policy has no version {0:?}: expected one of {1}")]
    Version(String, String),
}

impl Parameter {
    /// Reads a dotted key.
    ///
    /// # Errors
    /// [`ParameterError::Key`] when it names no duration and no size.
    pub fn parse(key: &str) -> Result<Parameter, ParameterError> {
        let of_tier = key.strip_prefix("tiers.").and_then(|rest| rest.rsplit_once('.'));
        let tier_of_trash = key.strip_prefix("trash.tiers.");
        let category = key.strip_prefix("trash.categories.");
        let stage = key.strip_prefix("stages.").and_then(|rest| rest.strip_suffix(".after"));
        let known = match key {
            "trash.purge_lag" => Parameter::PurgeLag,
            "trash.full_window" => Parameter::FullWindow,
            "inactivity.window" => Parameter::InactivityWindow,
            "inactivity.notice" => Parameter::Notice,
            "backup.stale_after" => Parameter::StaleAfter,
            "clock.late_after" => Parameter::LateAfter,
            _ => match (of_tier, tier_of_trash, category, stage) {
                (Some((tier, "trash")), ..) | (_, Some(tier), ..) if !tier.is_empty() => {
                    Parameter::TierTrash(tier.to_owned())
                }
                (Some((tier, "quota")), ..) if !tier.is_empty() => {
                    Parameter::TierQuota(tier.to_owned())
                }
                (_, _, Some(name), _) if crate::tree::is_name(name) => {
                    Parameter::CategoryTrash(name.to_owned())
                }
                (.., Some(name)) if crate::tree::is_name(name) => {
                    Parameter::StageAfter(name.to_owned())
                }
                _ => return Err(ParameterError::Key(key.to_owned())),
            },
        };
        Ok(known)
    }

    /// Whether it is a size; else a duration.
    #[must_use]
    pub const fn is_size(&self) -> bool {
        matches!(self, Parameter::TierQuota(_))
    }

    /// Sets it in one version. Whether the version has it.
    fn set(&self, version: &mut Version, amount: Amount) -> bool {
        let slot = match (self, amount) {
            (Parameter::TierQuota(tier), Amount::Bytes(bytes)) => {
                let tier = version.tiers.iter_mut().find(|known| known.name == *tier);
                return tier.map(|tier| tier.quota = Some(bytes)).is_some();
            }
            (Parameter::TierTrash(tier), _) => {
                match version.tiers.iter_mut().find(|known| known.name == *tier) {
                    Some(tier) => &mut tier.trash,
                    None => return false,
                }
            }
            (Parameter::CategoryTrash(name), _) => {
                version.trash.categories.entry(name.clone()).or_insert(Window::Never)
            }
            (Parameter::PurgeLag, _) => &mut version.trash.purge_lag,
            (Parameter::FullWindow, _) => match &mut version.trash.full {
                Some(full) => &mut full.window,
                None => return false,
            },
            (Parameter::StageAfter(name), _) => match version.stages.get_mut(name) {
                Some(stage) => &mut stage.after,
                None => return false,
            },
            (Parameter::InactivityWindow, _) => &mut version.inactivity_window,
            (Parameter::Notice, _) => &mut version.notice,
            (Parameter::StaleAfter, _) => &mut version.stale_after,
            (Parameter::LateAfter, _) => &mut version.late_after,
            (Parameter::TierQuota(_), Amount::Window(_)) => unreachable!("a quota is a size"),
        };
        let Amount::Window(window) = amount else { unreachable!("only a quota is a size") };
        *slot = window;
        true
    }
}

/// The dotted key.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Parameter::TierTrash(tier) => write!(f, "tiers.{tier}.trash"),
            Parameter::TierQuota(tier) => write!(f, "tiers.{tier}.quota"),
            Parameter::CategoryTrash(name) => write!(f, "trash.categories.{name}"),
            Parameter::PurgeLag => f.write_str("trash.purge_lag"),
            Parameter::FullWindow => f.write_str("trash.full_window"),
            Parameter::StageAfter(name) => write!(f, "stages.{name}.after"),
            Parameter::InactivityWindow => f.write_str("inactivity.window"),
            Parameter::Notice => f.write_str("inactivity.notice"),
            Parameter::StaleAfter => f.write_str("backup.stale_after"),
            Parameter::LateAfter => f.write_str("clock.late_after"),
        }
    }
}

impl Policy {
    /// The policy with `parameter` set to `amount`, in the version `version` alone or in every one
    /// that has it. It has no readings: they were read of another text.
    ///
    /// # Errors
    /// [`ParameterError`] when there is no such version, none has the tier or stage, or none has a trash
    /// that can be full.
    ///
    /// # Panics
    /// If a size is given for a duration or a duration for a size.
    pub fn with_parameter(
        &self,
        parameter: &Parameter,
        version: Option<&str>,
        amount: Amount,
    ) -> Result<Policy, ParameterError> {
        assert_eq!(parameter.is_size(), matches!(amount, Amount::Bytes(_)), "{parameter}");
        let mut moved = self.clone();
        let is_asked = |known: &&mut Version| version.is_none_or(|version| known.id == version);
        let ids = || self.versions.iter().map(|known| known.id.clone());
        let mut asked = 0;
        let mut set = 0;
        for known in moved.versions.iter_mut() {
            known.readings.clear();
            if is_asked(&known) {
                asked += 1;
                set += usize::from(parameter.set(known, amount));
            }
        }
        let of_asked = || {
            let is_asked = |known: &&Version| version.is_none_or(|version| known.id == version);
            self.versions.iter().filter(is_asked)
        };
        match (version, parameter) {
            (Some(version), _) if asked == 0 => {
                let ids = ids().collect::<Vec<_>>().join(", ");
                Err(ParameterError::Version(version.to_owned(), ids))
            }
            (_, Parameter::TierTrash(tier) | Parameter::TierQuota(tier)) if set == 0 => {
                let tiers = of_asked().flat_map(|known| known.tiers.iter().map(|tier| &tier.name));
                Err(ParameterError::Tier(tier.clone(), once_each(tiers).join(", ")))
            }
            (_, Parameter::StageAfter(stage)) if set == 0 => {
                let stages = once_each(of_asked().flat_map(|known| known.stages.keys()));
                let expected = match &*stages {
                    [] => "a policy with stages".to_owned(),
                    names => format!("one of {}", names.join(", ")),
                };
                Err(ParameterError::Stage(stage.clone(), expected))
            }
            (_, Parameter::FullWindow) if set == 0 => Err(ParameterError::NeverFull),
            _ => Ok(moved),
        }
    }
}

/// The names in the order in which they first come.
fn once_each<'n>(names: impl Iterator<Item = &'n String>) -> Vec<&'n str> {
    let mut known: Vec<&str> = Vec::new();
    for name in names {
        if !known.contains(&name.as_str()) {
            known.push(name);
        }
    }
    known
}
