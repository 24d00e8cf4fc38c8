//! LVM's configuration files and profiles: `section { key = value }`, `section/key = value`,
//! comments from `#` to the line's end (lvm.conf(5)). Numbers, strings and lists of strings matter
//! here. Whatever a file holds, what is understood of it is used.

use std::collections::BTreeMap;

/// What is set in a file, by `section/key`; later ones win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conf(BTreeMap<String, Value>);

/// What a key is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    One(String),
    List(Vec<String>),
}

/// Deepest nesting that is followed; LVM itself has two.
const DEEPEST: usize = 8;

impl Conf {
    /// Reads a file as it came.
    pub(super) fn of(bytes: &[u8]) -> Self {
        // nearly all of it is a page of comments: it is not looked through twice
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(_) => Self::parse(&String::from_utf8_lossy(bytes)),
        }
    }

    /// Reads a file's text.
    pub(super) fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        let mut path: Vec<String> = Vec::new();
        let mut tokens = Tokens { rest: text }.peekable();
        while let Some(token) = tokens.next() {
            match (token, tokens.peek()) {
                (Token::Word(name), Some(Token::Open)) => {
                    tokens.next();
                    if path.len() >= DEEPEST {
                        break;
                    }
                    path.push(name);
                }
                (Token::Word(name), Some(Token::Equals)) => {
                    tokens.next();
                    let key = path.iter().map(String::as_str).chain([name.as_str()]);
                    let key = key.collect::<Vec<_>>().join("/");
                    match tokens.next() {
                        Some(Token::Word(value)) => drop(conf.0.insert(key, Value::One(value))),
                        Some(Token::List) => {
                            let ends = |token: &Token| *token != Token::ListEnd;
                            let words = tokens.by_ref().take_while(ends).filter_map(Token::word);
                            conf.0.insert(key, Value::List(words.collect()));
                        }
                        _ => {}
                    }
                }
                (Token::Close, _) => drop(path.pop()),
                _ => {}
            }
        }
        conf
    }

    /// What a key is set to, where that is no list.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            Value::One(value) => Some(value),
            Value::List(_) => None,
        }
    }

    /// Its words, be it a list or a single one.
    pub(super) fn words(&self, key: &str) -> Option<&[String]> {
        self.0.get(key).map(|value| match value {
            Value::One(value) => std::slice::from_ref(value),
            Value::List(words) => words.as_slice(),
        })
    }

    /// Whether a key is set at all.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The same as a number.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Equals,
    Open,
    Close,
    List,
    ListEnd,
}

impl Token {
    fn word(self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let first = self.rest.chars().next()?;
            let after = self.rest.get(first.len_utf8()..).unwrap_or_default();
            let token = match first {
                '#' => {
                    self.rest = after.split_once('\n').map_or("", |(_, rest)| rest);
                    continue;
                }
                '=' => Token::Equals,
                '{' => Token::Open,
                '}' => Token::Close,
                '[' => Token::List,
                ']' => Token::ListEnd,
                '"' | '\'' => return Some(self.quoted(first, after)),
                _ => return Some(self.word()),
            };
            self.rest = after;
            return Some(token);
        }
    }
}

impl Tokens<'_> {
    fn word(&mut self) -> Token {
        let ends = |c: char| c.is_whitespace() || "={}[],#\"'".contains(c);
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        Token::Word(word.to_owned())
    }

    /// Up to the closing quote; a backslash takes what follows as it is.
    fn quoted(&mut self, quote: char, after: &str) -> Token {
        let mut word = String::new();
        let mut chars = after.char_indices();
        let mut end = after.len();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                end = at.saturating_add(quote.len_utf8());
                break;
            }
            let kept = if c == '\\' { chars.next().map(|(_, next)| next) } else { Some(c) };
            word.extend(kept);
        }
        let skipped = quote.len_utf8().saturating_add(end);
        self.rest = self.rest.get(skipped..).unwrap_or_default();
        Token::Word(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sections_and_paths_say_the_same() {
        let profile = "activation {\n  thin_pool_autoextend_threshold=80\n\t\
                       thin_pool_autoextend_percent = 20 # of its size\n}\n";
        let conf = Conf::parse(profile);
        assert_eq!(conf.number("activation/thin_pool_autoextend_threshold"), Some(80));
        assert_eq!(conf.number("activation/thin_pool_autoextend_percent"), Some(20));
        let path = Conf::parse("activation/thin_pool_autoextend_threshold = 70");
        assert_eq!(path.number("activation/thin_pool_autoextend_threshold"), Some(70));
    }

    #[test]
    fn comments_lists_and_strings_are_told_apart() {
        let text = "devices {\n\tfilter = [ \"a|^/dev/sd#{}|\", \"r|.*|\" ]\n\t# dir = \"/no\"\n\
                    \tdir = \"/d\\\"ev\"\n}\nglobal {\n\tthin_check_executable = \"\"\n\
                    \tumask = 077\n}\n";
        let conf = Conf::parse(text);
        assert_eq!(conf.text("devices/dir"), Some("/d\"ev"));
        assert_eq!(conf.text("devices/filter"), None);
        assert!(conf.is_set("devices/filter"));
        let words = conf.words("devices/filter").expect("a list");
        assert_eq!(words, ["a|^/dev/sd#{}|", "r|.*|"]);
        assert_eq!(conf.words("devices/dir").expect("a list of one"), ["/d\"ev"]);
        assert_eq!(conf.words("devices/none"), None);
        assert_eq!(conf.text("global/thin_check_executable"), Some(""));
        assert_eq!(conf.number("global/umask"), Some(77));
    }

    #[test]
    fn of_a_broken_file_what_is_understood_is_used() {
        let conf = Conf::parse("a = 1 } } b { c = 2 d = { e = \"unended");
        assert_eq!((conf.number("a"), conf.number("b/c")), (Some(1), Some(2)));
        assert_eq!(Conf::parse(&"x {".repeat(1000)), Conf::default());
        assert_eq!(Conf::parse("a = 1\na = 2").number("a"), Some(2));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ a-c={}\\[\\]#\"'\\\\/\n,\u{e9}]{0,60}") {
            let _ = Conf::parse(&text);
        }
    }
}
