//! Logs with a key, a checkpoint and an auditor, and sound certificates of them.

use std::fs;

use commitment::SignerKey;
use fastrand::Rng;
use serde_json::{Value, json};
use testkit::histories::{Case, case};
use verifier::Assert;

use crate::binary::{Folder, fixture};

/// What the auditor is called.
pub const AUDITOR: &str = "auditor.example";

/// A folder with a store, and certificates by what they are.
pub struct Log {
    pub name: &'static str,
    pub folder: Folder,
    pub key: String,
    pub auditor: String,
    /// How many of its checkpoints were kept.
    kept: usize,
    pub certificates: Vec<(String, Vec<u8>)>,
}

/// What can be asked about an account.
struct Asked<'a> {
    account: &'a str,
    items: &'a [String],
    backups: &'a [String],
    categories: &'a [String],
    policy: &'a str,
    as_of: String,
    known_at: Option<String>,
}

impl Log {
    /// The fixture of a dispute, judged by the preset, which the log adopted.
    pub fn of_the_dispute(random: &mut Rng, count: usize) -> Log {
        let lines = fs::read_to_string(fixture("demo/dispute.ndjson")).expect("the fixture");
        let mut log = Log::new("dispute", &lines);
        log.ok(&["policy", "adopt", "xiaomi-cloud"]);
        log.seal();
        log.certify_some(&lines, random, count);
        log
    }

    /// Some accounts that `generate` makes up, sealed more than once.
    pub fn of_a_population(random: &mut Rng, count: usize) -> Log {
        let seed = random.u16(..).to_string();
        let log = Folder::new();
        let lines = log.run(&["generate", "--accounts", "20", "--events", "1200", "--seed", &seed]);
        let mut parts = lines.out.lines().collect::<Vec<_>>();
        let later = parts.split_off(parts.len() / 6);
        let mut log = Log::new("population", &(parts.join("\n") + "\n"));
        log.seal();
        for part in later.chunks(later.len().div_ceil(random.usize(1..8))) {
            log.folder.write("more.ndjson", part.join("\n") + "\n");
            log.ok(&["import", "more.ndjson"]);
            log.seal();
        }
        log.certify_some(&lines.out, random, count);
        log
    }

    /// Random histories that gather at boundary instants, each judged by a policy of its own.
    pub fn of_histories(random: &mut Rng, count: usize, is_adopted: bool) -> Log {
        let cases: Vec<(String, Case)> =
            (0..count.div_ceil(4)).map(|n| (format!("a{n}"), case(random.u64(..)))).collect();
        let lines: String = cases.iter().map(|(account, case)| lines_of(case, account)).collect();
        let mut log = Log::new(if is_adopted { "adopted" } else { "histories" }, &lines);
        for (account, case) in &cases {
            let policy = format!("{account}.toml");
            log.folder.write(&policy, &case.policy_toml);
            if is_adopted {
                log.ok(&["policy", "adopt", &policy]);
            }
        }
        log.seal();
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (n, (account, case)) in cases.iter().enumerate() {
            for _ in 0..4.min(count - 4 * n) {
                let as_of = random
                    .choice(&case.boundaries)
                    .filter(|_| random.bool())
                    .unwrap_or(&case.as_of);
                let known_at =
                    (case.known_at != event::Timestamp::MAX).then(|| case.known_at.to_string());
                log.certify(
                    random,
                    &Asked {
                        account,
                        items: &names(&["i1", "i2", "i3", "x"]),
                        backups: &names(&["b1", "b2", "x"]),
                        categories: &names(&["photos", "notes", "none"]),
                        policy: &format!("{account}.toml"),
                        as_of: as_of.to_string(),
                        known_at,
                    },
                );
            }
        }
        log
    }

    fn new(name: &'static str, lines: &str) -> Log {
        let folder = Folder::new();
        folder.write("events.ndjson", lines);
        let mut log = Log {
            name,
            folder,
            key: String::new(),
            auditor: String::new(),
            kept: 0,
            certificates: Vec::new(),
        };
        log.ok(&["import", "--trust-recorded-at", "events.ndjson"]);
        log.key = log.ok(&["key", "new", "--origin", "log.example/one"]);
        log.auditor = log.ok(&["key", "new", "--origin", AUDITOR, "--key", "auditor.key"]);
        log.folder.write("vkey", &log.key);
        log.folder.write("auditor.vkey", &log.auditor);
        log
    }

    pub fn signer(&self) -> SignerKey {
        let key = self.folder.read("stillthere.store/keys/signing.key");
        let key = String::from_utf8(key).expect("it is text");
        SignerKey::parse(key.trim()).expect("the log's key")
    }

    /// The first line of what a command prints that has to go well.
    fn ok(&self, args: &[&str]) -> String {
        self.folder.run(args).expect(0).out.lines().next().unwrap_or_default().to_owned()
    }

    /// A checkpoint, and the auditor's note on it.
    fn seal(&mut self) {
        self.ok(&["checkpoint"]);
        let note = self.folder.read("stillthere.store/tlog/checkpoint");
        self.folder.write(&format!("kept-{}", self.kept), note);
        self.kept += 1;
        self.ok(&["audit-log", "--key", "auditor.key", "-o", "audit.note"]);
    }

    /// Questions about the accounts of these lines, at instants at and beside those of their events.
    fn certify_some(&mut self, lines: &str, random: &mut Rng, count: usize) {
        let events: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for _ in 0..count {
            let account = random.choice(&events).expect("events")["account"].clone();
            let of: Vec<&Value> =
                events.iter().filter(|event| event["account"] == account).collect();
            let names = |key: &str| {
                let named = of.iter().filter_map(|event| event[key].as_str());
                let mut names: Vec<String> = named.map(str::to_owned).collect();
                names.push("none".to_owned());
                names
            };
            let at = random.choice(&of).expect("its own")["occurred_at"].as_str().expect("a time");
            let at = event::Timestamp::parse(at).expect("a time").ms();
            let later = [0, 1, -1, 30 * 86_400_000, 366 * 86_400_000, 0][random.usize(..6)];
            let as_of = event::Timestamp::from_ms(at + later).expect("in range").to_string();
            self.certify(
                random,
                &Asked {
                    account: account.as_str().expect("text"),
                    items: &names("item"),
                    backups: &names("backup"),
                    categories: &names("category"),
                    policy: "xiaomi-cloud",
                    as_of,
                    known_at: None,
                },
            );
        }
    }

    /// One certificate: of an account or an item, of its state or of claims, with or without an earlier checkpoint
    /// and the auditor's note.
    fn certify(&mut self, random: &mut Rng, asked: &Asked<'_>) {
        let account = if random.u8(..12) == 0 { "nobody" } else { asked.account };
        let mut args = vec!["certify", account, "-o", "made.cert", "--policy", asked.policy];
        args.extend(["--as-of", &asked.as_of]);
        if let Some(known_at) = &asked.known_at {
            args.extend(["--known-at", known_at]);
        }
        let item = random.choice(asked.items).filter(|_| random.bool());
        if let Some(item) = item {
            args.extend(["--item", item]);
        }
        if random.bool() {
            let claims: String =
                (0..random.usize(1..6)).map(|n| claim(random, asked, (account, item), n)).collect();
            self.folder.write("claims.ndjson", claims);
            args.extend(["--claim", "claims.ndjson"]);
        }
        if random.bool() {
            args.extend(["--audit", "audit.note"]);
        }
        let kept = format!("kept-{}", random.usize(..self.kept));
        if random.bool() {
            args.extend(["--since", &kept]);
        }
        let ran = self.folder.run(&args);
        // It refuses to certify of an item that no event names.
        if ran.code == Some(2) && item.is_some() {
            return;
        }
        ran.expect(0);
        self.certificates.push((args.join(" "), self.folder.read("made.cert")));
    }
}

/// The case's events as lines of an account of this name.
fn lines_of(case: &Case, account: &str) -> String {
    let lines = testkit::notation::ndjson(&case.events);
    let renamed = lines.lines().map(|line| {
        let mut event: Value = serde_json::from_str(line).expect("JSON");
        event["account"] = account.into();
        format!("{event}\n")
    });
    renamed.collect()
}

/// A claim's line: about the item, or else about anything of the account.
fn claim(
    random: &mut Rng,
    asked: &Asked<'_>,
    (account, item): (&str, Option<&String>),
    number: usize,
) -> String {
    let asserts = random.choice(Assert::ALL).expect("asserts");
    let mut claim =
        json!({ "claim": format!("c{number}"), "account": account, "asserts": asserts });
    let names = [("item", asked.items), ("backup", asked.backups), ("category", asked.categories)];
    match (item, random.usize(..8)) {
        (Some(item), _) => claim["item"] = item.as_str().into(),
        (None, n) => {
            if let Some((key, names)) = names.get(n.saturating_sub(3)) {
                claim[key] = random.choice(*names).expect("names").as_str().into();
            }
        }
    }
    if random.u8(..5) == 0 {
        claim["as_of"] = "2026-03-08T12:00:00.5-04:00".into();
    }
    format!("{claim}\n")
}
