//! The look itself, what it found, and the volume groups.

use super::family::Family;
use super::{count, flag, length};
use crate::model::{Kind, Severity, Snapshot};
use crate::units::Bytes;

/// Everything that is not a pool's.
pub(super) fn families(snapshot: &Snapshot, codes: &[&'static str]) -> Vec<Family> {
    let mut families = look(snapshot);
    families.extend(sources(snapshot));
    families.extend(findings(snapshot, codes));
    families.extend(volume_groups(snapshot));
    families
}

/// A moment in milliseconds as seconds.
fn seconds(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds stay exact for 285,000 years")]
    let ms = ms as f64;
    ms / 1000.0
}

fn look(snapshot: &Snapshot) -> Vec<Family> {
    let mut version = Family::new("thinscope_build_info", "", "The version that looked.");
    version.add(&[("version", env!("CARGO_PKG_VERSION"))], Some(1.0));
    let mut time = Family::new(
        "thinscope_look_timestamp_seconds",
        "seconds",
        "When the host was looked at, since 1970.",
    );
    time.add(&[], Some(seconds(snapshot.host.time.saturating_mul(1000))));
    let mut gaps = Family::new("thinscope_gaps", "", "Things that could not be seen.");
    gaps.add(&[], Some(length(snapshot.gaps.len())));
    vec![version, time, gaps]
}

fn sources(snapshot: &Snapshot) -> Vec<Family> {
    let mut up = Family::new(
        "thinscope_source_up",
        "",
        "Whether the source could be read at the newest look.",
    );
    let mut answered = Family::new(
        "thinscope_source_answered_timestamp_seconds",
        "seconds",
        "When the source could last be read, since 1970.",
    );
    let mut age = Family::new(
        "thinscope_source_age_seconds",
        "seconds",
        "How old that answer was when this was written.",
    );
    let now = snapshot.host.time.saturating_mul(1000);
    for source in &snapshot.sources {
        let labels = [("source", source.source)];
        // that it cannot be read is an answer, too
        let read_at_ms = source.answered_at_ms.filter(|_| !source.failed);
        up.add(&labels, Some(flag(!source.silent && read_at_ms.is_some())));
        answered.add(&labels, read_at_ms.map(seconds));
        age.add(&labels, read_at_ms.map(|at| seconds(now.saturating_sub(at).max(0))));
    }
    vec![up, answered, age]
}

fn findings(snapshot: &Snapshot, codes: &[&'static str]) -> Vec<Family> {
    let mut by_code = Family::new("thinscope_findings", "", "What is wrong, by code.");
    for code in codes {
        let found = snapshot.findings.iter().filter(|finding| finding.code == *code).count();
        by_code.add(&[("code", code)], Some(length(found)));
    }
    let mut by_severity =
        Family::new("thinscope_findings_by_severity", "", "What is wrong, by gravity.");
    for (word, severity) in [
        ("critical", Severity::Critical),
        ("warning", Severity::Warning),
        ("advice", Severity::Advice),
    ] {
        let found = snapshot.findings.iter().filter(|finding| finding.severity == severity).count();
        by_severity.add(&[("severity", word)], Some(length(found)));
    }
    vec![by_code, by_severity]
}

/// When each pool would be full; of a pool that is not growing steadily nothing is said.
pub(super) fn forecasts(snapshot: &Snapshot) -> Family {
    let mut family = Family::new(
        "thinscope_pool_full_in_seconds",
        "seconds",
        "When the pool would be full at the pace of the past; none where that carries no forecast.",
    );
    for (pool, trend) in &snapshot.trends.pools {
        for (what, trend) in [("data", &trend.data), ("metadata", &trend.metadata)] {
            let seconds = trend.forecast.map(|forecast| count(forecast.full_in_seconds));
            family.add(&[("pool", pool.as_str()), ("part", what)], seconds);
        }
    }
    family
}

fn volume_groups(snapshot: &Snapshot) -> Vec<Family> {
    let mut size = Family::new("thinscope_vg_size_bytes", "bytes", "Size of the volume group.");
    let mut free = Family::new(
        "thinscope_vg_free_bytes",
        "bytes",
        "Bytes of the volume group that no volume has.",
    );
    for node in snapshot.topology.nodes.iter().filter(|node| node.kind == Kind::Vg) {
        let labels = [("vg", node.name.as_str())];
        let bytes = |bytes: Bytes| count(bytes.get());
        size.add(&labels, node.size.map(bytes));
        free.add(&labels, node.facts.vg.as_ref().and_then(|vg| vg.free).map(bytes));
    }
    vec![size, free]
}
