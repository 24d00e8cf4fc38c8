//! What rules have in common: findings about a pool or a node, the raw lines that prove them,
//! and names as a shell takes them.

use crate::model::{Cure, Finding, Mode, Node, Policy, Pool, PoolStatus, Severity, Topology};

/// A finding about a pool, with its status line as evidence.
pub(super) fn about_pool(
    code: &'static str,
    severity: Severity,
    topology: &Topology,
    pool: &Pool,
) -> Finding {
    Finding {
        code,
        severity,
        subject: pool.name.clone(),
        node: Some(topology.node(pool.node).id.clone()),
        summary: String::new(),
        evidence: status_lines(topology.node(pool.node)),
        remedy: String::new(),
        cure: Cure::AsItsPage,
    }
}

/// A finding about any other node.
pub(super) fn about_node(code: &'static str, severity: Severity, node: &Node) -> Finding {
    Finding {
        code,
        severity,
        subject: node.name.clone(),
        node: Some(node.id.clone()),
        summary: String::new(),
        evidence: Vec::new(),
        remedy: String::new(),
        cure: Cure::AsItsPage,
    }
}

/// The kernel's status of a device, a line a target, as `dmsetup status` prints it.
pub(super) fn status_lines(node: &Node) -> Vec<String> {
    let lines = node.facts.dm.iter().filter_map(|dm| dm.status.as_ref()).flatten();
    lines.map(|line| format!("status of {}: {line}", node.name)).collect()
}

/// The live table of a device, a line a target, as `dmsetup table` prints it.
pub(super) fn table_lines(node: &Node) -> Vec<String> {
    let lines = node.facts.dm.iter().flat_map(|dm| &dm.table);
    lines.map(|line| format!("table of {}: {line}", node.name)).collect()
}

/// A name as a shell takes it: in quotes where it holds more than LVM's own characters.
pub(super) fn shell(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+:-".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', r"'\''"))
}

/// No metadata block is free. The kernel counts its reserve as used, so this is where it stops
/// (`formats.md` 5.1).
pub(super) fn metadata_full(status: &PoolStatus) -> bool {
    status.metadata.total.0 > 0 && status.metadata.used >= status.metadata.total
}

/// No data block is free.
pub(super) fn data_full(status: &PoolStatus) -> bool {
    status.data.total.0 > 0 && status.data.used >= status.data.total
}

/// Read-only because the metadata is full, and for no worse reason: growing the metadata brings
/// it back (`formats.md` 5.4).
pub(super) fn out_of_metadata_space(status: &PoolStatus) -> bool {
    status.mode == Mode::Ro && metadata_full(status) && status.needs_check != Some(true)
}

/// From where LVM's own monitor begins to warn, for data and for metadata alike.
pub(super) const NEAR_FULL_PERCENT: u64 = 80;

/// Whether a share is at or above [`NEAR_FULL_PERCENT`] and below full.
pub(super) fn near_full(used: u64, total: u64) -> bool {
    let (used, total) = (u128::from(used), u128::from(total));
    total > 0 && used < total && used * 100 >= total * u128::from(NEAR_FULL_PERCENT)
}

/// Whether the data or the metadata of a pool is near full, or full.
pub(super) fn is_near_full(pool: &Pool) -> bool {
    pool.status().is_some_and(|status| {
        let (data, metadata) = (status.data, status.metadata);
        near_full(data.used.0, data.total.0)
            || near_full(metadata.used.0, metadata.total.0)
            || data_full(status)
            || metadata_full(status)
    })
}

/// A policy's figures and where they are written, as evidence.
pub(super) fn policy_line(policy: &Policy) -> String {
    if let Some(command) = &policy.command {
        return format!("dmeventd/thin_command = {command}");
    }
    let from = policy.from.as_ref().map_or("LVM's own default", |path| path.as_str());
    format!(
        "thin_pool_autoextend_threshold = {} ({from}), thin_pool_autoextend_percent = {}",
        policy.threshold, policy.percent
    )
}

/// Whole percent, rounded down.
pub(super) fn percent(used: u64, total: u64) -> u64 {
    if total == 0 {
        return 0;
    }
    u64::try_from(u128::from(used) * 100 / u128::from(total)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_more_than_lvm_s_characters_is_quoted() {
        assert_eq!(shell("docker/thinpool"), "docker/thinpool");
        assert_eq!(shell("docker-8:1-123-pool"), "docker-8:1-123-pool");
        assert_eq!(shell("a b"), "'a b'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell("-rf"), "'-rf'");
        assert_eq!(shell("$(reboot)"), "'$(reboot)'");
    }

    #[test]
    fn near_full_begins_at_eighty_percent_and_ends_before_full() {
        assert!(!near_full(799, 1000));
        assert!(near_full(800, 1000));
        assert!(near_full(999, 1000));
        assert!(!near_full(1000, 1000));
        assert!(!near_full(0, 0));
        assert!(near_full(u64::MAX - 1, u64::MAX));
    }
}
