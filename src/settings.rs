//! What was typed, resolved and checked: which host, how to print, how often to look.
//!
//! Pure over the command line, the configuration file's text and the [`Environment`]. Knows
//! nothing of hosts and touches no file.

mod config;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{Cli, Command, Globals, When};

pub use config::parse_config;

/// Where thinscope keeps its own files unless told otherwise.
pub const STATE_DIR: &str = "/var/lib/thinscope";
/// How often a quiet host is looked at unless told otherwise.
pub const REFRESH: Duration = Duration::from_secs(5);

/// Which host is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostChoice {
    /// This one, or the file tree mounted at `root`.
    Live {
        /// The file tree.
        root: Option<PathBuf>,
    },
    /// A metadata device or a saved image of one, and nothing of the host around it.
    Metadata(PathBuf),
    /// A recording.
    Recording(PathBuf),
    /// A recording that is built in; the first when there is no name.
    Demo(Option<String>),
}

/// Everything that was decided before anything is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Which host.
    pub host: HostChoice,
    /// Docker's data roots, absolute; empty to find them.
    pub docker_roots: Vec<PathBuf>,
    /// containerd's roots, absolute; empty to find them.
    pub containerd_roots: Vec<PathBuf>,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Colour in text on standard output.
    pub color_text: bool,
    /// When the screen has colours.
    pub color: When,
    /// Where our own files go.
    pub state_dir: PathBuf,
    /// Where the log goes.
    pub log: Option<PathBuf>,
    /// Look again at least this often.
    pub refresh: Duration,
    /// Nothing that changes anything is offered.
    pub read_only: bool,
}

/// What the surroundings say: the terminal and the locale.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Standard output is a terminal.
    pub terminal: bool,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TERM`.
    pub term: String,
    /// The locale's character set is UTF-8.
    pub utf8: bool,
}

impl Environment {
    /// From the variables that `variable` looks up.
    pub fn new(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        // the first of the three that is set decides, as in setlocale(3)
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let utf8 = locale.is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("utf-8") || name.contains("utf8")
        });
        Self {
            terminal,
            no_color: set("NO_COLOR").is_some(),
            term: variable("TERM").unwrap_or_default(),
            utf8,
        }
    }

    /// Whether box-drawing characters cannot be trusted here.
    fn wants_ascii(&self) -> bool {
        !self.utf8 || self.term == "linux" || self.term == "dumb" || self.term.starts_with("vt")
    }
}

/// Why what was typed cannot be done: a usage error, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl UsageError {
    fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl Settings {
    /// Resolves the command line against a configuration file's options and the surroundings.
    pub fn resolve(cli: &Cli, config: Globals, around: &Environment) -> Result<Self, UsageError> {
        let typed = &cli.global;
        let host = choose_host(cli)?;
        let roots = |name, typed: &[PathBuf], config: Vec<PathBuf>| {
            let option = RootOption { name, typed: !typed.is_empty() };
            option.check(&host, if option.typed { typed.to_vec() } else { config })
        };
        let color = typed.color.or(config.color).unwrap_or_default();
        Ok(Self {
            docker_roots: roots("--docker-root", &typed.docker_root, config.docker_root)?,
            containerd_roots: roots(
                "--containerd-root",
                &typed.containerd_root,
                config.containerd_root,
            )?,
            host,
            ascii: typed.ascii || config.ascii || around.wants_ascii(),
            color_text: match color {
                When::Auto => around.terminal && !around.no_color && around.term != "dumb",
                When::Always => true,
                When::Never => false,
            },
            color,
            state_dir: typed
                .state_dir
                .clone()
                .or(config.state_dir)
                .unwrap_or_else(|| PathBuf::from(STATE_DIR)),
            log: typed.log.clone().or(config.log),
            refresh: check_refresh(typed.refresh.or(config.refresh))?,
            read_only: typed.read_only || config.read_only,
        })
    }
}

fn choose_host(cli: &Cli) -> Result<HostChoice, UsageError> {
    let Globals { from, root, docker_root, containerd_root, .. } = &cli.global;
    if from.is_some() && root.is_some() {
        return Err(UsageError::new(
            "--from and --root cannot go together: a recorded host has no file tree to be mounted",
        ));
    }
    let typed = [("--docker-root", docker_root), ("--containerd-root", containerd_root)];
    if let Some((name, _)) = typed.iter().find(|(_, roots)| from.is_some() && !roots.is_empty()) {
        return Err(UsageError::new(format!(
            "--from and {name} cannot go together: a recording holds the data roots that were \
             read when it was made",
        )));
    }
    match &cli.command {
        Some(_) if cli.metadata.is_some() => Err(UsageError::new(
            "--metadata before a command opens the screen: `thinscope layers --metadata FILE` \
             prints what it holds",
        )),
        Some(Command::Demo { .. }) if from.is_some() || root.is_some() => Err(UsageError::new(
            "demo shows a host that is built in: it takes neither --from nor --root",
        )),
        Some(Command::Capture { .. }) if from.is_some() => Err(UsageError::new(
            "capture records a host, and --from names a recording already: copy that file instead",
        )),
        Some(Command::Demo { name, .. }) => Ok(HostChoice::Demo(name.clone())),
        _ => Ok(match (from, &cli.metadata) {
            (Some(file), _) => HostChoice::Recording(file.clone()),
            (None, Some(file)) => HostChoice::Metadata(file.clone()),
            (None, None) => HostChoice::Live { root: root.clone() },
        }),
    }
}

/// An option that names the data roots of an engine.
struct RootOption {
    name: &'static str,
    /// On the command line, not in a configuration file.
    typed: bool,
}

impl RootOption {
    /// A data root is a path on the host that is looked at: absolute, and under `--root` meant
    /// below that folder.
    fn check(&self, host: &HostChoice, roots: Vec<PathBuf>) -> Result<Vec<PathBuf>, UsageError> {
        match host {
            HostChoice::Live { root } => {
                roots.into_iter().map(|path| self.absolute(path, root.as_deref())).collect()
            }
            HostChoice::Demo(_) if self.typed => Err(UsageError::new(format!(
                "demo shows a host that is built in: {} would change nothing",
                self.name
            ))),
            // a configuration file may name a root of this host; a recording does not care
            _ => Ok(Vec::new()),
        }
    }

    fn absolute(&self, path: PathBuf, root: Option<&Path>) -> Result<PathBuf, UsageError> {
        if path.is_absolute() {
            return Ok(path);
        }
        let (name, shown) = (self.name, path.display());
        if root.is_some() {
            return Err(UsageError::new(format!(
                "{name} {shown} is relative: with --root, give the path that the data root has \
                 on that host, such as /var/lib/docker"
            )));
        }
        std::path::absolute(&path).map_err(|error| {
            UsageError::new(format!("{name} {shown} cannot be made absolute: {error}"))
        })
    }
}

fn check_refresh(seconds: Option<f64>) -> Result<Duration, UsageError> {
    const RANGE: std::ops::RangeInclusive<f64> = 0.2..=86_400.0;
    match seconds {
        None => Ok(REFRESH),
        Some(seconds) if RANGE.contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        Some(seconds) => Err(UsageError::new(format!(
            "--refresh {seconds} is out of range: give seconds from 0.2 to 86400"
        ))),
    }
}

/// Whether a path means standard output.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == OsStr::new("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn resolve(words: &[&str]) -> Result<Settings, UsageError> {
        let cli = Cli::try_parse_from(std::iter::once(&"thinscope").chain(words))
            .map_err(|error| UsageError::new(error.to_string()))?;
        Settings::resolve(&cli, Globals::default(), &terminal())
    }

    fn terminal() -> Environment {
        Environment { terminal: true, no_color: false, term: "xterm".into(), utf8: true }
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(true, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_typed_means_this_host_and_the_usual_places() {
        let settings = resolve(&[]).expect("no option is needed");
        assert_eq!(settings.host, HostChoice::Live { root: None });
        assert_eq!(settings.state_dir, Path::new("/var/lib/thinscope"));
        assert_eq!(settings.refresh, Duration::from_secs(5));
        assert!(settings.color_text && !settings.ascii);
    }

    #[test]
    fn two_hosts_at_once_are_a_contradiction() {
        for words in [
            &["--from", "a", "--root", "/mnt"][..],
            &["--from", "a", "--docker-root", "/d"],
            &["demo", "--from", "a"],
            &["demo", "--docker-root", "/d"],
            &["--from", "a", "--containerd-root", "/d"],
            &["demo", "--containerd-root", "/d"],
            &["capture", "--from", "a"],
        ] {
            let UsageError(message) = resolve(words).expect_err("two hosts");
            assert!(message.contains(": "), "the cause is named: {message}");
        }
    }

    #[test]
    fn a_data_root_is_absolute_on_the_host_that_is_looked_at() {
        let here = resolve(&["--docker-root", "docker"]).expect("relative to where we are");
        assert!(here.docker_roots[0].is_absolute() && here.docker_roots[0].ends_with("docker"));
        assert!(resolve(&["--root", "/mnt", "--docker-root", "docker"]).is_err());
        let there = resolve(&["--root", "/mnt", "--docker-root", "/docker"]).expect("absolute");
        assert_eq!(there.docker_roots, [PathBuf::from("/docker")]);
        let other = resolve(&["--containerd-root", "/c"]).expect("absolute");
        assert_eq!(other.containerd_roots, [PathBuf::from("/c")]);
        assert!(other.docker_roots.is_empty());
    }

    #[test]
    fn a_refresh_that_never_ends_or_never_rests_is_refused() {
        for bad in ["0", "-1", "nan", "inf", "100000"] {
            assert!(resolve(&[&format!("--refresh={bad}")]).is_err(), "{bad}");
        }
        let settings = resolve(&["--refresh", "0.5"]).expect("half a second is fine");
        assert_eq!(settings.refresh, Duration::from_millis(500));
    }

    #[test]
    fn the_locale_and_the_terminal_choose_ascii() {
        for (variables, ascii) in [
            (&[("LANG", "de_DE.UTF-8"), ("TERM", "xterm-256color")][..], false),
            (&[("LANG", "C.utf8"), ("TERM", "screen")], false),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C"), ("TERM", "xterm")], true),
            (&[("LC_CTYPE", "UTF-8"), ("TERM", "linux")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "vt220")], true),
            (&[("TERM", "xterm")], true),
        ] {
            assert_eq!(environment(variables).wants_ascii(), ascii, "{variables:?}");
        }
    }

    #[test]
    fn colour_obeys_the_option_before_the_environment() {
        let with = |words: &[&str], around: &Environment| {
            let cli = Cli::try_parse_from(std::iter::once(&"thinscope").chain(words))
                .expect("these words are known");
            let settings = Settings::resolve(&cli, Globals::default(), around).expect("valid");
            settings.color_text
        };
        let no_color = Environment { no_color: true, ..terminal() };
        let pipe = Environment { terminal: false, ..terminal() };
        assert!(!with(&[], &no_color));
        assert!(with(&["--color", "always"], &no_color));
        assert!(!with(&[], &pipe));
        assert!(!with(&["--color=never"], &terminal()));
    }

    #[test]
    fn the_command_line_outranks_the_file() {
        let config = parse_config("refresh = 30\nstate-dir = \"/srv/state\"\nascii = true\n")
            .expect("three known options");
        let cli = Cli::try_parse_from(["thinscope", "--refresh", "2"]).expect("known");
        let settings = Settings::resolve(&cli, config, &terminal()).expect("valid");
        assert_eq!(settings.refresh, Duration::from_secs(2));
        assert_eq!(settings.state_dir, Path::new("/srv/state"));
        assert!(settings.ascii);
    }
}
