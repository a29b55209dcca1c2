//! Policy files and their compiled form.

use event::Timestamp;
use policy::{Policy, PolicyHash, Version, Window, Zone};

use super::is_printable;

/// A text that may be a policy.
pub fn policy(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (policy, remarks) = match Policy::check(text) {
        Ok(checked) => checked,
        Err(error) => {
            is_printable(&error.to_string());
            return is_there(&error.place, text);
        }
    };
    for remark in remarks {
        is_printable(&remark.to_string());
        is_there(&remark.place, text);
    }
    assert_eq!(Policy::parse(text).as_ref(), Ok(&policy));
    is_sound(&policy);
    let mut names = policy.readings();
    names.dedup();
    assert_eq!(names, policy.readings(), "a reading is named once");
    for name in names {
        is_sound(&policy.with_reading(&name).expect("it is named"));
    }
    assert!(serde_json::to_string(&policy).is_ok(), "it can be shown");
}

/// Bytes that may be a compiled policy.
pub fn compiled(bytes: &[u8]) {
    let policy = match Policy::from_canonical_bytes(bytes) {
        Ok(policy) => policy,
        Err(error) => {
            is_printable(&error.to_string());
            return assert!(error.offset() <= bytes.len(), "{error}, of {}", bytes.len());
        }
    };
    assert!(policy.canonical_bytes() == bytes, "it is the only spelling");
    assert_eq!(policy.hash(), PolicyHash::of_compiled(bytes));
    for name in policy.readings() {
        let read = policy.with_reading(&name).expect("it is named").canonical_bytes();
        let again = Policy::from_canonical_bytes(&read).expect("a reading is a policy");
        assert!(again.canonical_bytes() == read);
    }
    // Its zone may be one of no database.
    for window in [Window::Days(0), Window::Months(1), Window::Years(u32::MAX)] {
        for start in [Timestamp::MIN, Timestamp::from_ms(0).expect("1970"), Timestamp::MAX] {
            let end = window.after(start, &policy.zone);
            assert!(end.is_none_or(|end| end.ms() - start.ms() >= window.at_least_ms()));
            let _ = window.after_local_dates(start, &policy.zone);
        }
    }
}

/// A place is within the text.
fn is_there(place: &policy::Place, text: &str) {
    let mut lines = text.split('\n');
    assert!(place.line > 0 && place.column > 0, "{place}");
    let line = lines.nth(place.line - 1).unwrap_or_else(|| panic!("{place}: no such line"));
    assert!(place.column <= line.chars().count() + 1, "{place}: no such column");
}

/// Everything that a fold asks of a policy has an answer.
fn is_sound(policy: &Policy) {
    compiled(&policy.canonical_bytes());
    assert!(policy.versions.is_sorted_by(|a, b| a.effective_from < b.effective_from));
    for at in [Timestamp::MIN, Timestamp::MAX] {
        assert!(!policy.version_at(at).tiers.is_empty());
    }
    policy.versions.iter().for_each(|version| has_windows(version, &policy.zone));
}

fn has_windows(version: &Version, zone: &Zone) {
    let tiers = version.tiers.iter().map(|tier| tier.trash);
    let windows = [version.inactivity_window, version.notice, version.stale_after];
    let categories = version.trash.categories.values().copied();
    for window in tiers.chain(windows).chain(categories) {
        assert_eq!(Window::parse(&window.to_string()).as_ref(), Ok(&window));
        for start in [Timestamp::MIN, Timestamp::from_ms(0).expect("1970"), Timestamp::MAX] {
            for end in [window.after(start, zone), version.trash.deadline(start, window, zone)] {
                assert!(end.is_none_or(|end| end >= start), "{window} from {start}: {end:?}");
            }
        }
    }
}
