//! Ages and dates in words. Knows numbers of seconds; reads no clock.

/// An age for the header: `2 s`, `5 min`, `3 h`, `12 d`.
pub(crate) fn age(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Milliseconds until the text of an age changes.
pub(crate) fn until_change(milliseconds: i64) -> i64 {
    let now = milliseconds.max(0);
    let step = match now / 1000 {
        0..120 => 1000,
        120..7200 => 60_000,
        7200..172_800 => 3_600_000,
        _ => 86_400_000,
    };
    step - now % step
}

/// A moment as `2026-11-21 10:00 UTC`.
pub(crate) fn moment(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest % 3600 / 60)
}

/// Year, month and day of a number of days since 1970 (Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.clamp(-100_000_000, 100_000_000) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_date_u() {
        // each from `date -u -d @N`
        assert_eq!(moment(0), "1970-01-01 00:00 UTC");
        assert_eq!(moment(1_795_255_200), "2026-11-21 10:00 UTC");
        assert_eq!(moment(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(moment(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(moment(-1), "1969-12-31 23:59 UTC");
        assert!(moment(i64::MAX).ends_with("UTC") && moment(i64::MIN).ends_with("UTC"));
    }

    #[test]
    fn ages_are_short_and_say_when_they_change() {
        assert_eq!(age(-5), "0 s");
        assert_eq!(age(2_300), "2 s");
        assert_eq!(age(150_000), "2 min");
        assert_eq!(age(7_200_000), "2 h");
        assert_eq!(age(200_000_000), "2 d");
        assert_eq!(until_change(2_300), 700);
        assert_eq!(until_change(150_000), 30_000);
    }
}
