//! Random keys, random sizes, hosts with loops: no panic, and nothing drawn that could harm.

use proptest::prelude::*;

use super::Stage;
use crate::ids::ThinId;
use crate::model::{Kind, NodeIx, PoolKind, Role};
use crate::tui::Look;
use crate::tui::testing::{GIB, Host, web_3};

/// Turns the text after it round.
const BIDI: char = '\u{202e}';

/// Keys that a person could press, those that mean something more often.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec![
            "<up>", "<down>", "<left>", "<right>", "<enter>", "<esc>", "<tab>", "<pgup>", "<pgdn>",
            "<home>", "<end>", "<space>", "1", "2", "4", "i", "t", "s", "b", "/", ":", "?", "e", "E",
            "y", "f", "]", "[", "n", "N", "*", "m", "w", "3", "5", "r", "C", "web", ":role container",
            "<c-u>", "<c-w>", "<c-l>", "<c-z>", "j", "k", "h", "l", "g", "G",
        ]).prop_map(str::to_owned),
        1 => "[a-z0-9:>]{1,3}",
    ]
}

fn size() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        prop::sample::select(vec![
            (0, 0),
            (1, 1),
            (300, 100),
            (80, 24),
            (60, 15),
            (100, 15),
            (99, 20)
        ]),
        (0_u16..140, 0_u16..50),
    ]
}

#[derive(Clone, Debug)]
enum Deed {
    Press(String),
    Resize(u16, u16),
    Refresh,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        12 => key().prop_map(Deed::Press),
        2 => size().prop_map(|(width, height)| Deed::Resize(width, height)),
        1 => Just(Deed::Refresh),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_and_no_size_make_it_panic(deeds in prop::collection::vec(deed(), 1..40), ascii: bool) {
        let mut stage = Stage::with(web_3().snapshot(), (80, 24), Look::new(ascii, true));
        for deed in deeds {
            match deed {
                Deed::Press(keys) => drop(stage.press(&keys)),
                Deed::Resize(width, height) => drop(stage.resize(width, height)),
                Deed::Refresh => drop(stage.see(web_3().snapshot())),
            }
            let harmful = stage.text().chars().any(|c| c.is_control() && c != '\n' || c == BIDI);
            prop_assert!(!harmful);
        }
    }

    #[test]
    fn whoever_claims_to_rest_on_whom_everything_is_drawn(
        parents in prop::collection::vec((0_u32..14, 0_u32..14, 0_u32..10), 1..12),
    ) {
        let mut host = Host::default();
        let disk = host.node(Kind::Disk, "sda", &[], GIB);
        let node = host.node(Kind::Pool, "pool", &[disk], GIB);
        let pool = host.pool(node, (disk, node), PoolKind::Raw);
        for (at, (one, two, thin)) in parents.iter().enumerate() {
            // loops, nodes that are not there, devices made from themselves
            host.node(Kind::Lv, &format!("lv{at}"), &[NodeIx(*one), NodeIx(*two)], GIB);
            let id = u32::try_from(at).expect("few");
            let role = [Role::ImageLayer, Role::Container, Role::BuildCache, Role::Unknown][at % 4];
            let device = host.thin(pool, id, role, &format!("thin{at}"));
            device.parent = ThinId::new(u64::from(*thin));
            device.images = vec![format!("image{}", at % 3).as_str().into()];
        }
        let count = host.nodes.len();
        let mut stage = Stage::of(host.snapshot(), 120, 100);
        stage.press("ge");
        for keys in ["", "2", "1t", "ti", "e"] {
            stage.press(keys);
            prop_assert!(stage.lines().len() == 100);
        }
        stage.press("it");
        prop_assert_eq!(stage.app.table().rows.list.len(), count);
    }
}

#[test]
fn names_from_outside_do_nothing_but_stand_there() {
    let names = [
        "a\x1b]0;owned\x07b",
        "tab\there",
        "line\nbreak",
        "\u{202e}reversed",
        "\u{200b}hidden",
        "e\u{301}\u{301}\u{301}combining",
        "\u{1f468}\u{200d}\u{1f469}family",
        "漢字の名前",
        "ﷺ",
        "\u{1f1e9}\u{1f1ea}flag",
    ];
    let mut host = Host::default();
    for name in names {
        host.node(Kind::Disk, name, &[], GIB);
    }
    let stage = Stage::of(host.snapshot(), 80, 24);
    let buffer = stage.buffer();
    for (y, name) in (2_u16..).zip(names) {
        // what stands after the name stands where it stands in every row
        let line = &stage.lines()[usize::from(y)];
        assert!(line.contains("disk") && line.contains("1.0G"), "{name}: {line}");
        let last = (0..80).rfind(|x| buffer[(*x, y)].symbol() == "G");
        assert_eq!(last, Some(size_ends_at(&buffer)), "{name}: {line}");
    }
    assert!(stage.shows("a\\x1b]0;owned\\x07b") && stage.shows("漢字の名前"));
}

fn size_ends_at(buffer: &ratatui::buffer::Buffer) -> u16 {
    // the letter after the Z of the head SIZE
    (0..80).rfind(|x| buffer[(*x, 1)].symbol() == "Z").expect("there is the head") + 1
}
