//! What LVM's monitor writes: `journalctl` prints it as it comes, a JSON object a line.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::rate::Rate;
use super::{Log, Said, Tell, line};
use crate::command::Tool;
use crate::sys::live::run::SEARCH;

/// A longer line is none of LVM's: it is read to its end and left out.
const LONGEST_RECORD: u64 = 64 << 10;

/// How long a flood's count waits for its end, in milliseconds.
const TURN_MS: u16 = 1000;

/// The unit and the names under which LVM's monitor writes; from now on.
const ARGS: [&str; 12] = [
    "--follow",
    "--lines=0",
    "--quiet",
    "--output=json",
    "--output-fields=MESSAGE",
    "_SYSTEMD_UNIT=dm-event.service",
    "+",
    "_SYSTEMD_UNIT=lvm2-monitor.service",
    "+",
    "SYSLOG_IDENTIFIER=dmeventd",
    "+",
    "SYSLOG_IDENTIFIER=lvm",
];

/// A running `journalctl`, ended when it is not wanted any more.
struct Running(Child);

/// The process that follows the journal; 0 where there is none.
static RUNNING: AtomicI32 = AtomicI32::new(0);

/// Ends it: its thread waits for it and cannot.
pub(super) fn stop() {
    let pid = RUNNING.swap(0, Ordering::SeqCst);
    if pid > 0 {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.store(0, Ordering::SeqCst);
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Until nobody wants to be told, or the journal cannot be read.
pub(super) fn follow(tell: &Tell) -> Result<(), String> {
    let name = Tool::Journalctl.program();
    let found = SEARCH.iter().map(|dir| Path::new(dir).join(name)).find(|path| path.is_file());
    let program = found.ok_or_else(|| format!("`{name}` is not installed"))?;
    let mut running = start(&program).map_err(|error| format!("{name}: {error}"))?;
    let output = running.0.stdout.take().ok_or_else(|| format!("{name} has no output"))?;
    if !listen(BufReader::new(output), has_more, tell) {
        return Ok(());
    }
    let mut said = String::new();
    if let Some(errors) = running.0.stderr.take() {
        let _ = errors.take(500).read_to_string(&mut said);
    }
    let said = said.lines().next().unwrap_or("it says nothing");
    Err(format!("{name} has ended: {said}"))
}

fn start(program: &Path) -> std::io::Result<Running> {
    Command::new(program)
        .args(ARGS)
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(|child| {
            RUNNING.store(i32::try_from(child.id()).unwrap_or(0), Ordering::SeqCst);
            Running(child)
        })
}

/// Whether something comes within a turn; also when that cannot be told, for a read will.
fn has_more(output: &impl AsFd) -> bool {
    let mut waited = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
    poll(&mut waited, TURN_MS) != Ok(0)
}

/// Passes lines on until there are no more: true, or until nobody listens: false. `has_more` is
/// asked while something is owed that no further line may come to tell.
fn listen<R: Read>(mut output: BufReader<R>, has_more: impl Fn(&R) -> bool, tell: &Tell) -> bool {
    let mut rate = Rate::new(Instant::now());
    let mut record = Vec::new();
    let missed = |rate: &mut Rate| {
        rate.missed(Instant::now()).is_none_or(|n| tell(Log::Lvm, Said::Missed(n)))
    };
    loop {
        if rate.owes() && output.buffer().is_empty() && !has_more(output.get_ref()) {
            if !missed(&mut rate) {
                return false;
            }
            continue;
        }
        record.clear();
        match output.by_ref().take(LONGEST_RECORD).read_until(b'\n', &mut record) {
            Ok(0) | Err(_) => return true,
            Ok(_) => {}
        }
        let Some(said) = said(&record) else { continue };
        let passes = rate.passes(Instant::now());
        if !missed(&mut rate) || (passes && !tell(Log::Lvm, said)) {
            return false;
        }
    }
}

/// What a record says.
pub(super) fn said(record: &[u8]) -> Option<Said> {
    message(record).map(|message| line(&message))
}

/// The message: text, or a list of bytes where it is none.
fn message(record: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(record).ok()?;
    match value.get("MESSAGE")? {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(bytes) => bytes
            .iter()
            .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn heard(text: &[u8]) -> Vec<Said> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let tell = move |_: Log, said: Said| {
            ear.lock().expect("no panic under it").push(said);
            true
        };
        let ended = listen(BufReader::new(text), |_| true, &tell);
        assert!(ended, "it ends because the log does");
        let heard = heard.lock().expect("no panic under it");
        heard.clone()
    }

    #[test]
    fn messages_come_one_by_one_and_what_is_none_is_left_out() {
        let text = br#"{"MESSAGE":"WARNING: Thin pool docker-thinpool data is now 85.00% full.","_PID":"7"}
{"MESSAGE":[76,86,77,27,91,49,109]}
{"MESSAGE":null}
{"OTHER":"x"}
no json
{"MESSAGE":"cut"#;
        let line = |text: &str| Said::Line(text.into());
        assert_eq!(
            heard(text),
            [
                line("WARNING: Thin pool docker-thinpool data is now 85.00% full."),
                line("LVM\\x1b[1m"),
            ]
        );
    }

    #[test]
    fn a_flood_is_not_passed_on() {
        let text = b"{\"MESSAGE\":\"x\"}\n".repeat(100_000);
        let lines = heard(&text).len();
        assert!((50..1000).contains(&lines), "{lines} of 100000 were passed on");
    }

    #[test]
    fn a_flood_s_count_is_told_though_nothing_more_comes() {
        let (output, mut input) = std::io::pipe().expect("a pipe");
        let text = b"{\"MESSAGE\":\"x\"}\n".repeat(500);
        std::io::Write::write_all(&mut input, &text).expect("it fits");
        let (told, counts) = std::sync::mpsc::channel();
        let told = Mutex::new(told);
        let tell = move |_: Log, said: Said| {
            let Said::Missed(lines) = said else { return true };
            let _ = told.lock().expect("no panic under it").send(lines);
            true
        };
        let listening = std::thread::spawn(move || listen(BufReader::new(output), has_more, &tell));
        let most = std::time::Duration::from_secs(30);
        let lines = counts.recv_timeout(most).expect("the pipe is open and says nothing more");
        assert!((1..=450).contains(&lines), "{lines}");
        drop(input);
        assert!(listening.join().expect("it ends"));
    }

    #[test]
    fn a_record_without_end_takes_no_memory_and_ends_nothing() {
        let mut text = b"{\"MESSAGE\":\"".to_vec();
        text.resize(300_000, b'x');
        text.extend_from_slice(b"\"}\n{\"MESSAGE\":\"after\"}\n");
        assert_eq!(heard(&text), [Said::Line("after".into())]);
    }
}
