//! Certificates of an account of which something was erased: of what is whole there are some, and of what is not there are none.

use std::process::Command;

use crate::binary::{Folder, Ran, root};
use crate::erasure::{ITEMS, PERSON, erase, sealed};

const AS_OF: [&str; 2] = ["--as-of", "2025-10-01T00:00:00Z"];

fn certify(folder: &Folder, lang: &str, more: &[&str]) -> Ran {
    let args = [&["--lang", lang, "certify", PERSON, "-o", "new.cert"][..], more, &AS_OF].concat();
    let ran = folder.run(&args);
    assert_eq!(ran.code == Some(0), folder.path("new.cert").exists(), "{ran:?}");
    ran
}

/// Refused, in both languages, with what can be had instead.
fn refused(folder: &Folder, more: &[&str], has_items: bool, erasure: &str) {
    for (lang, parts) in [
        ("en", ["nothing is certified", "was made before the erasure"]),
        ("zh", ["未出具证书", "擦除之前出具的证书"]),
    ] {
        let ran = certify(folder, lang, more).expect(1);
        assert_eq!(ran.out, "");
        assert_eq!(ran.err.contains("--item"), has_items, "{ran:?}");
        let ran = parts.into_iter().fold(ran, Ran::says);
        ran.says(&format!("certify --erasure {erasure}"));
    }
}

#[test]
fn what_is_whole_is_certified_and_the_rest_is_refused_with_what_can_be_had() {
    let folder = sealed();
    erase(&folder, &["--item", ITEMS[0]]);
    folder.run(&["checkpoint"]).expect(0);
    refused(&folder, &[], true, "0");
    refused(&folder, &["--item", ITEMS[0]], false, "0");
    // The other item's events are all there.
    certify(&folder, "en", &["--item", ITEMS[1]]).expect(0);
    let vkey = String::from_utf8(folder.read("vkey")).expect("text");
    let about = ["--account", PERSON, "--item", ITEMS[1]];
    let check = ["--json", "check", "new.cert", "--key", "vkey"];
    let checked = folder.run(&[&check[..], &about].concat()).expect(0).object();
    assert_eq!((&checked["ok"], &checked["item"]), (&true.into(), &ITEMS[1].into()), "{checked}");
    let mut python = Command::new("python3");
    python.arg("-B").arg(root().join("docs/check_certificate.py")).arg(folder.path("new.cert"));
    match python.args(["--any-known-at", "--key", vkey.trim()]).output() {
        Ok(ran) => assert!(ran.status.success(), "{ran:?}"),
        Err(_) => eprintln!("not tried: there is no python3"),
    }
    std::fs::remove_file(folder.path("new.cert")).expect("it is there");
    // What was had before, and the erasure itself, as the sentence says.
    folder.run(&["check", "before.cert", "--key", "vkey"]).expect(0);
    folder.run(&["certify", "--erasure", "0", "-o", "erasure.cert"]).expect(0);
    folder.run(&["check", "erasure.cert", "--key", "vkey"]).expect(0);

    // Of an event that is gone as a whole nobody can say of which item it was.
    erase(&folder, &["--before", "2025-01-02T00:00:00Z"]);
    folder.run(&["checkpoint"]).expect(0);
    refused(&folder, &[], false, "1");
    refused(&folder, &["--item", ITEMS[1]], false, "1");
}
