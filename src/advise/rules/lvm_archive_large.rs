//! So many earlier states of LVM's metadata that each command is slow.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "lvm-archive-large", page: include_str!("../pages/lvm-archive-large.md"), look };

/// LVM reads the whole folder whenever it changes a VG. A month of a change each five minutes is
/// less than this.
const LARGE: u64 = 10_000;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let Some(pool) = topology.pools.iter().find(|pool| pool.lv.is_some()) else { return };
    let large = topology.host.lvm_archive.as_ref().filter(|(_, count)| *count >= LARGE);
    let Some((folder, count)) = large else { return };
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.subject = folder.clone();
    finding.summary = format!(
        "{folder} holds {count} earlier states of LVM's metadata: LVM reads the folder at every \
         change, which makes its commands slow"
    );
    finding.evidence = vec![format!("files in {folder}: {count}")];
    finding.remedy = format!(
        "remove those of more than a month: `find {} -name '*.vg' -mtime +30 -delete`; keep fewer \
         by retain_min and retain_days in the section backup of lvm.conf",
        shell(folder.as_str())
    );
    found.push(finding);
}
