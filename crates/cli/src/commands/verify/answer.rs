//! What `verify` answers.

use std::path::Path;

use commitment::{AccountCounts, Divergence, Erased, Report, hex};
use eventlog::{HeadState, Remains};
use serde::Serialize;

use crate::commands::doctor::{head_mend, restore_command, salvage_command};
use crate::failure::Failure;
use crate::question::Question;
use crate::show::amount::{bytes, count, counted};
use crate::show::escape::typed_path;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};

/// The file of a divergence that is about the log as a whole: it has another root.
pub const OTHER_ROOT: &str = "log";

#[derive(Serialize)]
pub struct Answer {
    pub ok: bool,
    /// The log's own, where it could be read to its end.
    events: Option<u64>,
    accounts: Option<u64>,
    root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<ErasedCounts>,
    /// `full` or `quick`.
    checked: &'static str,
    /// Of the files.
    pub bytes: u64,
    /// Behind the last whole batch: of a write that was cut short.
    unfinished_bytes: u64,
    /// Whether an erasure was cut short: the log was read as it will be when that is carried out.
    #[serde(rename = "unfinished_erasure", skip_serializing_if = "std::ops::Not::not")]
    pub is_cut_short: bool,
    pub snapshots: Snapshots,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Told>,
    /// Accounts of which no event can be missing, where the log is damaged.
    #[serde(
        rename = "whole_accounts",
        skip_serializing_if = "Option::is_none",
        serialize_with = "whole"
    )]
    pub accounts_left: Option<AccountCounts>,
    /// Events that are intact, but of accounts whose names are missing.
    #[serde(skip)]
    pub nameless: u64,
    /// Whether the root was held against one that the caller knew, and is it.
    #[serde(skip)]
    pub is_expected: bool,
    /// The pages of the checkpoint that the log was held against, and begins with.
    #[serde(rename = "checkpoint_pages", skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
}

/// What was erased, each under a record in the log.
#[derive(Serialize)]
struct ErasedCounts {
    events: u64,
    accounts: u64,
    erasures: u64,
    /// Seals from before, whose account map cannot be made anew: an account that is in it was erased since.
    #[serde(rename = "seals_without_map")]
    without_map: u64,
}

/// What became of the statements that the store keeps.
#[derive(Default, Serialize)]
pub struct Snapshots {
    /// A replay comes to the same.
    pub held: u64,
    /// Made under another policy or by another version of the projection.
    pub skipped: u64,
}

/// Where the store is not as it was written. `file` is in the store's folder.
#[derive(Serialize)]
pub struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    pub file: String,
    offset: u64,
    expected: String,
    found: String,
}

impl From<Divergence> for Told {
    fn from(divergence: Divergence) -> Told {
        let Divergence { account, position, revision, file, offset, expected, found } = divergence;
        Told { account, position, revision, file, offset, expected, found }
    }
}

impl Answer {
    pub fn new(quick: bool) -> Answer {
        Answer {
            ok: false,
            events: None,
            accounts: None,
            root: None,
            erased: None,
            checked: if quick { "quick" } else { "full" },
            bytes: 0,
            unfinished_bytes: 0,
            is_cut_short: false,
            snapshots: Snapshots::default(),
            divergence: None,
            accounts_left: None,
            nameless: 0,
            is_expected: false,
            checkpoint: None,
        }
    }

    /// The log was read to its end.
    pub fn found(&mut self, report: &Report) {
        self.events = Some(report.events);
        self.accounts = Some(report.accounts);
        self.root = Some(hex(&report.root));
        self.unfinished_bytes = report.torn;
        let Erased { events, accounts, erasures } = report.erased;
        let without_map = report.without_map().count() as u64;
        self.erased =
            (erasures > 0).then_some(ErasedCounts { events, accounts, erasures, without_map });
    }

    /// For people.
    pub fn show(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        match &self.divergence {
            Some(divergence) if divergence.file == OTHER_ROOT => {
                self.show_other_root(divergence, question, screen)
            }
            Some(divergence) => {
                divergence.show(&question.store, question, screen)?;
                self.show_accounts_left(question, screen)
            }
            None => self.show_sound(question, screen),
        }
    }

    /// That the log has another root than was expected may be nobody's fault.
    fn show_other_root(
        &self,
        told: &Told,
        question: &Question,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let events = self.events.unwrap_or_default();
        let heading = question.pick(
            format!("This is not the root of this log of {}.", counted(events, "event")),
            format!("这不是本日志（{} 条事件）的根。", count(events)),
        );
        paragraph(screen, 0, &Cell::styled(heading, style::CARE))?;
        for (en, zh, root) in [("given", "给定", &told.expected), ("found", "实为", &told.found)]
        {
            let text = question.pick(format!("{en}: {root}"), format!("{zh}：{root}"));
            paragraph(screen, 2, &text.into())?;
        }
        let text = question.pick(
            "The log may have grown since the root was noted, or it was made anew.",
            "记下该根之后日志可能又追加了事件，也可能整份日志被重造。",
        );
        paragraph(screen, 2, &Cell::styled(text, style::DIM))
    }

    fn show_accounts_left(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let Some(AccountCounts { whole, gaps, unsure, .. }) = self.accounts_left else {
            return Ok(());
        };
        let (whole, gaps, unsure) = (count(whole), count(gaps), count(unsure));
        let text = question.pick(
            format!(
                "accounts: {whole} whole, {gaps} with events missing, {unsure} where that cannot be told"
            ),
            format!("账号：{whole} 个完整，{gaps} 个有缺失，{unsure} 个无法判断"),
        );
        paragraph(screen, 2, &text.into())?;
        if self.nameless == 0 {
            return Ok(());
        }
        let text = question.pick(
            format!(
                "{} are intact, but the names of their accounts are lost",
                counted(self.nameless, "event")
            ),
            format!("{} 条事件完好，但所属账号的名称已丢失", count(self.nameless)),
        );
        paragraph(screen, 2, &text.into())
    }

    fn show_sound(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let events = self.events.unwrap_or_default();
        let accounts = self.accounts.unwrap_or_default();
        let size = bytes(self.bytes);
        let heading = question.pick("The log is as it was written.", "日志与写入时一致。");
        paragraph(screen, 0, &Cell::styled(heading, style::GOOD))?;
        let how = match self.checked {
            "quick" => question.pick(
                "the files' bytes alone were checked, not the hashes above them",
                "只检查了文件字节，没有重算其上的散列",
            ),
            _ => question.pick(
                "every byte was read, every hash up to the root recomputed, every account replayed",
                "已读取全部字节，重算直至根的全部散列，并重放全部账号",
            ),
        };
        let (of, by) = (counted(events, "event"), counted(accounts, "account"));
        let text = question.pick(
            format!("{of} of {by}, {size}: {how}."),
            format!("{} 个账号的 {} 条事件，{size}：{how}。", count(accounts), count(events)),
        );
        paragraph(screen, 0, &text.into())?;
        if let Some(erased) = &self.erased {
            erased.show(question, screen)?;
        }
        if self.snapshots.held + self.snapshots.skipped > 0 {
            let (held, skipped) = (count(self.snapshots.held), count(self.snapshots.skipped));
            let text = question.pick(
                match self.snapshots.skipped {
                    0 => format!("Snapshots kept: {held} agree with the replay."),
                    _ => format!(
                        "Snapshots kept: {held} agree with the replay; {skipped} cannot be checked, as \
                         the policy they were made under is not at hand."
                    ),
                },
                match self.snapshots.skipped {
                    0 => format!("已存快照：{held} 份与重放一致。"),
                    _ => format!(
                        "已存快照：{held} 份与重放一致；{skipped} 份所依据的政策未提供，无法核对。"
                    ),
                },
            );
            paragraph(screen, 0, &text.into())?;
        }
        if self.unfinished_bytes > 0 {
            let torn = counted(self.unfinished_bytes, "byte");
            let text = question.pick(
                format!(
                    "Behind the log's end: {torn} of a write that was cut short and that nobody was \
                     told of; the next import sets them aside."
                ),
                format!(
                    "日志末尾有 {} 字节属于一次未完成的写入，从未确认，下次导入时会移开。",
                    count(self.unfinished_bytes)
                ),
            );
            paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
        }
        if self.is_cut_short {
            let text = question.pick(
                "An erasure was cut short: what it takes out is still in the files, and is read as erased. Any command \
                 that writes finishes it, such as `checkpoint` or an import.",
                "一次擦除中途停下：要擦除的内容仍在文件中，但读取时已不可见。任何写入命令（如 `checkpoint` 或导入）都会将其完成。",
            );
            paragraph(screen, 0, &Cell::styled(text, style::CARE))?;
        }
        let root = self.root.as_deref().unwrap_or_default();
        screen.line(question.pick(format!("root {root}"), format!("根 {root}")))?;
        let text = if self.is_expected {
            question.pick("It is the root that you expected.", "与给定的根一致。").to_owned()
        } else if let Some(pages) = self.checkpoint {
            question.pick(
                format!("It begins with the {} of the checkpoint.", counted(pages, "page")),
                format!("它以检查点的 {} 页开头。", count(pages)),
            )
        } else {
            question.pick(
                format!(
                    "Someone who rebuilds the whole log is found only by comparing with a root kept \
                     elsewhere: note this one, which is of {of}, and check it with --expect-root."
                ),
                format!(
                    "若有人重造了整份日志，只有与另行保存的根比对才能发现：请记下此根（对应 {} 条事件），日后用 \
                     --expect-root 核对。",
                    count(events)
                ),
            )
        };
        paragraph(screen, 0, &Cell::styled(text, style::DIM))
    }
}

impl ErasedCounts {
    fn show(&self, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
        let ErasedCounts { events, accounts, erasures, without_map } = *self;
        let text = question.pick(
            format!(
                "Of these, {} and the names of {} are erased, under {} of the log.",
                counted(events, "event"),
                counted(accounts, "account"),
                counted(erasures, "record")
            ),
            format!(
                "其中 {} 条事件和 {} 个账号的名称已擦除，日志中有 {} 条记录。",
                count(events),
                count(accounts),
                count(erasures)
            ),
        );
        paragraph(screen, 0, &text.into())?;
        if without_map == 0 {
            return Ok(());
        }
        let text = question.pick(
            format!(
                "The account maps of {} from before cannot be made anew: an account that is in them is erased.",
                counted(without_map, "seal")
            ),
            format!("此前 {} 个封条的账号映射无法重算：其中的账号已擦除。", count(without_map)),
        );
        paragraph(screen, 0, &Cell::styled(text, style::DIM))
    }
}

fn whole<S: serde::Serializer>(
    counts: &Option<AccountCounts>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    counts.map(|counts| counts.whole).serialize(serializer)
}

impl Told {
    /// For people.
    pub fn show(
        &self,
        store: &Path,
        question: &Question,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let Told { account, position, revision, file, offset, expected, found } = self;
        let is_log = file.starts_with("log");
        let heading = match is_log {
            true => question.pick("The log is NOT as it was written.", "日志已被改动或损坏。"),
            false => question.pick(
                "The log is as it was written, but what is derived of it says otherwise.",
                "日志与写入时一致，但由它派生的文件与之不符。",
            ),
        };
        paragraph(screen, 0, &Cell::styled(heading, style::BAD))?;
        let offset = count(*offset);
        let mut place = vec![
            question.pick(format!("{file}, byte {offset}"), format!("{file}，第 {offset} 字节")),
        ];
        if let Some(account) = account {
            place.push(question.pick(format!("account {account}"), format!("账号 {account}")));
        }
        if let Some(position) = position {
            place.push(
                question.pick(format!("position {position}"), format!("日志位置 {position}")),
            );
        }
        if let Some(revision) = revision {
            place.push(
                question.pick(format!("revision {revision}"), format!("账号内序号 {revision}")),
            );
        }
        for (en, zh, text) in [
            ("where", "何处", &place.join(question.pick(", ", "，"))),
            ("expected", "应为（英文）", expected),
            ("found", "实为（英文）", found),
        ] {
            let text = question.pick(format!("{en}: {text}"), format!("{zh}：{text}"));
            paragraph(screen, 2, &text.into())?;
        }
        let is_slot = || {
            let remains = Remains::open(store);
            remains.is_ok_and(|remains| matches!(remains.head(), HeadState::Partly(..)))
        };
        let salvage = salvage_command(store, question);
        let advice = if !is_log {
            let derived = typed_path(&store.join("derived"));
            question.pick(
                format!("Delete the folder {derived}: it is made anew from the log."),
                format!("请删除文件夹 {derived}，它会由日志重新生成。"),
            )
        } else if file == "log/HEAD" && is_slot() {
            let mend = head_mend(store, question);
            question.pick(
                format!("The other slot of HEAD is sound: {mend}."),
                format!("HEAD 的另一槽位完好：{mend}。"),
            )
        } else if *store == question.store {
            let restore = restore_command(question);
            question.pick(
                format!(
                    "Keep this store as it is for whoever looks into it, and go on from a backup \
                     (`{restore}`), or from what is intact (`{salvage}`)."
                ),
                format!(
                    "请原样保留此存储库以供查证，并改用备份（`{restore}`），或取出完好的部分（`{salvage}`）。"
                ),
            )
        } else {
            question.pick(
                format!(
                    "Restore from another backup, or go on from what is intact in it (`{salvage}`)."
                ),
                format!("请改用另一份备份恢复，或取出其中完好的部分（`{salvage}`）。"),
            )
        };
        paragraph(screen, 2, &Cell::styled(advice, style::DIM))
    }
}
