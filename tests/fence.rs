//! The house's walls: who may import whom, where the outside is touched, how large things grow.
//!
//! Reads the sources of `src/` and judges every path in them, also inside macros. What is for
//! tests only (`#[cfg(test)]`) may use anything. The table is the one of `src/README.md`.

#[path = "fence/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{Source, sources};

/// Which rooms a room may use. `main`, `run` and the crate's root may use all.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("ids", &[]),
    ("text", &[]),
    ("exit", &[]),
    ("demo", &[]),
    ("store", &[]),
    ("command", &["units", "ids", "text"]),
    ("format", &["units", "ids", "text"]),
    ("thinmeta", &["units", "ids"]),
    ("intent", &["units", "ids", "text"]),
    ("model", &["units", "ids", "text"]),
    ("plan", &["model", "intent", "command", "units", "ids", "text", "format"]),
    (
        "exec",
        &["plan", "survey", "store", "sys", "command", "model", "intent", "units", "ids", "text"],
    ),
    ("sys", &["command", "units", "ids", "text"]),
    ("probe", &["sys", "command", "owner", "thinmeta", "model", "format", "units", "ids", "text"]),
    ("owner", &["sys", "command", "probe", "thinmeta", "model", "units", "ids", "text", "format"]),
    ("advise", &["model", "units", "ids", "text", "format"]),
    ("survey", &["probe", "owner", "advise", "sys", "model", "format", "units", "ids", "text"]),
    ("report", &["model", "plan", "format", "units", "ids", "text"]),
    ("history", &["model", "units", "text"]),
    ("events", &["model", "format", "units", "ids", "text"]),
    (
        "tui",
        &[
            "model", "events", "survey", "advise", "intent", "plan", "exec", "report", "format",
            "units", "ids", "text",
        ],
    ),
    ("cli", &[]),
    ("settings", &["cli"]),
];

/// The rooms that may use all others.
const MAY_ALL: &[&str] = &["main", "run", ""];

/// Where files and programs of a host are touched, and where our own files are.
const OUTSIDE: &[&str] = &["src/sys/live", "src/store"];

/// What touches the outside.
const TOUCHES: &[&[&str]] =
    &[&["std", "fs"], &["std", "process", "Command"], &["tokio", "fs"], &["tokio", "process"]];

const LONGEST_FILE: usize = 800;
const LONGEST_FUNCTION: usize = 80;
const MOST_PARAMETERS: usize = 5;

fn complain(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_room_stands_in_the_table_and_nothing_else_does() {
    let rooms: BTreeSet<_> = sources()
        .iter()
        .map(source::Source::room)
        .filter(|r| !MAY_ALL.contains(r))
        .map(str::to_owned)
        .collect();
    let table: BTreeSet<_> = MAY_IMPORT.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, table);
}

#[test]
fn every_import_is_in_the_table() {
    let table: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let room = source.room();
        let Some(allowed) = table.get(room) else { continue };
        for found in &source.imports {
            if found.room != room && !allowed.contains(&found.room.as_str()) {
                wrong.push(format!("{}:{}: {room} uses {}", source.path, found.line, found.room));
            }
        }
    }
    complain("rooms use what they must not know", &wrong);
}

#[test]
fn only_the_door_and_the_store_touch_files_and_programs() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_outside(source)) {
        for (line, path) in &source.paths {
            if TOUCHES.iter().any(|touch| {
                path.len() >= touch.len()
                    && path.iter().zip(*touch).all(|(word, touched)| word == touched)
            }) {
                wrong.push(format!("{}:{line}: {}", source.path, path.join("::")));
            }
        }
    }
    complain("files or programs are touched outside the door", &wrong);
}

fn is_outside(source: &Source) -> bool {
    OUTSIDE.iter().any(|place| source.path.starts_with(place))
}

#[test]
fn the_screen_and_the_rules_never_see_the_door() {
    // the table says so; this keeps the two walls that matter most from being argued away in it
    for room in ["tui", "report", "advise", "model"] {
        let (_, allowed) =
            MAY_IMPORT.iter().find(|(name, _)| *name == room).expect("the table has all rooms");
        assert!(!allowed.contains(&"sys"), "{room}");
        assert!(!allowed.contains(&"probe"), "{room}");
    }
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|source| source.own_lines > LONGEST_FILE)
        .map(|source| format!("{}: {} lines without tests", source.path, source.own_lines))
        .collect();
    complain("files to split", &wrong);
}

#[test]
fn no_function_is_longer_than_a_screen_or_takes_a_list_of_parameters() {
    let mut wrong = Vec::new();
    for source in sources() {
        for function in &source.functions {
            if function.lines > LONGEST_FUNCTION {
                wrong.push(format!(
                    "{}: fn {}: {} lines",
                    source.path, function.name, function.lines
                ));
            }
            if function.parameters > MOST_PARAMETERS {
                wrong.push(format!("{}: fn {}: parameters", source.path, function.name));
            }
        }
    }
    complain("functions to split", &wrong);
}

#[test]
fn every_module_opens_by_saying_what_it_is_for() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|source| !source.has_doc)
        .map(|source| source.path.clone())
        .collect();
    complain("modules without a doc comment", &wrong);
}

#[test]
fn modules_are_named_files_and_folders() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|source| source.path.ends_with("/mod.rs"))
        .map(|source| source.path.clone())
        .collect();
    complain("mod.rs", &wrong);
}

#[test]
fn unsafe_code_is_in_the_two_files_of_ioctls_only() {
    let allowed = ["src/sys/live/ioctl.rs", "src/sys/live/window.rs"];
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|source| source.holds_unsafe && !allowed.contains(&&*source.path))
        .map(|source| source.path.clone())
        .collect();
    complain("unsafe outside its files", &wrong);
}

#[test]
fn the_map_of_the_house_names_every_room() {
    let map = std::fs::read_to_string("src/README.md").expect("the map is part of the sources");
    let wrong: Vec<_> = MAY_IMPORT
        .iter()
        .map(|(room, _)| (*room).to_owned())
        .filter(|room| !map.contains(&format!("`{room}`")))
        .collect();
    complain("rooms that src/README.md does not name", &wrong);
}

#[test]
fn the_fence_itself_sees_what_it_must() {
    let source = Source::parse(
        "src/tui/view.rs",
        "//! Doc.\nuse crate::{sys::Answer, model};\nuse super::super::probe;\nuse super::row;\n\
         fn f() { vec![crate::owner::docker::X]; std::fs::read(\"x\"); }\n\
         #[cfg(test)]\nmod tests { use crate::store; fn g() { std::fs::read(\"y\"); } }\n",
    );
    let rooms: Vec<_> = source.imports.iter().map(|found| found.room.as_str()).collect();
    assert_eq!(rooms, ["sys", "model", "probe", "tui", "owner"]);
    let outside: Vec<_> =
        source.paths.iter().filter(|(_, path)| path[0] == "std").map(|(_, p)| p).collect();
    assert_eq!(outside, [&["std", "fs", "read"]]);
    assert_eq!(source.own_lines, 5);
}
