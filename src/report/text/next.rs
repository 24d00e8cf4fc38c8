//! What happens next to a pool that goes on filling: who acts at which fill, and whether it can.
//! For the end of a pool's pane and for `pool`.

use crate::format;
use crate::model::growth::Step;
use crate::model::{EngineFacts, Growth, Hindrance, NoSpace, Pool, PoolKind, PoolStatus, Topology};
use crate::units::{Bytes, DataBlocks};

/// The kernel's wait for space, unless it was changed (`no_space_timeout`).
const WAIT_SECONDS: u64 = 60;

/// What happens next, in the order in which it does; nothing of a pool that is not active.
pub fn what_next(topology: &Topology, pool: &Pool) -> Vec<String> {
    let Some(status) = pool.status() else { return Vec::new() };
    let mut lines = Vec::new();
    let refused = status.needs_check == Some(true);
    match topology.growth(pool) {
        _ if refused => lines.push("it needs a check: nothing grows it before that".to_owned()),
        Some(growth) => lines.extend(grows(topology, pool, &growth)),
        None => lines.extend(does_not_grow(pool)),
    }
    lines.extend(pool.engine_facts.iter().filter_map(|facts| engine_stops(pool, status, facts)));
    lines.extend(pool.engine_facts.iter().filter_map(file_ends));
    lines.extend(full(topology.host.no_space_timeout, pool, status));
    lines
}

/// LVM's two steps, or that nobody takes them.
fn grows(topology: &Topology, pool: &Pool, growth: &Growth) -> Vec<String> {
    let watched = pool.monitor.as_ref().is_none_or(|word| word != "not monitored");
    let hindrances = topology.hindrances(pool);
    let hindered = |own: &[Hindrance]| {
        let common = [Hindrance::NothingToAdd, Hindrance::PvMissing];
        hindrances.iter().any(|one| common.contains(one) || own.contains(one))
    };
    let line = |what: &str, step: Step, total: Option<Bytes>, own: &[Hindrance]| {
        let verdict = match (watched, hindered(own)) {
            (false, _) => ": does not, for nobody monitors it".to_owned(),
            (true, true) => cannot(&hindrances, growth.free),
            (true, false) => String::new(),
        };
        format!("{}{verdict}", acts(what, step, total))
    };
    let totals = (pool.data_usage(), pool.metadata_usage());
    let data = totals.0.map(|usage| usage.total);
    let metadata = totals.1.map(|usage| usage.total);
    vec![
        line("data", growth.data, data, &[Hindrance::NoRoomForData]),
        line(
            "metadata",
            growth.metadata,
            metadata,
            &[Hindrance::NoRoomForMetadata, Hindrance::MetadataAtMost],
        ),
    ]
}

/// `above 80% (76.0 GiB) LVM adds 19.0 GiB of data`.
fn acts(what: &str, step: Step, total: Option<Bytes>) -> String {
    let adds = step.adds.map_or_else(|| format!("{}%", step.percent), format::long);
    if step.due {
        return format!("{what} is above {}%: LVM adds {adds}", step.threshold);
    }
    let at = total.map(|total| Bytes(part(total.get(), step.acts_above)));
    let at = at.map_or_else(String::new, |at| format!(" ({})", format::long(at)));
    format!("{what} above {}%{at}: LVM adds {adds}", step.acts_above)
}

fn cannot(hindrances: &[Hindrance], free: Bytes) -> String {
    let why = match hindrances.first() {
        Some(Hindrance::NothingToAdd) => "its percent is 0".to_owned(),
        Some(Hindrance::PvMissing) => "the VG lacks a PV".to_owned(),
        Some(Hindrance::MetadataAtMost) => "it is as large as it can be".to_owned(),
        _ => format!("the VG has {}", format::long(free)),
    };
    format!(": cannot, {why}")
}

fn does_not_grow(pool: &Pool) -> Option<String> {
    if let Some(policy) = pool.policy.as_ref().filter(|policy| !policy.is_on()) {
        return Some(format!("it does not grow by itself (threshold {})", policy.threshold));
    }
    match pool.kind {
        PoolKind::LoopLvm | PoolKind::Raw if pool.lv.is_none() => {
            Some("it does not grow by itself: LVM does not own it".to_owned())
        }
        _ => None,
    }
}

/// Docker's own line.
fn engine_stops(pool: &Pool, status: &PoolStatus, facts: &EngineFacts) -> Option<String> {
    let free = facts.min_free_percent.filter(|percent| *percent > 0)?;
    let total = status.data.total.get();
    let line = DataBlocks(total.saturating_sub(part(total, free).max(1)));
    let passed = status.data.used > line;
    let at = pool.block_size.map(|block| line.bytes(block));
    let at = at.map_or_else(String::new, |at| format!(" ({})", format::long(at)));
    let engine = facts.engine.name();
    Some(if passed {
        format!("{engine} makes no new container: less than {free}% is free")
    } else {
        format!("data above {}%{at}: {engine} makes no new container", 100_u64.saturating_sub(free))
    })
}

/// Where the sparse files end before the pool does.
fn file_ends(facts: &EngineFacts) -> Option<String> {
    let free = facts.loop_files.iter().find_map(|file| file.free)?;
    let more = |file: &crate::model::engine::LoopSpace| file.apparent.minus(file.allocated).get();
    let wanted = facts.loop_files.iter().map(more).fold(0_u64, u64::saturating_add);
    (wanted > free.get()).then(|| {
        format!("after {} more the filesystem under its files is full", format::long(free))
    })
}

fn full(timeout: Option<u64>, pool: &Pool, status: &PoolStatus) -> Option<String> {
    let fails = pool.options.iter().any(|option| option == "error_if_no_space");
    let is_full = status.data.used >= status.data.total;
    Some(match &status.no_space {
        Some(NoSpace::Queue) if !fails => {
            let when = if is_full { "it is full" } else { "at 100%" };
            match timeout.unwrap_or(WAIT_SECONDS) {
                0 => format!("{when}: writes wait until it grows, without end"),
                n => format!("{when}: writes wait, and fail after at most {n} s unless it grows"),
            }
        }
        Some(NoSpace::Error) => {
            let when = if is_full { "it is full" } else { "at 100%" };
            format!("{when}: writes fail at once")
        }
        _ => return None,
    })
}

/// So many percent, rounded down.
fn part(total: u64, percent: u64) -> u64 {
    let part = u128::from(total) * u128::from(percent) / 100;
    u64::try_from(part).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::{Parts, direct_lvm, status};
    use crate::model::{Engine, Policy, PoolState, ProfileFile};

    const GIB: u64 = 1 << 30;

    fn next(change: impl FnOnce(&mut Parts)) -> Vec<String> {
        let mut parts = direct_lvm();
        change(&mut parts);
        let topology = parts.topology();
        what_next(&topology, &topology.pools[0])
    }

    fn policy(threshold: u64) -> Policy {
        let profile = ProfileFile::Read;
        Policy { threshold, percent: 20, from: None, profile, monitoring: true }
    }

    #[test]
    fn a_pool_that_grows_says_at_what_fill_and_by_how_much() {
        let lines = next(|parts| {
            parts.pool.policy = Some(policy(80));
            let mut docker = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
            docker.min_free_percent = Some(10);
            parts.pool.engine_facts = vec![docker];
            parts.nodes[2].facts.vg.as_mut().expect("the VG").free = Some(Bytes(20 * GIB));
        });
        assert_eq!(
            lines,
            [
                "data above 80% (76.0 GiB): LVM adds 19.0 GiB",
                "metadata above 80% (816 MiB): LVM adds 216 MiB",
                "data above 90% (85.5 GiB): docker makes no new container",
                "at 100%: writes wait, and fail after at most 60 s unless it grows",
            ]
        );
    }

    #[test]
    fn what_cannot_be_done_is_said_with_its_reason() {
        let without_room = next(|parts| parts.pool.policy = Some(policy(80)));
        assert_eq!(
            without_room[0],
            "data above 80% (76.0 GiB): LVM adds 19.0 GiB: cannot, the VG has 3.0 GiB"
        );
        assert_eq!(without_room[1], "metadata above 80% (816 MiB): LVM adds 216 MiB");
        let unwatched = next(|parts| {
            parts.pool.policy = Some(policy(80));
            parts.pool.monitor = Some("not monitored".into());
        });
        assert!(unwatched[0].ends_with(": does not, for nobody monitors it"), "{unwatched:?}");
        let off = next(|parts| parts.pool.policy = Some(policy(100)));
        assert_eq!(off[0], "it does not grow by itself (threshold 100)");
    }

    #[test]
    fn what_is_past_is_told_as_it_is() {
        let lines = next(|parts| {
            parts.pool.policy = Some(policy(80));
            let mut docker = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
            docker.min_free_percent = Some(10);
            parts.pool.engine_facts = vec![docker];
            let mut status = status();
            status.data.used = status.data.total;
            status.no_space = Some(NoSpace::Error);
            parts.pool.state = PoolState::Active(status);
        });
        // 100 % of a pool with the threshold 80 needs 25 %
        assert_eq!(lines[0], "data is above 80%: LVM adds 23.8 GiB: cannot, the VG has 3.0 GiB");
        assert_eq!(lines[2], "docker makes no new container: less than 10% is free");
        assert_eq!(lines[3], "it is full: writes fail at once");
    }

    #[test]
    fn of_a_pool_that_is_not_active_nothing_is_said() {
        assert_eq!(next(Parts::deactivate), [""; 0]);
    }
}
