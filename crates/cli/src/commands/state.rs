//! `state`: what one account holds.

use projection::{AccountState, BackupState, ItemRow, ItemState, View, fold};
use serde::Serialize;
use verifier::{StateHash, state_hash};

use super::findings;
use crate::failure::{Failure, Outcome};
use crate::question::Question;
use crate::show::amount::{bytes, count, percent};
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::Word;

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
    let tier = view.tier();
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
        let status = Cell::styled(state.status.word(lang), style::status(state.status));
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
        let stages = (!state.stages.is_empty())
            .then(|| (question.pick("stages", "阶段"), Cell::from(self.stages())));
        let facts = facts[..3].iter().cloned().chain(known_at).chain(facts[3..].iter().cloned());
        let facts = facts.chain(stages);
        let mut table = Table::new([Column::text(""), Column::long("")]);
        for (name, cell) in facts {
            table.row(self.screen, vec![Cell::styled(name, style::DIM), cell])?;
        }
        table.end(self.screen)
    }

    fn space(&self) -> Cell {
        let quota = &self.state.quota;
        let used = bytes(quota.used_bytes);
        let Some(limit) = quota.limit_bytes else {
            return self
                .question
                .pick(format!("{used} used, no limit"), format!("已用 {used}，不限"))
                .into();
        };
        const BAR: u128 = 20;
        let percent = percent(quota.used_bytes, limit).unwrap_or(if quota.over { 100 } else { 0 });
        let full = usize::try_from((percent * BAR / 100).min(BAR)).unwrap_or(0);
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR as usize - full));
        let limit = bytes(limit);
        let over =
            if quota.over { self.question.pick(", over the limit", "，已超出") } else { "" };
        let text = self.question.pick(
            format!("[{bar}] {used} of {limit}, {} %{over}", count(percent)),
            format!("[{bar}] {used} / {limit}，{} %{over}", count(percent)),
        );
        Cell::styled(text, if quota.over { style::BAD } else { style::PLAIN })
    }

    /// The stages that have begun: how far each is.
    fn stages(&self) -> String {
        let question = self.question;
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
            None => question.pick("none on record", "没有记录").to_owned(),
        };
        let until = match activity.inactive_at {
            Some(at) => question.pick(format!("inactive from {at}"), format!("{at} 起视为不活跃")),
            None => question.pick("never inactive", "不会变为不活跃").to_owned(),
        };
        question.pick(format!("{last}; {until}"), format!("{last}；{until}"))
    }

    fn active_spans(&self) -> String {
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
                None => Cell::or_dash(None::<&str>),
            };
            let cells = vec![
                name.into(),
                sync,
                count(row.live).into(),
                count(row.trashed).into(),
                count(row.gone).into(),
                bytes(row.bytes).into(),
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
        let some = states.iter().filter(|(_, n)| *n > 0);
        let parts: Vec<String> = some
            .map(|(state, n)| match lang {
                verifier::Language::En => format!("{} {}", count(*n), state.word(lang)),
                verifier::Language::Zh => format!("{} {}", state.word(lang), count(*n)),
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
        let mut items: Vec<&ItemRow> = self.state.items.iter().collect();
        items.sort_by_key(|item| urgency(item));
        for item in items.into_iter().take(self.rows) {
            let cells = vec![
                (&item.item).into(),
                Cell::styled(item.state.word(lang), style::item(item.state)),
                Cell::or_dash(item.remaining_days.map(|days| days.to_string())),
                match (item.state, item.recoverable_until) {
                    (ItemState::Trashed, None) => question.pick("no limit", "不限").into(),
                    (_, until) => Cell::or_dash(until.map(|until| until.to_string())),
                },
                Cell::or_dash(item.cause.map(|cause| cause.word(lang))),
                Cell::or_dash(item.category.as_deref()),
                bytes(item.bytes).into(),
                item.since.to_string()[..10].into(),
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
        rows.sort_by_key(|backup| backup.state != BackupState::Kept);
        for backup in rows.into_iter().take(self.rows) {
            let cells = vec![
                (&backup.backup).into(),
                Cell::styled(backup.state.word(lang), style::backup(backup.state)),
                Cell::or_dash(backup.cause.map(|cause| cause.word(lang))),
                bytes(backup.bytes).into(),
                backup.since.to_string()[..10].into(),
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

/// What can still be saved comes first, the soonest lost before all; then what waits for its purge,
/// what is live, and what is gone.
fn urgency(item: &ItemRow) -> (u8, Option<i64>) {
    match item.state {
        ItemState::Trashed => (0, Some(item.recoverable_until.map_or(i64::MAX, |t| t.ms()))),
        ItemState::Expired => (1, item.recoverable_until.map(|t| t.ms())),
        ItemState::Live => (2, None),
        ItemState::Purged | ItemState::Removed => (3, None),
    }
}
