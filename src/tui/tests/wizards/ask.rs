//! Which wizards there are, what they ask, and what is wrong with an answer.

use std::sync::Arc;

use super::{Desk, host, node, put_away};
use crate::model::{Kind, PoolMetadata, PoolState, Severity, Usage};
use crate::tui::testing::{GIB, Host};
use crate::units::{DataBlocks, MetadataBlocks, Sectors};

#[test]
fn the_list_names_what_makes_sense_and_why_the_rest_does_not() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w");
    desk.must_show("grow data             docker-thinpool: more room for data");
    desk.must_show("grow with a new disk  docker-thinpool: a disk joins");
    desk.must_show("grow metadata         docker-thinpool: more room for metadata");
    desk.must_show("grow volume           no: docker-thinpool is no LVM thin volume");
    desk.must_show("activate              no: docker-thinpool is active");
}

#[test]
fn a_layer_and_the_disk_below_are_about_the_pool_between() {
    for way in ["/*web<enter><esc>w", "/xvdf<enter><esc>w"] {
        let mut desk = Desk::new(host(), (80, 24));
        desk.press(&way.replace('*', ""));
        desk.must_show("docker-thinpool: more room for data");
    }
    // two pools, and a disk that carries neither
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("w");
    desk.must_show("no: select a pool");
}

#[test]
fn a_pool_that_is_unwell_is_not_grown_and_says_why() {
    let mut host = host();
    host.pools[0].suspended = true;
    let mut desk = Desk::new(host, (80, 24));
    desk.press("]w");
    desk.must_show("activate              docker-thinpool: find out why it is away");
    desk.press("j");
    desk.must_show("no: docker-thinpool is suspended: whoever touches it waits;");
    desk.press("<enter>");
    desk.must_show("no wizard grow data: docker-thinpool is suspended");
}

#[test]
fn wizards_are_found_by_name_in_the_palette() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]:grow meta<enter>");
    desk.must_show("grow metadata · docker-thinpool");
    // the keys are on the field that was asked for
    desk.must_show("> metadata");
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]:activate<enter>");
    desk.must_show("no wizard activate: docker-thinpool is active");
}

#[test]
fn on_a_finding_the_wizard_opens_that_cures_it() {
    let mut host = host();
    let pool = host.pools[0].node;
    host.finding(Severity::Critical, "pool-metadata-full", pool, "metadata is full");
    let mut desk = Desk::new(host, (80, 24));
    desk.press("4w");
    desk.must_show("grow metadata · docker-thinpool");
    // what no wizard of the screen cures is named
    desk.press("<esc>jjw");
    desk.must_show("no wizard cures it; by hand, as its page says");
}

#[test]
fn the_suggestion_leaves_what_a_repair_needs() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter>");
    // 3 GiB are free: less than a fifth of 95 GiB, so 1020 MiB for a copy of the metadata stay
    desk.must_show("> data      [+2052M");
    desk.must_show("now 95.0 GiB, 60% used; docker has 3.0 GiB free");
    desk.must_show("data 95.0 GiB to 97.0 GiB (+2.0 GiB)");
}

#[test]
fn a_disk_that_joins_raises_the_suggestion_until_a_person_types_one() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter>");
    desk.must_show("[ ] /dev/xvdh  50.0 GiB disk  nothing on it");
    desk.must_show("[ ] /dev/xvdi  50.0 GiB disk  holds ext4 (label backup)");
    // 3 GiB and the 12799 extents that 50 GiB bring, less 19 GiB
    desk.press("<down><down><space>");
    desk.must_show("data      [+34812M");
    desk.press("<up><up><c-u>+1G<down><down><space>");
    desk.must_show("data      [+1G ");
    desk.must_show("[ ] /dev/xvdh");
}

#[test]
fn every_size_that_cannot_be_says_why_below_its_field() {
    for (typed, why) in [
        ("20", "20 has no unit"),
        ("-1G", "negative: a pool never shrinks"),
        ("0G", "0G is nothing"),
        ("abc", "abc is no size"),
        ("50G", "a thin pool cannot shrink"),
        ("+99P", "extents of 4.0 MiB are needed"),
    ] {
        let mut desk = Desk::new(host(), (80, 24));
        desk.press(&format!("]w<home><enter><c-u>{typed}"));
        desk.must_show(why);
        desk.must_show("not yet");
        // there is no way on with it
        desk.press("<up><enter>");
        desk.must_show("[ask]");
        desk.must_show("nothing to review yet");
    }
}

#[test]
fn metadata_says_for_itself_what_is_wrong_with_it() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter><down>500M");
    let lines = desk.stage.lines();
    let at = |text: &str| lines.iter().position(|line| line.contains(text));
    let (field, wrong) = (at("> metadata  [500M"), at("metadata of docker-thinpool has"));
    assert_eq!(field.map(|at| at + 2), wrong, "{}", desk.stage.text());
    desk.press("<c-u>+100M");
    desk.must_show("metadata 1020 MiB to 1.1 GiB (+100 MiB)");
}

#[test]
fn nothing_typed_is_nothing_to_do() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter><c-u>");
    desk.must_show("nothing to grow was named");
}

#[test]
fn a_disk_that_is_gone_or_unreadable_is_not_taken() {
    let mut desk = Desk::new(host(), (80, 24));
    if let Some(seen) = desk.around.devices.get_mut("/dev/xvdi") {
        seen.signatures = Some(Err("wipefs: permission denied".to_owned()));
    }
    desk.press("]w<home><enter><down><down><down><space>");
    desk.must_show("[x] /dev/xvdi");
    desk.must_show("could not be read: wipefs: permission denied");
    desk.must_show("a device is not taken unseen");
}

#[test]
fn a_paste_fills_a_size_and_help_and_leaving_stay_at_hand() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter><c-u>");
    desk.stage.paste("+1G\n");
    desk.must_show("> data      [+1G ");
    desk.press("?");
    desk.must_show("going about");
    desk.press("<esc>");
    desk.must_show("> data      [+1G ");
    desk.press("<esc>");
    desk.must_show("MAPPED");
}

#[test]
fn letters_of_a_size_are_typed_though_they_are_keys_elsewhere() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter><c-u>+1048576k");
    desk.must_show("> data      [+1048576k");
}

#[test]
fn what_is_inactive_is_brought_back_without_a_question() {
    let mut host = host();
    put_away(&mut host);
    let mut desk = Desk::new(host, (80, 24));
    desk.press("/thinpool<enter><esc>w");
    desk.must_show("activate              docker-thinpool: find out why it is away");
    desk.press("<enter>");
    desk.must_show("ask [review] run done");
    desk.must_show("$ lvchange -ay docker/thinpool");
    desk.must_show("every step can be taken back");
}

/// A pool's metadata that was read.
fn metadata() -> PoolMetadata {
    PoolMetadata {
        transaction: 24,
        time: 3,
        needs_check: false,
        held_root: None,
        block_size: Sectors(1024),
        data: Usage { used: DataBlocks(1), total: DataBlocks(204_800) },
        metadata: Usage { used: MetadataBlocks(9), total: MetadataBlocks(524_288) },
        devices: Vec::new(),
        damages: Vec::new(),
        damage_count: 0,
        mappings: None,
        reserved: None,
    }
}

#[test]
fn of_a_pool_that_nothing_makes_again_it_is_asked_whether_systemd_shall() {
    let mut host = host();
    host.units = Some(Vec::new());
    let pool = &mut host.pools[1];
    pool.state = PoolState::Inactive;
    pool.contents = Some(Arc::new(metadata()));
    let (node, name) = (pool.node, pool.name.to_string());
    host.at(node).device = None;
    let mut desk = Desk::new(host, (120, 30));
    desk.press(&format!("/{name}<enter><esc>w<home><enter>"));
    desk.must_show("[ ] no:  make it again at every boot");
    desk.press("<space>");
    desk.must_show("[x] yes: make it again at every boot");
    desk.press("<enter><enter>");
    desk.must_show("ask [review] run done");
    desk.must_show("write /etc/systemd/system/thinscope-pool-");
    // and the other way it is left alone
    desk.press("<esc><home><space><enter><enter>");
    desk.must_show("ask [review] run done");
    assert!(!desk.shows("thinscope-pool-"));
}

#[test]
fn why_a_pool_cannot_be_brought_back_is_told() {
    let mut host = host();
    put_away(&mut host);
    let vg = node(&host, "docker");
    if let Some(vg) = host.at(vg).facts.vg.as_mut() {
        vg.missing_pvs = 1;
    }
    let mut desk = Desk::new(host, (80, 24));
    desk.press("/thinpool<enter><esc>w<enter>");
    desk.must_show("This cannot be done:");
    desk.must_show("docker misses 1 of its PVs");
    desk.press("<esc>");
    desk.must_show("MAPPED");
}

#[test]
fn a_thin_volume_grows_alone() {
    let mut host = Host::default();
    let disk = host.node(Kind::Disk, "sda", &[], 100 * GIB);
    let pv = host.pv(disk, "pve", 100 * GIB, 10 * GIB);
    let vg = host.vg("pve", &[pv], 100 * GIB, 10 * GIB);
    host.lv(Kind::Thin, vg, "vm-100-disk-0", 32 * GIB);
    let mut stage = Desk::new_bare(host);
    stage.press("/vm-100<enter><esc>w<enter>+8G");
    stage.must_show("grow volume · pve/vm-100-disk-0");
    stage.press("<enter><enter>");
    stage.must_show("$ lvextend -L 42949672960b pve/vm-100-disk-0");
}

#[test]
fn a_review_that_is_asked_for_too_early_opens_when_what_is_around_was_seen() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.stage.press("]w<home><enter>");
    desk.must_show("looking at what is around ...");
    desk.stage.press("<c-u>+1G<up><enter>");
    desk.must_show("looking at what is around; the review opens then ...");
    desk.must_show("[ask]");
    desk.answer();
    desk.must_show("[review]");
    desk.must_show("$ lvextend -l +256 docker/thinpool");
}

#[test]
fn a_file_is_not_suggested_to_outgrow_its_filesystem() {
    let path = "/var/lib/docker/devicemapper/devicemapper/data";
    for (left, suggested) in [(30 * GIB, "> data      [+20G"), (10 * GIB, "> data      [  ")] {
        let mut desk = Desk::new(host(), (80, 24));
        desk.around.spaces.insert(path.to_owned(), crate::units::Bytes(left));
        desk.press("/docker-8:1-131-pool<enter><esc>w<home><enter>");
        desk.must_show(suggested);
        desk.must_show(&format!("the filesystem of its file has {}.0 GiB left", left / GIB));
        // nothing is free in a group where there is none
        desk.must_not_show("100%FREE");
    }
}
