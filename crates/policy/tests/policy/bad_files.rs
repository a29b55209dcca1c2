//! Each bad file of `data/bad.txt` is refused with its place and reason.

use stillthere_policy::Policy;

const CASES: &str = include_str!("../data/bad.txt");
const HEAD: &str = "schema = 1\npolicy = \"p\"\n[[version]]\nid = \"v\"\ntiers.a.trash = \"30d\"\n";

#[test]
fn are_refused() {
    let mut wrong = String::new();
    let mut count = 0;
    for case in CASES.split("\n=== ").skip(1) {
        let (name, rest) = case.split_once('\n').expect("a case has a file");
        let (file, expected) = rest.split_once("\n--- ").expect("a case has an error");
        let head = if file.starts_with("schema") { "" } else { HEAD };
        let found = match Policy::parse(&format!("{head}{file}\n")) {
            Ok(_) => "no error".to_owned(),
            Err(error) => error.to_string().replace('\n', " "),
        };
        if found != expected.trim_end() {
            wrong += &format!("=== {name}\n{found}\n");
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "other than expected:\n{wrong}");
    assert!(count >= 60, "only {count} cases were read");
}
