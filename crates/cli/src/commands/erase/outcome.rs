//! What those verbs have in common that erase: who does it, why it failed, what it gave back, what it does not reach.

use eventlog::{EraseError, Shrunk};
use serde::Serialize;
use verifier::Language;

use crate::failure::{Failure, without_number};
use crate::question::Question;
use crate::show::amount::{bytes, count, counted};
use crate::show::screen::Screen;
use crate::show::table::paragraph;

/// Who erases: by the name that was given, or the login name. A dry run writes no name, and needs none.
pub fn eraser(by: Option<&str>, is_dry_run: bool) -> Result<String, Failure> {
    match by {
        Some(by) => Ok(by.to_owned()),
        None if is_dry_run => Ok("nobody".to_owned()),
        None => login_name(),
    }
}

/// The name of who is logged in, as the system has put it into the environment.
fn login_name() -> Result<String, Failure> {
    let named = ["USER", "LOGNAME"].iter().filter_map(|name| std::env::var(name).ok());
    named.into_iter().find(|name| !name.is_empty()).ok_or_else(|| {
        let text = "who erases? the environment has no login name: give one with --by";
        Failure::Usage(text.to_owned())
    })
}

/// An erasure that failed.
pub fn failed(error: EraseError) -> Failure {
    match error {
        EraseError::UnknownAccount { .. }
        | EraseError::UnknownItem { .. }
        | EraseError::Mixed
        | EraseError::Nothing
        | EraseError::TooMany
        | EraseError::Text { .. } => Failure::Usage(error.to_string()),
        EraseError::NotOurs { .. } => Failure::Refused(error.to_string()),
        EraseError::Stale | EraseError::Read(_) | EraseError::Io(_) | EraseError::Append(_) => {
            Failure::Store(without_number(error))
        }
    }
}

/// Segments of the log that shrank, or would.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Shrinking {
    segments: u64,
    bytes: u64,
}

impl From<Shrunk> for Shrinking {
    fn from(Shrunk { segments, bytes }: Shrunk) -> Shrinking {
        Shrinking { segments, bytes }
    }
}

impl Shrinking {
    /// For people; nothing, where there are none.
    pub fn show(
        self,
        is_dry_run: bool,
        question: &Question,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        if self.segments == 0 {
            return Ok(());
        }
        let (segments, size) = (counted(self.segments, "segment"), bytes(self.bytes));
        let text = question.pick(
            format!(
                "{segments} of the log, of nothing but erased events, {}{size}.",
                if is_dry_run { "would give back " } else { "gave back " }
            ),
            format!(
                "日志中 {} 个只含已擦除事件的段{}释放 {size}。",
                count(self.segments),
                if is_dry_run { "将" } else { "已" }
            ),
        );
        paragraph(screen, 0, &text.into())
    }
}

/// What an erasure in this store does not reach.
pub fn not_covered(lang: Language) -> &'static str {
    lang.pick(
        "Not covered: copies made before, such as backups, exports, certificates and snapshots of the file system, and \
         what a copy-on-write file system or an SSD keeps of what was written over.",
        "不在此列：此前的副本，如备份、导出、证书、文件系统快照，以及写时复制文件系统或固态硬盘对被覆写内容的残留。",
    )
}
