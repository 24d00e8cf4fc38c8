//! The registry: every rule, causes before consequences.

use super::Rule;

mod autoextend_cannot_act;
mod autoextend_off;
mod base_device_missing;
mod base_uuid_mismatch;
mod component_left_active;
mod container_dead;
mod container_writes_heavy;
mod containerd_id_in_use;
mod containerd_state_mismatch;
mod data_blocks_leaked;
mod deferred_deletion_stuck;
mod deferred_removal_off;
mod device_busy_in_namespace;
mod device_id_duplicate;
mod device_leaked;
mod device_missing;
mod device_suspended;
mod directlvm_force_set;
mod discards_not_passed;
mod driver_removed;
mod loop_file_overcommitted;
mod loop_lvm_in_use;
mod loop_size_differs;
mod loop_space_not_returned;
mod lvm_archive_large;
mod metadata_device_oversized;
mod metadata_device_slow;
mod metadata_snapshot_held;
mod metadata_spare_missing;
mod metadata_unreadable;
mod min_free_space_reached;
mod not_monitored;
mod overcommitted;
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
mod profile_missing;
mod pv_missing;
mod thin_check_missing;
mod thin_check_slow;
mod transaction_mismatch;
mod transaction_open;
mod udev_cookie_stuck;
mod udev_sync_overridden;
mod vg_metadata_near_full;
mod vg_no_free_space;

/// All rules.
pub(super) const ALL: &[Rule] = &[
    driver_removed::RULE,
    directlvm_force_set::RULE,
    udev_cookie_stuck::RULE,
    pv_missing::RULE,
    component_left_active::RULE,
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
    transaction_mismatch::RULE,
    base_uuid_mismatch::RULE,
    base_device_missing::RULE,
    containerd_state_mismatch::RULE,
    containerd_id_in_use::RULE,
    device_id_duplicate::RULE,
    device_missing::RULE,
    device_leaked::RULE,
    transaction_open::RULE,
    min_free_space_reached::RULE,
    pool_metadata_near_full::RULE,
    pool_data_near_full::RULE,
    profile_missing::RULE,
    not_monitored::RULE,
    autoextend_cannot_act::RULE,
    vg_no_free_space::RULE,
    vg_metadata_near_full::RULE,
    autoextend_off::RULE,
    loop_file_overcommitted::RULE,
    overcommitted::RULE,
    thin_check_missing::RULE,
    thin_check_slow::RULE,
    device_busy_in_namespace::RULE,
    deferred_deletion_stuck::RULE,
    container_dead::RULE,
    udev_sync_overridden::RULE,
    deferred_removal_off::RULE,
    container_writes_heavy::RULE,
    loop_lvm_in_use::RULE,
    loop_size_differs::RULE,
    loop_space_not_returned::RULE,
    discards_not_passed::RULE,
    metadata_snapshot_held::RULE,
    data_blocks_leaked::RULE,
    metadata_spare_missing::RULE,
    metadata_device_slow::RULE,
    metadata_device_oversized::RULE,
    lvm_archive_large::RULE,
];
