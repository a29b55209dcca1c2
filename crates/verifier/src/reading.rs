//! What a reading of a policy says, for people: derived from what it sets.

use event::Kind;
use policy::{Basis, Days, Reading, Setting, Shortens, Version, Window};

use crate::wording::Language;

/// A duration of a policy.
#[must_use]
pub fn window_says(window: Window, lang: Language) -> String {
    let plural = |n: u32| if n == 1 { "" } else { "s" };
    match window {
        Window::Never => lang.pick("never", "无限期").to_owned(),
        Window::Days(n) => lang.say(format_args!("{n} day{}", plural(n)), format_args!("{n} 天")),
        Window::Months(n) => {
            lang.say(format_args!("{n} month{}", plural(n)), format_args!("{n} 个月"))
        }
        Window::Years(n) => lang.say(format_args!("{n} year{}", plural(n)), format_args!("{n} 年")),
    }
}

/// What `reading` says that `version`, of which it is a reading, does not: a part for each key that
/// it sets.
#[must_use]
pub fn reading_says(reading: &Reading, version: &Version, lang: Language) -> String {
    let read = &reading.version;
    let part = |(key, value): (&String, &Setting)| match key.as_str() {
        "trash.basis" => {
            match read.trash.basis {
                Basis::TierWhenTrashed => lang
                    .pick("the window of the tier held when trashed", "按移入回收站时的等级计期限"),
                Basis::TierNow => lang.pick("the window of the tier held now", "按当前等级计期限"),
                Basis::LongestHeld => lang
                    .pick("the longest window of the tiers held", "按持有过的最长期限的等级计期限"),
            }
            .to_owned()
        }
        "trash.days" => match read.trash.days {
            Days::Exact => lang.pick("days of 24 hours each", "每天按 24 小时计"),
            Days::LocalDates => {
                lang.pick("days by local date, the last one whole", "按当地日期计，最后一天算满")
            }
        }
        .to_owned(),
        "trash.counts_toward_quota" => match read.trash.counts_toward_quota {
            true => lang.pick("what is in the trash uses quota", "回收站中的内容占用空间"),
            false => lang.pick("what is in the trash uses no quota", "回收站中的内容不占用空间"),
        }
        .to_owned(),
        "inactivity.window" => {
            let window = window_says(read.inactivity_window, lang);
            lang.say(
                format_args!("inactive after {window}"),
                format_args!("{window}无活动视为不活跃"),
            )
        }
        "trash.full_at" => match read.trash.full {
            Some(full) => {
                let percent = full.percent;
                lang.say(
                    format_args!("the trash is full above {percent} %"),
                    format_args!("回收站超过 {percent}% 即为满"),
                )
            }
            None => lang.pick("the trash is never full", "回收站不会满").to_owned(),
        },
        "trash.full_shortens" => match read.trash.full.map(|full| full.shortens) {
            Some(Shortens::OnceFull) => lang.pick(
                "a full trash shortens for good what lay in it",
                "回收站满过一次，其中内容的期限就不再恢复",
            ),
            _ => lang
                .pick("a full trash shortens only while it is full", "回收站只在满的期间缩短期限"),
        }
        .to_owned(),
        "inactivity.everywhere" if read.everywhere.is_empty() => lang
            .pick("no kind is activity in every category", "没有对所有类别都算的活动")
            .to_owned(),
        "inactivity.resets" => resets_say(read, version, lang),
        key => {
            let stage = key.strip_prefix("stages.").and_then(|rest| rest.strip_suffix(".after"));
            match stage.and_then(|name| Some((name, read.stages.get(name)?.after))) {
                Some((name, after)) => {
                    let after = window_says(after, lang);
                    lang.say(
                        format_args!("stage {name} after {after}"),
                        format_args!("阶段 {name} 在 {after}后"),
                    )
                }
                None => format!("{key} = {value}"),
            }
        }
    };
    reading.set.iter().map(part).collect::<Vec<_>>().join(lang.pick("; ", "；"))
}

/// Which kinds count as activity, against those of `version`.
fn resets_say(read: &Version, version: &Version, lang: Language) -> String {
    let only_of = |one: &Version, other: &Version| {
        let kinds = one.resets.iter().filter(|kind| !other.resets.contains(*kind));
        let name = |kind: Kind| lang.pick(kind.name().replace('_', " "), kind.name().to_owned());
        kinds.map(name).collect::<Vec<_>>().join(lang.pick(", ", "、"))
    };
    let (more, less) = (only_of(read, version), only_of(version, read));
    let more = (!more.is_empty())
        .then(|| lang.say(format_args!("{more} is activity too"), format_args!("{more} 也算活动")));
    let less = (!less.is_empty())
        .then(|| lang.say(format_args!("{less} is no activity"), format_args!("{less} 不算活动")));
    [more, less].into_iter().flatten().collect::<Vec<_>>().join(lang.pick("; ", "；"))
}
