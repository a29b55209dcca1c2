//! `policy new`: a policy file from answers, from options or from a preset.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use event::Timestamp;
use policy::{Basis, Policy, Window, parse_size, presets};
use serde_json::json;

use crate::failure::Failure;
use crate::question::{Question, policy_text};
use crate::show::escape::{escaped, escaped_path};
use crate::show::screen::Screen;

/// What `policy new` takes.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What the policy is called
    #[arg(long)]
    pub name: Option<String>,
    /// Start from a preset, or from another file: its rules as they are, to be edited
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["tiers", "basis", "purge_lag",
        "inactivity", "notice", "stale_after", "no_trash", "time_zone", "effective_from", "source"])]
    pub from: Option<PathBuf>,
    /// A tier, its space and its trash window, such as free=5GB,30d or paid=unlimited,never; the first
    /// is that of accounts that never said
    #[arg(long = "tier", value_name = "NAME=QUOTA,TRASH")]
    pub tiers: Vec<String>,
    /// Whose trash window counts when tiers change: tier_when_trashed, tier_now or longest_held
    #[arg(long, value_name = "BASIS", value_parser = basis)]
    pub basis: Option<Basis>,
    /// How long after the end a purge is on time
    #[arg(long, value_name = "DURATION", value_parser = Window::parse)]
    pub purge_lag: Option<Window>,
    /// How long after its last activity an account is inactive
    #[arg(long, value_name = "DURATION", value_parser = Window::parse)]
    pub inactivity: Option<Window>,
    /// How long before a clearing a notice must come
    #[arg(long, value_name = "DURATION", value_parser = Window::parse)]
    pub notice: Option<Window>,
    /// How long a backup is kept after it was last completed
    #[arg(long, value_name = "DURATION", value_parser = Window::parse)]
    pub stale_after: Option<Window>,
    /// A category without a trash
    #[arg(long, value_name = "CATEGORY")]
    pub no_trash: Vec<String>,
    /// Where days, months and years are counted, an IANA name [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// From when on the rules are in force [default: the beginning]
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub effective_from: Option<Timestamp>,
    /// Where the rules are stated
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// The file to write; one that is there is left as it is
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn basis(text: &str) -> Result<Basis, String> {
    let words: Vec<&str> = Basis::ALL.iter().map(|basis| basis.name()).collect();
    Basis::from_name(text).ok_or_else(|| format!("expected one of {}", words.join(", ")))
}

/// The kinds that a new policy counts as activity, to be edited by whoever writes it.
const RESETS: [&str; 13] = [
    "signed_in",
    "page_viewed",
    "find_device_on",
    "synced",
    "backup_completed",
    "backup_restored",
    "item_uploaded",
    "item_modified",
    "item_trashed",
    "item_restored",
    "item_purged",
    "trash_emptied",
    "backup_off",
];

pub fn run(args: &NewArgs, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    // Before anybody is asked anything.
    if let Some(path) = args.output.as_ref().filter(|path| path.exists()) {
        return Err(taken(path));
    }
    let mut asked = Asked { question, is_possible: io::stdin().is_terminal() };
    if !asked.is_possible {
        missing(args)?;
    }
    let (text, output) = match &args.from {
        Some(from) => {
            let name = args.name.clone();
            let output = asked.output(args)?;
            (copied(from, name.as_deref(), question)?, output)
        }
        None => {
            let rules = asked.rules(args)?;
            (rules.toml(), asked.output(args)?)
        }
    };
    let policy = Policy::parse(&text)
        .map_err(|error| Failure::Usage(format!("these rules are no sound policy: {error}")))?;
    if let Some(name) = args.name.as_ref().filter(|name| **name != policy.name) {
        return Err(Failure::Usage(format!(
            "the file does not say its name on a line of its own, so {} cannot be put in its place",
            escaped(name)
        )));
    }
    write_new(&output, text.as_bytes())?;
    let (file, name) = (escaped_path(&output), &policy.name);
    match question.json {
        true => screen.json(&json!({
            "file": output.display().to_string(), "policy": name, "policy_hash": policy.hash(),
        })),
        false => {
            let name = escaped(name);
            screen.line(question.pick(
                format!("{file}: the policy {name}. `stillthere policy check {file}` says what it means."),
                format!("{file}：政策 {name}。用 `stillthere policy check {file}` 查看其含义。"),
            ))
        }
    }
}

/// Without a terminal nobody can be asked: the options that are needed and not there.
fn missing(args: &NewArgs) -> Result<(), Failure> {
    let needed = [
        ("--name", args.name.is_none() && args.from.is_none()),
        ("--tier", args.tiers.is_empty() && args.from.is_none()),
        ("--output", args.output.is_none()),
    ];
    let missing: Vec<&str> = needed.iter().filter(|(_, is)| *is).map(|(flag, _)| *flag).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "standard input is no terminal, so nothing can be asked: give {}",
        missing.join(", ")
    )))
}

/// Writes a file that must not be there yet.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    })
    .map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => {
            let reason = crate::failure::reason(&error);
            Failure::Usage(format!("{}: cannot be written: {reason}", escaped_path(path)))
        }
    })
}

fn taken(path: &Path) -> Failure {
    Failure::Usage(format!(
        "{}: is there already, and is left as it is; give another name",
        escaped_path(path)
    ))
}

/// A policy file under another name, all else as it is.
fn copied(from: &Path, name: Option<&str>, question: &Question) -> Result<String, Failure> {
    let text = policy_text(from)?;
    let policy = Policy::parse(&text).map_err(|error| crate::question::bad_policy(from, &error))?;
    let preset = presets().iter().any(|(preset, _)| Path::new(preset) == from);
    let what = match preset {
        true => format!("the preset {}", policy.name),
        false => escaped_path(from).to_string(),
    };
    let hash = policy.hash();
    let head = question.pick(
        format!("# Made from {what} (policy hash {hash}). Change what is otherwise with you, and\n# say in `confidence` and `source` whose word that is.\n#\n"),
        format!("# 取自 {what}（政策散列 {hash}）。请按实际情况修改，\n# 并在 confidence 和 source 中注明依据。\n#\n"),
    );
    let Some(name) = name else { return Ok(head + &text) };
    // The name is the first `policy = ` at the start of a line: a table can only come after it.
    let mut renamed = String::with_capacity(text.len());
    let mut is_renamed = false;
    for line in text.split_inclusive('\n') {
        if !is_renamed && line.trim_start().starts_with("policy") && line.contains('=') {
            writeln!(renamed, "policy = {}", quoted(name)).expect("memory");
            is_renamed = true;
        } else {
            renamed.push_str(line);
        }
    }
    Ok(head + &renamed)
}

/// A TOML string. Strings of JSON are strings of TOML, but for U+007F.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON").replace('\u{7f}', "\\u007F")
}

/// The rules that a file is written from.
struct Rules {
    name: String,
    zone: String,
    tiers: Vec<NewTier>,
    basis: Basis,
    purge_lag: Window,
    inactivity: Window,
    notice: Window,
    stale_after: Window,
    no_trash: Vec<String>,
    effective_from: Option<Timestamp>,
    source: String,
}

struct NewTier {
    name: String,
    quota: String,
    trash: Window,
}

impl NewTier {
    fn parse(text: &str) -> Result<NewTier, String> {
        let shape = || format!("{text:?}: write NAME=QUOTA,TRASH, such as free=5GB,30d");
        let (name, rest) = text.rsplit_once('=').ok_or_else(shape)?;
        let (quota, trash) = rest.split_once(',').ok_or_else(shape)?;
        let (name, quota, trash) = (name.trim(), quota.trim(), trash.trim());
        if name.is_empty() || name.len() > event::limits::TEXT_BYTES {
            return Err(format!("{text:?}: a tier's name has 1 to 128 bytes"));
        }
        if quota != "unlimited" {
            parse_size(quota).map_err(|error| format!("{quota:?} {error}, or unlimited"))?;
        }
        let trash = Window::parse(trash).map_err(|error| format!("{trash:?} {error}"))?;
        Ok(NewTier { name: name.to_owned(), quota: quota.to_owned(), trash })
    }
}

impl Rules {
    /// The file, with a word on each key.
    fn toml(&self) -> String {
        let mut text = String::new();
        let mut line = |part: String| {
            text.push_str(&part);
            text.push('\n');
        };
        line("# A policy of stillthere; docs/policies.md has every key. Windows are 30d (24 hours each), 6mo, 1y".into());
        line("# (by the calendar) or never.".into());
        line(String::new());
        line("schema = 1".into());
        line(format!("policy = {}", quoted(&self.name)));
        line(format!("time_zone = {}", quoted(&self.zone)));
        line(String::new());
        line("[[version]]".into());
        line("id = \"1\"".into());
        if let Some(at) = self.effective_from {
            line(format!("effective_from = \"{at}\""));
        }
        line("# official: the provider's text; secondary: somebody's account of it; operator: your word.".into());
        line("confidence = \"operator\"".into());
        line(format!("source = {}", quoted(&self.source)));
        for (n, tier) in self.tiers.iter().enumerate() {
            line(String::new());
            if n == 0 {
                line("# The first tier is that of an account that never said.".into());
            }
            line(format!("[version.tiers.{}]", quoted(&tier.name)));
            line(format!("quota = {}", quoted(&tier.quota)));
            line(format!("trash = \"{}\"", tier.trash));
        }
        line(String::new());
        line("[version.trash]".into());
        line("# tier_when_trashed, tier_now or longest_held.".into());
        line(format!("basis = \"{}\"", self.basis));
        line("# How long after its end a purge is on time; never: it is never overdue.".into());
        line(format!("purge_lag = \"{}\"", self.purge_lag));
        if !self.no_trash.is_empty() {
            line("# What is deleted of these is gone at once.".into());
            let categories: Vec<String> = self.no_trash.iter().map(|name| quoted(name)).collect();
            line(format!("no_trash = [{}]", categories.join(", ")));
        }
        if self.inactivity != Window::Never {
            line(String::new());
            line("[version.inactivity]".into());
            line(format!("window = \"{}\"", self.inactivity));
            line("# What counts as activity: take out what does not.".into());
            line("resets = [".into());
            for kind in RESETS {
                line(format!("    \"{kind}\","));
            }
            line("]".into());
            line("# The shortest notice before a clearing; never: none is asked.".into());
            line(format!("notice = \"{}\"", self.notice));
        }
        if self.stale_after != Window::Never {
            line(String::new());
            line("[version.backup]".into());
            line(format!("stale_after = \"{}\"", self.stale_after));
        }
        text
    }
}

/// What a person on the terminal says.
struct Asked<'a> {
    question: &'a Question,
    is_possible: bool,
}

impl Asked<'_> {
    /// What is answered to `ask`, again until `read` takes it; `default` to an empty line. Where
    /// nobody can be asked, the default.
    fn ask<T>(
        &mut self,
        ask: &str,
        default: Option<&str>,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            let mut line = String::new();
            if self.is_possible {
                let hint = default.filter(|d| !d.is_empty()).map(|d| format!(" [{d}]"));
                eprint!("{ask}{}: ", hint.unwrap_or_default());
                let read = io::stdin().lock().read_line(&mut line);
                if read.map_err(|error| Failure::Usage(error.to_string()))? == 0 {
                    return Err(Failure::Usage(
                        "standard input ended before the last answer".into(),
                    ));
                }
            }
            let said = line.trim();
            let answer = match (said.is_empty(), default) {
                (true, Some(default)) => default,
                (true, None) => continue,
                (false, _) => said,
            };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) if self.is_possible => eprintln!("{}", escaped(&why)),
                Err(why) => return Err(Failure::Usage(why)),
            }
        }
    }

    fn output(&mut self, args: &NewArgs) -> Result<PathBuf, Failure> {
        match &args.output {
            Some(path) => Ok(path.clone()),
            None => {
                let ask = self.question.pick("File to write", "写入文件");
                self.ask(ask, Some("policy.toml"), |text| Ok(PathBuf::from(text)))
            }
        }
    }

    /// One tier at least.
    fn tiers(&mut self) -> Result<Vec<NewTier>, Failure> {
        let first = self.question.pick(
            "A tier, NAME=QUOTA,TRASH (free=5GB,30d)",
            "等级，格式 名称=空间,回收站期限（free=5GB,30d）",
        );
        let mut tiers = vec![self.ask(first, None, NewTier::parse)?];
        let ask = self.question.pick("Another tier; an empty line ends", "下一个等级；空行结束");
        let another = |text: &str| match text.is_empty() {
            true => Ok(None),
            false => NewTier::parse(text).map(Some),
        };
        while let Some(tier) = self.ask(ask, Some(""), another)? {
            tiers.push(tier);
        }
        Ok(tiers)
    }

    fn window(&mut self, given: Option<Window>, en: &str, zh: &str) -> Result<Window, Failure> {
        match given {
            Some(window) => Ok(window),
            None => self.ask(self.question.pick(en, zh), Some("never"), |text| {
                Window::parse(text).map_err(|error| format!("{text:?} {error}"))
            }),
        }
    }

    fn rules(&mut self, args: &NewArgs) -> Result<Rules, Failure> {
        let question = self.question;
        let name = match &args.name {
            Some(name) => name.clone(),
            None => {
                self.ask(question.pick("What is the policy called", "政策名称"), None, |text| {
                    Ok(text.to_owned())
                })?
            }
        };
        let zone = match &args.time_zone {
            Some(zone) => zone.clone(),
            None => self.ask(
                question.pick("Time zone of its days and years", "计算日期所用时区"),
                Some("UTC"),
                |text| {
                    let known = policy::Zone::new(text).map(|_| text.to_owned());
                    known.map_err(|error| error.to_string())
                },
            )?,
        };
        let parsed = args.tiers.iter().map(|text| NewTier::parse(text).map_err(Failure::Usage));
        let mut tiers = parsed.collect::<Result<Vec<_>, _>>()?;
        if tiers.is_empty() {
            tiers = self.tiers()?;
        }
        for (n, tier) in tiers.iter().enumerate() {
            if tiers[..n].iter().any(|before| before.name == tier.name) {
                return Err(Failure::Usage(format!("tier {:?} is given twice", tier.name)));
            }
        }
        let purge_lag = self.window(
            args.purge_lag,
            "How long after its end a purge is on time",
            "期满后多久之内清除算按时",
        )?;
        let inactivity = self.window(
            args.inactivity,
            "How long without activity makes an account inactive",
            "多久没有活动视为不活跃",
        )?;
        let notice = match inactivity {
            Window::Never => args.notice.unwrap_or(Window::Never),
            _ => self.window(
                args.notice,
                "How long before a clearing a notice must come",
                "清空前须提前多久通知",
            )?,
        };
        Ok(Rules {
            name,
            zone,
            tiers,
            basis: args.basis.unwrap_or(Basis::TierWhenTrashed),
            purge_lag,
            inactivity,
            notice,
            stale_after: args.stale_after.unwrap_or(Window::Never),
            no_trash: args.no_trash.clone(),
            effective_from: args.effective_from,
            source: args.source.clone().unwrap_or_default(),
        })
    }
}
