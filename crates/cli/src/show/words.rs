//! The words of states, causes, verdicts and kinds for people, in two languages. JSON has the wire's.

use event::{Actor, Kind, Surface};
use policy::{Act, Basis, Confidence, Days, FullOf, OnChange, Over, Shortens, When};
use projection::{BackupState, Coming, FindingCode, ItemState, Severity, StateCause, Status};
use verifier::{Assert, Language, Lawful, Outcome};

/// A word of the wire that people are shown.
pub trait Word: Copy {
    /// In English: the wire's word, spelled as people would.
    fn en(self) -> String;
    /// In Chinese.
    fn zh(self) -> &'static str;

    /// In a language.
    fn word(self, lang: Language) -> String {
        match lang {
            Language::En => self.en(),
            Language::Zh => self.zh().to_owned(),
        }
    }
}

macro_rules! words {
    ($($type:ident { $($variant:ident $zh:literal),+ $(,)? })+) => {$(
        impl Word for $type {
            fn en(self) -> String {
                self.name().replace('_', " ")
            }
            fn zh(self) -> &'static str {
                match self { $($type::$variant => $zh),+ }
            }
        }
    )+};
}

words! {
    ItemState {
        Live "正常", Trashed "回收站", Expired "已过期", Purged "已清除", Removed "已移除",
    }
    BackupState { Kept "保留", Removed "已移除" }
    StateCause {
        UserTrashed "用户移入回收站", ProviderTrashed "服务方移入回收站", WindowLapsed "可恢复期结束",
        UserPurged "用户彻底删除", UserEmptiedTrash "用户清空回收站",
        InactivityCleared "因不活跃清空", ProviderPurged "服务方清除",
        UserDeletedBackups "用户删除备份", AccountTerminated "账号终止", AccountClosed "账号注销",
        QuotaCleared "因超出空间清除",
    }
    Coming {
        ItemExpires "条目过期", AccountAtRisk "不活跃期满", BackupStale "备份过时", StageReached "阶段到达",
    }
    Severity { Breach "违规", Warning "警告", Note "提示" }
    Outcome { Upheld "成立", Refuted "不成立", Undetermined "无法确定" }
    Lawful { None "–", Yes "合规", No "违规", Depends "取决于读法", Undetermined "无法确定" }
    Assert {
        Kept "仍保留", Recoverable "可恢复", Gone "已不存在", DeletedByUser "由用户删除",
        NotDeletedByUser "非用户删除", Expired "已过期", PurgedOnTime "按时清除",
        LostAfterSyncOff "关闭同步后丢失", ClearedForInactivity "因不活跃清空",
    }
    Actor { User "用户", Device "设备", Provider "服务方", Support "客服" }
    Surface { Web "网页", App "应用", Desktop "电脑客户端", Device "设备同步" }
    Kind {
        AccountOpened "开通账号", TierChanged "等级变更", QuotaChanged "空间变更",
        SignedIn "登录", SignInFailed "登录失败", PageViewed "浏览页面",
        FindDeviceOn "开启查找设备", FindDeviceOff "关闭查找设备",
        SyncOn "开启同步", SyncOff "关闭同步", Synced "同步",
        ItemUploaded "上传", ItemModified "修改", ItemTrashed "移入回收站",
        ItemRestored "恢复", ItemPurged "彻底删除", TrashEmptied "清空回收站",
        BackupOn "开启备份", BackupCompleted "完成备份", BackupRestored "恢复备份",
        BackupPurged "清除备份", BackupOff "关闭备份", UploadRejected "上传被拒",
        InactivityNotified "不活跃通知", AccountFrozen "冻结账号", AccountUnfrozen "解冻账号",
        AccountTerminated "终止账号", AccountClosed "注销账号", DataCleared "清空数据",
        HoldPlaced "设置保全", HoldReleased "解除保全",
    }
    Confidence { Official "官方", Secondary "二手资料", Operator "运营方自述" }
    Basis {
        TierWhenTrashed "按移入回收站时的等级", TierNow "按当前等级", LongestHeld "按持有过的最长等级",
    }
    Days { Exact "每天按 24 小时", LocalDates "按当地日期" }
    OnChange { Grandfather "沿用旧规则", Restart "自变更起重算", Retroactive "自移入回收站起重算" }
    Over { BlockUploads "阻止上传", Allow "允许上传" }
    FullOf { Limit "空间上限", Free "剩余空间" }
    Shortens { WhileFull "满的期间", OnceFull "满过一次即不再恢复" }
    When { OverQuota "超出空间", TrashFull "回收站已满", CategoryInactive "类别不活跃" }
    Act {
        Freeze "冻结账号", Clear "清空数据", Terminate "终止账号", Purge "清除内容",
        PurgeTrashed "清除回收站中的内容",
    }
}

/// As it is filtered.
impl Word for Status {
    fn en(self) -> String {
        self.name().to_owned()
    }
    fn zh(self) -> &'static str {
        match self {
            Status::Closed => "已注销",
            Status::Terminated => "已终止",
            Status::Cleared => "已清空",
            Status::Frozen => "已冻结",
            Status::AtRisk => "已满不活跃期",
            Status::Active => "活跃",
        }
    }
}

/// What an event is called: in Chinese the provider's purge is another word than the user's.
pub fn kind(kind: Kind, actor: Actor, lang: Language) -> String {
    match (lang, kind) {
        (Language::Zh, Kind::ItemPurged) if !actor.is_user() => "清除".to_owned(),
        _ => kind.word(lang),
    }
}

/// Codes stay as they are, so that they can be asked for; Chinese says beside them what they mean.
pub fn finding(code: FindingCode, lang: Language) -> String {
    match lang {
        Language::En => code.name().to_owned(),
        Language::Zh => format!("{} {}", code.name(), finding_says(code, lang)),
    }
}

/// What a finding is, in some words.
pub fn finding_says(code: FindingCode, lang: Language) -> &'static str {
    use FindingCode as C;
    let (en, zh) = match code {
        C::ClearedWhileActive => {
            ("the account was cleared though it was active or exempt", "活跃时被清空")
        }
        C::ClearedWithoutNotice => {
            ("the account was cleared without the notice that the policy asks for", "清空前未通知")
        }
        C::FrozenWhileActive => {
            ("the account was frozen though it was active or exempt", "活跃时被冻结")
        }
        C::LateRecorded => ("events were recorded late", "记录过迟"),
        C::LossAfterSyncOff => ("a live item was purged because sync was off", "关闭同步后丢失"),
        C::LossOnTierLapse => ("a live item was purged because a tier lapsed", "等级到期后丢失"),
        C::LossOverQuota => {
            ("a live item was purged because the account was over its quota", "超出空间后丢失")
        }
        C::OverduePurge => ("expired, and not purged within the lag", "逾期未清除"),
        C::PrematurePurge => ("purged from the trash before its deadline", "提前清除"),
        C::PurgeWithoutCause => (
            "a live item or a kept backup was purged for no cause that the policy admits",
            "无故清除",
        ),
        C::PurgedUnderHold => ("purged or removed while a hold stood", "保全期间被清除"),
        C::PurgedWithoutTrash => ("the user purged a live item, past the trash", "未经回收站删除"),
        C::RestoredAfterWindow => ("restored after its deadline", "过期后恢复"),
        C::Resurrected => ("restored after it was purged or removed", "清除后又恢复"),
        C::TerminatedWhileActive => {
            ("the account was terminated though it was active or exempt", "活跃时被终止")
        }
        C::TrashedByProvider => ("the provider moved a live item to the trash", "服务方移入回收站"),
        C::UnknownItem => ("an item or backup without an upload on record", "来历不明"),
        C::UploadOverQuota => ("uploaded while over the quota", "超出空间仍上传"),
        C::UploadWhileSyncOff => ("uploaded by the device while sync was off", "同步关闭时上传"),
    };
    lang.pick(en, zh)
}

/// A word of the wire in a [`verifier::Verdict`], which has states of items and of backups.
pub fn state(name: &str, lang: Language) -> String {
    let item = ItemState::from_name(name).map(|state| state.word(lang));
    let word = item.or_else(|| BackupState::from_name(name).map(|state| state.word(lang)));
    word.unwrap_or_else(|| name.to_owned())
}

/// A cause in a [`verifier::Verdict`].
pub fn cause(name: &str, lang: Language) -> String {
    StateCause::from_name(name).map_or_else(|| name.to_owned(), |cause| cause.word(lang))
}

/// What erased events leave open.
pub fn undetermined(lang: Language) -> &'static str {
    lang.pick(projection::UNDETERMINED, "无法确定")
}

/// Yes or no.
pub fn yes_or_no(yes: bool, lang: Language) -> &'static str {
    match yes {
        true => lang.pick("yes", "是"),
        false => lang.pick("no", "否"),
    }
}
