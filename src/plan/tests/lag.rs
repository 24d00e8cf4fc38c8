//! A pool of which the kernel and LVM say different sizes.

use super::{commands, grow, must_plan, must_refuse, planned, pool_mut, recorded, status_mut};
use crate::exec::{Ending, rehearse};
use crate::intent::Intent;
use crate::model::{Kind, Topology};
use crate::plan::{Danger, Plan, Planned};
use crate::units::{Bytes, MetadataBlocks};

const EXTENT: u64 = 4 << 20;
/// What the kernel of the recorded host has, in extents.
const DATA: u64 = 2431;
const METADATA: u64 = 25;

/// The recorded host, of which LVM records so many extents of data and of metadata.
fn recording(data: u64, metadata: u64) -> Topology {
    let mut host = recorded("direct-lvm");
    for node in &mut host.nodes {
        let Some(lv) = &mut node.facts.lv else { continue };
        match node.kind {
            Kind::Pool | Kind::Tdata => lv.size = Some(Bytes(data * EXTENT)),
            Kind::Tmeta => lv.size = Some(Bytes(metadata * EXTENT)),
            _ => {}
        }
    }
    host
}

fn must_reach_its_end(plan: &Plan, host: Topology) {
    assert_eq!(rehearse(plan, std::sync::Arc::new(host), &mut |_| {}), Ending::Done);
}

fn bytes(extents: u64) -> String {
    format!("{}b", extents * EXTENT)
}

#[test]
fn a_growth_that_the_kernel_never_took_is_refreshed_and_nothing_more() {
    // somebody's lvextend by 100 extents died after LVM had written it
    let host = recording(DATA + 100, METADATA);
    for size in [bytes(DATA + 100), format!("+{}", bytes(100)), format!("+{}", bytes(40))] {
        let plan = must_plan(&grow(Some(&size), None, &[]), &host);
        assert_eq!(commands(&plan), ["lvchange --refresh docker/thinpool"], "{size}");
        // the pool is larger for good afterwards
        assert_eq!(plan.consents[0].danger, Danger::HardToUndo);
        let (data, _) = super::totals(&plan.predict(&host));
        assert_eq!(data, Bytes((DATA + 100) * EXTENT));
        must_reach_its_end(&plan, host.clone());
    }
}

#[test]
fn a_size_counts_from_what_the_kernel_has() {
    let host = recording(DATA + 100, METADATA);
    let more = |size: &str| commands(&must_plan(&grow(Some(size), None, &[]), &host));
    let refresh = "lvchange --refresh docker/thinpool";
    assert_eq!(more(&format!("+{}", bytes(130))), [refresh, "lvextend -l +30 docker/thinpool"]);
    assert_eq!(more("100%FREE"), [refresh, "lvextend -l +78 docker/thinpool"]);
    must_reach_its_end(&must_plan(&grow(Some("100%FREE"), None, &[]), &host), host.clone());
    // what the kernel has is there already, whatever LVM says of it
    let same = planned(&grow(Some(&bytes(DATA)), None, &[]), &recording(DATA, METADATA));
    assert!(matches!(same, Ok(Planned::Nothing { .. })), "{same:?}");
    let why = must_refuse(&grow(Some(&bytes(DATA - 1)), None, &[]), &host);
    assert!(why.contains("cannot shrink"), "{why}");
}

#[test]
fn metadata_that_the_kernel_never_took_comes_with_it() {
    let host = recording(DATA, METADATA + 2);
    let plan = must_plan(&grow(None, Some("+8M"), &[]), &host);
    assert_eq!(commands(&plan), ["lvchange --refresh docker/thinpool"]);
    must_reach_its_end(&plan, host.clone());
    // also where only data was asked for: LVM loads all that it records
    let plan = must_plan(&grow(Some("+40M"), Some("+16M"), &[]), &host);
    assert_eq!(
        commands(&plan),
        [
            "lvchange --refresh docker/thinpool",
            "lvextend --poolmetadatasize +8388608b docker/thinpool",
            "lvextend -l +10 docker/thinpool"
        ]
    );
    must_reach_its_end(&plan, host);
}

#[test]
fn a_device_that_only_joins_refreshes_nothing() {
    let plan = must_plan(&grow(None, None, &["/dev/vdc"]), &recording(DATA + 100, METADATA));
    assert_eq!(commands(&plan), ["pvcreate /dev/vdc", "vgextend docker /dev/vdc"]);
}

#[test]
fn where_the_kernel_has_more_lvm_is_extended_and_never_refreshed() {
    let host = recording(DATA - 20, METADATA);
    let more = |size: &str| commands(&must_plan(&grow(Some(size), None, &[]), &host));
    assert_eq!(more(&bytes(DATA)), ["lvextend -l +20 docker/thinpool"], "what the kernel has");
    assert_eq!(more(&format!("+{}", bytes(5))), ["lvextend -l +25 docker/thinpool"]);
    // anything else would have LVM load its smaller record
    let why = must_refuse(&grow(None, Some("+8M"), &[]), &host);
    assert!(why.contains(&format!("--data {}", bytes(DATA))), "{why}");
    let why = must_refuse(&grow(Some("+40M"), None, &[]), &recording(DATA, METADATA - 1));
    assert!(why.contains(&format!("--metadata {}", bytes(METADATA))), "{why}");
    let why = must_refuse(&grow(Some("+40M"), None, &[]), &recording(DATA + 5, METADATA - 1));
    assert!(why.contains("grow that first and alone"), "{why}");
}

#[test]
fn a_size_that_is_no_whole_number_of_blocks_is_no_lag() {
    let mut host = recording(DATA, METADATA);
    // 3 MiB blocks: the last extent is none
    pool_mut(&mut host).block_size = Some(crate::units::Sectors(6144));
    let block = crate::units::Sectors(6144).bytes().get();
    status_mut(&mut host).data.total = crate::units::DataBlocks(DATA * EXTENT / block);
    let plan = must_plan(&grow(Some("+1b"), None, &[]), &host);
    assert_eq!(commands(&plan), ["lvextend -l +1 docker/thinpool"]);
}

#[test]
fn metadata_beyond_what_is_used_is_no_lag() {
    // 16 GiB by hand: the kernel uses 255 times 16320 blocks of it
    let mut host = recording(DATA, 4096);
    status_mut(&mut host).metadata.total = MetadataBlocks(255 * 16_320);
    let plan = must_plan(&grow(Some("+40M"), None, &[]), &host);
    assert_eq!(commands(&plan), ["lvextend -l +10 docker/thinpool"]);
}

#[test]
fn metadata_at_its_most_in_whole_extents_is_refused_and_grows_by_nothing_never() {
    let mut host = recorded("direct-lvm");
    let extent = 128 << 20;
    // 126 extents of 128 MiB are the last whole one below 15.81 GiB
    let most = Bytes(126 * extent);
    status_mut(&mut host).metadata.total = MetadataBlocks(most.get() / 4096);
    for node in &mut host.nodes {
        if let Some(vg) = &mut node.facts.vg {
            (vg.extent, vg.free) = (Some(Bytes(extent)), Some(Bytes(1 << 40)));
        }
        if let (Kind::Tmeta, Some(lv)) = (node.kind, &mut node.facts.lv) {
            lv.size = Some(most);
        }
    }
    for amount in ["+1G", "100%FREE", "15.8G"] {
        let Intent::Grow(wish) = grow(None, Some(amount), &[]) else { unreachable!("a growth") };
        let why = must_refuse(&Intent::Grow(wish), &host);
        assert!(why.contains("no more than 15.81 GiB"), "{amount}: {why}");
    }
}

#[test]
fn each_of_several_disks_may_bring_an_extent_less_than_was_reckoned() {
    let host = recorded("direct-lvm");
    let least = |add: &[&str]| {
        let plan = must_plan(&grow(Some("100%FREE"), None, add), &host);
        let last = plan.steps.last().expect("it grows").after.clone();
        let (data, _) = super::totals(&plan.predict(&host));
        let block = host.pools[0].block_size.expect("known").bytes().get();
        last.iter().find_map(|check| match check {
            crate::plan::Check::DataBlocks { least, .. } => {
                Some((data.get() / block - least.get()) * block)
            }
            _ => None,
        })
    };
    assert_eq!(least(&[]), Some(0));
    assert_eq!(least(&["/dev/vdc"]), Some(EXTENT));
    assert_eq!(least(&["/dev/vdc", "/dev/vdd"]), Some(2 * EXTENT));
}
