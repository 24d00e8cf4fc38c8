//! The runner: the process that does one effect to its end.
//!
//! Has one thread. Reads its order from standard input up to the end, takes the room for the
//! result, does the effect, leaves the result. What it says goes to its outputs, which are files.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::stat::{Mode, umask};

use super::bring_back::bring_back;
use super::files::Files;
use super::order::{Order, Outcome};
use super::place::place;
use super::swap::swap;
use super::tool::run_tool;
use crate::sys::live::run::{Tools, close_inherited};
use crate::sys::write::{Acted, Effect};

/// The word that makes the program a runner; not for typing.
pub(super) const WORD: &str = "__act";

/// Exit code of a runner that has done nothing, and has no result to say it in.
pub(super) const NOTHING_DONE: u8 = 75;

/// Tables are short; a long list of targets is a few megabytes.
const LONGEST_ORDER: u64 = 64 << 20;

/// Whether these are the arguments of a runner.
pub fn is_runner(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == WORD)
}

/// Runs as the runner.
pub fn runner_main() -> ExitCode {
    // the lock among them: it is ours as long as we live, and no tool's
    close_inherited();
    umask(Mode::from_bits_truncate(0o022));
    let prepared = read_order().and_then(|order| {
        let files = Files::new(&order.folder, &order.stem)?;
        let room = files.reserve();
        let room = room.map_err(|error| format!("there is no room for the result: {error}"))?;
        Ok((order, files, room))
    });
    let (order, files, room) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => {
            complain(&why);
            return ExitCode::from(NOTHING_DONE);
        }
    };
    let (acted, window) = perform(&order.effect, &files);
    let done = acted == Acted::Done;
    if let Err(error) = room.fill(&Outcome::now(acted, window)) {
        complain(&format!("the result could not be written: {error}"));
    }
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read_order() -> Result<Order, String> {
    let mut text = Vec::new();
    let read = io::stdin().lock().take(LONGEST_ORDER).read_to_end(&mut text);
    read.map_err(|error| format!("the order cannot be read: {error}"))?;
    Order::parse(&text).ok_or_else(|| "the order was cut off".to_owned())
}

fn perform(effect: &Effect, files: &Files) -> (Acted, Option<Duration>) {
    match effect {
        Effect::Run { tool, args } => (run_tool(&Tools::default(), (*tool, args), files), None),
        Effect::Window(window) => swap(window, &mut say),
        Effect::Resume(devices) => (bring_back(devices, &mut say), None),
        Effect::Place(file) => (place(file), None),
    }
}

/// A line on standard output, which nobody may read.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn complain(why: &str) {
    let _ = writeln!(io::stderr(), "{why}");
}
