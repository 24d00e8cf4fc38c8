//! Numbers as Go's `encoding/binary` writes them (`formats.md` 3.4).

/// The longest: 64 bits, 7 a byte.
const LONGEST: usize = 10;

/// A whole value that is one unsigned number.
pub(super) fn uvarint(bytes: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(LONGEST).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shift = u32::try_from(at).ok()?.checked_mul(7)?;
        // the tenth byte has room for one bit
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            // nothing must follow it
            return (at + 1 == bytes.len()).then_some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_format_are_read() {
        assert_eq!(uvarint(&[0x00]), Some(0));
        assert_eq!(uvarint(&[0x05]), Some(5));
        assert_eq!(uvarint(&[0xac, 0x02]), Some(300));
    }

    #[test]
    fn what_is_cut_or_too_large_is_no_number() {
        assert_eq!(uvarint(&[]), None);
        assert_eq!(uvarint(&[0x80]), None);
        assert_eq!(uvarint(&[0x05, 0x00]), None, "something follows");
        let mut most = [0xff; 10];
        most[9] = 0x01;
        assert_eq!(uvarint(&most), Some(u64::MAX));
        most[9] = 0x02;
        assert_eq!(uvarint(&most), None);
        assert_eq!(uvarint(&[0xff; 11]), None);
    }
}
