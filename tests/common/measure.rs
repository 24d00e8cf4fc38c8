//! What a program costs: time, processor time, peak memory.
//!
//! The kernel keeps the peak memory of all children of a process in one figure, and a child's
//! begins with its parent's. So each measured program is the only child of a small process: this
//! same program, run again.

use std::error::Error;
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Tells a run of this program that it is to measure the program it is given.
const MARK: &str = "--measure-this";

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From start to end.
    pub(crate) wall: Duration,
    /// Processor time, of the program and all it ran.
    pub(crate) cpu: Duration,
    /// Most memory that it, or one program it ran, had resident.
    pub(crate) peak_kib: u64,
}

/// What `main` of a benchmark does: measures, when this run is for that, or else has the benchmark
/// of that name run.
pub(crate) fn run(name: &str, bench: fn() -> Result<(), Box<dyn Error>>) -> ExitCode {
    if let Some(measured) = measure_if_asked() {
        return measured;
    }
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure_if_asked() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    (words.next()? == MARK).then(|| {
        let program = words.next().unwrap_or_default();
        let since = Instant::now();
        let ran = Command::new(program).args(words).stdout(Stdio::null()).status();
        let wall = since.elapsed();
        let (Ok(status), Ok(usage)) = (ran, getrusage(UsageWho::RUSAGE_CHILDREN)) else {
            return ExitCode::FAILURE;
        };
        let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        println!("{} {cpu} {}", wall.as_micros(), usage.max_rss());
        if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

/// Runs a program to its end, its output thrown away.
pub(crate) fn cost_of(program: &str, args: &[&str]) -> io::Result<Cost> {
    let output = Command::new(std::env::current_exe()?)
        .args([MARK, program])
        .args(args)
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_ascii_whitespace().map_while(|word| word.parse::<u64>().ok());
    let mut next = || numbers.next().ok_or_else(|| io::Error::other("it could not be measured"));
    let (wall, cpu, peak_kib) = (next()?, next()?, next()?);
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{program} {args:?} failed: {words}")));
    }
    Ok(Cost { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), peak_kib })
}

/// The costs of several runs, the figures each at their median.
pub(crate) fn median_cost(runs: usize, program: &str, args: &[&str]) -> io::Result<Cost> {
    let costs = (0..runs).map(|_| cost_of(program, args)).collect::<io::Result<Vec<_>>>()?;
    Ok(Cost {
        wall: median(costs.iter().map(|cost| cost.wall)),
        cpu: median(costs.iter().map(|cost| cost.cpu)),
        peak_kib: median(costs.iter().map(|cost| cost.peak_kib)),
    })
}

/// The middle one; the lower of two middle ones.
pub(crate) fn median<T: Copy + Ord + Default>(figures: impl IntoIterator<Item = T>) -> T {
    let mut figures: Vec<T> = figures.into_iter().collect();
    figures.sort_unstable();
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Whether a short run was asked for.
pub(crate) fn quick() -> bool {
    std::env::var_os("THINSCOPE_BENCH_QUICK").is_some_and(|value| value == "1")
}

/// How many thin devices the measured host has.
pub(crate) fn thin_devices() -> u32 {
    if quick() { 1_000 } else { 10_000 }
}

/// One line of a result, with what is to be reached.
pub(crate) fn line(what: &str, figure: &str, reach: &str) {
    println!("{what:<58} {figure:>14}   reach {reach}");
}

/// Milliseconds with a tenth.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Decimal megabytes, as the memory target is given.
pub(crate) fn mb(kib: u64) -> String {
    let tenths = kib * 1024 / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
