//! What is imported: lines in the very spelling in which `export` gives them back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Binary;

/// Lines in a file, and in memory.
pub struct Input {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// Where each line ends.
    pub ends: Vec<usize>,
    /// Out of a hundred stores, how many are made of it.
    weight: u8,
}

impl Input {
    /// Few events, many, and some so long that the log goes on to a second segment.
    pub fn make_all(
        binary: &Binary,
        dir: &Path,
        random: &mut fastrand::Rng,
    ) -> Result<Vec<Input>, String> {
        let mut all = Vec::new();
        for (name, accounts, events, weight) in
            [("small", 20, 3_000, 55), ("large", 1_000, 60_000, 33)]
        {
            let (accounts, events) = (format!("{accounts}"), format!("{events}"));
            let seed = format!("{}", random.u32(..));
            let args = ["generate", "--accounts", &accounts, "--events", &events, "--seed", &seed];
            let lines = binary.answer(&args, dir)?;
            all.push(Input::make(binary, dir, name, &lines, weight)?);
        }
        all.push(Input::make(binary, dir, "long", long_lines(random).as_bytes(), 12)?);
        Ok(all)
    }

    /// An import and an export give lines the spelling that they keep from then on.
    fn make(
        binary: &Binary,
        dir: &Path,
        name: &str,
        lines: &[u8],
        weight: u8,
    ) -> Result<Input, String> {
        let path = dir.join(format!("{name}.ndjson"));
        let fail = |e: std::io::Error| format!("{}: {e}", path.display());
        let shown = path.to_str().ok_or("the target folder's name is not UTF-8")?;
        let store = dir.join("first.store");
        std::fs::write(&path, lines).map_err(fail)?;
        binary.answer(&["import", "--trust-recorded-at", shown], &store)?;
        let bytes = binary.answer(&["export"], &store)?;
        std::fs::write(&path, &bytes).map_err(fail)?;
        std::fs::remove_dir_all(&store).map_err(fail)?;
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
        if ends.len() != lines.split_inclusive(|byte| *byte == b'\n').count() {
            return Err(format!("{shown}: not all that was generated was taken"));
        }
        Ok(Input { path, bytes, ends, weight })
    }

    pub fn choose<'a>(all: &'a [Input], random: &mut fastrand::Rng) -> &'a Input {
        let mut left = random.u8(..100);
        for input in all {
            if left < input.weight {
                return input;
            }
            left -= input.weight;
        }
        &all[0]
    }

    /// How many lines.
    pub fn len(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The lines `[from, to)`, as far as there are so many.
    pub fn lines(&self, from: u64, to: u64) -> &[u8] {
        let end_of = |line: u64| match line {
            0 => 0,
            n => self.ends[usize::try_from(n).expect("it fits in memory").min(self.ends.len()) - 1],
        };
        &self.bytes[end_of(from)..end_of(to.max(from))]
    }
}

/// 71 MiB of attributes: more than a segment.
fn long_lines(random: &mut fastrand::Rng) -> String {
    let mut lines = String::new();
    for n in 0..2_400 {
        let (account, note) = (random.u8(..40), random.alphanumeric().to_string().repeat(31_000));
        let _ = writeln!(
            lines,
            r#"{{"id":"e{n}","account":"a{account}","occurred_at":"2025-03-01T00:00:00Z","kind":"page_viewed","actor":"user","attributes":{{"note":"{note}"}}}}"#
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_they_end() {
        let (path, bytes) = (PathBuf::new(), b"a\nbb\nc\n".to_vec());
        let input = Input { path, bytes, ends: vec![2, 5, 7], weight: 1 };
        assert_eq!(input.lines(0, 2), b"a\nbb\n");
        assert_eq!(input.lines(1, 9), b"bb\nc\n");
        assert_eq!(input.lines(3, 9), b"");
        assert_eq!(input.lines(0, 0), b"");
    }
}
