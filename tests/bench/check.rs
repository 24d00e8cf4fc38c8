//! `check` on this host, in turn with one `lvs`: what a monitoring system's plugin costs beside what
//! most of them call.

#[path = "../common/all.rs"]
mod common;

use std::error::Error;
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use common::measure::{self, line, median, ms, quick};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

const THINSCOPE: &str = env!("CARGO_BIN_EXE_thinscope");

fn main() -> ExitCode {
    measure::run("check", bench)
}

/// From start to end, and the processor time of the program and all it ran.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

fn bench() -> Result<(), Box<dyn Error>> {
    let pairs = if quick() { 10 } else { 60 };
    let (mut checks, mut lists) = (Vec::new(), Vec::new());
    // in turn, and each first as often as the other: what else the machine does meets both
    for at in 0..pairs {
        if at % 2 == 0 {
            lists.push(cost_of("lvs", &[])?);
        }
        checks.push(cost_of(THINSCOPE, &["check"])?);
        if at % 2 == 1 {
            lists.push(cost_of("lvs", &[])?);
        }
    }
    told("time", &checks, &lists, |cost| cost.wall, "1.25 of lvs");
    told("processor time", &checks, &lists, |cost| cost.cpu, "–");
    Ok(())
}

fn told(what: &str, checks: &[Cost], lists: &[Cost], figure: fn(&Cost) -> Duration, reach: &str) {
    let (check, list) = (checks.iter().map(figure), lists.iter().map(figure));
    // of each pair, in thousandths: one slow moment of the machine is one pair
    let ratios = check
        .clone()
        .zip(list.clone())
        .map(|(check, list)| check.as_micros() * 1000 / list.as_micros().max(1));
    line(&format!("check, {what}"), &ms(median(check)), reach);
    line(&format!("lvs, {what}"), &ms(median(list)), "–");
    let ratio = median(ratios);
    line(
        "  check against lvs, median of pairs",
        &format!("{}.{:03}", ratio / 1000, ratio % 1000),
        reach,
    );
}

/// Whatever it says of this host: a check that finds something ends with its code.
fn cost_of(program: &str, arguments: &[&str]) -> io::Result<Cost> {
    let spent = || -> io::Result<i64> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        Ok(usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
    };
    let (before, since) = (spent()?, Instant::now());
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ended = command.status().map_err(|error| {
        io::Error::other(format!("{program}: {error}; the package lvm2 has lvs"))
    })?;
    let wall = since.elapsed();
    if ended.code().is_none() {
        return Err(io::Error::other(format!("{program}: {ended}")));
    }
    let cpu = u64::try_from(spent()? - before).unwrap_or(0);
    Ok(Cost { wall, cpu: Duration::from_micros(cpu) })
}
