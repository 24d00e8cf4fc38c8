//! What was typed: the commands and options, exactly as they are named for good.
//!
//! Only the shape is checked here; [`crate::settings`] resolves what the words mean together.
//! A command that does not exist yet is not offered. Knows nothing of hosts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// See, explain and safely change the device-mapper thin pools under container engines.
#[derive(Debug, Parser)]
#[command(
    name = "thinscope",
    version,
    about = "See and explain the device-mapper thin pools under container engines",
    long_about = "thinscope draws the storage under container engines as one tree, from disk to \
                  container: PV, VG, tdata and tmeta, thin pool, thin devices. Each thin device is \
                  named by the image layer or container that it belongs to.\n\nWithout a command \
                  it opens the screen on this host. Looking changes nothing.",
    after_help = "Exit codes: 0 done; 1 findings were listed, or a refusal; 2 usage; 3 nothing \
                  could be read; 4 a step failed; 5 stopped by the user."
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Globals,
    /// Open the screen on this metadata device, or saved image of one, and on nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "root"])]
    pub metadata: Option<PathBuf>,
    /// What to do; the screen when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options for every command")]
pub struct Globals {
    /// Look at a recorded host instead of this one
    #[arg(long, value_name = "FILE", global = true)]
    pub from: Option<PathBuf>,
    /// Look at a file tree mounted there instead of `/`
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// Docker's data root, where its configuration does not name it; may be repeated
    #[arg(long, value_name = "DIR", global = true)]
    pub docker_root: Vec<PathBuf>,
    /// containerd's root, where its configuration does not name it; may be repeated
    #[arg(long, value_name = "DIR", global = true)]
    pub containerd_root: Vec<PathBuf>,
    /// Draw with ASCII only (chosen by itself where the locale or the terminal asks for it)
    #[arg(long, global = true)]
    pub ascii: bool,
    /// When to use colour; `NO_COLOR` in the environment counts as never
    #[arg(long, value_name = "WHEN", value_enum, global = true)]
    pub color: Option<When>,
    /// Read options from this file, lines of `name = value`; the command line outranks them
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Where thinscope keeps its own files [default: /var/lib/thinscope]
    #[arg(long, value_name = "DIR", global = true)]
    pub state_dir: Option<PathBuf>,
    /// Append to this file when was looked, what was found and what could not be seen
    #[arg(long, value_name = "FILE", global = true)]
    pub log: Option<PathBuf>,
    /// Look again at least this often while the screen is open [default: 5]
    #[arg(long, value_name = "SECONDS", global = true)]
    pub refresh: Option<f64>,
    /// Offer nothing that changes anything
    #[arg(long, global = true)]
    pub read_only: bool,
}

/// How a command that changes the host is called.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Walk the plan on predictions; nothing is changed
    #[arg(long)]
    pub dry_run: bool,
    /// Print the plan as JSON; nothing is changed
    #[arg(long)]
    pub json: bool,
    /// Write the plan as a shell script; nothing is changed; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Save the plan for `apply`; nothing is changed
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Consent: the pool's name, and the path of each device whose content is lost
    #[arg(long, value_name = "NAME")]
    pub yes: Vec<String>,
}

impl Change {
    /// Whether it only shows: nothing runs then, whatever is consented to.
    pub const fn only_shows(&self) -> bool {
        self.dry_run || self.json || self.script.is_some() || self.save.is_some()
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal that has it.
    #[default]
    Auto,
    /// Also into a file or a pipe.
    Always,
    /// Not at all.
    Never,
}

/// The commands.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Open the screen on a recorded host that is built into this program
    Demo {
        /// Which one; the first when left out
        name: Option<String>,
        /// Name them all, and what each shows
        #[arg(long)]
        list: bool,
    },
    /// Print the storage as a tree, from disk to thin device
    Tree {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Start from what rests on top and go down to the disks
        #[arg(long)]
        inverse: bool,
    },
    /// Print every thin device of every pool with its owner, sizes and parent
    Layers {
        /// Only this pool: its device-mapper name, or VG/LV
        pool: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Say what each device holds alone, shares, and adds to its parent; reads all mappings
        #[arg(long)]
        sharing: bool,
        /// Say what deleting these devices of one pool, all together, would give back
        #[arg(long, value_name = "ID,…", value_delimiter = ',')]
        freed_by: Vec<u32>,
        /// Where commits outrun the reading, reserve a metadata snapshot for it and release it after:
        /// this writes to the pool
        #[arg(long, conflicts_with_all = ["from", "root"])]
        reserve_snapshot: bool,
        /// Read this metadata device, or saved image of one, and nothing else
        #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "root", "pool", "reserve_snapshot"])]
        metadata: Option<PathBuf>,
    },
    /// Print what `docker info` prints of the storage driver, computed without the daemon
    Pool {
        /// Only this pool: its device-mapper name, or VG/LV
        pool: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Where commits outrun the reading, reserve a metadata snapshot for it and release it after:
        /// this writes to the pool
        #[arg(long, conflicts_with_all = ["from", "root"])]
        reserve_snapshot: bool,
    },
    /// Print which data block a thin device reads at an offset and who shares it, or who uses a
    /// data block
    #[command(after_help = "OFFSET is in bytes, with a suffix b K M G T P (1024-based) or 0x \
                            before it; b:N is block N of the device.")]
    Block {
        /// POOL ID OFFSET; POOL may be left out where there is only one, and alone stands with
        /// --data
        #[arg(value_name = "POOL ID OFFSET", num_args = 0..=3)]
        words: Vec<String>,
        /// Ask who uses this data block
        #[arg(long, value_name = "BLOCK")]
        data: Option<u64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Where commits outrun the reading, reserve a metadata snapshot for it and release it after:
        /// this writes to the pool
        #[arg(long, conflicts_with_all = ["from", "root"])]
        reserve_snapshot: bool,
    },
    /// Print what is wrong, with evidence and remedy; exit code 1 when there is something
    Findings {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Explain a finding: what it means, how it is noticed, why it matters, what to do
    Explain {
        /// The finding's code, as `thinscope findings` prints it
        code: String,
    },
    /// Print one line and an exit code for Nagios and its kin: 0 OK, 1 WARNING, 2 CRITICAL, 3
    /// UNKNOWN
    #[command(
        version,
        after_help = "RANGE is the Monitoring Plugins' [@][START:][END]: 80 alerts above 80 (and \
                      below 0), 20: below 20, ~:80 above 80 only, @20:80 from 20 to 80. Ranges are \
                      of percent used, for data and for metadata of every pool. Findings alert by \
                      their gravity; what cannot be seen is UNKNOWN. Usage errors, --help and \
                      --version exit with 3, as plugins do."
    )]
    Check {
        /// WARNING when the percentage used of data or metadata is outside this range
        #[arg(short, long, value_name = "RANGE", default_value = "80", allow_hyphen_values = true)]
        warning: String,
        /// CRITICAL when it is outside this one
        #[arg(short, long, value_name = "RANGE", default_value = "90", allow_hyphen_values = true)]
        critical: String,
        /// UNKNOWN when there is no answer within so many seconds
        #[arg(short, long, value_name = "SECONDS", default_value_t = 10,
              value_parser = clap::value_parser!(u16).range(1..=3600))]
        timeout: u16,
        /// Say more; twice for a line for each thing, three times with evidence
        #[arg(short, long, action = clap::ArgAction::Count)]
        verbose: u8,
    },
    /// Print figures as OpenMetrics text, for the node exporter's textfile folder
    Metrics {
        /// Write them into this file, whole or not at all; `-` is standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Grow a pool's data or metadata, or a thin volume with its filesystem: plan, show, ask, run
    #[command(after_help = "A SIZE needs a unit b K M G T P (1024-based); +SIZE counts from what \
                            is there; 100%FREE is every free extent of the volume group. Nothing \
                            ever shrinks.")]
    Grow {
        /// The pool: its device-mapper name, or VG/LV; with --size a thin volume VG/LV
        #[arg(value_name = "POOL|VG/LV")]
        pool: Option<String>,
        /// How much data the pool shall have
        #[arg(long, value_name = "SIZE|+SIZE|100%FREE", allow_hyphen_values = true)]
        data: Option<String>,
        /// How much metadata the pool shall have
        #[arg(long, value_name = "SIZE|+SIZE", allow_hyphen_values = true)]
        metadata: Option<String>,
        /// A disk or partition that joins the volume group first; may be repeated
        #[arg(long, value_name = "DEVICE")]
        add_pv: Vec<String>,
        /// How large the thin volume shall be
        #[arg(long, value_name = "SIZE|+SIZE", allow_hyphen_values = true,
              conflicts_with_all = ["data", "metadata", "add_pv"])]
        size: Option<String>,
        /// How the plan is taken
        #[command(flatten)]
        how: Change,
    },
    /// Find out why a pool, volume group or volume is not there, and bring it back
    Activate {
        /// A pool, a volume group, or VG/LV
        #[arg(value_name = "POOL|VG|VG/LV")]
        target: Option<String>,
        /// Also write a unit of systemd that makes the pool again at every boot (a pool that LVM
        /// does not own)
        #[arg(long)]
        unit: bool,
        /// A recording of this host from when the pool was active (`thinscope capture`): a pool
        /// that LVM does not own is made again with the table that it had then
        #[arg(long, value_name = "FILE")]
        recording: Option<PathBuf>,
        /// How the plan is taken
        #[command(flatten)]
        how: Change,
    },
    /// Run a plan that was saved with --save, where it still fits
    Apply {
        /// The saved plan
        #[arg(value_name = "PLANFILE")]
        plan: PathBuf,
        /// How the plan is taken
        #[command(flatten)]
        how: Change,
    },
    /// Print what was done to this host, or one run in full
    Journal {
        /// The run
        id: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Go on with what a crash or a stop cut off
    Resume {
        /// The run; all that are unfinished, oldest first, when left out
        id: Option<String>,
        /// Consent to a step that destroys data and had not begun: the device's path
        #[arg(long, value_name = "NAME")]
        yes: Vec<String>,
    },
    /// Print what happens as it happens, one line each, until it is ended
    Watch {
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Record this host into one file, which `--from` reads
    Capture {
        /// Where to; `-` is standard output [default: a name of host and time, here]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print the completion script for a shell
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// Whether `check` is meant, also where the rest of the line cannot be understood: a plugin says
/// even that in a plugin's way.
pub fn means_check(arguments: &[OsString]) -> bool {
    let lenient = |command: clap::Command| {
        command.ignore_errors(true).disable_help_flag(true).disable_version_flag(true)
    };
    let command = lenient(Cli::command()).mut_subcommands(lenient);
    let matches = command.try_get_matches_from(arguments);
    match matches.as_ref().map(clap::ArgMatches::subcommand_name) {
        Ok(Some(name)) => name == "check",
        // an option before the command is mistyped: what stands behind it was not looked at
        Ok(None) | Err(_) => first_word(arguments).is_some_and(|word| word == "check"),
    }
}

/// The first word that is neither an option nor the value of one that there is.
fn first_word(arguments: &[OsString]) -> Option<&OsString> {
    let command = Cli::command();
    let takes_value = |word: &str| {
        let mut options = command.get_arguments().filter(|option| !option.is_positional());
        options.any(|option| {
            let named = option.get_long().is_some_and(|name| word.strip_prefix("--") == Some(name));
            named && option.get_action().takes_values()
        })
    };
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if !text.starts_with('-') {
            return Some(word);
        }
        if takes_value(&text) {
            words.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_known_as_one_whatever_else_was_typed() {
        let means = |words: &[&str]| {
            let words: Vec<OsString> =
                std::iter::once(&"thinscope").chain(words).map(OsString::from).collect();
            means_check(&words)
        };
        for words in [
            &["check"][..],
            &["check", "--no-such-option"],
            &["check", "--help"],
            &["check", "-V"],
            &["check", "-t", "soon"],
            &["check", "-w"],
            &["check", "surplus"],
            &["--refresh", "soon", "check"],
            &["--from", "tree", "check", "-x"],
            &["--asci", "check"],
            &["--bogus", "check"],
            &["-x", "check"],
            &["--from=", "check"],
            &["--ascii=1", "check"],
            &["--refresh", "-1", "check"],
            &["--asci", "--config", "tree", "check"],
            &["--metadata", "tree", "--bogus", "check"],
        ] {
            assert!(means(words), "{words:?}");
        }
        for words in [
            &[][..],
            &["--help"],
            &["tree", "check"],
            &["--from", "check", "tree", "-x"],
            &["--bogus", "--from", "check", "tree"],
            &["--bogus", "--config", "check", "tree"],
            &["--bogus", "tree", "check"],
            &["--bogus"],
        ] {
            assert!(!means(words), "{words:?}");
        }
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_the_screen_is_meant() {
        let cli = Cli::try_parse_from(["thinscope", "--ascii"]).expect("options alone are enough");
        assert_eq!(cli.command, None);
        assert!(cli.global.ascii);
    }

    #[test]
    fn a_global_option_may_stand_behind_the_command() {
        let cli = Cli::try_parse_from(["thinscope", "tree", "--json", "--from", "host.rec"])
            .expect("global options go anywhere");
        assert_eq!(cli.command, Some(Command::Tree { json: true, inverse: false }));
        assert_eq!(cli.global.from, Some(PathBuf::from("host.rec")));
    }

    #[test]
    fn a_command_of_a_later_version_is_not_offered() {
        for command in ["setup", "repair", "clean"] {
            assert!(Cli::try_parse_from(["thinscope", command]).is_err(), "{command}");
        }
    }
}
