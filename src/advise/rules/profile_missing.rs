//! A pool that names a profile which is not on this host.

use crate::advise::Rule;
use crate::advise::words::{about_pool, policy_line, shell};
use crate::model::{Finding, Policy, Pool, ProfileFile, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule =
    Rule { code: "profile-missing", page: include_str!("../pages/profile-missing.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        if let Some(policy) = &pool.policy
            && let ProfileFile::Missing(path) = &policy.profile
        {
            found.push(describe(topology, pool, policy, path));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, policy: &Policy, path: &Printable) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let now = if policy.is_on() {
        format!("lvm.conf's threshold of {}% is in force instead", policy.threshold)
    } else {
        "so it does not grow by itself".to_owned()
    };
    finding.summary = format!("the profile of {} is not on this host: {now}", pool.name);
    finding.evidence.push(format!("{path}: no such file"));
    finding.evidence.push(policy_line(policy));
    let lv = pool.lv.as_ref().map_or("VG/POOL", |lv| lv.as_str());
    finding.remedy = format!(
        "write {path} again, with the lines `activation/thin_pool_autoextend_threshold=80` and \
         `activation/thin_pool_autoextend_percent=20`, or `lvchange --detachprofile {}`",
        shell(lv)
    );
    finding
}
