//! What the field's own tools say.

use std::collections::BTreeMap;
use std::process::Command;

use thinscope::ids::DevNo;

/// Runs a tool that must succeed.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).env("LC_ALL", "C").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `dmsetup` with names as they are.
pub(crate) fn dmsetup(args: &[&str]) -> String {
    run("dmsetup", &[&["--manglename", "none"], args].concat())
}

/// `dmsetup info -c` by device number; one text for each of the comma-separated fields.
pub(crate) fn dmsetup_rows(fields: &str) -> BTreeMap<DevNo, Vec<String>> {
    let fields = format!("major,minor,{fields}");
    let said = dmsetup(&["info", "-c", "--noheadings", "--separator", "|", "-o", &fields]);
    let rows = said.lines().filter(|line| line.contains('|')).map(|line| {
        let mut words = line.split('|').map(str::to_owned);
        let mut number = || words.next().and_then(|word| word.parse().ok()).expect("a number");
        (DevNo::new(number(), number()), words.collect())
    });
    rows.collect()
}

/// Number, size in bytes and `ro` of every block device that is not device-mapper's, by name.
pub(crate) fn lsblk() -> BTreeMap<String, [String; 3]> {
    let said = run(
        "lsblk",
        &["--all", "--raw", "--bytes", "--noheadings", "--output", "KNAME,MAJ:MIN,SIZE,RO"],
    );
    let rows = said.lines().filter(|line| !line.starts_with("dm-")).map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let word = |at: usize| words.get(at).copied().unwrap_or_default().to_owned();
        // a device without size is printed with an empty column or with 0
        let (size, ro) =
            if words.len() > 3 { (word(2), word(3)) } else { ("0".to_owned(), word(2)) };
        let size = if size.is_empty() { "0".to_owned() } else { size };
        (word(0), [word(1), size, ro])
    });
    rows.collect()
}
