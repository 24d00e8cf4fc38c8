//! Threshold ranges as the Monitoring Plugins write them: `[@][start:][end]`.
//!
//! | range | alerts when the value is |
//! |---|---|
//! | `10` | below 0 or above 10 |
//! | `10:` | below 10 |
//! | `~:10` | above 10 |
//! | `10:20` | below 10 or above 20 |
//! | `@10:20` | from 10 to 20, both included |

use std::fmt;

/// A range, and on which side of it a value alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    start: f64,
    end: f64,
    inside: bool,
    /// As it was typed, for performance data.
    text: String,
}

impl Range {
    /// Reads a range; what is wrong with it in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("`{}` is no range: {why}", text.escape_debug()));
        let inside = text.starts_with('@');
        let bounds = text.strip_prefix('@').unwrap_or(text);
        let (start, end) = match bounds.split_once(':') {
            Some((start, end)) => (start, end),
            None => ("", bounds),
        };
        if bounds.is_empty() || bounds == ":" {
            return refuse("it has neither a start nor an end");
        }
        let start = match start {
            "" => Some(0.0),
            "~" => Some(f64::NEG_INFINITY),
            number => parse_number(number),
        };
        let end = if end.is_empty() { Some(f64::INFINITY) } else { parse_number(end) };
        let (Some(start), Some(end)) = (start, end) else {
            return refuse(
                "give `END`, `START:`, `START:END` or `~:END`, with `@` before it to alert inside",
            );
        };
        if start > end {
            return refuse("its start is above its end");
        }
        Ok(Self { start, end, inside, text: text.to_owned() })
    }

    /// Whether a value alerts. Both bounds belong to the range.
    pub fn alerts(&self, value: f64) -> bool {
        (self.start <= value && value <= self.end) == self.inside
    }
}

/// A decimal number; no exponent, no word.
fn parse_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let known = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    known.then_some(number)
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alerts(range: &str, value: f64) -> bool {
        Range::parse(range).expect("a range").alerts(value)
    }

    #[test]
    fn a_range_alerts_as_the_guidelines_say() {
        // the examples of the Monitoring Plugins Development Guidelines, with their boundaries
        for (range, quiet, loud) in [
            ("10", &[0.0, 5.0, 10.0][..], &[-0.01, 10.01, 99.0][..]),
            ("10:", &[10.0, 1e9], &[9.99, 0.0, -5.0]),
            ("~:10", &[-1e9, 0.0, 10.0], &[10.01]),
            ("10:20", &[10.0, 15.0, 20.0], &[9.99, 20.01]),
            ("@10:20", &[9.99, 20.01], &[10.0, 15.0, 20.0]),
            ("@10", &[-0.01, 10.01], &[0.0, 10.0]),
            (":10", &[0.0, 10.0], &[-0.01, 10.01]),
            ("-10:-5.5", &[-10.0, -5.5], &[-10.01, -5.49, 0.0]),
            ("~:", &[-1e9, 0.0, 1e9], &[]),
            ("@~:0", &[0.01], &[0.0, -7.0]),
            ("0:0", &[0.0], &[0.01, -0.01]),
        ] {
            for value in quiet {
                assert!(!alerts(range, *value), "{range} is quiet at {value}");
            }
            for value in loud {
                assert!(alerts(range, *value), "{range} alerts at {value}");
            }
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_reason() {
        for text in [
            "", "@", ":", "@:", "20:10", "a", "10:b", "80%", "1e3", "nan", "inf", "~", "10:~",
            "1:2:3", "@@1", "--1", "1,5", " 10", "10 ", "+5", ".", "0:.",
        ] {
            let why = Range::parse(text).expect_err(text);
            assert!(why.contains("is no range: "), "{why}");
        }
        assert!(!Range::parse("\u{1b}[31m").expect_err("no range").contains('\u{1b}'));
    }

    #[test]
    fn a_range_is_printed_as_it_was_typed() {
        for text in ["@10:20", "~:.5", "90.0", "80:"] {
            assert_eq!(Range::parse(text).expect("a range").to_string(), text);
        }
    }
}
