//! What a version of a policy means, in plain sentences.

use event::Timestamp;
use policy::{
    Act, Basis, Confidence, Days, FullOf, OnChange, Over, Policy, Shortens, Stage, Tier, Version,
    When, Window,
};
use verifier::{Language, act_says, reading_says, window_says};

use crate::show::amount;
use crate::show::words::Word;

/// One sentence or a few that belong together.
pub struct Sentence {
    /// What it is about, a word of `--json`.
    pub about: &'static str,
    pub text: String,
}

/// What `version` means, the version itself first.
pub fn of(version: &Version, policy: &Policy, lang: Language) -> Vec<Sentence> {
    let teller = Teller { version, policy, lang };
    let mut told = vec![("version", teller.version())];
    told.extend(version.tiers.iter().map(|tier| ("tier", teller.tier(tier))));
    told.push(("trash", teller.trash()));
    told.extend(teller.full_trash().map(|text| ("full_trash", text)));
    told.push(("activity", teller.activity()));
    told.push(("quota", teller.quota()));
    let stages = version.stages.iter();
    told.extend(stages.map(|(name, stage)| ("stage", teller.stage(name, stage))));
    told.push(("backups", teller.backups()));
    told.extend(teller.records().map(|text| ("records", text)));
    told.extend(teller.change().map(|text| ("change", text)));
    told.extend(teller.readings().map(|text| ("readings", text)));
    told.into_iter().map(|(about, text)| Sentence { about, text }).collect()
}

struct Teller<'a> {
    version: &'a Version,
    policy: &'a Policy,
    lang: Language,
}

impl Teller<'_> {
    fn pick(&self, en: String, zh: String) -> String {
        self.lang.pick(en, zh)
    }

    fn window(&self, window: Window) -> String {
        window_says(window, self.lang)
    }

    fn list<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> String {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        names.join(self.lang.pick(", ", "、"))
    }

    fn words<W: Word>(&self, words: impl Iterator<Item = W>) -> String {
        let words: Vec<String> = words.map(|word| word.word(self.lang)).collect();
        words.join(self.lang.pick(", ", "、"))
    }

    fn version(&self) -> String {
        let Version { id, confidence, .. } = self.version;
        let zone = self.policy.zone.name();
        let sure = match confidence {
            Confidence::Official => self.lang.pick("the provider's own text", "服务方的条文"),
            Confidence::Secondary => {
                self.lang.pick("somebody else's account of them", "他人的转述")
            }
            Confidence::Operator => self.lang.pick("the operator's word", "运营方自述"),
        };
        let from = match self.version.effective_from {
            Timestamp::MIN => self.lang.pick("the beginning", "从一开始就").to_owned(),
            at => self.pick(at.to_string(), format!("自 {at} 起")),
        };
        self.pick(
            format!(
                "Version {id} is in force from {from} on. Its rules rest on {sure}. Days, months and \
                 years are counted in {zone}."
            ),
            format!("版本 {id} {from}生效，依据{sure}。日、月、年按 {zone} 时间计算。"),
        )
    }

    fn tier(&self, tier: &Tier) -> String {
        let name = &tier.name;
        let space = match tier.quota {
            Some(bytes) => {
                let bytes = amount::bytes(bytes);
                self.pick(format!("{bytes} of space"), format!("空间 {bytes}"))
            }
            None => self.lang.pick("no limit of space", "空间不限").to_owned(),
        };
        let kept = match tier.trash {
            Window::Never => self.lang.pick("without a time limit", "恢复没有时间限制").to_owned(),
            window => {
                let window = self.window(window);
                self.pick(format!("for {window}"), format!("在 {window}内可以恢复"))
            }
        };
        self.pick(
            format!("{name}: {space}; what is deleted can be recovered {kept}."),
            format!("{name}：{space}；删除的内容{kept}。"),
        )
    }

    fn trash(&self) -> String {
        let trash = &self.version.trash;
        let mut told = vec![
            match trash.days {
                Days::Exact => self
                    .lang
                    .pick("Days in the trash are 24 hours each.", "回收站的天数每天按 24 小时计。"),
                Days::LocalDates => self.lang.pick(
                    "Days in the trash are local dates, the last one whole.",
                    "回收站的天数按当地日期计，最后一天算满。",
                ),
            }
            .to_owned(),
        ];
        if self.version.tiers.len() > 1 {
            let basis = match trash.basis {
                Basis::TierWhenTrashed => self.lang.pick(
                    "The tier held at the deletion decides, whatever comes later.",
                    "期限由删除时的等级决定，之后变化不影响。",
                ),
                Basis::TierNow => self
                    .lang
                    .pick("The tier held at each moment decides.", "期限由当时的等级决定。"),
                Basis::LongestHeld => self.lang.pick(
                    "The longest window of the tiers held since the deletion counts.",
                    "按删除以来持有过的最长期限计。",
                ),
            };
            told.push(basis.to_owned());
        }
        for (category, window) in &trash.categories {
            let window = self.window(*window);
            told.push(self.pick(
                format!("For {category} it is {window}, of any tier."),
                format!("{category} 的期限为 {window}，各等级相同。"),
            ));
        }
        if !trash.no_trash.is_empty() {
            let categories = self.list(&trash.no_trash);
            told.push(self.pick(
                format!("What is deleted of {categories} is gone at once."),
                format!("{categories} 没有回收站，删除即彻底清除。"),
            ));
        }
        if trash.purge_lag != Window::Never {
            let lag = self.window(trash.purge_lag);
            told.push(self.pick(
                format!("A purge should follow within {lag} after the end."),
                format!("期满后应在 {lag}内清除。"),
            ));
        }
        told.push(
            match trash.counts_toward_quota {
                true => self.lang.pick("The trash uses space.", "回收站占用空间。"),
                false => self.lang.pick("The trash uses no space.", "回收站不占用空间。"),
            }
            .to_owned(),
        );
        told.join(self.lang.pick(" ", ""))
    }

    fn full_trash(&self) -> Option<String> {
        let full = self.version.trash.full?;
        let percent = full.percent;
        let of = match full.of {
            FullOf::Limit => self.lang.pick("the account's limit", "账号空间上限"),
            FullOf::Free => self.lang.pick("the space that is left", "剩余空间"),
        };
        let full_when = self.pick(
            format!("The trash is full when it holds more than {percent} % of {of}"),
            format!("回收站超过{of}的 {percent}% 即为满"),
        );
        let short = match full.window {
            Window::Never => {
                return Some(self.pick(
                    format!("{full_when}; that shortens no window."),
                    format!("{full_when}；期限不因此缩短。"),
                ));
            }
            window => self.window(window),
        };
        Some(match full.shortens {
            Shortens::WhileFull => self.pick(
                format!(
                    "{full_when}; while it is, what lies in it can be recovered for {short} only."
                ),
                format!("{full_when}；在此期间，其中的内容只能在 {short}内恢复。"),
            ),
            Shortens::OnceFull => self.pick(
                format!(
                    "{full_when}; what lies in it then can be recovered for {short} only, for good."
                ),
                format!("{full_when}；当时在其中的内容此后只能在 {short}内恢复。"),
            ),
        })
    }

    fn activity(&self) -> String {
        let version = self.version;
        let kinds = self.words(version.resets.iter());
        let actors = self.words(version.actors.iter());
        let counts = match version.resets.is_empty() {
            true => {
                self.lang.pick("Nothing counts as activity.", "没有任何操作算作活动。").to_owned()
            }
            false => self.pick(
                format!("Activity is: {kinds}; by {actors}."),
                format!("算作活动的有：{kinds}；操作者为{actors}。"),
            ),
        };
        if version.inactivity_window == Window::Never {
            let never =
                self.lang.pick("An account never becomes inactive.", "账号不会变为不活跃。");
            return match version.stages.values().any(|s| s.when == When::CategoryInactive) {
                true => format!("{never}{}{counts}", self.lang.pick(" ", "")),
                false => never.to_owned(),
            };
        }
        let window = self.window(version.inactivity_window);
        let mut told = vec![self.pick(
            format!(
                "An account is inactive {window} after its last activity; then it may be frozen, \
                 terminated or cleared."
            ),
            format!("账号在最后一次活动 {window}后视为不活跃，此后可能被冻结、终止或清空。"),
        )];
        if version.notice != Window::Never {
            let notice = self.window(version.notice);
            told.push(self.pick(
                format!("A notice must come {notice} before a clearing."),
                format!("清空前须提前 {notice}通知。"),
            ));
        }
        if !version.exempt_tiers.is_empty() {
            let tiers = self.list(&version.exempt_tiers);
            told.push(self.pick(format!("Exempt: {tiers}."), format!("豁免：{tiers}。")));
        }
        told.push(counts);
        told.join(self.lang.pick(" ", ""))
    }

    fn quota(&self) -> String {
        let lost = self.version.stages.values().any(|stage| {
            stage.when == When::OverQuota
                && stage.after != Window::Never
                && [Act::Purge, Act::Clear].iter().any(|act| stage.admits.contains(*act))
        });
        let uploads = match self.version.over {
            Over::BlockUploads => self.lang.pick("uploads are refused", "拒绝新的上传"),
            Over::Allow => self.lang.pick("uploads are still taken", "仍可上传"),
        };
        match lost {
            true => self.pick(
                format!("Over the limit {uploads}; what is stored may be deleted as told below."),
                format!("超出空间时{uploads}；已存内容可能按下述阶段被删除。"),
            ),
            false => self.pick(
                format!("Over the limit {uploads}; nothing that is stored may be deleted for it."),
                format!("超出空间时{uploads}；已存内容不得因此被删除。"),
            ),
        }
    }

    fn stage(&self, name: &str, stage: &Stage) -> String {
        let when = match stage.when {
            When::OverQuota => self.lang.pick("more is used than the limit", "用量超出上限"),
            When::TrashFull => self.lang.pick("the trash is full", "回收站已满"),
            When::CategoryInactive => self
                .lang
                .pick("nothing was done in the category of an item", "条目所属类别没有活动"),
        };
        let acts: Vec<&str> = stage.admits.iter().map(|act| act_says(act, self.lang)).collect();
        let acts = acts.join(self.lang.pick(" and ", "、"));
        let mut says = match stage.after {
            Window::Never => {
                return self.pick(
                    format!("Stage {name} is never reached as it stands ({when})."),
                    format!("阶段 {name} 按现有规定不会到来（{when}）。"),
                );
            }
            after => {
                let after = self.window(after);
                self.pick(
                    format!("Stage {name}: when {when} for {after} without a break, the provider may {acts}"),
                    format!("阶段 {name}：{when}持续 {after}而未中断，服务方可以{acts}"),
                )
            }
        };
        if !stage.categories.is_empty() {
            let categories = self.list(&stage.categories);
            says.push_str(
                &self.pick(format!(" (of {categories} alone)"), format!("（限 {categories}）")),
            );
        }
        if stage.notice != Window::Never {
            let notice = self.window(stage.notice);
            says.push_str(
                &self
                    .pick(format!(", {notice} after a notice"), format!("，并须提前 {notice}通知")),
            );
        }
        says + self.lang.pick(".", "。")
    }

    fn backups(&self) -> String {
        match self.version.stale_after {
            Window::Never => self
                .lang
                .pick(
                    "The age of a backup is no reason to remove it.",
                    "备份不因时间久远而可被清除。",
                )
                .to_owned(),
            window => {
                let window = self.window(window);
                self.pick(
                    format!("A backup may be removed {window} after it was last completed."),
                    format!("备份在最后一次完成 {window}后可被清除。"),
                )
            }
        }
    }

    /// How long the log itself keeps its events, where it is said.
    fn records(&self) -> Option<String> {
        let keep = match self.version.keep {
            Window::Never => return None,
            keep => self.window(keep),
        };
        Some(self.pick(
            format!(
                "Records of events are kept for {keep}: none is erased sooner, and then `retain` \
                 erases them."
            ),
            format!("事件记录保留 {keep}：期内不得擦除，期满由 `retain` 擦除。"),
        ))
    }

    /// What the version does to what lies in the trash, where it is not the first.
    fn change(&self) -> Option<String> {
        if self.policy.versions.first().is_some_and(|first| first.id == self.version.id) {
            return None;
        }
        let change = match self.version.on_change {
            OnChange::Grandfather => self.lang.pick(
                "What was in the trash when it came keeps its old window.",
                "生效时已在回收站的内容沿用原期限。",
            ),
            OnChange::Restart => self.lang.pick(
                "What was in the trash when it came has the new window from then on.",
                "生效时已在回收站的内容自生效起按新期限计。",
            ),
            OnChange::Retroactive => self.lang.pick(
                "What was in the trash when it came has the new window from its deletion on.",
                "生效时已在回收站的内容自删除起按新期限计。",
            ),
        };
        Some(change.to_owned())
    }

    fn readings(&self) -> Option<String> {
        if self.version.readings.is_empty() {
            return None;
        }
        let readings = self.version.readings.iter().map(|reading| {
            let (id, says) = (&reading.id, reading_says(reading, self.version, self.lang));
            self.pick(format!("{id} ({says})"), format!("{id}（{says}）"))
        });
        let readings = readings.collect::<Vec<_>>().join(self.lang.pick("; ", "；"));
        Some(self.pick(
            format!("There are other readings, and `audit` says where they matter: {readings}."),
            format!("另有其他读法，`audit` 会指出其影响：{readings}。"),
        ))
    }
}
