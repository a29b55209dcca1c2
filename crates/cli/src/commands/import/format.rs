//! What the files are, and who reads them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use sources::{Accounts, Csv, Decode, Found, GitTime, GoogleDrive, Looks, M365, Map, looks_like};

use super::git::{self, no_sizes};
use super::parcel::named;
use crate::failure::Failure;
use crate::input::{Input, open_all};
use crate::show::escape::escaped_path;

/// So many words that a map lacks are said.
const WORDS_SAID: usize = 10;

/// How the files are read.
#[derive(Debug, Args)]
pub struct FormatArgs {
    /// What the files are
    #[arg(long, value_enum, default_value_t = InputFormat::Auto)]
    pub format: InputFormat,
    /// With csv: the file that says what the columns mean
    #[arg(long, value_name = "FILE.toml")]
    pub map: Option<PathBuf>,
    /// With git: the folders that are an account, such as packages/*; an item is the path beneath
    #[arg(long, value_name = "PATTERN", conflicts_with = "account", value_parser = Accounts::pattern)]
    pub account_from: Option<Accounts>,
    /// With git: the account of every path
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// With git: whose date is when it happened
    #[arg(long, value_enum, value_name = "author|commit", hide_possible_values = true)]
    pub occurred: Option<Occurred>,
}

/// What files can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// Event lines: NDJSON and CloudEvents, told apart line by line
    #[value(alias = "ndjson", alias = "cloudevents")]
    Auto,
    /// Rows, by a --map
    Csv,
    /// Drive audit events of the Admin SDK Reports API, as JSON
    GoogleWorkspaceDrive,
    /// Microsoft 365's unified audit log, as JSON or as a CSV with AuditData
    M365Audit,
    /// A git repository, or what `git log --reverse --raw --format=fuller --date=iso-strict` prints
    Git,
}

/// Whose date counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Occurred {
    Author,
    Commit,
}

impl InputFormat {
    fn name(self) -> &'static str {
        match self {
            InputFormat::Auto => "auto",
            InputFormat::Csv => "csv",
            InputFormat::GoogleWorkspaceDrive => "google-workspace-drive",
            InputFormat::M365Audit => "m365-audit",
            InputFormat::Git => "git",
        }
    }
}

/// Makes the decoder of each input.
pub enum Reading {
    /// Event lines, which need none.
    Lines,
    Csv(Arc<Map>),
    GoogleDrive,
    M365,
    Git {
        accounts: Accounts,
        time: GitTime,
    },
}

impl Reading {
    /// Opens all inputs and looks whether they are what they are said to be, before anything is done
    /// with the first.
    pub fn open(args: &FormatArgs, paths: &[PathBuf]) -> Result<(Vec<Input>, Reading), Failure> {
        let reading = Reading::of(args)?;
        let inputs = match &reading {
            Reading::Git { .. } => git::open_all(paths)?,
            _ => open_all(paths).map_err(|failure| with_hint(failure, args.format, paths))?,
        };
        for input in &inputs {
            reading.hold(args.format, input)?;
        }
        if let (Reading::Csv(map), Some(map_path)) = (&reading, &args.map) {
            paths.iter().try_for_each(|path| check_rows(path, map, map_path))?;
        }
        Ok((inputs, reading))
    }

    fn of(args: &FormatArgs) -> Result<Reading, Failure> {
        let FormatArgs { format, map, account_from, account, occurred } = args;
        let of_git = [
            ("--account-from", account_from.is_some()),
            ("--account", account.is_some()),
            ("--occurred", occurred.is_some()),
        ];
        let strange = of_git.iter().find(|(_, given)| *given && *format != InputFormat::Git);
        if let Some((option, _)) = strange {
            return Err(Failure::Usage(format!("{option} goes with --format git")));
        }
        if map.is_some() && *format != InputFormat::Csv {
            return Err(Failure::Usage("--map goes with --format csv".to_owned()));
        }
        Ok(match format {
            InputFormat::Auto => Reading::Lines,
            InputFormat::GoogleWorkspaceDrive => Reading::GoogleDrive,
            InputFormat::M365Audit => Reading::M365,
            InputFormat::Csv => {
                let path = map.as_ref().ok_or_else(|| {
                    Failure::Usage(
                        "--format csv needs --map FILE.toml, which says what the columns mean \
                         (docs/imports.md)"
                            .to_owned(),
                    )
                })?;
                let text = fs::read_to_string(path);
                let text = text.map_err(|error| Failure::file(path, "read it", &error))?;
                let map = Map::parse(&text)
                    .map_err(|error| Failure::Usage(format!("{}:{error}", escaped_path(path))))?;
                Reading::Csv(Arc::new(map))
            }
            InputFormat::Git => {
                let one = account.clone().map(Accounts::One);
                let accounts = account_from.clone().or(one).ok_or_else(|| {
                    Failure::Usage(
                        "--format git needs --account NAME, for all paths, or --account-from \
                         PATTERN, such as packages/*"
                            .to_owned(),
                    )
                })?;
                let time = match occurred {
                    None | Some(Occurred::Author) => GitTime::Author,
                    Some(Occurred::Commit) => GitTime::Commit,
                };
                Reading::Git { accounts, time }
            }
        })
    }

    /// Whether the inputs are event lines.
    pub fn is_of_lines(&self) -> bool {
        matches!(self, Reading::Lines)
    }

    /// The decoder of an input; none for event lines.
    pub fn decoder(&self, input: &mut Input) -> Option<Box<dyn Decode + Send>> {
        Some(match self {
            Reading::Lines => return None,
            Reading::Csv(map) => Box::new(Csv::new(Arc::clone(map))),
            Reading::GoogleDrive => Box::new(GoogleDrive::new()),
            Reading::M365 => Box::new(M365::new()),
            Reading::Git { accounts, time } => {
                let sizes = input.sizes.take().unwrap_or_else(no_sizes);
                Box::new(sources::Git::new(accounts.clone(), *time, sizes))
            }
        })
    }

    /// Refuses an input that looks like something else.
    fn hold(&self, asked: InputFormat, input: &Input) -> Result<(), Failure> {
        let Some(looks) = looks_like(input.start()) else { return Ok(()) };
        let (what, format) = match looks {
            Looks::Lines => ("event lines", InputFormat::Auto),
            Looks::Csv => ("a CSV", InputFormat::Csv),
            Looks::GoogleWorkspace => {
                ("an activity report of Google Workspace", InputFormat::GoogleWorkspaceDrive)
            }
            Looks::M365 => ("Microsoft 365's audit log", InputFormat::M365Audit),
            Looks::Git => ("the output of git log", InputFormat::Git),
            Looks::Utf16 => {
                let name = &input.name;
                return Err(Failure::Usage(format!(
                    "{name}: is in UTF-16; save it in UTF-8 and import that"
                )));
            }
        };
        // Of a CSV only its map says what it is.
        let is_json = matches!(input.start().trim_ascii_start().first(), Some(b'{' | b'['));
        let is_rows = (asked, looks) == (InputFormat::Csv, Looks::M365) && !is_json;
        let is_so = format == asked || is_rows;
        if is_so {
            return Ok(());
        }
        let map = if format == InputFormat::Csv { " and a --map" } else { "" };
        Err(Failure::Usage(format!(
            "{}: looks like {what}: import it with --format {}{map}; nothing was imported",
            input.name,
            format.name()
        )))
    }
}

/// A folder that is a repository can be imported as one.
fn with_hint(failure: Failure, format: InputFormat, paths: &[PathBuf]) -> Failure {
    let is_repository = |path: &&PathBuf| path.join(".git").exists() || path.join("HEAD").is_file();
    match paths.iter().find(|path| path.is_dir()) {
        Some(path) if is_repository(&path) && format == InputFormat::Auto => {
            Failure::Usage(format!(
                "{}: looks like a git repository: import it with --format git; nothing was imported",
                escaped_path(path)
            ))
        }
        _ => failure,
    }
}

/// Reads a file once through, to hold it against the map before anything of it is appended. What can be
/// read only once is held against it row by row.
fn check_rows(path: &Path, map: &Arc<Map>, map_path: &Path) -> Result<(), Failure> {
    if path.as_os_str() == "-" || !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(());
    }
    let mut input = Input::open(path)?;
    let mut csv = Csv::new(Arc::clone(map));
    let mut first = None;
    let mut words: Vec<String> = Vec::new();
    let mut found = |found: Found<'_>| {
        if let Found::Unmapped { place, table, column, word, .. } = found {
            let (_, of, _) =
                first.get_or_insert_with(|| (place, table.to_owned(), column.to_owned()));
            let word = named(word);
            if of == table && words.len() <= WORDS_SAID && !words.contains(&word) {
                words.push(word);
            }
        }
    };
    // What cannot be read is said by whoever reads it the second time.
    while let Ok(chunk) = input.chunk() {
        let read = chunk.len();
        let fed = match chunk {
            [] => csv.end(&mut found),
            chunk => csv.feed(chunk, &mut found),
        };
        input.consume(read);
        if let (Err(_), Some(misfit)) = (fed, csv.misfit()) {
            let (map, name) = (escaped_path(map_path), escaped_path(path));
            return Err(Failure::Usage(format!("{map}:{misfit} in {name}; nothing was imported")));
        }
        if read == 0 {
            break;
        }
    }
    let Some((place, table, column)) = first else { return Ok(()) };
    let more = if words.len() > WORDS_SAID { ", …" } else { "" };
    words.truncate(WORDS_SAID);
    let is = if words.len() == 1 { "is" } else { "are" };
    let others = if table == "actions" { "skip" } else { "…" };
    Err(Failure::Usage(format!(
        "{}:{place}: {}: {}{more} {is} not in [{table}.words] of {}: say what to make of it, or \
         others = \"{others}\"; nothing was imported",
        escaped_path(path),
        crate::show::escape::escaped(&column),
        words.join(", "),
        escaped_path(map_path)
    )))
}
