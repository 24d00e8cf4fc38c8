//! Bytes from a terminal to keys: ECMA-48 sequences as xterm, the Linux console and DEC terminals
//! send them, UTF-8, and pastes in brackets. Pure; what is not understood is dropped.

use std::collections::VecDeque;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// The longest paste that is kept.
const PASTE_MOST: usize = 64 * 1024;
/// A sequence longer than this is none.
const SEQUENCE_MOST: usize = 64;

/// Where in a key the bytes have come to.
#[derive(Debug, Default)]
enum State {
    /// Between keys.
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After ESC O.
    Ss3,
    /// After ESC [, with what came since.
    Csi(Vec<u8>),
    /// Within a string for the terminal (an answer we did not ask for), until its end.
    Text { escape: bool },
    /// Within a character of several bytes.
    Utf8 { bytes: [u8; 4], have: usize, want: usize },
    /// Between the brackets of a paste.
    Paste(Vec<u8>),
}

/// The reader of keys.
#[derive(Debug, Default)]
pub(super) struct Parser {
    state: State,
    ready: VecDeque<Event>,
}

impl Parser {
    /// Takes bytes as they come, in pieces of any size.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
        }
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Whether more bytes of a key must come.
    pub(super) const fn is_within_a_key(&self) -> bool {
        !matches!(self.state, State::Ground | State::Paste(_))
    }

    /// No more bytes have come: what was begun is Escape, or nothing.
    pub(super) fn give_up_waiting(&mut self) {
        match std::mem::take(&mut self.state) {
            State::Escape => self.key(KeyCode::Esc, KeyModifiers::NONE),
            State::Ss3 => self.key(KeyCode::Char('O'), KeyModifiers::ALT),
            State::Csi(bytes) if bytes.is_empty() => {
                self.key(KeyCode::Char('['), KeyModifiers::ALT);
            }
            _ => {}
        }
    }

    fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.ready.push_back(Event::Key(KeyEvent::new(code, modifiers)));
    }

    fn take(&mut self, byte: u8) {
        self.state = match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, KeyModifiers::NONE),
            State::Escape => match byte {
                b'[' => State::Csi(Vec::new()),
                b'O' => State::Ss3,
                b']' | b'P' | b'_' | b'^' | b'X' => State::Text { escape: false },
                0x1b => {
                    self.key(KeyCode::Esc, KeyModifiers::NONE);
                    State::Escape
                }
                other => self.ground(other, KeyModifiers::ALT),
            },
            State::Ss3 => {
                if let Some(code) = final_key(byte) {
                    self.key(code, KeyModifiers::NONE);
                }
                State::Ground
            }
            State::Csi(bytes) => self.csi(bytes, byte),
            State::Text { escape } => match byte {
                0x07 => State::Ground,
                b'\\' if escape => State::Ground,
                other => State::Text { escape: other == 0x1b },
            },
            State::Utf8 { bytes, have, want } => self.utf8(bytes, have, want, byte),
            State::Paste(bytes) => self.paste(bytes, byte),
        };
    }

    fn ground(&mut self, byte: u8, modifiers: KeyModifiers) -> State {
        match byte {
            0x1b => return State::Escape,
            b'\r' | b'\n' => self.key(KeyCode::Enter, modifiers),
            b'\t' => self.key(KeyCode::Tab, modifiers),
            0x08 | 0x7f => self.key(KeyCode::Backspace, modifiers),
            0x00 => self.key(KeyCode::Char(' '), modifiers | KeyModifiers::CONTROL),
            0x01..=0x1a => {
                let letter = char::from(byte - 1 + b'a');
                self.key(KeyCode::Char(letter), modifiers | KeyModifiers::CONTROL);
            }
            0x20..=0x7e => self.key(KeyCode::Char(char::from(byte)), modifiers),
            0xc2..=0xf4 => {
                let want = match byte {
                    0xf0.. => 4,
                    0xe0.. => 3,
                    _ => 2,
                };
                return State::Utf8 { bytes: [byte, 0, 0, 0], have: 1, want };
            }
            _ => {}
        }
        State::Ground
    }

    fn utf8(&mut self, mut bytes: [u8; 4], have: usize, want: usize, byte: u8) -> State {
        if !(0x80..=0xbf).contains(&byte) {
            return self.ground(byte, KeyModifiers::NONE);
        }
        bytes[have] = byte;
        let have = have + 1;
        if have < want {
            return State::Utf8 { bytes, have, want };
        }
        if let Some(c) =
            std::str::from_utf8(&bytes[..want]).ok().and_then(|text| text.chars().next())
        {
            self.key(KeyCode::Char(c), KeyModifiers::NONE);
        }
        State::Ground
    }

    fn csi(&mut self, mut bytes: Vec<u8>, byte: u8) -> State {
        match byte {
            // the Linux console sends its first five function keys as ESC [ [ A
            b'[' if bytes.is_empty() => State::Csi(vec![b'[']),
            0x20..=0x3f if bytes.len() < SEQUENCE_MOST => {
                bytes.push(byte);
                State::Csi(bytes)
            }
            0x40..=0x7e if bytes == b"200" && byte == b'~' => State::Paste(Vec::new()),
            0x40..=0x7e => {
                self.sequence(&bytes, byte);
                State::Ground
            }
            0x1b => State::Escape,
            _ => State::Ground,
        }
    }

    fn sequence(&mut self, parameters: &[u8], last: u8) {
        let text = std::str::from_utf8(parameters).unwrap_or("");
        let mut numbers = text.split(';').map(|number| number.parse::<u8>().ok());
        let first = numbers.next().flatten();
        let modifiers = numbers.next().flatten().map_or(KeyModifiers::NONE, modifiers);
        let code = match last {
            _ if parameters.first() == Some(&b'[') => None,
            b'~' => first.and_then(numbered_key),
            b'Z' => Some(KeyCode::BackTab),
            other => final_key(other),
        };
        if let Some(code) = code {
            self.key(code, modifiers);
        }
    }

    fn paste(&mut self, mut bytes: Vec<u8>, byte: u8) -> State {
        const END: &[u8] = b"\x1b[201~";
        bytes.push(byte);
        if bytes.ends_with(END) {
            bytes.truncate(bytes.len() - END.len());
            self.ready.push_back(Event::Paste(String::from_utf8_lossy(&bytes).into_owned()));
            return State::Ground;
        }
        if bytes.len() > PASTE_MOST {
            // what is too much is dropped, and its end still looked for
            bytes.drain(..bytes.len() - END.len());
        }
        State::Paste(bytes)
    }
}

/// The last byte of a sequence that names the key by itself.
const fn final_key(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

/// ESC [ NUMBER ~, the keys of DEC's terminals.
const fn numbered_key(number: u8) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        _ => return None,
    })
}

/// xterm's second parameter: one more than the sum of shift 1, alt 2, control 4.
fn modifiers(number: u8) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)]
        .into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .fold(KeyModifiers::NONE, |all, (_, modifier)| all | modifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(bytes: &[u8]) -> Vec<(KeyCode, KeyModifiers)> {
        let mut parser = Parser::default();
        // byte by byte, as a serial line may give them
        bytes.chunks(1).for_each(|piece| parser.feed(piece));
        parser.give_up_waiting();
        std::iter::from_fn(|| parser.next())
            .filter_map(|event| event.as_key_event().map(|key| (key.code, key.modifiers)))
            .collect()
    }

    fn plain(codes: &[KeyCode]) -> Vec<(KeyCode, KeyModifiers)> {
        codes.iter().map(|code| (*code, KeyModifiers::NONE)).collect()
    }

    #[test]
    fn arrows_that_come_byte_by_byte_are_arrows() {
        use KeyCode::{Char, Down, End, Home, Left, PageDown, PageUp, Right, Up};
        // as `infocmp -1 xterm`, `linux`, `vt220` and `screen` list them
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[C\x1bOD"), plain(&[Up, Down, Right, Left]));
        assert_eq!(keys(b"\x1b[5~\x1b[6~\x1b[1~\x1b[4~"), plain(&[PageUp, PageDown, Home, End]));
        assert_eq!(keys(b"\x1b[H\x1bOF"), plain(&[Home, End]));
        assert_eq!(keys(b"\x1b[1;5A"), [(Up, KeyModifiers::CONTROL)]);
        assert_eq!(keys(b"\x1b[[Aj"), plain(&[Char('j')]));
        assert_eq!(keys(b"\x1b[Z"), plain(&[KeyCode::BackTab]));
    }

    #[test]
    fn escape_alone_is_escape() {
        let mut parser = Parser::default();
        parser.feed(b"\x1b");
        assert!(parser.next().is_none() && parser.is_within_a_key());
        parser.give_up_waiting();
        assert_eq!(parser.next(), Some(Event::Key(KeyCode::Esc.into())));
        assert_eq!(keys(b"\x1b\x1b[A"), plain(&[KeyCode::Esc, KeyCode::Up]));
        assert_eq!(keys(b"\x1b["), [(KeyCode::Char('['), KeyModifiers::ALT)]);
    }

    #[test]
    fn letters_controls_and_characters_of_several_bytes_are_keys() {
        use KeyCode::{Backspace, Char, Enter, Tab};
        assert_eq!(keys(b"aG\r\t\x7f"), plain(&[Char('a'), Char('G'), Enter, Tab, Backspace]));
        assert_eq!(keys(b"\x03"), [(Char('c'), KeyModifiers::CONTROL)]);
        assert_eq!(keys("é漢😀".as_bytes()), plain(&[Char('é'), Char('漢'), Char('😀')]));
        // cut in the middle, then a letter
        assert_eq!(keys(b"\xe6\xbcx\xff"), plain(&[Char('x')]));
        assert_eq!(keys(b"\x1bx"), [(Char('x'), KeyModifiers::ALT)]);
    }

    #[test]
    fn a_paste_is_no_keys() {
        let mut parser = Parser::default();
        parser.feed(b"\x1b[200~q\ndocker\x1b[A\x1b[201~j");
        assert_eq!(parser.next(), Some(Event::Paste("q\ndocker\x1b[A".to_owned())));
        assert_eq!(parser.next(), Some(Event::Key(KeyCode::Char('j').into())));
    }

    #[test]
    fn a_paste_without_end_takes_bounded_memory() {
        let mut parser = Parser::default();
        parser.feed(b"\x1b[200~");
        parser.feed(&vec![b'x'; 4 * PASTE_MOST]);
        assert!(matches!(&parser.state, State::Paste(bytes) if bytes.len() <= PASTE_MOST));
        parser.feed(b"\x1b[201~");
        assert!(matches!(parser.next(), Some(Event::Paste(_))));
    }

    #[test]
    fn answers_of_the_terminal_are_not_taken_for_keys() {
        assert_eq!(keys(b"\x1b]11;rgb:0000/0000/0000\x1b\\q"), plain(&[KeyCode::Char('q')]));
        assert_eq!(keys(b"\x1bP1$r0m\x07j"), plain(&[KeyCode::Char('j')]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_quitting_always_works(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut parser = Parser::default();
            parser.feed(&bytes);
            parser.give_up_waiting();
            let in_paste = matches!(parser.state, State::Paste(_));
            while parser.next().is_some() {}
            parser.feed(b"\x03");
            let quit = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
            prop_assert!(in_paste || parser.next() == Some(quit));
        }
    }
}
