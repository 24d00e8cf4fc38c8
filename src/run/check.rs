//! `check`: the plugin's manners around the judgement. Whatever happens is one line on standard
//! output and an exit code from 0 to 3, within the limit.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Trouble, host, keeper, print, settle};
use crate::cli::{Cli, Command};
use crate::report::nagios::{Range, State, Thresholds, Verdict, judge};
use crate::survey::{self, Limits};
use crate::sys::live::brood::Brood;
use crate::text::Printable;

/// What is kept of the limit for starting, judging and printing.
const RESERVE: Duration = Duration::from_millis(300);

/// What the look tells.
enum Told {
    /// What there is to say.
    Judged(Box<Verdict>),
    /// After that: why the history is not kept.
    Unkept(Printable),
}

/// What was asked for.
struct Asked {
    thresholds: Thresholds,
    limit: Duration,
    verbosity: u8,
}

/// Help and version are no state of a host, and neither is what cannot be understood.
pub(super) fn misunderstood(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        let rendered = error.render().to_string();
        let why = rendered.lines().next().unwrap_or_default();
        return say(&Verdict::unknown(why.strip_prefix("error: ").unwrap_or(why)), 0);
    }
    State::Unknown.code().into()
}

/// Looks, judges, prints.
pub(super) fn run(cli: Cli) -> ExitCode {
    let since = Instant::now();
    let asked = match asked(&cli) {
        Ok(asked) => asked,
        Err(why) => return say(&Verdict::unknown(&why), 0),
    };
    let (tell, told) = channel();
    // before the thread: a process that has some is not copied
    let brood = survey::hatch();
    let (thresholds, limit, verbosity) = (asked.thresholds, asked.limit, asked.verbosity);
    let looking = std::thread::Builder::new().name("check".to_owned()).spawn(move || {
        match look(&cli, (&thresholds, limit), brood) {
            Ok((verdict, kept)) => {
                let _ = tell.send(Told::Judged(Box::new(verdict)));
                kept.keep().map(|why| tell.send(Told::Unkept(why)));
            }
            Err(why) => drop(tell.send(Told::Judged(Box::new(Verdict::unknown(&why.to_string()))))),
        }
    });
    if let Err(error) = looking {
        return say(&Verdict::unknown(&format!("the look cannot begin: {error}")), 0);
    }
    let left = || limit.saturating_sub(since.elapsed());
    let verdict = match told.recv_timeout(left()) {
        Ok(Told::Judged(verdict)) => *verdict,
        Err(RecvTimeoutError::Timeout) => {
            Verdict::unknown(&format!("no answer within {} s", limit.as_secs()))
        }
        Ok(Told::Unkept(_)) | Err(RecvTimeoutError::Disconnected) => {
            Verdict::unknown("the look broke off")
        }
    };
    let code = say(&verdict, verbosity);
    // whoever asked has the answer; the history is written meanwhile, and at most until the limit
    if let Ok(Told::Unkept(why)) = told.recv_timeout(left()) {
        print::message(&why);
    }
    code
}

fn asked(cli: &Cli) -> Result<Asked, String> {
    let Some(Command::Check { warning, critical, timeout, verbose }) = &cli.command else {
        return Err("this is no check".to_owned());
    };
    let range =
        |option: &str, text: &str| Range::parse(text).map_err(|why| format!("{option}: {why}"));
    let thresholds =
        Thresholds { warn: range("--warning", warning)?, crit: range("--critical", critical)? };
    let limit = Duration::from_secs(u64::from(*timeout));
    Ok(Asked { thresholds, limit, verbosity: *verbose })
}

fn look(
    cli: &Cli,
    (thresholds, limit): (&Thresholds, Duration),
    brood: Option<Brood>,
) -> Result<(Verdict, keeper::Unkept), Trouble> {
    let settings = settle(cli)?;
    let mut plan = host::plan(&settings)?;
    plan.limits = limits(limit);
    let mut snapshot = survey::look_with(&plan, brood)?.snapshot;
    let unkept = keeper::look_once(&settings, &mut snapshot);
    Ok((judge(&snapshot, thresholds), unkept))
}

/// Each source's share of the limit: all but metadata are asked side by side, and device-mapper
/// again for a device that hangs. Metadata comes after, at most twice. LVM's holds for all its calls
/// together, however long a host of many volumes would let it take.
fn limits(all: Duration) -> Limits {
    let usual = Limits::default();
    let all = all.saturating_sub(RESERVE);
    Limits {
        dm: usual.dm.min(all / 6),
        block: usual.block.min(all / 2),
        mounts: usual.mounts.min(all / 2),
        lvm: usual.lvm.min(all * 2 / 3),
        docker: usual.docker.min(all / 2),
        containerd: usual.containerd.min(all / 2),
        metadata: usual.metadata.min(all / 6),
    }
}

/// Prints and ends. The process may still have a thread that waits for what hangs: it ends with
/// it, and so do its children by themselves.
fn say(verdict: &Verdict, verbosity: u8) -> ExitCode {
    let mut text = Vec::new();
    let mut out = io::stdout().lock();
    let printed = verdict
        .write(&mut text, verbosity)
        .and_then(|()| out.write_all(&text))
        .and_then(|()| out.flush());
    match printed {
        Ok(()) => verdict.state().code().into(),
        // an answer that nobody could read is no OK
        Err(_) => State::Unknown.code().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_limits_fit_into_the_whole() {
        for seconds in [1, 2, 10, 60, 3600] {
            let all = Duration::from_secs(seconds);
            let limits = limits(all);
            // three tries at most, each with a grace of its own
            let first = (limits.dm * 3)
                .max(limits.lvm)
                .max(limits.docker)
                .max(limits.containerd)
                .max(limits.block);
            assert!(first + limits.metadata < all, "{seconds}: {limits:?}");
        }
        assert_eq!(limits(Duration::from_secs(3600)), Limits::default());
    }
}
