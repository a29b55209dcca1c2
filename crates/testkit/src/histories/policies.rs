//! Random policies: small windows, small quotas, few names, so that everything meets.

use std::fmt::Write;

use event::{Actor, Kind, Timestamp};
use fastrand::Rng;

use super::pick;

/// The tiers that a policy may name. Events also know one that none names.
pub const TIERS: [&str; 3] = ["std", "plus", "pro"];
/// The categories that a policy may name.
pub const CATEGORIES: [&str; 3] = ["photos", "notes", "drive"];

const WINDOWS: [&str; 10] = ["0d", "1d", "1d", "2d", "3d", "4d", "1mo", "1mo", "1y", "never"];
const CODES: [&str; 20] = [
    "premature-purge",
    "loss-after-sync-off",
    "loss-over-quota",
    "loss-on-tier-lapse",
    "purge-without-cause",
    "trashed-by-provider",
    "cleared-while-active",
    "frozen-while-active",
    "terminated-while-active",
    "resurrected",
    "purged-under-hold",
    "overdue-purge",
    "restored-after-window",
    "cleared-without-notice",
    "upload-while-sync-off",
    "upload-over-quota",
    "unknown-item",
    "purged-without-trash",
    "late-recorded",
    "user_purged",
];
const OTHER_WORDS: [&str; 19] = [
    "quota_cleared",
    "user_trashed",
    "provider_trashed",
    "window_lapsed",
    "user_emptied_trash",
    "inactivity_cleared",
    "provider_purged",
    "user_deleted_backups",
    "account_terminated",
    "account_closed",
    "kept",
    "recoverable",
    "gone",
    "deleted_by_user",
    "not_deleted_by_user",
    "expired",
    "purged_on_time",
    "lost_after_sync_off",
    "cleared_for_inactivity",
];

/// A policy file whose versions take effect at some of `instants`.
#[must_use]
pub fn policy_toml(rng: &mut Rng, instants: &[Timestamp]) -> String {
    let zone = pick(rng, &["UTC", "Asia/Shanghai", "America/New_York"]);
    let mut text = format!("schema = 1\npolicy = \"random\"\ntime_zone = \"{zone}\"\n");
    let mut starts: Vec<Timestamp> =
        (0..pick(rng, &[1, 2, 2, 3, 4])).map(|_| pick(rng, instants)).collect();
    starts.sort();
    starts.dedup();
    for (n, start) in starts.iter().enumerate() {
        write!(text, "\n[[version]]\nid = \"v{n}\"\n").unwrap();
        if n > 0 || rng.bool() {
            writeln!(text, "effective_from = \"{start}\"").unwrap();
        }
        version(rng, &mut text);
    }
    text
}

fn version(rng: &mut Rng, text: &mut String) {
    let window = |rng: &mut Rng| pick(rng, &WINDOWS);
    let on_change = pick(rng, &["grandfather", "restart", "retroactive"]);
    writeln!(text, "on_change = \"{on_change}\"").unwrap();

    let mut tiers: Vec<&str> = TIERS.to_vec();
    rng.shuffle(&mut tiers);
    tiers.truncate(rng.usize(1..=3));
    for tier in &tiers {
        let quota = pick(rng, &["0B", "5B", "10B", "20B", "unlimited", "1KiB"]);
        let trash = window(rng);
        write!(text, "[version.tiers.{tier}]\nquota = \"{quota}\"\ntrash = \"{trash}\"\n").unwrap();
    }

    let basis = pick(rng, &["tier_when_trashed", "tier_now", "longest_held"]);
    let days = pick(rng, &["exact", "local_dates"]);
    let purge_lag = window(rng);
    let counts = rng.bool();
    let categories: Vec<String> = some(rng, &CATEGORIES, 0.2)
        .into_iter()
        .map(|c| format!("{c} = \"{}\"", window(rng)))
        .collect();
    write!(
        text,
        "[version.trash]\nbasis = \"{basis}\"\ndays = \"{days}\"\npurge_lag = \"{purge_lag}\"\n\
         counts_toward_quota = {counts}\ncategories = {{ {} }}\nno_trash = {}\n",
        categories.join(", "),
        list(&some(rng, &CATEGORIES, 0.15)),
    )
    .unwrap();
    if rng.f64() < 0.3 {
        let at = pick(rng, &["0%", "10%", "25%", "50%", "100%", "never"]);
        let (of, shortens) =
            (pick(rng, &["limit", "free"]), pick(rng, &["while_full", "once_full"]));
        let short = window(rng);
        write!(
            text,
            "full_at = \"{at}\"\nfull_of = \"{of}\"\nfull_window = \"{short}\"\n\
             full_shortens = \"{shortens}\"\n"
        )
        .unwrap();
    }

    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let share = pick(rng, &[0.0, 0.1, 0.3, 0.9]);
    let resets = list(&some(rng, &kinds, share));
    let inactivity = window(rng);
    writeln!(text, "[version.inactivity]\nwindow = \"{inactivity}\"\nresets = {resets}").unwrap();
    if rng.bool() {
        let actors: Vec<&str> = Actor::ALL.iter().map(|actor| actor.name()).collect();
        writeln!(text, "actors = {}", list(&some(rng, &actors, 0.6))).unwrap();
    }
    let notice = pick(rng, &["never", "0d", "1d", "2d", "1mo"]);
    writeln!(text, "notice = \"{notice}\"").unwrap();
    if rng.f64() < 0.3 {
        writeln!(text, "everywhere = {}", list(&some(rng, &kinds, 0.1))).unwrap();
    }
    writeln!(text, "exempt_tiers = {}", list(&some(rng, &tiers, 0.2))).unwrap();
    let over = pick(rng, &["block_uploads", "block_uploads", "allow"]);
    let (stale, late) = (window(rng), window(rng));
    write!(
        text,
        "[version.quota]\nover = \"{over}\"\n[version.backup]\nstale_after = \"{stale}\"\n\
         [version.clock]\nlate_after = \"{late}\"\n"
    )
    .unwrap();
    // From a copy: the histories of a seed stay those that they were.
    let mut apart = rng.clone();
    if apart.f64() < 0.1 {
        let keep = window(&mut apart);
        write!(text, "[version.records]\nkeep = \"{keep}\"\n").unwrap();
    }

    if rng.f64() < 0.4 {
        for n in 0..rng.usize(1..4) {
            stage(rng, n, text);
        }
    }

    for n in 0..rng.usize(0..4) {
        let mut words = some(rng, &CODES, 0.3);
        words.extend(some(rng, &OTHER_WORDS, 0.2));
        let words = list(&words);
        write!(
            text,
            "[[version.clauses]]\nid = \"c{n}\"\nfor = {words}\ntext = {{ en = \"c{n}\" }}\n"
        )
        .unwrap();
    }
    for id in some(rng, &["r1", "r2"], 0.35) {
        let set = setting(rng, &tiers);
        write!(text, "[[version.readings]]\nid = \"{id}\"\nset = {{ {set} }}\n").unwrap();
    }
}

fn stage(rng: &mut Rng, n: usize, text: &mut String) {
    let when = pick(rng, &["over_quota", "over_quota", "trash_full", "category_inactive"]);
    let mut admits = vec!["purge"];
    if when != "category_inactive" {
        admits = some(rng, &["freeze", "clear", "terminate", "purge", "purge_trashed"], 0.5);
        if admits.is_empty() {
            admits.push("purge_trashed");
        }
    }
    let after = pick(rng, &["0d", "0d", "1d", "1d", "2d", "1mo", "never"]);
    let notice = pick(rng, &["never", "never", "0d", "1d"]);
    write!(
        text,
        "[version.stages.s{n}]\nwhen = \"{when}\"\nafter = \"{after}\"\nadmits = {}\n\
         categories = {}\nnotice = \"{notice}\"\n",
        list(&admits),
        list(&some(rng, &CATEGORIES, 0.2)),
    )
    .unwrap();
}

/// A key that a reading sets, with its value.
fn setting(rng: &mut Rng, tiers: &[&str]) -> String {
    let (key, value) = match rng.u32(0..14) {
        0 => ("trash.basis", pick(rng, &["tier_when_trashed", "tier_now", "longest_held"])),
        1 => ("trash.days", pick(rng, &["exact", "local_dates"])),
        2 => ("trash.purge_lag", pick(rng, &WINDOWS)),
        3 => ("inactivity.window", pick(rng, &WINDOWS)),
        4 => ("inactivity.notice", pick(rng, &["never", "0d", "1d"])),
        5 => ("quota.over", pick(rng, &["block_uploads", "allow"])),
        6 => ("backup.stale_after", pick(rng, &WINDOWS)),
        7 => ("clock.late_after", pick(rng, &WINDOWS)),
        8 => ("on_change", pick(rng, &["grandfather", "restart", "retroactive"])),
        9 => return format!("\"trash.counts_toward_quota\" = {}", rng.bool()),
        10 => return format!("\"trash.no_trash\" = {}", list(&some(rng, &CATEGORIES, 0.5))),
        11 => return format!("\"inactivity.exempt_tiers\" = {}", list(&some(rng, tiers, 0.5))),
        12 => return "\"inactivity.actors\" = [\"user\", \"provider\"]".to_owned(),
        _ => {
            let (tier, window) = (pick(rng, tiers), pick(rng, &WINDOWS));
            return format!("\"tiers.{tier}.trash\" = \"{window}\"");
        }
    };
    format!("\"{key}\" = \"{value}\"")
}

/// Each of `words` with this chance.
fn some<'w>(rng: &mut Rng, words: &[&'w str], chance: f64) -> Vec<&'w str> {
    words.iter().copied().filter(|_| rng.f64() < chance).collect()
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", quoted.join(", "))
}
