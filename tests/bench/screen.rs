//! The screen on a recorded host of 10,000 thin devices: how soon it is there, how much memory it
//! takes, what it costs while nobody touches it.

#[path = "../common/all.rs"]
mod common;

use std::error::Error;
use std::fs;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use common::measure::{self, line, mb, median, median_cost, ms, quick, thin_devices};
use common::pty::{Screen, Start};
use common::record::record;
use common::synthetic::Synthetic;

const THINSCOPE: &str = env!("CARGO_BIN_EXE_thinscope");
const SIZE: (u16, u16) = (40, 120);
/// A part of the pool as the tree names it, under its volume group.
const POOL: &str = "thinpool_tdata";
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    measure::run("screen", bench)
}

fn bench() -> Result<(), Box<dyn Error>> {
    let host = Synthetic::new(thin_devices());
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("host.capture");
    fs::write(&file, record(&host)?)?;
    let file = file.to_string_lossy();
    println!("{} thin devices", host.docker.devices.len());
    start(&file)?;
    memory(&file)?;
    idle(&file)?;
    Ok(())
}

fn open(file: &str) -> io::Result<Screen> {
    let env = [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")];
    Screen::start(Start { program: THINSCOPE, args: &["--from", file], env: &env, size: SIZE })
}

/// From the start of the process to the first frame, and to the first frame with the pool in it.
fn start(file: &str) -> io::Result<()> {
    let runs = if quick() { 5 } else { 20 };
    let (mut first, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let mut screen = open(file)?;
        first.push(screen.wait_for("thinscope", LIMIT)?);
        whole.push(screen.wait_for(POOL, LIMIT)?);
        screen.press("q")?;
        screen.wait_for_end(LIMIT)?;
    }
    line(&format!("start to first frame, median of {runs}"), &ms(median(first)), "100 ms");
    line(&format!("start to the pool on screen, median of {runs}"), &ms(median(whole)), "-");
    Ok(())
}

fn memory(file: &str) -> io::Result<()> {
    for report in ["tree", "layers"] {
        let cost = median_cost(3, THINSCOPE, &[report, "--json", "--from", file])?;
        line(&format!("peak memory of {report} --json"), &mb(cost.peak_kib), "60 MB");
    }
    let mut screen = open(file)?;
    screen.wait_for(POOL, LIMIT)?;
    let status = fs::read_to_string(format!("/proc/{}/status", screen.pid()))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib = peak.split_ascii_whitespace().next().and_then(|kib| kib.parse().ok());
    let kib = kib.ok_or_else(|| io::Error::other("the kernel tells no peak memory"))?;
    line("peak memory of the screen", &mb(kib), "60 MB");
    Ok(())
}

/// Processor time of all its threads while nothing happens.
fn idle(file: &str) -> io::Result<()> {
    let mut screen = open(file)?;
    screen.wait_for(POOL, LIMIT)?;
    let window = Duration::from_secs(if quick() { 3 } else { 10 });
    // what still settles after the first whole frame is not idling
    std::thread::sleep(Duration::from_secs(1));
    let before = ran_for(screen.pid())?;
    std::thread::sleep(window);
    let spent = ran_for(screen.pid())?.saturating_sub(before);
    let percent = spent.as_secs_f64() / window.as_secs_f64() * 100.0;
    line("idle, share of one core", &format!("{percent:.3} %"), "0.5 %");
    Ok(())
}

/// To the nanosecond, where `stat` counts hundredths of a second.
fn ran_for(pid: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let ran: u64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
        nanoseconds += ran;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
