//! LVM has pools and no program to check them with.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{Finding, Severity, ThinCheck, Topology};

pub(super) const RULE: Rule =
    Rule { code: "thin-check-missing", page: include_str!("../pages/thin-check-missing.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let Some(pool) = topology.pools.iter().find(|pool| pool.lv.is_some()) else { return };
    let (severity, summary, line, remedy) = match &topology.host.thin_check {
        None | Some(ThinCheck::At(_)) => return,
        Some(ThinCheck::Missing(path)) => (
            Severity::Warning,
            format!(
                "{path} is not on this host: LVM activates pools unchecked, or (before 2.02.178) \
                 not at all, and cannot repair them"
            ),
            format!("{path}: no such file"),
            "install thin-provisioning-tools (Debian, Ubuntu) or device-mapper-persistent-data \
             (RHEL, Fedora)",
        ),
        Some(ThinCheck::SwitchedOff) => (
            Severity::Advice,
            "LVM was told not to check pools before it activates them: damage is only noticed when \
             it is met"
                .to_owned(),
            "global/thin_check_executable = \"\"".to_owned(),
            "take global/thin_check_executable out of lvm.conf; where the check takes too long, \
             add --skip-mappings to global/thin_check_options instead",
        ),
    };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    (finding.summary, finding.evidence) = (summary, vec![line]);
    remedy.clone_into(&mut finding.remedy);
    found.push(finding);
}
