//! Public programs that judge what monitoring systems get to see. One that is missing fails the
//! test and says what to install.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a judge and gives what it printed.
pub(crate) fn ask(program: &str, how: &[&str], words: &[&str], package: &str) -> String {
    let output = Command::new(program)
        .args(how)
        .args(words)
        .stdin(Stdio::null())
        .env_clear()
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|why| panic!("{program} cannot be run ({why}); install {package}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} says: {errors} (is {package} installed?)");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Its lines.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Gives a judge a text to read; what it says.
pub(crate) fn tell(program: &str, how: &[&str], words: &str) -> String {
    try_tell(program, how, words).unwrap_or_else(|said| panic!("{program} {how:?} says: {said}"))
}

/// The same, where it may refuse.
pub(crate) fn try_tell(program: &str, how: &[&str], words: &str) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(how)
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|why| panic!("{program} cannot be run ({why}); tests/run.sh gets it"));
    let mut input = child.stdin.take().expect("it was asked for");
    // one that has heard enough says so by what it prints
    let _ = input.write_all(words.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// Prometheus' own checker: installed, or unpacked by `tests/promtool.sh`.
pub(crate) fn promtool() -> String {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/target/promtool");
    let places = ["/usr/bin/promtool", "/usr/local/bin/promtool", here];
    let found = places.into_iter().find(|place| Path::new(place).is_file());
    found.expect("promtool is not here: `tests/promtool.sh` gets it").to_owned()
}
