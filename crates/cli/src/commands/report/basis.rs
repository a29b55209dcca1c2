//! The sections that tell what the figures rest on: readings, policy, log.

use maud::{Markup, html};
use policy::{Version, Window};
use projection::Severity;
use verifier::{reading_says, window_says};

use super::Report;
use super::page::{Of, Table, name};
use crate::commands::policy::show::{admits, rules};
use crate::show::amount::{bytes, count, counted};
use crate::show::words::Word;

impl Report<'_> {
    /// How many readings would change a figure.
    pub fn readings_that_matter(&self) -> usize {
        self.figures.readings.iter().filter(|differs| !differs.is_none()).count()
    }

    /// What the other readings of the policy would change.
    pub fn readings(&self) -> Markup {
        let lang = self.question.lang;
        let count = |n: u64| html! { (count(n)) };
        let rows = self.readings.iter().zip(&self.figures.readings).map(|((id, _), differs)| {
            // What it says in the latest version that has it, as of then.
            let until = self.policy.version_index_at(self.as_of);
            let versions = self.policy.versions[..=until].iter().rev();
            let says = versions.flat_map(|version| {
                let reading = version.readings.iter().find(|reading| reading.id == *id)?;
                Some(reading_says(reading, version, lang))
            });
            vec![
                name(id),
                html! { (name(&says.into_iter().next().unwrap_or_default())) },
                count(differs.states),
                count(differs.deadlines),
                count(differs.statuses),
                html! {
                    @if (differs.more, differs.fewer) == (0, 0) { "0" }
                    @else { "+" (count(differs.more)) " −" (count(differs.fewer)) }
                },
                count(differs.breaches),
            ]
        });
        let as_it_stands = vec![
            html! { (self.pick("as it stands", "政策本文")) },
            html! { "–" },
            html! { "–" },
            html! { "–" },
            html! { "–" },
            html! { "–" },
            count(self.figures.severe(Severity::Breach)),
        ];
        let table = Table {
            caption: self.pick(
                "What each reading would change, alone: as of then, and of the findings of the period",
                "各读法单独适用时的变化：当时的状态，以及期间内的问题",
            ),
            columns: &[
                (self.pick("Reading", "读法"), Of::Words),
                (self.pick("Says", "含义"), Of::Says),
                (self.pick("Items in another state", "状态不同的项目"), Of::Numbers),
                (self.pick("with another deadline", "期限不同的项目"), Of::Numbers),
                (self.pick("Accounts of another status", "状态不同的账号"), Of::Numbers),
                (self.pick("Findings", "问题增减"), Of::Numbers),
                (self.pick("Breaches", "违规"), Of::Numbers),
            ],
            rows: [as_it_stands].into_iter().chain(rows).collect(),
            sum: None,
        };
        html! {
            section aria-labelledby="readings" {
                h2 id="readings" { (self.pick("Readings that matter", "有影响的读法")) }
                @if self.readings.is_empty() {
                    p { (self.pick(
                        "The policy names no other way to read it.",
                        "政策没有列出其他读法。",
                    )) }
                } @else {
                    p { (self.pick(
                        "Where the policy's text can be read in more than one way, the same events were judged each way. A row of zeros is a dispute that does not matter here.",
                        "政策文本可有多种读法之处，同一批事件按每种读法分别审查。一行全为零，表示该争议在此没有影响。",
                    )) }
                    (table.show())
                }
            }
        }
    }

    /// The policy: the versions in force in the period.
    pub fn policy(&self) -> Markup {
        let policy = self.policy;
        let first = policy.version_index_at(self.period.from);
        let last = policy.version_index_at(self.as_of);
        html! {
            section aria-labelledby="policy" {
                h2 id="policy" { (self.pick("The policy in force", "所用政策")) }
                dl {
                    dt { (self.pick("Name", "名称")) } dd { (name(&policy.name)) }
                    dt { (self.pick("Time zone", "时区")) } dd { (name(policy.zone.name())) }
                    dt { (self.pick("Policy hash", "政策散列")) } dd .hash { (policy.hash()) }
                }
                p .soft { (self.pick(
                    "The hash names what the policy means: whoever has the same rules gets the same hash.",
                    "散列代表政策的含义：规则相同，散列就相同。",
                )) }
                @for version in &policy.versions[first..=last] { (self.version(version)) }
            }
        }
    }

    fn version(&self, version: &Version) -> Markup {
        let lang = self.question.lang;
        let from = match version.effective_from {
            event::Timestamp::MIN => self.pick("the beginning", "起初").to_owned(),
            at => at.to_string(),
        };
        let tiers = version.tiers.iter().map(|tier| {
            let quota = tier.quota.map(bytes);
            let exempt = match version.exempt_tiers.contains(&tier.name) {
                true => self.pick("exempt", "豁免"),
                false => self.pick("applies", "适用"),
            };
            vec![
                name(&tier.name),
                html! { (quota.unwrap_or_else(|| self.pick("no limit", "不限").to_owned())) },
                html! { (window_says(tier.trash, lang)) },
                html! { (exempt) },
            ]
        });
        let table = Table {
            caption: self.pick("Tiers", "等级"),
            columns: &[
                (self.pick("Tier", "等级"), Of::Words),
                (self.pick("Space", "空间"), Of::Words),
                (self.pick("Trash", "回收站保留"), Of::Words),
                (self.pick("Inactivity", "不活跃规则"), Of::Words),
            ],
            rows: tiers.collect(),
            sum: None,
        };
        let stages = version.stages.iter().map(|(id, stage)| {
            let notice = (stage.notice != Window::Never).then(|| window_says(stage.notice, lang));
            vec![
                name(id),
                html! { (stage.when.word(lang)) },
                html! { (window_says(stage.after, lang)) },
                name(&admits(stage, self.question)),
                html! { (notice.unwrap_or_else(|| "–".to_owned())) },
            ]
        });
        let stages = Table {
            caption: self.pick(
                "Stages: what the provider may do when a condition has held for so long",
                "阶段：条件持续到期后服务方可采取的措施",
            ),
            columns: &[
                (self.pick("Stage", "阶段"), Of::Words),
                (self.pick("When", "条件"), Of::Words),
                (self.pick("For", "持续"), Of::Words),
                (self.pick("Admits", "准许"), Of::Says),
                (self.pick("Notice", "通知期"), Of::Words),
            ],
            rows: stages.collect(),
            sum: None,
        };
        html! {
            h3 {
                (self.pick("Version ", "版本 ")) (name(&version.id))
                (self.pick(format!(", in force from {from}"), format!("，自 {from} 生效")))
            }
            dl { @for (what, value) in rules(version, self.question) {
                dt { (what) } dd { @if value.is_empty() { "–" } @else { (name(&value)) } }
            } }
            (table.show())
            @if !version.stages.is_empty() { (stages.show()) }
        }
    }

    /// The log that all of it was told from.
    pub fn log(&self) -> Markup {
        let log = &self.log;
        html! {
            section aria-labelledby="log" {
                h2 id="log" { (self.pick("The log", "日志")) }
                p { (self.pick(
                    "Every hash of the log was made anew for this page, and it is as it was written.",
                    "为本页重新计算了日志的全部散列，与写入时一致。",
                )) }
                dl {
                    dt { (self.pick("Events", "事件")) } dd { (count(log.events)) }
                    dt { (self.pick("Accounts", "账号")) } dd { (count(log.accounts)) }
                    dt { (self.pick("Root", "树根")) } dd .hash { (commitment::hex(&log.root)) }
                    dt { (self.pick("Store", "存储")) } dd .hash { (commitment::hex(&log.store)) }
                    @if let Some(last) = self.figures.last_recorded {
                        dt { (self.pick("Last record counted", "所计的最后一条记录")) } dd { (last) }
                    }
                    @if let Some((_, checkpoint)) = &self.checkpoint {
                        dt { (self.pick("Checkpoint", "检查点")) }
                        dd {
                            (name(&checkpoint.origin)) (self.pick(": ", "："))
                            (self.sealed(checkpoint.size))
                        }
                        dt { (self.pick("Its root", "检查点树根")) }
                        dd .hash { (commitment::hex(&checkpoint.root)) }
                    } @else {
                        dt { (self.pick("Checkpoint", "检查点")) }
                        dd { (self.pick("none was signed", "尚未签署")) }
                    }
                }
                @if let Some((note, _)) = &self.checkpoint {
                    p { (self.pick(
                        "The signed checkpoint. Its signature is good, and the log begins with its pages:",
                        "已签署的检查点。签名有效，且日志以其各页开头：",
                    )) }
                    pre { code { (note.to_string()) } }
                }
            }
        }
    }

    /// How far a checkpoint goes.
    fn sealed(&self, pages: u64) -> String {
        let seal = self.log.seals.iter().find(|sealed| sealed.page + 1 == pages);
        let (pages, shown) = (counted(pages, "page"), count(pages));
        match seal {
            Some(sealed) => {
                let (events, of) = (count(sealed.seal.size), count(self.log.events));
                self.pick(
                    format!("{pages}, {events} of the {of} events"),
                    format!("{shown} 页，含 {of} 条事件中的 {events} 条"),
                )
            }
            None => self.pick(pages, format!("{shown} 页")),
        }
    }
}
