//! What pages, remedies and refusals tell people to type exists.
//!
//! Every command of thinscope's own that a page, a rule or a planner names is given to the program's
//! own parser, its placeholders filled in.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::codes;
use crate::advise::page;
use crate::cli::{Cli, Command};
use crate::intent::Amount;
use crate::model::Finding;

/// What stands for something in a page or remedy, and something that it may stand for.
const PLACEHOLDERS: [(&str, &str); 12] = [
    ("VG/POOL", "docker/thinpool"),
    ("VG/LV", "docker/data"),
    ("POOL", "docker-thinpool"),
    ("VG", "docker"),
    ("+SIZE", "+1G"),
    ("SIZE", "1G"),
    ("DEVICE", "/dev/vdc"),
    ("ID", "7"),
    ("OFFSET", "0x44f"),
    ("BLOCK", "12"),
    ("CODE", "pool-inactive"),
    ("FILE", "/tmp/tmeta.img"),
];

/// Words as they are typed: quotes dropped, placeholders and `format!`'s braces filled in.
fn filled(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in command.split_whitespace() {
        let word = word.trim_matches('\'');
        let known = PLACEHOLDERS.iter().find(|(name, _)| *name == word);
        let amount =
            matches!(words.last().map(String::as_str), Some("--data" | "--metadata" | "--size"));
        words.push(match known {
            Some((_, value)) => (*value).to_owned(),
            None if word == "--{what}" => "--data".to_owned(),
            None if word.contains('{') && amount => "+1G".to_owned(),
            None if word.contains('{') => "docker-thinpool".to_owned(),
            None => word.to_owned(),
        });
    }
    words
}

/// In capitals, and neither a size nor one of [`PLACEHOLDERS`].
fn is_unknown(word: &str) -> bool {
    let capital = word.chars().any(|c| c.is_ascii_uppercase());
    let known = PLACEHOLDERS.iter().any(|(name, _)| *name == word);
    capital && !known && !word.contains('{') && Amount::parse(word).is_err()
}

/// Why a person who types this is told off; `None` where it runs.
fn refused(command: &str) -> Option<String> {
    if let Some(left) = command.split_whitespace().find(|word| is_unknown(word)) {
        return Some(format!("nobody knows what {left} stands for"));
    }
    let cli = match Cli::try_parse_from(filled(command)) {
        Ok(cli) => cli,
        Err(error) => return Some(error.to_string()),
    };
    match cli.command {
        Some(Command::Grow { data, metadata, size, add_pv, .. }) => {
            let asked: Vec<&String> = [&data, &metadata, &size].into_iter().flatten().collect();
            if asked.is_empty() && add_pv.is_empty() {
                return Some("grow needs to know what".to_owned());
            }
            asked.into_iter().find_map(|text| Amount::parse(text).err())
        }
        _ => None,
    }
}

/// What stands between backticks, and in indented lines, and is a call of thinscope.
fn calls(markdown: &str) -> Vec<String> {
    let (mut prose, mut found) = (String::new(), Vec::new());
    for line in markdown.lines() {
        if let Some(code) = line.strip_prefix("    ") {
            found.push(code.trim().to_owned());
        } else {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    for paragraph in prose.split("\n\n") {
        found.extend(paragraph.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    let found = found.into_iter().map(|text| text.replace('\n', " "));
    found.filter(|text| text == "thinscope" || text.starts_with("thinscope ")).collect()
}

/// The same in a source file, where a backslash joins lines of a string; what a comment says is
/// told to nobody.
fn calls_in_source(source: &str) -> Vec<String> {
    let mut joined = String::new();
    for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        if let Some(part) = line.strip_suffix('\\') {
            joined.push_str(part);
        } else {
            joined.push_str(line);
            joined.push('\n');
        }
    }
    let spans = joined.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|text| text.starts_with("thinscope ")).map(str::to_owned).collect()
}

/// The remedies of these findings, as a person reads them.
pub(super) fn check(found: &[Finding]) {
    for finding in found {
        for call in calls(&finding.remedy) {
            assert_eq!(refused(&call), None, "{}: {call}", finding.code);
        }
    }
}

#[test]
fn every_command_that_a_page_names_exists() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for code in codes() {
        for call in calls(page(code).expect("the code comes from the registry")) {
            count += 1;
            wrong.extend(refused(&call).map(|why| format!("{code}: {call}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 20, "only {count} were found");
}

/// The sources in a folder and in those below it, without tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let is_test = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == "tests");
    let of = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    let all = paths.filter(|path| !is_test(path)).flat_map(of);
    all.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

#[test]
fn every_command_that_a_remedy_or_a_refusal_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = sources(&root.join("advise"));
    files.extend(sources(&root.join("plan")));
    files.extend(["plan.rs", "intent.rs"].map(|name| root.join(name)));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in files {
        let source = std::fs::read_to_string(&file).expect("a source is text");
        for call in calls_in_source(&source) {
            count += 1;
            wrong.extend(refused(&call).map(|why| format!("{}: {call}: {why}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 20, "only {count} were found");
}

#[test]
fn a_command_that_does_not_exist_is_noticed() {
    for wrong in [
        "thinscope setup autoextend VG/POOL",
        "thinscope clean POOL",
        "thinscope repair {name}",
        "thinscope grow POOL",
        "thinscope grow POOL --data 5",
        "thinscope grow THAT --data +1G",
    ] {
        assert!(refused(wrong).is_some(), "{wrong}");
    }
    for right in ["thinscope grow POOL --add-pv DEVICE", "thinscope layers --sharing"] {
        assert_eq!(refused(right), None, "{right}");
    }
    assert_eq!(calls("`a` and `thinscope\nfindings`\n\n    thinscope tree\n").len(), 2);
    assert_eq!(calls_in_source("\"a `thinscope \\\n   pool` b\""), ["thinscope pool"]);
    assert_eq!(calls_in_source("/// see `thinscope grow`\n").len(), 0);
}
