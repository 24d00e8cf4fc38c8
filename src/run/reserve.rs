//! `thinscope __reserve`: holds a pool's metadata snapshot for another process of ours, and gives it
//! back whatever becomes of that; and at the start of a run, what runs left that are no more.
//!
//! The order of things is the safety: a slip is on disk before the message goes out, the block that
//! the kernel gave is on it before anybody reads, and it is torn up only when the kernel says that
//! nothing is held. A snapshot is released only where its block is the one on the slip.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::print;
use crate::ids::DevNo;
use crate::probe::metadata::reserve::{Told, read_healthy, refuse_held};
use crate::settings::{HostChoice, Settings};
use crate::store::reserved::{Reserved, Slip, left};
use crate::sys::live::Live;
use crate::sys::live::reserve::{
    Order, Said, beside, read_order, release, reserve, stand_alone, tell, wait_until_let_go,
};
use crate::sys::{HostPath, Keep, Question, ReadHost, Reply};
use crate::text::Printable;

/// The hidden sub-command of the process that releases what was left.
const LEFT: &str = "__release";
/// Behind it: say only.
const READ_ONLY: &str = "--read-only";
/// How long that process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether these are the arguments of the process that holds.
pub(super) fn is_holder(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == OsStr::new(crate::sys::live::reserve::WORD))
}

/// Runs as that process.
pub(super) fn hold() -> ExitCode {
    stand_alone();
    let Some(order) = read_order() else { return ExitCode::FAILURE };
    let live = Live::new(None);
    let (slip, root) = match take(&live, &order) {
        Ok(taken) => taken,
        Err(why) => {
            tell(&Said::Refused(format!("no metadata snapshot was reserved: {why}")));
            return ExitCode::SUCCESS;
        }
    };
    tell(&Said::Held(root));
    wait_until_let_go();
    tell(&match give_back(&live, order.pool, root, slip) {
        Ok(()) => Said::Released,
        Err(why) => Said::Stays(why),
    });
    ExitCode::SUCCESS
}

/// Writes the slip, reserves, and notes down what the kernel gave.
fn take(live: &Live, order: &Order) -> Result<(Slip, u64), String> {
    let told = read_healthy(live, order.pool)?;
    refuse_held(&told)?;
    let state = order.state.as_path();
    let no_slip = |error: std::io::Error| {
        format!("it could not be noted down in {} first: {error}", state.display())
    };
    let mut slip = slip_of(live, &told);
    let mut written = Slip::write(state, &slip).map_err(no_slip)?;
    if let Err(why) = reserve(order.pool) {
        // nothing is held by us: a slip that stays is torn up by the next run
        let _ = written.tear_up();
        return Err(why);
    }
    let root = read_healthy(live, order.pool).map(|told| told.status.held_root);
    let root = root.ok().flatten();
    slip.held_root = root;
    match (root, written.put(&slip)) {
        (Some(root), Ok(())) => Ok((written, root)),
        (_, put) => {
            // it was reserved a moment ago and by us: nobody else could since
            release(order.pool)?;
            let _ = written.tear_up();
            put.map_err(no_slip)?;
            Err("the kernel does not tell its block".to_owned())
        }
    }
}

fn slip_of(live: &Live, told: &Told) -> Reserved {
    let time = match live.ask(&Question::Host).result {
        Ok(Reply::Host(host)) => host.time,
        _ => 0,
    };
    Reserved {
        pool: String::from_utf8_lossy(&told.device.name.0).into_owned(),
        uuid: String::from_utf8_lossy(&told.device.uuid.0).into_owned(),
        time,
        boot_id: boot_id(live),
        held_root: None,
    }
}

fn boot_id(live: &Live) -> String {
    let path = HostPath::new("/proc/sys/kernel/random/boot_id");
    match live.ask(&Question::File { path, keep: Keep::All, within: None }).result {
        Ok(Reply::Bytes(raw)) => String::from_utf8_lossy(raw.0.trim_ascii()).into_owned(),
        _ => String::new(),
    }
}

/// Releases what the slip says, and nothing else.
fn give_back(live: &Live, pool: DevNo, root: u64, slip: Slip) -> Result<(), String> {
    let told = read_healthy(live, pool)?;
    if told.status.held_root == Some(root) {
        release(pool)?;
        if let Some(root) = read_healthy(live, pool)?.status.held_root {
            return Err(format!("it was released, and the kernel still says block {root}"));
        }
    }
    slip.tear_up().map_err(|error| format!("it is released; its slip stays: {error}"))
}

/// Has what killed runs left released, and says so. Done by another process, for a pool may be stuck
/// in the kernel: that must not keep a person from looking at it. A run that may change nothing only
/// says that something is there.
pub(super) fn release_left(settings: &Settings) {
    let here = matches!(settings.host, HostChoice::Live { root: None });
    if !here || !nix::unistd::geteuid().is_root() {
        return;
    }
    let Ok(state) = std::path::absolute(&settings.state_dir) else { return };
    if matches!(left(&state), Ok(slips) if slips.is_empty()) {
        return;
    }
    let more: &[&OsStr] = if settings.read_only { &[OsStr::new(READ_ONLY)] } else { &[] };
    match beside(&[&[OsStr::new(LEFT), state.as_os_str()], more].concat(), PATIENCE) {
        Ok(said) => said.lines().for_each(|line| print::message(&Printable::from_text(line))),
        Err(why) => print::message(&format_args!(
            "whether a killed run left a metadata snapshot is not known: {why}"
        )),
    }
}

/// Whether these are the arguments of the process that releases.
pub(super) fn is_releaser(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == LEFT)
}

/// Runs as that process: a line for each pool of which there is something to say.
pub(super) fn release_all(arguments: &[OsString]) -> ExitCode {
    stand_alone();
    let Some(state) = arguments.get(2) else { return ExitCode::FAILURE };
    let read_only = arguments.get(3).is_some_and(|word| word == READ_ONLY);
    let live = Live::new(None);
    for slip in left(Path::new(state)).unwrap_or_default() {
        if let Some(line) = tell_of(&live, slip, read_only) {
            println!("{line}");
        }
    }
    ExitCode::SUCCESS
}

fn tell_of(live: &Live, mut slip: Slip, read_only: bool) -> Option<String> {
    let Ok(Some(said)) = slip.read() else {
        // it was killed before it had written what it was about to do
        let _ = slip.tear_up();
        return None;
    };
    let name = Printable::from_text(&said.pool);
    let outcome = if read_only {
        Err("--read-only says that nothing is changed".to_owned())
    } else {
        clear(live, &said, slip)
    };
    match outcome {
        Ok(Cleared::Nothing) => None,
        Ok(Cleared::Released) => Some(format!(
            "released the metadata snapshot of pool {name} that a killed run of thinscope had \
             reserved"
        )),
        Err(why) => Some(format!(
            "a killed run of thinscope may have left a metadata snapshot in pool {name}: {why}"
        )),
    }
}

/// What became of a slip.
#[derive(Debug, PartialEq, Eq)]
enum Cleared {
    /// Nothing of ours is held.
    Nothing,
    /// It was held, and is released.
    Released,
}

fn clear(live: &Live, said: &Reserved, slip: Slip) -> Result<Cleared, String> {
    let Some(pool) = find(live, said) else {
        return Err("the pool is not active; it is released when the pool is there again".into());
    };
    let told = read_healthy(live, pool)?;
    match (told.status.held_root, said.held_root) {
        (Some(held), Some(ours)) if held == ours => {
            give_back(live, pool, ours, slip).map(|()| Cleared::Released)
        }
        (Some(held), None) => Err(format!(
            "it was killed while it reserved, and one is held now (block {held}); if nobody else \
             reserved it, `dmsetup message {} 0 release_metadata_snap` releases it",
            Printable::from_text(&said.pool)
        )),
        // released meanwhile, or another one by somebody else
        _ => slip.tear_up().map(|()| Cleared::Nothing).map_err(|error| error.to_string()),
    }
}

/// The pool of a slip, by its name and its uuid.
fn find(live: &Live, said: &Reserved) -> Option<DevNo> {
    let Ok(Reply::DmList(list)) = live.ask(&Question::DmList).result else { return None };
    let same = |raw: &crate::sys::Raw, text: &str| String::from_utf8_lossy(&raw.0) == text;
    let dev = list.into_iter().find(|one| same(&one.name, &said.pool))?.dev;
    match live.ask(&Question::DmDevice(dev)).result {
        Ok(Reply::DmDevice(device)) if same(&device.uuid, &said.uuid) => Some(dev),
        _ => None,
    }
}

/// Where slips are kept, for a look that may reserve.
pub(super) fn state_of(settings: &Settings) -> Result<HostPath, String> {
    let absolute = |path: &Path| std::path::absolute(path);
    absolute(&settings.state_dir)
        .map(HostPath::new)
        .map_err(|error| format!("--state-dir cannot be made absolute: {error}"))
}
