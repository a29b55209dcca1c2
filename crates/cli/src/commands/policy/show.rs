//! What a policy says, for people.

use policy::{Clause, Policy, Stage, Version, Window};
use verifier::{reading_says, window_says};

use crate::failure::Failure;
use crate::question::Question;
use crate::show::amount;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::{self, Word};

/// Where a clause is stated, how sure that is, and when it was read, as far as it says so itself.
fn stated(clause: &Clause, question: &Question) -> String {
    let stated = &clause.stated;
    let confidence = stated.confidence.map(|confidence| confidence.word(question.lang));
    let seen = stated
        .seen
        .as_ref()
        .map(|seen| question.pick(format!("seen {seen}"), format!("查阅于 {seen}")));
    let parts = [confidence, stated.source.clone(), seen].into_iter().flatten();
    parts.collect::<Vec<_>>().join(question.pick(", ", "，"))
}

pub struct Page<'a> {
    pub policy: &'a Policy,
    pub question: &'a Question,
    pub screen: &'a mut Screen,
}

impl Page<'_> {
    pub fn show(&mut self) -> Result<(), Failure> {
        let policy = self.policy;
        let name = self.screen.styled(&policy.name, style::BOLD);
        self.screen.line(name)?;
        let zone = policy.zone.name();
        let hash = policy.hash();
        let text = self.question.pick(
            format!("time zone {zone} · policy hash {hash}"),
            format!("时区 {zone} · 政策散列 {hash}"),
        );
        paragraph(self.screen, 0, &Cell::styled(text, style::DIM))?;
        policy.versions.iter().try_for_each(|version| self.version(version))
    }

    fn version(&mut self, version: &Version) -> Result<(), Failure> {
        let question = self.question;
        let lang = question.lang;
        let (id, from) = (&version.id, version.effective_from);
        self.section(
            &format!("version {id}, in force from {from}"),
            &format!("版本 {id}，自 {from} 生效"),
        )?;
        self.rules(version)?;

        self.section("tiers", "等级")?;
        let mut tiers = Table::new([
            Column::long(question.pick("tier", "等级")),
            Column::number(question.pick("space", "空间")),
            Column::text(question.pick("trash", "回收站保留")),
            Column::text(question.pick("inactivity", "不活跃规则")),
        ])
        .indented(2);
        for tier in &version.tiers {
            let exempt = version.exempt_tiers.contains(&tier.name);
            let quota = tier.quota.map(amount::bytes);
            let cells = vec![
                (&tier.name).into(),
                quota.unwrap_or_else(|| question.pick("no limit", "不限").to_owned()).into(),
                window_says(tier.trash, lang).into(),
                if exempt {
                    question.pick("exempt", "豁免")
                } else {
                    question.pick("applies", "适用")
                }
                .into(),
            ];
            tiers.row(self.screen, cells)?;
        }
        tiers.end(self.screen)?;

        if !version.stages.is_empty() {
            self.section("stages", "阶段")?;
            let mut stages = Table::new([
                Column::text(question.pick("stage", "阶段")),
                Column::text(question.pick("when", "条件")),
                Column::text(question.pick("for", "持续")),
                Column::long(question.pick("admits", "准许")),
                Column::text(question.pick("notice", "通知期")),
            ])
            .indented(2);
            for (name, stage) in &version.stages {
                let notice =
                    (stage.notice != Window::Never).then(|| window_says(stage.notice, lang));
                let cells = vec![
                    name.into(),
                    stage.when.word(lang).into(),
                    window_says(stage.after, lang).into(),
                    admits(stage, question).into(),
                    Cell::or_dash(notice),
                ];
                stages.row(self.screen, cells)?;
            }
            stages.end(self.screen)?;
        }

        if !version.clauses.is_empty() {
            self.section("clauses", "条款")?;
            let mut clauses = Table::new([
                Column::text(question.pick("clause", "条款")),
                Column::long(question.pick("says", "内容")),
            ])
            .indented(2);
            for clause in version.clauses.iter() {
                let text = clause.text.get(lang.name()).or_else(|| clause.text.values().next());
                let mut says = text.cloned().unwrap_or_default();
                let stated = stated(clause, question);
                if !stated.is_empty() {
                    says =
                        question.pick(format!("{says} ({stated})"), format!("{says}（{stated}）"));
                }
                let says = (!says.is_empty()).then_some(says);
                clauses.row(self.screen, vec![(&clause.id).into(), Cell::or_dash(says)])?;
            }
            clauses.end(self.screen)?;
        }
        if !version.readings.is_empty() {
            self.section("other readings", "其他读法")?;
            let mut readings = Table::new([
                Column::text(question.pick("reading", "读法")),
                Column::long(question.pick("says", "含义")),
                Column::long(question.pick("sets", "设定")),
            ])
            .indented(2);
            for reading in &version.readings {
                let sets: Vec<String> =
                    reading.set.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                let says = reading_says(reading, version, lang);
                let cells = vec![(&reading.id).into(), says.into(), sets.join("; ").into()];
                readings.row(self.screen, cells)?;
            }
            readings.end(self.screen)?;
        }
        Ok(())
    }

    /// Everything of a version that is one value.
    fn rules(&mut self, version: &Version) -> Result<(), Failure> {
        let mut table = Table::new([Column::text(""), Column::long("")]).indented(2);
        for (name, value) in rules(version, self.question) {
            let value = (!value.is_empty()).then_some(value);
            let name = Cell::styled(name, style::DIM);
            table.row(self.screen, vec![name, Cell::or_dash(value)])?;
        }
        table.end(self.screen)
    }

    fn section(&mut self, en: &str, zh: &str) -> Result<(), Failure> {
        self.screen.line("")?;
        let heading = self.screen.styled(self.question.pick(en, zh), style::BOLD);
        self.screen.line(heading)
    }
}

/// What a stage admits, and of which categories.
pub fn admits(stage: &Stage, question: &Question) -> String {
    let acts: Vec<String> = stage.admits.iter().map(|act| act.word(question.lang)).collect();
    let of: Vec<&str> = stage.categories.iter().map(String::as_str).collect();
    let between = question.pick(", ", "、");
    match (acts.join(between), of.join(between)) {
        (acts, of) if of.is_empty() => acts,
        (acts, of) => question.pick(format!("{acts}: {of}"), format!("{acts}：{of}")),
    }
}

/// What a version says that is one value, under the name that people are shown.
pub fn rules(version: &Version, question: &Question) -> Vec<(&'static str, String)> {
    let lang = question.lang;
    let window = |window: Window| window_says(window, lang);
    let list = |names: &mut dyn Iterator<Item = String>| {
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            question.pick("none", "无").to_owned()
        } else {
            names.join(question.pick(", ", "、"))
        }
    };
    let trash = &version.trash;
    let rows = [
        ("confidence", "可信度", version.confidence.word(lang)),
        ("source", "来源", version.source.clone()),
        ("when a version changes", "版本变更时", version.on_change.word(lang)),
        ("whose trash window", "回收站期限", trash.basis.word(lang)),
        ("how days are counted", "天数计法", trash.days.word(lang)),
        (
            "a purge is on time within",
            "按时清除的宽限",
            match trash.purge_lag {
                Window::Never => question.pick("any time", "不限").to_owned(),
                lag => window(lag),
            },
        ),
        (
            "trash uses space",
            "回收站占用空间",
            words::yes_or_no(trash.counts_toward_quota, lang).to_owned(),
        ),
        (
            "windows of categories",
            "类别的期限",
            list(&mut trash.categories.iter().map(|(name, w)| format!("{name} {}", window(*w)))),
        ),
        (
            "categories without a trash",
            "没有回收站的类别",
            list(&mut trash.no_trash.iter().cloned()),
        ),
        (
            "the trash is full",
            "回收站何时算满",
            trash.full.map_or(question.pick("never", "不会满").to_owned(), |full| {
                let (percent, of) = (full.percent, full.of.word(lang));
                question.pick(
                    format!("above {percent} % of the {of}"),
                    format!("超过{of}的 {percent}%"),
                )
            }),
        ),
        (
            "a full trash keeps for",
            "回收站满时保留",
            trash.full.map_or(String::new(), |full| {
                let (short, shortens) = (window(full.window), full.shortens.word(lang));
                format!("{short}{}{shortens}", question.pick(", ", "，"))
            }),
        ),
        ("inactive after", "不活跃期限", window(version.inactivity_window)),
        (
            "activity is",
            "算作活动的事件",
            list(&mut version.resets.iter().map(|kind| kind.word(lang))),
        ),
        (
            "activity in every category is",
            "对每个类别都算活动的事件",
            list(&mut version.everywhere.iter().map(|kind| kind.word(lang))),
        ),
        ("by", "活动的操作者", list(&mut version.actors.iter().map(|actor| actor.word(lang)))),
        (
            "notice before a clearing",
            "清空前的通知期",
            match version.notice {
                Window::Never => question.pick("not asked", "不要求").to_owned(),
                notice => window(notice),
            },
        ),
        ("uploads over the limit", "超出空间时的上传", version.over.word(lang)),
        ("backups stale after", "备份保留", window(version.stale_after)),
        ("recorded late after", "记录过迟的界限", window(version.late_after)),
        (
            "records are kept",
            "记录保留期限",
            match version.keep {
                Window::Never => question.pick("not said", "未规定").to_owned(),
                keep => window(keep),
            },
        ),
    ];
    rows.into_iter().map(|(en, zh, value)| (question.pick(en, zh), value)).collect()
}
