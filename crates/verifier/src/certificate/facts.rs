//! What a certificate says, and what each of it rests on.

use commitment::{Witnessed, hex};
use event::Timestamp;
use serde::Serialize;

use super::{Checked, Tree};
use crate::Language;

event::words! {
    /// What a fact rests on.
    Basis {
        /// It follows from bytes under the signed root.
        Proven = 0 "proven",
        /// It is the word of whoever is named.
        Attested = 1 "attested",
        /// Nobody can prove it.
        Unprovable = 2 "unprovable",
    }
}

/// A fact with what it rests on; the fields are in byte order, as in a [`Report`](super::Report).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it rests on.
    pub basis: Basis,
    /// Why.
    pub because: String,
    /// By whom, where it is attested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What is so.
    pub fact: String,
}

fn pages(tree: &Tree) -> String {
    format!("{} page{}", tree.pages, if tree.pages == 1 { "" } else { "s" })
}

/// Which log it is, what it goes on from, and who saw it.
pub(super) fn of_log(
    origin: &str,
    (tree, since): (&Tree, Option<&Tree>),
    witnesses: &[Witnessed],
    lang: Language,
) -> Vec<Fact> {
    let pick = |en: String, zh: String| lang.pick(en, zh);
    let operator = operator(origin, lang);
    let mut facts = Vec::new();
    let mut fact = |basis, by: Option<&str>, fact: String, because: String| {
        facts.push(Fact { fact, basis, by: by.map(str::to_owned), because });
    };
    fact(
        Basis::Attested,
        Some(&operator),
        pick(
            format!(
                "the log is the one whose tree of {} has the root {}",
                pages(tree),
                hex(&tree.root)
            ),
            format!("日志即根为 {}、共 {} 页的那一份", hex(&tree.root), tree.pages),
        ),
        pick(
            "its key signed this checkpoint; another one of this size would prove misconduct"
                .to_owned(),
            "该检查点由其密钥签名；若另有同样大小而根不同的检查点，即可证明其作弊".to_owned(),
        ),
    );
    if let Some(since) = since {
        fact(
            Basis::Proven,
            None,
            pick(
                format!(
                    "the log of this certificate goes on from the checkpoint of {} with the root {}",
                    pages(since),
                    hex(&since.root)
                ),
                format!(
                    "本证书的日志是 {} 页、根为 {} 的检查点的延续",
                    since.pages,
                    hex(&since.root)
                ),
            ),
            pick(
                "its key signed that one too, and a consistency proof leads from its root to this one's"
                    .to_owned(),
                "该检查点亦由其密钥签名，一致性证明由其根通向此处的根".to_owned(),
            ),
        );
    }
    for witness in witnesses {
        let seconds = i64::try_from(witness.time_s).unwrap_or(i64::MAX);
        let time = Timestamp::from_ms(seconds.saturating_mul(1000))
            .map_or_else(|| witness.time_s.to_string(), |time| time.to_string());
        fact(
            Basis::Attested,
            Some(&witness.name),
            pick(
                format!("this checkpoint existed by {time}, and extends all that the witness saw"),
                format!("该检查点在 {time} 之前已存在，且延续了见证者此前所见的一切"),
            ),
            pick("it cosigned the checkpoint".to_owned(), "见证者联署了该检查点".to_owned()),
        );
    }
    facts
}

/// Who it is whose word it is.
pub(super) fn operator(origin: &str, lang: Language) -> String {
    lang.pick(format!("the operator of {origin}"), format!("{origin} 的运营者"))
}

/// The facts of a certificate that holds.
pub(super) fn of(checked: &Checked, lang: Language) -> Vec<Fact> {
    let Checked { origin, tree, seal, account, policy, policy_name, .. } = checked;
    let Checked { whole, hidden, since, witnesses, .. } = checked;
    let pick = |en: String, zh: String| lang.pick(en, zh);
    let at = Timestamp::from_ms(seal.at_ms).map_or_else(String::new, |at| at.to_string());
    let size = seal.size;
    let operator = operator(origin, lang);
    let mut facts = of_log(origin, (tree, since.as_ref()), witnesses, lang);
    let mut fact = |basis, by: Option<&str>, fact: String, because: String| {
        facts.push(Fact { fact, basis, by: by.map(str::to_owned), because });
    };

    let count = checked.heads.as_ref().map(|heads| heads.len() - 1);
    match count {
        Some(count) => {
            fact(
                Basis::Proven,
                None,
                pick(
                    format!(
                        "these {count} events of {account:?} are in the log in this order, unchanged"
                    ),
                    format!("{account:?} 的这 {count} 条事件按此顺序存在于日志中，未被改动"),
                ),
                pick(
                    format!(
                        "their chain ends in the head that the account map of the seal at {at} has; the seal lies \
                         under the signed root"
                    ),
                    format!("其链尾与 {at} 的封条中账号映射所载一致；封条位于已签名的根之下"),
                ),
            );
        }
        None => fact(
            Basis::Proven,
            None,
            pick(
                format!("the account map of the seal at {at} has no account {account:?}"),
                format!("{at} 的封条中，账号映射没有账号 {account:?}"),
            ),
            pick(
                "its place in the map is empty; the place follows from its name alone".to_owned(),
                "它在映射中的位置为空；该位置仅由名称决定".to_owned(),
            ),
        ),
    }
    let complete = match (count, *hidden) {
        (None, _) => pick(
            format!("no event of {account:?} is among the log's {size}, unless all was erased"),
            format!("日志的 {size} 条事件中没有 {account:?} 的事件，除非已全部擦除"),
        ),
        (Some(_), 0) => pick(
            format!("they are all of the account's events among the log's {size}"),
            format!("它们是日志 {size} 条事件中该账号的全部事件"),
        ),
        (Some(_), _) => pick(
            format!(
                "they are all of the account's events among the log's {size}, and none of the {hidden} shown by \
                 envelope is about the item"
            ),
            format!(
                "它们是日志 {size} 条事件中该账号的全部事件，且仅示封套的 {hidden} 条均与该项目无关"
            ),
        ),
    };
    let replayed = pick(
        "whoever replayed the whole log made every chain, tag and the account map anew".to_owned(),
        "重放过整个日志者，已重新计算每条链、每个标签和账号映射".to_owned(),
    );
    if checked.auditors.is_empty() {
        fact(
            Basis::Attested,
            Some(&operator),
            complete,
            pick(
                "only who replays the whole log can see that the account map leaves nothing out; no auditor's note \
                 is here"
                    .to_owned(),
                "只有重放整个日志才能看出账号映射是否遗漏；此处没有审计者的声明".to_owned(),
            ),
        );
    } else {
        for auditor in &checked.auditors {
            fact(Basis::Attested, Some(auditor), complete.clone(), replayed.clone());
        }
    }
    fact(
        Basis::Attested,
        Some(&operator),
        pick(
            "the events happened then, and were caused by whom they name; and the positions are theirs".to_owned(),
            "事件确于所述时间、由所述行为者引起；位置亦属实".to_owned(),
        ),
        pick(
            "a log shows what was written, whoever audits it".to_owned(),
            "无论由谁审计，日志只能表明写下了什么".to_owned(),
        ),
    );
    match checked.adopted {
        Some(page) => fact(
            Basis::Proven,
            None,
            pick(
                format!("the log adopted the policy {policy_name} ({policy}) in page {page}"),
                format!("日志在第 {page} 页采用了策略 {policy_name}（{policy}）"),
            ),
            pick(
                "the record of it lies under the signed root".to_owned(),
                "采用记录位于已签名的根之下".to_owned(),
            ),
        ),
        None => fact(
            Basis::Attested,
            Some(&pick("whoever made the certificate".to_owned(), "证书制作者".to_owned())),
            pick(
                format!("the policy to judge by is {policy_name} ({policy})"),
                format!("判断所依据的策略为 {policy_name}（{policy}）"),
            ),
            pick(
                "the certificate shows no adoption of it by the log".to_owned(),
                "证书未示出日志采用该策略的记录".to_owned(),
            ),
        ),
    }
    let known_at = checked.known_at;
    let (mut follows, mut follows_zh) = (
        format!("follows from the {whole} events shown whole, under this policy"),
        format!("，由完整示出的 {whole} 条事件按该策略得出"),
    );
    if checked.leaves_out {
        follows.push_str(&format!(", without what was recorded behind {known_at}"));
        follows_zh.push_str(&format!("，不计 {known_at} 之后的记录"));
    }
    fact(
        Basis::Proven,
        None,
        pick(
            format!("the answer as of {} {follows}", checked.as_of),
            format!("截至 {} 的答案{follows_zh}", checked.as_of),
        ),
        pick(
            "they were replayed here, and gave it byte by byte".to_owned(),
            "此处已重放，所得逐字节一致".to_owned(),
        ),
    );
    for (en, zh) in [
        ("nothing happened that was left unlogged", "没有未记入日志的事情发生"),
        ("no copy of the data was kept elsewhere", "别处没有保留数据副本"),
        ("the person has no second account", "此人没有第二个账号"),
    ] {
        fact(
            Basis::Unprovable,
            None,
            pick(en.to_owned(), zh.to_owned()),
            pick("no log can show it".to_owned(), "任何日志都无法表明".to_owned()),
        );
    }
    facts
}
