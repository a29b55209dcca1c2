//! What a key signed last, and what it may sign now: no smaller and no other tree, whatever became of the log.
//!
//! The record lies beside the key, so that it does not go back when the store does. It is durable before the
//! checkpoint is in `tlog/`, and that before anybody is handed it: so no crash leaves a record behind what is known
//! elsewhere.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commitment::{Checkpoint, MAX_NOTE, Note, SignerKey, VerifierKey};

use super::tree::TreeFolder;
use super::walked::Walked;
use super::{SealError, Sealer, TreeHead};
use crate::storage::{Access, Disk, Storage, put};
use crate::{Log, OpenError};

/// The record of what a key signed last, in a file.
pub struct LastSigned {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    last: Option<(Note, Checkpoint)>,
}

impl LastSigned {
    /// Reads the record of a log's key, which one of `verifiers` signed. There is none before the first.
    ///
    /// # Errors
    /// [`SealError::Open`], [`SealError::Last`]
    pub fn read(
        path: &Path,
        origin: &str,
        verifiers: &[VerifierKey],
    ) -> Result<LastSigned, SealError> {
        LastSigned::read_on(Arc::new(Disk), path, origin, verifiers)
    }

    /// The same on another storage: for tests of what a bad one does.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn read_on(
        storage: Arc<dyn Storage>,
        path: &Path,
        origin: &str,
        verifiers: &[VerifierKey],
    ) -> Result<LastSigned, SealError> {
        let mut bytes = vec![0; MAX_NOTE + 1];
        let read = storage.open(path, Access::Read).and_then(|file| file.read_at(&mut bytes, 0));
        let last = match read {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(OpenError::io("read what was signed last in", path)(e).into()),
            Ok(len) => {
                let not_believed = |reason| SealError::Last { path: path.to_owned(), reason };
                let note = Note::parse(&bytes[..len]).map_err(|e| not_believed(e.into()))?;
                let opened = Checkpoint::open(&note, origin, verifiers, &[]);
                let (checkpoint, _) = opened.map_err(not_believed)?;
                Some((note, checkpoint))
            }
        };
        Ok(LastSigned { storage, path: path.to_owned(), last })
    }

    /// What was signed last, with the cosignatures that were taken in.
    #[must_use]
    pub fn note(&self) -> Option<&Note> {
        self.last.as_ref().map(|(note, _)| note)
    }

    /// What was signed last.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.last.as_ref().map(|(_, checkpoint)| checkpoint)
    }

    /// Refuses a log that does not begin with the tree that was signed last: before anything is written to it.
    ///
    /// # Errors
    /// [`SealError::Cut`], [`SealError::Rewritten`]; [`SealError::Read`]
    pub fn goes_on_in(&self, log: &Log, sealer: &Sealer) -> Result<(), SealError> {
        let Some((_, Checkpoint { size: signed, root, .. })) = self.last else { return Ok(()) };
        // As a rule that tree is where the sealer goes on.
        let tree = &sealer.walked.tree;
        if (tree.count(), tree.root()) == (signed, root) {
            return Ok(());
        }
        let mut walked = Walked::new(log.store());
        walked.read(log.folder(), log.durable(), Some(signed))?;
        match (walked.tree.count(), walked.tree.root() == root) {
            (found, _) if found < signed => Err(SealError::Cut { signed, found }),
            (_, true) => Ok(()),
            (_, false) => Err(SealError::Rewritten { signed }),
        }
    }

    /// The signed checkpoint of a tree that was published, unless another or a larger one was signed before.
    ///
    /// # Errors
    /// [`SealError::Cut`], [`SealError::Rewritten`], [`SealError::Sign`]
    pub fn sign(
        &self,
        head: &TreeHead,
        signer: &SignerKey,
        sealer: &Sealer,
    ) -> Result<Note, SealError> {
        let key = signer.verifier();
        let (origin, size, root) = (key.name().to_owned(), head.pages, head.root);
        let checkpoint = Checkpoint { origin, size, root, extensions: vec![] };
        if let Some((note, last)) = &self.last {
            let signed = last.size;
            if signed > size {
                return Err(SealError::Cut { signed, found: size });
            }
            // Held once more, against what was published.
            let is_same = match signed == size {
                true => last.root == root,
                false => sealer.root_at(signed)? == last.root,
            };
            if !is_same {
                return Err(SealError::Rewritten { signed });
            }
            if *last == checkpoint && note.signatures().iter().any(|line| line.is_by(key)) {
                return Ok(note.clone());
            }
        }
        checkpoint.sign(signer).map_err(SealError::Sign)
    }

    /// Keeps a checkpoint that was signed: from now on no other one is, whoever has seen it.
    ///
    /// # Errors
    /// [`SealError::Open`]; it may be kept then.
    pub fn keep(&self, note: &Note) -> Result<(), SealError> {
        put(&*self.storage, &self.path, note.to_string().as_bytes(), Access::Create)
            .map_err(OpenError::io("keep what is signed in", &self.path))?;
        Ok(())
    }

    /// Keeps a checkpoint that was signed, and then publishes it. Only now may it be handed out.
    ///
    /// # Errors
    /// [`SealError`]; it may be kept then, and published.
    pub fn hand_out(
        self,
        note: &Note,
        signer: &SignerKey,
        sealer: &Sealer,
    ) -> Result<(), SealError> {
        self.keep(note)?;
        let tree = TreeFolder::new(&sealer.folder);
        let key = format!("{}\n", signer.verifier());
        tree.put(&[("vkey", key.as_bytes()), ("checkpoint", note.to_string().as_bytes())])
    }
}
