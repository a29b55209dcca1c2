//! `policy diff`: what differs in the rules of two policies, and what that does to a population.

mod list;
mod page;
mod totals;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use event::History;
use projection::{Differs, compare, fold};
use serde_json::{Value, json};

use self::list::{HEADER, Row};
use self::page::Page;
use self::totals::Totals;
use crate::failure::Failure;
use crate::output::{Partial, refuse_in_store};
use crate::question::{Question, find_policy};
use crate::show::screen::{Line, Screen, json_line};
use crate::show::table::Table;
use crate::store::Store;

/// How many changes an object of JSON has.
const IN_OBJECT: u64 = 100;

/// What `policy diff` takes.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The policy before: a preset's name or a file
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// The policy after: a preset's name or a file
    #[arg(value_name = "B")]
    pub after: PathBuf,
    /// The store that holds the population [default: that of --store, if it is there]
    #[arg(long, value_name = "DIR")]
    pub over: Option<PathBuf>,
    /// Compare the rules alone
    #[arg(long, conflicts_with_all = ["over", "list", "csv", "what", "limit", "offset"])]
    pub rules_only: bool,
    /// List every change, a line each, in place of the summary
    #[arg(long)]
    pub list: bool,
    /// List only changes of these
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',', value_enum)]
    pub what: Option<Vec<What>>,
    /// List at most so many changes [default: all with --list, 100 in the object of --json]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Leave out so many changes first
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: u64,
    /// Write every change to this file as comma-separated values too
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

/// What can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum What {
    /// What an account is
    Status,
    /// From when on an account is inactive
    InactiveAt,
    /// Whether an account is over its limit
    OverQuota,
    /// Where an item stands
    State,
    /// Why an item or a backup stands where it stands
    Cause,
    /// Until when an item can be restored
    Deadline,
    /// What is found
    Finding,
}

impl What {
    pub fn of(differs: &Differs) -> What {
        match differs {
            Differs::Status(..) => What::Status,
            Differs::InactiveAt(..) => What::InactiveAt,
            Differs::OverQuota(..) => What::OverQuota,
            Differs::State(..) => What::State,
            Differs::Cause(..) | Differs::BackupCause(..) => What::Cause,
            Differs::Deadline(..) => What::Deadline,
            Differs::Finding(..) => What::Finding,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            What::Status => "status",
            What::InactiveAt => "inactive_at",
            What::OverQuota => "over_quota",
            What::State => "state",
            What::Cause => "cause",
            What::Deadline => "deadline",
            What::Finding => "finding",
        }
    }
}

pub fn run(args: &DiffArgs, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    let (before, after) = (find_policy(&args.before)?, find_policy(&args.after)?);
    let store = population(args, question)?;
    let page = Page { before: &before, after: &after, question };
    let rules = before.differences(&after);
    let Some((store, dir)) = store else {
        if args.list || args.csv.is_some() {
            return Err(Failure::Usage(
                "there is no store to list changes of; name one with --over or --store".to_owned(),
            ));
        }
        return match question.json {
            true => screen.json(&object(&page, &rules, Value::Null)),
            false => {
                page.heading(screen, None)?;
                page.rules(screen, &rules)?;
                page.no_population(screen, args.rules_only)
            }
        };
    };
    let mut csv = args.csv.as_ref().map(|path| {
        refuse_in_store(path, &dir)?;
        let mut file = Partial::create(path)?;
        file.write(HEADER.as_bytes())?;
        Ok::<Partial, Failure>(file)
    });
    let mut csv = csv.take().transpose()?;

    let limit = match (args.limit, args.list, question.json) {
        (Some(limit), ..) => Some(limit),
        (None, true, _) => None,
        (None, false, true) => Some(IN_OBJECT),
        (None, false, false) => Some(0),
    };
    // No range need keep more rows than could be shown if all before it had none.
    let most = limit.map(|limit| args.offset.saturating_add(limit));
    let writes_csv = csv.is_some();
    let gather = |part: &mut Part, history: &History| {
        let views = [&before, &after]
            .map(|policy| fold(history, policy, question.as_of, question.known_at));
        let [Some(old), Some(new)] = views else { return };
        let differences = compare(&old, &new);
        part.totals.add(&old, &new, &differences);
        let is_asked = |differs: &Differs| {
            args.what.as_ref().is_none_or(|asked| asked.contains(&What::of(differs)))
        };
        for difference in differences.iter().filter(|difference| is_asked(&difference.what)) {
            let is_kept = most.is_none_or(|most| part.listed < most);
            part.listed += 1;
            if !is_kept && !writes_csv {
                continue;
            }
            let row = Row::of(difference, &old);
            if writes_csv {
                row.csv(&mut part.csv);
            }
            if is_kept {
                part.lines.push(match (args.list, question.json) {
                    (true, false) => Line::Row(row.cells(question)),
                    _ => Line::Json(json_line(&row)),
                });
            }
        }
    };
    if !question.json {
        page.heading(screen, Some(&dir))?;
    }
    let mut totals = Totals::default();
    let mut listed = 0;
    let mut table = Table::new(list::columns(question));
    let mut first = Vec::new();
    store.gather_accounts(gather, |part: Part| {
        totals.merge(&part.totals);
        if let Some(file) = &mut csv {
            file.write(&part.csv)?;
        }
        for (number, line) in (listed..).zip(part.lines) {
            if number < args.offset || most.is_some_and(|most| number >= most) {
                continue;
            }
            match line {
                Line::Row(cells) => table.row(screen, cells)?,
                Line::Json(line) if args.list => screen.bytes(&line)?,
                Line::Json(line) => {
                    first.push(serde_json::from_slice(&line).expect("it was written as JSON"));
                }
            }
        }
        listed += part.listed;
        Ok(())
    })?;
    table.end(screen)?;
    let csv = csv.map(Partial::end).transpose()?;
    match (args.list, question.json) {
        (true, true) => Ok(()),
        (true, false) if listed == 0 => {
            screen.line(question.pick("Nothing changes.", "没有变化。"))
        }
        (true, false) => Ok(()),
        (false, true) => {
            let shown = args.offset + first.len() as u64;
            let population = json!({
                "totals": totals.json(listed),
                "histogram": totals.histogram(),
                "changes": Value::Array(first),
                "truncated": args.offset > 0 || shown < listed,
            });
            screen.json(&object(&page, &rules, population))
        }
        (false, false) => {
            page.rules(screen, &rules)?;
            page.totals(screen, &totals, listed)?;
            question.erased_accounts_line(&store, screen)?;
            match csv {
                Some(name) => screen.line(question.pick(
                    format!("Every change is in {name}."),
                    format!("全部变化已写入 {name}。"),
                )),
                None => Ok(()),
            }
        }
    }
}

/// What a range of accounts comes to.
#[derive(Default)]
struct Part {
    totals: Totals,
    /// How many changes are asked for.
    listed: u64,
    /// The first of them, made ready.
    lines: Vec<Line>,
    /// All of them.
    csv: Vec<u8>,
}

/// The population's store and its folder: `--over`, else `--store` where it was asked for or is there.
fn population(args: &DiffArgs, question: &Question) -> Result<Option<(Store, PathBuf)>, Failure> {
    let dir = args.over.as_ref().unwrap_or(&question.store);
    let is_asked = args.over.is_some() || question.is_store_asked;
    if args.rules_only || (!is_asked && !dir.exists()) {
        return Ok(None);
    }
    Ok(Some((Store::open(dir)?, dir.clone())))
}

fn object(page: &Page<'_>, rules: &[policy::Difference], population: Value) -> Value {
    let policy =
        |policy: &policy::Policy| json!({ "policy": policy.name, "policy_hash": policy.hash() });
    let mut object = json!({
        "before": policy(page.before),
        "after": policy(page.after),
        "as_of": page.question.as_of,
        "rules": rules,
        "totals": null,
        "histogram": null,
        "changes": null,
        "truncated": false,
    });
    if let Value::Object(fields) = population {
        object.as_object_mut().expect("an object").extend(fields);
    }
    object
}
