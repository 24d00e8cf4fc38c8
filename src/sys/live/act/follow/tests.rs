//! Outputs that grow while they are read.

use std::io::Write;

use super::*;

/// What is handed on of these pieces, each written and then read; the last turn is the end.
fn told(pieces: &[&[u8]]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("out");
    let mut file = File::create(&path).expect("it can be made");
    let (mut tail, mut lines) = (Tail::open(&path), Vec::new());
    for (at, piece) in pieces.iter().enumerate() {
        file.write_all(piece).expect("it can be written");
        tail.hand_on(at + 1 == pieces.len(), &mut |line| lines.push(line.to_owned()));
    }
    lines
}

#[test]
fn lines_are_handed_on_whole_and_the_last_also_without_its_newline() {
    assert_eq!(told(&[b"on", b"e\ntw", b"o\n\n", b"three"]), ["one", "two", "three"]);
}

#[test]
fn progress_in_one_line_is_a_line_each_time() {
    assert_eq!(told(&[b" 10 %\r 20 %\r", b"done\n"]), [" 10 %", " 20 %", "done"]);
}

#[test]
fn escape_sequences_are_shown_and_not_sent() {
    assert_eq!(told(&[b"\x1b[2J\xff\n"]), ["\\x1b[2J\\xff"]);
}

#[test]
fn a_line_without_end_is_cut_and_lines_without_end_are_left_in_their_file() {
    let long = vec![b'x'; 100_000];
    assert_eq!(told(&[&long, b"\nnext\n"]), ["x".repeat(LONGEST_LINE), "next".to_owned()]);
    let many = b"y\n".repeat(MOST_LINES + 500);
    let lines = told(&[&many]);
    assert_eq!(lines.len(), MOST_LINES + 1);
    assert_eq!(lines[MOST_LINES - 1..], ["y", "(it prints more than is shown here)"]);
}
