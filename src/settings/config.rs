//! The configuration file: lines of `name = value`, the names being those of the options.
//!
//! What it accepts is a subset of TOML, so that files stay valid when more is understood. Text
//! in, options out; reading the file is somebody else's work.

use std::path::PathBuf;

use clap::ValueEnum;

use super::UsageError;
use crate::cli::{Globals, When};

/// The names that may stand in the file.
const NAMES: &str =
    "ascii, color, containerd-root, docker-root, log, read-only, refresh, state-dir";

/// Reads a configuration file's text.
pub fn parse_config(text: &str) -> Result<Globals, UsageError> {
    let mut options = Globals::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        set(&mut options, line)
            .map_err(|why| UsageError(format!("configuration, line {}: {why}", at + 1)))?;
    }
    Ok(options)
}

fn set(options: &mut Globals, line: &str) -> Result<(), String> {
    let (name, value) =
        line.split_once('=').ok_or_else(|| "not of the form `name = value`".to_owned())?;
    let value = value.trim();
    match name.trim() {
        "ascii" => options.ascii = flag(value)?,
        "read-only" => options.read_only = flag(value)?,
        "color" => {
            let word = string(value)?;
            options.color = Some(
                When::from_str(&word, false)
                    .map_err(|_| format!("{word:?} is none of auto, always, never"))?,
            );
        }
        "containerd-root" => options.containerd_root = paths(value)?,
        "docker-root" => options.docker_root = paths(value)?,
        "log" => options.log = Some(path(value)?),
        "state-dir" => options.state_dir = Some(path(value)?),
        "refresh" => {
            options.refresh =
                Some(value.parse().map_err(|_| format!("{value:?} is not a number of seconds"))?);
        }
        other => return Err(format!("{other:?} is not known; known are {NAMES}")),
    }
    Ok(())
}

fn flag(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("{value:?} is neither true nor false"))
}

fn path(value: &str) -> Result<PathBuf, String> {
    string(value).map(PathBuf::from)
}

/// One path, or several in brackets.
fn paths(value: &str) -> Result<Vec<PathBuf>, String> {
    match value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(list) => list.split(',').map(|item| path(item.trim())).collect(),
        None => Ok(vec![path(value)?]),
    }
}

/// A text in double quotes, without escapes: a path or a word needs none.
fn string(value: &str) -> Result<String, String> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(text) if !text.contains(['"', '\\']) && !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("{value} is not a text in double quotes without escapes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        let options =
            parse_config("# mine\n\n  refresh = 1.5\ncolor = \"never\"\n").expect("valid");
        assert_eq!(options.refresh, Some(1.5));
        assert_eq!(options.color, Some(When::Never));
        assert!(!options.ascii);
    }

    #[test]
    fn there_may_be_several_data_roots() {
        let options = parse_config("docker-root = [\"/a\", \"/b\"]\n").expect("two roots");
        assert_eq!(options.docker_root, [PathBuf::from("/a"), PathBuf::from("/b")]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, words) in [
            ("\nascii\n", "line 2: not of the form"),
            ("ascii = yes", "line 1: \"yes\" is neither true nor false"),
            ("colour = \"never\"", "is not known; known are ascii"),
            ("log = /tmp/x", "is not a text in double quotes"),
            ("log = \"", "is not a text in double quotes"),
            ("refresh = soon", "is not a number of seconds"),
        ] {
            let UsageError(message) = parse_config(text).expect_err(text);
            assert!(message.contains(words), "{message}");
        }
    }
}
