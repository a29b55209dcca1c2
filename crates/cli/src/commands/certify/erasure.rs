//! `certify --erasure`: that something was taken out of the log under a record of it.

use eventlog::{Reader, SealedLog, erased_frames};
use serde_json::json;
use verifier::certificate::{ErasureCertificate, Expected, Trust, check_erasure};

use super::since::Earlier;
use super::{audits, placed, would_not_hold};
use crate::args::CertifyArgs;
use crate::commands::check::erasure::show_one;
use crate::commands::checkpoint::published;
use crate::failure::{Failure, Outcome};
use crate::keys::own_keys;
use crate::output::Partial;
use crate::question::Question;
use crate::show::amount::{count, counted};
use crate::show::screen::Screen;

pub fn run(
    args: &CertifyArgs,
    question: &Question,
    screen: &mut Screen,
) -> Result<Outcome, Failure> {
    let number = args.erasure.expect("an account or an erasure is needed");
    let audits = audits(args)?;
    let reader = Reader::open(&question.store)?;
    let records = reader.erasures()?;
    let record = records.iter().find(|record| record.number == number).ok_or_else(|| {
        Failure::Usage(format!(
            "erasure {number}: the log has {}; `stillthere erasures` lists them",
            counted(records.len() as u64, "erasure")
        ))
    })?;
    let (note, checkpoint) = published(args.checkpoint.as_deref(), question)?;
    let sealed = SealedLog::open(&question.store, &reader, checkpoint.size)?;
    super::is_of(&sealed, &checkpoint)?;
    let keys = own_keys(question, Some(&checkpoint.origin))?;
    let earlier = args.since.as_deref().map(|path| Earlier::open(path, &checkpoint, &keys));
    let since = earlier.transpose()?.map(|earlier| earlier.goes_on(&sealed, &reader, question));
    let placed_record = sealed.erasure(number)?.ok_or_else(|| {
        Failure::Usage(format!(
            "erasure {number}: it is not under the checkpoint yet; `stillthere checkpoint` makes one that it is under"
        ))
    })?;
    let seal = sealed.seal()?;
    let certificate = ErasureCertificate {
        checkpoint: note.to_string(),
        since: since.transpose()?,
        audits: audits.iter().map(ToString::to_string).collect(),
        seal_body: seal.body.clone(),
        seal: placed(seal),
        record_body: placed_record.body.clone(),
        record: placed(placed_record),
        frames: erased_frames(&question.store, &reader, record)?,
    };
    let bytes = certificate.encode();
    // Whoever is handed it will check it: so it is checked first.
    let trust = Trust { log: keys, ..Trust::default() };
    let checked = check_erasure(&bytes, &trust, &Expected::default(), question.lang);
    let checked = checked.map_err(|error| would_not_hold(&error))?;
    if let Some(path) = &args.output {
        let mut file = Partial::create(path)?;
        file.write(&bytes)?;
        let name = file.end()?;
        if !args.print {
            let (events, accounts) = (record.events.count(), record.names.count());
            match question.json {
                true => screen.json(&json!({
                    "certificate": name, "bytes": bytes.len(), "erasure": number, "events": events,
                    "accounts": accounts, "size": checked.tree.pages, "since": checked.since,
                })),
                false => screen.line(question.pick(
                    format!(
                        "{} written to {name}: erasure {number}, of {} and the names of {}.",
                        counted(bytes.len() as u64, "byte"),
                        counted(events, "event"),
                        counted(accounts, "account")
                    ),
                    format!(
                        "已写入 {name}：{} 字节；第 {number} 号擦除，{} 条事件及 {} 个账号的名称。",
                        count(bytes.len() as u64),
                        count(events),
                        count(accounts)
                    ),
                )),
            }?;
            return Ok(Outcome::Fine);
        }
    }
    show_one(&checked, question, screen)?;
    Ok(Outcome::Fine)
}
