//! The page: one file, with nothing in it that is fetched or run. What is put into it is escaped by
//! `maud`, and characters that hide or turn text are spelled out before.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use policy::DEFAULT_PRESET;
use projection::Severity;

use super::Report;
use super::gather::Taken;
use crate::show::amount::{count, counted};
use crate::show::escape::{escaped, typed_path};
use crate::show::words::Word;

/// Nothing may be fetched or run, whatever a name says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                      form-action 'none'";

/// The page of a report.
pub fn page(report: &Report<'_>) -> Markup {
    let lang = report.question.lang;
    let title = report.title();
    html! {
        (DOCTYPE)
        html lang=(lang.pick("en", "zh-CN")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content=(concat!("stillthere ", env!("CARGO_PKG_VERSION")));
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    p .soft { (report.subtitle()) }
                    (report.verdict())
                    (report.key_figures())
                    (report.asked())
                }
                main {
                    (report.found())
                    (report.taken())
                    (report.there())
                    (report.readings())
                    (report.policy())
                    (report.log())
                }
                footer { (report.again()) }
            }
        }
    }
}

/// A name from the log or a policy, kept apart from the text around it.
pub fn name(text: &str) -> Markup {
    html! { bdi { (escaped(text)) } }
}

/// What a column of a table is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Words,
    /// Sentences, which want room.
    Says,
    Numbers,
}

/// A table with a heading for each column and, in a row, the first cell for the row.
pub struct Table<'a> {
    pub caption: &'a str,
    pub columns: &'a [(&'a str, Of)],
    pub rows: Vec<Vec<Markup>>,
    /// A last row that adds up those before it.
    pub sum: Option<Vec<Markup>>,
}

impl Table<'_> {
    pub fn show(&self) -> Markup {
        let class = |of: Of| match of {
            Of::Words => None,
            Of::Says => Some("says"),
            Of::Numbers => Some("n"),
        };
        // Of few columns the numbers stand near their names.
        let is_small = self.columns.len() <= 3;
        let cells = |row: &[Markup]| {
            html! {
                @for (at, (cell, (_, of))) in row.iter().zip(self.columns).enumerate() {
                    @if at == 0 { th .name scope="row" { (cell) } }
                    @else { td class=[class(*of)] { (cell) } }
                }
            }
        };
        html! {
            // It can be scrolled by keys where it is wider than the window.
            div .wide role="region" tabindex="0" aria-label=(self.caption) {
                table class=[is_small.then_some("small")] {
                    caption { (self.caption) }
                    thead { tr { @for (heading, of) in self.columns {
                        th scope="col" class=[class(*of)] { (heading) }
                    } } }
                    tbody { @for row in &self.rows { tr { (cells(row)) } } }
                    @if let Some(sum) = &self.sum { tfoot { tr { (cells(sum)) } } }
                }
            }
        }
    }
}

impl Report<'_> {
    /// In English or in Chinese.
    pub fn pick<T>(&self, en: T, zh: T) -> T {
        self.question.lang.pick(en, zh)
    }

    fn title(&self) -> String {
        match self.month {
            Some(month) => {
                let (year, number) = (month.year, month.month);
                const MONTHS: [&str; 12] = [
                    "January",
                    "February",
                    "March",
                    "April",
                    "May",
                    "June",
                    "July",
                    "August",
                    "September",
                    "October",
                    "November",
                    "December",
                ];
                let en = MONTHS[usize::try_from(number - 1).expect("1 to 12")];
                self.pick(
                    format!("What was kept and lost: {en} {year}"),
                    format!("数据留存报告：{year} 年 {number} 月"),
                )
            }
            None => {
                let day = &self.as_of.to_string()[..10];
                self.pick(
                    format!("What was kept and lost, up to {day}"),
                    format!("数据留存报告：截至 {day}"),
                )
            }
        }
    }

    fn subtitle(&self) -> Markup {
        let version = self.policy.version_at(self.as_of);
        let confidence = version.confidence.word(self.question.lang);
        html! {
            (self.pick("Accounts of one log, judged by the policy ", "按政策 "))
            (name(&self.policy.name)) " " (name(&version.id))
            (self.pick(format!(" ({confidence})."), format!("（{confidence}）审查一份日志中的账号。")))
        }
    }

    /// The most important in a sentence.
    fn verdict(&self) -> Markup {
        let breaches = self.figures.severe(Severity::Breach);
        let accounts = self.figures.accounts;
        let class = if breaches == 0 { "verdict good" } else { "verdict grave" };
        let (n, of) = (count(breaches), counted(accounts, "account"));
        let of_zh = count(accounts);
        let text = match (accounts, breaches) {
            (0, _) => self.pick(
                "The log has nothing on record up to then.".to_owned(),
                "截至此时，日志中没有任何记录。".to_owned(),
            ),
            (_, 0) => self.pick(
                format!("No breach of the policy was found in {of}."),
                format!("在 {of_zh} 个账号中未发现违反政策之处。"),
            ),
            (_, 1) => self.pick(
                format!("1 breach of the policy was found in {of}."),
                format!("在 {of_zh} 个账号中发现 1 处违反政策。"),
            ),
            _ => self.pick(
                format!("{n} breaches of the policy were found in {of}."),
                format!("在 {of_zh} 个账号中发现 {n} 处违反政策。"),
            ),
        };
        let depends = self.readings_that_matter();
        html! {
            p class=(class) { (text) }
            @if depends > 0 {
                p { (self.pick(
                    format!("{depends} of {} other ways to read the policy would change figures of this page: ",
                        self.readings.len()),
                    format!("政策另有 {} 种读法，其中 {depends} 种会改变本页的数字：", self.readings.len()),
                )) a href="#readings" { (self.pick("see the readings", "见“读法”一节")) } (self.pick(".", "。")) }
            }
        }
    }

    fn key_figures(&self) -> Markup {
        let [live, trashed, expired, ..] = self.figures.states();
        let of = |taken: Taken| self.figures.taken[taken as usize].iter().sum::<u64>();
        let kept = trashed.items + expired.items;
        let figures = [
            (self.figures.severe(Severity::Breach), ["breach", "breaches"], "违规"),
            (self.figures.severe(Severity::Warning), ["warning", "warnings"], "警告"),
            (of(Taken::Early), ["taken early"; 2], "提前清除"),
            (of(Taken::Late), ["purged late"; 2], "逾期清除"),
            (live.items, ["item live", "items live"], "正常的项目"),
            (kept, ["item deleted, not purged", "items deleted, not purged"], "已删未清除的项目"),
        ];
        html! {
            ul .figures { @for (number, en, zh) in figures {
                li { b { (count(number)) } " " (self.pick(en[usize::from(number != 1)], zh)) }
            } }
        }
    }

    /// What was asked, in words that leave nothing open.
    fn asked(&self) -> Markup {
        let (from, to) = (self.period.from, self.period.to);
        let zone = self.policy.zone.name();
        let period = match self.month {
            Some(_) => self.pick(
                format!("from {from} to {to}, both included: by the calendar of {zone}"),
                format!("{from} 至 {to}（含首尾），按 {zone} 的日历"),
            ),
            None => {
                self.pick(format!("all that occurred up to {to}"), format!("截至 {to} 发生的一切"))
            }
        };
        html! {
            dl {
                dt { (self.pick("Period", "期间")) } dd { (period) }
                dt { (self.pick("States as of", "状态截至")) } dd { (self.as_of) }
                dt { (self.pick("By what was recorded to", "记录截至")) } dd { (self.known_at) }
                dt { (self.pick("Events", "事件")) }
                dd {
                    (count(self.figures.events)) " "
                    (self.pick(
                        format!("counted, {} of them in the period", count(self.figures.events_of_period)),
                        format!("条，其中期间内 {} 条", count(self.figures.events_of_period)),
                    ))
                }
            }
            @if self.figures.undetermined > 0 {
                p { (self.pick(
                    format!(
                        "Of {} events were erased that may matter. What they leave undetermined is in no figure of this page, so figures are at least as large as they stand here.",
                        counted(self.figures.undetermined, "account"),
                    ),
                    format!(
                        "{} 个账号有可能相关的事件已被擦除。因此无法确定的，不计入本页任何数字；各数字均为下限。",
                        count(self.figures.undetermined),
                    ),
                )) }
            }
            @let erased = self.log.erased.accounts;
            @if erased > 0 {
                @let (were, are) = if erased == 1 { ("was", "is") } else { ("were", "are") };
                p { (self.pick(
                    format!(
                        "{} that {were} erased {are} in no figure of this page.",
                        counted(erased, "account"),
                    ),
                    format!("另有 {} 个账号已擦除，不计入本页任何数字。", count(erased)),
                )) }
            }
            p .soft { (self.pick(
                "Times are in UTC. Findings, breaches and what was taken are those of the period; states are as of the instant above.",
                "时间均为 UTC。发现的问题、违规和清除均为期间内的；状态为上述时刻的。",
            )) }
        }
    }

    /// How to make the page again, and what it does not say.
    fn again(&self) -> Markup {
        html! {
            h2 { (self.pick("How to make and check this page", "如何重做并核对本页")) }
            p { (self.pick(
                "On this log and this version of the program, this command gives the same bytes:",
                "用同一日志和同一版本的程序，下列命令得出逐字节相同的页面：",
            )) }
            pre { code { (self.command()) } }
            p { (self.pick(
                "The root above stands for every event. Whoever noted it, or a checkpoint, earlier and elsewhere can tell whether the log was changed since:",
                "上列树根代表每一条事件。此前在别处记下树根或检查点的人，可据此判断日志是否被改动：",
            )) }
            pre { code { "stillthere verify --expect-root " (commitment::hex(&self.log.root)) } }
            h3 { (self.pick("What it does not show", "本页不能说明的")) }
            ul {
                li { (self.pick(
                    "What was never recorded. A log says what its sources told it, and when.",
                    "从未记录的事。日志只反映来源告知的内容和时间。",
                )) }
                li { (self.pick(
                    "That nobody wrote the whole log anew. Only a root or checkpoint that was kept elsewhere shows that.",
                    "整份日志没有被重写。只有另存于别处的树根或检查点能证明这一点。",
                )) }
                @if self.policy.version_at(self.as_of).confidence != policy::Confidence::Official {
                    li { (self.pick(
                        "That the provider promised this. The policy in force is not the provider's own text (see its confidence).",
                        "服务方作出过这些承诺。所用政策并非服务方的原文（见可信度）。",
                    )) }
                }
            }
            p .soft { "stillthere " (env!("CARGO_PKG_VERSION")) }
        }
    }

    /// What is asked of other verbs to answer as this page does.
    pub fn options(&self) -> String {
        let policy = self.question.policy_asked();
        let policy = match policy.as_os_str() == DEFAULT_PRESET {
            true => DEFAULT_PRESET.to_owned(),
            false => typed_path(policy),
        };
        let (as_of, known_at) = (self.as_of, self.known_at);
        let store = self.question.store.as_path();
        let store = match store == std::path::Path::new("./stillthere.store") {
            true => String::new(),
            false => format!("--store {} ", typed_path(store)),
        };
        format!("{store}--policy {policy} --as-of {as_of} --known-at {known_at}")
    }

    fn command(&self) -> String {
        let month = self.month.map_or(String::new(), |month| format!(" --month {month}"));
        let lang = self.question.lang.name();
        format!("stillthere {} --lang {lang} report{month} -o report.html", self.options())
    }
}
