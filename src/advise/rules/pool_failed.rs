//! A pool in the kernel's fail mode.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Pool, PoolState, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-failed", page: include_str!("../pages/pool-failed.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let failed = topology.pools.iter().filter(|pool| pool.state == PoolState::Failed);
    found.extend(failed.map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    finding.summary = format!(
        "{} is in fail mode: the kernel could not read or write its metadata and answers every \
         request with an error",
        pool.name
    );
    finding.remedy = match &pool.lv {
        Some(lv) => format!(
            "read the cause in `dmesg`; stop what uses the pool, `lvchange -an {lv}`, save the \
             metadata, then `lvchange -ay {lv}`, and only if thin_check fails `lvconvert --repair \
             {lv}`",
            lv = shell(lv.as_str())
        ),
        None => "read the cause in `dmesg`; stop what uses the pool, remove it, save its metadata \
                 device, run `thin_check` on it, and only if that fails `thin_repair` into another \
                 device"
            .to_owned(),
    };
    finding
}
