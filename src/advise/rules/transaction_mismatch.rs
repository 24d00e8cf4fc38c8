//! A pool whose transaction counter is not the one that its owner expects.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Pool, Severity, Topology, VgText};

pub(super) const RULE: Rule = Rule {
    code: "transaction-mismatch",
    page: include_str!("../pages/transaction-mismatch.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(of_lvm(topology, pool));
        found.extend(of_engine(topology, pool));
    }
}

/// The pool's own counter: now, or of an inactive pool as it was committed.
fn counter(pool: &Pool) -> Option<u64> {
    let committed = pool.contents.as_deref().map(|contents| contents.transaction);
    pool.status().map(|status| status.transaction_id).or(committed)
}

/// One ahead of the pool LVM still has a message to send.
fn of_lvm(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let lvm = topology.compared_by_lvm(pool)?;
    let pools = counter(pool)?;
    if lvm == pools || lvm == pools.saturating_add(1) {
        return None;
    }
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    let newer = if pools > lvm { "the pool is newer" } else { "LVM's metadata is newer" };
    finding.summary = format!(
        "the transaction id of {} is {pools}, LVM expects {lvm}: {newer}, and LVM will not \
         activate the pool or make a volume in it",
        pool.name
    );
    finding.evidence.push(format!("transaction_id in LVM's metadata: {lvm}; in the pool: {pools}"));
    finding.evidence.extend(pool.vg_text.iter().flat_map(|text| edit(text, lvm, pools)));
    finding.remedy = format!(
        "change nothing before it is known which side is right. With the pool inactive: first \
         `thin_check` of its metadata must end with 0; {}; only then the number in LVM's text is \
         corrected{} and given back (`vgcfgrestore --force`), as the page says step by step",
        if pools > lvm {
            "volumes that the pool has and LVM does not know are lost to LVM (`thinscope layers`: \
             leaked), so look first for the text of that time in /etc/lvm/archive"
        } else {
            "volumes that LVM knows and the pool does not have cannot come back (`thinscope \
             layers`: missing)"
        },
        pool.lv
            .as_ref()
            .map(|lv| format!(": {}", command(lv.as_str(), lvm, pools)))
            .unwrap_or_default(),
    );
    Some(finding)
}

/// The one line of LVM's text that is to be edited, as a diff; nothing where the file is of another
/// moment than LVM's report.
fn edit(text: &VgText, lvm: u64, pools: u64) -> Vec<String> {
    if text.transaction != lvm {
        return vec![format!(
            "{} says transaction_id = {}: it is not of now, `vgcfgbackup` writes a new one",
            text.path, text.transaction
        )];
    }
    let (old, new) = (format!("transaction_id = {lvm}"), format!("transaction_id = {pools}"));
    let (count, first) = (text.lines.len(), text.first);
    let mut diff = vec![
        format!("--- {}", text.path),
        format!("+++ {}, as it would be edited: nothing was", text.path),
        format!("@@ -{first},{count} +{first},{count} @@"),
    ];
    for line in &text.lines {
        match line.as_str().strip_suffix(&old) {
            Some(before) => {
                diff.push(format!("-{line}"));
                diff.push(format!("+{before}{new}"));
            }
            None => diff.push(format!(" {line}")),
        }
    }
    diff
}

/// The commands that make that edit, in a text of its own.
fn command(lv: &str, lvm: u64, pools: u64) -> String {
    let (vg, name) = lv.split_once('/').unwrap_or(("VG", lv));
    let file = shell(&format!("/root/{vg}.txt"));
    // dots are the only sign of LVM's names that means something else to sed
    let name = name.replace('.', "\\.");
    let script =
        format!("/^\\t\\t{name} {{$/,/^\\t\\t}}$/s/^\\(\\t*transaction_id = \\){lvm}$/\\1{pools}/");
    format!("`vgcfgbackup -f {file} {}`, `sed -i '{script}' {file}`", shell(vg))
}

/// An engine's file and the pool: equal is closed, one ahead is an open transaction, which has a
/// code of its own.
fn of_engine(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let facts = pool.engine_facts.iter().find(|facts| facts.transaction.is_some())?;
    let last = facts.transaction.as_ref()?;
    if last.engine == last.pool || last.engine == last.pool.saturating_add(1) {
        return None;
    }
    let engine = facts.engine.name();
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let why = if last.engine < last.pool {
        "somebody else has moved the pool's counter, or the data root is older than the pool"
    } else {
        "the pool was set back to an older state than the data root"
    };
    finding.summary = format!(
        "{engine}'s last transaction is {}, the pool {} is at {}: {why}",
        last.engine, pool.name, last.pool
    );
    finding.evidence.push(format!(
        "open_transaction_id in {}/devicemapper/metadata/transaction-metadata: {}; transaction id \
         of the pool: {}",
        facts.root, last.engine, last.pool
    ));
    finding.remedy = format!(
        "find out who else uses the pool before {engine} makes or deletes anything: another data \
         root, a restored backup, messages by hand; then compare `thinscope layers` (leaked, \
         missing)"
    );
    Some(finding)
}
