//! Facts of all sources become one topology: nodes, pools, thin devices.
//!
//! Pure. Each source may be missing, cut short or at odds with another: what is there is used,
//! and a contradiction never costs more than the thing it is about. Every part below adds nodes
//! to one [`Build`]; the order of the result is made at the end.

mod build;
mod claims;
mod contents;
mod devices;
mod disks;
mod engines;
mod index;
mod order;
mod pools;
mod thins;
mod volumes;

use super::{Assembled, Facts, lvm};
use crate::model::{Engine, Gap, HostFacts, NodeIx, Pool, PoolIx, ThinDevice, ThinIx, Topology};
use crate::owner::{Owned, OwnedPool, containerd, docker};
use crate::sys::Source;
use build::Build;

/// Makes one topology of all facts.
pub fn assemble(facts: &Facts) -> Assembled {
    let mut owned = facts.docker.as_deref().map(docker::owned).unwrap_or_default();
    let others = facts.containerd.as_deref().map(containerd::owned).unwrap_or_default();
    owned.pools.extend(others.pools);
    owned.gaps.extend(others.gaps);
    assemble_owned(facts, &owned)
}

fn assemble_owned(facts: &Facts, owned: &Owned) -> Assembled {
    let mut build = Build::new(facts);
    gather_gaps(&mut build, owned);
    disks::add_disks(&mut build);
    let volumes = volumes::Volumes::find(&build.index, facts.lvm.as_deref());
    let volume_nodes = volumes::add_volumes(&mut build, &volumes);
    devices::add_others(&mut build);
    let mut pools = pools::Pools::find(&mut build, &volumes, &volume_nodes);
    let places: Vec<PoolIx> =
        owned.pools.iter().map(|owned| pools.place(&mut build, owned)).collect();
    contents::add_contents(&mut build, &mut pools);
    let mut rows = thins::add_thins(&mut build, &mut pools, &volumes, (&owned.pools, &places));
    let unsure = contents::fill_rows(&build, &pools, &mut rows, (&owned.pools, &places));
    devices::link(&mut build);
    volumes::add_pvs(&mut build, &volumes, &volume_nodes);
    disks::link(&mut build);
    disks::add_mounts(&mut build);
    disks::add_limits(&mut build);
    let mut assembled = finish(build, pools, rows, (&owned.pools, &places));
    assembled.unsure |= unsure;
    assembled
}

/// The sources' own gaps, and those that only several sources together can tell.
fn gather_gaps(build: &mut Build<'_>, owned: &Owned) {
    let facts = build.facts;
    let gaps = &mut build.gaps;
    if facts.failed(Source::Host) {
        gaps.push(Gap::new("host", "it does not say who it is"));
    }
    gaps.extend(facts.dm.iter().flat_map(|dm| dm.gaps.iter().cloned()));
    gaps.extend(facts.block.iter().flat_map(|block| block.gaps.iter().cloned()));
    gaps.extend(facts.mounts.iter().flat_map(|mounts| mounts.gaps.iter().cloned()));
    gaps.extend(owned.gaps.iter().cloned());
    gaps.extend(facts.metadata.iter().flat_map(|metadata| metadata.gaps()));
    let Some(lvm) = facts.lvm.as_deref() else { return };
    gaps.extend(lvm.gaps.iter().cloned());
    match &lvm.not_installed {
        Some(why) if build.index.has_lvm() => gaps.push(Gap::new(
            "lvm",
            format!("{why}; its volumes are told from their device-mapper names; install lvm2"),
        )),
        Some(_) => {}
        None => gaps.extend(lvm::filter::refused(facts.dm.as_deref(), facts.block.as_deref())),
    }
}

/// Puts nodes, pools and thin devices in their final order and fills in what needs the whole.
fn finish(
    mut build: Build<'_>,
    pools: pools::Pools,
    rows: Vec<ThinDevice>,
    (owned, places): (&[OwnedPool], &[PoolIx]),
) -> Assembled {
    let new_place = order::sort(&mut build.nodes);
    let (mut pools, pool_place) = pools::sorted(pools);
    let thins = thins::sorted(rows, &pool_place);
    let moved = |ix: &mut NodeIx| {
        if let Some(new) = new_place.get(ix.0 as usize) {
            *ix = *new;
        }
    };
    let thins = point(&mut build.nodes, &mut pools, thins, moved);
    let mut topology = Topology::new(build.nodes, pools, thins);
    topology.host = host_facts(build.facts);
    let mut unsure = false;
    for (owned, place) in owned.iter().zip(places) {
        if let Some(place) = pool_place.get(place.0 as usize) {
            if owned.engine == Engine::Docker {
                fill_driver_status(build.facts, &mut topology, owned.root_index, *place);
            }
            unsure |= engines::fill(build.facts, &mut topology, owned, *place);
        }
    }
    build.gaps.dedup();
    Assembled { topology, gaps: build.gaps, unsure }
}

/// Lets nodes, pools and thin devices point at each other by their final places.
fn point(
    nodes: &mut [crate::model::Node],
    pools: &mut [Pool],
    mut thins: Vec<ThinDevice>,
    moved: impl Fn(&mut NodeIx),
) -> Vec<ThinDevice> {
    for (at, pool) in pools.iter_mut().enumerate() {
        moved(&mut pool.node);
        pool.data.iter_mut().for_each(&moved);
        pool.metadata.iter_mut().for_each(&moved);
        if let Some(node) = nodes.get_mut(pool.node.0 as usize) {
            node.facts.pool = Some(PoolIx(build::ix(at)));
        }
    }
    for (at, thin) in thins.iter_mut().enumerate() {
        moved(&mut thin.node);
        let ix = ThinIx(build::ix(at));
        if let Some(node) = nodes.get_mut(thin.node.0 as usize) {
            node.facts.thin = Some(ix);
        }
        if let Some(pool) = pools.get_mut(thin.pool.0 as usize) {
            pool.devices.push(ix);
        }
    }
    thins
}

fn fill_driver_status(facts: &Facts, topology: &mut Topology, root_index: usize, place: PoolIx) {
    let Some(docker) = facts.docker.as_deref() else { return };
    let status = docker::driver_status(docker, root_index, topology.pool(place), topology);
    // two data roots may name one pool: the first one's section stands
    if let Some(pool) = topology.pools.get_mut(place.0 as usize)
        && pool.driver_status.is_empty()
    {
        pool.driver_status = status.lines;
        pool.driver_status_unknown = status.unknown;
        pool.driver_status_unseen = status.unseen;
    }
}

fn host_facts(facts: &Facts) -> HostFacts {
    let lvm = facts.lvm.as_deref();
    HostFacts {
        thin_check: lvm.and_then(|lvm| lvm.settings.thin_check.clone()),
        skips_mappings: lvm.and_then(|lvm| lvm.settings.skips_mappings),
        dmeventd_missing: lvm.and_then(|lvm| lvm.settings.dmeventd_missing.clone()),
        lvm_archive: lvm.and_then(|lvm| lvm.settings.archive.clone()),
        cookies: lvm.map(|lvm| lvm.cookies.clone()).unwrap_or_default(),
        units: facts.block.as_deref().and_then(|block| block.units.clone()),
        no_space_timeout: facts.dm.as_deref().and_then(|dm| dm.no_space_timeout),
    }
}

#[cfg(test)]
pub(crate) mod tests;
