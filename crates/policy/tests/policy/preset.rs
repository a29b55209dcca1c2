//! The preset `xiaomi-cloud`: its values, its clauses and its readings.

use event::{Actor, Kind};
use stillthere_policy::{
    Actors, Basis, CITABLE, Confidence, DEFAULT_PRESET, Days, Kinds, Policy, Window, presets,
};

fn preset() -> Policy {
    Policy::preset(DEFAULT_PRESET).expect("the default preset")
}

#[test]
fn every_preset_is_sound_and_named_as_it_says() {
    for (name, text) in presets() {
        let (policy, remarks) = Policy::check(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(policy.name, *name);
        assert_eq!(remarks, []);
        assert_eq!(Policy::preset(name), Some(policy));
    }
    assert_eq!(Policy::preset("elsewhere-cloud"), None);
}

/// A change here is a change of the rules by which every store with the default policy is judged,
/// or of the Shanghai of the time zone database.
#[test]
fn is_pinned() {
    let expected = "bc9e45f1f2c7f9bb03d1c78d3ebf6238a98610c6fd7a8b76c63ad21ae2d464c3";
    assert_eq!(preset().hash().to_string(), expected);
}

#[test]
fn has_the_values_of_its_source() {
    let policy = preset();
    assert_eq!(policy.zone.name(), "Asia/Shanghai");
    let [v] = &policy.versions[..] else { panic!("one version") };
    assert_eq!((v.id.as_str(), v.confidence), ("2026-02", Confidence::Secondary));
    assert_eq!(v.effective_from.ms(), 0);
    let tiers: Vec<_> = v.tiers.iter().map(|t| (t.name.as_str(), t.quota, t.trash)).collect();
    let expected = [
        ("standard", Some(5 << 30), Window::Days(30)),
        ("diamond", Some(1 << 40), Window::Days(180)),
    ];
    assert_eq!(tiers, expected);
    assert_eq!((v.trash.basis, v.trash.days), (Basis::TierWhenTrashed, Days::Exact));
    assert_eq!(v.trash.purge_lag, Window::Days(7));
    assert!(v.trash.counts_toward_quota && v.trash.categories.is_empty());
    assert_eq!(v.trash.no_trash.iter().collect::<Vec<_>>(), ["backup"]);
    assert_eq!(v.inactivity_window, Window::Years(1));
    assert_eq!(v.resets, resets());
    assert_eq!(v.actors, Actors::from_iter([Actor::User, Actor::Device]));
    assert_eq!((v.notice, v.stale_after), (Window::Never, Window::Never));
    assert_eq!(v.late_after, Window::Days(7));
}

fn resets() -> Kinds {
    Kinds::from_iter([
        Kind::PageViewed,
        Kind::FindDeviceOn,
        Kind::Synced,
        Kind::BackupCompleted,
        Kind::ItemUploaded,
        Kind::ItemModified,
        Kind::ItemTrashed,
        Kind::ItemRestored,
        Kind::ItemPurged,
        Kind::TrashEmptied,
        Kind::BackupOff,
    ])
}

#[test]
fn has_a_clause_for_each_rule_in_both_languages() {
    let policy = preset();
    let clauses = &policy.versions[0].clauses;
    assert_eq!(clauses.len(), 18);
    for clause in clauses.iter() {
        for language in ["en", "zh"] {
            assert!(!clause.text[language].is_empty(), "{}: {language}", clause.id);
        }
        for word in &clause.for_ {
            assert!(CITABLE.contains(&word.as_str()), "{}: {word}", clause.id);
        }
    }
}

/// The source says nothing about holds, notices, unknown items, clocks, or accounts that their
/// owners close.
const UNCITED: &[&str] = &[
    "quota_cleared",
    "purged-under-hold",
    "cleared-without-notice",
    "unknown-item",
    "late-recorded",
    "account_closed",
];

#[test]
fn findings_cite_the_clause_that_they_break() {
    let policy = preset();
    let check = |word: &str, clause: &str| {
        assert_eq!(policy.versions[0].clause_for(word), Some(clause), "{word}");
    };
    check("loss-after-sync-off", "sync-off-keeps");
    check("lost_after_sync_off", "sync-off-keeps");
    check("upload-while-sync-off", "sync-off-stops-transfer");
    check("purge-without-cause", "no-expiry");
    check("provider_purged", "trash-window");
    check("trashed-by-provider", "loss-by-deleting");
    check("user_deleted_backups", "backups-deleted-on-request");
    check("cleared-while-active", "inactivity");
    check("frozen-while-active", "inactivity");
    check("terminated-while-active", "inactivity");
    check("inactivity_cleared", "inactivity");
    check("cleared_for_inactivity", "inactivity");
    check("premature-purge", "trash-window");
    check("restored-after-window", "trash-window");
    check("overdue-purge", "trash-window");
    check("window_lapsed", "trash-window");
    check("recoverable", "trash-window");
    check("expired", "trash-window");
    check("purged_on_time", "trash-window");
    check("loss-on-tier-lapse", "membership-lapse-keeps");
    check("upload-over-quota", "over-quota-blocks-uploads");
    check("loss-over-quota", "over-quota-blocks-uploads");
    check("user_trashed", "deleting-moves-to-trash");
    check("purged-without-trash", "deleting-moves-to-trash");
    check("user_purged", "purged-for-good");
    check("resurrected", "no-way-back");
    for word in CITABLE {
        let cited = policy.versions[0].clause_for(word).is_some();
        assert_eq!(cited, !UNCITED.contains(word), "{word}");
    }
}

#[test]
fn carries_the_other_readings() {
    let policy = preset();
    let expected = [
        "local-dates",
        "longest-held",
        "sign-in-is-activity",
        "tier-now",
        "trash-uses-no-quota",
        "year-365d",
    ];
    assert_eq!(policy.readings(), expected);
    let read = |id: &str| policy.with_reading(id).unwrap().versions.remove(0);
    assert_eq!(read("tier-now").trash.basis, Basis::TierNow);
    assert_eq!(read("longest-held").trash.basis, Basis::LongestHeld);
    assert_eq!(read("local-dates").trash.days, Days::LocalDates);
    assert_eq!(read("year-365d").inactivity_window, Window::Days(365));
    assert_eq!(read("sign-in-is-activity").resets, resets().with(Kind::SignedIn));
    assert!(!read("trash-uses-no-quota").trash.counts_toward_quota);
    for id in expected {
        assert_eq!(read(id).clauses, policy.versions[0].clauses, "{id}");
    }
}
