//! Quantities in words for people. Docker's own decimal figures are made in one function here
//! and used only inside its driver status.

pub mod date;

use humansize::{BINARY, FormatSizeOptions, format_size};

use crate::units::Bytes;

/// For a column: `512`, `1020M`, `19.0G`; at most six characters below an exbibyte.
pub fn short(size: Bytes) -> String {
    let (number, unit) = scaled(size);
    if unit.is_empty() { number } else { format!("{number}{}", &unit[..1]) }
}

/// For a sentence: `19.0 GiB`, `1020 MiB`, `512 B`.
pub fn long(size: Bytes) -> String {
    let (number, unit) = scaled(size);
    if unit.is_empty() { format!("{number} B") } else { format!("{number} {unit}") }
}

/// To the byte: `20401094656 B (19.0 GiB)`.
pub fn exact(size: Bytes) -> String {
    if size.get() < 1024 { long(size) } else { format!("{} B ({})", size.get(), long(size)) }
}

/// A time that nobody knows to the second: `90 s`, `12 minutes`, `40 hours`, `9 days`.
pub fn about(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} minutes", seconds / 60),
        7200..=172_799 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Number and unit: a decimal below 100 only where it says something, `""` as unit for bytes.
fn scaled(size: Bytes) -> (String, String) {
    let text = format_size(size.get(), FormatSizeOptions::from(BINARY).decimal_places(1));
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    if unit == "B" {
        return (number.to_owned(), String::new());
    }
    let whole = number.split('.').next().unwrap_or(number);
    let number = match (number.contains('.'), whole.len()) {
        (_, 3..) => format_size(size.get(), FormatSizeOptions::from(BINARY).decimal_places(0))
            .split(' ')
            .next()
            .unwrap_or(whole)
            .to_owned(),
        (true, _) => number.to_owned(),
        (false, _) => format!("{number}.0"),
    };
    (number, unit.to_owned())
}

/// As docker prints sizes (go-units `HumanSize`): decimal units, four significant digits, no
/// space: `65.54kB`, `10.74GB`, `107.4GB`.
#[allow(clippy::cast_precision_loss, reason = "docker computes in floats as well")]
pub fn docker(size: Bytes) -> String {
    const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    let (mut value, mut unit) = (size.get() as f64, 0);
    while value >= 1000.0 && unit < UNITS.len() - 1 {
        value /= 1000.0;
        unit += 1;
    }
    format!("{}{}", four_digits(value), UNITS[unit])
}

/// C's `%.4g` for 0 ≤ value < 1000 (and 1000 itself, which rounding can reach).
fn four_digits(value: f64) -> String {
    let whole = if value >= 100.0 {
        3
    } else if value >= 10.0 {
        2
    } else {
        1
    };
    let text = format!("{value:.*}", 4 - whole);
    // rounding may have added a digit (99.996 → 100.00 with two decimals)
    let text = if text.find('.').unwrap_or(text.len()) > whole {
        format!("{value:.*}", 3 - whole.min(3))
    } else {
        text
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_short_and_sentences_have_units() {
        for (size, column, sentence) in [
            (0, "0", "0 B"),
            (1023, "1023", "1023 B"),
            (1024, "1.0K", "1.0 KiB"),
            (65536, "64.0K", "64.0 KiB"),
            (1020 << 20, "1020M", "1020 MiB"),
            (19 << 30, "19.0G", "19.0 GiB"),
            (100 << 30, "100G", "100 GiB"),
            (102_080_315_392, "95.1G", "95.1 GiB"),
        ] {
            assert_eq!(short(Bytes(size)), column);
            assert_eq!(long(Bytes(size)), sentence);
        }
        assert_eq!(exact(Bytes(19 << 30)), "20401094656 B (19.0 GiB)");
    }

    #[test]
    fn a_time_is_told_in_the_unit_that_a_person_would_use() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 minutes"),
            (7199, "119 minutes"),
            (7200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
            (777_600, "9 days"),
        ] {
            assert_eq!(about(seconds), text);
        }
    }

    #[test]
    fn docker_sizes_are_docker_s() {
        for (size, text) in [
            (0, "0B"),
            (65536, "65.54kB"),
            (524_288, "524.3kB"),
            (10_737_418_240, "10.74GB"),
            (107_374_182_400, "107.4GB"),
            (1000, "1kB"),
            (999, "999B"),
            (999_999, "1000kB"),
            (20_720_000, "20.72MB"),
        ] {
            assert_eq!(docker(Bytes(size)), text, "{size}");
        }
    }
}
