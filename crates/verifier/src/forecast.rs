//! The dates ahead as people and scripts see them, with what a person would say of each.

use event::{Kind, NameId, Names, Timestamp};
use policy::{Act, Policy, When, Window};
use projection::{Coming, ForecastDate, Foreseen, Moved, Stage};
use serde::Serialize;

use crate::reading::window_says;
use crate::wording::{Language, quoted, sentence};

/// A date ahead (docs/forecast.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of docs/forecast.md")]
pub struct ForecastRow {
    pub at: Timestamp,
    pub what: Coming,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    #[serde(flatten)]
    pub stage: Option<StageRow>,
    pub irreversible: bool,
    pub avoided_by: Option<Kind>,
    pub clause: Option<String>,
    pub says: String,
}

/// Which stage is reached, and what it does. A stage of a policy may be called `policy_version` too: what
/// tells the two apart is that it has `admits`, and a version has `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the fields are those of docs/forecast.md")]
pub enum StageRow {
    Reached {
        stage: String,
        when: When,
        category: Option<String>,
        admits: Vec<Act>,
    },
    PolicyVersion {
        /// `policy_version`.
        stage: &'static str,
        version: String,
        deadlines: Vec<MovedRow>,
        ends_at_risk: bool,
        ends_stale: Vec<String>,
        ends_stages: Vec<EndedRow>,
    },
}

/// A stage that is no longer reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndedRow {
    /// Its name.
    pub stage: String,
    /// The category, where each has a clock of its own.
    pub category: Option<String>,
}

/// The deadline of an item that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedRow {
    /// Which.
    pub item: String,
    /// Before; `None`: never.
    pub from: Option<Timestamp>,
    /// After; `None`: never.
    pub to: Option<Timestamp>,
}

impl ForecastRow {
    /// `date`, forecast under `policy` of an account with these `names`.
    #[must_use]
    pub fn of(date: &ForecastDate, names: &Names, policy: &Policy, lang: Language) -> ForecastRow {
        let name = |id| names.get(id).to_owned();
        let (mut item, mut backup, mut stage) = (None, None, None);
        match &date.what {
            Foreseen::ItemExpires(id) => item = Some(name(*id)),
            Foreseen::AccountAtRisk => {}
            Foreseen::BackupStale(id) => backup = Some(name(*id)),
            Foreseen::Stage(of @ Stage::Reached { name: stage_name, category, .. }) => {
                let rules = of.rules(policy).expect("a stage of the policy");
                stage = Some(StageRow::Reached {
                    stage: stage_name.clone(),
                    when: rules.when,
                    category: category.map(name),
                    admits: rules.admits.iter().collect(),
                });
            }
            Foreseen::Stage(Stage::PolicyVersion {
                version,
                moved,
                ends_risk,
                ends_stale,
                ends_stages,
            }) => {
                let row = |m: &Moved| MovedRow { item: name(m.item), from: m.from, to: m.to };
                let ended = |(stage, category): &(String, Option<NameId>)| EndedRow {
                    stage: stage.clone(),
                    category: category.map(name),
                };
                stage = Some(StageRow::PolicyVersion {
                    stage: "policy_version",
                    version: policy.versions[*version].id.clone(),
                    deadlines: moved.iter().map(row).collect(),
                    ends_at_risk: *ends_risk,
                    ends_stale: ends_stale.iter().copied().map(name).collect(),
                    ends_stages: ends_stages.iter().map(ended).collect(),
                });
            }
        }
        ForecastRow {
            at: date.at,
            what: date.what.coming(),
            says: says(date, names, policy, lang),
            item,
            backup,
            stage,
            irreversible: date.what.is_irreversible(),
            avoided_by: date.avoided_by,
            clause: date.clause(policy).map(str::to_owned),
        }
    }

    /// What it is about: an item, a backup, the version that takes effect, or the category whose stage is
    /// reached, else the stage.
    #[must_use]
    pub fn of_what(&self) -> Option<&str> {
        match &self.stage {
            Some(StageRow::PolicyVersion { version, .. }) => Some(version),
            Some(StageRow::Reached { stage, category, .. }) => {
                category.as_ref().or(Some(stage)).map(String::as_str)
            }
            None => self.item.as_deref().or(self.backup.as_deref()),
        }
    }

    /// The stage that it is, where it is one; `policy_version` for a version.
    #[must_use]
    pub fn stage_name(&self) -> Option<&str> {
        Some(match self.stage.as_ref()? {
            StageRow::PolicyVersion { stage, .. } => stage,
            StageRow::Reached { stage, .. } => stage,
        })
    }
}

/// A sentence of its own.
fn says(date: &ForecastDate, names: &Names, policy: &Policy, lang: Language) -> String {
    let version = policy.version_at(date.at);
    let can_be_avoided = date.avoided_by.is_some();
    let text = match &date.what {
        Foreseen::ItemExpires(item) => {
            let item = quoted(names.get(*item));
            match can_be_avoided {
                true => lang.say(
                    format_args!("{item} expires: restored before then it stays, from then on it may be purged"),
                    format_args!("{item}过期：在此之前恢复即可保留，此后可被清除")),
                false => lang.say(
                    format_args!("{item} expires as soon as it is in the trash, and may be purged"),
                    format_args!("{item}一移入回收站即过期，可被清除")),
            }
        }
        Foreseen::AccountAtRisk => {
            let window = window_says(version.inactivity_window, lang);
            let ends = match can_be_avoided {
                true => lang.pick("; any activity ends that", "；任何活动都会解除"),
                false => "",
            };
            lang.say(
                format_args!("the account is at risk after {window} without activity: the provider may act{ends}"),
                format_args!("账号 {window}无活动，已满不活跃期：服务方可采取行动{ends}"))
        }
        Foreseen::BackupStale(backup) => {
            let (backup, window) =
                (quoted(names.get(*backup)), window_says(version.stale_after, lang));
            lang.say(
                format_args!("backup {backup} is stale {window} after it was last completed: the provider may remove it"),
                format_args!("备份{backup}距上次完成已满 {window}：服务方可将其移除"))
        }
        Foreseen::Stage(of @ Stage::Reached { name, category, .. }) => {
            let stage = of.rules(policy).expect("a stage of the policy");
            stage_says(name, stage, category.map(|id| names.get(id)), lang)
        }
        Foreseen::Stage(Stage::PolicyVersion {
            version,
            moved,
            ends_risk,
            ends_stale,
            ends_stages,
        }) => {
            let id = &policy.versions[*version].id;
            let mut parts = Vec::new();
            parts.extend(moved_says(moved, names, lang));
            if *ends_risk {
                parts.push(
                    lang.pick("the account is no longer at risk", "账号不再处于不活跃期满状态")
                        .to_owned(),
                );
            }
            parts.extend(match ends_stale[..] {
                [] => None,
                [backup] => {
                    let backup = quoted(names.get(backup));
                    Some(lang.say(
                        format_args!("backup {backup} is no longer stale"),
                        format_args!("备份{backup}不再可被移除"),
                    ))
                }
                _ => Some(lang.say(
                    format_args!("{} backups are no longer stale", ends_stale.len()),
                    format_args!("{} 个备份不再可被移除", ends_stale.len()),
                )),
            });
            parts.extend(ends_stages.iter().map(|(stage, category)| match category {
                Some(category) => {
                    let category = names.get(*category);
                    lang.say(
                        format_args!("stage {stage} is no longer reached in {category}"),
                        format_args!("类别 {category} 不再处于阶段 {stage}"),
                    )
                }
                None => lang.say(
                    format_args!("stage {stage} is no longer reached"),
                    format_args!("不再处于阶段 {stage}"),
                ),
            }));
            let parts = parts.join(lang.pick("; ", "；"));
            lang.say(
                format_args!("policy version {id} takes effect: {parts}"),
                format_args!("政策版本 {id} 生效：{parts}"),
            )
        }
    };
    sentence(&text, lang)
}

/// What a stage that is reached lets the provider do, and why.
fn stage_says(name: &str, stage: &policy::Stage, category: Option<&str>, lang: Language) -> String {
    let after = window_says(stage.after, lang);
    let no_time = matches!(stage.after, Window::Days(0) | Window::Months(0) | Window::Years(0));
    let category = category.unwrap_or_default();
    let why = match (stage.when, no_time) {
        (When::OverQuota, true) => {
            lang.pick("the account is over its limit", "用量超出上限").to_owned()
        }
        (When::OverQuota, false) => lang.say(
            format_args!("the account has been over its limit for {after}"),
            format_args!("用量超出上限已满 {after}"),
        ),
        (When::TrashFull, true) => lang.pick("the trash is full", "回收站已满").to_owned(),
        (When::TrashFull, false) => lang.say(
            format_args!("the trash has been full for {after}"),
            format_args!("回收站处于已满状态达 {after}"),
        ),
        (When::CategoryInactive, _) => lang.say(
            format_args!("there was no activity in {category} for {after}"),
            format_args!("类别 {category} 已有 {after}无活动"),
        ),
    };
    let acts: Vec<&str> = stage.admits.iter().map(|act| act_says(act, lang)).collect();
    let acts = acts.join(lang.pick(" or ", "或"));
    let notice = match stage.notice {
        Window::Never => String::new(),
        notice => {
            let notice = window_says(notice, lang);
            lang.say(
                format_args!(", purging {notice} after a notice"),
                format_args!("，清除须在通知 {notice}之后"),
            )
        }
    };
    lang.say(
        format_args!("stage {name} is reached: {why}, and the provider may {acts}{notice}"),
        format_args!("进入阶段 {name}：{why}，服务方可{acts}{notice}"),
    )
}

/// What the provider may do by a stage.
#[must_use]
pub fn act_says(act: Act, lang: Language) -> &'static str {
    match act {
        Act::Freeze => lang.pick("freeze the account", "冻结账号"),
        Act::Clear => lang.pick("clear its data", "清空数据"),
        Act::Terminate => lang.pick("terminate the account", "终止账号"),
        Act::Purge => lang.pick("purge what is stored", "清除内容"),
        Act::PurgeTrashed => lang.pick("purge what is in the trash", "清除回收站中的内容"),
    }
}

fn moved_says(moved: &[Moved], names: &Names, lang: Language) -> Option<String> {
    let text = |at: Option<Timestamp>| {
        at.map_or(lang.pick("never", "不限").to_owned(), |at| at.to_string())
    };
    match moved {
        [] => None,
        [one] => {
            let (item, from, to) = (quoted(names.get(one.item)), text(one.from), text(one.to));
            Some(lang.say(
                format_args!("the deadline of {item} moves from {from} to {to}"),
                format_args!("{item}的可恢复期由 {from} 改为 {to}"),
            ))
        }
        _ => Some(lang.say(
            format_args!("the deadlines of {} items in the trash move", moved.len()),
            format_args!("回收站中 {} 个条目的可恢复期改变", moved.len()),
        )),
    }
}
