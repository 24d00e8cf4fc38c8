//! Journeys by keys.

use super::Stage;
use crate::ids::NodeId;
use crate::model::{ContainerState, Role, Severity, Snapshot};
use crate::tui::action::{ACTIONS, Context};
use crate::tui::event::{Effect, Request};
use crate::tui::keymap::Key;
use crate::tui::testing::web_3;

#[test]
fn an_image_unfolds_into_its_own_layers_and_what_stands_on_them() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/app:one<enter><esc>");
    assert_eq!(stage.selected(), "app:one 7 layers image – 200M 1 running");
    stage.press("l");
    assert!(stage.line("5 layers of").contains("→ 5 layers of ubuntu:16.04 layers"));
    assert!(stage.line("6/7").starts_with("│ ├ 6/7"));
    // two layers in one column, the containers under the upper one
    assert!(stage.line("7/7").starts_with("│ └ 7/7"));
    assert!(stage.line("batch (init)").contains("init 14"));
    assert_eq!(stage.line(" batch  "), "│ └ batch cont. 15 10.0G 170M exited");
    stage.press("h");
    assert!(!stage.shows("6/7"));
}

#[test]
fn a_pointer_leads_to_what_it_points_at() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/app:one<enter><esc>lj<enter>");
    // the uppermost of the five shared layers, in the group of the image with the shortest chain
    assert!(stage.selected().starts_with("5/5"), "{}", stage.selected());
    assert!(stage.shows("ubuntu:16.04"));
    stage.press("<home>/xvdg<enter><esc>");
    stage.press("jj");
    assert_eq!(stage.selected(), "→ docker vg above");
    stage.press("<enter>");
    assert!(stage.selected().starts_with("docker vg 150G"));
}

#[test]
fn problems_are_gone_through_in_both_directions_also_into_folds() {
    let mut host = web_3();
    let hidden = host.thins.iter().find(|d| d.name == "b".repeat(64).as_str()).map(|d| d.node);
    host.finding(Severity::Warning, "device-busy", hidden.expect("the build snapshot"), "busy");
    let mut stage = Stage::of(host.snapshot(), 80, 40);
    assert!(stage.press("]").selected().starts_with("~ thinpool"));
    assert!(stage.press("]").selected().starts_with(". x (no owner)"));
    assert!(stage.press("]").selected().starts_with("~ bbbbbbbbbbbb"), "{}", stage.selected());
    assert!(stage.press("]").selected().starts_with("~ thinpool"));
    assert!(stage.press("[").selected().starts_with("~ bbbbbbbbbbbb"));
    // folded away again, the fold shows that there is something in it
    assert!(stage.press("hh").selected().starts_with("~ build cache"), "{}", stage.selected());
}

#[test]
fn the_screen_opens_on_the_device_that_hurts_until_a_key_is_pressed() {
    let critical = || {
        let mut host = web_3();
        let leaked = host.thins.iter().find(|d| d.role == Role::Leaked).map(|d| d.node);
        host.finding(Severity::Critical, "device-suspended", leaked.expect("one"), "it hangs");
        host.snapshot()
    };
    let mut stage = Stage::of(critical(), 80, 24);
    assert!(stage.selected().starts_with("! x (no owner)"));
    assert!(stage.lines()[1].starts_with(" ! critical: it hangs"));
    // found only by the second picture
    stage = Stage::web_3(80, 24);
    assert!(stage.see(critical()).selected().starts_with("! x (no owner)"));
    // a person who has gone somewhere stays there
    stage = Stage::web_3(80, 24);
    stage.press("j").see(critical());
    assert!(stage.selected().starts_with("xvda1"));
}

#[test]
fn the_filter_leaves_matches_and_the_way_to_them() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/:role container :state running");
    assert!(stage.shows("2 matches"), "{}", stage.text());
    for (shown, name) in
        [(true, "* web"), (true, "evil"), (false, "batch"), (true, "xvdf"), (false, "xvda1")]
    {
        assert_eq!(stage.shows(name), shown, "{name}\n{}", stage.text());
    }
    stage.press("<enter>");
    assert!(stage.selected().starts_with("* evil"), "{}", stage.selected());
    assert!(stage.press("n").selected().starts_with("* web"));
    assert!(stage.press("N").selected().starts_with("* evil"));
    assert!(stage.shows("/ :role container :state running   2 matches, n next, esc clears"));
    // what the filter found stays selected when it goes
    stage.press("<esc>");
    assert!(stage.selected().starts_with("* evil") && stage.shows("xvda1"));
}

#[test]
fn a_filter_that_is_not_understood_says_why_and_changes_nothing() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("/:rolle container<enter>");
    assert!(stage.shows("no term :rolle; there are role"), "{}", stage.text());
    assert!(stage.shows("xvda1"));
    stage.press("<esc>");
    assert!(!stage.shows("no term"));
    stage.press("/nosuchthing<enter>");
    assert!(stage.shows("nothing matches the filter; esc clears it"));
    assert!(stage.press("<esc>").shows("xvda1"));
}

#[test]
fn sizes_find_devices() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/:mapped >170M :mapped <lt>=1G<enter>");
    // the leaked one and the two upper layers of app:one, 180 and 200 MiB
    assert!(stage.shows("3 matches"), "{}", stage.text());
    assert!(stage.shows("x (no owner)") && stage.shows("6/7") && stage.shows("7/7"));
}

#[test]
fn upside_down_a_device_stands_on_its_chain_and_its_disks() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/:container batch :role container<enter><esc>i");
    assert!(stage.selected().starts_with("batch cont."), "{}", stage.selected());
    stage.press("l");
    let text = stage.text();
    let from = text.find("batch  ").expect("the container is there");
    let order: Vec<usize> = [
        "batch (init)",
        "app:one 7/7",
        "ubuntu:16.04 1/5",
        "base ",
        "thinpool ",
        "thinpool_tdata",
        "docker ",
        "xvdf ",
    ]
    .iter()
    .map(|name| text[from..].find(name).unwrap_or_else(|| panic!("{name}\n{text}")))
    .collect();
    assert!(order.is_sorted(), "{order:?}\n{text}");
    // the VG stands under tdata; from tmeta it is pointed at
    assert!(stage.shows("→ docker"));
    assert!(stage.press("i").selected().starts_with("batch cont."));
}

#[test]
fn one_list_is_sorted_by_any_column_and_turned_round() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("2t");
    let by = |down: usize| format!("s<home>{}<enter>", "j".repeat(down));
    // the fifth column is what is mapped, largest first; what was not seen comes last
    stage.press(&by(5)).press("g");
    assert!(stage.selected().starts_with(". x (no owner)"), "{}", stage.selected());
    assert!(stage.shows("↓MAPPED"));
    stage.press("G");
    assert!(
        stage.selected().contains('?') || stage.selected().contains('–'),
        "{}",
        stage.selected()
    );
    stage.press("s<enter>g");
    assert!(stage.shows("↑MAPPED"));
    assert!(stage.selected().starts_with("base base 1 10.0G 49.0M"), "{}", stage.selected());
    stage.press("s<home><enter>");
    assert!(!stage.shows("↑MAPPED") && !stage.shows("↓MAPPED"));
}

#[test]
fn sorting_the_tree_keeps_chains_and_diamonds() {
    let mut stage = Stage::web_3(80, 50);
    stage.press("s<home>jjjjj<enter>]");
    let lines = stage.lines();
    let at = |name: &str| lines.iter().position(|line| line.contains(name)).expect("it is there");
    assert!(
        at("thinpool_tmeta") < at("thinpool_tdata") && at("thinpool_tdata") < at("└ thinpool ")
    );
    assert!(at("x (no owner)") < at("* web") && at("* web") < at("├ base"), "{}", stage.text());
}

#[test]
fn findings_lead_to_their_device_and_back() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("4");
    assert!(stage.selected().starts_with("~ warning docker-thinpool cannot grow"));
    assert!(stage.press("j").selected().starts_with(". advice device 17000 has no owner"));
    assert!(stage.shows("code device-leaked"));
    stage.press("l");
    assert!(stage.selected().starts_with(". x (no owner)"));
    // f: only those of this device
    stage.press("f");
    assert!(stage.shows("FINDINGS OF THIS DEVICE") && !stage.shows("~ warning"));
    stage.press("<esc>");
    assert!(stage.selected().starts_with(". x (no owner)"));
    // f on a healthy device answers the line of trouble
    stage.press("gf");
    assert!(stage.shows("~ warning"), "{}", stage.text());
}

#[test]
fn a_finding_opens_its_page_and_names_the_wizard_that_cures_it() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("4jw");
    assert!(stage.shows("no wizard cures it; by hand, as its page says"), "{}", stage.text());
    stage.press("<enter>");
    assert!(stage.shows("device-leaked") && stage.shows("its page"), "{}", stage.text());
    stage.press("G");
    assert!(stage.shows("Which wizard") && stage.shows("Sources"), "{}", stage.text());
    stage.press("<esc>");
    assert!(stage.selected().starts_with(". advice device 17000"), "{}", stage.text());
}

#[test]
fn what_could_not_be_seen_stands_beside_what_is_wrong() {
    let mut host = web_3();
    host.gaps
        .push(crate::model::Gap::new("lvm", "lvs did not answer within 5 s; the VG may be locked"));
    let mut stage = Stage::of(host.snapshot(), 80, 24);
    assert!(stage.line("thinscope").ends_with("1 gap (4)"));
    stage.press("4G");
    assert!(stage.selected().starts_with("? not seen lvm: lvs did not answer within 5 s"));
}

#[test]
fn copying_offers_names_and_shows_the_text_alone() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("/:container web :role container<enter><esc>y");
    assert!(stage.shows("copy") && stage.shows("container id"));
    stage.press("<enter>");
    assert_eq!(stage.effects, [Effect::Copy("web".to_owned())]);
    let lines = stage.lines();
    assert_eq!(lines[0], "web");
    assert!(lines[1..23].iter().all(String::is_empty), "{}", stage.text());
    stage.press("<esc>");
    assert!(stage.selected().starts_with("* web"));
    stage.press("yG<enter>");
    assert!(stage.shows("device id: 11") && stage.shows("state: running"));
}

#[test]
fn details_take_the_whole_screen_where_there_is_no_room_beside() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("]<enter>");
    assert!(
        stage.shows("as docker info prints it")
            || stage.press("<pgdn>").shows("as docker info prints it")
    );
    assert!(stage.shows("Base Device Size 10.74GB"), "{}", stage.text());
    stage.press("<esc>");
    assert!(stage.selected().starts_with("~ thinpool"));
    // where there is room the keys go to the pane, and back
    let mut stage = Stage::web_3(120, 20);
    stage.press("]<tab>jjjjjjjjjj");
    assert!(stage.selected().starts_with("~ thinpool"));
    assert!(stage.shows("Base Device Size"), "{}", stage.text());
    stage.press("<tab>j");
    assert!(!stage.selected().starts_with("~ thinpool"));
}

#[test]
fn escape_never_leaves_and_q_and_ctrl_c_always_do() {
    for keys in ["", "2", "4", "?", "s", "y", "]<enter>"] {
        let mut stage = Stage::web_3(80, 24);
        stage.press(keys).press("<esc><esc><esc><esc>");
        assert!(!stage.effects.contains(&Effect::Quit), "{keys}");
        let mut stage = Stage::web_3(80, 24);
        stage.press(keys).press("q");
        assert_eq!(stage.effects.last(), Some(&Effect::Quit), "{keys}");
    }
    for keys in ["/", ":", "/abc", ":abc"] {
        let mut stage = Stage::web_3(80, 24);
        stage.press(keys).press("q");
        assert!(!stage.effects.contains(&Effect::Quit), "{keys}: q is a letter here");
        stage.press("<c-c>");
        assert_eq!(stage.effects.last(), Some(&Effect::Quit), "{keys}");
    }
}

#[test]
fn sharing_is_asked_for_until_it_is_known() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("m");
    assert_eq!(stage.effects, [Effect::Ask(crate::tui::event::Request::ReadMappings)]);
    // while it is read the header says how far, and the key stops it
    let mut reading = web_3().snapshot();
    let mut source = reading.sources[0].clone();
    (source.source, source.progress) = ("metadata", Some((340, 1000)));
    std::sync::Arc::make_mut(&mut reading).sources.push(source);
    let mut stage = Stage::of(reading, 120, 24);
    assert!(stage.shows("metadata: 34% read (m stops)"), "{}", stage.text());
    stage.press("m");
    assert_eq!(stage.effects, [Effect::Ask(crate::tui::event::Request::StopMappings)]);
    let mut host = web_3();
    for pool in &mut host.pools {
        pool.contents = Some(super::sharing::shared_by(&[], &[]).into());
    }
    let mut stage = Stage::of(host.snapshot(), 80, 24);
    stage.press("m");
    assert!(stage.effects.is_empty() && stage.shows("sharing is read"));
}

#[test]
fn nothing_is_asked_of_a_recording() {
    let snapshot = web_3().snapshot();
    let origin = crate::model::Origin::Recorded { name: "demo".into() };
    let mut stage = Stage::of(Snapshot { origin, ..(*snapshot).clone() }.into(), 80, 24);
    stage.press("rC");
    assert!(stage.effects.is_empty() && stage.shows("this is a recording: nothing runs"));
    let mut stage = Stage::web_3(80, 24);
    stage.press("rC");
    assert_eq!(stage.effects, [Effect::Ask(Request::LookAgain), Effect::Ask(Request::Capture)]);
}

#[test]
fn a_refresh_keeps_selection_folds_and_the_line_on_screen() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("/ubuntu<enter><esc>l/batch<enter><esc>");
    let before = stage.text();
    let mut host = web_3();
    host.container(crate::model::PoolIx(0), 6, 50, "aaa-new", ContainerState::Running);
    stage.see(host.snapshot());
    assert!(stage.selected().starts_with("batch"), "{}", stage.selected());
    let line = |text: &str| text.lines().position(|line| line.starts_with('>'));
    assert_eq!(line(&before), line(&stage.text()));
    stage.see(web_3().snapshot());
    assert_eq!(stage.text(), before);
}

#[test]
fn when_the_selected_vanishes_the_nearest_stays_selected() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/:role leaked<enter><esc>");
    let mut host = web_3();
    let leaked = host.thins.iter().position(|d| d.role == Role::Leaked).expect("one");
    let pool = &mut host.pools[0];
    pool.devices.retain(|ix| ix.0 as usize != leaked);
    let node = host.thins[leaked].node;
    host.at(node).id = NodeId::new("thin", "another");
    host.findings.clear();
    stage.see(host.snapshot());
    assert!(stage.selected().starts_with("x dddddddddddd"), "{}", stage.selected());
}

#[test]
fn the_selection_goes_along_from_view_to_view() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/:container web :role container<enter><esc>2");
    assert!(stage.selected().starts_with("* web cont. 11"));
    stage.press("kk");
    let there = stage.selected();
    stage.press("1");
    let id = |row: &str| row.split(' ').rev().nth(3).map(str::to_owned);
    assert_eq!(id(&stage.selected()), id(&there), "{there} / {}", stage.selected());
}

/// Keys that end the test's sight of the screen, or are answered only in a state of their own.
fn changes_something(name: &str) -> bool {
    !matches!(
        name,
        "clear marks"
            | "next match"
            | "previous match"
            | "fold as at first"
            | "up"
            | "first"
            | "page up"
    )
}

#[test]
fn every_action_is_reached_by_each_of_its_keys_and_by_the_palette() {
    let prepared = |context: Context| {
        if context == Context::BLOCKS {
            let mut stage = super::blocks::stage(80, 24);
            // where zooming and every direction change something
            stage.press("+j<right>");
            return stage;
        }
        if !context.has(Context::SUBJECT) && !context.has(Context::LIST) {
            return super::wizards::stage_in(context);
        }
        let mut stage = Stage::web_3(80, 24);
        stage.press(if context.has(Context::TABLE) {
            "]"
        } else if context.has(Context::FINDINGS) {
            "4"
        } else {
            ":"
        });
        stage
    };
    for action in ACTIONS {
        for key in action.keys {
            let mut stage = prepared(action.contexts);
            let before = (stage.text(), stage.app.context());
            let typed = stage.app.prompt.is_some() || action.contexts == Context::LIST;
            if typed {
                continue;
            }
            let code = crossterm::event::KeyEvent::new(
                key.code,
                if key.control {
                    crossterm::event::KeyModifiers::CONTROL
                } else {
                    crossterm::event::KeyModifiers::NONE
                },
            );
            assert_eq!(Key::pressed(&code), *key);
            let event = crossterm::event::Event::Key(code);
            let effects = stage.app.update(super::Event::Terminal(event));
            let changed = !effects.is_empty() || (stage.text(), stage.app.context()) != before;
            assert!(
                changed
                    || !changes_something(action.name)
                    || action.name == "back"
                    || action.name == "tree"
                    || action.name == "unfold all",
                "{} by {key:?}",
                action.name
            );
        }
        if action.contexts.has(Context::SUBJECT) {
            let mut stage = prepared(action.contexts);
            stage.press(":").press(action.name);
            let found = stage.app.found_actions();
            assert_eq!(found.first().map(|found| found.name), Some(action.name));
            stage.press("<enter>");
            assert!(!stage.shows("means nothing in this view"), "{}", action.name);
        }
    }
}

#[test]
fn the_help_names_every_action_key_and_term() {
    let mut stage = Stage::web_3(80, 200);
    stage.press("?");
    for action in ACTIONS {
        assert!(stage.shows(action.help), "{}", action.name);
    }
    for (term, _) in crate::tui::filter::help() {
        assert!(stage.shows(term.trim()), "{term}");
    }
    let mut wide = Stage::web_3(160, 60);
    wide.press("?");
    assert!(wide.lines().iter().any(|line| line.contains("one row up") && line.contains("  ")));
}
