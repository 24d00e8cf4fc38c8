//! Hosts to plan for: all that were recorded, and the same in every state that a plan is for.

use super::{activate, recorded};
use crate::model::{Node, NodeIx, PoolState, Topology};
use crate::probe::samples;
use crate::units::{Bytes, DataBlocks};

/// One that `tests/data/hosts` tells of.
pub(crate) fn sample(name: &str) -> Topology {
    samples::topology(name)
}

/// All that were recorded, by name.
pub(crate) fn all_recorded() -> Vec<(String, Topology)> {
    let demos = crate::demo::names();
    let demos = demos.split(", ").map(|name| (format!("demo {name}"), recorded(name)));
    let samples = samples::HOSTS.iter().map(|name| ((*name).to_owned(), sample(name)));
    demos.chain(samples).collect()
}

/// Docker's pool of LVM's, not active.
pub(crate) fn inactive() -> Topology {
    activate::inactive()
}

/// Docker's own pool over files, after a boot.
pub(crate) fn booted() -> Topology {
    let mut host = activate::booted();
    for node in host.nodes.iter_mut().filter(|node| node.facts.dm.is_some()) {
        (node.device, node.facts.dm) = (None, None);
    }
    host
}

/// Docker's pool of LVM's, left suspended with all that it rests on.
pub(crate) fn suspended() -> Topology {
    let mut host = recorded("direct-lvm");
    activate::suspend(&mut host);
    host
}

/// Docker's own pool over volumes, after they were deactivated.
pub(crate) fn raw_inactive() -> Topology {
    let mut host = sample("raw");
    let read = recorded("loop-lvm").pools.first().and_then(|pool| pool.contents.clone());
    let pool = host.pools.first_mut().expect("it has a pool");
    let (state, contents) = (PoolState::Inactive, read);
    (pool.state, pool.contents) = (state, contents);
    let parts = [pool.data, pool.metadata, Some(pool.node)];
    for at in parts.into_iter().flatten() {
        let node = host.nodes.get_mut(at.0 as usize).expect("a node");
        (node.device, node.facts.dm) = (None, None);
    }
    host
}

/// A thin volume with a filesystem that is mounted.
pub(crate) fn thin_mounted() -> Topology {
    let mut host = sample("lvm-thin");
    let is_it = |node: &&mut Node| {
        node.facts.lv.as_ref().is_some_and(|lv| lv.name.as_str() == "vm-100-disk-0")
    };
    let node = host.nodes.iter_mut().find(is_it).expect("it is there");
    node.mountpoints = vec!["/srv".into()];
    host
}

/// A pool of which the kernel has recorded so much more data than LVM, with the tables for it.
pub(crate) fn ahead(by: Bytes) -> Topology {
    let mut host = recorded("direct-lvm");
    let pool = host.pools.first_mut().expect("a pool");
    let block = pool.block_size.expect("its block size").bytes();
    pool.data_size = pool.data_size.map(|size| size.plus(by));
    let PoolState::Active(status) = &mut pool.state else { panic!("it is active") };
    status.data.total = DataBlocks(status.data.total.get() + by.get() / block.get());
    let parts: [Option<NodeIx>; 2] = [pool.data, Some(pool.node)];
    for at in parts.into_iter().flatten() {
        let node = host.nodes.get_mut(at.0 as usize).expect("a node");
        node.size = node.size.map(|size| size.plus(by));
    }
    host
}
