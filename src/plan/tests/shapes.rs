//! Every plan's prediction meets its own after-checks, step by step: for every recorded host, and
//! for many that are made of them at random. What is refused is counted, so that a test over
//! refusals alone would be noticed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::hosts::{self, all_recorded};
use super::{around, occasion};
use crate::exec::{Ending, rehearse};
use crate::intent::{Activate, Amount, Grow, GrowVolume, Intent};
use crate::model::{Kind, PoolState, Topology};
use crate::plan::{Planned, Refusal, plan};
use crate::units::Bytes;

/// Recorded hosts, and those made of them by hand.
static HOSTS: LazyLock<Vec<(String, Topology)>> = LazyLock::new(|| {
    let made = [
        ("inactive", hosts::inactive()),
        ("booted", hosts::booted()),
        ("suspended", hosts::suspended()),
        ("volumes away", hosts::raw_inactive()),
        ("thin and mounted", hosts::thin_mounted()),
        ("kernel ahead", hosts::ahead(Bytes(40 << 20))),
    ];
    let made = made.map(|(name, host)| (name.to_owned(), host));
    all_recorded().into_iter().chain(made).collect()
});

/// Plans, rehearses, and says what came of it.
fn rehearsed(wish: &Intent, host: &Topology) -> Result<&'static str, String> {
    let planned = match plan(wish, host, &around(), &occasion()) {
        Ok(Planned::Plan(plan)) => plan,
        Ok(Planned::Nothing { .. }) => return Ok("nothing"),
        Err(Refusal { .. }) => return Ok("refused"),
    };
    if planned.steps.is_empty() {
        return Err(format!("{wish}: a plan without steps"));
    }
    match rehearse(&planned, Arc::new(host.clone()), &mut |_| {}) {
        Ending::Done => {}
        other => return Err(format!("{wish}: {other:?}\n{:#?}", planned.steps)),
    }
    let after = planned.predict(host);
    let checks = planned.steps.iter().flat_map(|step| &step.after);
    for (check, verdict) in checks.map(|check| (check, check.judge(&after))) {
        // a later step may change what an earlier one has done, but never take it back
        if !verdict.holds()
            && !matches!(check, crate::plan::Check::Pv { group, .. } if group.is_empty())
        {
            return Err(format!("{wish}: at its end {check}: {verdict:?}"));
        }
    }
    shrinks_nothing(host, &after).map(|()| "planned").map_err(|why| format!("{wish}: {why}"))
}

fn shrinks_nothing(before: &Topology, after: &Topology) -> Result<(), String> {
    let lv = |node: &crate::model::Node| node.facts.lv.as_ref().and_then(|lv| lv.size);
    for (was, is) in before.nodes.iter().zip(&after.nodes) {
        // a device may lose what LVM never committed and no pool has taken in: the pools' totals
        // are held to below
        if is.size < was.size && is.size < lv(was).or(was.size) {
            return Err(format!("{} shrinks: {:?} {:?}", was.name, was.size, is.size));
        }
        if lv(is) < lv(was) {
            return Err(format!("LVM has {} shrink", was.name));
        }
    }
    for (was, is) in before.pools.iter().zip(&after.pools) {
        if let (PoolState::Active(was), PoolState::Active(is)) = (&was.state, &is.state)
            && (is.data.total < was.data.total || is.metadata.total < was.metadata.total)
        {
            return Err("a pool shrinks".to_owned());
        }
    }
    Ok(())
}

/// All that may be wished for on a host.
fn wishes(host: &Topology, amount: Amount) -> Vec<Intent> {
    let pools = host.pools.iter().map(|pool| Some(pool.name.to_string()));
    let mut wishes = Vec::new();
    for pool in pools {
        let sizes = [(Some(amount), None), (None, Some(amount)), (Some(amount), Some(amount))];
        for (data, metadata) in sizes {
            let grow = Grow { pool: pool.clone(), data, metadata, ..Grow::default() };
            wishes.push(Intent::Grow(grow.clone()));
            wishes.push(Intent::Grow(Grow { add_pvs: vec!["/dev/vdd".to_owned()], ..grow }));
        }
        for unit in [false, true] {
            wishes.push(Intent::Activate(Activate {
                target: pool.clone(),
                unit,
                ..Activate::default()
            }));
        }
    }
    for node in &host.nodes {
        if let Some(lv) = &node.facts.lv {
            let volume = format!("{}/{}", lv.vg, lv.name);
            let target = Some(volume.clone());
            wishes.push(Intent::Activate(Activate { target, ..Activate::default() }));
            wishes.push(Intent::GrowVolume(GrowVolume { volume, size: amount, typed: None }));
        }
        if node.kind == Kind::Vg {
            let target = Some(node.name.to_string());
            wishes.push(Intent::Activate(Activate { target, ..Activate::default() }));
        }
    }
    wishes
}

#[test]
fn every_plan_for_every_recorded_host_meets_its_own_checks() {
    let amounts = [Amount::By(Bytes(40 << 20)), Amount::AllFree, Amount::To(Bytes(64 << 30))];
    for (name, host) in &*HOSTS {
        let mut came: BTreeMap<&str, usize> = BTreeMap::new();
        for wish in amounts.iter().flat_map(|amount| wishes(host, *amount)) {
            let what = rehearsed(&wish, host).unwrap_or_else(|why| panic!("{name}: {why}"));
            *came.entry(what).or_default() += 1;
        }
        assert!(came.get("planned").is_some_and(|plans| *plans > 0), "{name}: {came:?}");
    }
}

/// One thing that is otherwise than it was recorded.
#[derive(Clone, Debug)]
enum Twist {
    /// So much room in every group.
    Room(u64),
    /// Of the active volumes and pools this one is deactivated, with what lies on it.
    Away(prop::sample::Index),
    /// This device is suspended, with a table in its slot or without.
    Suspended(prop::sample::Index, bool),
    /// A group has extents of this size: no volume has a part of one.
    Extent(u32),
    /// The status counts so many blocks less than the devices have: somebody grew them.
    Behind(u64),
    /// A filesystem is mounted from this volume.
    Mounted(prop::sample::Index),
    /// LVM has recorded some extents more of this volume than the kernel has taken.
    Half(prop::sample::Index, u64),
    /// LVM tells nothing.
    NoLvm,
}

fn twists() -> impl Strategy<Value = Twist> {
    let index = any::<prop::sample::Index>();
    prop_oneof![
        4 => (0..1_u64 << 44).prop_map(Twist::Room),
        3 => index.prop_map(Twist::Away),
        2 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(at, slot)| Twist::Suspended(at, slot)),
        1 => (20..23_u32).prop_map(Twist::Extent),
        2 => (1..200_u64).prop_map(Twist::Behind),
        2 => any::<prop::sample::Index>().prop_map(Twist::Mounted),
        2 => (any::<prop::sample::Index>(), 1..20_u64).prop_map(|(at, more)| Twist::Half(at, more)),
        1 => Just(Twist::NoLvm),
    ]
}

fn twist(host: &mut Topology, twist: &Twist) {
    match twist {
        Twist::Room(bytes) => {
            for vg in host.nodes.iter_mut().filter_map(|node| node.facts.vg.as_mut()) {
                vg.free = vg.extent.map(|extent| Bytes(bytes / extent.get() * extent.get()));
            }
        }
        Twist::Away(index) => {
            let is_active = |at: &usize| host.nodes[*at].facts.dm.is_some();
            let active: Vec<usize> = (0..host.nodes.len()).filter(is_active).collect();
            if !active.is_empty() {
                take_away(host, *index.get(&active));
            }
        }
        Twist::Suspended(index, slot) => {
            let mapped = host.nodes.iter_mut().filter(|node| node.facts.dm.is_some());
            let mut mapped: Vec<_> = mapped.collect();
            if !mapped.is_empty() {
                let at = index.index(mapped.len());
                let pool = mapped[at].facts.pool;
                let dm = mapped[at].facts.dm.as_mut().expect("it was chosen for it");
                (dm.suspended, dm.inactive_table) = (true, *slot);
                if let Some(pool) = pool {
                    host.pools[pool.0 as usize].suspended = true;
                }
            }
        }
        Twist::Extent(shift) => {
            for vg in host.nodes.iter_mut().filter_map(|node| node.facts.vg.as_mut()) {
                vg.extent = Some(Bytes(1 << shift));
            }
        }
        Twist::Behind(blocks) => {
            for pool in &mut host.pools {
                let PoolState::Active(status) = &mut pool.state else { continue };
                let less = status.data.total.get().saturating_sub(*blocks);
                status.data.total.0 = less.max(status.data.used.get());
            }
        }
        Twist::Mounted(index) => {
            let thins = host.nodes.iter_mut();
            let mut thins: Vec<_> = thins.filter(|node| node.kind == Kind::Thin).collect();
            if !thins.is_empty() {
                let at = index.index(thins.len());
                thins[at].mountpoints = vec!["/srv".into()];
            }
        }
        Twist::Half(index, extents) => record_more(host, *index, Bytes(extents << 22)),
        Twist::NoLvm => {
            for node in &mut host.nodes {
                (node.facts.lv, node.facts.vg, node.facts.pv) = (None, None, None);
            }
        }
    }
}

/// LVM has recorded more of a volume; of a pool also for what holds its data, as it always does.
fn record_more(host: &mut Topology, index: prop::sample::Index, more: Bytes) {
    let is_active = |at: &usize| {
        let node = &host.nodes[*at];
        node.device.is_some() && node.facts.lv.is_some()
    };
    let active: Vec<usize> = (0..host.nodes.len()).filter(is_active).collect();
    if active.is_empty() {
        return;
    }
    let at = *index.get(&active);
    let is_at = |ix: &crate::model::NodeIx| ix.0 as usize == at;
    let pool = host.pools.iter().find(|pool| is_at(&pool.node) || pool.data.iter().any(is_at));
    let both = pool.map(|pool| pool.data.into_iter().chain([pool.node]).collect::<Vec<_>>());
    let both = both.map(|both| both.iter().map(|ix| ix.0 as usize).collect());
    for at in both.unwrap_or_else(|| vec![at]) {
        if let Some(lv) = &mut host.nodes[at].facts.lv {
            lv.size = lv.size.map(|size| size.plus(more));
        }
    }
}

/// Deactivates a device and all that lies on it.
fn take_away(host: &mut Topology, at: usize) {
    let mut gone = vec![crate::model::NodeIx(u32::try_from(at).expect("few nodes"))];
    let mut next = 0;
    while let Some(ix) = gone.get(next).copied() {
        // a thin device is met once more for each of its layers, and taken away once more
        gone.extend(host.children(ix));
        next += 1;
    }
    for ix in gone {
        let node = &mut host.nodes[ix.0 as usize];
        (node.device, node.facts.dm) = (None, None);
        node.size = node.facts.lv.as_ref().and_then(|lv| lv.size).or(node.size);
        if let Some(pool) = node.facts.pool {
            let pool = &mut host.pools[pool.0 as usize];
            (pool.state, pool.suspended) = (PoolState::Inactive, false);
        }
    }
}

fn amounts() -> impl Strategy<Value = Amount> {
    prop_oneof![
        4 => (0..1_u64 << 34).prop_map(|bytes| Amount::By(Bytes(bytes & !511))),
        2 => (0..1_u64 << 38).prop_map(|bytes| Amount::To(Bytes(bytes & !511))),
        1 => Just(Amount::AllFree),
    ]
}

#[test]
fn every_plan_for_many_random_hosts_meets_its_own_checks() {
    let came: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let failure_persistence = None;
    let config = Config { failure_persistence, ..Config::with_cases(4000) };
    let mut runner = TestRunner::new(config);
    let hosts = (0..HOSTS.len(), prop::collection::vec(twists(), 0..4));
    let cases = (hosts, amounts(), any::<prop::sample::Index>());
    let ran = runner.run(&cases, |((host, changes), amount, wish)| {
        let mut made = HOSTS[host].1.clone();
        for change in &changes {
            twist(&mut made, change);
        }
        let wishes = wishes(&made, amount);
        prop_assume!(!wishes.is_empty());
        let wish = wish.get(&wishes);
        let what = rehearsed(wish, &made).map_err(TestCaseError::fail)?;
        let kind = match wish {
            Intent::Grow(_) => "grow",
            Intent::GrowVolume(_) => "grow a volume",
            Intent::Activate(_) => "activate",
        };
        *came.borrow_mut().entry(format!("{kind}: {what}")).or_default() += 1;
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    // of each kind a fair share comes to a plan
    let came = came.into_inner();
    for (kind, least) in [("grow", 100), ("grow a volume", 25), ("activate", 100)] {
        let planned = came.get(&format!("{kind}: planned")).copied().unwrap_or(0);
        assert!(planned >= least, "{kind}: {came:?}");
    }
}
