//! The policies that are compiled in.

use crate::Policy;

/// The policy of a command that names none.
pub const DEFAULT_PRESET: &str = "xiaomi-cloud";

/// The presets, by name: (name, the policy file).
#[must_use]
pub fn presets() -> &'static [(&'static str, &'static str)] {
    &[("xiaomi-cloud", include_str!("../presets/xiaomi-cloud.toml"))]
}

impl Policy {
    /// The preset of this name, if there is one.
    ///
    /// # Panics
    /// Never: each preset is compiled by a test.
    #[must_use]
    pub fn preset(name: &str) -> Option<Policy> {
        let (_, text) = presets().iter().find(|(preset, _)| *preset == name)?;
        Some(Policy::parse(text).expect("a preset is a sound policy"))
    }
}
