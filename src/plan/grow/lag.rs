//! What LVM records of a pool and what the kernel has, where the two differ: LVM writes its record
//! first, and whoever died before the kernel had taken it left the kernel behind. A pool's size is
//! the kernel's.

use super::{Subject, words};
use crate::plan::sizing::MOST_METADATA;
use crate::plan::{Action, Check, Draft, Refusal, find};
use crate::units::{Bytes, DataBlocks, METADATA_BLOCK_BYTES, MetadataBlocks};

/// One part of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The size that LVM records.
    pub(super) recorded: Bytes,
    /// The size that the kernel has: LVM's, as long as it is the same in whole blocks.
    pub(super) kernel: Bytes,
    /// The kernel's blocks once it has what LVM records.
    blocks: u64,
}

impl Part {
    fn new(recorded: Bytes, (total, block): (u64, Bytes), most: Option<Bytes>) -> Self {
        let whole = |bytes: Bytes| bytes.get().checked_div(block.get()).unwrap_or(total);
        let used = most.map_or(recorded, |most| recorded.min(most));
        let behind = whole(used) > total;
        // beyond what is used there may be blocks that LVM does not count with
        let ahead = whole(recorded) < total;
        let kernel =
            if behind || ahead { Bytes(total.saturating_mul(block.get())) } else { recorded };
        Self { recorded, kernel, blocks: whole(used).max(total) }
    }

    /// The kernel has less than LVM records.
    pub(super) fn is_behind(&self) -> bool {
        self.kernel < self.recorded
    }

    /// The kernel has more than LVM records.
    pub(super) fn is_ahead(&self) -> bool {
        self.kernel > self.recorded
    }
}

/// Both parts of a pool.
pub(super) struct Has {
    pub(super) data: Part,
    pub(super) metadata: Part,
    volume: String,
}

impl Has {
    /// As it was seen.
    pub(super) fn of(subject: &Subject<'_>) -> Result<Self, Refusal> {
        let unseen = |what: &str| Refusal::new(format!("the size of {what} was not seen"));
        let tmeta = subject.part(true)?;
        let data = find::committed(subject.topology.node(subject.pool.node))
            .ok_or_else(|| unseen(&subject.name))?;
        let metadata = find::committed(tmeta).ok_or_else(|| unseen(tmeta.name.as_str()))?;
        let lv = tmeta.facts.lv.as_deref();
        let status = subject.status;
        let block = (status.metadata.total.get(), Bytes(METADATA_BLOCK_BYTES));
        Ok(Self {
            data: Part::new(data, (status.data.total.get(), subject.block.bytes()), None),
            metadata: Part::new(metadata, block, Some(MOST_METADATA)),
            volume: lv.map(|lv| format!("{}/{}", lv.vg, lv.name)).unwrap_or_default(),
        })
    }

    /// The kernel has less than LVM records.
    pub(super) fn is_behind(&self) -> bool {
        self.data.is_behind() || self.metadata.is_behind()
    }

    /// The status' totals once the kernel has what LVM records.
    pub(super) fn totals(&self, subject: &Subject<'_>) -> Check {
        Check::Totals {
            pool: subject.name.clone(),
            data: DataBlocks(self.data.blocks),
            metadata: MetadataBlocks(self.metadata.blocks),
        }
    }
}

/// Whatever has LVM load a pool again gives it every size that LVM records; where the kernel has
/// recorded more than that, it refuses ("too small"). The cure is to extend that very volume first
/// (`facts.md`, killed in the middle).
pub(super) fn refuse_ahead(
    subject: &Subject<'_>,
    has: &Has,
    (metadata, data): (bool, bool),
) -> Result<(), Refusal> {
    if !metadata && !data && !has.is_behind() {
        return Ok(());
    }
    let refuse = |what: &str, part: Part| {
        Err(Refusal::new(format!(
            "the kernel has {} of {what} in {} and LVM records {}: somebody's growth was cut off \
             and resumed. Nothing else of it can be loaded before LVM records as much: grow that \
             first and alone, `thinscope grow {} --{what} {}b`",
            words(part.kernel),
            subject.name,
            words(part.recorded),
            subject.name,
            part.kernel.get()
        )))
    };
    if has.data.is_ahead() && (metadata || has.is_behind()) {
        return refuse("data", has.data);
    }
    if has.metadata.is_ahead() && (!metadata || has.is_behind()) {
        return refuse("metadata", has.metadata);
    }
    Ok(())
}

/// The step that has the kernel take what LVM has recorded.
pub(super) fn add_refresh(draft: &mut Draft, subject: &Subject<'_>, volume: &str, has: &Has) {
    let pool = subject.name.clone();
    let mut before = subject.before();
    before.push(subject.totals());
    before.push(Check::VolumeIs { volume: volume.to_owned(), size: has.data.recorded });
    before.push(Check::VolumeIs { volume: has.volume.clone(), size: has.metadata.recorded });
    let after = vec![
        Check::DataBlocks { pool: pool.clone(), least: DataBlocks(has.data.blocks) },
        Check::MetadataBlocks { pool: pool.clone(), least: MetadataBlocks(has.metadata.blocks) },
        Check::PoolWorks { pool },
    ];
    let parts = [("data", has.data), ("metadata", has.metadata)];
    let lags: Vec<String> = (parts.iter())
        .filter(|(_, part)| part.is_behind())
        .map(|(what, part)| {
            format!(
                "{} of {what} where the kernel has {}",
                words(part.recorded),
                words(part.kernel)
            )
        })
        .collect();
    let why = format!(
        "LVM records {}: a growth was cut off before the kernel had taken it",
        lags.join(", and ")
    );
    draft.push(Action::Refresh { volume: volume.to_owned() }, why, (before, after));
}
