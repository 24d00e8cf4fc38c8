//! Every action: name, help, keys, where it makes sense, and the function that does it.

use crossterm::event::KeyCode;

use super::{Action, Chapter, Context};
use crate::tui::app::{App, Move};
use crate::tui::keymap::{Key, ctrl, key, named};
use crate::tui::wizard::offer::Kind;

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
        "from a finding, an event, a holder: to it in the tree",
        Chapter::Move,
        Context::ABOUT,
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
        "blocks",
        "view 3: the pool's data, a cell for some blocks",
        Chapter::Look,
        Context::SUBJECT,
        App::show_blocks,
    )
    .keys(&[key('3')]),
    Action::new(
        "zoom in",
        "in view 3: fewer blocks in a cell",
        Chapter::Look,
        Context::BLOCKS,
        App::zoom_in,
    )
    .keys(&[key('+'), key('=')])
    .bar_with(3, "zoom", &[key('+'), key('-')]),
    Action::new(
        "zoom out",
        "in view 3: more blocks in a cell",
        Chapter::Look,
        Context::BLOCKS,
        App::zoom_out,
    )
    .keys(&[key('-')]),
    Action::new(
        "owner or sharing",
        "in view 3: by owner, or as the selected device sees it",
        Chapter::Look,
        Context::BLOCKS,
        App::change_blocks,
    )
    .keys(&[key('o')])
    .bar(5, "owner/sharing"),
    Action::new(
        "own blocks",
        "in view 3: own blocks, against a marked device",
        Chapter::Look,
        Context::BLOCKS,
        App::show_own_space,
    )
    .keys(&[key('v')])
    .bar(6, "own blocks"),
    Action::new("cell left", "in view 3: one cell left", Chapter::Move, Context::BLOCKS, |app| {
        app.go_cells(-1);
    })
    .keys(&[LEFT, key('h')]),
    Action::new("cell right", "in view 3: one cell right", Chapter::Move, Context::BLOCKS, |app| {
        app.go_cells(1);
    })
    .keys(&[RIGHT, key('l')]),
    Action::new(
        "findings",
        "view 4: what is wrong and what could not be seen",
        Chapter::Look,
        Context::SUBJECT,
        App::show_findings,
    )
    .keys(&[key('4')]),
    Action::new(
        "events",
        "view 5: what happened since the screen was opened",
        Chapter::Look,
        Context::SUBJECT,
        App::show_events,
    )
    .keys(&[key('5')]),
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
        Context::FILTERED,
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
        "why is it full: who fills a pool; else its findings",
        Chapter::Find,
        Context::SUBJECT,
        App::explain_this,
    )
    .keys(&[key('f')])
    .bar_in(Context::REASONED, 6, "why"),
    Action::new("mark", "mark or unmark, and one down", Chapter::Act, Context::MARKED, App::mark)
        .keys(&[key(' ')]),
    Action::new("clear marks", "unmark all", Chapter::Act, Context::MARKED, App::clear_marks)
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
        "wizards",
        "what can be changed here; on a finding, what cures it",
        Chapter::Act,
        Context::SUBJECT,
        App::choose_wizard,
    )
    .keys(&[key('w')])
    .bar_in(Context::VIEWS, 4, "wizards"),
    Action::new("grow data", "a pool's data", Chapter::Act, Context::SUBJECT, |app| {
        app.wizard_of(Kind::GrowData);
    }),
    Action::new(
        "grow with a new disk",
        "a pool's data, over one more disk",
        Chapter::Act,
        Context::SUBJECT,
        |app| app.wizard_of(Kind::GrowDisk),
    ),
    Action::new("grow metadata", "a pool's metadata", Chapter::Act, Context::SUBJECT, |app| {
        app.wizard_of(Kind::GrowMetadata);
    }),
    Action::new(
        "grow volume",
        "an LVM thin volume and its filesystem",
        Chapter::Act,
        Context::SUBJECT,
        |app| app.wizard_of(Kind::GrowVolume),
    ),
    Action::new(
        "activate",
        "bring back what is away or suspended",
        Chapter::Act,
        Context::SUBJECT,
        |app| app.wizard_of(Kind::Activate),
    ),
    Action::new(
        "next field",
        "in a wizard: the next field or button",
        Chapter::Act,
        Context::FIELDS,
        |app| app.wizard_step(false),
    )
    .keys(&[named(KeyCode::Tab)])
    .bar(1, "next"),
    Action::new(
        "previous field",
        "in a wizard: the one before",
        Chapter::Act,
        Context::FIELDS,
        |app| app.wizard_step(true),
    )
    .keys(&[named(KeyCode::BackTab)]),
    Action::new(
        "go on",
        "in a wizard: what has the focus",
        Chapter::Act,
        Context::WIZARD,
        App::wizard_enter,
    )
    .keys(&[named(KeyCode::Enter)])
    .bar_in(Context::TYPED, 2, "go on"),
    Action::new(
        "take",
        "in a wizard: take or leave a disk",
        Chapter::Act,
        Context::ASK,
        App::wizard_take,
    )
    .keys(&[key(' ')]),
    Action::new(
        "checks",
        "in a review: checks and undo of each step",
        Chapter::Act,
        Context::REVIEW,
        App::show_checks,
    )
    .keys(&[key('c')])
    .bar(5, "checks"),
    Action::new(
        "before and after",
        "in a review: the storage before and after",
        Chapter::Act,
        Context::REVIEW,
        App::show_trees,
    )
    .keys(&[key('t')])
    .bar(6, "trees"),
    Action::new(
        "dry run",
        "in a review: walk it on predictions; nothing runs",
        Chapter::Act,
        Context::REVIEW,
        App::rehearse,
    )
    .keys(&[key('d')])
    .bar(6, "dry run"),
    Action::new(
        "stop",
        "in a run: finish the step under way, then stop",
        Chapter::Act,
        Context::RUN,
        App::stop_run,
    )
    .keys(&[key('s')])
    .bar(3, "stop after this step"),
    Action::new(
        "look again",
        "look at the host again now",
        Chapter::Act,
        Context::SUBJECT,
        App::look_again,
    )
    .keys(&[key('r')]),
    Action::new(
        "sharing",
        "read who shares what: EXCL SHARED DELTA; again stops",
        Chapter::Act,
        Context::SUBJECT,
        App::read_mappings,
    )
    .keys(&[key('m')])
    .bar_in(Context::WHY, 6, "sharing"),
    Action::new(
        "sharing through a snapshot",
        "read it where commits outrun that; writes to a pool",
        Chapter::Act,
        Context::SUBJECT,
        App::read_reserved,
    )
    .keys(&[key('M')]),
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
        .bar_in(Context::KEYS, 0, "help"),
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
        .bar_in(Context::KEYS, 1, "quit"),
];
