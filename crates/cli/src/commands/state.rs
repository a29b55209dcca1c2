//! `state`: what one account holds.

use projection::{AccountState, BackupState, ItemRow, ItemState, Said, Status, View, fold};
use serde::Serialize;
use verifier::{Language, StateHash, state_hash};

use super::findings;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount::{bytes, count, percent};
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::{Word, undetermined};

/// Rows of a list that people are shown unless they ask for all.
const ROWS_SHOWN: usize = 20;

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    state: &'a AccountState,
    state_hash: StateHash,
}

pub fn run(
    account: &str,
    all: bool,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let policy = question.policy()?;
    let store = question.open()?;
    let history = store.history(account)?;
    let view = history
        .as_ref()
        .and_then(|history| fold(history, &policy, question.as_of, question.known_at));
    let Some(view) = view else { return Err(question.no_account(account, &store)) };
    let state = view.account_state();
    let answer = Answer { state: &state, state_hash: state_hash(&state, &policy.hash()) };
    if question.json {
        screen.json(&answer)?;
        return Ok(Outcome::Fine);
    }
    let tier = tier_shown(&view, question);
    let rows = if all { usize::MAX } else { ROWS_SHOWN };
    let mut page = Page { state: &state, tier, rows, question, screen };
    page.heading(&question.policy_line(&policy, view.version()))?;
    page.categories()?;
    page.items()?;
    page.backups()?;
    page.findings()?;
    page.section("state hash", "状态散列")?;
    page.screen.line(answer.state_hash)?;
    Ok(Outcome::Fine)
}

/// The tier as recorded, and by whose rules it is measured if the policy has no such tier.
fn tier_shown(view: &View<'_>, question: &Question) -> String {
    let Some(tier) = view.tier() else { return undetermined(question.lang).to_owned() };
    let measured = &view.version().tier(tier).name;
    match tier == measured {
        true => tier.to_owned(),
        false => question.pick(
            format!("{tier} (not in this policy; measured as {measured})"),
            format!("{tier}（此政策无此等级，按 {measured} 计）"),
        ),
    }
}

struct Page<'a> {
    state: &'a AccountState,
    tier: String,
    rows: usize,
    question: &'a Question,
    screen: &'a mut Screen,
}

impl Page<'_> {
    fn heading(&mut self, rules: &str) -> Result<(), Failure> {
        let (state, question) = (self.state, self.question);
        let lang = question.lang;
        let status = status(state.status, lang);
        let known_at = question
            .asked_known_at
            .map(|at| (question.pick("known at", "已知截至"), Cell::from(at.to_string())));
        let facts = [
            (question.pick("account", "账号"), Cell::styled(&state.account, style::BOLD)),
            (question.pick("status", "状态"), status),
            (question.pick("as of", "截至"), state.as_of.to_string().into()),
            (question.pick("tier", "等级"), (&self.tier).into()),
            (question.pick("space", "空间"), self.space()),
            (question.pick("activity", "活动"), self.activity().into()),
            (question.pick("active", "活跃期间"), self.active_spans().into()),
            (question.pick("policy", "政策"), rules.into()),
        ];
        let stages = (!state.stages.is_empty() || state.leaves_open("stages"))
            .then(|| (question.pick("stages", "阶段"), Cell::from(self.stages())));
        let facts = facts[..3].iter().cloned().chain(known_at).chain(facts[3..].iter().cloned());
        let facts = facts.chain(stages);
        let mut table = Table::new([Column::text(""), Column::long("")]);
        for (name, cell) in facts {
            table.row(self.screen, vec![Cell::styled(name, style::DIM), cell])?;
        }
        table.end(self.screen)?;
        if let Some(erased) = self.state.erased.filter(|_| !self.state.undetermined.is_empty()) {
            self.screen.line("")?;
            let (events, contents) = (count(erased.events), count(erased.contents));
            let text = question.pick(
                format!(
                    "Events of this account were erased: {events} whole, {contents} in their contents. \
                     What they may matter to is undetermined."
                ),
                format!("该账号有事件已被擦除：整条 {events} 条，仅内容 {contents} 条。可能受其影响的均无法确定。"),
            );
            paragraph(self.screen, 0, &Cell::styled(text, style::CARE))?;
        }
        Ok(())
    }

    fn space(&self) -> Cell {
        let quota = &self.state.quota;
        let lang = self.question.lang;
        let over = quota.over.unwrap_or(false);
        let Some(used_bytes) = quota.used_bytes else { return open(lang) };
        let used = bytes(used_bytes);
        if self.state.leaves_open("quota.limit_bytes") {
            let limit = undetermined(lang);
            let text = self
                .question
                .pick(format!("{used} used, limit {limit}"), format!("已用 {used}，上限{limit}"));
            return Cell::styled(text, style::CARE);
        }
        let Some(limit) = quota.limit_bytes else {
            return self
                .question
                .pick(format!("{used} used, no limit"), format!("已用 {used}，不限"))
                .into();
        };
        const BAR: u128 = 20;
        let percent = percent(used_bytes, limit).unwrap_or(if over { 100 } else { 0 });
        let full = usize::try_from((percent * BAR / 100).min(BAR)).unwrap_or(0);
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR as usize - full));
        let limit = bytes(limit);
        let style = if over { style::BAD } else { style::PLAIN };
        let over = if over { self.question.pick(", over the limit", "，已超出") } else { "" };
        let text = self.question.pick(
            format!("[{bar}] {used} of {limit}, {} %{over}", count(percent)),
            format!("[{bar}] {used} / {limit}，{} %{over}", count(percent)),
        );
        Cell::styled(text, style)
    }

    /// The stages that have begun: how far each is.
    fn stages(&self) -> String {
        let question = self.question;
        if self.state.leaves_open("stages") {
            return undetermined(question.lang).to_owned();
        }
        let begun = self.state.stages.iter().filter(|stage| stage.since.is_some());
        let says = |stage: &projection::StageRow| {
            let of = stage.category.as_ref().map(|category| format!(" ({category})"));
            let name = format!("{}{}", stage.stage, of.unwrap_or_default());
            let when = stage.when.word(question.lang);
            match stage.reached_at {
                Some(at) if stage.reached => question.pick(
                    format!("{name}: {when}, reached {at}"),
                    format!("{name}：{when}，{at} 已到"),
                ),
                Some(at) => question.pick(
                    format!("{name}: {when}, from {at} on unless it ends"),
                    format!("{name}：{when}，若不改变，{at} 起"),
                ),
                None => question.pick(
                    format!("{name}: {when}, never reached"),
                    format!("{name}：{when}，不会到"),
                ),
            }
        };
        let texts: Vec<String> = begun.map(says).collect();
        match texts.is_empty() {
            true => question.pick("none has begun", "均未开始").to_owned(),
            false => texts.join(question.pick("; ", "；")),
        }
    }

    fn activity(&self) -> String {
        let activity = &self.state.activity;
        let question = self.question;
        let last = match activity.last_at.zip(activity.last_kind) {
            Some((at, kind)) => {
                let kind = kind.word(question.lang);
                question.pick(format!("last {at}, {kind}"), format!("最近 {at}，{kind}"))
            }
            None if self.state.leaves_open("activity.last_at") => {
                question.pick("the last one undetermined", "最近一次无法确定").to_owned()
            }
            None => question.pick("none on record", "没有记录").to_owned(),
        };
        let until = match activity.inactive_at {
            None if self.state.leaves_open("activity.inactive_at") => question
                .pick("inactive from when is undetermined", "何时起不活跃无法确定")
                .to_owned(),
            Some(at) => question.pick(format!("inactive from {at}"), format!("{at} 起视为不活跃")),
            None => question.pick("never inactive", "不会变为不活跃").to_owned(),
        };
        question.pick(format!("{last}; {until}"), format!("{last}；{until}"))
    }

    fn active_spans(&self) -> String {
        if self.state.leaves_open("activity.windows") {
            return undetermined(self.question.lang).to_owned();
        }
        let spans = &self.state.activity.windows;
        let text = |span: &projection::Span| {
            let from = span.from;
            match span.to {
                Some(to) => {
                    self.question.pick(format!("{from} to {to}"), format!("{from} 至 {to}"))
                }
                None => self.question.pick(format!("from {from} on"), format!("{from} 起")),
            }
        };
        let hidden = spans.len().saturating_sub(self.rows.min(5));
        let mut texts: Vec<String> = spans.iter().skip(hidden).map(text).collect();
        if hidden > 0 {
            texts.insert(
                0,
                self.question.pick(
                    format!("{} before", count(hidden as u64)),
                    format!("此前 {} 段", count(hidden as u64)),
                ),
            );
        }
        texts.join(self.question.pick("; ", "；"))
    }

    fn section(&mut self, en: &str, zh: &str) -> Result<(), Failure> {
        self.screen.line("")?;
        let heading = self.screen.styled(self.question.pick(en, zh).to_uppercase(), style::BOLD);
        self.screen.line(heading)
    }

    /// Says that a list goes on.
    fn more(&mut self, total: usize) -> Result<(), Failure> {
        let hidden = total.saturating_sub(self.rows);
        if hidden == 0 {
            return Ok(());
        }
        let hidden = count(hidden as u64);
        let text = self.question.pick(
            format!("and {hidden} more; --all shows them"),
            format!("另有 {hidden} 项，用 --all 全部列出"),
        );
        paragraph(self.screen, 0, &Cell::styled(text, style::DIM))
    }

    fn categories(&mut self) -> Result<(), Failure> {
        let categories = &self.state.categories;
        if categories.is_empty() {
            return Ok(());
        }
        self.section("categories", "类别")?;
        let question = self.question;
        let mut table = Table::new([
            Column::long(question.pick("category", "类别")),
            Column::text(question.pick("sync", "同步")),
            Column::number(question.pick("live", "正常")),
            Column::number(question.pick("trashed", "回收站")),
            Column::number(question.pick("gone", "已不存在")),
            Column::number(question.pick("live size", "现存大小")),
        ]);
        for (name, row) in categories.iter().take(self.rows) {
            let sync = match row.sync {
                Some(true) => Cell::styled(question.pick("on", "开"), style::GOOD),
                Some(false) => Cell::styled(question.pick("off", "关"), style::CARE),
                None if self.state.leaves_open(&format!("categories.{name}.sync")) => {
                    open(question.lang)
                }
                None => Cell::or_dash(None::<&str>),
            };
            let cells = vec![
                name.into(),
                sync,
                said(row.live.map(count), question.lang),
                said(row.trashed.map(count), question.lang),
                said(row.gone.map(count), question.lang),
                said(row.bytes.map(bytes), question.lang),
            ];
            table.row(self.screen, cells)?;
        }
        table.end(self.screen)?;
        self.more(categories.len())
    }

    fn items(&mut self) -> Result<(), Failure> {
        if self.state.items.is_empty() {
            return Ok(());
        }
        self.section("items", "条目")?;
        let question = self.question;
        let lang = question.lang;
        let counts = &self.state.counts;
        let states = [
            (ItemState::Live, counts.live),
            (ItemState::Trashed, counts.trashed),
            (ItemState::Expired, counts.expired),
            (ItemState::Purged, counts.purged),
            (ItemState::Removed, counts.removed),
        ];
        let some = states.iter().filter(|(_, n)| *n != Some(0));
        let parts: Vec<String> = some
            .map(|(state, n)| {
                let state = state.word(lang);
                match n.map(count) {
                    Some(n) => question.pick(format!("{n} {state}"), format!("{state} {n}")),
                    None => {
                        let open = undetermined(lang);
                        question.pick(format!("{state} {open}"), format!("{state}{open}"))
                    }
                }
            })
            .collect();
        paragraph(self.screen, 0, &parts.join(question.pick(", ", "，")).into())?;
        let mut table = Table::new([
            Column::long(question.pick("item", "条目")),
            Column::text(question.pick("state", "状态")),
            Column::number(question.pick("days left", "剩余天数")),
            Column::text(question.pick("recoverable until", "可恢复至")),
            Column::words(question.pick("why", "原因")),
            Column::long(question.pick("category", "类别")),
            Column::number(question.pick("size", "大小")),
            Column::text(question.pick("since (UTC)", "自（UTC）")),
        ]);
        let is_open =
            |item: &str, field: &str| self.state.leaves_open(&format!("items.{item}.{field}"));
        let mut items: Vec<&ItemRow> = self.state.items.iter().collect();
        items.sort_by_key(|item| urgency(item));
        for item in items.into_iter().take(self.rows) {
            let cells = vec![
                (&item.item).into(),
                item.state.map_or_else(
                    || open(lang),
                    |state| Cell::styled(state.word(lang), style::item(state)),
                ),
                Cell::or_dash(item.remaining_days.map(|days| days.to_string())),
                match (item.state, item.recoverable_until) {
                    (Some(_), None) if is_open(&item.item, "recoverable_until") => open(lang),
                    (Some(ItemState::Trashed), None) => question.pick("no limit", "不限").into(),
                    (_, until) => Cell::or_dash(until.map(|until| until.to_string())),
                },
                match item.cause {
                    None if is_open(&item.item, "cause") => open(lang),
                    cause => Cell::or_dash(cause.map(|cause| cause.word(lang))),
                },
                match &item.category {
                    None if is_open(&item.item, "category") => open(lang),
                    category => Cell::or_dash(category.as_deref()),
                },
                of_known(item.state, item.bytes.map(bytes), lang),
                of_known(item.state, item.since.map(|at| at.to_string()[..10].to_owned()), lang),
            ];
            table.row(self.screen, cells)?;
        }
        table.end(self.screen)?;
        self.more(self.state.items.len())
    }

    fn backups(&mut self) -> Result<(), Failure> {
        let backups = &self.state.backups;
        if backups.is_empty() {
            return Ok(());
        }
        self.section("backups", "备份")?;
        let question = self.question;
        let lang = question.lang;
        let mut table = Table::new([
            Column::long(question.pick("backup", "备份")),
            Column::text(question.pick("state", "状态")),
            Column::words(question.pick("why", "原因")),
            Column::number(question.pick("size", "大小")),
            Column::text(question.pick("since (UTC)", "自（UTC）")),
        ]);
        let mut rows: Vec<_> = backups.iter().collect();
        rows.sort_by_key(|backup| backup.state != Some(BackupState::Kept));
        for backup in rows.into_iter().take(self.rows) {
            let cause = format!("backups.{}.cause", backup.backup);
            let since = backup.since.map(|at| at.to_string()[..10].to_owned());
            let cells = vec![
                (&backup.backup).into(),
                backup.state.map_or_else(
                    || open(lang),
                    |state| Cell::styled(state.word(lang), style::backup(state)),
                ),
                match backup.cause {
                    None if self.state.leaves_open(&cause) => open(lang),
                    cause => Cell::or_dash(cause.map(|cause| cause.word(lang))),
                },
                of_known(backup.state, backup.bytes.map(bytes), lang),
                of_known(backup.state, since, lang),
            ];
            table.row(self.screen, cells)?;
        }
        table.end(self.screen)?;
        self.more(backups.len())
    }

    fn findings(&mut self) -> Result<(), Failure> {
        let found = &self.state.findings;
        if found.is_empty() {
            return Ok(());
        }
        self.section("findings", "问题")?;
        let mut table = Table::new(findings::columns(self.question, false));
        // The gravest first; among equals the first first.
        let mut rows: Vec<_> = found.iter().collect();
        rows.sort_by_key(|row| row.severity);
        for row in rows.into_iter().take(self.rows) {
            table.row(self.screen, findings::row(row, self.question, false))?;
        }
        table.end(self.screen)?;
        self.more(found.len())
    }
}

/// What erased events leave open.
fn open(lang: Language) -> Cell {
    Cell::styled(undetermined(lang), style::CARE)
}

/// A text, unless it is left open.
pub fn said(text: Said<String>, lang: Language) -> Cell {
    text.map_or_else(|| open(lang), Cell::from)
}

/// The same in the row of something; of an unknown state the rest of the row is left out.
fn of_known<T>(state: Said<T>, text: Said<String>, lang: Language) -> Cell {
    match (state, text) {
        (None, _) => Cell::or_dash(None::<&str>),
        (_, text) => said(text, lang),
    }
}

/// An account's status.
pub fn status(status: Said<Status>, lang: Language) -> Cell {
    status.map_or_else(|| open(lang), |s| Cell::styled(s.word(lang), style::status(s)))
}

/// What can still be saved comes first, the soonest lost before all; then what waits for its purge,
/// what is live, and what is gone.
fn urgency(item: &ItemRow) -> (u8, Option<i64>) {
    match item.state {
        Some(ItemState::Trashed) => (0, Some(item.recoverable_until.map_or(i64::MAX, |t| t.ms()))),
        Some(ItemState::Expired) => (1, item.recoverable_until.map(|t| t.ms())),
        Some(ItemState::Live) => (2, None),
        None => (3, None),
        Some(ItemState::Purged | ItemState::Removed) => (4, None),
    }
}
