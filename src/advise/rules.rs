//! The registry: every rule, causes before consequences.

use super::Rule;

mod container_dead;
mod data_blocks_leaked;
mod device_id_duplicate;
mod device_leaked;
mod device_missing;
mod device_suspended;
mod loop_lvm_in_use;
mod metadata_snapshot_held;
mod metadata_unreadable;
mod not_monitored;
mod pool_data_full;
mod pool_data_near_full;
mod pool_failed;
mod pool_inactive;
mod pool_metadata_full;
mod pool_metadata_near_full;
mod pool_needs_check;
mod pool_out_of_data_space;
mod pool_read_only;
mod pool_suspended;
mod pv_missing;

/// All rules.
pub(super) const ALL: &[Rule] = &[
    pv_missing::RULE,
    pool_inactive::RULE,
    pool_suspended::RULE,
    device_suspended::RULE,
    pool_failed::RULE,
    pool_needs_check::RULE,
    pool_metadata_full::RULE,
    pool_out_of_data_space::RULE,
    pool_data_full::RULE,
    pool_read_only::RULE,
    metadata_unreadable::RULE,
    device_id_duplicate::RULE,
    device_missing::RULE,
    device_leaked::RULE,
    pool_metadata_near_full::RULE,
    pool_data_near_full::RULE,
    not_monitored::RULE,
    container_dead::RULE,
    loop_lvm_in_use::RULE,
    metadata_snapshot_held::RULE,
    data_blocks_leaked::RULE,
];
