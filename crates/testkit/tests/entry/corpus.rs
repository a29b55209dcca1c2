//! The seeds of the fuzz targets, from the fixtures.

use std::fs;
use std::path::{Path, PathBuf};

use event::{canonical, read_line, write_cloudevent};
use policy::Policy;
use serde_json::Value;
use stillthere_testkit::entry;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixture(name: &str) -> String {
    let path = root().join("fixtures").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The workspace of the fuzz targets.
pub fn fuzz() -> PathBuf {
    root().join("fuzz")
}

fn folder(name: &str) -> PathBuf {
    fuzz().join("corpus").join(name)
}

/// What is kept for a target, in the order of the files' names.
pub fn read(name: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder(name)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
}

/// Writes what is made, if `UPDATE_CORPUS` says so. What was there besides stays: it was found.
pub fn update() {
    if std::env::var_os("UPDATE_CORPUS").is_none() {
        return;
    }
    for (name, seeds) in make() {
        fs::create_dir_all(folder(name)).expect("made");
        for (seed, n) in seeds.iter().zip(0..) {
            fs::write(folder(name).join(format!("seed-{n:03}")), seed).expect("written");
        }
    }
}

/// The seeds of each target.
pub fn make() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let lines = fixture("events/every-kind.ndjson");
    let events: Vec<_> =
        lines.lines().map(|line| read_line(line.as_bytes()).expect("an event")).collect();
    let mut event_lines: Vec<Vec<u8>> = lines.lines().map(|line| line.as_bytes().into()).collect();
    event_lines.extend(events.iter().step_by(3).map(|event| {
        let mut line = Vec::new();
        write_cloudevent(event, event.recorded_at, &mut line);
        line
    }));
    let spelled = events.iter().map(|event| {
        let mut bytes = Vec::new();
        canonical::encode(event, &mut bytes);
        bytes
    });
    let contents = events.iter().map(|event| {
        let mut bytes = vec![event.payload.kind().number()];
        canonical::encode_content(event, &mut bytes);
        bytes
    });
    let claims = fixture("causes/claims.ndjson") + &fixture("rules/S12-trash-window/claims.ndjson");
    let presets = policy::presets().iter().map(|(_, text)| (*text).to_owned());
    let policies = [fixture("causes/policy.toml"), fixture("findings/overdue-purge/policy.toml")];
    let policies: Vec<String> = presets.chain(policies).collect();
    let compiled =
        policies.iter().map(|text| Policy::parse(text).expect("sound").canonical_bytes());
    let (files, frames) = log("store");
    let (erased, _) = log("erased_store");
    let (shrunk, _) = log("shrunk_store");
    vec![
        ("canonical", spelled.collect()),
        (
            "certificate",
            [
                "wedding.cert",
                "nobody.cert",
                "since/later.cert",
                "since/uneven.cert",
                "erasure/since.cert",
            ]
            .map(proof)
            .into(),
        ),
        ("claim", claims.lines().take(24).map(|line| line.as_bytes().into()).collect()),
        ("compiled", compiled.collect()),
        ("content", contents.collect()),
        ("control", controls()),
        (
            "csv",
            vec![format!("{}\n# rows\n{}", sample("files.toml"), sample("files.csv")).into_bytes()],
        ),
        ("derived", vec![entry::sound_run()]),
        (
            "drive",
            ["drive-activities.json", "drive-published.ndjson"]
                .map(|s| sample(s).into_bytes())
                .into(),
        ),
        ("event_line", event_lines),
        ("frame", frames),
        ("git", vec![sample("git-log.txt").into_bytes()]),
        ("headers", headers(&files)),
        ("log", vec![entry::pack(&files), entry::pack(&erased), entry::pack(&shrunk)]),
        ("m365", m365()),
        ("map_proof", map_proofs()),
        ("note", notes()),
        ("policy", policies.iter().map(|text| text.as_bytes().into()).collect()),
    ]
}

/// Records, a search, what was published, and rows of Log Analytics.
fn m365() -> Vec<Vec<u8>> {
    let records = sample("m365-records.json");
    let renamed = [
        ("\"CreationTime\"", "\"TimeGenerated\""),
        ("\"Id\"", "\"OfficeId\""),
        ("\"ObjectId\"", "\"OfficeObjectId\""),
        ("\"SiteUrl\"", "\"Site_Url\""),
        ("\"Workload\"", "\"OfficeWorkload\""),
    ];
    let rows =
        renamed.iter().fold(records.clone(), |text, (name, column)| text.replace(name, column));
    let files = ["m365-search.csv", "onedrive-published.ndjson"].map(sample);
    [records].into_iter().chain(files).chain([rows]).map(String::into_bytes).collect()
}

/// A file of `fixtures/imports`.
fn sample(name: &str) -> String {
    fixture(&format!("imports/{name}"))
}

/// A file of `fixtures/proofs`.
fn proof(name: &str) -> Vec<u8> {
    let path = root().join("fixtures/proofs").join(name);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A kind and a body each.
fn controls() -> Vec<Vec<u8>> {
    let vectors: Value = serde_json::from_str(&fixture("format/vectors.json")).expect("JSON");
    let rows = vectors["control_leaves"].as_array().expect("rows").iter();
    let frames = rows.map(|row| commitment::unhex(row["frame"].as_str().expect("text")));
    let head = commitment::FRAME_HEADER + commitment::SALT;
    let body = |frame: Vec<u8>| [&frame[..1], &frame[head..]].concat();
    frames.map(|frame| body(frame.expect("hex"))).collect()
}

/// One that shows an account and one that shows that there is none, of the largest maps.
fn map_proofs() -> Vec<Vec<u8>> {
    let vectors: Value = serde_json::from_str(&fixture("proofs/map.json")).expect("JSON");
    let maps = vectors["maps"].as_array().expect("maps").iter().rev().take(2);
    let proofs = maps.flat_map(|map| map["proofs"].as_array().expect("proofs").iter().take(6));
    let bytes = |proof: &Value| commitment::unhex(proof["proof"].as_str().expect("text"));
    proofs.map(|proof| bytes(proof).expect("hex")).collect()
}

/// A checkpoint, a witness's request, keys, and an auditor's note.
fn notes() -> Vec<Vec<u8>> {
    let vectors: Value = serde_json::from_str(&fixture("proofs/tlog.json")).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").as_bytes().to_vec();
    let keys = vectors["keys"].as_array().expect("keys").iter();
    let certificate = verifier::certificate::Certificate::decode(&proof("wedding.cert"));
    let audits = certificate.expect("a certificate").audits;
    let notes = ["checkpoint", "request"].map(|name| text(&vectors[name])).into_iter();
    let audits = audits.into_iter().map(String::into_bytes);
    notes.chain(audits).chain(keys.map(|key| text(&key["signer"]))).collect()
}

/// A log of the format's vectors: `HEAD`, segments; and frames of each kind.
fn log(name: &str) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let vectors: Value = serde_json::from_str(&fixture("format/vectors.json")).expect("JSON");
    let bytes = |value: &Value| commitment::unhex(value.as_str().expect("text")).expect("hex");
    let store = &vectors[name];
    let segments = store["segments"].as_object().expect("segments").values().map(bytes);
    let files: Vec<Vec<u8>> = [bytes(&store["HEAD"])].into_iter().chain(segments).collect();
    let of = |name: &str, step: usize| -> Vec<Vec<u8>> {
        let rows = vectors[name].as_array().expect("rows").iter().step_by(step);
        rows.map(|row| bytes(&row["frame"])).collect()
    };
    let trailers = [files[1][files[1].len() - 128..].to_vec()];
    let frames = of("name_leaves", 1).into_iter().chain(of("event_leaves", 4)).chain(trailers);
    let frames: Vec<Vec<u8>> = frames.chain(of("erased_leaves", 5)).collect();
    (files, frames)
}

/// `HEAD`, a segment's header, a batch's header, an envelope, a summary.
fn headers(files: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let segment = &files[1];
    let summary = segment[segment.len() - commitment::SUMMARY..].to_vec();
    let (_, frames) = log("store");
    let envelope = frames[frames.len() / 2][8..48].to_vec();
    vec![files[0].clone(), segment[..160].to_vec(), segment[160..192].to_vec(), envelope, summary]
}
