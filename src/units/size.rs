//! Sizes as a person types them.

use super::Bytes;

/// Reads a number with one of LVM's suffixes (`b K M G T P`, 1024-based, either case), or none.
/// A part of a unit (`1.5G`) is taken to the byte below. `None` for anything else.
pub fn parse_size(text: &str) -> Option<(Bytes, Suffix)> {
    let (number, suffix, shift) = match text.char_indices().next_back()? {
        (at, c) if c.is_ascii_alphabetic() => {
            let shift = match c.to_ascii_lowercase() {
                'b' => 0,
                'k' => 10,
                'm' => 20,
                'g' => 30,
                't' => 40,
                'p' => 50,
                _ => return None,
            };
            (text.get(..at)?, Suffix::Given, shift)
        }
        _ => (text, Suffix::None, 0),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || (number.contains('.') && !digits(part)) || part.len() > 18 {
        return None;
    }
    let unit = 1_u64 << shift;
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    let part = if part.is_empty() { 0 } else { part.parse::<u128>().ok()? };
    let part = u64::try_from(part * u128::from(unit) / scale).ok()?;
    Some((Bytes(whole.checked_add(part)?), suffix))
}

/// Whether a size named its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// It did.
    Given,
    /// A bare number: bytes, where that is allowed at all.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_lvextend_reads_them() {
        let bytes = |text| parse_size(text).map(|(bytes, _)| bytes.get());
        for (text, size) in [
            ("0", 0),
            ("512", 512),
            ("7b", 7),
            ("4k", 4096),
            ("4K", 4096),
            ("1.5G", 1_610_612_736),
            ("2T", 2 << 40),
            ("1P", 1 << 50),
            ("0.3b", 0),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in [
            "",
            "G",
            "-1",
            "+1",
            "1.G",
            ".5G",
            "1 G",
            "1GB",
            "1e3",
            "0x10",
            "16777216P",
            "1.2.3",
            "١K",
        ] {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!(parse_size("4k").map(|(_, suffix)| suffix), Some(Suffix::Given));
        assert_eq!(parse_size("4").map(|(_, suffix)| suffix), Some(Suffix::None));
    }
}
