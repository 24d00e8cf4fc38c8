//! Moments in words. Knows numbers of seconds; reads no clock.

/// A moment for a file's name and for a log: `20261121T100000Z`.
pub fn stamp(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let (hour, minute, second) = time_of_day(seconds);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A moment for a person: `2026-11-21 10:00 UTC`.
pub fn moment(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let (hour, minute, _) = time_of_day(seconds);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// A moment in milliseconds as RFC 3339 writes it: `2026-11-21T10:00:00.042Z`.
pub fn rfc3339(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let (hour, minute, second) = time_of_day(seconds);
    let ms = ms.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

fn time_of_day(seconds: i64) -> (i64, i64, i64) {
    let rest = seconds.rem_euclid(86_400);
    (rest / 3600, rest % 3600 / 60, rest % 60)
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
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_those_of_date_u() {
        // each from `date -u -d @N +%Y%m%dT%H%M%SZ`
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_827_696, "20000229T123456Z"),
            (1_704_164_645, "20240102T030405Z"),
            (1_795_255_200, "20261121T100000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (-1, "19691231T235959Z"),
        ] {
            assert_eq!(stamp(seconds), text);
        }
    }

    #[test]
    fn a_moment_for_programs_has_its_milliseconds() {
        // each from `date -u -d @N +%FT%T.%3NZ`
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_255_200_042), "2026-11-21T10:00:00.042Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert!(rfc3339(i64::MAX).ends_with('Z') && rfc3339(i64::MIN).ends_with('Z'));
    }

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
}
