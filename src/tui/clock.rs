//! Ages in words. Knows numbers of seconds; reads no clock.

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

#[cfg(test)]
mod tests {
    use super::*;

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
