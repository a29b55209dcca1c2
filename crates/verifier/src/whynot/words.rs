//! What a person would say of a change that did not happen, in two languages.

use event::{History, Kind, Timestamp};
use policy::Policy;
use projection::ItemState;

use super::{Alteration, Wanted, WhyNotAsked};
use crate::reading::reading_says;
use crate::wording::{Language, quoted, sentence, who};

/// What the sentences are about.
pub(super) struct Telling<'a> {
    pub item: &'a str,
    pub asked: &'a WhyNotAsked,
    pub history: &'a History,
    pub policy: &'a Policy,
}

impl Telling<'_> {
    /// A change, and what would come of it.
    pub fn change(
        &self,
        change: &Alteration,
        state: ItemState,
        until: Option<Timestamp>,
    ) -> String {
        let lang = self.asked.lang;
        let would = would_be(state, until, lang);
        let text = match change {
            Alteration::AsOf { to, by_ms } => {
                let (is, span) = (is(state, until, lang), span(*by_ms, lang));
                let side = match *by_ms < 0 {
                    true => lang.pick("earlier", "之前"),
                    false => lang.pick("later", "之后"),
                };
                lang.say(
                    format_args!("as of {to}, {span} {side}, {is}"),
                    format_args!("若问的是 {to}（{span}{side}），{is}"),
                )
            }
            Alteration::Reading { reading } => {
                let mut readings = self.policy.versions.iter().flat_map(|version| {
                    version.readings.iter().map(move |reading| (version, reading))
                });
                let says = readings.find(|(_, found)| found.id == *reading);
                let says = says.map_or_else(String::new, |(version, reading)| {
                    reading_says(reading, version, lang)
                });
                lang.say(
                    format_args!("by the reading {reading} ({says}), {would}"),
                    format_args!("按 {reading} 的读法（{says}），{would}"),
                )
            }
            Alteration::Moved { position, revision, kind, to, by_ms, actor, .. } => {
                let (en, zh) = self.event(*revision, *kind, actor.is_user());
                let span = span(*by_ms, lang);
                let side = match *by_ms < 0 {
                    true => lang.pick("earlier", "提前"),
                    false => lang.pick("later", "推迟"),
                };
                lang.say(
                    format_args!(
                        "had {en} (event @{position}) come {span} {side}, at {to}, {would}"
                    ),
                    format_args!("若{zh}（事件 @{position}）{side} {span}，即在 {to}，{would}"),
                )
            }
            Alteration::LeftOut { position, revision, kind, at, actor } => {
                let (en, zh) = self.event(*revision, *kind, actor.is_user());
                lang.say(
                    format_args!("without {en} at {at} (event @{position}), {would}"),
                    format_args!("若没有 {at} {zh}（事件 @{position}），{would}"),
                )
            }
            Alteration::Tier { tier, from, until } => {
                let (en, zh) = match until {
                    Some(until) => (
                        format!(" until {until}, when the next one is on record"),
                        format!("至 {until}（之后另有等级记录）"),
                    ),
                    None => (" on".to_owned(), String::new()),
                };
                lang.say(
                    format_args!("had the tier been {tier} from {from}{en}, {would}"),
                    format_args!("若自 {from} 起{zh}等级为 {tier}，{would}"),
                )
            }
            Alteration::Version { version } => lang.say(
                format_args!("under the policy's version {version} throughout, {would}"),
                format_args!("若始终适用政策版本 {version}，{would}"),
            ),
        };
        sentence(&text, lang)
    }

    /// An event as a noun, in both languages.
    fn event(&self, revision: u64, kind: Kind, by_user: bool) -> (String, String) {
        let step = self.history.steps.iter().find(|step| step.revision == revision);
        let tier = step.and_then(|step| step.word).map(|word| self.history.names.get(word));
        let tier = tier.unwrap_or_default();
        // Of the item that is asked about it goes without saying.
        let of = step.and_then(|step| step.subject).map(|id| self.history.names.get(id));
        let of = of.filter(|name| *name != self.item).map(quoted);
        let (en, zh) = match kind {
            Kind::ItemUploaded => ("upload".to_owned(), "上传".to_owned()),
            Kind::ItemModified => {
                (format!("change{}", if of.is_some() { "" } else { " of it" }), "修改".to_owned())
            }
            Kind::ItemTrashed => ("move to the trash".to_owned(), "移入回收站".to_owned()),
            Kind::ItemRestored => ("restore".to_owned(), "恢复".to_owned()),
            Kind::ItemPurged if by_user => ("purge".to_owned(), "彻底删除".to_owned()),
            Kind::ItemPurged => ("purge".to_owned(), "清除".to_owned()),
            Kind::TrashEmptied => ("emptying of the trash".to_owned(), "清空回收站".to_owned()),
            Kind::DataCleared => ("clearing of the account".to_owned(), "清空账号数据".to_owned()),
            Kind::TierChanged => (format!("change to tier {tier}"), format!("改为等级 {tier}")),
            Kind::AccountOpened => ("opening of the account".to_owned(), "开通账号".to_owned()),
            other => {
                let name = other.name().replace('_', " ");
                (format!("event “{name}”"), format!("事件“{name}”"))
            }
        };
        let by = |lang| who(by_user, lang);
        let (of_en, of_zh) = match of {
            Some(of) => (format!(" of {of}"), format!("（{of}）")),
            None => Default::default(),
        };
        let en = format!("{}'s {en}{of_en}", by(Language::En));
        (en, format!("{}的{zh}{of_zh}", by(Language::Zh)))
    }

    /// The whole answer, before the `count` changes.
    pub fn answer(
        &self,
        state: ItemState,
        until: Option<Timestamp>,
        already: bool,
        count: usize,
    ) -> String {
        let (lang, as_of) = (self.asked.lang, self.asked.as_of);
        let (item, wanted) = (quoted(self.item), wanted(self.asked.wanted, lang));
        let is = is(state, until, lang);
        let text = match (already, count) {
            (true, _) => lang.say(
                format_args!("{item} is {wanted} already: as of {as_of} {is}"),
                format_args!("{item}已经是“{wanted}”：截至 {as_of}，{is}")),
            (false, 0) => lang.say(
                format_args!(
                    "{item} is not {wanted}: as of {as_of} {is}, and no single change that was \
                     tried would make it so"
                ),
                format_args!("{item}不是“{wanted}”：截至 {as_of}，{is}；试过的单项改动都不能使它成为那样")),
            (false, 1) => lang.say(
                format_args!(
                    "{item} is not {wanted}: as of {as_of} {is}; this change alone would make \
                     it so"
                ),
                format_args!("{item}不是“{wanted}”：截至 {as_of}，{is}；只要有下面这一项不同，它就会是那样")),
            (false, _) => lang.say(
                format_args!(
                    "{item} is not {wanted}: as of {as_of} {is}; each of these changes alone would \
                     make it so, the least first"
                ),
                format_args!(
                    "{item}不是“{wanted}”：截至 {as_of}，{is}；下面各项只要有一项不同，它就会是那样，\
                     改动最小的在前"
                )),
        };
        sentence(&text, lang)
    }
}

fn wanted(wanted: Wanted, lang: Language) -> &'static str {
    let (en, zh) = match wanted {
        Wanted::Live => ("live", "正常"),
        Wanted::Trashed => ("in the trash", "在回收站"),
        Wanted::Expired => ("expired", "已过期"),
        Wanted::Purged => ("purged", "已清除"),
        Wanted::Removed => ("removed", "已移除"),
        Wanted::Recoverable => ("recoverable", "可恢复"),
        Wanted::Kept => ("kept", "仍保留"),
    };
    lang.pick(en, zh)
}

/// What an item is, as a clause.
fn is(state: ItemState, until: Option<Timestamp>, lang: Language) -> String {
    match (state, until) {
        (ItemState::Live, _) => lang.pick("it is live", "它正常保留").to_owned(),
        (ItemState::Trashed, Some(until)) => lang.say(
            format_args!("it is recoverable until {until}"),
            format_args!("它在 {until} 之前可以恢复"),
        ),
        (ItemState::Trashed, None) => {
            lang.pick("it is recoverable without a time limit", "它的恢复没有时间限制").to_owned()
        }
        (ItemState::Expired, until) => {
            let until = until.map_or_else(String::new, |until| until.to_string());
            lang.say(
                format_args!(
                    "it is expired: its window ended at {until}, and no purge is on record"
                ),
                format_args!("它已过期：可恢复期于 {until} 结束，没有清除记录"),
            )
        }
        (ItemState::Purged, _) => lang.pick("it is purged", "它已被清除").to_owned(),
        (ItemState::Removed, _) => {
            lang.pick("it is removed", "它已随账号数据的清空而移除").to_owned()
        }
    }
}

/// What an item would be, as a clause.
fn would_be(state: ItemState, until: Option<Timestamp>, lang: Language) -> String {
    match (state, until) {
        (ItemState::Live, _) => lang.pick("it would be live", "它会正常保留").to_owned(),
        (ItemState::Trashed, Some(until)) => lang.say(
            format_args!("it would be recoverable until {until}"),
            format_args!("它在 {until} 之前可以恢复"),
        ),
        (ItemState::Trashed, None) => lang
            .pick("it would be recoverable without a time limit", "它的恢复会没有时间限制")
            .to_owned(),
        (ItemState::Expired, until) => {
            let until = until.map_or_else(String::new, |until| until.to_string());
            lang.say(
                format_args!("it would be expired: its window would have ended at {until}"),
                format_args!("它会已过期：可恢复期会于 {until} 结束"),
            )
        }
        (ItemState::Purged, _) => lang.pick("it would be purged", "它会已被清除").to_owned(),
        (ItemState::Removed, _) => {
            lang.pick("it would be removed", "它会已随账号数据的清空而移除").to_owned()
        }
    }
}

/// A stretch of time, exact: `2 days 3 h 1 ms`.
fn span(ms: i64, lang: Language) -> String {
    const UNITS: [(u64, &str, &str); 5] = [
        (86_400_000, "day", "天"),
        (3_600_000, "h", "小时"),
        (60_000, "min", "分"),
        (1000, "s", "秒"),
        (1, "ms", "毫秒"),
    ];
    let mut rest = ms.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, en, zh) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            let s = if en == "day" && count > 1 { "s" } else { "" };
            parts.push(lang.say(format_args!("{count} {en}{s}"), format_args!("{count} {zh}")));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_exact() {
        for (ms, en, zh) in [
            (1, "1 ms", "1 毫秒"),
            (-86_400_000, "1 day", "1 天"),
            (
                2 * 86_400_000 + 3_661_001,
                "2 days 1 h 1 min 1 s 1 ms",
                "2 天 1 小时 1 分 1 秒 1 毫秒",
            ),
        ] {
            assert_eq!(span(ms, Language::En), en);
            assert_eq!(span(ms, Language::Zh), zh);
        }
    }
}
