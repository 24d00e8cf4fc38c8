//! Rows of `pool --json`: one pool each.

use serde::ser::{Serialize, Serializer};

use crate::ids::DevNo;
use crate::model::growth::Step;
use crate::model::{
    Engine, Forecast, NoSpace, Pool, PoolIx, PoolKind, PoolStatus, Snapshot, Topology,
};
use crate::text::Printable;
use crate::units::{Bytes, ratio};

/// All pools, or one.
pub(super) struct Pools<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) only: Option<PoolIx>,
}

impl Serialize for Pools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = self.snapshot.topology.pools.iter().enumerate();
        let wanted = |at: usize| self.only.is_none_or(|PoolIx(only)| only as usize == at);
        let rows = all.filter(|(at, _)| wanted(*at));
        serializer.collect_seq(rows.map(|(_, pool)| Row::new(self.snapshot, pool)))
    }
}

#[derive(serde::Serialize)]
struct Row<'a> {
    name: &'a Printable,
    kind: PoolKind,
    mode: Option<&'a str>,
    driver_status: DriverStatus<'a>,
    driver_status_unknown: Vec<&'a str>,
    data_used_bytes: Option<Bytes>,
    data_total_bytes: Option<Bytes>,
    metadata_used_bytes: Option<Bytes>,
    metadata_total_bytes: Option<Bytes>,
    block_size_bytes: Option<Bytes>,
    transaction_id: Option<u64>,
    committed: Option<Committed>,
    holders: Option<Holders>,
    data_used_ratio: Option<f64>,
    metadata_used_ratio: Option<f64>,
    low_water_bytes: Option<Bytes>,
    needs_check: Option<bool>,
    discard: Option<&'a Printable>,
    no_space: Option<&'a str>,
    held_metadata_snapshot: Option<bool>,
    options: &'a [Printable],
    lv: Option<&'a Printable>,
    engines: &'a [Engine],
    monitor: Option<&'a Printable>,
    profile: Option<&'a Printable>,
    lvm_transaction_id: Option<u64>,
    autoextend: Option<Autoextend>,
    suspended: bool,
    device: Option<DevNo>,
    devices: usize,
    forecast: Forecasts,
}

/// Keys of the driver section that have no value, whatever the reason.
fn unknown_keys(pool: &Pool) -> Vec<&str> {
    let keys = pool.driver_status_unseen.iter().chain(&pool.driver_status_unknown);
    keys.map(String::as_str).collect()
}

/// When data and metadata would be full; null where the past does not say.
#[derive(serde::Serialize)]
struct Forecasts {
    data: Option<Forecast>,
    metadata: Option<Forecast>,
}

impl Forecasts {
    fn of(snapshot: &Snapshot, pool: &Pool) -> Self {
        let trend = snapshot.trends.of(&pool.name);
        Self {
            data: trend.and_then(|trend| trend.data.forecast),
            metadata: trend.and_then(|trend| trend.metadata.forecast),
        }
    }
}

impl<'a> Row<'a> {
    fn new(snapshot: &'a Snapshot, pool: &'a Pool) -> Self {
        let topology = &*snapshot.topology;
        let status = pool.status();
        let (data, metadata) = (pool.data_usage(), pool.metadata_usage());
        Self {
            name: &pool.name,
            kind: pool.kind,
            mode: pool.mode(),
            driver_status: DriverStatus(&pool.driver_status),
            driver_status_unknown: unknown_keys(pool),
            data_used_bytes: data.map(|data| data.used),
            data_total_bytes: data.map(|data| data.total).or(pool.data_size),
            metadata_used_bytes: metadata.map(|metadata| metadata.used),
            metadata_total_bytes: metadata.map(|metadata| metadata.total).or(pool.metadata_size),
            block_size_bytes: pool.block_size.map(crate::units::Sectors::bytes),
            transaction_id: transaction_id(pool),
            committed: Committed::of(pool),
            holders: Holders::of(topology, pool),
            data_used_ratio: status.and_then(|s| ratio(s.data.used.0, s.data.total.0)),
            metadata_used_ratio: status.and_then(|s| ratio(s.metadata.used.0, s.metadata.total.0)),
            low_water_bytes: pool.low_water.zip(pool.block_size).map(|(mark, b)| mark.bytes(b)),
            needs_check: status.and_then(|status| status.needs_check),
            discard: status.and_then(|status| status.discard.as_ref()),
            no_space: status.and_then(no_space),
            held_metadata_snapshot: status.map(|status| status.held_root.is_some()),
            options: &pool.options,
            lv: pool.lv.as_ref(),
            engines: &pool.engines,
            monitor: pool.monitor.as_ref(),
            profile: pool.profile.as_ref(),
            lvm_transaction_id: pool.lvm_transaction_id,
            autoextend: Autoextend::of(topology, pool),
            suspended: pool.suspended,
            device: topology.node(pool.node).device,
            devices: pool.devices.len(),
            forecast: Forecasts::of(snapshot, pool),
        }
    }
}

/// What LVM will do when it fills; `None` where that is not known.
#[derive(serde::Serialize)]
struct Autoextend {
    on: bool,
    threshold_ratio: Option<f64>,
    percent_ratio: Option<f64>,
    command: Option<String>,
    data: Option<Grows>,
    metadata: Option<Grows>,
    vg_free_bytes: Option<Bytes>,
    hindered: bool,
}

#[derive(serde::Serialize)]
struct Grows {
    acts_above_ratio: Option<f64>,
    due: bool,
    adds_bytes: Option<Bytes>,
}

impl Autoextend {
    fn of(topology: &Topology, pool: &Pool) -> Option<Self> {
        let policy = pool.policy.as_ref()?;
        let growth = topology.growth(pool);
        let grows = |step: Step| Grows {
            acts_above_ratio: ratio(step.acts_above, 100),
            due: step.due,
            adds_bytes: step.adds,
        };
        Some(Self {
            on: policy.is_on(),
            threshold_ratio: ratio(policy.threshold(), 100),
            percent_ratio: ratio(policy.percent, 100),
            command: policy.command.as_ref().map(ToString::to_string),
            data: growth.as_ref().map(|growth| grows(growth.data)),
            metadata: growth.as_ref().map(|growth| grows(growth.metadata)),
            vg_free_bytes: growth.as_ref().map(|growth| growth.free),
            hindered: !topology.hindrances(pool).is_empty(),
        })
    }
}

/// Of an inactive pool, its metadata tells.
fn transaction_id(pool: &Pool) -> Option<u64> {
    let contents = pool.contents.as_deref().map(|contents| contents.transaction);
    pool.status().map(|status| status.transaction_id).or(contents)
}

/// What the pool's metadata said at its last commit; the figures beside it are of now.
#[derive(serde::Serialize)]
struct Committed {
    data_used_bytes: Bytes,
    data_total_bytes: Bytes,
    metadata_used_bytes: Bytes,
    metadata_total_bytes: Bytes,
    transaction_id: u64,
    time: u32,
    needs_check: bool,
    damages: u64,
}

impl Committed {
    fn of(pool: &Pool) -> Option<Self> {
        let contents = pool.contents.as_deref()?;
        Some(Self {
            data_used_bytes: contents.data.used.bytes(contents.block_size),
            data_total_bytes: contents.data.total.bytes(contents.block_size),
            metadata_used_bytes: contents.metadata.used.bytes(),
            metadata_total_bytes: contents.metadata.total.bytes(),
            transaction_id: contents.transaction,
            time: contents.time,
            needs_check: contents.needs_check,
            damages: contents.damage_count,
        })
    }
}

/// Who holds how many bytes, each counted once: they add up to what is committed as used.
struct Holders(Vec<(&'static str, Bytes)>);

impl Holders {
    fn of(topology: &Topology, pool: &Pool) -> Option<Self> {
        let block = pool.contents.as_deref()?.block_size;
        let list = topology.holders(pool)?;
        Some(Self(list.into_iter().map(|(who, n)| (who.name(), n.bytes(block))).collect()))
    }
}

impl Serialize for Holders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(who, bytes)| (who, bytes)))
    }
}

fn no_space(status: &PoolStatus) -> Option<&str> {
    status.no_space.as_ref().map(|what| match what {
        NoSpace::Queue => "queue",
        NoSpace::Error => "error",
        NoSpace::Unknown(word) => word.as_str(),
    })
}

/// Docker's keys in docker's order, as one object.
struct DriverStatus<'a>(&'a [(String, String)]);

impl Serialize for DriverStatus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
