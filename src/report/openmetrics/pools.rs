//! The pools: how full, in which state, and what is in them.

use std::collections::BTreeMap;

use super::family::Family;
use super::{count, flag, length};
use crate::model::{Pool, PoolState, Role, ThinDevice, Topology};
use crate::units::{Bytes, Sectors};

/// The words of `thinscope_pool_mode`; what a newer kernel calls otherwise is added.
const MODES: [&str; 5] = ["rw", "ro", "out_of_data_space", "fail", "inactive"];

/// What of a pool is one number: name, unit, help, and where it comes from.
type Figure = (&'static str, &'static str, &'static str, fn(&Pool) -> Option<f64>);

const FIGURES: [Figure; 12] = [
    ("thinscope_pool_data_used_bytes", "bytes", "Data in use.", |pool| {
        bytes(pool.data_usage().map(|data| data.used))
    }),
    ("thinscope_pool_data_size_bytes", "bytes", "Data in all.", |pool| {
        bytes(pool.data_usage().map(|data| data.total).or(pool.data_size))
    }),
    ("thinscope_pool_data_used_ratio", "ratio", "Part of the data in use.", |pool| {
        let status = pool.status()?;
        crate::units::ratio(status.data.used.get(), status.data.total.get())
    }),
    (
        "thinscope_pool_metadata_used_bytes",
        "bytes",
        "Metadata in use, the kernel's reserve included.",
        |pool| bytes(pool.metadata_usage().map(|metadata| metadata.used)),
    ),
    ("thinscope_pool_metadata_size_bytes", "bytes", "Metadata in all.", |pool| {
        bytes(pool.metadata_usage().map(|metadata| metadata.total).or(pool.metadata_size))
    }),
    (
        "thinscope_pool_metadata_used_ratio",
        "ratio",
        "Part of the metadata in use, the kernel's reserve included.",
        |pool| {
            let status = pool.status()?;
            crate::units::ratio(status.metadata.used.get(), status.metadata.total.get())
        },
    ),
    ("thinscope_pool_chunk_size_bytes", "bytes", "Size of one data block.", |pool| {
        bytes(pool.block_size.map(Sectors::bytes))
    }),
    (
        "thinscope_pool_low_water_bytes",
        "bytes",
        "Free data at which the kernel raises an event.",
        |pool| bytes(pool.low_water.zip(pool.block_size).map(|(mark, block)| mark.bytes(block))),
    ),
    ("thinscope_pool_transaction_id", "", "Transaction id of the pool.", |pool| {
        pool.status().map(|status| count(status.transaction_id))
    }),
    (
        "thinscope_pool_needs_check",
        "",
        "Whether the kernel asks for a check of the metadata.",
        |pool| pool.status().and_then(|status| status.needs_check).map(flag),
    ),
    ("thinscope_pool_suspended", "", "Whether the pool is suspended.", |pool| {
        Some(flag(pool.suspended))
    }),
    (
        "thinscope_pool_monitored",
        "",
        "Whether LVM's monitor watches the pool; none where LVM does not own it or was not seen.",
        |pool| monitored(pool).map(flag),
    ),
];

fn bytes(bytes: Option<Bytes>) -> Option<f64> {
    bytes.map(|bytes| count(bytes.get()))
}

/// An empty word is what LVM says where it does not apply.
fn monitored(pool: &Pool) -> Option<bool> {
    let word = pool.monitor.as_ref().filter(|word| !word.is_empty())?;
    Some(word == "monitored")
}

/// All families of all pools.
pub(super) fn families(topology: &Topology) -> Vec<Family> {
    let mut families = vec![infos(topology), modes(topology)];
    for (name, unit, help, figure) in FIGURES {
        let mut family = Family::new(name, unit, help);
        for pool in &topology.pools {
            family.add(&[("pool", pool.name.as_str())], figure(pool));
        }
        families.push(family);
    }
    families.extend(devices(topology));
    families.push(holders(topology));
    families
}

fn infos(topology: &Topology) -> Family {
    let mut family = Family::new("thinscope_pool_info", "", "What a pool is; always 1.");
    for pool in &topology.pools {
        let word = |word: &Option<crate::text::Printable>| {
            word.as_ref().map(ToString::to_string).unwrap_or_default()
        };
        let (lv, profile) = (word(&pool.lv), word(&pool.profile));
        let labels = [
            ("pool", pool.name.as_str()),
            ("kind", pool.kind.name()),
            ("lv", lv.as_str()),
            ("profile", profile.as_str()),
        ];
        family.add(&labels, Some(1.0));
    }
    family
}

/// One series for each mode, 1 at the one that it is in: all absent where that was not seen.
fn modes(topology: &Topology) -> Family {
    let mut family = Family::new("thinscope_pool_mode", "", "The mode a pool is in.");
    for pool in &topology.pools {
        let Some(mode) = pool.mode() else { continue };
        let known = MODES.into_iter().chain((!MODES.contains(&mode)).then_some(mode));
        for word in known {
            let labels = [("pool", pool.name.as_str()), ("mode", word)];
            family.add(&labels, Some(flag(word == mode)));
        }
    }
    family
}

/// Counts, and bytes where all of a role are known.
fn devices(topology: &Topology) -> [Family; 2] {
    let mut counts =
        Family::new("thinscope_pool_devices", "", "Thin devices of a pool by what they are for.");
    let mut mapped = Family::new(
        "thinscope_pool_mapped_bytes",
        "bytes",
        "Bytes mapped by the thin devices of a role; what several share counts for each.",
    );
    for pool in &topology.pools {
        for (role, devices) in by_role(topology, pool) {
            let labels = [("pool", pool.name.as_str()), ("role", role.name())];
            counts.add(&labels, Some(length(devices.len())));
            let sum = devices
                .iter()
                .map(|device| device.mapped)
                .try_fold(Bytes(0), |sum, size| Some(sum.plus(size?)));
            mapped.add(&labels, bytes(sum));
        }
    }
    [counts, mapped]
}

/// The common roles are there with zero devices too, where the pool was seen.
fn by_role<'a>(topology: &'a Topology, pool: &Pool) -> BTreeMap<Role, Vec<&'a ThinDevice>> {
    let mut roles: BTreeMap<Role, Vec<&ThinDevice>> = BTreeMap::new();
    if !matches!(pool.state, PoolState::Unseen { .. }) {
        for role in [Role::ImageLayer, Role::Container, Role::Volume, Role::Leaked, Role::Missing] {
            roles.entry(role).or_default();
        }
    }
    for device in pool.devices.iter().filter_map(|ix| topology.thins.get(ix.0 as usize)) {
        roles.entry(device.role).or_default().push(device);
    }
    roles
}

fn holders(topology: &Topology) -> Family {
    let mut family = Family::new(
        "thinscope_pool_held_bytes",
        "bytes",
        "Who holds the data in use, each block counted once; none where mappings were not read.",
    );
    for pool in &topology.pools {
        let Some(block) = pool.contents.as_deref().map(|contents| contents.block_size) else {
            continue;
        };
        for (holder, blocks) in topology.holders(pool).unwrap_or_default() {
            let labels = [("pool", pool.name.as_str()), ("holder", holder.name())];
            family.add(&labels, bytes(Some(blocks.bytes(block))));
        }
    }
    family
}
