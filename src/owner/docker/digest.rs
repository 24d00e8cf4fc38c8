//! A sha256 digest as Docker writes it, and chain ids made of digests.
//!
//! Knows nothing of files.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::text::Printable;

/// A sha256 digest: an image id, a diff id or a chain id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// From `sha256:<64 hex>`, surrounding whitespace ignored.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::parse_hex(text.trim_ascii().strip_prefix(b"sha256:")?)
    }

    /// From 64 hexadecimal digits.
    pub fn parse_hex(hex: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        if hex.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            *byte = (nibble(high)? << 4) | nibble(low)?;
        }
        Some(Self(bytes))
    }

    /// The chain id of the layer with diff id `diff` above the chain `self`: the digest of both
    /// in text with a space between (`formats.md` 1.6.1).
    #[must_use]
    pub fn chained(self, diff: Self) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.text());
        hasher.update(b" ");
        hasher.update(diff.text());
        Self(hasher.finalize().into())
    }

    /// `sha256:<64 hex>` as a name.
    pub fn printable(self) -> Printable {
        Printable::from_bytes(&self.text())
    }

    /// `sha256:<64 hex>` in bytes.
    fn text(self) -> [u8; 71] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = *b"sha256:0000000000000000000000000000000000000000000000000000000000000000";
        for (pair, byte) in text[7..].chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        text
    }
}

/// Docker writes lower-case digits only.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.text()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `formats.md` 1.6.1, reproduced there with Docker's own Go code.
    #[test]
    fn a_chain_id_is_the_digest_of_chain_and_diff_in_text() {
        let digest = |text: &str| Digest::parse(text.as_bytes());
        let first =
            digest("sha256:589f0d58b9053a4ff7329b8fdb4f9dd120e29354c086ad0b3b10733f6cfd6de3");
        let second =
            digest("sha256:55fea2a37a9fc5963f1beccd0d162b856e6bd05ca07cdd3726847846ab740f0d");
        let chain =
            digest("sha256:267c5fd16af60e52927fabf0a36a31f3b5a2069347f7f00c7bd7f93f6ebc01f4");
        assert!(chain.is_some());
        assert_eq!(first.zip(second).map(|(first, second)| first.chained(second)), chain);
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let hex = "0".repeat(64);
        assert!(Digest::parse(format!("sha256:{hex}\n").as_bytes()).is_some());
        for wrong in ["", "sha256:", &hex, &format!("sha512:{hex}"), &format!("sha256:{hex}0")] {
            assert_eq!(Digest::parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Digest::parse_hex(&[b'A'; 64]), None);
    }
}
