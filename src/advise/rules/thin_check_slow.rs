//! A pool whose metadata takes so long to check that a boot gives up waiting for it.

use crate::advise::Rule;
use crate::advise::stack::lowest;
use crate::advise::words::{about_pool, shell};
use crate::format;
use crate::model::{Finding, NodeIx, Pool, Severity, ThinCheck, Topology};
use crate::units::{Bytes, METADATA_BLOCK_BYTES};

pub(super) const RULE: Rule =
    Rule { code: "thin-check-slow", page: include_str!("../pages/thin-check-slow.md"), look };

/// systemd waits this long for a device that a boot mounts (`DefaultDeviceTimeoutSec`).
const BOOT_WAITS: u64 = 90;
/// Reads of each block in use: counted with thin tools 0.9 on metadata of 32 and 315 MiB, of
/// volumes without and with snapshots (1.9 to 2.0), one after the other.
const READS: u64 = 2;
/// Microseconds of a read where a disk has to turn to it, and where it has not; no measurement of
/// this host's.
const TURNING: u64 = 5_000;
const STILL: u64 = 100;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let host = &topology.host;
    let Some(ThinCheck::At(program)) = &host.thin_check else { return };
    if host.skips_mappings != Some(false) {
        return;
    }
    for pool in topology.pools.iter().filter(|pool| pool.lv.is_some()) {
        found.extend(describe(topology, pool, program.as_str()));
    }
}

/// The metadata that is in use, by its own space map; where that was not read by the status, which
/// counts the kernel's reserve as used.
fn in_use(pool: &Pool) -> Option<Bytes> {
    let counted = pool.contents.as_deref().map(|contents| contents.metadata.used.bytes());
    counted.or_else(|| Some(pool.metadata_usage()?.used))
}

/// What the metadata lies on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Disk {
    /// Nothing that turns.
    Still,
    /// A hypervisor's, which says that it turns: most do, whatever is below them.
    Virtual,
    /// One that turns.
    Turns,
}

/// Seconds that reading this much takes, at least.
const fn seconds(used: Bytes, disk: Disk) -> u64 {
    let blocks = used.get() / METADATA_BLOCK_BYTES;
    let read = if matches!(disk, Disk::Turns) { TURNING } else { STILL };
    blocks.saturating_mul(READS * read) / 1_000_000
}

fn describe(topology: &Topology, pool: &Pool, program: &str) -> Option<Finding> {
    let (used, disk) = (in_use(pool)?, disk_below(topology, pool.metadata?)?);
    let takes = seconds(used, disk);
    if takes < BOOT_WAITS {
        return None;
    }
    let lv = shell(pool.lv.as_ref()?.as_str());
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.summary = format!(
        "LVM checks {} of metadata of {} before it activates it, which takes about {} by an \
         estimate: a boot waits {BOOT_WAITS} s",
        format::long(used),
        pool.name,
        format::about(takes)
    );
    let each = match disk {
        Disk::Turns => "5 ms a read on a disk that turns",
        Disk::Still => "0.1 ms a read on one that does not turn",
        Disk::Virtual => {
            "0.1 ms a read, or many times that: the disk is a virtual one and does not know whether \
             it turns"
        }
    };
    finding.evidence.push(format!(
        "{program} without --skip-mappings; {} blocks in use, read {READS} times each, {each}",
        used.get() / METADATA_BLOCK_BYTES
    ));
    finding.remedy = format!(
        "measure it when the pool is next inactive (`time thin_check -q` of its metadata); where it \
         is too long, add --skip-mappings to global/thin_check_options in lvm.conf and check {lv} \
         in full from time to time, or move its metadata to a faster disk"
    );
    Some(finding)
}

/// The slowest disk below; `None` where one of them was not asked.
fn disk_below(topology: &Topology, metadata: NodeIx) -> Option<Disk> {
    let each = lowest(topology, metadata).into_iter().map(|node| {
        let queue = node.facts.queue.as_ref()?;
        Some(match (queue.rotational?, queue.virtual_disk) {
            (false, _) => Disk::Still,
            (true, true) => Disk::Virtual,
            (true, false) => Disk::Turns,
        })
    });
    let known: Option<Vec<Disk>> = each.collect();
    known?.into_iter().max()
}
