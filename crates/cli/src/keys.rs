//! Keys in files: the private one that signs, beside it those that verify and what was signed last.
//!
//! | file | what |
//! |---|---|
//! | `FILE` | the private key, one line, for nobody else's eyes (mode 0600) |
//! | `FILE.pub` | verifier keys, a line each; the last is the private key's, those above it had its place before |
//! | `FILE.last` | the checkpoint that was signed last: no smaller and no other one is signed after it |

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use commitment::{Algorithm, Note, SignerKey, VerifierKey};
use eventlog::storage::{Access, Disk, Storage, create, folder_of, put};

use crate::failure::Failure;
use crate::question::Question;
use crate::show::escape::escaped_path;

/// No file of keys, and no note, is longer, in bytes.
const MOST: u64 = 1 << 20;

/// The files of a private key.
pub struct KeyRing {
    private: PathBuf,
}

impl KeyRing {
    /// Of a file, or the store's own.
    pub fn of(key: Option<&Path>, question: &Question) -> KeyRing {
        let own = || question.store.join("keys").join("signing.key");
        KeyRing { private: key.map_or_else(own, Path::to_owned) }
    }

    pub fn path(&self) -> &Path {
        &self.private
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.private.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }

    /// Makes a key; `origin` is its name, else one is made of the key.
    pub fn make(&self, origin: Option<&str>) -> Result<VerifierKey, Failure> {
        let (seed, name) = random_key(origin)?;
        let signer = signer(&name, &seed)?;
        // What is left of an older key says who to believe, and what was signed.
        if let Some(left) = [".pub", ".last"].map(|e| self.beside(e)).iter().find(|p| p.exists())
            && !self.private.exists()
        {
            return Err(Failure::Usage(format!(
                "{}: left of an older key; move it away, or name another --key",
                escaped_path(left)
            )));
        }
        self.put_private(&signer, false)?;
        self.put_public(&[signer.verifier().clone()])?;
        Ok(signer.verifier().clone())
    }

    /// Makes another key of the same name; who trusts the old one goes on to.
    pub fn rotate(&self) -> Result<VerifierKey, Failure> {
        let old = self.signer()?;
        let (seed, _) = random_key(Some(old.verifier().name()))?;
        let new = signer(old.verifier().name(), &seed)?;
        let mut verifiers = self.verifiers()?;
        verifiers.push(new.verifier().clone());
        // First what verifies: a kill in between leaves a verifier too many, and no signature that nobody knows.
        self.put_public(&verifiers)?;
        self.put_private(&new, true)?;
        Ok(new.verifier().clone())
    }

    /// The private key.
    pub fn signer(&self) -> Result<SignerKey, Failure> {
        let path = escaped_path(&self.private);
        let text = match read(&self.private) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::Usage(format!(
                    "{path}: there is no key to sign with; `stillthere key new` makes one"
                )));
            }
            read => read.map_err(|e| Failure::file(&self.private, "read the key", &e))?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let signer = SignerKey::parse(text)
            .map_err(|error| Failure::Usage(format!("{path}: not a private key: {error}")))?;
        match signer.verifier().algorithm() {
            Algorithm::Ed25519 => Ok(signer),
            Algorithm::Cosignature => Err(Failure::Usage(format!(
                "{path}: a witness's key, which signs cosignatures alone"
            ))),
        }
    }

    /// Those that verify what it signs and signed.
    pub fn verifiers(&self) -> Result<Vec<VerifierKey>, Failure> {
        keys_in(&self.beside(".pub"))
    }

    /// The record of what was signed last.
    pub fn last(&self) -> PathBuf {
        self.beside(".last")
    }

    fn put_private(&self, signer: &SignerKey, in_place: bool) -> Result<(), Failure> {
        let path = escaped_path(&self.private);
        let folder = folder_of(&self.private);
        make(folder).map_err(|e| Failure::file(folder, "make the folder", &e))?;
        let bytes = signer.encode();
        let line = [bytes.as_bytes(), b"\n"].concat();
        let secret = Access::CreateSecret;
        let written = match in_place {
            true => put(&Disk, &self.private, &line, secret),
            false => {
                create(&Disk, &self.private, &line, secret).and_then(|()| Disk.sync_folder(folder))
            }
        };
        written.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => Failure::Usage(format!(
                "{path}: there is a key already; `stillthere key rotate` makes another in its place"
            )),
            _ => Failure::file(&self.private, "write the key", &e),
        })
    }

    fn put_public(&self, verifiers: &[VerifierKey]) -> Result<(), Failure> {
        let path = self.beside(".pub");
        let text: String = verifiers.iter().map(|key| format!("{key}\n")).collect();
        put(&Disk, &path, text.as_bytes(), Access::Create)
            .map_err(|e| Failure::file(&path, "write the verifier keys", &e))
    }
}

fn random_key(name: Option<&str>) -> Result<([u8; 32], String), Failure> {
    let mut random = [0; 40];
    getrandom::fill(&mut random)
        .map_err(|e| Failure::Usage(format!("the system gives no random bytes: {e}")))?;
    let (seed, rest) = random.split_first_chunk().expect("40 bytes");
    let name = name.map_or_else(|| format!("stillthere/{}", commitment::hex(rest)), str::to_owned);
    Ok((*seed, name))
}

fn signer(name: &str, seed: &[u8; 32]) -> Result<SignerKey, Failure> {
    SignerKey::new(name, Algorithm::Ed25519, seed)
        .map_err(|error| Failure::Usage(format!("--origin: {error}")))
}

/// Verifier keys as the command line gives them: one, or a file of them.
pub fn verifier_keys(given: &[String]) -> Result<Vec<VerifierKey>, Failure> {
    let mut keys = Vec::new();
    for text in given {
        match VerifierKey::parse(text) {
            Ok(key) => keys.push(key),
            Err(_) if Path::new(text).is_file() => keys.extend(keys_in(Path::new(text))?),
            Err(error) => {
                let text = crate::show::escape::escaped(text);
                return Err(Failure::Usage(format!(
                    "{text}: neither a verifier key ({error}) nor a file of such"
                )));
            }
        }
    }
    Ok(keys)
}

/// Where a store says which key verifies its checkpoints.
pub fn published_key(question: &Question) -> PathBuf {
    question.store.join("tlog/vkey")
}

/// The keys by which this store's checkpoints of an origin are known; of the one that it publishes unless another
/// is given.
pub fn own_keys(question: &Question, origin: Option<&str>) -> Result<Vec<VerifierKey>, Failure> {
    let published = keys_in(&published_key(question))?;
    let origin = origin.unwrap_or(published[0].name());
    // It may have been published under another origin since.
    let ring = KeyRing::of(None, question).verifiers().unwrap_or_default();
    let mut known: Vec<VerifierKey> = Vec::new();
    for key in published.iter().chain(&ring) {
        if key.name() == origin && !known.contains(key) {
            known.push(key.clone());
        }
    }
    // Whose it is not says so.
    Ok(if known.is_empty() { published } else { known })
}

fn keys_in(path: &Path) -> Result<Vec<VerifierKey>, Failure> {
    let text = read(path).map_err(|e| Failure::file(path, "read the verifier keys", &e))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty());
    let keys = lines.map(|(number, line)| {
        VerifierKey::parse(line).map_err(|error| {
            let path = escaped_path(path);
            Failure::Usage(format!("{path}:{number}: not a verifier key: {error}"))
        })
    });
    let keys: Vec<VerifierKey> = keys.collect::<Result<_, _>>()?;
    match keys.is_empty() {
        true => Err(Failure::Usage(format!("{}: no verifier key", escaped_path(path)))),
        false => Ok(keys),
    }
}

/// A signed note in a file.
pub fn note_in(path: &Path) -> Result<Note, Failure> {
    let text = read(path).map_err(|e| Failure::file(path, "read the note", &e))?;
    note_of(path, &text)
}

fn note_of(path: &Path, text: &str) -> Result<Note, Failure> {
    Note::parse(text.as_bytes()).map_err(|error| {
        Failure::Usage(format!("{}: not a signed note: {error}", escaped_path(path)))
    })
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST {
        true => Err(io::Error::other("longer than 1 MiB, which nothing of the kind is")),
        false => Ok(text),
    }
}

/// Makes a folder and those above it, durable: a key that is gone signs nothing more, and nobody knows what it signed.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make(above)?;
    Disk.create_folder(folder)?;
    Disk.sync_folder(above)
}
