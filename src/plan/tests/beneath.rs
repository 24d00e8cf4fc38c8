use super::{grow, must_plan, recorded, recorded_in};
use crate::ids::DevNo;
use crate::model::{Kind, Topology};
use crate::plan::beneath::{rests_on_a_pool, rests_on_changed};
use crate::sys::Source;

/// An active device of a kind.
fn device(host: &Topology, kind: Kind) -> DevNo {
    let mut active = host.nodes.iter().filter(|node| node.kind == kind);
    active.find_map(|node| node.device).expect("the recorded host has one that is active")
}

#[test]
fn what_lies_on_a_thin_device_of_the_pool_waits_for_the_pool() {
    for (name, size) in [("direct-lvm", "+40M"), ("loop-lvm", "200G")] {
        let host = recorded(name);
        let plan = must_plan(&grow(Some(size), None, &[]), &host);
        let thin = device(&host, Kind::Thin);
        let on = rests_on_changed(&plan, &host, thin).expect("a container's filesystem");
        assert!(on.contains("which rests on docker-"), "{on}");
        assert_eq!(rests_on_a_pool(&host, thin), Some(on));
        let pool = device(&host, Kind::Pool);
        assert!(rests_on_changed(&plan, &host, pool).is_some());
    }
}

#[test]
fn it_is_seen_without_lvm_s_report_which_may_itself_wait_for_the_pool() {
    for (name, size) in [("direct-lvm", "+40M"), ("loop-lvm", "200G")] {
        let plan = must_plan(&grow(Some(size), None, &[]), &recorded(name));
        let host = recorded_in(name, &[Source::Host, Source::Dm, Source::Block]);
        assert!(host.nodes.iter().all(|node| node.facts.vg.is_none()), "LVM was not asked");
        let thin = device(&host, Kind::Thin);
        assert!(rests_on_changed(&plan, &host, thin).is_some(), "{name}");
        assert_eq!(rests_on_changed(&plan, &host, device(&host, Kind::Disk)), None, "{name}");
    }
}

#[test]
fn the_disk_below_a_pool_and_other_storage_go_on() {
    for (name, size) in [("direct-lvm", "+40M"), ("loop-lvm", "200G")] {
        let host = recorded(name);
        let plan = must_plan(&grow(Some(size), None, &[]), &host);
        for below in [device(&host, Kind::Disk), DevNo::new(0, 25), DevNo::new(9, 9)] {
            assert_eq!(rests_on_changed(&plan, &host, below), None, "{name} {below}");
            assert_eq!(rests_on_a_pool(&host, below), None, "{name} {below}");
        }
    }
}

#[test]
fn another_volume_of_the_same_group_goes_on() {
    let mut host = recorded("direct-lvm");
    let group = host.indices().find(|ix| host.node(*ix).kind == Kind::Vg).expect("the group");
    let mut root = host.nodes.iter().find(|node| node.kind == Kind::Tdata).expect("one").clone();
    root.kind = Kind::Lv;
    (root.device, root.parents) = (Some(DevNo::new(253, 99)), vec![group]);
    let lv = root.facts.lv.as_mut().expect("LVM's");
    lv.name = "root".into();
    host.nodes.push(root);
    let plan = must_plan(&grow(Some("+40M"), None, &[]), &host);
    assert_eq!(rests_on_changed(&plan, &host, DevNo::new(253, 99)), None);
}
