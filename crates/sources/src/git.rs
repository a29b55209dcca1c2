//! A git history: what `git log --reverse --raw` or `--name-status` prints, in the form `fuller` with
//! dates as `iso-strict`. docs/imports.md has the table.

use std::borrow::Cow;
use std::collections::HashMap;

use event::{Actor, Event, LineError, Payload, Timestamp};

use crate::found::quoted;
use crate::object::{Told, give, time};
use crate::record::Held;
use crate::{Broken, Decode, Found, Place};

/// Of a commit's hash, so many digits are in an id.
const HASH_DIGITS: usize = 16;

/// Whose event a change is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accounts {
    /// Everything is of one account, and an item is a path.
    One(String),
    /// The folders that the stars of a pattern stand for: of `packages/*` the file
    /// `packages/a/b/c` is the item `b/c` of the account `a`. Other paths are skipped.
    Folders(Vec<Option<String>>),
}

impl Accounts {
    /// Reads a pattern of folders: names, and one `*` or several.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn pattern(text: &str) -> Result<Accounts, String> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.contains(&"") || !parts.contains(&"*") {
            let expected = "expected folders with a * for each that names the account";
            return Err(format!("{expected}, such as packages/*, found {}", quoted(text)));
        }
        let part = |part: &&str| (*part != "*").then(|| (*part).to_owned());
        Ok(Accounts::Folders(parts.iter().map(part).collect()))
    }

    /// The account and the item of a path.
    fn split<'p>(&self, path: &'p str) -> Option<(String, &'p str)> {
        let parts = match self {
            Accounts::One(account) => return Some((account.clone(), path)),
            Accounts::Folders(parts) => parts,
        };
        let mut rest = path;
        let mut account = Vec::new();
        for part in parts {
            let (folder, after) = rest.split_once('/')?;
            match part {
                None => account.push(folder),
                Some(name) if name == folder => {}
                Some(_) => return None,
            }
            rest = after;
        }
        Some((account.join("/"), rest))
    }
}

/// Which of a commit's dates is when it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitTime {
    /// When the change was made, by its author's clock.
    Author,
    /// When the commit was, by the committer's.
    Commit,
}

/// Tells the size in bytes of a blob by its hash, if anybody knows it.
pub type Sizes = Box<dyn FnMut(&str) -> Option<u64> + Send>;

/// Reads a history, oldest commit first.
pub struct Git {
    accounts: Accounts,
    time: GitTime,
    sizes: Sizes,
    held: Held,
    line: u64,
    commit: Option<Commit>,
    /// The paths that are deleted, each with the content that it had, where that is known; all by their
    /// hashes. Whoever adds one of them with this content restores it.
    deleted: HashMap<[u8; 16], Option<[u8; 16]>>,
    /// Whether a change was seen.
    is_begun: bool,
}

/// A commit, as far as it was read.
struct Commit {
    /// Its lines up to the changes.
    head: Vec<u8>,
    hash: String,
    author: Option<String>,
    authored: Option<Timestamp>,
    committed: Option<Timestamp>,
    /// The number of the next change.
    change: u64,
}

impl Git {
    /// At the beginning of a history.
    #[must_use]
    pub fn new(accounts: Accounts, time: GitTime, sizes: Sizes) -> Git {
        Git {
            accounts,
            time,
            sizes,
            held: Held::default(),
            line: 1,
            commit: None,
            deleted: HashMap::new(),
            is_begun: false,
        }
    }

    fn end_line(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        let place = Place { line: self.line, record: None };
        let mut result = Ok(());
        if !self.held.is_long() {
            let line = self.held.bytes();
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
            result = self.take_line(place, &line, found);
        }
        self.held.end(place, found);
        self.line += 1;
        result
    }

    fn take_line(
        &mut self,
        place: Place,
        line: &[u8],
        found: &mut dyn FnMut(Found<'_>),
    ) -> Result<(), Broken> {
        let broken = |reason: String| Broken { line: place.line, reason };
        if let Some(hash) = line.strip_prefix(b"commit ") {
            let hash = hash.split(|byte| *byte == b' ').next().unwrap_or_default();
            let is_hash = hash.len() >= HASH_DIGITS && hash.iter().all(u8::is_ascii_hexdigit);
            if !is_hash {
                let reason = "expected the whole hash of a commit (git log --no-abbrev-commit)";
                return Err(broken(reason.to_owned()));
            }
            self.commit = Some(Commit {
                head: [line, b"\n"].concat(),
                hash: String::from_utf8_lossy(&hash[..HASH_DIGITS]).into_owned(),
                author: None,
                authored: None,
                committed: None,
                change: 0,
            });
            return Ok(());
        }
        // Of the message, which is indented, nothing is wanted.
        if line.is_empty() || line.starts_with(b"    ") {
            return Ok(());
        }
        let Some(commit) = &mut self.commit else {
            return Err(broken("expected a line `commit …`, as git log prints it".to_owned()));
        };
        if let Some((key, value)) = header(line) {
            commit.head.extend([line, b"\n"].concat());
            let value = String::from_utf8_lossy(value);
            let value = value.trim();
            let read = |field| {
                time(field, value, false).map_err(|error| {
                    let how = "git log --date=iso-strict writes them";
                    broken(format!("{error}; {how}"))
                })
            };
            match key {
                "Author" => commit.author = Some(value.to_owned()),
                "AuthorDate" | "Date" => commit.authored = Some(read(key)?),
                "CommitDate" => commit.committed = Some(read(key)?),
                _ => {}
            }
            return Ok(());
        }
        self.take_change(place, line, found)
    }

    fn take_change(
        &mut self,
        place: Place,
        line: &[u8],
        found: &mut dyn FnMut(Found<'_>),
    ) -> Result<(), Broken> {
        let commit = self.commit.as_mut().expect("looked for before");
        let text = [commit.head.as_slice(), b"\n", line, b"\n"].concat();
        let reject = |found: &mut dyn FnMut(Found<'_>), error| {
            found(Found::Rejected { place, text: text.trim_ascii_end(), error });
        };
        let change = match Change::read(line) {
            Ok(change) => change,
            Err(error) => {
                commit.change += 1;
                reject(found, error);
                return Ok(());
            }
        };
        if !self.is_begun && !matches!(change.status, b'A' | b'C') {
            let reason = "the first change of the first commit adds no file: the whole history is needed, \
                          oldest commit first (git log --reverse)";
            return Err(Broken { line: place.line, reason: reason.to_owned() });
        }
        self.is_begun = true;
        let mut paths = Vec::new();
        match change.status {
            b'A' | b'C' => paths.push((b'A', change.paths.last())),
            b'M' | b'T' => paths.push((b'M', change.paths.last())),
            b'D' => paths.push((b'D', change.paths.last())),
            _ => paths.extend([(b'D', change.paths.first()), (b'A', change.paths.last())]),
        }
        for (what, path) in paths {
            let path = match path.map(|path| String::from_utf8(path.clone())) {
                Some(Ok(path)) => path,
                _ => {
                    commit.change += 1;
                    reject(found, LineError::new("path", "must be UTF-8"));
                    continue;
                }
            };
            let is_restored = match what {
                b'D' => {
                    self.deleted.insert(hash_of(&path), change.old.as_deref().map(hash_of));
                    false
                }
                b'A' => match self.deleted.remove(&hash_of(&path)) {
                    None => false,
                    // Other content is a new life: a restored one would have the size of the old.
                    Some(old) => old.is_none() || old == change.blob.as_deref().map(hash_of),
                },
                _ => false,
            };
            let Some((account, item)) = self.accounts.split(&path).filter(|_| !change.is_module)
            else {
                let what = if change.is_module { "a submodule" } else { "another path" };
                found(Found::Skipped { what });
                continue;
            };
            // Numbered are the changes that are somebody's.
            let number = commit.change;
            commit.change += 1;
            let item = item.to_owned();
            let bytes = match (what, &change.blob) {
                (b'A' | b'M', Some(blob)) if !is_restored => (self.sizes)(blob),
                _ => None,
            };
            let payload = match what {
                b'D' => Payload::ItemTrashed { item },
                b'M' => Payload::ItemModified { item, bytes },
                _ if is_restored => Payload::ItemRestored { item },
                _ => {
                    let (category, bytes) = ("drive".to_owned(), bytes.unwrap_or(0));
                    Payload::ItemUploaded { item, category, bytes }
                }
            };
            give(
                place,
                text.trim_ascii_end(),
                commit.event(account, number, self.time, payload),
                found,
            );
        }
        Ok(())
    }
}

impl Decode for Git {
    fn feed(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.held.push(piece, found);
            if piece.ends_with(b"\n") {
                self.end_line(found)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Result<(), Broken> {
        if self.held.is_empty() { Ok(()) } else { self.end_line(found) }
    }
}

impl Commit {
    fn event(
        &self,
        account: String,
        change: u64,
        time: GitTime,
        payload: Payload,
    ) -> Result<Event, LineError> {
        let missing = |name: &str| LineError::new(name, "the commit has no such line");
        let occurred_at = match time {
            GitTime::Author => self.authored.ok_or_else(|| missing("AuthorDate"))?,
            GitTime::Commit => self.committed.ok_or_else(|| missing("CommitDate"))?,
        };
        let told = Told {
            id: format!("{}-{change}", self.hash),
            account,
            occurred_at,
            recorded_at: self.committed,
            actor: Actor::User,
            surface: None,
            payload,
        };
        told.event([("author", self.author.as_deref().map(Cow::Borrowed))])
    }
}

fn hash_of(text: &str) -> [u8; 16] {
    *blake3::hash(text.as_bytes()).as_bytes().first_chunk().expect("16 of 32 bytes")
}

/// The lines in front of a commit's message, with what they say.
fn header(line: &[u8]) -> Option<(&'static str, &[u8])> {
    const KEYS: [&str; 7] =
        ["Author", "AuthorDate", "Commit", "CommitDate", "Date", "Merge", "Reflog"];
    KEYS.iter().find_map(|key| {
        let value = line.strip_prefix(key.as_bytes())?.strip_prefix(b":")?;
        Some((*key, value))
    })
}

/// A line of `--raw` or `--name-status`.
struct Change {
    status: u8,
    /// The hash of the file's content after it, where the line has it whole.
    blob: Option<String>,
    /// The same before it.
    old: Option<String>,
    is_module: bool,
    /// One, or the old one and the new one.
    paths: Vec<Vec<u8>>,
}

impl Change {
    fn read(line: &[u8]) -> Result<Change, LineError> {
        let wrong = |reason: &str| LineError::new("line", reason);
        if line.starts_with(b"::") {
            return Err(wrong("a merge's combined form is not read: leave out -c and --cc"));
        }
        let mut parts = line.split(|byte| *byte == b'\t');
        let first = parts.next().unwrap_or_default();
        let first = String::from_utf8_lossy(first);
        let words: Vec<&str> = first.trim_start_matches(':').split(' ').collect();
        let (status, contents, is_module) = match words[..] {
            [before, after, old, blob, status] if first.starts_with(':') => {
                // A blob that is cut short names none for certain.
                let whole = |blob: &str| [40, 64].contains(&blob.len()).then(|| blob.to_owned());
                (status, [whole(old), whole(blob)], [before, after].contains(&"160000"))
            }
            [status] if !first.starts_with(':') => (status, [None, None], false),
            _ => return Err(wrong("not a line of git log --raw or --name-status")),
        };
        let paths: Vec<Vec<u8>> = parts.map(unquoted).collect::<Option<_>>().unwrap_or_default();
        let (letter, similar) = status.split_at_checked(1).unwrap_or(("", ""));
        let needed = match letter {
            "A" | "M" | "D" | "T" => 1,
            "R" | "C" => 2,
            _ => return Err(wrong("not a line of git log --raw or --name-status")),
        };
        if paths.len() != needed || !similar.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong("not a line of git log --raw or --name-status"));
        }
        let [old, blob] = contents;
        Ok(Change { status: letter.as_bytes()[0], blob, old, is_module, paths })
    }
}

/// A path as it is, of one that git put into quotes, as in C.
fn unquoted(path: &[u8]) -> Option<Vec<u8>> {
    let Some(inner) = path.strip_prefix(b"\"").and_then(|path| path.strip_suffix(b"\"")) else {
        return Some(path.to_vec()).filter(|path| !path.is_empty());
    };
    let mut out = Vec::new();
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            first @ b'0'..=b'3' => {
                let digits = [first, bytes.next()?, bytes.next()?];
                if !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
                    return None;
                }
                digits.iter().fold(0u8, |value, digit| value * 8 + (digit - b'0'))
            }
            other @ (b'"' | b'\\') => other,
            _ => return None,
        });
    }
    Some(out).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_quotes_are_as_in_c() {
        let check = |quoted: &str, path: Option<&str>| {
            let found = unquoted(quoted.as_bytes());
            assert_eq!(found, path.map(|path| path.as_bytes().to_vec()), "{quoted}");
        };
        check("a b", Some("a b"));
        check("\"a\\tb\\n\\\"\\\\\"", Some("a\tb\n\"\\"));
        check("\"\\303\\251\"", Some("é"));
        check("\"\\8\"", None);
        check("\"\\3\"", None);
        check("\"\\477\"", None);
        check("\"a\\\"", None);
        check("", None);
        check("\"\"", None);
        check("\"", Some("\""));
    }

    #[test]
    fn accounts_are_folders() {
        let check = |pattern: &str, path: &str, expected: Option<(&str, &str)>| {
            let accounts = Accounts::pattern(pattern).expect("a pattern");
            let expected = expected.map(|(account, item)| (account.to_owned(), item));
            assert_eq!(accounts.split(path), expected, "{pattern} {path}");
        };
        check("packages/*", "packages/a/b/c", Some(("a", "b/c")));
        check("packages/*", "packages/a", None);
        check("packages/*", "package/a/b", None);
        check("*", "a/b", Some(("a", "b")));
        check("*", "README", None);
        check("*/x/*", "a/x/b/c", Some(("a/b", "c")));
        check("*/x/*", "a/y/b/c", None);
        for wrong in ["", "a", "*/", "/*", "a//*"] {
            assert!(Accounts::pattern(wrong).is_err(), "{wrong}");
        }
    }
}
