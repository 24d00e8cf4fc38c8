//! Keys in tables: the one thing that device-mapper tells and thinscope must not know.

use crate::sys::{DmTarget, Raw};

/// Blanks the keys of a table's line with zeros, as `dmsetup table` does without `--showkeys`
/// (for crypt), and those of dm-integrity, which `dmsetup` shows.
pub(super) fn blank_keys(target: &mut DmTarget) {
    match target.kind.as_str() {
        "crypt" => blank_word(&mut target.params, 1, |word| !word.starts_with(b":")),
        "integrity" => blank_integrity(&mut target.params),
        _ => {}
    }
}

/// `<cipher> <key> …`; a key that begins with `:` names one in the kernel's keyring.
fn blank_word(params: &mut Raw, nth: usize, secret: impl Fn(&[u8]) -> bool) {
    if let Some(word) = params.0.split_mut(|byte| *byte == b' ').nth(nth)
        && secret(word)
    {
        word.fill(b'0');
    }
}

/// Options `internal_hash:ALG:KEY`, `journal_crypt:ALG:KEY`, `journal_mac:ALG:KEY`; the algorithm
/// itself may hold colons only inside brackets, never does in the kernel's own list.
fn blank_integrity(params: &mut Raw) {
    for word in params.0.split_mut(|byte| *byte == b' ') {
        let keyed = [&b"internal_hash:"[..], b"journal_crypt:", b"journal_mac:"];
        if keyed.iter().any(|option| word.starts_with(option))
            && let Some(key) = word.splitn_mut(3, |byte| *byte == b':').nth(2)
        {
            key.fill(b'0');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(kind: &str, params: &str) -> Raw {
        let mut target =
            DmTarget { start: 0, length: 8, kind: kind.to_owned(), params: Raw::from(params) };
        blank_keys(&mut target);
        target.params
    }

    #[test]
    fn the_key_of_a_crypt_target_is_as_many_zeros() {
        assert_eq!(
            masked("crypt", "aes-xts-plain64 1f2e3d4c 0 8:16 4096"),
            Raw::from("aes-xts-plain64 00000000 0 8:16 4096")
        );
    }

    #[test]
    fn a_key_of_the_kernel_s_keyring_is_only_named_and_stays() {
        let params = "aes-xts-plain64 :64:logon:cryptsetup:uuid-d0 0 8:16 4096";
        assert_eq!(masked("crypt", params), Raw::from(params));
    }

    #[test]
    fn the_keys_of_an_integrity_target_are_zeros_and_its_algorithms_stay() {
        assert_eq!(
            masked(
                "integrity",
                "8:16 0 32 J 2 internal_hash:hmac(sha256):c0ffee journal_watermark:50"
            ),
            Raw::from("8:16 0 32 J 2 internal_hash:hmac(sha256):000000 journal_watermark:50")
        );
        let keyless = "8:16 0 4 J 1 internal_hash:crc32c";
        assert_eq!(masked("integrity", keyless), Raw::from(keyless));
    }

    #[test]
    fn other_tables_stay_and_a_cut_line_is_no_trouble() {
        assert_eq!(masked("linear", "8:16 2048"), Raw::from("8:16 2048"));
        assert_eq!(masked("crypt", "aes"), Raw::from("aes"));
        assert_eq!(masked("crypt", ""), Raw::from(""));
    }
}
