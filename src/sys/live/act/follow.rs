//! Follows a runner: hands on what is printed, notices the end, and gives up waiting in time.
//!
//! Waits for nothing but the clock: outputs are files, and a runner's end is asked for, not
//! awaited.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use super::files::Files;
use super::runner::NOTHING_DONE;
use super::tool::last_words;
use crate::sys::write::{Acted, Effect};
use crate::text::Printable;

/// A window takes a few milliseconds, a tool seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Longer lines are cut.
const LONGEST_LINE: usize = 4 << 10;
/// What a tool prints beyond this stays in its file.
const MOST_LINES: usize = 10_000;
/// What is read of an output in one turn.
const CHUNK: u64 = 256 << 10;

/// Until the runner has ended or the time is over.
pub(super) fn follow(
    mut child: Child,
    files: &Files,
    effect: &Effect,
    (limit, told): (Duration, &mut dyn FnMut(&str)),
) -> Acted {
    let until = Instant::now().checked_add(limit);
    let mut outputs = [Tail::open(&files.out()), Tail::open(&files.err())];
    let mut pause = FIRST_PAUSE;
    loop {
        // asked for before the outputs are read, so that the last of them is not missed
        let ended = look(&mut child, files);
        for output in &mut outputs {
            output.hand_on(ended != Seen::Alive, told);
        }
        if ended != Seen::Alive {
            return outcome(ended, files, effect);
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            reap_later(child);
            return Acted::Running { why: still_running(effect, limit, files) };
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A runner, looked at without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Alive,
    Ended(ExitStatus),
    /// A program that ignores its children's ends is not told how they ended.
    Gone,
}

fn look(child: &mut Child, files: &Files) -> Seen {
    match child.try_wait() {
        Ok(Some(status)) => Seen::Ended(status),
        Err(_) if files.read_outcome().is_some() => Seen::Gone,
        Ok(None) | Err(_) => Seen::Alive,
    }
}

fn outcome(ended: Seen, files: &Files, effect: &Effect) -> Acted {
    if let Some(outcome) = files.read_outcome() {
        return outcome.acted;
    }
    let said = last_words(&files.err());
    let how = match ended {
        Seen::Ended(status) if status.code() == Some(i32::from(NOTHING_DONE)) => {
            return Acted::Refused { why: format!("nothing was done: {said}") };
        }
        Seen::Ended(status) => format!(" ({status})"),
        Seen::Alive | Seen::Gone => String::new(),
    };
    let mut why = format!("the process that did it ended without telling how{how}");
    if !said.is_empty() {
        why = format!("{why}: {said}");
    }
    if let Effect::Window(window) = effect {
        let rescue = window.rescue();
        why = format!("{why}; if the device is suspended, this brings it back: {rescue}");
    }
    Acted::Failed { why }
}

fn still_running(effect: &Effect, limit: Duration, files: &Files) -> String {
    let what = match effect {
        Effect::Run { tool, args } => format!("`{} {}`", tool.program(), args.join(" ")),
        Effect::Window(window) => format!("the new table of {}", window.name),
        Effect::Resume(_) => "resuming".to_owned(),
        Effect::Place(file) => format!("writing {}", file.path),
    };
    let what = Printable::from_text(&what);
    let seconds = limit.as_secs_f32();
    format!(
        "{what} has not ended within {seconds} s and goes on; what it prints is in {}",
        files.out().display()
    )
}

/// So that nothing of it is left when it ends.
fn reap_later(mut child: Child) {
    let waiter = std::thread::Builder::new().spawn(move || child.wait());
    // without a thread it is reaped when we end
    drop(waiter);
}

/// What was printed by an effect that has ended.
pub(super) fn read_all(files: &Files, told: &mut dyn FnMut(&str)) {
    for path in [files.out(), files.err()] {
        Tail::open(&path).hand_on(true, told);
    }
}

/// An output that grows.
struct Tail {
    file: Option<File>,
    line: Vec<u8>,
    told: usize,
}

impl Tail {
    fn open(path: &Path) -> Self {
        Self { file: File::open(path).ok(), line: Vec::new(), told: 0 }
    }

    /// Hands on the lines that came; at the end also one without its newline.
    fn hand_on(&mut self, ended: bool, told: &mut dyn FnMut(&str)) {
        let mut fresh = Vec::new();
        while self.told <= MOST_LINES && self.read(&mut fresh) {
            for byte in fresh.drain(..) {
                self.take(byte, told);
            }
            if !ended {
                return;
            }
        }
        if ended {
            self.tell(told);
        }
    }

    /// Whether there was more.
    fn read(&mut self, fresh: &mut Vec<u8>) -> bool {
        let read = self.file.as_mut().map(|file| file.take(CHUNK).read_to_end(fresh));
        matches!(read, Some(Ok(1..)))
    }

    fn take(&mut self, byte: u8, told: &mut dyn FnMut(&str)) {
        match byte {
            // tools that show progress go back to the line's beginning
            b'\n' | b'\r' => self.tell(told),
            byte if self.line.len() < LONGEST_LINE => self.line.push(byte),
            _ => {}
        }
    }

    fn tell(&mut self, told: &mut dyn FnMut(&str)) {
        let line = Printable::from_bytes(self.line.trim_ascii_end());
        self.line.clear();
        if line.is_empty() || self.told > MOST_LINES {
            return;
        }
        self.told += 1;
        match self.told {
            ..=MOST_LINES => told(line.as_str()),
            _ => told("(it prints more than is shown here)"),
        }
    }
}

#[cfg(test)]
mod tests;
