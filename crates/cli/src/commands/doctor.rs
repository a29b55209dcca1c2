//! `doctor`: what is wrong with a store or a folder, what harm that does, and what mends it.

use std::path::Path;

use commitment::{Cause, Erased, Range};
use eventlog::{Ailment, Examined, Finding, LogFiles, Reader, examine};
use serde::Serialize;

use super::salvage::{positions, why};
use crate::failure::{Failure, Outcome, reason};
use crate::question::Question;
use crate::show::amount::{bytes, count, counted};
use crate::show::escape::{escaped_path, typed_path};
use crate::show::progress::Progress;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};

#[derive(Serialize)]
struct Answer {
    ok: bool,
    store: String,
    /// Proven to be there, whole or erased.
    events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<ErasedCounts>,
    findings: Vec<Told>,
}

/// What is erased, each under a record that is proven.
#[derive(Serialize)]
struct ErasedCounts {
    events: u64,
    accounts: u64,
    erasures: u64,
}

impl ErasedCounts {
    fn of(examined: &Examined) -> Option<ErasedCounts> {
        let Erased { events, accounts, erasures } = examined.erased;
        (erasures > 0).then_some(ErasedCounts { events, accounts, erasures })
    }
}

#[derive(Serialize)]
struct Told {
    /// For scripts.
    code: &'static str,
    what: String,
    r#where: String,
    harm: String,
    mend: String,
    /// Whether nothing need be done.
    harmless: bool,
}

pub fn run(question: &Question, screen: &mut Screen) -> Result<Outcome, Failure> {
    let files = LogFiles::open(&question.store).ok();
    let total = files.map(|files| files.files().iter().map(|file| file.len).sum());
    let progress = Progress::of_bytes(total);
    let examined = examine(&question.store, &mut |more| progress.more(more));
    progress.end();
    let is_open = Reader::open(&question.store).is_ok();
    let last = LogFiles::open(&question.store).ok();
    let last = last.and_then(|files| files.files().last().map(|file| file.name.clone()));
    let telling = Telling { question, is_open, last };
    let answer = Answer {
        ok: examined.is_healthy(),
        store: escaped_path(&question.store),
        events: examined.events + examined.erased.events,
        erased: ErasedCounts::of(&examined),
        findings: examined.findings.iter().map(|finding| telling.told(finding)).collect(),
    };
    match question.json {
        true => screen.json(&answer)?,
        false => answer.show(&examined, question, screen)?,
    }
    let is_none =
        |finding: &Finding| matches!(finding.ailment, Ailment::Missing | Ailment::Foreign { .. });
    if examined.findings.iter().any(is_none) {
        return Err(Failure::Store(format!("{}: there is no store to look at", answer.store)));
    }
    match (answer.ok, examined.is_looked_at) {
        (true, _) => Ok(Outcome::Fine),
        (false, true) => Ok(Outcome::BadNews),
        (false, false) => Err(Failure::Store(format!(
            "{}: cannot be looked at in full; run `doctor` as somebody who may",
            answer.store
        ))),
    }
}

impl Answer {
    fn show(
        &self,
        examined: &Examined,
        question: &Question,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let is_wrong = |finding: &&Told| !finding.harmless;
        let wrong = self.findings.iter().filter(is_wrong).count() as u64;
        let harmless = self.findings.len() as u64 - wrong;
        let mut text = match (self.ok, wrong) {
            (true, _) => {
                let erased = self.erased.as_ref();
                let (of, zh_of) = erased.map_or_else(Default::default, |erased| {
                    let erased = count(erased.events);
                    (format!(", {erased} of them erased"), format!("，其中 {erased} 条已擦除"))
                });
                question.pick(
                    format!("{} is healthy: {}{of}.", self.store, counted(self.events, "event")),
                    format!("{} 正常：{} 条事件{zh_of}。", self.store, count(self.events)),
                )
            }
            (false, 1) => question.pick(
                format!("One thing is wrong with {}.", self.store),
                format!("{} 有 1 处问题。", self.store),
            ),
            (false, n) => question.pick(
                format!("{} things are wrong with {}.", count(n), self.store),
                format!("{} 有 {} 处问题。", self.store, count(n)),
            ),
        };
        if !self.ok && harmless > 0 {
            text += &question.pick(
                match harmless {
                    1 => " One more does no harm.".to_owned(),
                    n => format!(" {} more do no harm.", count(n)),
                },
                format!("另有 {} 处无害。", count(harmless)),
            );
        }
        let heading = if self.ok { style::GOOD } else { style::BAD };
        paragraph(screen, 0, &Cell::styled(text, heading))?;
        for finding in &self.findings {
            let Told { what, r#where: place, harm, mend, harmless, .. } = finding;
            let style = if *harmless { style::DIM } else { style::CARE };
            let text = question.pick(format!("{place}: {what}"), format!("{place}：{what}"));
            paragraph(screen, 0, &Cell::styled(text, style))?;
            for (en, zh, text) in [("harm", "影响", harm), ("mend", "处置", mend)] {
                let text = question.pick(format!("{en}: {text}"), format!("{zh}：{text}"));
                paragraph(screen, 2, &text.into())?;
            }
        }
        if examined.nameless > 0 {
            let events = counted(examined.nameless, "event");
            let text = question.pick(
                format!("{events} are intact, but the names of their accounts are lost."),
                format!("{} 条事件完好，但所属账号的名称已丢失。", count(examined.nameless)),
            );
            paragraph(screen, 0, &text.into())?;
        }
        Ok(())
    }
}

/// What the words of a finding rest on, beside itself.
struct Telling<'a> {
    question: &'a Question,
    /// Whether it can be opened for reading.
    is_open: bool,
    /// The segment that is appended to.
    last: Option<String>,
}

impl Telling<'_> {
    fn told(&self, finding: &Finding) -> Told {
        let question = self.question;
        let (what, harm, mend) = words(&finding.ailment, self);
        let place = match finding.place.as_str() {
            "" => escaped_path(&question.store),
            place => crate::show::escape::escaped(place).into_owned(),
        };
        let (code, harmless) = (finding.ailment.name(), finding.ailment.is_harmless());
        Told { code, what, r#where: place, harm, mend, harmless }
    }

    /// What a damaged piece of this file does.
    fn harm(&self, file: &str, missing: &Range) -> String {
        let question = self.question;
        let is_empty = missing.events == Some(0);
        let events = match is_empty {
            true => question.pick("no event is missing", "不影响任何事件").to_owned(),
            false => {
                let events = positions(missing, question);
                question.pick(
                    format!("events that are missing, by position: {events}"),
                    format!("缺失事件的位置：{events}"),
                )
            }
        };
        let is_last = self.last.as_deref() == Some(file);
        let harm = match (self.is_open, is_last, is_empty) {
            (false, _, _) => question.pick("the log stays closed", "日志无法打开"),
            (true, true, true) => question.pick("nothing can be appended", "无法追加"),
            (true, true, false) => question.pick(
                "nothing can be appended; answers that need these events are refused",
                "无法追加；需要这些事件的查询会被拒绝",
            ),
            (true, false, true) => question.pick("no answer needs it", "查询不受影响"),
            (true, false, false) => question
                .pick("answers that need these events are refused", "需要这些事件的查询会被拒绝"),
        };
        question.pick(format!("{harm}; {events}"), format!("{harm}；{events}"))
    }
}

/// The command that makes a store anew from a backup, and the one that saves what is intact.
pub fn restore_command(question: &Question) -> String {
    let names = question.pick(["NEW", "BACKUP"], ["新存储库", "备份"]);
    format!("stillthere --store {} restore --from {}", names[0], names[1])
}

/// The command that saves what is intact.
pub fn salvage_command(store: &Path, question: &Question) -> String {
    let to = question.pick("NEW", "新存储库");
    format!("stillthere --store {} salvage --to {to}", typed_path(store))
}

/// What puts right a `HEAD` of which one slot is sound.
pub fn head_mend(store: &Path, question: &Question) -> String {
    let store = typed_path(store);
    question.pick(
        format!("stillthere --store {store} import FILE, of any file, puts it right"),
        format!("stillthere --store {store} import 文件（任何文件均可）即可修复"),
    )
}

/// What it is, what harm it does, what mends it.
fn words(ailment: &Ailment, telling: &Telling) -> (String, String, String) {
    let question = telling.question;
    let pick = |en: &str, zh: &str| question.pick(en, zh).to_owned();
    let none = || pick("none", "无");
    let nothing = || pick("nothing to do", "无需处置");
    let closed = || pick("the log stays closed", "日志无法打开");
    let store = typed_path(&question.store);
    let (restore, salvage) =
        (restore_command(question), salvage_command(&question.store, question));
    let start_again =
        || question.pick(format!("{restore}, or {salvage}"), format!("{restore}，或 {salvage}"));
    match ailment {
        Ailment::Missing => (
            pick("there is no store here", "此处没有存储库"),
            pick("there is nothing to read", "没有可读内容"),
            question.pick(
                format!(
                    "stillthere --store {store} import FILE makes one; stillthere --store {store} \
                     restore --from BACKUP brings one back"
                ),
                format!(
                    "stillthere --store {store} import 文件 会新建；stillthere --store {store} restore \
                     --from 备份 可恢复"
                ),
            ),
        ),
        Ailment::Foreign { what } => (
            question.pick(format!("not a stillthere store: {what}"), format!("不是存储库：{what}")),
            none(),
            pick("name another folder with --store", "用 --store 指定其他文件夹"),
        ),
        Ailment::Future { found, known } => (
            question.pick(
                format!("its format is version {found}, and this program reads version {known}"),
                format!("格式版本为 {found}，本程序只读版本 {known}"),
            ),
            pick("this program cannot read it", "本程序无法读取"),
            pick("use the newer program", "请使用更新的程序"),
        ),
        Ailment::Unreadable { source } => (
            question.pick(
                format!("cannot be read: {}", reason(source)),
                format!("无法读取：{}", reason(source)),
            ),
            pick("nothing can be said of it", "无法判断"),
            pick(
                "give yourself the right to read it, or see to the disk",
                "取得读取权限，或检查磁盘",
            ),
        ),
        Ailment::Unwritable { source } => (
            question.pick(
                format!("cannot be written: {}", reason(source)),
                format!("无法写入：{}", reason(source)),
            ),
            pick("import fails; reading is fine", "无法导入；读取不受影响"),
            pick(
                "give yourself the right to write it, or mount the disk for writing",
                "取得写入权限，或以可写方式挂载",
            ),
        ),
        Ailment::NoSpace { free } => (
            question.pick(
                format!("only {} are left on the disk", bytes(*free)),
                format!("磁盘仅剩 {}", bytes(*free)),
            ),
            pick(
                "import will soon fail; nothing acknowledged is lost",
                "导入即将失败；已确认的内容不丢失",
            ),
            pick("make room on the disk", "清理磁盘空间"),
        ),
        Ailment::HeadMissing => (pick("it is missing", "文件缺失"), closed(), start_again()),
        Ailment::HeadPartly { fault } => (
            question.pick(
                format!("one of its two slots is not as it was written ({fault})"),
                format!("两个槽位之一与写入时不符（{fault}）"),
            ),
            pick("none while the other slot is sound", "另一槽位完好，暂无影响"),
            head_mend(&question.store, question),
        ),
        Ailment::HeadDamaged { fault } => (
            question.pick(format!("it is damaged ({fault})"), format!("已损坏（{fault}）")),
            closed(),
            start_again(),
        ),
        Ailment::HeadForeign => {
            (pick("it is another store's", "属于另一存储库"), closed(), start_again())
        }
        Ailment::SegmentMisnamed { number } => (
            question.pick(
                format!("this is segment {number}, under another's name"),
                format!("实为第 {number} 段，文件名有误"),
            ),
            closed(),
            question.pick(
                format!("give the file its name back; or {salvage}"),
                format!("改回文件名；或 {salvage}"),
            ),
        ),
        Ailment::SegmentDouble { number } => (
            question.pick(
                format!("another file holds segment {number} too"),
                format!("另有文件也是第 {number} 段"),
            ),
            closed(),
            pick("move this file out of log/", "将此文件移出 log/"),
        ),
        Ailment::SegmentForeign => (
            pick("it is another store's", "属于另一存储库"),
            closed(),
            pick("move this file out of log/", "将此文件移出 log/"),
        ),
        Ailment::Piece { place, range } => {
            let size = place.bytes.map(|n| counted(n, "byte"));
            let at = count(place.offset);
            let why = why(place.cause, question);
            let what = match (place.cause, size) {
                (Cause::Missing | Cause::Foreign, _) => why.to_owned(),
                (_, Some(size)) => question.pick(
                    format!("{why}: {size} from byte {at} on"),
                    format!("{why}：自第 {at} 字节起 {} 字节", count(place.bytes.unwrap_or_default())),
                ),
                (_, None) => {
                    question.pick(format!("{why}, at byte {at}"), format!("{why}，第 {at} 字节处"))
                }
            };
            (what, telling.harm(&place.file, range), start_again())
        }
        Ailment::Diverges(divergence) => (
            question.pick(
                format!(
                    "byte {}: expected {}, found {}",
                    count(divergence.offset),
                    divergence.expected,
                    divergence.found
                ),
                format!(
                    "第 {} 字节：应为 {}，实为 {}",
                    count(divergence.offset),
                    divergence.expected,
                    divergence.found
                ),
            ),
            pick(
                "the log is not as it was written, though each piece is sound by itself",
                "日志与写入时不一致，但各部分自身完好",
            ),
            start_again(),
        ),
        Ailment::Locked { process } => (
            match process {
                Some(process) => question.pick(
                    format!("process {process} is writing to this store"),
                    format!("进程 {process} 正在写入此存储库"),
                ),
                None => pick("another process is writing to this store", "另一进程正在写入此存储库"),
            },
            pick(
                "none: readers need no lock, writers wait their turn",
                "无：读取无需锁，写入须等待",
            ),
            nothing(),
        ),
        Ailment::Unfinished => (
            pick("an erasure was cut short", "一次擦除中途停下"),
            pick(
                "what it takes out is still in the files; readers no longer see it",
                "要擦除的内容仍在文件中；读取时已不可见",
            ),
            pick(
                "any command that writes finishes it, such as `checkpoint` or an import",
                "任何写入命令（如 `checkpoint` 或导入）都会将其完成",
            ),
        ),
        Ailment::Torn { bytes } => (
            question.pick(
                format!("{} of a write that was cut short", counted(*bytes, "byte")),
                format!("末尾有 {} 字节属于一次未完成的写入", count(*bytes)),
            ),
            pick("none: nobody was told that they are durable", "无：从未确认为已落盘"),
            pick("nothing to do: the next import sets them aside", "无需处置：下次导入会移开"),
        ),
        Ailment::DerivedMissing => (
            pick("there are no derived files", "没有派生文件"),
            pick("none but time: they are made anew from the log", "仅耗时：由日志重新生成"),
            nothing(),
        ),
        Ailment::DerivedDamaged => (
            pick("they are damaged, or another store's", "已损坏，或属于另一存储库"),
            pick("none but time: they are made anew from the log", "仅耗时：由日志重新生成"),
            nothing(),
        ),
        Ailment::Stray => (
            pick("not a file of the store", "不是存储库的文件"),
            none(),
            pick("nothing to do; move it away if you do not know it", "无需处置；不认识可移走"),
        ),
    }
}
