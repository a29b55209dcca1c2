//! How numbers and bytes are spelled in notes, checkpoints and paths: each in one way.

use base64ct::{Base64, Encoding};

use crate::tlog::proof::MAX_TREE;

/// A decimal number without zeros in front, at most [`MAX_TREE`].
pub(super) fn decimal(text: &str) -> Option<u64> {
    let is_canonical = text == "0" || !text.starts_with('0');
    let is_decimal = is_canonical && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| is_decimal && *number <= MAX_TREE)
}

/// The bytes of base64 with padding (RFC 4648, section 4), whose unused bits are zero.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// The same for a known number of bytes; a secret leaves no other copy behind.
pub(super) fn base64_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let len = Base64::decode(text, &mut bytes).ok()?.len();
    (len == N).then_some(bytes)
}

/// Base64 with padding.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        for (text, number) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("9223372036854775807", Some(MAX_TREE)),
            ("9223372036854775808", None),
            ("18446744073709551616", None),
            ("", None),
            ("00", None),
            ("01", None),
            ("+1", None),
            ("-0", None),
            (" 1", None),
            ("1 ", None),
            ("1_0", None),
            ("0x1", None),
            ("١", None),
        ] {
            assert_eq!(decimal(text), number, "{text:?}");
        }
    }

    #[test]
    fn bytes_have_one_spelling() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("Zg==", Some(b"f")),
            ("Zm8=", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("+/+/", Some(&[251, 255, 191])),
            // Bits that are not used are set; padding is missing, or is all there is.
            ("Zh==", None),
            ("Zm9=", None),
            ("Zg", None),
            ("Zg=", None),
            ("Zm8", None),
            ("====", None),
            ("Zg======", None),
            ("Zg==Zg==", None),
            // The other alphabet; blanks.
            ("-_-_", None),
            ("Zm9v\n", None),
            ("Zm 9v", None),
            ("Zm9vZ", None),
            ("Zmé9", None),
        ] {
            assert_eq!(base64(text).as_deref(), bytes, "{text:?}");
        }
    }
}
