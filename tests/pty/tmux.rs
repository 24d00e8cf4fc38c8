//! A terminal that a person could sit at: tmux, driven by its own commands.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// No status line, no waiting for the rest of an escape sequence. (`window-size manual` here ends
/// the server of tmux 3.3 at its first session.)
const SETTINGS: &str = "set -g status off\nset -g escape-time 0\n\
                        set -g default-terminal screen-256color\nset -g remain-on-exit on\n";

/// One terminal, with a shell in it.
pub(crate) struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// A terminal of that many columns and rows, with a shell that has job control and a prompt
    /// of `ready>`.
    pub(crate) fn start(columns: u16, rows: u16) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("settings"), SETTINGS)?;
        let terminal = Self { folder };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let settings = terminal.folder.path().join("settings");
        let settings = settings.to_string_lossy();
        let shell = "env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 TERM=$TERM PS1='ready> ' sh -i";
        terminal.tmux(&[
            "-f",
            &settings,
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &rows,
            shell,
        ])?;
        terminal.wait_for("ready>")?;
        Ok(terminal)
    }

    fn tmux(&self, words: &[&str]) -> io::Result<String> {
        let ran = Command::new("tmux")
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .arg("-S")
            .arg(self.folder.path().join("socket"))
            .args(words)
            .output()
            .map_err(|error| io::Error::other(format!("tmux must be installed: {error}")))?;
        if !ran.status.success() {
            let why = String::from_utf8_lossy(&ran.stderr).into_owned();
            return Err(io::Error::other(format!("tmux {words:?}: {why}")));
        }
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    /// What stands on it.
    pub(crate) fn text(&self) -> io::Result<String> {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Types a line to the shell.
    pub(crate) fn enter(&self, line: &str) -> io::Result<()> {
        self.tmux(&["send-keys", "-l", line])?;
        self.press("Enter")
    }

    /// Presses a key, by tmux's name for it.
    pub(crate) fn press(&self, key: &str) -> io::Result<()> {
        self.tmux(&["send-keys", key]).map(drop)
    }

    /// Gives it another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) -> io::Result<()> {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &rows]).map(drop)
    }

    /// Whether a program has the alternate screen.
    pub(crate) fn is_taken(&self) -> io::Result<bool> {
        Ok(self.tmux(&["display-message", "-p", "#{alternate_on}"])?.trim() == "1")
    }

    /// Waits until a text stands on it.
    pub(crate) fn wait_for(&self, text: &str) -> io::Result<String> {
        self.wait_until(&format!("{text:?}"), |shown| shown.contains(text))
    }

    /// Waits until what stands on it is as it should be.
    pub(crate) fn wait_until(
        &self,
        what: &str,
        is_so: impl Fn(&str) -> bool,
    ) -> io::Result<String> {
        let until = Instant::now() + LIMIT;
        loop {
            let shown = self.text()?;
            if is_so(&shown) {
                return Ok(shown);
            }
            if Instant::now() > until {
                return Err(io::Error::other(format!("{what} did not come; shown is\n{shown}")));
            }
            // the screen can only be asked again
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Longer than any machine takes, so that only what never comes fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

impl Drop for Terminal {
    fn drop(&mut self) {
        // with it goes everything that runs in it
        let _ = self.tmux(&["kill-server"]);
    }
}
