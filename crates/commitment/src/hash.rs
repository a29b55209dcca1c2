//! The two hash functions of the log, domains and all (docs/format.md, section 2).

/// A 32-byte hash.
pub type Digest = [u8; 32];

/// What is hashed; the number goes into the hash, so that no two kinds of thing can share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the table of docs/format.md, section 2")]
pub enum Domain {
    Content = 0,
    EventLeaf = 1,
    Secret = 2,
    Name = 3,
    NameLeaf = 4,
    ControlBody = 5,
    ControlLeaf = 6,
    ChainStart = 7,
    ChainStep = 8,
    PageNode = 9,
}

/// What is hashed under an account's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the table of docs/format.md, section 2")]
pub enum KeyedDomain {
    NameSalt = 0,
    Item = 1,
    Backup = 2,
    Category = 3,
}

const BLOCK: usize = 64;
const SMALL: usize = 1024;

/// `H(domain, parts)`: BLAKE3 of the parts' length, the domain and the parts, padded with zeros to
/// a multiple of 64 bytes.
///
/// # Panics
/// From 2^32 bytes on; no frame is that long.
#[must_use]
pub fn hash(domain: Domain, parts: &[&[u8]]) -> Digest {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let prefix = u32::try_from(len).expect("under 2^32 bytes").to_le_bytes();
    let padded = (len + 5).next_multiple_of(BLOCK);
    if padded <= SMALL {
        let mut buffer = [0; SMALL];
        buffer[..4].copy_from_slice(&prefix);
        buffer[4] = domain as u8;
        let mut at = 5;
        for part in parts {
            buffer[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        return *blake3::hash(&buffer[..padded]).as_bytes();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&prefix).update(&[domain as u8]);
    for part in parts {
        hasher.update(part);
    }
    hasher.update(&[0; BLOCK][..padded - len - 5]);
    *hasher.finalize().as_bytes()
}

/// `K(secret, domain, text)`: 16 bytes of keyed BLAKE3. Without the secret it says nothing about
/// the text, and nobody can test a guess.
#[must_use]
pub fn keyed(secret: &[u8; 32], domain: KeyedDomain, text: &[u8]) -> [u8; 16] {
    let hash = if text.len() < SMALL {
        let mut buffer = [0; SMALL];
        buffer[0] = domain as u8;
        buffer[1..=text.len()].copy_from_slice(text);
        blake3::keyed_hash(secret, &buffer[..=text.len()])
    } else {
        blake3::Hasher::new_keyed(secret).update(&[domain as u8]).update(text).finalize()
    };
    first(hash.as_bytes())
}

/// The first bytes of a hash.
pub(crate) fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    hash[..N].try_into().expect("shorter than the hash")
}

/// Lowercase hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a hexadecimal text of either case, if it is one.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| (c as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_paths_agree() {
        for len in [0, 1, 58, 59, 60, 123, 1018, 1019, 1020, 1023, 1024, 5000] {
            let text = vec![7; len];
            let mut plain = u32::try_from(len).unwrap().to_le_bytes().to_vec();
            plain.push(8);
            plain.extend_from_slice(&text);
            plain.resize(plain.len().next_multiple_of(64), 0);
            let (a, b) = text.split_at(len / 3);
            assert_eq!(hash(Domain::ChainStep, &[a, b]), *blake3::hash(&plain).as_bytes(), "{len}");

            let mut keyed_plain = vec![2];
            keyed_plain.extend_from_slice(&text);
            let whole = blake3::keyed_hash(&[9; 32], &keyed_plain);
            assert_eq!(keyed(&[9; 32], KeyedDomain::Backup, &text), whole.as_bytes()[..16]);
        }
    }

    #[test]
    fn hexadecimal_comes_back() {
        assert_eq!(hex(&[0, 171, 255]), "00abff");
        assert_eq!(unhex("00aBff"), Some(vec![0, 171, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("é"), None);
    }
}
