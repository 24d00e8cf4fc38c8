//! LVM does not extend the pool when it fills.

use crate::advise::Rule;
use crate::advise::words::{about_pool, is_near_full, policy_line, shell};
use crate::model::{Finding, Policy, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "autoextend-off", page: include_str!("../pages/autoextend-off.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in topology.pools.iter().filter(|pool| pool.status().is_some()) {
        // a command of the host's own is run whatever the threshold is
        let off = pool.policy.as_ref().filter(|policy| !policy.is_meant_to_grow());
        if let Some(policy) = off {
            found.push(describe(topology, pool, policy));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, policy: &Policy) -> Finding {
    let severity = if is_near_full(pool) { Severity::Warning } else { Severity::Advice };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    finding.summary = format!(
        "{} does not grow by itself: its threshold is {}, which is off; when it is full, writes \
         wait and then fail",
        pool.name, policy.threshold
    );
    finding.evidence.push(policy_line(policy));
    let lv = pool.lv.as_ref().map_or("VG/POOL", |lv| lv.as_str());
    finding.remedy = format!(
        "write a profile, /etc/lvm/profile/NAME.profile, with the line \
         `activation/thin_pool_autoextend_threshold=80`, then `lvchange --metadataprofile NAME \
         {lv}` and `lvchange --monitor y {lv}`; the VG needs room for it",
        lv = shell(lv)
    );
    finding
}
