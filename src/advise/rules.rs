//! The registry: every rule, causes before consequences.

use super::Rule;

mod container_dead;
mod device_id_duplicate;
mod device_suspended;
mod loop_lvm_in_use;
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
    device_id_duplicate::RULE,
    pool_metadata_near_full::RULE,
    pool_data_near_full::RULE,
    not_monitored::RULE,
    container_dead::RULE,
    loop_lvm_in_use::RULE,
];
