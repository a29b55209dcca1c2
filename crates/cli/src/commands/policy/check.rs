//! `policy check`: whether a file is a policy, what it means, and what its author may not have meant.

use std::path::Path;

use policy::Policy;
use serde_json::json;
use verifier::Language;

use super::meaning;
use crate::failure::Failure;
use crate::question::{Question, bad_policy, policy_text};
use crate::show::escape::escaped_path;
use crate::show::screen::Screen;
use crate::show::style;
use crate::show::table::{Cell, paragraph};

pub fn run(file: &Path, question: &Question, screen: &mut Screen) -> Result<(), Failure> {
    let text = policy_text(file)?;
    let (policy, remarks) = Policy::check(&text).map_err(|error| bad_policy(file, &error))?;
    if question.json {
        let remarks: Vec<_> = remarks
            .iter()
            .map(|remark| {
                json!({
                    "line": remark.place.line,
                    "column": remark.place.column,
                    "key": remark.place.path,
                    "remark": remark.text,
                })
            })
            .collect();
        let meaning: Vec<_> = policy
            .versions
            .iter()
            .flat_map(|version| {
                let en = meaning::of(version, &policy, Language::En);
                let zh = meaning::of(version, &policy, Language::Zh);
                en.into_iter().zip(zh).map(|(en, zh)| {
                    json!({
                        "version": version.id,
                        "about": en.about,
                        "en": en.text,
                        "zh": zh.text,
                    })
                })
            })
            .collect();
        return screen.json(&json!({
            "ok": true,
            "policy": policy.name,
            "policy_hash": policy.hash(),
            "meaning": meaning,
            "remarks": remarks,
        }));
    }
    for version in &policy.versions {
        for sentence in meaning::of(version, &policy, question.lang) {
            let indent = if sentence.about == "version" { 0 } else { 2 };
            paragraph(screen, indent, &sentence.text.into())?;
        }
        screen.line("")?;
    }
    let name = escaped_path(file);
    for remark in &remarks {
        paragraph(screen, 0, &Cell::styled(format!("{name}:{remark}"), style::CARE))?;
    }
    let (policy, versions, remarks) = (&policy.name, policy.versions.len(), remarks.len());
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let text = question.pick(
        format!(
            "{name}: a sound policy, {policy}, with {versions} version{} and {remarks} remark{}.",
            s(versions),
            s(remarks)
        ),
        format!("{name}：政策 {policy} 有效，共 {versions} 个版本，{remarks} 条提示。"),
    );
    paragraph(screen, 0, &text.into())
}
