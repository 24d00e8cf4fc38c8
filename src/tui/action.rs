//! The one table of actions: the key map, the key bar, the help and the palette are made from it.
//!
//! Knows names, keys and which function an action is; what the functions do stands in `app`.

use crossterm::event::KeyCode;

use super::app::{App, Move};
use super::keymap::{Key, ctrl, key, named};

/// Where an action makes sense: a set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context(u8);

impl Context {
    /// The tree and the layers.
    pub(crate) const TABLE: Self = Self(1);
    /// The findings.
    pub(crate) const FINDINGS: Self = Self(2);
    /// Details over the whole screen.
    pub(crate) const DETAILS: Self = Self(4);
    /// Help, palette, menus, text to copy.
    pub(crate) const LIST: Self = Self(8);
    /// All views.
    pub(crate) const VIEWS: Self = Self(1 | 2);
    /// Where something is selected.
    pub(crate) const SUBJECT: Self = Self(1 | 2 | 4);
    /// Over a view.
    pub(crate) const OVER: Self = Self(4 | 8);
    /// Everywhere.
    pub(crate) const ALL: Self = Self(1 | 2 | 4 | 8);

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

const UP: Key = named(KeyCode::Up);
const DOWN: Key = named(KeyCode::Down);
const LEFT: Key = named(KeyCode::Left);
const RIGHT: Key = named(KeyCode::Right);

/// All actions. In the key bar they stand in this order.
pub(crate) static ACTIONS: &[Action] = &[
    Action::new("up", "one row up", Chapter::Move, Context::ALL, |app| app.go(Move::Up))
        .keys(&[UP, key('k')]),
    Action::new("down", "one row down", Chapter::Move, Context::ALL, |app| app.go(Move::Down))
        .keys(&[DOWN, key('j')])
        .bar_with(2, "move", &[UP, DOWN]),
    Action::new("page up", "one page up", Chapter::Move, Context::ALL, |app| app.go(Move::PageUp))
        .keys(&[named(KeyCode::PageUp), ctrl('b')]),
    Action::new("page down", "one page down", Chapter::Move, Context::ALL, |app| {
        app.go(Move::PageDown);
    })
    .keys(&[named(KeyCode::PageDown), ctrl('f')]),
    Action::new("first", "the first row", Chapter::Move, Context::ALL, |app| app.go(Move::First))
        .keys(&[key('g'), named(KeyCode::Home)]),
    Action::new("last", "the last row", Chapter::Move, Context::ALL, |app| app.go(Move::Last))
        .keys(&[key('G'), named(KeyCode::End)]),
    Action::new("fold", "fold; then to the parent", Chapter::Move, Context::TABLE, App::fold)
        .keys(&[LEFT, key('h')])
        .bar_with(3, "fold", &[LEFT, RIGHT]),
    Action::new(
        "unfold",
        "unfold; then to the first child",
        Chapter::Move,
        Context::TABLE,
        App::unfold,
    )
    .keys(&[RIGHT, key('l')]),
    Action::new(
        "unfold all",
        "unfold everything below",
        Chapter::Move,
        Context::TABLE,
        App::unfold_all,
    )
    .keys(&[key('e')]),
    Action::new(
        "fold as at first",
        "forget all folding by hand",
        Chapter::Move,
        Context::TABLE,
        App::fold_as_at_first,
    )
    .keys(&[key('E')]),
    Action::new(
        "to its device",
        "in view 4: go to the device in the tree",
        Chapter::Move,
        Context::FINDINGS,
        App::go_to_device,
    )
    .keys(&[RIGHT, key('l')])
    .bar(3, "to its device"),
    Action::new(
        "open",
        "all details; from a pointer, go to what it points at",
        Chapter::Move,
        Context::SUBJECT,
        App::open,
    )
    .keys(&[named(KeyCode::Enter)])
    .bar_in(Context::VIEWS, 4, "open"),
    Action::new("choose", "in a menu: this one", Chapter::Move, Context::LIST, App::open)
        .keys(&[named(KeyCode::Enter)])
        .bar(4, "choose"),
    Action::new(
        "other pane",
        "keys to the details and back",
        Chapter::Move,
        Context::SUBJECT,
        App::change_focus,
    )
    .keys(&[named(KeyCode::Tab), named(KeyCode::BackTab)]),
    Action::new(
        "back",
        "close or go back; never out of the program",
        Chapter::Move,
        Context::ALL,
        App::back,
    )
    .keys(&[named(KeyCode::Esc)])
    .bar_in(Context::OVER, 3, "back"),
    Action::new(
        "tree",
        "view 1: everything, from disks to containers",
        Chapter::Look,
        Context::SUBJECT,
        App::show_tree,
    )
    .keys(&[key('1')]),
    Action::new(
        "layers",
        "view 2: pools and their devices, from the base up",
        Chapter::Look,
        Context::SUBJECT,
        App::show_layers,
    )
    .keys(&[key('2')]),
    Action::new(
        "findings",
        "view 4: what is wrong and what could not be seen",
        Chapter::Look,
        Context::SUBJECT,
        App::show_findings,
    )
    .keys(&[key('4')]),
    Action::new(
        "inverse",
        "upside down: what a device rests on stands under it",
        Chapter::Look,
        Context::TABLE,
        App::invert,
    )
    .keys(&[key('i')]),
    Action::new(
        "flat",
        "one list, nothing under anything",
        Chapter::Look,
        Context::TABLE,
        App::flatten,
    )
    .keys(&[key('t')]),
    Action::new(
        "sort",
        "sort by a column; the same one again turns it round",
        Chapter::Look,
        Context::TABLE,
        App::choose_sort,
    )
    .keys(&[key('s')])
    .bar(8, "sort"),
    Action::new(
        "exact sizes",
        "sizes to the byte and back",
        Chapter::Look,
        Context::SUBJECT,
        App::toggle_exact,
    )
    .keys(&[key('b')]),
    Action::new(
        "filter",
        "show only what matches words and terms",
        Chapter::Find,
        Context::TABLE,
        App::start_filter,
    )
    .keys(&[key('/')])
    .bar(5, "filter"),
    Action::new("next match", "the next row that matches", Chapter::Find, Context::TABLE, |app| {
        app.next_match(false);
    })
    .keys(&[key('n')]),
    Action::new(
        "previous match",
        "the previous row that matches",
        Chapter::Find,
        Context::TABLE,
        |app| app.next_match(true),
    )
    .keys(&[key('N')]),
    Action::new(
        "next problem",
        "the next row with a finding, folded ones included",
        Chapter::Find,
        Context::TABLE,
        |app| app.next_problem(false),
    )
    .keys(&[key(']')])
    .bar_with(9, "problems", &[key('['), key(']')]),
    Action::new(
        "previous problem",
        "the previous row with a finding",
        Chapter::Find,
        Context::TABLE,
        |app| app.next_problem(true),
    )
    .keys(&[key('[')]),
    Action::new(
        "why",
        "the findings of this device",
        Chapter::Find,
        Context::TABLE,
        App::findings_of_this,
    )
    .keys(&[key('f')])
    .bar(6, "why"),
    Action::new("mark", "mark or unmark, and one down", Chapter::Act, Context::TABLE, App::mark)
        .keys(&[key(' ')]),
    Action::new("clear marks", "unmark all", Chapter::Act, Context::TABLE, App::clear_marks)
        .keys(&[key('*')]),
    Action::new(
        "copy",
        "copy a name, an id or the details",
        Chapter::Act,
        Context::SUBJECT,
        App::choose_copy,
    )
    .keys(&[key('y')])
    .bar(10, "copy"),
    Action::new(
        "look again",
        "look at the host again now",
        Chapter::Act,
        Context::SUBJECT,
        App::look_again,
    )
    .keys(&[key('r')]),
    Action::new(
        "capture",
        "record this host into a file",
        Chapter::Act,
        Context::SUBJECT,
        App::capture,
    )
    .keys(&[key('C')]),
    Action::new(
        "all actions",
        "every action by name",
        Chapter::Program,
        Context::SUBJECT,
        App::show_palette,
    )
    .keys(&[key(':')])
    .bar(7, "all"),
    Action::new("help", "this page", Chapter::Program, Context::ALL, App::show_help)
        .keys(&[key('?')])
        .bar(0, "help"),
    Action::new("redraw", "draw the screen anew", Chapter::Program, Context::ALL, App::redraw)
        .keys(&[ctrl('l')]),
    Action::new(
        "suspend",
        "to the shell; fg comes back",
        Chapter::Program,
        Context::ALL,
        App::suspend,
    )
    .keys(&[ctrl('z')]),
    Action::new("quit", "leave the program", Chapter::Program, Context::ALL, App::quit)
        .keys(&[key('q'), ctrl('c')])
        .bar(1, "quit"),
];

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

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for context in [Context::TABLE, Context::FINDINGS, Context::DETAILS, Context::LIST] {
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
    fn every_action_has_a_key_and_a_name_of_its_own() {
        for (at, action) in ACTIONS.iter().enumerate() {
            assert!(!action.keys.is_empty() && !action.help.is_empty(), "{}", action.name);
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
