//! The policies that are compiled in.

use crate::Policy;

/// The policy of a command that names none.
pub const DEFAULT_PRESET: &str = "xiaomi-cloud";

/// The presets, by name: (name, the policy file).
#[must_use]
pub fn presets() -> &'static [(&'static str, &'static str)] {
    &[
        ("box", include_str!("../presets/box.toml")),
        ("dropbox", include_str!("../presets/dropbox.toml")),
        ("google-drive", include_str!("../presets/google-drive.toml")),
        ("google-photos", include_str!("../presets/google-photos.toml")),
        ("huawei-cloud", include_str!("../presets/huawei-cloud.toml")),
        ("icloud", include_str!("../presets/icloud.toml")),
        ("nextcloud", include_str!("../presets/nextcloud.toml")),
        ("onedrive-personal", include_str!("../presets/onedrive-personal.toml")),
        ("onedrive-work", include_str!("../presets/onedrive-work.toml")),
        ("samsung-cloud", include_str!("../presets/samsung-cloud.toml")),
        ("xiaomi-cloud", include_str!("../presets/xiaomi-cloud.toml")),
    ]
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
