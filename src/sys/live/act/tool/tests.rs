//! What is told of a tool that did not end well.

use super::*;

fn said(text: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("err");
    std::fs::write(&path, text).expect("it can be written");
    last_words(&path)
}

#[test]
fn its_last_words_are_one_line_safe_to_print() {
    assert_eq!(said(b"  a warning\n\n  it \x1b[1mfailed\n"), "a warning; it \\x1b[1mfailed");
    assert_eq!(said(b""), "");
    assert_eq!(last_words(Path::new("/nonexistent")), "");
}

#[test]
fn of_many_words_the_last_are_told() {
    let lines: Vec<_> = (0..100).map(|n| format!("line {n}\n")).collect();
    let told = said(lines.concat().as_bytes());
    assert!(told.starts_with("line 88; ") && told.ends_with("; line 99"), "{told}");
    assert_eq!(said(&vec![b'x'; 1 << 20]).len(), 4096);
}

#[test]
fn a_signal_is_called_by_its_name() {
    assert_eq!(signal_name(9), "SIGKILL");
    assert_eq!(signal_name(40), "signal 40");
}
