//! Where two answers differ.

use serde_json::Value;

/// The first place (as a JSON pointer) at which two JSON texts differ, with both values; `None`
/// when they say the same. Fields named in `ignored` are not looked at, at any depth.
///
/// # Panics
/// When a text is not JSON.
#[must_use]
pub fn difference(model: &str, real: &str, ignored: &[&str]) -> Option<String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("an answer is JSON");
    compare("", &read(model), &read(real), ignored)
}

fn compare(place: &str, model: &Value, real: &Value, ignored: &[&str]) -> Option<String> {
    match (model, real) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.filter(|key| !ignored.contains(&key.as_str())).find_map(|key| {
                let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&place, a, b, ignored),
                    (a, b) => Some(format!("{place}: model {}, real {}", show(a), show(b))),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) => (0..a.len().max(b.len())).find_map(|n| {
            let place = format!("{place}/{n}");
            match (a.get(n), b.get(n)) {
                (Some(a), Some(b)) => compare(&place, a, b, ignored),
                (a, b) => Some(format!("{place}: model {}, real {}", show(a), show(b))),
            }
        }),
        (a, b) if a == b => None,
        (a, b) => Some(format!("{place}: model {a}, real {b}")),
    }
}

fn show(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), Value::to_string)
}
