//! `/dev/kmsg`: a record a read, `PRIORITY,NUMBER,MICROSECONDS,FLAGS;MESSAGE` and lines of
//! key and value after it (kernel, `Documentation/ABI/testing/dev-kmsg`).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::rate::Rate;
use super::{Log, Said, Tell, line};

/// The longest record that the kernel hands out.
const RECORD: usize = 8192;
/// How long a flood's count waits for its end, in milliseconds.
const TURN_MS: u16 = 1000;

/// Until nobody wants to be told, or the log cannot be read.
pub(super) fn follow(tell: &Tell) -> Result<(), String> {
    let unread = |error: &dyn std::fmt::Display| format!("/dev/kmsg: {error}");
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open("/dev/kmsg")
        .map_err(|error| unread(&error))?;
    file.seek(SeekFrom::End(0)).map_err(|error| unread(&error))?;
    let mut rate = Rate::new(Instant::now());
    let mut record = vec![0; RECORD];
    loop {
        wait(&file, &rate).map_err(|error| unread(&error))?;
        if !drain(&mut file, &mut record, &mut rate, tell)? {
            return Ok(());
        }
    }
}

fn wait(file: &File, rate: &Rate) -> Result<(), Errno> {
    let mut waited = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
    let limit = if rate.owes() { PollTimeout::from(TURN_MS) } else { PollTimeout::NONE };
    match poll(&mut waited, limit) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Takes all that is there; whether anybody still listens.
fn drain(
    file: &mut impl Read,
    record: &mut [u8],
    rate: &mut Rate,
    tell: &Tell,
) -> Result<bool, String> {
    loop {
        let listened = match file.read(record) {
            Ok(0) => return Err("/dev/kmsg has ended".to_owned()),
            Ok(length) => take(record.get(..length).unwrap_or(record), rate, tell),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let missed = rate.missed(Instant::now());
                return Ok(missed.is_none_or(|n| tell(Log::Kernel, Said::Missed(n))));
            }
            // records were written over before they were read
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                rate.lost(1, Instant::now());
                true
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) => return Err(format!("/dev/kmsg: {error}")),
        };
        if !listened {
            return Ok(false);
        }
    }
}

fn take(record: &[u8], rate: &mut Rate, tell: &Tell) -> bool {
    let Some(said) = said(record) else { return true };
    let now = Instant::now();
    let passes = rate.passes(now);
    let told = rate.missed(now).is_none_or(|n| tell(Log::Kernel, Said::Missed(n)));
    told && (!passes || tell(Log::Kernel, said))
}

/// What a record says of storage.
pub(super) fn said(record: &[u8]) -> Option<Said> {
    message(record).filter(|message| is_about_storage(message)).map(line)
}

/// The message of a record; only the kernel's own (facility 0), for anybody may write there.
fn message(record: &[u8]) -> Option<&[u8]> {
    let at = record.iter().position(|byte| *byte == b';')?;
    let (head, rest) = record.split_at(at);
    let priority = head.split(|byte| *byte == b',').next()?;
    let priority: u32 = std::str::from_utf8(priority).ok()?.parse().ok()?;
    let message = rest.get(1..)?.split(|byte| *byte == b'\n').next()?;
    (priority >> 3 == 0).then_some(message)
}

/// Device-mapper itself, and what filesystems and the block layer say of its devices.
fn is_about_storage(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message);
    let dm_device = || {
        text.match_indices("dm-")
            .any(|(at, word)| text.as_bytes().get(at + word.len()).is_some_and(u8::is_ascii_digit))
    };
    text.starts_with("device-mapper: ") || dm_device()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn told(records: &[&[u8]]) -> Vec<Said> {
        let heard = std::sync::Arc::new(Mutex::new(Vec::new()));
        let ear = std::sync::Arc::clone(&heard);
        let tell = move |_: Log, said: Said| {
            ear.lock().expect("no panic under it").push(said);
            true
        };
        let mut rate = Rate::new(Instant::now());
        for record in records {
            assert!(take(record, &mut rate, &tell));
        }
        let heard = heard.lock().expect("no panic under it");
        heard.clone()
    }

    #[test]
    fn the_kernel_s_words_about_device_mapper_are_passed_on_and_others_are_not() {
        let low: &[u8] =
            b"4,1234,5678901,-;device-mapper: thin: 254:2: reached low water mark for \
                           data device: sending event.\n SUBSYSTEM=block\n";
        let records: [&[u8]; 6] = [
            low,
            b"6,1,2,-;usb 1-1: new device\n",
            b"3,1,2,-;Buffer I/O error on dev dm-12, logical block 5, lost async page write\n",
            // a process wrote this: facility 1
            b"12,1,2,-;device-mapper: thin: forged\n",
            b"4,1,2,-;adm-nonsense\n",
            b"garbage",
        ];
        let text = |text: &str| Said::Line(text.into());
        assert_eq!(
            told(&records),
            [
                text(
                    "device-mapper: thin: 254:2: reached low water mark for data device: sending \
                     event."
                ),
                text("Buffer I/O error on dev dm-12, logical block 5, lost async page write"),
            ]
        );
    }

    #[test]
    fn an_escape_sequence_in_the_log_is_shown_and_not_sent() {
        let heard = told(&[b"4,1,2,-;device-mapper: \x1b[2J\xff name\n"]);
        assert_eq!(heard, [Said::Line("device-mapper: \\x1b[2J\u{fffd} name".into())]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut record = b"4,1,2,-;device-mapper: ".to_vec();
        record.resize(8000, b'x');
        let heard = told(&[&record]);
        assert!(matches!(&heard[..], [Said::Line(text)] if text.as_str().len() == 400));
    }
}
