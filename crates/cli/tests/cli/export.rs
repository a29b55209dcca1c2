//! `export` as tables: what is in the files, read back by the library, by DuckDB and by Polars.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use parquet::basic::{LogicalType, TimeUnit, Type as Physical};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, RowAccessor};
use serde_json::{Value, json};

use crate::binary::{AS_OF, Folder, fixture, root};

const TABLES: [&str; 4] = ["events", "states", "findings", "accounts"];

fn export(folder: &Folder, what: &str, format: &str) -> String {
    let file = format!("{what}.{format}");
    let args = ["--as-of", AS_OF, "export", "--what", what, "--format", format, "-o", &file];
    let ran = folder.run(&args).expect(0);
    assert!(ran.out.contains("written to "), "{ran:#?}");
    file
}

fn open(folder: &Folder, file: &str) -> SerializedFileReader<File> {
    let file = File::open(folder.path(file)).expect("the file");
    SerializedFileReader::new(file).expect("a Parquet file")
}

/// The rows of a Parquet file, as `--json` would have them; sums and times are numbers.
fn rows(folder: &Folder, file: &str) -> Vec<BTreeMap<String, Value>> {
    let row = |row: parquet::record::Row| {
        let value = |field: &Field| match field {
            Field::Null => Value::Null,
            Field::Str(text) => json!(text),
            Field::Long(n) => json!(n),
            Field::TimestampMillis(ms) => {
                let at = event::Timestamp::from_ms(*ms).expect("an instant");
                json!(at.to_string())
            }
            Field::Bool(flag) => json!(flag),
            Field::Decimal(sum) => {
                let bytes: [u8; 16] = sum.data().try_into().expect("16 bytes");
                serde_json::from_str(&u128::from_be_bytes(bytes).to_string()).expect("digits")
            }
            other => panic!("{other:?} is of no type that is written"),
        };
        row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
    };
    let reader = open(folder, file);
    let rows = reader.get_row_iter(None).expect("rows");
    rows.map(|read| row(read.expect("a row"))).collect()
}

/// An object of `--json` with the columns that it leaves out where there is nothing.
fn whole(object: &Value, columns: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let value = |name: &String| object.get(name).cloned().unwrap_or(Value::Null);
    columns.keys().map(|name| (name.clone(), value(name))).collect()
}

#[test]
fn a_table_has_the_rows_of_the_verb() {
    let folder = Folder::with_household();
    for what in ["findings", "accounts"] {
        let file = export(&folder, what, "parquet");
        let written = rows(&folder, &file);
        assert!(!written.is_empty(), "{what}");
        let told: Vec<_> = folder.ask(&[what]).iter().map(|o| whole(o, &written[0])).collect();
        assert_eq!(written, told, "{what}");
    }
}

#[test]
fn states_has_the_items_and_backups_of_every_account() {
    let folder = Folder::with_household();
    let file = export(&folder, "states", "parquet");
    let written = rows(&folder, &file);
    let mut told = Vec::new();
    for account in folder.ask(&["accounts"]) {
        let name = account["account"].as_str().expect("a name");
        let state = folder.ask(&["state", name]).remove(0);
        for subject in ["item", "backup"] {
            for row in state[format!("{subject}s")].as_array().expect("rows") {
                let mut row = row.clone();
                row["account"] = json!(name);
                row["subject"] = json!(subject);
                told.push(whole(&row, &written[0]));
            }
        }
    }
    assert!(told.iter().any(|row| row["subject"] == "backup"), "{told:#?}");
    assert_eq!(written, told);
}

#[test]
fn events_has_every_event_with_its_fields() {
    let folder = Folder::new();
    let kinds = fixture("events/every-kind.ndjson");
    let kinds = kinds.to_str().expect("UTF-8");
    folder.run(&["import", "--trust-recorded-at", kinds]).expect(0);
    folder.run(&["export", "--format", "parquet", "-o", "events.parquet"]).expect(0);
    let written = rows(&folder, "events.parquet");
    let lines = folder.run(&["export"]).expect(0).json();
    assert_eq!(written.len(), lines.len());
    for (position, (row, line)) in written.iter().zip(&lines).enumerate() {
        assert_eq!(row["position"], position, "{line}");
        for (name, value) in line.as_object().expect("an event") {
            let expected = match name.as_str() {
                "parts" | "attributes" => json!(value.to_string()),
                _ => value.clone(),
            };
            assert_eq!(row[name], expected, "{name} of {line}");
        }
        for (name, value) in row {
            let known = ["position", "revision", "recorded_by"].contains(&name.as_str());
            assert!(known || value.is_null() || line.get(name).is_some(), "{name} of {line}");
        }
    }
    for name in written[0].keys() {
        assert!(written.iter().any(|row| !row[name].is_null()), "no event has a {name}");
    }
}

#[test]
fn the_columns_are_those_of_the_page() {
    let folder = Folder::with_household();
    let page = std::fs::read_to_string(root().join("docs/exports.md")).expect("the page");
    for what in TABLES {
        let heading = format!("\n## {}{}\n", what[..1].to_uppercase(), &what[1..]);
        let (_, section) = page.split_once(&heading).expect("a section of the page");
        let section = section.split("\n## ").next().expect("the section");
        let told: Vec<String> = section
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
                format!("{} {} {}", cells[0].trim_matches('`'), cells[1], cells[2])
            })
            .collect();
        let file = export(&folder, what, "parquet");
        let reader = open(&folder, &file);
        let schema = reader.metadata().file_metadata().schema_descr();
        let row_group = reader.metadata().row_group(0);
        let columns: Vec<String> = schema
            .columns()
            .iter()
            .zip(row_group.columns())
            .map(|(column, chunk)| {
                let is_json = ["parts", "attributes"].contains(&column.name());
                let is_word =
                    told.iter().any(|t| t.starts_with(&format!("{} word", column.name())));
                let of = match (column.physical_type(), column.logical_type_ref()) {
                    (Physical::BYTE_ARRAY, Some(LogicalType::String)) if is_json => "JSON",
                    (Physical::BYTE_ARRAY, Some(LogicalType::String)) if is_word => {
                        assert!(chunk.dictionary_page_offset().is_some(), "{}", column.name());
                        "word"
                    }
                    (Physical::BYTE_ARRAY, Some(LogicalType::String)) => "text",
                    (Physical::INT64, None) => "whole",
                    (Physical::INT64, Some(time))
                        if *time == LogicalType::timestamp(true, TimeUnit::MILLIS) =>
                    {
                        "time"
                    }
                    (Physical::FIXED_LEN_BYTE_ARRAY, Some(sum))
                        if *sum == LogicalType::decimal(0, 38) =>
                    {
                        "sum"
                    }
                    (Physical::BOOLEAN, None) => "flag",
                    other => panic!("{}: {other:?}", column.name()),
                };
                let null = if column.max_def_level() == 0 { "no" } else { "yes" };
                format!("{} {of} {null}", column.name())
            })
            .collect();
        assert_eq!(columns, told, "{what}");
    }
}

#[test]
fn a_file_says_what_it_is_and_is_the_same_each_time() {
    let folder = Folder::with_household();
    let file = export(&folder, "states", "parquet");
    let reader = open(&folder, &file);
    let notes = reader.metadata().file_metadata().key_value_metadata().expect("notes").clone();
    let note = |key: &str| notes.iter().find(|note| note.key == key)?.value.clone();
    assert_eq!(note("stillthere.what").as_deref(), Some("states"));
    assert_eq!(note("stillthere.as_of").as_deref(), Some(AS_OF));
    assert_eq!(note("stillthere.policy").as_deref(), Some("xiaomi-cloud"));
    let snapshot = folder.ask(&["snapshot", "ann"]).remove(0);
    assert_eq!(
        note("stillthere.policy_hash").map(Value::String),
        Some(snapshot["policy_hash"].clone())
    );

    let known = ["--known-at", "2026-01-01T00:00:00Z"];
    let args = ["--as-of", AS_OF, "export", "--what", "states", "--format", "parquet", "-o"];
    for name in ["one.parquet", "two.parquet"] {
        folder.run(&[&known[..], &args[..], &[name]].concat()).expect(0);
    }
    assert_eq!(folder.read("one.parquet"), folder.read("two.parquet"));
    // A pipe takes it too.
    let out = folder.command(&[&known[..], &args[..7]].concat()).output().expect("runs");
    assert_eq!(out.stdout, folder.read("one.parquet"));
}

#[test]
fn csv_and_ndjson_have_the_same_rows() {
    let folder = Folder::with_household();
    for what in ["states", "findings", "accounts"] {
        let file = export(&folder, what, "parquet");
        let expected = rows(&folder, &file);
        let lines = folder.read(&export(&folder, what, "ndjson"));
        let lines = String::from_utf8(lines).expect("UTF-8");
        let lines: Vec<BTreeMap<String, Value>> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines, expected, "{what}");
    }
    for what in TABLES {
        let file = export(&folder, what, "parquet");
        let expected: Vec<Vec<String>> = rows(&folder, &file)
            .into_iter()
            .map(|row| {
                let text = |value: Value| match value {
                    Value::Null => String::new(),
                    Value::String(text) => text,
                    value => value.to_string(),
                };
                row.into_values().map(text).collect()
            })
            .collect();
        let table = folder.read(&export(&folder, what, "csv"));
        let mut reader = csv::Reader::from_reader(&table[..]);
        let heading: Vec<String> =
            reader.headers().expect("a heading").iter().map(str::to_owned).collect();
        // A map has its columns by name.
        let mut by_name: Vec<usize> = (0..heading.len()).collect();
        by_name.sort_by_key(|at| &heading[*at]);
        let lines: Vec<Vec<String>> = reader
            .records()
            .map(|record| {
                let record = record.expect("a record");
                by_name.iter().map(|at| record[*at].to_owned()).collect()
            })
            .collect();
        assert_eq!(lines, expected, "{what}");
    }
}

#[test]
fn hard_texts_come_back() {
    let folder = Folder::new();
    let text = "a,\"b\"\n=c\u{2028}\\ 照片";
    let line = json!({
        "id": "1", "account": text, "occurred_at": "2025-06-01T08:00:00Z", "kind": "item_uploaded",
        "item": text, "category": "photos", "bytes": 9_007_199_254_740_991_u64, "actor": "user",
        "attributes": { "k\"": text },
    });
    folder.write("lines.ndjson", format!("{line}\n"));
    folder.run(&["import", "lines.ndjson"]).expect(0);
    folder.run(&["export", "--format", "csv", "-o", "events.csv"]).expect(0);
    folder.run(&["export", "--format", "parquet", "-o", "events.parquet"]).expect(0);
    let row = rows(&folder, "events.parquet").remove(0);
    assert_eq!(row["item"], text);
    assert_eq!(row["bytes"], 9_007_199_254_740_991_u64);
    assert_eq!(row["attributes"], json!({ "k\"": text }).to_string());
    let table = folder.read("events.csv");
    let mut reader = csv::Reader::from_reader(&table[..]);
    let at = reader.headers().expect("a heading").iter().position(|name| name == "item");
    let record = reader.records().next().expect("a row").expect("a record");
    assert_eq!(&record[at.expect("a column")], text);
}

/// The real log has 143,175 events, and a group at most 122,880.
#[test]
fn rows_of_several_groups_are_in_order() {
    let folder = Folder::new();
    let real = fixture("real/opam-2012-2019.ndjson.gz");
    folder.run(&["import", "--trust-recorded-at", real.to_str().expect("UTF-8")]).expect(0);
    let ran = folder.run(&["--json", "export", "--format", "parquet", "-o", "e.parquet"]).expect(0);
    assert_eq!(ran.object()["events"], 143_175);
    let reader = open(&folder, "e.parquet");
    let groups: Vec<i64> =
        reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [122_880, 20_295]);
    let mut position = 0;
    for row in reader.get_row_iter(None).expect("rows") {
        let row = row.expect("a row");
        assert_eq!(row.get_long(0).ok(), Some(position));
        position += 1;
    }
    assert_eq!(position, 143_175);
    let ran = folder.run(&["export", "--format", "csv"]).expect(0);
    let positions =
        ran.out.lines().skip(1).filter_map(|line| line.split(',').next()?.parse::<u64>().ok());
    assert!(positions.eq(0..143_175_u64), "each once, in order");
}

/// 1,025 items of 2^53 − 1 bytes are more than 64 bits with a sign hold.
#[test]
fn a_sum_past_64_bits_is_exact() {
    let folder = Folder::new();
    let upload = |n: u32| {
        let line = json!({
            "id": n.to_string(), "account": "a", "occurred_at": "2025-06-01T08:00:00Z",
            "kind": "item_uploaded", "item": n.to_string(), "category": "photos",
            "bytes": 9_007_199_254_740_991_u64, "actor": "user",
        });
        format!("{line}\n")
    };
    folder.write("lines.ndjson", (0..1025).map(upload).collect::<String>());
    folder.run(&["import", "lines.ndjson"]).expect(0);
    let file = export(&folder, "accounts", "parquet");
    let expected: Value = serde_json::from_str("9232379236109515775").expect("a number");
    assert_eq!(1025 * 9_007_199_254_740_991_u128, 9_232_379_236_109_515_775);
    assert_eq!(rows(&folder, &file)[0]["live_bytes"], expected);
}

#[test]
fn an_empty_table_is_a_table() {
    let folder = Folder::with_household();
    let before = ["--as-of", "1999-01-01T00:00:00Z", "export", "--what", "states"];
    folder.run(&[&before[..], &["--format", "parquet", "-o", "none.parquet"]].concat()).expect(0);
    assert_eq!(rows(&folder, "none.parquet"), Vec::new());
    let ran = folder.run(&[&before[..], &["--format", "csv"]].concat()).expect(0);
    assert_eq!(ran.out.lines().count(), 1);
    assert!(ran.out.starts_with("account,subject,item,"), "{ran:#?}");
}

#[test]
fn what_cannot_be_written_is_said_and_leaves_nothing() {
    let folder = Folder::with_household();
    let before = folder.files();
    let parquet = ["export", "--format", "parquet", "-o"];
    for (args, said) in [
        (&["export", "--what", "states", "--format", "cloudevents"][..], "is for events alone"),
        (&[&parquet[..], &["nowhere/e.parquet"]].concat(), "nowhere/e.parquet: cannot write it"),
        (&[&parquet[..], &["stillthere.store/e.parquet"]].concat(), "lies in the store's folder"),
        (&["--policy", "nowhere", "export", "--what", "states"], "neither a preset"),
    ] {
        folder.run(args).expect(2).says(said);
    }
    if cfg!(target_os = "linux") {
        for format in ["parquet", "csv", "ndjson"] {
            let args = ["export", "--what", "states", "--format", format, "-o", "/dev/full"];
            folder.run(&args).expect(2).says("/dev/full: cannot write it: no space left");
        }
    }
    assert_eq!(folder.files(), before);
}

#[test]
fn a_full_disk_keeps_the_file_that_was_there() {
    let Some(disk) = small_disk() else {
        eprintln!("LEFT OUT: a full disk, for a small one cannot be mounted here");
        return;
    };
    let folder = Folder::with_household();
    let file = disk.path.join("e.csv");
    std::fs::write(&file, "before").expect("room for it");
    std::fs::write(disk.path.join("ballast"), vec![0; 60 << 10]).expect("room for it");
    let file = file.to_str().expect("UTF-8");
    folder.write("many.ndjson", folder.run(&["generate", "--events", "2000"]).expect(0).out);
    folder.run(&["import", "many.ndjson"]).expect(0);
    folder
        .run(&["export", "--format", "csv", "-o", file])
        .expect(2)
        .says("cannot write it: no space");
    assert_eq!(std::fs::read(file).ok().as_deref(), Some(&b"before"[..]));
    let left = std::fs::read_dir(&disk.path).expect("the folder").count();
    assert_eq!(left, 2, "nothing half written stays");
}

/// A disk of 64 KiB, where this user may mount one.
struct SmallDisk {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn small_disk() -> Option<SmallDisk> {
    let folder = tempfile::tempdir().ok()?;
    let path = folder.path().to_owned();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=96k", "tmpfs"]).arg(&path);
    mount.output().ok()?.status.success().then_some(SmallDisk { path, _folder: folder })
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).output();
    }
}

/// Python with DuckDB and Polars, if `cargo xtask peers` installed them here.
fn python() -> Option<PathBuf> {
    let python = root().join("target/peers/bin/python");
    let has = |module: &str| {
        let import = format!("import {module}");
        let ran = Command::new(&python).args(["-c", &import]).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    let missing = ["duckdb", "polars"].into_iter().filter(|module| !has(module));
    let missing: Vec<&str> = missing.collect();
    if missing.is_empty() {
        return Some(python);
    }
    eprintln!(
        "LEFT OUT: Parquet read by others; {} not there, `cargo xtask peers`",
        missing.join(", ")
    );
    None
}

/// DuckDB and Polars count and add up what we do.
#[test]
fn others_read_the_same() {
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let lines = folder.run(&["generate", "--accounts", "60", "--events", "30000", "--seed", "5"]);
    folder.write("many.ndjson", lines.expect(0).out);
    folder.run(&["import", "many.ndjson"]).expect(0);
    for what in TABLES {
        let file = format!("{what}.parquet");
        let args = ["--as-of", "2026-01-01T00:00:00Z", "export", "--what", what, "--format"];
        folder.run(&[&args[..], &["parquet", "-o", &file]].concat()).expect(0);
    }
    folder.write("read.py", include_str!("read_exports.py"));
    let ran = Command::new(&python).current_dir(folder.path(".")).arg("read.py").output();
    let ran = ran.expect("Python runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let read: Value = serde_json::from_slice(&ran.stdout).expect("JSON");

    let ask = |verb: &str| {
        folder.run(&["--json", "--as-of", "2026-01-01T00:00:00Z", verb]).expect(0).json()
    };
    let (accounts, findings) = (ask("accounts"), ask("findings"));
    let sum = |name: &str| {
        accounts.iter().map(|line| line[name].as_u64().expect("a number")).sum::<u64>()
    };
    let names = ["live", "trashed", "expired", "purged", "removed", "live_bytes", "used_bytes"];
    let mut told = json!({
        "accounts": accounts.len(),
        "findings": findings.len(),
        "positions": findings.iter().map(|f| f["position"].as_u64().unwrap()).sum::<u64>(),
        "breaches": findings.iter().filter(|f| f["severity"] == "breach").count(),
        "without_item": findings.iter().filter(|f| f.get("item").is_none()).count(),
        "sums": names.iter().map(|name| ((*name).to_owned(), json!(sum(name)))).collect::<serde_json::Map<_, _>>(),
        "by_state": {},
    });
    for state in ["live", "trashed", "expired", "purged", "removed"] {
        if sum(state) > 0 {
            told["by_state"][state] = json!(sum(state));
        }
    }
    let events = folder.run(&["export", "--as-of", "2026-01-01T00:00:00Z"]).expect(0).json();
    told["events"] = json!(events.len());
    told["event_bytes"] =
        json!(events.iter().filter_map(|event| event["bytes"].as_u64()).sum::<u64>());
    told["first"] = json!(events.iter().map(|e| e["occurred_at"].as_str().unwrap()).min());
    for peer in ["duckdb", "polars"] {
        assert_eq!(read[peer], told, "{peer}");
    }
    assert!(accounts.len() == 60 && !findings.is_empty());
}
