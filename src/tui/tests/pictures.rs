//! One picture after another: what a screen shows of the second is what a screen begun on it shows,
//! whether rows were kept from the first or not.

use super::Stage;
use crate::model::{Container, ContainerState, Role, ThinDevice};
use crate::tui::outline::alike::alike;
use crate::tui::testing::{Host, MIB, web_3};
use crate::units::Bytes;

/// How the devices of a host are looked at: both views, upside down, in one list, filtered by what
/// changes and by what does not, sorted.
const WAYS: [&str; 7] =
    ["", "2", "i", "2i", "/:mapped >100M<enter>", "/web :role container<enter>", "sjjjjj<enter>"];

fn changed(change: impl Fn(&mut Host)) -> Host {
    let mut host = web_3();
    change(&mut host);
    host
}

fn thin(host: &mut Host, which: impl Fn(&ThinDevice) -> bool) -> &mut ThinDevice {
    host.thins.iter_mut().find(|device| which(device)).expect("the example host has one")
}

fn web(host: &mut Host) -> &mut ThinDevice {
    let named = |c: &Container| c.name == "web";
    thin(host, |d| d.role == Role::Container && d.container.as_ref().is_some_and(named))
}

fn holds(change: impl Fn(&mut Host)) {
    for keys in WAYS {
        let mut living = Stage::web_3(120, 70);
        living.press(keys).see(changed(&change).snapshot());
        let mut begun = Stage::of(changed(&change).snapshot(), 120, 70);
        begun.press(keys);
        // the selection stays with what it is on, wherever that goes
        living.press("<home>");
        begun.press("<home>");
        assert_eq!(living.text(), begun.text(), "{keys}");
    }
}

fn keeps_rows(change: impl Fn(&mut Host)) -> bool {
    alike(&web_3().snapshot().topology, &changed(change).snapshot().topology)
}

#[test]
fn figures_and_mounts_change_within_rows_that_stay() {
    let grown = |host: &mut Host| web(host).mapped = Some(Bytes(333 * MIB));
    let cut = |host: &mut Host| thin(host, |d| d.mapped > Some(Bytes(100 * MIB))).mapped = None;
    let mounted = |host: &mut Host| host.nodes[0].mountpoints = vec!["/srv".into()];
    let suspended = |host: &mut Host| web(host).suspended = true;
    assert!(keeps_rows(grown) && keeps_rows(cut) && keeps_rows(mounted) && keeps_rows(suspended));
    holds(grown);
    holds(cut);
    holds(mounted);
    holds(suspended);
    let mut stage = Stage::web_3(120, 70);
    assert!(!stage.shows("333M"));
    assert!(stage.see(changed(grown).snapshot()).shows("333M"));
}

#[test]
fn whatever_places_a_row_makes_the_rows_anew() {
    let state = |host: &mut Host| {
        let container = web(host).container.as_mut().expect("it is a container's");
        container.state = Some(ContainerState::Exited);
    };
    let name = |host: &mut Host| {
        let container = web(host).container.as_mut().expect("it is a container's");
        container.name = "aaa".into();
    };
    let role = |host: &mut Host| web(host).role = Role::Leaked;
    let parent = |host: &mut Host| web(host).parent = None;
    let image = |host: &mut Host| {
        thin(host, |d| d.images.len() == 1).images.push("another:name".into());
    };
    let disk = |host: &mut Host| host.nodes[0].id = crate::ids::NodeId::new("disk", "another");
    let rests = |host: &mut Host| {
        let last = host.nodes.iter_mut().rev().find(|node| node.facts.thin.is_none());
        last.expect("not all are thin devices").parents.clear();
    };
    assert!(!keeps_rows(state) && !keeps_rows(name) && !keeps_rows(role) && !keeps_rows(parent));
    assert!(!keeps_rows(image) && !keeps_rows(disk) && !keeps_rows(rests));
    holds(state);
    holds(name);
    holds(role);
    holds(parent);
    holds(image);
    holds(disk);
    holds(rests);
}

#[test]
fn a_filter_typed_letter_by_letter_finds_what_it_finds_pasted() {
    for text in
        ["web", "app:one", ":role container-init", "253:1", "253:11", "BATCH :state ex", "e 1"]
    {
        let mut typed = Stage::web_3(120, 70);
        let mut pasted = Stage::web_3(120, 70);
        typed.press("/").press(text).press("<enter><home>");
        pasted.press("/").paste(text).press("<enter><home>");
        assert_eq!(typed.text(), pasted.text(), "{text}");
    }
}
