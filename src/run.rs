//! One run of the program: the words typed are resolved, the host is looked at, the answer is
//! printed or the screen is opened.
//!
//! The only module beside `main` that may use all others; it decides nothing about storage.

mod block;
mod change;
mod check;
mod desk;
mod freed;
mod host;
mod keeper;
mod log;
mod manual;
mod metrics;
mod picture;
mod print;
mod remember;
mod reserve;
mod runs;
mod screen;
mod watch;
mod watching;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command, Globals, means_check};
use crate::exit::Exit;
use crate::model::{PoolIx, Snapshot};
use crate::report::text::{Direction, Style};
use crate::report::{json, text};
use crate::settings::{Environment, HostChoice, Settings, UsageError, parse_config};
use crate::sys::live::act;
use crate::{advise, demo, store, survey};

/// Why a run ended without doing what it was asked, in words for standard error.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// What was typed cannot be done.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// There is no host to speak of.
    #[error("{0}")]
    NothingRead(String),
    /// Something on the way failed.
    #[error("{0}")]
    Failed(String),
    /// What was wished for will not be done, and nothing was.
    #[error("{0}")]
    Refused(String),
    /// The person at the terminal left it.
    #[error("stopped")]
    Stopped,
}

impl Trouble {
    fn usage(words: impl Into<String>) -> Self {
        Self::Usage(UsageError(words.into()))
    }

    const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NothingRead(_) => Exit::NothingRead,
            Self::Failed(_) => Exit::Failed,
            Self::Refused(_) => Exit::Listed,
            Self::Stopped => Exit::Stopped,
        }
    }
}

/// Does what the arguments say and tells how it went.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if act::is_runner(&arguments) {
        return act::runner_main();
    }
    if survey::is_child(&arguments) {
        return survey::child_main();
    }
    if reserve::is_holder(&arguments) {
        return reserve::hold();
    }
    if reserve::is_releaser(&arguments) {
        return reserve::release_all(&arguments);
    }
    if arguments.get(1).is_some_and(|word| word == picture::WORD) {
        return ending(picture::run(&arguments[1..]));
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) if means_check(&arguments) => return check::misunderstood(&error),
        Err(error) => {
            // a closed pipe is no reason to complain about help that nobody reads
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    if let Some(Command::Check { .. }) = &cli.command {
        return check::run(cli);
    }
    ending(perform(&cli))
}

/// The exit code, after a word on what went wrong.
fn ending(result: Result<Exit, Trouble>) -> ExitCode {
    let exit = result.unwrap_or_else(|trouble| {
        print::message(&trouble);
        trouble.exit()
    });
    exit.into()
}

/// What was typed, with the configuration file and the surroundings.
fn settle(cli: &Cli) -> Result<Settings, Trouble> {
    let around = Environment::new(io::stdout().is_terminal(), |name| std::env::var(name).ok());
    let config = match &cli.global.config {
        Some(file) => read_config(file)?,
        None => Globals::default(),
    };
    let settings = Settings::resolve(cli, config, &around)?;
    if let HostChoice::Live { root: Some(root) } = &settings.host
        && let Err(error) = store::is_folder(root)
    {
        let root = print::quoted(&root.to_string_lossy());
        return Err(Trouble::usage(format!(
            "--root {root} is no file tree: {error}; give the folder where the other system is \
             mounted"
        )));
    }
    Ok(settings)
}

fn perform(cli: &Cli) -> Result<Exit, Trouble> {
    let settings = settle(cli)?;
    reserve::release_left(&settings);
    match &cli.command {
        Some(Command::Demo { list: true, .. }) => print::stdout(list_demos),
        None | Some(Command::Demo { .. }) => screen::open(&settings),
        Some(Command::Explain { code }) => explain(code),
        Some(Command::Completions { shell }) => print::stdout(|out| {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "thinscope", &mut script);
            out.write_all(&script)
        }),
        Some(Command::Man) => print::stdout(|out| manual::write(&Cli::command(), out)),
        Some(
            command @ (Command::Grow { .. }
            | Command::Activate { .. }
            | Command::Apply { .. }
            | Command::Resume { .. }),
        ) => change::change(&settings, command),
        Some(Command::Journal { id, json }) => {
            change::print_journal(&settings, id.as_deref(), *json)
        }
        Some(Command::Capture { output }) => host::capture(&settings, output.as_deref()),
        Some(metrics @ Command::Metrics { output }) => {
            metrics::run(&settings, metrics, output.as_deref())
        }
        Some(Command::Watch { json }) => watch::run(&settings, *json),
        Some(report) => print_report(report, &settings),
    }
}

fn read_config(file: &Path) -> Result<Globals, Trouble> {
    let text = store::read_text(file).map_err(|error| {
        Trouble::usage(format!("--config {} cannot be read: {error}", file.display()))
    })?;
    parse_config(&text)
        .map_err(|UsageError(why)| Trouble::usage(format!("{}: {why}", file.display())))
}

/// Looks once and prints one of the reports.
fn print_report(report: &Command, settings: &Settings) -> Result<Exit, Trouble> {
    let looked = host::look(settings, report)?;
    print::reservations(&looked.snapshot);
    let mut snapshot = looked.snapshot;
    if matches!(report, Command::Pool { .. }) {
        keeper::recall(settings, &mut snapshot);
    }
    let style = Style { ascii: settings.ascii, color: settings.color_text };
    let exit = match report {
        Command::Tree { json: true, .. } => {
            return print::stdout(|out| json::write_tree(out, &snapshot));
        }
        Command::Tree { inverse, .. } => {
            let direction = if *inverse { Direction::Down } else { Direction::Up };
            print::stdout(|out| text::write_tree(out, &snapshot.topology, direction, style))
        }
        Command::Layers { pool, json, freed_by, .. } => {
            let only = choose_pool(&snapshot, pool.as_deref())?;
            let freed = freed::freed_by(&snapshot.topology, only, freed_by)?;
            let freed = freed.as_ref();
            if *json {
                return print::stdout(|out| json::write_layers(out, &snapshot, only, freed));
            }
            print::stdout(|out| text::write_layers(out, &snapshot.topology, only, freed, style))
        }
        Command::Pool { pool, json, .. } => {
            let only = choose_pool(&snapshot, pool.as_deref())?;
            if *json {
                return print::stdout(|out| json::write_pools(out, &snapshot, only));
            }
            print::stdout(|out| text::write_pools(out, &snapshot, only, style))
        }
        Command::Block { words, data, json, .. } => {
            let pool = block::pool(&snapshot, words, data.is_some())?;
            let (_, question) = block::asked(words, *data)?;
            block::print(&snapshot, pool, (&question, looked.block), (*json, style))
        }
        Command::Findings { json } => return print_findings(&snapshot, *json, style),
        other => unreachable_report(other),
    };
    print::gaps(&snapshot);
    print::absence(report, &snapshot);
    exit
}

/// Every command that is no report was handled before.
fn unreachable_report(command: &Command) -> Result<Exit, Trouble> {
    Err(Trouble::Failed(format!("{command:?} is not a report; please tell the authors")))
}

fn print_findings(snapshot: &Snapshot, json: bool, style: Style) -> Result<Exit, Trouble> {
    if json {
        print::stdout(|out| json::write_findings(out, snapshot))?;
    } else {
        print::stdout(|out| text::write_findings(out, snapshot, style))?;
        print::gaps(snapshot);
    }
    Ok(if snapshot.findings.is_empty() { Exit::Done } else { Exit::Listed })
}

/// The pool that was named; `None` when none was.
fn choose_pool(snapshot: &Snapshot, name: Option<&str>) -> Result<Option<PoolIx>, Trouble> {
    let Some(name) = name else { return Ok(None) };
    let topology = &snapshot.topology;
    topology.find_pool(Some(name)).map(Some).ok_or_else(|| {
        let names: Vec<_> = topology.pools.iter().map(|pool| pool.name.as_str()).collect();
        let known = match names.as_slice() {
            [] => "no pool was found on this host".to_owned(),
            names => format!("the pools are {}", names.join(", ")),
        };
        Trouble::usage(format!("there is no pool {}: {known}", print::quoted(name)))
    })
}

fn list_demos(out: &mut dyn Write) -> io::Result<()> {
    let width = demo::DEMOS.iter().map(|demo| demo.name.len()).max().unwrap_or(0);
    demo::DEMOS.iter().try_for_each(|demo| writeln!(out, "{:width$}  {}", demo.name, demo.about))
}

fn explain(code: &str) -> Result<Exit, Trouble> {
    if let Some(page) = advise::page(code) {
        return print::stdout(|out| out.write_all(page.as_bytes()));
    }
    let codes: Vec<_> = advise::codes().collect();
    Err(Trouble::usage(format!(
        "there is no finding with the code {}; the codes are:\n  {}",
        print::quoted(code),
        codes.join("\n  ")
    )))
}
