//! The dates ahead as people and scripts see them, with what a person would say of each.

use event::{Kind, Names, Timestamp};
use policy::Policy;
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

/// Which stage is reached, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of docs/forecast.md")]
pub enum StageRow {
    PolicyVersion {
        version: String,
        deadlines: Vec<MovedRow>,
        ends_at_risk: bool,
        ends_stale: Vec<String>,
    },
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
            Foreseen::Stage(Stage::PolicyVersion { version, moved, ends_risk, ends_stale }) => {
                let row = |m: &Moved| MovedRow { item: name(m.item), from: m.from, to: m.to };
                stage = Some(StageRow::PolicyVersion {
                    version: policy.versions[*version].id.clone(),
                    deadlines: moved.iter().map(row).collect(),
                    ends_at_risk: *ends_risk,
                    ends_stale: ends_stale.iter().copied().map(name).collect(),
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

    /// What it is about: an item, a backup, or the version that takes effect.
    #[must_use]
    pub fn of_what(&self) -> Option<&str> {
        match &self.stage {
            Some(StageRow::PolicyVersion { version, .. }) => Some(version),
            None => self.item.as_deref().or(self.backup.as_deref()),
        }
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
                true => lang.pick(
                    format!("{item} expires: restored before then it stays, from then on it may be purged"),
                    format!("{item}过期：在此之前恢复即可保留，此后可被清除"),
                ),
                false => lang.pick(
                    format!("{item} expires as soon as it is in the trash, and may be purged"),
                    format!("{item}一移入回收站即过期，可被清除"),
                ),
            }
        }
        Foreseen::AccountAtRisk => {
            let window = window_says(version.inactivity_window, lang);
            let ends = match can_be_avoided {
                true => lang.pick("; any activity ends that", "；任何活动都会解除"),
                false => "",
            };
            lang.pick(
                format!("the account is at risk after {window} without activity: the provider may act{ends}"),
                format!("账号 {window}无活动，已满不活跃期：服务方可采取行动{ends}"),
            )
        }
        Foreseen::BackupStale(backup) => {
            let (backup, window) =
                (quoted(names.get(*backup)), window_says(version.stale_after, lang));
            lang.pick(
                format!("backup {backup} is stale {window} after it was last completed: the provider may remove it"),
                format!("备份{backup}距上次完成已满 {window}：服务方可将其移除"),
            )
        }
        Foreseen::Stage(Stage::PolicyVersion { version, moved, ends_risk, ends_stale }) => {
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
                    Some(lang.pick(
                        format!("backup {backup} is no longer stale"),
                        format!("备份{backup}不再可被移除"),
                    ))
                }
                _ => Some(lang.pick(
                    format!("{} backups are no longer stale", ends_stale.len()),
                    format!("{} 个备份不再可被移除", ends_stale.len()),
                )),
            });
            let parts = parts.join(lang.pick("; ", "；"));
            lang.pick(
                format!("policy version {id} takes effect: {parts}"),
                format!("政策版本 {id} 生效：{parts}"),
            )
        }
    };
    sentence(&text, lang)
}

fn moved_says(moved: &[Moved], names: &Names, lang: Language) -> Option<String> {
    let text = |at: Option<Timestamp>| {
        at.map_or(lang.pick("never", "不限").to_owned(), |at| at.to_string())
    };
    match moved {
        [] => None,
        [one] => {
            let (item, from, to) = (quoted(names.get(one.item)), text(one.from), text(one.to));
            Some(lang.pick(
                format!("the deadline of {item} moves from {from} to {to}"),
                format!("{item}的可恢复期由 {from} 改为 {to}"),
            ))
        }
        _ => Some(lang.pick(
            format!("the deadlines of {} items in the trash move", moved.len()),
            format!("回收站中 {} 个条目的可恢复期改变", moved.len()),
        )),
    }
}
