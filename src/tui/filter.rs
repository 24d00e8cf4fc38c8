//! What is typed after `/`: plain words, which a row's names must hold, and terms such as
//! `:role container` or `:exclusive >1G`. All must hold.
//!
//! Knows snapshots and rows; draws nothing.

use super::cell::{self, Subject};
use super::outline::{Outline, What};
use super::seen::Seen;
use crate::ids::DevNo;
use crate::model::{Node, ThinDevice};
use crate::units::{self, Bytes};

/// A filter that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    words: Vec<String>,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Word(WordTerm, String),
    Size(SizeTerm, Compare, Bytes),
    Problem,
    Active(bool),
}

/// Terms with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WordTerm {
    Role,
    Engine,
    Kind,
    State,
    Pool,
    Image,
    Container,
    Id,
}

/// Terms with a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SizeTerm {
    Size,
    Mapped,
    Exclusive,
    Shared,
    Delta,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Above,
    Below,
    AtLeast,
    AtMost,
    Exactly,
}

enum Shape {
    Word(WordTerm),
    Size(SizeTerm),
    Problem,
    Active,
}

/// Every term: how it is typed, an example of its value, what it asks.
const TERMS: &[(&str, &str, &str, Shape)] = &[
    ("role", "container", "what a thin device is for", Shape::Word(WordTerm::Role)),
    (
        "state",
        "running",
        "the state of a container, or the word under STATE",
        Shape::Word(WordTerm::State),
    ),
    ("image", "ubuntu", "an image that holds the layer", Shape::Word(WordTerm::Image)),
    ("container", "web", "name or id of the container", Shape::Word(WordTerm::Container)),
    ("engine", "docker", "who made it", Shape::Word(WordTerm::Engine)),
    ("kind", "pool", "the kind of a device", Shape::Word(WordTerm::Kind)),
    ("pool", "thinpool", "the pool it is in", Shape::Word(WordTerm::Pool)),
    ("id", "17", "the id within the pool", Shape::Word(WordTerm::Id)),
    ("size", ">10G", "its size", Shape::Size(SizeTerm::Size)),
    ("mapped", ">1G", "space in use", Shape::Size(SizeTerm::Mapped)),
    ("exclusive", ">1G", "space that nothing else holds", Shape::Size(SizeTerm::Exclusive)),
    ("shared", ">1G", "space that something else holds too", Shape::Size(SizeTerm::Shared)),
    ("delta", ">1M", "space that differs from the parent", Shape::Size(SizeTerm::Delta)),
    ("active", "no", "whether a device is active for it", Shape::Active),
    ("problem", "", "something was found about it", Shape::Problem),
];

/// The terms for the help: `:role container` and what it asks.
pub(crate) fn help() -> impl Iterator<Item = (String, &'static str)> {
    TERMS.iter().map(|(name, value, help, _)| (format!(":{name} {value}"), *help))
}

/// Reads what was typed. The error says what is not understood.
pub(crate) fn parse_filter(text: &str) -> Result<Filter, String> {
    let mut filter = Filter::default();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        match word.strip_prefix(':') {
            None => filter.words.push(word.to_lowercase()),
            Some(term) => {
                let (name, value) = match term.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (term, None),
                };
                filter.terms.push(parse_term(name, || value.or_else(|| words.next()))?);
            }
        }
    }
    Ok(filter)
}

fn parse_term<'t>(name: &str, value: impl FnOnce() -> Option<&'t str>) -> Result<Term, String> {
    let Some((name, example, _, shape)) = TERMS.iter().find(|term| term.0 == name) else {
        let names: Vec<_> = TERMS.iter().map(|term| term.0).collect();
        return Err(format!("no term :{name}; there are {}", names.join(" ")));
    };
    if matches!(shape, Shape::Problem) {
        return Ok(Term::Problem);
    }
    let value = value().ok_or_else(|| format!(":{name} wants a value, as in :{name} {example}"))?;
    match shape {
        Shape::Word(word) => Ok(Term::Word(*word, value.to_lowercase())),
        Shape::Size(size) => parse_compared(value)
            .map(|(compare, bytes)| Term::Size(*size, compare, bytes))
            .ok_or_else(|| format!(":{name} wants a size, as in :{name} {example}")),
        Shape::Active => match value {
            "yes" => Ok(Term::Active(true)),
            "no" => Ok(Term::Active(false)),
            _ => Err(":active wants yes or no".to_owned()),
        },
        Shape::Problem => Ok(Term::Problem),
    }
}

fn parse_compared(text: &str) -> Option<(Compare, Bytes)> {
    let signs = [
        (">=", Compare::AtLeast),
        ("<=", Compare::AtMost),
        (">", Compare::Above),
        ("<", Compare::Below),
        ("=", Compare::Exactly),
    ];
    let signed =
        signs.iter().find_map(|(sign, compare)| Some((text.strip_prefix(sign)?, *compare)));
    let (size, compare) = signed.unwrap_or((text, Compare::AtLeast));
    Some((compare, parse_size(size)?))
}

/// A size as LVM reads it, or in bytes; `GB` and `GiB` are what people type beside `G`.
fn parse_size(text: &str) -> Option<Bytes> {
    let text = text.to_ascii_lowercase();
    let plain = text.strip_suffix("ib").or(text.strip_suffix('b')).unwrap_or(&text);
    units::parse_size(plain).map(|(bytes, _)| bytes)
}

impl Filter {
    /// Whether it asks for nothing.
    pub(crate) const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.terms.is_empty()
    }

    /// The plain words, in lower case: what is highlighted.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether nothing matches that `wider` does not match too: it asks for the same and more, as
    /// one with another letter typed does.
    pub(crate) fn narrows(&self, wider: &Self) -> bool {
        let asked = |word: &String| {
            // a number is asked for whole: what has 253:33 does not have 253:3
            self.words.iter().any(|longer| longer.contains(word) && device(longer).is_none())
        };
        !wider.is_empty()
            && wider.terms.iter().all(|term| self.terms.contains(term))
            && wider.words.iter().all(asked)
    }

    /// Whether a row is what was asked for.
    pub(crate) fn matches(&self, seen: &Seen, outline: &Outline, what: What) -> bool {
        let subject = Subject::of(seen, outline, what);
        self.terms.iter().all(|term| term.holds(seen, outline, &subject))
            && self.words.iter().all(|word| names_hold(outline, &subject, word))
    }
}

impl Term {
    fn holds(&self, seen: &Seen, outline: &Outline, subject: &Subject<'_>) -> bool {
        match self {
            Self::Problem => subject.ix.is_some_and(|ix| seen.severity(ix).is_some()),
            Self::Active(yes) => match (subject.thin, subject.node) {
                (Some(device), _) => device.active == *yes,
                (None, Some(node)) => node.device.is_some() == *yes,
                (None, None) => false,
            },
            Self::Word(term, value) => match (subject.node, subject.is_pointer()) {
                (Some(node), false) => term.holds(seen, outline, (subject, node), value),
                _ => false,
            },
            Self::Size(term, compare, bytes) => {
                let size = subject.node.filter(|_| !subject.is_pointer());
                let size = size.and_then(|node| term.of(node, subject.thin));
                size.is_some_and(|size| compare.holds(size, *bytes))
            }
        }
    }
}

impl WordTerm {
    fn holds(
        self,
        seen: &Seen,
        outline: &Outline,
        (subject, node): (&Subject<'_>, &Node),
        value: &str,
    ) -> bool {
        let thin = subject.thin;
        let pools = &seen.topology().pools;
        match self {
            Self::Role => thin.is_some_and(|device| begins(device.role.name(), value)),
            Self::Engine => thin.is_some_and(|device| begins(device.engine.name(), value)),
            Self::Kind => begins(node.kind.name(), value),
            Self::State => {
                let state = thin.and_then(|d| d.container.as_ref()).and_then(|c| c.state);
                state.is_some_and(|state| begins(state.name(), value))
                    || begins(&cell::state::state(seen, outline, subject).0, value)
            }
            Self::Pool => {
                let at = thin.map(|device| device.pool).or(node.facts.pool);
                let pool = at.and_then(|at| pools.get(at.0 as usize));
                pool.is_some_and(|pool| {
                    holds(pool.name.as_str(), value)
                        || pool.lv.as_ref().is_some_and(|lv| holds(lv.as_str(), value))
                })
            }
            Self::Image => thin.is_some_and(|d| d.images.iter().any(|i| holds(i.as_str(), value))),
            Self::Container => thin.and_then(|d| d.container.as_ref()).is_some_and(|container| {
                holds(container.name.as_str(), value) || begins(container.id.as_str(), value)
            }),
            Self::Id => thin.and_then(|d| d.id).is_some_and(|id| id.to_string() == value),
        }
    }
}

impl SizeTerm {
    fn of(self, node: &Node, thin: Option<&ThinDevice>) -> Option<Bytes> {
        match self {
            Self::Size => thin.and_then(|device| device.size).or(node.size),
            Self::Mapped => thin?.mapped,
            Self::Exclusive => thin?.exclusive,
            Self::Shared => thin?.shared,
            Self::Delta => thin?.delta,
        }
    }
}

impl Compare {
    fn holds(self, size: Bytes, than: Bytes) -> bool {
        match self {
            Self::Above => size > than,
            Self::Below => size < than,
            Self::AtLeast => size >= than,
            Self::AtMost => size <= than,
            Self::Exactly => size == than,
        }
    }
}

/// A word of a closed list or its beginning: `container` is not `container-init`, `cont` is both.
fn begins(word: &str, value: &str) -> bool {
    if value == "container" {
        return word == value;
    }
    word.get(..value.len()).is_some_and(|head| head.eq_ignore_ascii_case(value))
}

/// Whether a text holds another, small and capital letters of ASCII being the same.
pub(crate) fn holds(text: &str, lower: &str) -> bool {
    find(text, lower).is_some()
}

/// Where a text holds another, in bytes.
pub(crate) fn find(text: &str, lower: &str) -> Option<usize> {
    let (text, lower) = (text.as_bytes(), lower.as_bytes());
    let first = [*lower.first()?, lower.first()?.to_ascii_uppercase()];
    let starts = text.get(..=text.len().checked_sub(lower.len())?)?;
    let mut from = 0;
    loop {
        let at = from + find_either(&starts[from..], first)?;
        if text[at..at + lower.len()].eq_ignore_ascii_case(lower) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Where the first of two bytes stands. Names are long hashes in which mostly neither does: each
/// chunk is looked at without an end in its middle, so that the processor takes it at once.
fn find_either(text: &[u8], [a, b]: [u8; 2]) -> Option<usize> {
    let either = |byte: &u8| *byte == a || *byte == b;
    let (chunks, _) = text.as_chunks::<16>();
    let holds = |chunk: &[u8; 16]| chunk.iter().fold(false, |any, byte| any | either(byte));
    let from = chunks.iter().position(holds).unwrap_or(chunks.len()) * 16;
    Some(from + text[from..].iter().position(either)?)
}

fn names_hold(outline: &Outline, subject: &Subject<'_>, word: &str) -> bool {
    if let What::Group(at) = subject.what {
        let group = outline.groups.get(at as usize);
        return group.is_some_and(|group| {
            holds(group.name(), word) || group.names.iter().any(|name| holds(name.as_str(), word))
        });
    }
    if subject.is_pointer() {
        return false;
    }
    subject.node.is_some_and(|node| node_names_hold(node, word))
        || subject.thin.is_some_and(|device| thin_names_hold(device, word))
}

fn node_names_hold(node: &Node, word: &str) -> bool {
    holds(node.name.as_str(), word)
        || node.short.as_ref().is_some_and(|name| holds(name.as_str(), word))
        || node.mountpoints.iter().any(|path| holds(path.as_str(), word))
        || node.device.is_some() && node.device == device(word)
}

fn device(word: &str) -> Option<DevNo> {
    word.parse().ok()
}

fn thin_names_hold(device: &ThinDevice, word: &str) -> bool {
    let container = device.container.as_ref();
    holds(device.name.as_str(), word)
        || device.dm_name.as_ref().is_some_and(|name| holds(name.as_str(), word))
        || device.images.iter().any(|image| holds(image.as_str(), word))
        || container.is_some_and(|c| holds(c.name.as_str(), word) || holds(c.id.as_str(), word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_terms_are_told_apart() {
        let filter = parse_filter("Web :role container :exclusive >1.5G").expect("all is known");
        assert_eq!(filter.words(), ["web"]);
        let size = Bytes(3 << 29);
        assert_eq!(
            filter.terms,
            [
                Term::Word(WordTerm::Role, "container".to_owned()),
                Term::Size(SizeTerm::Exclusive, Compare::Above, size),
            ]
        );
        assert!(parse_filter("  ").expect("nothing is fine").is_empty());
        assert_eq!(parse_filter(":state=running"), parse_filter(":state running"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(parse_filter(":colour red").is_err_and(|why| why.starts_with("no term :colour")));
        assert_eq!(
            parse_filter(":mapped lots"),
            Err(":mapped wants a size, as in :mapped >1G".to_owned())
        );
        assert!(parse_filter(":role").is_err_and(|why| why.contains(":role container")));
    }

    #[test]
    fn sizes_are_those_of_lvm() {
        assert_eq!(parse_compared(">1G"), Some((Compare::Above, Bytes(1 << 30))));
        assert_eq!(parse_compared("<=512KiB"), Some((Compare::AtMost, Bytes(512 << 10))));
        assert_eq!(parse_compared("100"), Some((Compare::AtLeast, Bytes(100))));
        assert_eq!(parse_compared("=0"), Some((Compare::Exactly, Bytes(0))));
        for none in [">G", ">99999999999999P", ">1x"] {
            assert_eq!(parse_compared(none), None, "{none}");
        }
    }

    #[test]
    fn letters_of_both_cases_are_found() {
        assert_eq!(find("Docker-ThinPool", "thin"), Some(7));
        assert_eq!(find("abc", "abcd"), None);
        assert!(!holds("abc", ""));
    }

    #[test]
    fn a_letter_more_narrows_a_number_more_does_not() {
        let narrows = |longer: &str, wider: &str| {
            let parse = |text| parse_filter(text).expect("all is known");
            parse(longer).narrows(&parse(wider))
        };
        assert!(narrows("web", "we") && narrows("web 1 :problem", "eb") && narrows("web", "web"));
        assert!(!narrows("we", "web") && !narrows("web", "web :problem") && !narrows("web", ""));
        // a device number is asked for whole
        assert!(!narrows("253:33", "253:3") && narrows("253:x", "253"));
    }

    proptest! {
        #[test]
        fn a_word_is_found_where_it_first_stands(
            text in "[abAB]{0,70}",
            word in "[ab]{1,4}",
        ) {
            prop_assert_eq!(find(&text, &word), text.to_lowercase().find(&word));
        }
    }

    #[test]
    fn container_is_not_its_init_layer() {
        assert!(begins("container", "container") && !begins("container-init", "container"));
        assert!(begins("container-init", "container-i") && begins("running", "run"));
    }
}
