//! What LVM's monitor will do with a pool that fills, worked out by LVM's own rules: at which
//! fill it acts, by how much, whether the VG has the extents.
//!
//! The rules are those of `lvextend --use-policies` (lvm2, `lib/metadata/lv_manip.c`,
//! `thin_manip.c`) and of dmeventd's thin plugin. Pure; puts nothing into words.

use super::node::{Kind, Node};
use super::policy::Policy;
use super::pool::Pool;
use super::topology::{NodeIx, Topology};
use crate::units::Bytes;

/// One percent, as LVM counts fills (`DM_PERCENT_1`).
const PERCENT: u128 = 1_000_000;
/// dmeventd looks anew at a pool each time that its fill passes a multiple of this.
const STEP: u64 = 5;
/// What LVM keeps free of metadata: 4 MiB, or a quarter where that is less.
const METADATA_FREE: u128 = 4 << 20;
const METADATA_FREE_PERCENT: u128 = 25;
/// After a growth that failed dmeventd lets pass twice as many of its looks as the time before, one
/// look each 10 s, at most 256 of them (dmeventd's thin plugin, `MAX_FAILS`).
pub const RETRY_FIRST_SECONDS: u64 = 20;
/// The longest time from one try to the next.
pub const RETRY_LAST_SECONDS: u64 = 256 * 10;
/// dm-thin uses at most 255 index entries of metadata blocks: 15.81 GiB (kernel,
/// `THIN_METADATA_MAX_SECTORS`).
pub const METADATA_MAX: Bytes = Bytes(255 * ((1 << 14) - 64) * 4096);

/// What the policy does with one of a pool's two volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Above which fill it extends, in percent.
    pub threshold: u64,
    /// The fill above which the monitor looks at the latest, in percent; 100 is full.
    pub acts_above: u64,
    /// The fill is above the threshold now.
    pub due: bool,
    /// By how many percent of the volume's size.
    pub percent: u64,
    /// How much that is in whole extents; `None` where the volume is of a kind that takes more
    /// extents than it is long.
    pub adds: Option<Bytes>,
}

/// What the policy does with a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// With the data.
    pub data: Step,
    /// With the metadata.
    pub metadata: Step,
    /// By how much LVM's spare for repairs grows with the metadata.
    pub spare: Bytes,
    /// What the VG has free.
    pub free: Bytes,
}

impl Growth {
    /// What of the VG the metadata's growth takes, its spare's with it.
    pub fn metadata_takes(&self) -> Option<Bytes> {
        self.metadata.adds.map(|adds| adds.plus(self.spare))
    }
}

/// Why a pool will not grow although its policy says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The percent to grow by is 0, which LVM refuses.
    NothingToAdd,
    /// The VG lacks a PV, so LVM refuses to change it.
    PvMissing,
    /// The VG has fewer free extents than the data asks.
    NoRoomForData,
    /// The VG has fewer free extents than the metadata, with the spare, asks.
    NoRoomForMetadata,
    /// Both are due; the VG has the extents for either and not for both.
    NoRoomForBoth,
    /// The metadata is as large as dm-thin can use.
    MetadataAtMost,
}

impl Topology {
    /// The VG's node of a pool that LVM owns.
    pub fn vg_of(&self, pool: &Pool) -> Option<&Node> {
        let (vg, _) = pool.lv.as_ref()?.as_str().split_once('/')?;
        self.nodes.iter().find(|node| node.kind == Kind::Vg && node.name == vg)
    }

    /// LVM's spare for repairs in a VG.
    pub fn spare_of(&self, vg: &Node) -> Option<&Node> {
        let vg = self.find(&vg.id)?;
        let spares = self.nodes.iter().filter(|node| node.kind == Kind::Pmspare);
        spares.into_iter().find(|node| node.parents.contains(&vg))
    }

    /// What LVM will do with a pool that fills; `None` where its policy is off or was not seen,
    /// where a figure that it needs was not, or where a command of the host's own decides.
    pub fn growth(&self, pool: &Pool) -> Option<Growth> {
        let policy = pool.policy.as_ref()?;
        let policy = Some(policy).filter(|policy| policy.is_on() && policy.command.is_none())?;
        let status = pool.status()?;
        let group = self.vg_of(pool)?;
        let vg = group.facts.vg.as_ref()?;
        let (free, extent) = (vg.free?, vg.extent.filter(|extent| extent.get() > 0)?);
        let volume = |node: Option<NodeIx>, size: Option<Bytes>| {
            let plain = node.is_none_or(|ix| is_plain(self.node(ix)));
            Some(Volume { size: size?, extent, plain })
        };
        let data = volume(pool.data, pool.data_size)?;
        let metadata = volume(pool.metadata, pool.metadata_size)?;
        let fill = |used: u64, total: u64| fill(used.into(), total.into());
        let data_fill = fill(status.data.used.0, status.data.total.0);
        let metadata_fill = fill(status.metadata.used.0, status.metadata.total.0);
        let in_metadata = step(policy, metadata.threshold(policy), metadata_fill, metadata, 1);
        let grown = in_metadata.adds.map(|adds| metadata.size.plus(adds));
        let spare = self.spare_of(group).and_then(|spare| Some(grown?.minus(spare.size?)));
        Some(Growth {
            data: step(policy, policy.threshold(), data_fill, data, 0),
            metadata: in_metadata,
            spare: spare.unwrap_or(Bytes(0)),
            free,
        })
    }

    /// What will hinder it; empty where nothing does, or where no growth is to be expected.
    pub fn hindrances(&self, pool: &Pool) -> Vec<Hindrance> {
        let (Some(growth), Some(policy)) = (self.growth(pool), &pool.policy) else {
            return Vec::new();
        };
        if policy.percent == 0 {
            return vec![Hindrance::NothingToAdd];
        }
        let missing = self.vg_of(pool).and_then(|node| node.facts.vg.as_ref());
        if missing.is_some_and(|vg| vg.missing_pvs > 0) {
            return vec![Hindrance::PvMissing];
        }
        let at_most = pool.metadata_size.is_some_and(|size| size >= METADATA_MAX);
        let data = growth.data.adds;
        let metadata = growth.metadata_takes().filter(|_| !at_most);
        let short = |takes: Option<Bytes>| takes.is_some_and(|takes| takes > growth.free);
        let both = data.zip(metadata).map(|(data, metadata)| data.plus(metadata));
        let both = both.filter(|_| growth.data.due && growth.metadata.due);
        let alone = short(data) || short(metadata);
        [
            (short(data), Hindrance::NoRoomForData),
            (short(metadata), Hindrance::NoRoomForMetadata),
            (!alone && short(both), Hindrance::NoRoomForBoth),
            (at_most && growth.metadata.due, Hindrance::MetadataAtMost),
        ]
        .into_iter()
        .filter_map(|(holds, hindrance)| holds.then_some(hindrance))
        .collect()
    }
}

/// Whether a volume of this many extents takes as many of its VG.
fn is_plain(node: &Node) -> bool {
    let segtype = node.facts.lv.as_ref().map(|lv| lv.segtype.as_str());
    segtype.is_some_and(|segtype| matches!(segtype, "linear" | "striped"))
}

/// One of a pool's volumes.
#[derive(Clone, Copy)]
struct Volume {
    size: Bytes,
    extent: Bytes,
    plain: bool,
}

impl Volume {
    /// The threshold of metadata, which LVM lowers where the volume is small.
    fn threshold(self, policy: &Policy) -> u64 {
        let free = METADATA_FREE * 100 * PERCENT / u128::from(self.size.get()).max(1);
        let free = free.min(METADATA_FREE_PERCENT * PERCENT);
        let least = (100 * PERCENT - free) / PERCENT;
        policy.threshold().min(u64::try_from(least).unwrap_or(100))
    }

    /// So many percent of it, in whole extents.
    fn part(self, percent: u64) -> Option<Bytes> {
        let count = self.size.get().checked_div(self.extent.get())?;
        let extents = percent.checked_mul(count)?.div_ceil(100);
        self.plain.then_some(())?;
        extents.checked_mul(self.extent.get()).map(Bytes)
    }
}

/// A fill as LVM counts it: never 100 % unless full.
fn fill(used: u128, total: u128) -> u128 {
    if total == 0 || used >= total {
        return if total == 0 { 0 } else { 100 * PERCENT };
    }
    (used * 100 * PERCENT / total).max(u128::from(used > 0)).min(100 * PERCENT - 1)
}

fn step(policy: &Policy, threshold: u64, fill: u128, volume: Volume, on_top: u64) -> Step {
    let due = fill > u128::from(threshold) * PERCENT;
    let acts_above = (threshold.div_ceil(STEP) * STEP).min(100);
    // the least fill at which it acts, unless that is passed
    let first = u128::from(acts_above) * PERCENT + u128::from(acts_above < 100);
    let acting = if due { fill } else { first };
    let percent = amount(acting, threshold, policy.percent) + on_top;
    Step { threshold, acts_above, due, percent, adds: volume.part(percent) }
}

/// The larger of the policy's percent and of what is needed to fall below the threshold.
fn amount(fill: u128, threshold: u64, percent: u64) -> u64 {
    let threshold = u128::from(threshold) * (PERCENT / 100);
    let needed = fill.div_ceil(threshold.max(1)).saturating_sub(100);
    percent.max(u64::try_from(needed).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PoolState;
    use crate::model::sample::{Parts, direct_lvm, status};
    use crate::units::{DataBlocks, MetadataBlocks};

    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    fn policy(threshold: u64, percent: u64) -> Policy {
        Policy { percent, ..Policy::new(threshold) }
    }

    fn growth(threshold: u64, percent: u64, change: impl FnOnce(&mut Parts)) -> Option<Growth> {
        let mut parts = direct_lvm();
        parts.pool.policy = Some(policy(threshold, percent));
        change(&mut parts);
        let topology = parts.topology();
        topology.growth(topology.pools.first()?)
    }

    /// 194,560 data blocks, of which 1 % are 1945.6.
    fn filled(data: u64, metadata: u64) -> impl FnOnce(&mut Parts) {
        move |parts| {
            let mut status = status();
            status.data.used = DataBlocks(data);
            status.metadata.used = MetadataBlocks(metadata);
            parts.pool.state = PoolState::Active(status);
        }
    }

    #[test]
    fn a_threshold_of_80_acts_above_80_by_20_percent_in_whole_extents() {
        let growth = growth(80, 20, |_| ()).expect("all is known");
        let data = growth.data;
        assert_eq!((data.threshold, data.acts_above, data.due, data.percent), (80, 80, false, 20));
        // 95 GiB are 24,320 extents of 4 MiB, of which 20 % are 4,864
        assert_eq!(data.adds, Some(Bytes(4864 * 4 * MIB)));
        assert_eq!(data.adds, Some(Bytes(19 * GIB)));
        let metadata = growth.metadata;
        assert_eq!((metadata.threshold, metadata.acts_above, metadata.percent), (80, 80, 21));
        // 1020 MiB are 255 extents; 21 % are 53.55, rounded up
        assert_eq!(metadata.adds, Some(Bytes(54 * 4 * MIB)));
        assert_eq!(growth.free, Bytes(3 * GIB));
    }

    #[test]
    fn the_monitor_acts_at_the_next_5_percent_above_the_threshold() {
        let above = |threshold| growth(threshold, 20, |_| ()).expect("known").data.acts_above;
        assert_eq!([75, 76, 80, 81, 82, 85, 96, 99].map(above), [75, 80, 80, 85, 85, 85, 100, 100]);
        // below 50 counts as 50
        assert_eq!(above(10), 50);
        assert_eq!(growth(10, 20, |_| ()).expect("known").data.threshold, 50);
    }

    #[test]
    fn a_threshold_of_100_is_off() {
        assert_eq!(growth(100, 20, |_| ()), None);
        assert!(growth(99, 20, |_| ()).is_some());
    }

    #[test]
    fn the_amount_is_at_least_what_brings_the_fill_below_the_threshold() {
        // 97 % of a pool with the threshold 80 needs 21.25 %, rounded up
        assert_eq!(amount(97 * PERCENT, 80, 20), 22);
        assert_eq!(amount(96 * PERCENT, 80, 20), 20);
        assert_eq!(amount(96 * PERCENT + 1, 80, 20), 21);
        assert_eq!(amount(100 * PERCENT, 80, 20), 25);
        assert_eq!(amount(100 * PERCENT, 50, 20), 100);
        // just above the step 85, a threshold of 82 needs 3.66 %
        assert_eq!(growth(82, 1, |_| ()).expect("known").data.percent, 4);
    }

    #[test]
    fn what_is_due_is_asked_by_the_fill_that_it_has() {
        // 155,648 blocks are exactly 80 %: not above it
        let at = |used| growth(80, 20, filled(used, 5222)).expect("known").data;
        assert!(!at(155_648).due);
        assert!(at(155_649).due);
        // 190,669 blocks are 98.0001 %: 22.5001 %, rounded up
        assert_eq!(at(190_669).percent, 23);
        assert_eq!(at(194_560).percent, 25);
    }

    #[test]
    fn small_metadata_has_a_lower_threshold() {
        let threshold = |size| {
            growth(95, 20, |parts| parts.pool.metadata_size = Some(Bytes(size)))
                .expect("known")
                .metadata
                .threshold
        };
        // 4 MiB of 8 are more than a quarter; of 16 exactly one; of 32 an eighth
        assert_eq!(threshold(8 * MIB), 75);
        assert_eq!(threshold(16 * MIB), 75);
        assert_eq!(threshold(32 * MIB), 87);
        assert_eq!(threshold(1020 * MIB), 95);
    }

    #[test]
    fn a_volume_with_copies_takes_more_extents_than_can_be_told() {
        let growth = growth(80, 20, |parts| {
            parts.nodes[4].facts.lv.as_mut().expect("tmeta is LVM's").segtype = "raid1".into();
        });
        let growth = growth.expect("known");
        assert_eq!(growth.metadata.adds, None);
        assert!(growth.data.adds.is_some());
    }

    fn hindrances(percent: u64, change: impl FnOnce(&mut Parts)) -> Vec<Hindrance> {
        let mut parts = direct_lvm();
        parts.pool.policy = Some(policy(80, percent));
        change(&mut parts);
        let topology = parts.topology();
        topology.hindrances(topology.pools.first().expect("there is one"))
    }

    fn free(bytes: u64) -> impl FnOnce(&mut Parts) {
        move |parts| {
            let vg = parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG");
            vg.free = Some(Bytes(bytes));
        }
    }

    #[test]
    fn room_is_compared_to_the_extent() {
        assert_eq!(hindrances(20, free(19 * GIB)), []);
        assert_eq!(hindrances(20, free(19 * GIB - 4 * MIB)), [Hindrance::NoRoomForData]);
        assert_eq!(
            hindrances(20, free(0)),
            [Hindrance::NoRoomForData, Hindrance::NoRoomForMetadata]
        );
        assert_eq!(hindrances(0, free(19 * GIB)), [Hindrance::NothingToAdd]);
        let missing = |parts: &mut Parts| {
            free(19 * GIB)(parts);
            parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG").missing_pvs = 1;
        };
        assert_eq!(hindrances(20, missing), [Hindrance::PvMissing]);
    }

    #[test]
    fn the_spare_grows_with_the_metadata_unless_it_is_as_large_already() {
        let takes = |spare| {
            let growth = growth(80, 20, |parts| parts.nodes[3].size = Some(Bytes(spare)));
            growth.expect("all is known").metadata_takes()
        };
        // 1020 MiB and 216 more
        assert_eq!(takes(1020 * MIB), Some(Bytes(432 * MIB)));
        assert_eq!(takes(1200 * MIB), Some(Bytes(252 * MIB)));
        assert_eq!(takes(1236 * MIB), Some(Bytes(216 * MIB)));
        assert_eq!(takes(4096 * MIB), Some(Bytes(216 * MIB)));
        let without = growth(80, 20, |parts| parts.nodes[3].kind = Kind::Lv);
        assert_eq!(without.expect("all is known").metadata_takes(), Some(Bytes(216 * MIB)));
        let short = |free_bytes| hindrances(1, free(free_bytes));
        // 2 % of 255 extents are 5.1: 24 MiB for the metadata and as much for the spare; 1 % of
        // 24,320 are 244 extents of data
        assert_eq!(short(976 * MIB), []);
        let small = |parts: &mut Parts| {
            free(44 * MIB)(parts);
            parts.pool.data_size = Some(Bytes(40 * MIB));
        };
        assert_eq!(hindrances(1, small), [Hindrance::NoRoomForMetadata]);
    }

    #[test]
    fn what_fits_alone_and_not_together_is_a_hindrance_where_both_are_due() {
        // above 80 % both: 19 GiB of data, 216 MiB of metadata, 216 MiB of spare
        let after = |data, metadata, bytes| {
            hindrances(20, move |parts: &mut Parts| {
                filled(data, metadata)(parts);
                free(bytes)(parts);
            })
        };
        let together = 19 * GIB + 432 * MIB;
        assert_eq!(after(155_649, 208_897, together), []);
        assert_eq!(after(155_649, 208_897, together - 4 * MIB), [Hindrance::NoRoomForBoth]);
        // one of them is not due: it may fall to what is free by then
        assert_eq!(after(155_648, 208_897, together - 4 * MIB), []);
        assert_eq!(after(155_649, 208_896, together - 4 * MIB), []);
    }

    #[test]
    fn a_command_of_the_host_s_own_cannot_be_forecast() {
        let own = |parts: &mut Parts| {
            free(0)(parts);
            let policy = parts.pool.policy.as_mut().expect("it was set");
            policy.command = Some("/usr/local/sbin/grow".into());
        };
        assert_eq!(growth(80, 20, own), None);
        assert_eq!(hindrances(20, own), []);
    }

    #[test]
    fn metadata_at_its_largest_is_a_hindrance_when_it_is_due() {
        let at_most = |used| {
            move |parts: &mut Parts| {
                filled(19_456, used)(parts);
                free(90 * GIB)(parts);
                parts.pool.metadata_size = Some(METADATA_MAX);
            }
        };
        assert_eq!(hindrances(20, at_most(5222)), []);
        // 208,896 of 261,120 blocks are 80 %
        assert_eq!(hindrances(20, at_most(208_897)), [Hindrance::MetadataAtMost]);
    }

    #[test]
    fn the_largest_metadata_is_what_the_kernel_warns_of() {
        // "Metadata device is larger than 33292800 sectors: excess space will not be used"
        assert_eq!(METADATA_MAX.sectors().get(), 33_292_800);
    }

    #[test]
    fn a_fill_is_never_full_before_it_is() {
        assert_eq!(fill(u128::from(u64::MAX) - 1, u128::from(u64::MAX)), 100 * PERCENT - 1);
        assert_eq!(fill(5, 5), 100 * PERCENT);
        assert_eq!((fill(0, 5), fill(0, 0)), (0, 0));
        assert_eq!(fill(1, u128::from(u64::MAX)), 1);
    }
}
