//! The one table of actions: the key map, the key bar, the help and the palette are made from it.
//!
//! Knows names, keys and which function an action is; what the functions do stands in `app`.

mod all;

use super::app::App;
use super::keymap::Key;

pub(crate) use all::ACTIONS;

/// Where an action makes sense: a set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context(u16);

impl Context {
    /// The tree and the layers.
    pub(crate) const TABLE: Self = Self(1);
    /// The findings.
    pub(crate) const FINDINGS: Self = Self(2);
    /// Details over the whole screen.
    pub(crate) const DETAILS: Self = Self(4);
    /// Help, palette, menus, text to copy.
    pub(crate) const LIST: Self = Self(8);
    /// The blocks.
    pub(crate) const BLOCKS: Self = Self(16);
    /// The timeline.
    pub(crate) const EVENTS: Self = Self(32);
    /// Who fills a pool.
    pub(crate) const WHY: Self = Self(64);
    /// All views.
    pub(crate) const VIEWS: Self = Self(1 | 2 | 16 | 32 | 64);
    /// Where something is selected.
    pub(crate) const SUBJECT: Self = Self(1 | 2 | 4 | 16 | 32 | 64);
    /// Where devices are marked.
    pub(crate) const MARKED: Self = Self(1 | 64);
    /// Where a device or a finding is selected that has reasons.
    pub(crate) const REASONED: Self = Self(1 | 2 | 4);
    /// What can be filtered.
    pub(crate) const FILTERED: Self = Self(1 | 32);
    /// Lists of things that are about a device.
    pub(crate) const ABOUT: Self = Self(2 | 32 | 64);
    /// Over a view, where there is something to go back from.
    pub(crate) const OVER: Self = Self(4 | 8 | 64 | 256 | 512 | 1024 | 4096);
    /// A wizard's questions.
    pub(crate) const ASK: Self = Self(256);
    /// A wizard's plan.
    pub(crate) const REVIEW: Self = Self(512);
    /// A word of consent to that plan, being typed.
    pub(crate) const CONSENT: Self = Self(1024);
    /// A wizard's run.
    pub(crate) const RUN: Self = Self(2048);
    /// What came of it.
    pub(crate) const DONE: Self = Self(4096);
    /// Wherever a wizard has a way on.
    pub(crate) const WIZARD: Self = Self(256 | 512 | 1024 | 2048 | 4096);
    /// Where a wizard has fields or buttons.
    pub(crate) const FIELDS: Self = Self(256 | 512 | 1024);
    /// Where a wizard has lines to type.
    pub(crate) const TYPED: Self = Self(256 | 1024);
    /// Everywhere but where every letter is typed.
    pub(crate) const KEYS: Self = Self(!1024);
    /// Everywhere.
    pub(crate) const ALL: Self = Self(!0);

    /// Whether the two meet.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Heads of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chapter {
    /// Going about.
    Move,
    /// What is shown and how.
    Look,
    /// Looking for something.
    Find,
    /// Doing something.
    Act,
    /// The program itself.
    Program,
}

impl Chapter {
    /// All, in the order of the help.
    pub(crate) const ALL: [Self; 5] =
        [Self::Move, Self::Look, Self::Find, Self::Act, Self::Program];

    /// The head.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Move => "going about",
            Self::Look => "what is shown",
            Self::Find => "finding",
            Self::Act => "doing",
            Self::Program => "the program",
        }
    }
}

/// Its place in the key bar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    /// The lower, the longer it stays on a narrow screen.
    pub(crate) rank: u8,
    /// In a word.
    pub(crate) word: &'static str,
    /// The keys shown, where not the first of the action's.
    pub(crate) keys: &'static [Key],
    /// Where it is shown.
    pub(crate) contexts: Context,
}

/// One action.
#[derive(Debug)]
pub(crate) struct Action {
    /// In the palette.
    pub(crate) name: &'static str,
    /// What it does, in the help.
    pub(crate) help: &'static str,
    /// Under which head of the help.
    pub(crate) chapter: Chapter,
    /// All its keys, the one to show first.
    pub(crate) keys: &'static [Key],
    /// Where it makes sense.
    pub(crate) contexts: Context,
    /// In the key bar.
    pub(crate) bar: Option<Bar>,
    /// Doing it.
    pub(crate) run: fn(&mut App),
}

impl Action {
    const fn new(
        name: &'static str,
        help: &'static str,
        chapter: Chapter,
        contexts: Context,
        run: fn(&mut App),
    ) -> Self {
        Self { name, help, chapter, keys: &[], contexts, bar: None, run }
    }

    const fn keys(self, keys: &'static [Key]) -> Self {
        Self { keys, ..self }
    }

    const fn bar(self, rank: u8, word: &'static str) -> Self {
        self.bar_with(rank, word, &[])
    }

    const fn bar_with(self, rank: u8, word: &'static str, keys: &'static [Key]) -> Self {
        Self { bar: Some(Bar { rank, word, keys, contexts: self.contexts }), ..self }
    }

    /// Shown in the bar only in a part of the places where it works.
    const fn bar_in(self, contexts: Context, rank: u8, word: &'static str) -> Self {
        Self { bar: Some(Bar { rank, word, keys: &[], contexts }), ..self }
    }
}

/// The actions whose name or help holds all letters of what was typed, in order; those that hold
/// it as one word first.
pub(crate) fn search(typed: &str) -> Vec<&'static Action> {
    let typed = typed.trim().to_lowercase();
    let rank = |action: &Action| {
        if action.name.starts_with(&typed) {
            Some(0)
        } else if action.name.contains(&typed) {
            Some(1)
        } else if action.help.contains(&typed) {
            Some(2)
        } else {
            holds_letters(action.name, &typed).then_some(3)
        }
    };
    let mut found: Vec<(u8, &Action)> =
        ACTIONS.iter().filter_map(|action| Some((rank(action)?, action))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, action)| action).collect()
}

fn holds_letters(name: &str, typed: &str) -> bool {
    let mut letters = name.chars();
    typed.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::wizard::offer::Kind;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for context in [
            Context::TABLE,
            Context::FINDINGS,
            Context::DETAILS,
            Context::LIST,
            Context::BLOCKS,
            Context::EVENTS,
            Context::WHY,
            Context::ASK,
            Context::REVIEW,
            Context::CONSENT,
            Context::RUN,
            Context::DONE,
        ] {
            let mut keys: Vec<Key> = Vec::new();
            for action in ACTIONS.iter().filter(|action| action.contexts.has(context)) {
                for key in action.keys {
                    assert!(!keys.contains(key), "{key:?} in {context:?}: {}", action.name);
                    keys.push(*key);
                }
            }
        }
    }

    #[test]
    fn every_action_has_a_name_of_its_own_and_a_key_unless_it_is_a_wizard() {
        for (at, action) in ACTIONS.iter().enumerate() {
            let by_name = Kind::ALL.iter().any(|kind| kind.name() == action.name);
            assert_eq!(action.keys.is_empty(), by_name, "{}", action.name);
            assert!(!action.help.is_empty(), "{}", action.name);
            assert!(ACTIONS[..at].iter().all(|other| other.name != action.name), "{}", action.name);
        }
    }

    #[test]
    fn the_palette_finds_by_words_and_by_letters() {
        assert_eq!(search("sort")[0].name, "sort");
        assert_eq!(search("nxtprob")[0].name, "next problem");
        assert_eq!(search("record")[0].name, "capture");
        assert_eq!(search("").len(), ACTIONS.len());
        assert!(search("zzzz").is_empty());
    }
}
