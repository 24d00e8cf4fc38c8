//! A pool that LVM is to extend, and cannot.

use crate::advise::Rule;
use crate::advise::growing::{more_data, more_metadata};
use crate::advise::words::{about_pool, policy_line};
use crate::format;
use crate::model::growth::Step;
use crate::model::{Finding, Growth, Hindrance, Policy, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "autoextend-cannot-act",
    page: include_str!("../pages/autoextend-cannot-act.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        // who is not monitored has a finding of its own, and nobody even tries
        if pool.monitor.as_ref().is_some_and(|word| word == "not monitored") {
            continue;
        }
        let hindrances = topology.hindrances(pool);
        if let (Some(first), Some(growth), Some(policy)) =
            (hindrances.first(), topology.growth(pool), &pool.policy)
        {
            let mut finding = describe(topology, (pool, policy), &growth, *first);
            if hindrances.contains(&Hindrance::NoRoomForMetadata) {
                finding.evidence.push(step_line("metadata", &growth.metadata));
            }
            found.push(finding);
        }
    }
}

fn describe(
    topology: &Topology,
    (pool, policy): (&Pool, &Policy),
    growth: &Growth,
    hindrance: Hindrance,
) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    finding.evidence.push(policy_line(policy));
    finding.evidence.push(step_line("data", &growth.data));
    finding.evidence.push(format!("free in the VG: {}", format::long(growth.free)));
    let asks = |what: &str, step: &Step| {
        let adds = step.adds.map_or_else(|| "?".to_owned(), format::long);
        let free = format::long(growth.free);
        format!("{what} asks {adds} at {}%, the VG has {free}", step.acts_above.max(step.threshold))
    };
    let why = match hindrance {
        Hindrance::NothingToAdd => "its policy adds 0 percent, which LVM refuses".to_owned(),
        Hindrance::PvMissing => "its VG lacks a PV, and LVM changes no such VG".to_owned(),
        Hindrance::NoRoomForData => asks("the data", &growth.data),
        Hindrance::NoRoomForMetadata => asks("the metadata", &growth.metadata),
        Hindrance::MetadataAtMost => "its metadata is as large as dm-thin can use".to_owned(),
    };
    finding.summary = format!("{} cannot grow by itself: {why}", pool.name);
    finding.remedy = match hindrance {
        Hindrance::NothingToAdd => {
            "set activation/thin_pool_autoextend_percent to 20 where the threshold is set"
                .to_owned()
        }
        Hindrance::PvMissing => "bring the PV back: see pv-missing".to_owned(),
        Hindrance::NoRoomForData => format!(
            "give the VG room before the pool needs it: `thinscope grow`, or {}",
            more_data(topology, pool)
        ),
        Hindrance::NoRoomForMetadata | Hindrance::MetadataAtMost => {
            format!("`thinscope grow`, or {}", more_metadata(topology, pool))
        }
    };
    finding
}

fn step_line(what: &str, step: &Step) -> String {
    let adds = step.adds.map_or_else(|| "?".to_owned(), format::long);
    format!(
        "{what}: extends above {}%, at the latest above {}%, by {}% = {adds}",
        step.threshold, step.acts_above, step.percent
    )
}
