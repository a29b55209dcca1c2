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
    let (files, frames) = log();
    vec![
        ("canonical", spelled.collect()),
        ("claim", claims.lines().take(24).map(|line| line.as_bytes().into()).collect()),
        ("compiled", compiled.collect()),
        ("content", contents.collect()),
        ("derived", vec![entry::sound_run()]),
        ("event_line", event_lines),
        ("frame", frames),
        ("headers", headers(&files)),
        ("log", vec![entry::pack(&files)]),
        ("policy", policies.iter().map(|text| text.as_bytes().into()).collect()),
    ]
}

/// The log of the format's vectors: `HEAD`, segments; and frames of each kind.
fn log() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let vectors: Value = serde_json::from_str(&fixture("format/vectors.json")).expect("JSON");
    let bytes = |value: &Value| commitment::unhex(value.as_str().expect("text")).expect("hex");
    let store = &vectors["store"];
    let segments = store["segments"].as_object().expect("segments").values().map(bytes);
    let files: Vec<Vec<u8>> = [bytes(&store["HEAD"])].into_iter().chain(segments).collect();
    let of = |name: &str, step: usize| -> Vec<Vec<u8>> {
        let rows = vectors[name].as_array().expect("rows").iter().step_by(step);
        rows.map(|row| bytes(&row["frame"])).collect()
    };
    let trailers = [files[1][files[1].len() - 128..].to_vec()];
    let frames = of("name_leaves", 1).into_iter().chain(of("event_leaves", 4)).chain(trailers);
    let frames: Vec<Vec<u8>> = frames.collect();
    (files, frames)
}

/// `HEAD`, a segment's header, a batch's header, an envelope, a summary.
fn headers(files: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let segment = &files[1];
    let summary = segment[segment.len() - commitment::SUMMARY..].to_vec();
    let (_, frames) = log();
    let envelope = frames[frames.len() / 2][8..48].to_vec();
    vec![files[0].clone(), segment[..160].to_vec(), segment[160..192].to_vec(), envelope, summary]
}
