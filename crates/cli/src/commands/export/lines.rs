//! Rows as lines: CSV, and JSON with the names of the columns.

use std::io::Write;

use super::rows::{Column, Rows, Value};

/// The first line of CSV.
pub fn csv_heading(columns: &[Column]) -> Vec<u8> {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let mut line = names.join(",").into_bytes();
    line.push(b'\n');
    line
}

/// A line of CSV a row; what is not there is an empty field.
pub fn csv(rows: &Rows) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut columns: Vec<_> = rows.columns.iter().map(|values| values.iter()).collect();
    let mut number = Vec::new();
    for _ in 0..rows.len() {
        for column in &mut columns {
            let field = match column.next().expect("a value a row") {
                Value::Text(text) => text.as_bytes(),
                value => {
                    number.clear();
                    write_plain(&value, &mut number);
                    &number
                }
            };
            writer.write_field(field).expect(MEMORY);
        }
        writer.write_record(None::<&[u8]>).expect(MEMORY);
    }
    writer.into_inner().expect(MEMORY)
}

/// An object a row, with every column.
pub fn ndjson(rows: &Rows) -> Vec<u8> {
    let mut out = Vec::new();
    let mut columns: Vec<_> =
        rows.columns.iter().map(|values| (values.column.name, values.iter())).collect();
    for _ in 0..rows.len() {
        for (at, (name, column)) in columns.iter_mut().enumerate() {
            out.extend_from_slice(if at == 0 { b"{\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            match column.next().expect("a value a row") {
                Value::Null => out.extend_from_slice(b"null"),
                Value::Text(text) => serde_json::to_writer(&mut out, text).expect(MEMORY),
                Value::Time(at) => serde_json::to_writer(&mut out, &at).expect(MEMORY),
                value => write_plain(&value, &mut out),
            }
        }
        out.extend_from_slice(b"}\n");
    }
    out
}

const MEMORY: &str = "memory takes every byte";

/// A value without quotes.
fn write_plain(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => Ok(()),
        Value::Text(text) => out.write_all(text.as_bytes()),
        Value::Whole(n) => write!(out, "{n}"),
        Value::Sum(sum) => write!(out, "{sum}"),
        Value::Time(at) => write!(out, "{at}"),
        Value::Flag(flag) => write!(out, "{flag}"),
    }
    .expect(MEMORY);
}
