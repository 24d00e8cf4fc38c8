//! Runs a tool that changes something to its end, however long that takes.
//!
//! It has a session of its own, so that nothing aimed at us reaches it, and prints to files: a
//! pipe whose reader died would end it in the middle.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::Signal;

use super::files::Files;
use crate::command::Tool;
use crate::sys::live::ioctl::{self, AtSignal};
use crate::sys::live::run::Tools;
use crate::sys::write::Acted;
use crate::text::Printable;

/// How much of what a tool said last is told.
const LAST_LINES: usize = 12;
const LAST_BYTES: u64 = 4 << 10;

/// Runs it and tells how it ended. Its outputs are made by whoever started this process.
pub(super) fn run_tool(tools: &Tools, (tool, args): (Tool, &[String]), files: &Files) -> Acted {
    let mut child = match start(tools, tool, args) {
        Ok(child) => child,
        Err(why) => return Acted::Refused { why },
    };
    let ended = child.wait();
    sync(files);
    let what = Printable::from_text(&format!("`{} {}`", tool.program(), args.join(" ")));
    match ended {
        Ok(status) if status.success() => Acted::Done,
        Ok(status) => Acted::Failed { why: how_it_ended(&what, status, files) },
        Err(error) => Acted::Failed { why: format!("{what} was lost sight of: {error}") },
    }
}

fn start(tools: &Tools, tool: Tool, args: &[String]) -> Result<Child, String> {
    let mut command = tools.prepare(tool).map_err(|failure| failure.why)?;
    command.args(args);
    share_outputs(&mut command).map_err(|error| format!("its outputs are closed: {error}"))?;
    ioctl::set_apart(&mut command, AtSignal::Usual, None);
    let path = command.get_program().to_owned();
    command.spawn().map_err(|error| format!("{} cannot be run: {error}", path.display()))
}

fn share_outputs(command: &mut Command) -> std::io::Result<()> {
    command.stdout(Stdio::from(std::io::stdout().as_fd().try_clone_to_owned()?));
    command.stderr(Stdio::from(std::io::stderr().as_fd().try_clone_to_owned()?));
    Ok(())
}

/// What it said stays when the machine stops: what it did stays too.
fn sync(files: &Files) {
    for path in [files.out(), files.err()] {
        let _ = File::open(path).and_then(|file| file.sync_all());
    }
}

fn how_it_ended(what: &Printable, status: ExitStatus, files: &Files) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was ended by {}", signal_name(signal)),
        (None, None) => "ended".to_owned(),
    };
    match last_words(&files.err()) {
        said if said.is_empty() => format!("{what} {how} and said nothing"),
        said => format!("{what} {how}: {said}"),
    }
}

fn signal_name(number: i32) -> String {
    let known = Signal::try_from(number).map(Signal::as_str);
    known.map_or_else(|_| format!("signal {number}"), str::to_owned)
}

/// The last lines of an output, in one line, safe to print; empty when there are none.
pub(super) fn last_words(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES)))?;
        file.take(LAST_BYTES).read_to_end(&mut bytes)
    });
    if read.is_err() {
        return String::new();
    }
    let lines: Vec<_> = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| Printable::from_bytes(line.trim_ascii()))
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter().map(Printable::as_str).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
