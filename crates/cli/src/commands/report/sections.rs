//! The sections that tell what happened and what is there.

use maud::{Markup, html};
use policy::Clause;
use projection::{BackupState, FindingCode, ItemState, Severity, Status};

use super::Report;
use super::chart::{Bar, bars};
use super::gather::{BREACHES_TOLD, Taken, Tally};
use super::page::{Of, Table, name};
use crate::show::amount::{bytes, count};
use crate::show::words::{self, Word, undetermined};

/// Categories that are told one by one.
const CATEGORIES_TOLD: usize = 20;

fn number(n: u64) -> Markup {
    html! { (count(n)) }
}

impl Report<'_> {
    /// Findings, and the breaches one by one.
    pub fn found(&self) -> Markup {
        let lang = self.question.lang;
        let is_found = |code: &&FindingCode| self.figures.found[**code as usize].findings > 0;
        let mut codes: Vec<FindingCode> =
            FindingCode::ALL.iter().filter(is_found).copied().collect();
        codes.sort_by_key(|code| code.severity());
        let version = self.policy.version_at(self.as_of);
        let rows = codes.iter().map(|code| {
            let found = self.figures.found[*code as usize];
            let clause = version.clause_for(code.name());
            vec![
                html! { code { (code.name()) } },
                html! { (code.severity().word(lang)) },
                html! { (words::finding_says(*code, lang)) },
                html! { @if let Some(clause) = clause { (name(clause)) } @else { "–" } },
                number(found.accounts),
                number(found.findings),
            ]
        });
        let table = Table {
            caption: self
                .pick("Findings of the period, the gravest first", "期间内发现的问题，重者在前"),
            columns: &[
                (self.pick("Finding", "问题"), Of::Words),
                (self.pick("Severity", "级别"), Of::Words),
                (self.pick("Meaning", "含义"), Of::Says),
                (self.pick("Clause", "条款"), Of::Words),
                (self.pick("Accounts", "账号"), Of::Numbers),
                (self.pick("Findings", "数量"), Of::Numbers),
            ],
            rows: rows.collect(),
            sum: None,
        };
        html! {
            section aria-labelledby="found" {
                h2 id="found" { (self.pick("What was found", "发现的问题")) }
                @if codes.is_empty() {
                    p { (self.pick("Nothing was found in the period.", "期间内没有发现任何问题。")) }
                } @else {
                    p { (self.pick(
                        "A breach is what the policy rules out, a warning a duty or a limit that was not kept, a note what a reader should know.",
                        "违规指政策禁止的行为，警告指未尽的义务或超出的限度，提示指读者应知的情况。",
                    )) }
                    (table.show())
                }
                (self.breaches())
            }
        }
    }

    fn breaches(&self) -> Markup {
        let total = self.figures.severe(Severity::Breach);
        if total == 0 {
            return html! {};
        }
        let told = self.figures.breaches.iter().zip(&self.hashes);
        let rows = told.map(|(breach, hash)| {
            let backup = |backup: &str| html! { (self.pick("backup ", "备份 ")) (name(backup)) };
            vec![
                name(&breach.account),
                html! {
                    @match (&breach.item, &breach.backup) {
                        (Some(item), _) => { (name(item)) }
                        (_, Some(id)) => { (backup(id)) }
                        _ => { (self.pick("the account", "账号整体")) }
                    }
                },
                html! {
                    code { (breach.code.name()) }
                    @if let Some(clause) = &breach.clause { " " span .under { (name(clause)) } }
                },
                html! { span .whole { (breach.at) } },
                html! { "@" (breach.position) " " span .hash .under { (hash) } },
            ]
        });
        let caption = self.pick(
            "Breaches, each with the event that it rests on: its position in the log and its hash",
            "违规及其依据的事件：日志位置与事件散列",
        );
        let table = Table {
            caption,
            columns: &[
                (self.pick("Account", "账号"), Of::Words),
                (self.pick("Of", "对象"), Of::Words),
                (self.pick("Finding, and its clause", "问题及条款"), Of::Words),
                (self.pick("At", "时间"), Of::Words),
                (self.pick("Event, and its hash", "事件及其散列"), Of::Words),
            ],
            rows: rows.collect(),
            sum: None,
        };
        // Each clause as the version has it that was in force.
        let mut cited: Vec<&Clause> = Vec::new();
        for breach in &self.figures.breaches {
            let clauses = &self.policy.version_at(breach.at).clauses;
            let clause = clauses.iter().find(|clause| Some(&clause.id) == breach.clause.as_ref());
            cited.extend(clause.filter(|clause| !cited.contains(clause)));
        }
        let lang = self.question.lang;
        html! {
            h3 { (self.pick("The breaches", "各项违规")) }
            (table.show())
            @if total > BREACHES_TOLD as u64 {
                p { (self.pick(
                    format!("These are the first {BREACHES_TOLD} of {}, by account. All up to then:", count(total)),
                    format!("以上为 {} 项中按账号排列的前 {BREACHES_TOLD} 项。截至该时刻的全部：", count(total)),
                )) }
                pre { code { "stillthere " (self.options()) " findings --severity breach" } }
            }
            @for clause in cited {
                blockquote {
                    b { (name(&clause.id)) } (self.pick(": ", "："))
                    @let text = clause.text.get(lang.name()).or_else(|| clause.text.values().next());
                    @match text { Some(text) => { (name(text)) } None => { "–" } }
                }
            }
        }
    }

    /// What was taken out for good.
    pub fn taken(&self) -> Markup {
        let taken = &self.figures.taken;
        let says = |taken: Taken| match taken {
            Taken::OnTime => (
                self.pick("on time", "按时"),
                self.pick(
                    "from its deadline until the policy's lag was over; a backup when it was stale",
                    "自到期起，在政策的宽限内；备份则为过期后",
                ),
            ),
            Taken::Late => (
                self.pick("late", "逾期"),
                self.pick("after the lag, or while a hold stood", "宽限之后，含保全期间"),
            ),
            Taken::ByUser => {
                (self.pick("by the user", "用户自行"), self.pick("before any deadline", "到期之前"))
            }
            Taken::Inactive => (
                self.pick("for inactivity", "因不活跃"),
                self.pick(
                    "by the provider, of an inactive account or category, as the policy admits",
                    "服务方依政策清除不活跃账号或类别的内容",
                ),
            ),
            Taken::Quota => (
                self.pick("for quota", "因空间"),
                self.pick(
                    "by the provider, where a stage of the policy admits it",
                    "服务方依政策所列阶段清除",
                ),
            ),
            Taken::Early => (
                self.pick("early", "提前"),
                self.pick(
                    "by the provider before a deadline, against the policy",
                    "服务方在到期之前违反政策清除",
                ),
            ),
            Taken::Cleared => (
                self.pick("with the account", "随账号"),
                self.pick("with all of the account's data", "随账号全部数据清空"),
            ),
        };
        let of = |kind: Taken| taken[kind as usize];
        let bar = |kind: &Taken| {
            let [items, backups] = of(*kind);
            let value = items + backups;
            Bar { name: says(*kind).0.to_owned(), value, shown: count(value) }
        };
        let rows = Taken::ALL.iter().map(|kind| {
            let ((short, long), [items, backups]) = (says(*kind), of(*kind));
            vec![html! { (short) }, html! { (long) }, number(items), number(backups)]
        });
        let sum = |at: usize| number(taken.iter().map(|n| n[at]).sum());
        let caption =
            self.pick("What was taken out for good in the period", "期间内彻底清除的内容");
        let table = Table {
            caption,
            columns: &[
                (self.pick("Taken", "清除"), Of::Words),
                (self.pick("When, and by whom", "时间与操作者"), Of::Says),
                (self.pick("Items", "项目"), Of::Numbers),
                (self.pick("Backups", "备份"), Of::Numbers),
            ],
            rows: rows.collect(),
            sum: Some(vec![html! { (self.pick("all", "合计")) }, html! {}, sum(0), sum(1)]),
        };
        let chart: Vec<Bar> = Taken::ALL.iter().map(bar).collect();
        let tells = self.pick("The numbers are in the table below.", "数字见下表。");
        let overdue = self.figures.overdue;
        html! {
            section aria-labelledby="taken" {
                h2 id="taken" { (self.pick("What was taken out for good", "彻底清除的内容")) }
                (bars("taken-chart", caption, tells, &chart))
                (table.show())
                p { (self.pick(
                    match overdue {
                        0 => "No item was past its deadline and the policy's lag without a purge on record.".to_owned(),
                        1 => "As of the instant above, 1 item was past its deadline and the policy's lag, with no purge on record.".to_owned(),
                        n => format!("As of the instant above, {} items were past their deadline and the policy's lag, with no purge on record.", count(n)),
                    },
                    match overdue {
                        0 => "没有到期且超过政策宽限而未见清除记录的项目。".to_owned(),
                        n => format!("截至上述时刻，{} 个项目已到期并超过政策宽限，但没有清除记录。", count(n)),
                    },
                )) }
            }
        }
    }

    /// Items, backups and accounts as of the instant.
    pub fn there(&self) -> Markup {
        let lang = self.question.lang;
        let states = self.figures.states();
        let says = |state: ItemState| state.word(lang);
        let bar = |state: &ItemState| {
            let Tally { items, bytes: size } = states[*state as usize];
            Bar {
                name: says(*state),
                value: items,
                shown: format!("{} · {}", count(items), bytes(size)),
            }
        };
        let chart: Vec<Bar> = ItemState::ALL.iter().map(bar).collect();
        let caption = self.pick("Items by state, and their size", "各状态的项目及其大小");
        let tells = self.pick("The numbers are in the table below.", "数字见下表。");
        html! {
            section aria-labelledby="there" {
                h2 id="there" { (self.pick("What was there", "当时的状态")) }
                p { (self.pick(
                    format!("As of {}. Expired is what is past its deadline with no purge on record; removed is what went with all of an account's data.", self.as_of),
                    format!("截至 {}。“已过期”指已到期而没有清除记录；“已移除”指随账号全部数据清空。", self.as_of),
                )) }
                (bars("states-chart", caption, tells, &chart))
                (self.categories())
                h3 { (self.pick("Backups and accounts", "备份与账号")) }
                (self.backups())
                (self.statuses())
            }
        }
    }

    fn categories(&self) -> Markup {
        let lang = self.question.lang;
        type Row<'a> = (Option<&'a String>, &'a [Tally; ItemState::ALL.len()]);
        let mut categories: Vec<Row<'_>> = self
            .figures
            .categories
            .iter()
            .map(|(name, tallies)| (name.as_ref(), tallies))
            .collect();
        // The largest first, then by name.
        categories.sort_by_key(|(_, tallies)| {
            std::cmp::Reverse(tallies.iter().map(|tally| tally.items).sum::<u64>())
        });
        let mut rest = self.figures.other_categories;
        let told = categories.len().min(CATEGORIES_TOLD);
        for (_, tallies) in &categories[told..] {
            rest.iter_mut().zip(*tallies).for_each(|(sum, more)| sum.more(more));
        }
        let cells = |of: Markup, tallies: &[Tally; ItemState::ALL.len()]| {
            let items = tallies.iter().map(|tally| number(tally.items));
            let live = tallies[ItemState::Live as usize].bytes;
            [of].into_iter().chain(items).chain([html! { (bytes(live)) }]).collect::<Vec<Markup>>()
        };
        let mut rows: Vec<Vec<Markup>> = categories[..told]
            .iter()
            .map(|(category, tallies)| {
                let unknown = self.pick("(upload not on record)", "（上传未见记录）");
                let of = match category {
                    Some(category) => name(category),
                    None => html! { (unknown) },
                };
                cells(of, tallies)
            })
            .collect();
        let is_cut = rest.iter().any(|tally| tally.items > 0);
        if is_cut {
            rows.push(cells(html! { (self.pick("(all others)", "（其余）")) }, &rest));
        }
        let states = ItemState::ALL.iter().map(|state| state.word(lang));
        let heads: Vec<String> = [self.pick("Category", "类别").to_owned()]
            .into_iter()
            .chain(states)
            .chain([self.pick("live bytes", "正常的大小").to_owned()])
            .collect();
        let columns: Vec<(&str, Of)> = heads
            .iter()
            .enumerate()
            .map(|(at, head)| (head.as_str(), if at > 0 { Of::Numbers } else { Of::Words }))
            .collect();
        let table = Table {
            caption: self.pick("Items by category and state", "各类别与状态的项目"),
            columns: &columns,
            rows,
            sum: Some(cells(html! { (self.pick("all", "合计")) }, &self.figures.states())),
        };
        html! {
            (table.show())
            @if is_cut {
                p { (self.pick("Every item, with its category and state:", "全部项目及其类别与状态：")) }
                pre { code {
                    "stillthere " (self.options()) " export --what states --format csv -o states.csv"
                } }
            }
        }
    }

    fn backups(&self) -> Markup {
        let lang = self.question.lang;
        let rows = BackupState::ALL.iter().map(|state| {
            let tally = self.figures.backups[*state as usize];
            vec![html! { (state.word(lang)) }, number(tally.items), html! { (bytes(tally.bytes)) }]
        });
        let table = Table {
            caption: self.pick("Backups by state", "各状态的备份"),
            columns: &[
                (self.pick("State", "状态"), Of::Words),
                (self.pick("Backups", "备份"), Of::Numbers),
                (self.pick("size", "大小"), Of::Numbers),
            ],
            rows: rows.collect(),
            sum: None,
        };
        table.show()
    }

    fn statuses(&self) -> Markup {
        let lang = self.question.lang;
        let statuses = Status::ALL.iter().rev();
        let rows = statuses.map(|status| {
            let accounts = self.figures.statuses[*status as usize];
            vec![html! { (status.word(lang)) }, number(accounts)]
        });
        let said: u64 = self.figures.statuses.iter().sum();
        let open = self.figures.accounts - said;
        let open = (open > 0).then(|| vec![html! { (undetermined(lang)) }, number(open)]);
        let rows = rows.chain(open);
        let table = Table {
            caption: self.pick(
                "Accounts by status; at_risk: without activity for as long as the policy asks",
                "各状态的账号；“已满不活跃期”指无活动的时间已达政策规定",
            ),
            columns: &[
                (self.pick("Status", "状态"), Of::Words),
                (self.pick("Accounts", "账号"), Of::Numbers),
            ],
            rows: rows.collect(),
            sum: Some(vec![html! { (self.pick("all", "合计")) }, number(self.figures.accounts)]),
        };
        table.show()
    }
}
