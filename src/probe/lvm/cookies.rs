//! Cookies of libdevmapper's: semaphores by which a program waits until udev has made a device's
//! node. One that stays is a program that waits for ever.

use crate::model::Cookie;
use crate::probe::ask;
use crate::sys::{Question, ReadHost, Reply};
use crate::text::Printable;

/// What the upper half of a cookie's number is (libdm, `DM_COOKIE_MAGIC`).
const MAGIC: u32 = 0x0D4D;
/// Cookies that are told.
const MOST: usize = 64;

/// Reads the kernel's list of semaphores.
pub(super) fn read_cookies(host: &dyn ReadHost) -> Vec<Cookie> {
    let Ok(text) = ask::file(host, "/proc/sysvipc/sem") else { return Vec::new() };
    let Ok(Reply::Number(now)) = ask::reply(host, &Question::Time) else { return Vec::new() };
    let text = String::from_utf8_lossy(&text.0);
    text.lines().filter_map(|line| parse_line(line, now)).take(MOST).collect()
}

/// `key semid perms nsems uid gid cuid cgid otime ctime` (proc(5)); the key is signed.
fn parse_line(line: &str, now: u64) -> Option<Cookie> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [key, _, _, "1", _, _, _, _, used, changed] = words.as_slice() else { return None };
    let number = u32::from_ne_bytes(key.parse::<i32>().ok()?.to_ne_bytes());
    if number >> 16 != MAGIC {
        return None;
    }
    let newest = used.parse::<u64>().ok()?.max(changed.parse().ok()?);
    Some(Cookie { number, age: now.saturating_sub(newest), line: Printable::from_text(line) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{FakeHost, file};
    use crate::sys::Answer;

    #[test]
    fn cookies_are_told_from_other_semaphores_by_their_number() {
        // 0x0d4d5b2a is 223173418; 0x0d4d0001 with two semaphores is none of libdevmapper's
        let text = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      \
                    ctime\n 223173418          3   600          1     0     0     0     0 \
                    1700000005 1700000001\n        17          4   600          1     0     0     \
                    0     0          0 1700000001\n 223150081          5   600          2     0     \
                    0     0     0          0 1700000001\nnonsense\n";
        let host = FakeHost::new([
            (file("/proc/sysvipc/sem"), Answer::ok_bytes(text)),
            (Question::Time, Answer::ok(Reply::Number(1_700_000_100))),
        ]);
        let cookies = read_cookies(&host);
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        assert_eq!((cookies[0].number, cookies[0].age), (0x0d4d_5b2a, 95));
    }

    #[test]
    fn without_the_time_no_age_is_made_up() {
        let host = FakeHost::new([(file("/proc/sysvipc/sem"), Answer::ok_bytes(""))]);
        assert_eq!(read_cookies(&host), []);
    }
}
