//! A pool that LVM is to extend, and cannot.

use crate::advise::Rule;
use crate::advise::growing::{Part, held_back, more_data, more_metadata};
use crate::advise::words::{about_pool, policy_line, shell};
use crate::format;
use crate::model::growth::{RETRY_FIRST_SECONDS, RETRY_LAST_SECONDS, Step};
use crate::model::{Cure, Finding, Growth, Hindrance, Policy, Pool, Severity, Topology};
use crate::units::Bytes;

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
            let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
            finding.summary =
                format!("{} cannot grow by itself: {}", pool.name, why(*first, &growth));
            finding.evidence.extend(evidence(policy, &growth, &hindrances));
            (finding.remedy, finding.cure) = remedy(topology, pool, *first);
            found.push(finding);
        }
    }
}

fn why(hindrance: Hindrance, growth: &Growth) -> String {
    let free = format::long(growth.free);
    let asks = |what: &str, step: &Step, takes: Option<Bytes>| {
        let at = step.acts_above.max(step.threshold);
        format!("{what} asks {} at {at}%, the VG has {free}", amount(takes))
    };
    match hindrance {
        Hindrance::NothingToAdd => "its policy adds 0 percent, which LVM refuses".to_owned(),
        Hindrance::PvMissing => "its VG lacks a PV, and LVM changes no such VG".to_owned(),
        Hindrance::NoRoomForData => asks("the data", &growth.data, growth.data.adds),
        Hindrance::NoRoomForMetadata => {
            asks(metadata_name(growth), &growth.metadata, growth.metadata_takes())
        }
        Hindrance::NoRoomForBoth => format!(
            "the data asks {} and {} {}, the VG has {free}, which is enough for either and not for \
             both",
            amount(growth.data.adds),
            metadata_name(growth),
            amount(growth.metadata_takes())
        ),
        Hindrance::MetadataAtMost => "its metadata is as large as dm-thin can use".to_owned(),
    }
}

fn metadata_name(growth: &Growth) -> &'static str {
    if growth.spare > Bytes(0) { "the metadata with its spare" } else { "the metadata" }
}

fn amount(bytes: Option<Bytes>) -> String {
    bytes.map_or_else(|| "?".to_owned(), format::long)
}

fn evidence(policy: &Policy, growth: &Growth, hindrances: &[Hindrance]) -> Vec<String> {
    let mut lines = vec![policy_line(policy), step_line("data", &growth.data)];
    let of_metadata =
        [Hindrance::NoRoomForMetadata, Hindrance::NoRoomForBoth, Hindrance::MetadataAtMost];
    if hindrances.iter().any(|one| of_metadata.contains(one)) {
        lines.push(step_line("metadata", &growth.metadata));
        if growth.spare > Bytes(0) {
            lines.push(format!(
                "LVM's spare for repairs: grows with it by {}",
                format::long(growth.spare)
            ));
        }
    }
    lines.push(format!("free in the VG: {}", format::long(growth.free)));
    lines.push(format!(
        "LVM's monitor tries again after {RETRY_FIRST_SECONDS} s, then at intervals that double, \
         at most {} min",
        RETRY_LAST_SECONDS / 60
    ));
    lines
}

/// What to do, and the wizard where room is what is missing.
fn remedy(topology: &Topology, pool: &Pool, hindrance: Hindrance) -> (String, Cure) {
    match hindrance {
        Hindrance::NothingToAdd => (
            "set activation/thin_pool_autoextend_percent to 20 where the threshold is set"
                .to_owned(),
            Cure::ByHand,
        ),
        Hindrance::PvMissing => ("bring the PV back: see pv-missing".to_owned(), Cure::Activate),
        Hindrance::NoRoomForData => give_room(topology, pool, Part::Data),
        Hindrance::NoRoomForMetadata | Hindrance::NoRoomForBoth => {
            give_room(topology, pool, Part::Metadata)
        }
        Hindrance::MetadataAtMost => (more_metadata(topology, pool), Cure::ByHand),
    }
}

fn give_room(topology: &Topology, pool: &Pool, part: Part) -> (String, Cure) {
    let disk = format!("`thinscope grow {} --add-pv DEVICE`", shell(pool.name.as_str()));
    if let Some(first) = held_back(pool, part) {
        return (format!("{first}; then give the VG room: {disk}"), Cure::ByHand);
    }
    let how = match part {
        Part::Data => {
            format!(
                "give the VG room before the pool needs it: {disk}, or {}",
                more_data(topology, pool)
            )
        }
        Part::Metadata => format!("give the VG room: {disk}, or {}", more_metadata(topology, pool)),
    };
    (how, Cure::GrowDisk)
}

fn step_line(what: &str, step: &Step) -> String {
    format!(
        "{what}: extends above {}%, at the latest above {}%, by {}% = {}",
        step.threshold,
        step.acts_above,
        step.percent,
        amount(step.adds)
    )
}
