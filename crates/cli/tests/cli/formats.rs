//! `import --format`: logs of other systems, what of them is rejected, and what of a wrong one is said.

use std::process::Command;

use serde_json::{Value, json};

use crate::binary::{Folder, Ran, fixture};

fn sample(name: &str) -> String {
    fixture(&format!("imports/{name}")).to_str().expect("UTF-8").to_owned()
}

/// Every sample, with the options that read it, how many events it has, and how many it skips.
fn samples() -> Vec<(String, Vec<String>, u64, u64)> {
    let of = |name: &str, options: &[&str], events, skipped| {
        (sample(name), options.iter().map(|o| (*o).to_owned()).collect(), events, skipped)
    };
    let (map, office) = (sample("files.toml"), sample("office-activity.toml"));
    vec![
        of("drive-activities.json", &["--format", "google-workspace-drive"], 5, 1),
        of("m365-records.json", &["--format", "m365-audit"], 8, 1),
        of("m365-search.csv", &["--format", "m365-audit"], 8, 1),
        of("drive-published.ndjson", &["--format", "google-workspace-drive"], 0, 4),
        of("onedrive-published.ndjson", &["--format", "m365-audit"], 0, 5),
        of("files.csv", &["--format", "csv", "--map", &map], 3, 2),
        of("office-activity.csv", &["--format", "csv", "--map", &office], 3, 1),
        of("git-log.txt", &["--format", "git", "--account-from", "crates/*"], 14, 0),
    ]
}

fn import(folder: &Folder, file: &str, options: &[String], more: &[&str]) -> Ran {
    let mut args = vec!["import", "--json", "--trust-recorded-at", file];
    args.extend(options.iter().map(String::as_str));
    args.extend(more);
    folder.run(&args)
}

#[test]
fn every_sample_imports_and_again_gives_duplicates_alone() {
    for (file, options, events, skipped) in samples() {
        let folder = Folder::new();
        let first = import(&folder, &file, &options, &[]).expect(0);
        let read = events + skipped;
        let expected = json!({"read": read, "appended": events, "duplicates": 0, "rejected": 0,
            "skipped": skipped, "size": events});
        assert_eq!(first.object(), expected, "{file}");
        let again = import(&folder, &file, &options, &[]).expect(0).object();
        assert_eq!(
            (&again["duplicates"], &again["size"]),
            (&json!(events), &json!(events)),
            "{file}"
        );

        // A dry run gives the very events, opens no store, and they can be imported as lines.
        let dry = import(&folder, &file, &options, &["--dry-run", "--store", "nowhere"]).expect(0);
        dry.says("Nothing was appended.");
        assert!(!folder.path("nowhere").exists());
        let dry = import(&folder, &file, &options, &["--dry-run"]).expect(0);
        folder.write("as-lines", &dry.out);
        let lines = folder.run(&["import", "--json", "as-lines"]).expect(0).object();
        assert_eq!((&lines["read"], &lines["duplicates"]), (&json!(events), &json!(events)));
    }
}

#[test]
fn both_forms_of_a_search_give_the_same_events() {
    let folder = Folder::new();
    let lines = |name: &str| {
        let options = ["--format", "m365-audit"].map(str::to_owned);
        import(&folder, &sample(name), &options, &["--dry-run"]).expect(0).out
    };
    assert_eq!(lines("m365-records.json"), lines("m365-search.csv"));
    // A record a line, and inside of what a search gives.
    let records = std::fs::read_to_string(sample("m365-records.json")).expect("a sample");
    let records: Vec<Value> = serde_json::from_str(&records).expect("JSON");
    let as_lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    folder.write("lines", as_lines);
    let inside: String = records
        .iter()
        .map(|record| format!("{}\n", json!({"Id": 1, "AuditData": record.to_string()})))
        .collect();
    folder.write("inside", inside);
    let value: Vec<Value> = records.iter().map(|record| json!({"auditData": record})).collect();
    folder.write("graph", json!({"@odata.context": "…", "value": value}).to_string());
    for name in ["lines", "inside", "graph"] {
        let args = ["import", "--json", "--dry-run", "--format", "m365-audit", name];
        assert_eq!(folder.run(&args).expect(0).out, lines("m365-records.json"), "{name}");
    }
}

/// The events of records, by a dry run.
fn events_of(folder: &Folder, records: &[Value], format: &str) -> Vec<Value> {
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    folder.write("records", lines);
    folder.run(&["import", "--json", "--dry-run", "--format", format, "records"]).expect(0).json()
}

/// The table `OfficeActivity` has the same fields under other names, and none of `ListItemUniqueId`.
#[test]
fn rows_of_log_analytics_give_the_same_events() {
    let folder = Folder::new();
    let records = std::fs::read_to_string(sample("m365-records.json")).expect("a sample");
    let mut records: Vec<Value> = serde_json::from_str(&records).expect("JSON");
    for record in &mut records {
        let record = record.as_object_mut().expect("a record");
        record.remove("ListItemUniqueId");
    }
    let named = events_of(&folder, &records, "m365-audit");
    for record in &mut records {
        let record = record.as_object_mut().expect("a record");
        for (name, column) in [
            ("CreationTime", "TimeGenerated"),
            ("Id", "OfficeId"),
            ("ObjectId", "OfficeObjectId"),
            ("SiteUrl", "Site_Url"),
            ("Workload", "OfficeWorkload"),
        ] {
            let value = record.remove(name);
            value.map(|value| record.insert(column.to_owned(), value));
        }
    }
    let by_column = events_of(&folder, &records, "m365-audit");
    assert_eq!(by_column.len(), 8);
    assert_eq!(by_column, named);
    // Of what is missing the schema's name is said.
    folder.write("one", "{\"Operation\":\"FileRecycled\",\"OfficeWorkload\":\"OneDrive\"}\n");
    let ran = folder.run(&["import", "--format", "m365-audit", "one"]).expect(1);
    ran.says("one:1: record 1 at byte 0: ObjectId: is required");
}

/// Scanners of labels on file shares write `FileDeleted` too: with the workload `Aip`, or without any and
/// of another type.
#[test]
fn a_deletion_elsewhere_is_not_the_drives() {
    let folder = Folder::new();
    let record = json!({"Operation": "FileDeleted", "CreationTime": "2022-12-22T20:50:10",
        "Id": "1", "UserId": "scan@contoso.com", "UserType": 5, "ObjectId": "share/docs/a.doc"});
    for (fields, is_drives) in [
        (json!({}), true),
        (json!({"RecordType": 6}), true),
        (json!({"RecordType": "SharePointFileOperation"}), true),
        (json!({"RecordType": 96}), false),
        (json!({"RecordType": "AipFileDeleted"}), false),
        (json!({"RecordType": 96, "Workload": "Aip"}), false),
        (json!({"RecordType": 6, "Workload": "Endpoint"}), false),
        (json!({"RecordType": 6, "Workload": "OneDrive"}), true),
    ] {
        let mut record = record.clone();
        record.as_object_mut().expect("a record").extend(fields.as_object().expect("").clone());
        let events = events_of(&folder, &[record], "m365-audit");
        assert_eq!(events.len(), usize::from(is_drives), "{fields}");
        assert!(events.iter().all(|event| event["kind"] == "item_trashed"), "{events:?}");
    }
}

/// Whose a document is that a shared drive owns: the drive's id, by any of the names that it has had.
#[test]
fn what_a_shared_drive_owns_is_of_its_account() {
    let folder = Folder::new();
    let activity = |parameters: &[(&str, Value)]| {
        let parameter = |(name, value): &(&str, Value)| match value {
            Value::Bool(_) => json!({"name": name, "boolValue": value}),
            _ => json!({"name": name, "value": value}),
        };
        let always = [("doc_id", json!("d")), ("owner", json!("HR"))];
        let parameters: Vec<Value> = always.iter().chain(parameters).map(parameter).collect();
        json!({"id": {"time": "2025-03-21T21:29:49.364Z", "uniqueQualifier": "-1",
            "applicationName": "drive"}, "actor": {"email": "wile@example.com"},
            "events": [{"type": "access", "name": "trash", "parameters": parameters}]})
    };
    for (parameters, account) in [
        (vec![], "HR"),
        (vec![("owner_is_shared_drive", json!(false)), ("shared_drive_id", json!("7"))], "HR"),
        (vec![("owner_is_shared_drive", json!(true))], "HR"),
        (vec![("owner_is_shared_drive", json!(true)), ("shared_drive_id", json!("7"))], "7"),
        (vec![("owner_is_team_drive", json!(true)), ("owner_team_drive_id", json!("7"))], "7"),
        (vec![("owner_is_team_drive", json!("true")), ("team_drive_id", json!("7"))], "7"),
        (
            vec![
                ("owner_is_shared_drive", json!(true)),
                ("owner_is_team_drive", json!(true)),
                ("owner_team_drive_id", json!("8")),
                ("owner_shared_drive_id", json!("7")),
            ],
            "7",
        ),
    ] {
        let events = events_of(&folder, &[activity(&parameters)], "google-workspace-drive");
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["account"], account, "{parameters:?}");
    }
}

/// An upload tells of an edit and of who may see it too: the first two are events, at one instant.
#[test]
fn an_upload_is_an_edit_as_well() {
    let folder = Folder::new();
    let event = |name: &str, is_primary: bool| {
        let of = |name: &str, key: &str, value: Value| json!({"name": name, key: value});
        json!({"type": "access", "name": name, "parameters": [
            of("primary_event", "boolValue", json!(is_primary)),
            of("doc_id", "value", json!("d")),
            of("owner", "value", json!("ann@example.com")),
            of("destination_folder_id", "multiValue", json!(["f"])),
        ]})
    };
    let activity = json!({"kind": "admin#reports#activity", "id": {"uniqueQualifier": "-70",
        "time": "2025-11-10T07:52:59.677Z", "applicationName": "drive", "customerId": "C0"},
        "actor": {"email": "ann@example.com"}, "events": [event("upload", true), event("edit", false),
        event("change_user_access", false), event("change_acl_editors", false),
        event("add_to_folder", false)]});
    let events = events_of(&folder, std::slice::from_ref(&activity), "google-workspace-drive");
    let kinds: Vec<&Value> = events.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["item_uploaded", "item_modified"]);
    assert_eq!(events[0]["id"], "1762761179677.-70.upload.d");
    assert_eq!(events[1]["id"], "1762761179677.-70.edit.d");
    let args = ["import", "--json", "--format", "google-workspace-drive", "records"];
    let counts = folder.run(&args).expect(0).object();
    assert_eq!((&counts["appended"], &counts["skipped"]), (&json!(2), &json!(3)));
    // Nothing is found: the upload comes first.
    let findings = folder.run(&["findings", "--json", "--as-of", "2025-12-01T00:00:00Z"]).expect(0);
    assert_eq!(findings.json(), Vec::<Value>::new());
}

#[test]
fn a_dry_run_of_event_lines_shows_them_and_their_faults() {
    let folder = Folder::new();
    let ran = folder.run(&["import", "--dry-run", "bad.ndjson"]).expect(1);
    ran.says("bad.ndjson:3: kind: ").says("bad.ndjson:5: json: ");
    let ran = folder.run(&["import", "--dry-run", "household.ndjson"]).expect(0);
    assert!(ran.out.contains("Nothing was appended."), "{}", ran.out);
    assert!(ran.out.lines().count() > 10, "{}", ran.out);
    let ran = folder.run(&["import", "--dry-run", "household.ndjson", "--lang", "zh"]).expect(0);
    assert!(ran.out.contains("未写入任何内容"), "{}", ran.out);
    let ran = folder.run(&["import", "--dry-run", "--json", "household.ndjson"]).expect(0);
    folder.write("again.ndjson", &ran.out);
    assert!(!folder.path("stillthere.store").exists());
    folder.run(&["import", "household.ndjson"]).expect(0);
    let again = folder.run(&["import", "--json", "again.ndjson"]).expect(0).object();
    assert_eq!(again["appended"], 0);
    folder.run(&["import", "--dry-run", "--acks", "household.ndjson"]).expect(2);
}

#[test]
fn a_wrong_format_is_one_sentence_and_nothing_is_imported() {
    let folder = Folder::new();
    let map = sample("files.toml");
    let drive = (
        "drive-activities.json",
        "looks like an activity report of Google Workspace",
        "--format google-workspace-drive;",
    );
    let m365 =
        ("m365-records.json", "looks like Microsoft 365's audit log", "--format m365-audit;");
    let search = ("m365-search.csv", m365.1, m365.2);
    let git = ("git-log.txt", "looks like the output of git log", "--format git;");
    let csv = ("files.csv", "looks like a CSV", "--format csv and a --map;");
    type Sample<'a> = (&'a str, &'a str, &'a str);
    let formats: [(&[&str], &[Sample<'_>]); 5] = [
        (&["--format", "auto"], &[drive, m365, search, git, csv]),
        (&["--format", "google-workspace-drive"], &[m365, search, git, csv]),
        (&["--format", "m365-audit"], &[drive, git, csv]),
        (&["--format", "git", "--account", "a"], &[drive, m365, search, csv]),
        (&["--format", "csv", "--map", &map], &[drive, m365, git]),
    ];
    for (options, wrong) in formats {
        for (name, looks, format) in wrong {
            let file = sample(name);
            let args = [&["import", "household.ndjson", &file][..], options].concat();
            // The first file is sound, or is itself of another format.
            let first = match options[1] {
                "auto" => args.clone(),
                _ => [&["import", &file][..], options].concat(),
            };
            let ran = folder.run(&first).expect(2).says(looks).says(format);
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
            assert!(ran.err.ends_with("; nothing was imported\n"), "{}", ran.err);
            assert!(!folder.path("stillthere.store").exists());
        }
    }
    let ran = folder.run(&["import", "household.ndjson", "--format", "m365-audit"]).expect(2);
    ran.says("looks like event lines: import it with --format auto");
    let text = std::fs::read_to_string(sample("files.csv")).expect("a sample");
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    folder.write("utf16.csv", utf16);
    let ran = folder.run(&["import", "utf16.csv", "--format", "csv", "--map", &map]).expect(2);
    ran.says("is in UTF-16; save it in UTF-8");
}

#[test]
fn options_go_with_their_formats() {
    let folder = Folder::new();
    let cases: [(&[&str], &str); 7] = [
        (&["--map", "m.toml"], "--map goes with --format csv"),
        (&["--account", "a"], "--account goes with --format git"),
        (&["--occurred", "commit", "--format", "csv"], "--occurred goes with --format git"),
        (&["--format", "csv"], "--format csv needs --map"),
        (&["--format", "git"], "--format git needs --account NAME"),
        (&["--format", "git", "--account-from", "packages"], "expected folders with a *"),
        (&["--format", "csv", "--map", "none.toml"], "none.toml: cannot read it"),
    ];
    for (options, said) in cases {
        let args = [&["import", "household.ndjson"][..], options].concat();
        folder.run(&args).expect(2).says(said);
    }
}

/// Holds what is said of a map: its file ends where `from` is replaced by `to`.
#[track_caller]
fn map_says(from: &str, to: &str, code: i32, said: &str) {
    let folder = Folder::new();
    let map = std::fs::read_to_string(sample("files.toml")).expect("a sample");
    assert!(map.contains(from), "{from}");
    folder.write("map.toml", map.replacen(from, to, 1));
    let file = sample("files.csv");
    let ran = folder.run(&["import", "--json", &file, "--format", "csv", "--map", "map.toml"]);
    let ran = ran.expect(code).says(said);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    if code == 2 {
        assert!(!folder.path("stillthere.store").exists(), "nothing is appended");
    }
}

#[test]
fn a_map_is_strict() {
    map_says("schema = 1", "schema = 2", 2, "map.toml:1: schema: must be 1, found 2");
    map_says("schema = 1", "schema = 1\ncolour = 3", 2, "map.toml:2: unknown field `colour`");
    map_says("schema = 1", "schema = ", 2, "map.toml:1: ");
    map_says(
        "item = ",
        "iten = ",
        2,
        "map.toml:11: fields.iten: unknown field `iten`: did you mean `item`?",
    );
    map_says(
        "\"Path\"\n",
        "\"Pfad\"\n",
        2,
        "map.toml:11: fields.item: no column is called `Pfad`: there are `When`, `Who`",
    );
    map_says("account = \"Who\"\n", "", 2, "fields.account: is required");
    map_says(
        "\"hochgeladen\" = \"item_uploaded\"",
        "\"hochgeladen\" = \"item_uplaoded\"",
        2,
        "kind: unknown kind `item_uplaoded`: did you mean `item_uploaded`?",
    );
    map_says(
        "Europe/Berlin",
        "Berlin",
        2,
        "map.toml:5: time.format: no time zone is called `Berlin`",
    );
    map_says("%d.%m.%Y", "%d.%m", 2, "map.toml:5: time.format: ");
    map_says("\";\"", "\";;\"", 2, "map.toml:2: delimiter: must be one ASCII character");
    map_says("{ value = \"user\" }", "{ value = \"usr\" }", 2, "fields.actor: unknown actor `usr`");
    map_says("{ value = \"user\" }", "7", 2, "expected a column's name, { value = ");
    map_says(
        "account = \"Who\"",
        "account = { columns = [\"Who\"] }",
        2,
        "only an id is made of columns",
    );
    map_says(
        "others = \"skip\"",
        "others = \"drop\"",
        2,
        "actions.others: must be \"skip\", found `drop`",
    );
    map_says("is = [", "isnt = [", 2, "unknown field `isnt`");
}

#[test]
fn words_of_a_column_stand_for_a_field() {
    let folder = Folder::new();
    let file = sample("office-activity.csv");
    let map = std::fs::read_to_string(sample("office-activity.toml")).expect("a sample");
    let said = |field: &str, map: &str, rows: &str| {
        folder.write("map.toml", map);
        folder.write("rows.csv", rows);
        let ran = folder.run(&[
            "import",
            "rows.csv",
            "--format",
            "csv",
            "--map",
            "map.toml",
            "--dry-run",
            "--json",
        ]);
        let events = ran.expect(0).json();
        events.iter().map(|event| event[field].clone()).collect::<Vec<_>>()
    };
    let actors = |map: &str, rows: &str| said("actor", map, rows);
    let rows = std::fs::read_to_string(&file).expect("a sample");
    assert_eq!(actors(&map, &rows), ["user", "user", "provider"]);
    // A word of the action goes before the column's.
    let synced = rows.replace("FileUploaded", "FileSyncUploadedFull");
    assert_eq!(actors(&map, &synced), ["device", "user", "provider"]);
    // An empty cell is the field's absence, but where it is listed.
    let silent = rows.replace(",Regular,", ",,");
    let import = ["import", "rows.csv", "--format", "csv", "--map", "map.toml"];
    folder.write("map.toml", &map);
    folder.write("rows.csv", &silent);
    folder.run(&[&import[..], &["--dry-run"]].concat()).expect(1).says("2: actor: is required");
    let listed = map.replace("{ Regular = ", "{ \"\" = \"support\", Regular = ");
    assert_eq!(actors(&listed, &silent), ["support", "support", "provider"]);
    let others = map.replace(
        "[attributes]",
        "[fields.surface]\ncolumn = \"UserType\"\nwords = {}\nothers = \"web\"\n\n[attributes]",
    );
    assert_eq!(said("surface", &others, &synced), ["device", "web", "web"]);

    // A word that is not listed stops the import before it begins; a skipped row's is not asked for.
    let odd = rows.replace(",Regular,", ",Robot,");
    folder.write("map.toml", &map);
    folder.write("rows.csv", &odd);
    let ran = folder.run(&import).expect(2);
    let ran = ran.says("rows.csv:2: UserType: `Robot` is not in [fields.actor.words] of map.toml");
    ran.says("or others = \"…\"; nothing was imported");
    assert!(!folder.path("stillthere.store").exists());
    let viewed = rows
        .replace("FileAccessed,,ann@contoso.com,Regular", "FileAccessed,,ann@contoso.com,Robot");
    assert_eq!(actors(&map, &viewed).len(), 3);
    folder.write("map.toml", map.replace("Guest = \"user\"", "Guest = \"usr\""));
    folder.run(&import).expect(2).says("fields.actor: unknown actor `usr`");
    folder.write("map.toml", map.replace("column = \"UserType\"", "column = \"Type\""));
    folder.run(&import).expect(2).says("fields.actor: no column is called `Type`");
}

#[test]
fn an_unmapped_action_stops_the_import_before_it_begins() {
    map_says(
        "others = \"skip\"\n",
        "",
        2,
        "files.csv:5: What: `angesehen` is not in [actions.words] of map.toml",
    );
    // What can be read only once is held against the map row by row.
    let folder = Folder::new();
    let map = std::fs::read_to_string(sample("files.toml")).expect("a sample");
    folder.write("map.toml", map.replace("others = \"skip\"\n", ""));
    let rows = std::fs::read(sample("files.csv")).expect("a sample");
    let args =
        ["import", "--json", "-", "--format", "csv", "--map", "map.toml", "--rejects", "rejects"];
    let ran = folder.run_with(&args, &rows).expect(1);
    ran.says("-:5: What: `angesehen` is not among the map's words");
    // The header stands before what was rejected: it can be imported when it is put right.
    let rejects = String::from_utf8(folder.read("rejects")).expect("UTF-8");
    assert_eq!(rejects.lines().next(), Some("When;Who;What;Path;Size;Result"));
    assert_eq!(rejects.lines().count(), 2);
    let file = sample("files.toml");
    let ran =
        folder.run(&["import", "--json", "rejects", "--format", "csv", "--map", &file]).expect(0);
    assert_eq!(ran.object()["skipped"], 1);
}

#[test]
fn rows_are_rejected_alone_with_their_lines() {
    let folder = Folder::new();
    let rows = "When;Who;What;Path;Size;Result\r\n\
        13.01.2025 10:00:00;ann;hochgeladen;\"a;\nb\";1;ok\r\n\
        31.02.2025 10:00:00;ann;hochgeladen;c;1;ok\r\n\
        13.01.2025 10:00:00;ann;hochgeladen;d;1.5;ok\r\n\
        \r\n\
        13.01.2025 10:00:00;ann;hochgeladen;e;1\r\n\
        13.01.2025 10:00:00;;hochgeladen;f;1;ok\r\n\
        13.01.2025 10:00:00;ann;in den Papierkorb;;;ok\r\n\
        13.01.2025 10:00:01;ann;in den Papierkorb;\"a;\nb\";;ok";
    folder.write("rows.csv", rows);
    let map = sample("files.toml");
    let args = ["import", "--json", "rows.csv", "--format", "csv", "--map", &map, "--rejects", "r"];
    let ran = folder.run(&args).expect(1);
    assert_eq!(ran.object()["appended"], 2);
    let said: Vec<&str> = ran.err.lines().collect();
    let expected = [
        "rows.csv:4: occurred_at: does not fit the pattern",
        "rows.csv:5: bytes: must be a whole number in digits, found `1.5`",
        "rows.csv:7: line: must have 6 fields, found 5",
        "rows.csv:8: account: is required",
        "rows.csv:9: item: is required",
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}\nis not\n{expected}");
    }
    let state = folder.ask(&["state", "ann"]);
    assert_eq!(state[0]["items"][0]["item"], "a;\nb");
    let again = folder.run(&["import", "--json", "r", "--format", "csv", "--map", &map]).expect(1);
    assert_eq!(again.object()["rejected"], 5);
}

#[test]
fn ids_and_columns_without_headers() {
    let folder = Folder::new();
    let map = "schema = 1\nheaders = false\ndelimiter = \"\\t\"\n[time]\nformat = \"epoch_s\"\n[fields]\n\
        account = \"2\"\noccurred_at = \"1\"\nkind = \"3\"\nitem = \"4\"\nactor = { value = \"user\" }\n";
    folder.write("map.toml", map);
    let rows = "1700000000\tann\titem_trashed\ta\n1700000000\tann\titem_trashed\ta\n\
        1700000000.5\tann\titem_trashed\tb\n";
    folder.write("rows", rows);
    let args = ["import", "--json", "rows", "--format", "csv", "--map", "map.toml"];
    // The same row twice is one event: nothing tells them apart.
    let ran = folder.run(&args).expect(0).object();
    assert_eq!((&ran["appended"], &ran["duplicates"]), (&json!(2), &json!(1)));
    assert_eq!(folder.run(&args).expect(0).object()["duplicates"], 3);
    folder.write("map.toml", map.replace("\"4\"", "\"5\""));
    folder
        .run(&args)
        .expect(2)
        .says("map.toml:10: fields.item: no column is called `5`: without headers they are 1 to 4");
}

#[test]
fn records_are_rejected_with_their_number_and_place() {
    let folder = Folder::new();
    let record = |id: &str, more: &str| {
        format!(
            "{{\"Id\":\"{id}\",\"Operation\":\"FileRecycled\",\"CreationTime\":\"2025-01-01T00:00:00\",\
            \"UserId\":\"ann\",\"ObjectId\":\"a\"{more}}}"
        )
    };
    let rows = format!(
        "[{},\n{},{},{}]",
        record("1", ""),
        record("2", ",\"UserType\":77"),
        record("3", ",\"Id\":\"4\""),
        record("5", ",\"CreationTime\":5")
    );
    folder.write("records.json", &rows);
    let args = ["import", "--json", "records.json", "--format", "m365-audit", "--rejects", "r"];
    let ran = folder.run(&args).expect(1);
    assert_eq!(ran.object()["appended"], 1);
    let ran = ran.says("records.json:2: record 2 at byte 107: UserType: must be a type of user");
    let ran = ran.says(": record 3 at byte ").says(": Id: given twice");
    ran.says(": CreationTime: given twice");
    // What was rejected is records a line.
    assert_eq!(folder.read("r").split(|byte| *byte == b'\n').count(), 4);
    let again = folder.run(&["import", "--json", "r", "--format", "m365-audit"]).expect(1);
    assert_eq!(again.object()["rejected"], 3);

    // Cut in the middle of an array: what stands before is read, and the place is said.
    folder.write("cut.json", &rows.as_bytes()[..rows.len() - 30]);
    let args = ["import", "--json", "cut.json", "--format", "m365-audit", "--store", "cut.store"];
    let ran = folder.run(&args).expect(2).says("cut.json:2: record 4, byte ");
    assert_eq!(ran.object()["appended"], 1);
    // In lines a bad one is rejected alone.
    folder.write("lines", format!("{}\n{{\"Id\":\"2\n{}\n", record("1", ""), record("3", "")));
    let args = ["import", "--json", "lines", "--format", "m365-audit", "--store", "lines.store"];
    let ran = folder.run(&args).expect(1).says("lines:2: record 2 at byte 105: json: ");
    assert_eq!(ran.object()["appended"], 2);
}

#[test]
fn records_that_are_too_long_are_rejected_alone() {
    let folder = Folder::new();
    let long = "x".repeat(3 << 20);
    let records = format!("[{{\"a\":\"{long}\"}},{{\"Operation\":\"FileViewed\"}}]");
    folder.write("records.json", records);
    let args = ["import", "--json", "records.json", "--format", "m365-audit", "--rejects", "r"];
    let ran = folder.run(&args).expect(1);
    let ran = ran.says("records.json:1: record 1 at byte 1: line: must be at most 1048576 bytes long, found 3145736");
    assert_eq!((&ran.object()["rejected"], &ran.object()["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(folder.read("r").len(), 3_145_737);

    let map = sample("files.toml");
    let head = "When;Who;What;Path;Size;Result\n";
    let row = "13.01.2025 10:00:00;ann;hochgeladen;c;1;ok\n";
    folder.write("rows.csv", format!("{head}{row}\"{long}\";;;;;\n{}", row.replace(";c;", ";d;")));
    let ran =
        folder.run(&["import", "--json", "rows.csv", "--format", "csv", "--map", &map]).expect(1);
    let ran = ran.says("rows.csv:3: line: must be at most 1048576 bytes long");
    assert_eq!(ran.object()["appended"], 2);
}

fn git(folder: &Folder, args: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder.path("repo")).args(args);
    let clock = "2025-01-01T00:00:00+01:00";
    command.env("GIT_AUTHOR_DATE", clock).env("GIT_COMMITTER_DATE", "2025-01-02T00:00:00Z");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for (key, value) in [("NAME", "Ann"), ("EMAIL", "ann@example.org")] {
        command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
    }
    let output = command.output().expect("git is there");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_repository_is_read_with_sizes_and_what_comes_back() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("repo/p/a")).expect("made");
    git(&folder, &["init", "-q"]);
    let commit = |message: &str| {
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "-m", message]);
    };
    folder.write("repo/p/a/\u{e9} \"x\".txt", "12345");
    folder.write("repo/README", "not of an account");
    commit("one\n\n:000000 100644 0 0 A\tnot/a/change");
    folder.write("repo/p/a/\u{e9} \"x\".txt", "1234567");
    commit("two");
    git(&folder, &["mv", "p/a/\u{e9} \"x\".txt", "p/a/new"]);
    commit("three");
    git(&folder, &["revert", "--no-edit", "HEAD"]);
    // Back with another content it is not the one that was there.
    folder.write("repo/p/a/new", "1");
    commit("five");
    let args = ["import", "--json", "repo", "--format", "git", "--account-from", "p/*"];
    let ran = folder.run(&[&args[..], &["--trust-recorded-at"]].concat()).expect(0);
    let expected =
        json!({"read": 8, "appended": 7, "duplicates": 0, "rejected": 0, "skipped": 1, "size": 7});
    assert_eq!(ran.object(), expected);
    let events = folder.ask(&["replay", "a"]);
    let said: Vec<String> = events
        .iter()
        .map(|e| {
            format!(
                "{} {} {}",
                e["kind"].as_str().unwrap(),
                e["item"].as_str().unwrap(),
                e["bytes"]
            )
        })
        .collect();
    let old = "\u{e9} \"x\".txt";
    let expected = [
        format!("item_uploaded {old} 5"),
        format!("item_modified {old} 7"),
        "item_uploaded new 7".to_owned(),
        format!("item_trashed {old} null"),
        "item_trashed new null".to_owned(),
        format!("item_restored {old} null"),
        "item_uploaded new 1".to_owned(),
    ];
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(said), sorted(expected.to_vec()));
    assert_eq!(events[0]["occurred_at"], "2024-12-31T23:00:00Z");
    assert_eq!(events[0]["recorded_at"], "2025-01-02T00:00:00Z");
    assert_eq!(events[0]["attributes"]["author"], "Ann <ann@example.org>");
    assert_eq!(folder.run(&args).expect(0).object()["duplicates"], 7);
    folder
        .run(&["import", "repo"])
        .expect(2)
        .says("repo: looks like a git repository: import it with --format git");
    std::fs::create_dir(folder.path("empty")).expect("made");
    let ran = folder.run(&["import", "empty", "--format", "git", "--account", "a"]).expect(2);
    ran.says("empty: cannot read its history with git: not a git repository");
}

#[test]
fn a_history_is_needed_whole_and_oldest_first() {
    let folder = Folder::new();
    let log = std::fs::read_to_string(sample("git-log.txt")).expect("a sample");
    let mut commits: Vec<&str> = log.split("\ncommit ").collect();
    let import = |text: &str| {
        folder.write("log", text);
        folder.run(&["import", "--json", "log", "--format", "git", "--account", "all", "--dry-run"])
    };
    commits[0] = commits[0].strip_prefix("commit ").expect("it begins so");
    let later = format!("commit {}", commits[2]);
    import(&later).expect(2).says("the first change of the first commit adds no file");
    let dated = log.replace("2026-11-24T00:19:04Z", "Tue Nov 24 00:19:04 2026 +0000");
    import(&dated).expect(2).says("log:3: AuthorDate: ").says("--date=iso-strict");
    import(&log.replacen(" A\tcrates", " X\tcrates", 1))
        .expect(1)
        .says("log:9: line: not a line of git log --raw or --name-status");
    // With names and states alone.
    let names: String = log
        .lines()
        .map(|line| match line.strip_prefix(':') {
            Some(line) => format!("{}\n", &line[line.find('\t').expect("a path") - 1..]),
            None => format!("{line}\n"),
        })
        .collect();
    assert_eq!(import(&names).expect(0).out.lines().count(), 14);
}
