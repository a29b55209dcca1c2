//! The summary of a diff, for people.

use std::path::Path;

use policy::{Difference, Policy, Setting};
use projection::{FindingCode, Tally};

use super::totals::{Bucket, Moves, Totals};
use crate::failure::Failure;
use crate::question::Question;
use crate::show::amount::{self, count, counted};
use crate::show::escape::escaped_path;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, Column, Table, paragraph};
use crate::show::words::{self, Word};

/// Two policies, before and after.
pub struct Page<'a> {
    pub before: &'a Policy,
    pub after: &'a Policy,
    pub question: &'a Question,
}

impl Page<'_> {
    /// Which policies, and over what.
    pub fn heading(&self, screen: &mut Screen, store: Option<&Path>) -> Result<(), Failure> {
        let question = self.question;
        let name = |policy: &Policy| format!("{} {}", policy.name, &policy.hash().to_string()[..8]);
        let names = format!("{} → {}", name(self.before), name(self.after));
        paragraph(screen, 0, &Cell::styled(names, style::BOLD))?;
        let Some(store) = store else { return Ok(()) };
        let (store, as_of) = (escaped_path(store), question.as_of);
        let text = question
            .pick(format!("over {store} as of {as_of}"), format!("对象：{store}，截至 {as_of}"));
        paragraph(screen, 0, &Cell::styled(text, style::DIM))?;
        question.known_at_line(screen)
    }

    /// What differs in the rules.
    pub fn rules(&self, screen: &mut Screen, rules: &[Difference]) -> Result<(), Failure> {
        let question = self.question;
        self.section(screen, "rules", "规则")?;
        if rules.is_empty() {
            return screen.line(question.pick("  The rules are the same.", "  规则相同。"));
        }
        let mut table = Table::new([
            Column::long(question.pick("version", "版本")),
            Column::long(question.pick("key", "键")),
            Column::long(question.pick("before → after", "之前 → 之后")),
        ])
        .indented(2);
        let value = |setting: &Option<Setting>| match setting {
            None => "-".to_owned(),
            Some(Setting::Text(text)) if !text.is_empty() => text.clone(),
            Some(other) => other.to_string(),
        };
        for rule in rules {
            let cells = vec![
                Cell::or_dash(rule.version.as_deref()),
                (&rule.key).into(),
                format!("{} → {}", value(&rule.before), value(&rule.after)).into(),
            ];
            table.row(screen, cells)?;
        }
        table.end(screen)
    }

    /// That there is none, unless none was asked for.
    pub fn no_population(&self, screen: &mut Screen, is_asked: bool) -> Result<(), Failure> {
        if is_asked {
            return Ok(());
        }
        screen.line("")?;
        let store = escaped_path(&self.question.store);
        let text = self.question.pick(
            format!("There is no store at {store}, so no account is looked at: --over names one."),
            format!("{store} 处没有日志库，未比较账号：用 --over 指定。"),
        );
        paragraph(screen, 0, &text.into())
    }

    /// What changes in the population.
    pub fn totals(
        &self,
        screen: &mut Screen,
        totals: &Totals,
        changes: u64,
    ) -> Result<(), Failure> {
        let question = self.question;
        self.section(screen, "population", "人群")?;
        if totals.before.accounts == 0 {
            return screen.line(
                question.pick("  No account is on record as of then.", "  截至当时没有账号。"),
            );
        }
        if totals.undetermined > 0 {
            let text = question.pick(
                format!(
                    "Events of {} were erased: only what certainly changes is counted.",
                    counted(totals.undetermined, "account")
                ),
                format!(
                    "{} 个账号有事件已被擦除：只计入可以确定的变化。",
                    count(totals.undetermined)
                ),
            );
            paragraph(screen, 2, &Cell::styled(text, style::CARE))?;
        }
        if totals.accounts_changed == 0 && totals.before == totals.after {
            let accounts = totals.before.accounts;
            return screen.line(question.pick(
                format!("  Nothing changes for {}.", counted(accounts, "account")),
                format!("  {} 个账号均无变化。", count(accounts)),
            ));
        }
        let text = question.pick(
            format!(
                "{} of {} and {} change.",
                count(totals.accounts_changed),
                counted(totals.before.accounts, "account"),
                counted(totals.items_changed, "item"),
            ),
            format!(
                "{} 个账号中有 {} 个发生变化，涉及 {} 个项目。",
                count(totals.before.accounts),
                count(totals.accounts_changed),
                count(totals.items_changed),
            ),
        );
        paragraph(screen, 2, &text.into())?;
        self.sums(screen, totals)?;
        self.transitions(screen, totals)?;
        self.findings(screen, totals)?;
        self.histogram(screen, totals)?;
        screen.line("")?;
        let text = question.pick(
            format!("{}: --list shows them, --csv FILE keeps them.", counted(changes, "change")),
            format!("共 {} 处变化：--list 列出，--csv FILE 存为文件。", count(changes)),
        );
        paragraph(screen, 0, &text.into())
    }

    /// How many there are before and after.
    fn sums(&self, screen: &mut Screen, totals: &Totals) -> Result<(), Failure> {
        let question = self.question;
        let lang = question.lang;
        let mut table = Table::new([
            Column::long(question.pick("how many", "数量")),
            Column::number(question.pick("before", "之前")),
            Column::number(question.pick("after", "之后")),
            Column::number(question.pick("difference", "差")),
        ])
        .indented(2);
        let mut row = |name: String, of: &dyn Fn(&Tally) -> u128, bytes: bool| {
            let (before, after) = (of(&totals.before), of(&totals.after));
            if before == after {
                return Ok(());
            }
            let text = |n: u128| if bytes { amount::bytes(n) } else { count(n) };
            let sign = if after < before { "-" } else { "+" };
            let difference = format!("{sign}{}", text(after.abs_diff(before)));
            let cells =
                vec![name.into(), text(before).into(), text(after).into(), difference.into()];
            table.row(screen, cells)
        };
        let items = |word: String| question.pick(format!("items {word}"), format!("项目：{word}"));
        let accounts =
            |word: String| question.pick(format!("accounts {word}"), format!("账号：{word}"));
        use projection::ItemState as S;
        row(items(S::Live.word(lang)), &|tally| tally.items.live.into(), false)?;
        row(items(S::Trashed.word(lang)), &|tally| tally.items.trashed.into(), false)?;
        row(items(S::Expired.word(lang)), &|tally| tally.items.expired.into(), false)?;
        row(items(S::Purged.word(lang)), &|tally| tally.items.purged.into(), false)?;
        row(items(S::Removed.word(lang)), &|tally| tally.items.removed.into(), false)?;
        row(question.pick("bytes used", "已用空间").to_owned(), &|tally| tally.used_bytes, true)?;
        for status in projection::Status::ALL {
            row(accounts(status.word(lang)), &|tally| tally.status(*status).into(), false)?;
        }
        let over = question.pick("accounts over the limit", "超出空间的账号").to_owned();
        row(over, &|tally| tally.over_quota.into(), false)?;
        for severity in projection::Severity::ALL {
            let word = severity.word(lang);
            let name = question.pick(format!("findings, {word}"), format!("问题：{word}"));
            row(name, &|tally| tally.severity(*severity).into(), false)?;
        }
        table.end(screen)
    }

    /// From what to what.
    fn transitions(&self, screen: &mut Screen, totals: &Totals) -> Result<(), Failure> {
        let question = self.question;
        let lang = question.lang;
        let states = totals.states.iter().map(|((before, after), items)| {
            let (before, after) = (before.word(lang), after.word(lang));
            (question.pick("items", "项目"), format!("{before} → {after}"), *items)
        });
        let statuses = totals.statuses.iter().map(|((before, after), accounts)| {
            let (before, after) = (before.word(lang), after.word(lang));
            (question.pick("accounts", "账号"), format!("{before} → {after}"), *accounts)
        });
        let moves = |what: &'static str, moves: &Moves| {
            let named = moves.named().into_iter().filter(|(.., count)| *count > 0);
            named
                .map(move |(_, en, zh, count)| (what, question.pick(en, zh).to_owned(), count))
                .collect::<Vec<_>>()
        };
        let deadlines = moves(question.pick("deadlines", "期限"), &totals.deadlines);
        let inactive = moves(question.pick("inactive from", "不活跃起算"), &totals.inactive_at);
        let over = [
            (question.pick("come to be over the limit", "变为超出空间"), totals.over_quota[0]),
            (
                question.pick("are not over the limit any more", "不再超出空间"),
                totals.over_quota[1],
            ),
        ];
        let over = over.into_iter().filter(|(_, count)| *count > 0);
        let over = over.map(|(text, n)| (question.pick("accounts", "账号"), text.to_owned(), n));
        let rows: Vec<_> =
            states.chain(statuses).chain(over).chain(deadlines).chain(inactive).collect();
        if rows.is_empty() {
            return Ok(());
        }
        screen.line("")?;
        let mut table = Table::new([
            Column::text(question.pick("of", "对象")),
            Column::long(question.pick("change", "变化")),
            Column::number(question.pick("how many", "数量")),
        ])
        .indented(2);
        for (of, change, n) in rows {
            table.row(screen, vec![of.into(), change.into(), count(n).into()])?;
        }
        table.end(screen)
    }

    fn findings(&self, screen: &mut Screen, totals: &Totals) -> Result<(), Failure> {
        let question = self.question;
        if totals.findings.is_empty() {
            return Ok(());
        }
        screen.line("")?;
        let mut table = Table::new([
            Column::text(question.pick("severity", "级别")),
            Column::words(question.pick("finding", "问题")),
            Column::number(question.pick("before", "之前")),
            Column::number(question.pick("after", "之后")),
            Column::number(question.pick("come", "新增")),
            Column::number(question.pick("gone", "消失")),
            Column::number(question.pick("moved", "移动")),
        ])
        .indented(2);
        let mut codes: Vec<FindingCode> = totals.findings.keys().copied().collect();
        codes.sort_by_key(|code| (code.severity(), *code));
        for code in codes {
            let found = totals.findings[&code];
            let severity = code.severity();
            let mut cells = vec![
                Cell::styled(severity.word(question.lang), style::severity(severity)),
                words::finding(code, question.lang).into(),
            ];
            let numbers = [
                totals.before.finding(code),
                totals.after.finding(code),
                found.come,
                found.gone,
                found.moved,
            ];
            cells.extend(numbers.map(|n| Cell::from(count(n))));
            table.row(screen, cells)?;
        }
        table.end(screen)
    }

    fn histogram(&self, screen: &mut Screen, totals: &Totals) -> Result<(), Failure> {
        let question = self.question;
        let bars: Vec<Bucket> = totals.histogram();
        let bars = bars.into_iter().filter(|bar| bar.deadlines + bar.inactive_at > 0);
        let bars: Vec<Bucket> = bars.collect();
        let most = bars.iter().map(|bar| bar.deadlines.max(bar.inactive_at)).max();
        let Some(most) = most else { return Ok(()) };
        screen.line("")?;
        let mut table = Table::new([
            Column::text(question.pick("days", "天数")),
            Column::number(question.pick("deadlines", "期限")),
            Column::number(question.pick("inactive from", "不活跃起算")),
            Column::text(""),
        ])
        .indented(2);
        for bar in bars {
            const WIDTH: u128 = 24;
            let longer = u128::from(bar.deadlines.max(bar.inactive_at));
            // A bar is never nothing.
            let width = (longer * WIDTH).div_ceil(u128::from(most)) as usize;
            let cells = vec![
                self.days(&bar).into(),
                count(bar.deadlines).into(),
                count(bar.inactive_at).into(),
                Cell::styled("▇".repeat(width), style::DIM),
            ];
            table.row(screen, cells)?;
        }
        table.end(screen)
    }

    fn days(&self, bar: &Bucket) -> String {
        match (bar.days_from, bar.days_to) {
            (Some(0), _) => self.question.pick("less than one", "不足一天").to_owned(),
            (Some(from), Some(to)) if from == to => format!("{from:+}"),
            (Some(from), Some(to)) => format!("{from:+} … {to:+}"),
            (Some(from), None) => format!("{from:+} …"),
            (None, Some(to)) => format!("{to:+} …"),
            (None, None) => unreachable!("a bar has a bound"),
        }
    }

    fn section(&self, screen: &mut Screen, en: &str, zh: &str) -> Result<(), Failure> {
        screen.line("")?;
        let heading = screen.styled(self.question.pick(en, zh), style::BOLD);
        screen.line(heading)
    }
}
