//! Audits the files of a log: as a full check, and the account map of every seal made anew; or only what came behind an
//! earlier audit.

use commitment::{
    Digest, Divergence, Envelope, Level, LogCheck, Report, Standing, StandingError, hex, id_hash,
};
use event::canonical::Content;

use crate::check::{Placed, Taker};
use crate::climb::climb;
use crate::pieces::Pieces;
use crate::{LogFiles, ReadError};

/// What there is to audit.
#[derive(Debug)]
pub struct AuditOf {
    /// To go on from where an earlier audit stood, whose seal has this root of the account map. Of the log before it the
    /// files' bytes alone are checked, and that its pages are those.
    pub from: Option<(Standing, Digest)>,
    /// The pages of the tree that is asked about.
    pub pages: u64,
    /// Whether a later audit is to go on from there.
    pub keep: bool,
}

/// What an audit found right.
#[derive(Debug)]
pub struct Audited {
    /// What the log is.
    pub report: Report,
    /// The root of the tree of the pages that were asked about; `None` if the log has fewer.
    pub root: Option<Digest>,
    /// Where the audit stood there, if it was to be kept and a batch ends there.
    pub standing: Option<Standing>,
}

impl LogFiles {
    /// As [`LogFiles::check`] at [`Level::Full`], the account map of every seal made anew as well; or the same of what
    /// is behind an earlier audit alone.
    ///
    /// Memory: 140 bytes an account more; from an earlier audit on 16 an event, and where something is kept 24.
    ///
    /// # Errors
    /// As there, and [`StandingError`].
    pub fn audit<E>(&self, of: AuditOf, on_bytes: impl Fn(u64) + Sync) -> Result<Audited, E>
    where
        E: From<Box<Divergence>> + From<ReadError> + From<StandingError> + Send,
    {
        let AuditOf { from, pages, keep } = of;
        let taker = || Met { keep, ids: Vec::new() };
        let end = |mut check: LogCheck| -> Result<Audited, E> {
            let root = check.kept_root();
            let standing = if keep { check.standing() } else { None };
            Ok(Audited { report: check.finish()?, root, standing })
        };
        let (mut audited, met) = match from {
            None => {
                let check = LogCheck::new(Level::Full, self.head())?;
                let origin = hex(&check.store());
                let check = check.mapping(&origin, climb).keeping(pages);
                self.check_by::<_, E, _>(check, Level::Full, taker, on_bytes, end)?
            }
            Some((mut standing, map)) => {
                let Standing { segment, offset, pages: closed, .. } = standing;
                let offset = self.page_end(segment, offset, closed).unwrap_or(offset);
                standing.offset = offset;
                let before = self.up_to(segment, offset);
                let check = LogCheck::new(Level::Quick, self.head())?;
                let origin = hex(&check.store());
                let pieces = Pieces::new(&before);
                let (check, _) = self.walk::<(), E>(check, Level::Quick, pieces, || (), &on_bytes);
                let check = check?.keeping(pages).go_on(standing, (&origin, climb), &map)?;
                let pieces = Pieces::behind(self, segment, offset)?;
                let (check, met) = self.walk::<_, E>(check, Level::Full, pieces, taker, &on_bytes);
                (end(check?)?, met)
            }
        };
        if let Some(Standing { ids, accounts, .. }) = &mut audited.standing {
            let events: u64 = accounts.iter().map(|account| account.events).sum();
            let met = met.into_iter().flat_map(|met| met.ids);
            ids.extend(met.filter(|(position, _)| *position < events).map(|(_, id)| id));
            ids.sort_unstable();
        }
        Ok(audited)
    }
}

/// The ids that one thread met, by what stands for them, and the positions of their events.
struct Met {
    keep: bool,
    ids: Vec<(u64, [u8; 16])>,
}

impl Taker for Met {
    type Told = [u8; 16];

    fn look(&mut self, envelope: &Envelope, content: &Content<&str>) -> [u8; 16] {
        if self.keep { id_hash(envelope.ordinal, content.id) } else { [0; 16] }
    }

    fn take(&mut self, events: &[(Placed, [u8; 16])]) {
        if self.keep {
            self.ids.extend(events.iter().map(|(placed, id)| (placed.position, *id)));
        }
    }
}
