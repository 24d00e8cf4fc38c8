//! What happens next to a pool that goes on filling: who acts at which fill, and whether it can.
//! For the end of a pool's pane and for `pool`.

use crate::format;
use crate::model::growth::{RETRY_FIRST_SECONDS, RETRY_LAST_SECONDS, Step};
use crate::model::{EngineFacts, Growth, Hindrance, NoSpace, Pool, PoolKind, PoolStatus, Topology};
use crate::units::{Bytes, DataBlocks, MetadataBlocks};

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
        None => lines.push(does_not_grow(pool)),
    }
    lines.extend(pool.engine_facts.iter().flat_map(|facts| engine_stops(pool, status, facts)));
    lines.extend(pool.engine_facts.iter().filter_map(file_ends));
    lines.extend(full(topology.host.no_space_timeout, pool, status));
    lines
}

/// LVM's two steps, or that nobody takes them.
fn grows(topology: &Topology, pool: &Pool, growth: &Growth) -> Vec<String> {
    let watched = pool.monitor.as_ref().is_none_or(|word| word != "not monitored");
    let hindrances = topology.hindrances(pool);
    let hindered = |own: &[Hindrance]| {
        let common = [Hindrance::NothingToAdd, Hindrance::PvMissing, Hindrance::NoRoomForBoth];
        hindrances.iter().find(|one| common.contains(one) || own.contains(one))
    };
    let line = |what: &str, step: Step, total: Option<Bytes>, own: &[Hindrance]| {
        let verdict = match (watched, hindered(own)) {
            (false, _) => ": does not, for nobody monitors it".to_owned(),
            (true, Some(hindrance)) => cannot(*hindrance, growth),
            (true, None) => String::new(),
        };
        format!("{}{verdict}", acts(what, step, total))
    };
    let totals = (pool.data_usage(), pool.metadata_usage());
    let data = totals.0.map(|usage| usage.total);
    let metadata = totals.1.map(|usage| usage.total);
    let mut lines = vec![
        line("data", growth.data, data, &[Hindrance::NoRoomForData]),
        line(
            "metadata",
            growth.metadata,
            metadata,
            &[Hindrance::NoRoomForMetadata, Hindrance::MetadataAtMost],
        ),
    ];
    if watched && !hindrances.is_empty() {
        lines.push(format!(
            "what failed LVM tries again after {RETRY_FIRST_SECONDS} s, then ever more seldom, at \
             last every {} min",
            RETRY_LAST_SECONDS / 60
        ));
    }
    lines
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

fn cannot(hindrance: Hindrance, growth: &Growth) -> String {
    let free = format::long(growth.free);
    let why = match hindrance {
        Hindrance::NothingToAdd => "its percent is 0".to_owned(),
        Hindrance::PvMissing => "the VG lacks a PV".to_owned(),
        Hindrance::MetadataAtMost => "it is as large as it can be".to_owned(),
        Hindrance::NoRoomForBoth => format!("the VG has {free}, not enough for both"),
        Hindrance::NoRoomForMetadata if growth.spare > Bytes(0) => {
            let takes = growth.metadata_takes().map_or_else(|| "?".to_owned(), format::long);
            format!("with LVM's spare that takes {takes}, the VG has {free}")
        }
        Hindrance::NoRoomForData | Hindrance::NoRoomForMetadata => format!("the VG has {free}"),
    };
    format!(": cannot, {why}")
}

fn does_not_grow(pool: &Pool) -> String {
    if let Some(command) = pool.policy.as_ref().and_then(|policy| policy.command.as_ref()) {
        let unwatched = pool.monitor.as_ref().is_some_and(|word| word == "not monitored");
        return if unwatched {
            format!("nobody monitors it, so {command} is not run")
        } else {
            format!(
                "above 50%, at each 5% more, LVM's monitor runs {command}: what that does cannot be \
                 told"
            )
        };
    }
    if let Some(policy) = pool.policy.as_ref().filter(|policy| !policy.is_on()) {
        return format!("it does not grow by itself (threshold {})", policy.threshold);
    }
    match pool.kind {
        PoolKind::LoopLvm | PoolKind::Raw if pool.lv.is_none() => {
            "it does not grow by itself: LVM does not own it".to_owned()
        }
        // the policy of one that LVM owns was not seen
        _ => match &pool.policy_hidden_in {
            Some(file) => format!("whether LVM grows it is not known: {file} could not be read"),
            None => "whether LVM grows it is not known".to_owned(),
        },
    }
}

/// Docker's own lines, for data and for metadata; the one that is passed says it alone.
fn engine_stops(pool: &Pool, status: &PoolStatus, facts: &EngineFacts) -> Vec<String> {
    let Some(free) = facts.min_free_percent.filter(|percent| *percent > 0) else {
        return Vec::new();
    };
    let engine = facts.engine.name();
    let line = |total: u64| total.saturating_sub(part(total, free).max(1));
    let data = DataBlocks(line(status.data.total.get()));
    let metadata = MetadataBlocks(line(status.metadata.total.get()));
    let passed = [
        ("data", status.data.used > data),
        ("metadata", status.metadata.total.get() > 0 && status.metadata.used > metadata),
    ];
    if let Some((what, _)) = passed.into_iter().find(|(_, is_passed)| *is_passed) {
        return vec![format!(
            "{engine} makes no new container: less than {free}% of {what} is free"
        )];
    }
    let stops = |what: &str, at: Option<Bytes>| {
        let at = at.map_or_else(String::new, |at| format!(" ({})", format::long(at)));
        let percent = 100_u64.saturating_sub(free);
        format!("{what} above {percent}%{at}: {engine} makes no new container")
    };
    let at = pool.block_size.map(|block| data.bytes(block));
    vec![stops("data", at), stops("metadata", Some(metadata.bytes()))]
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
        Policy { profile: ProfileFile::Read, ..Policy::new(threshold) }
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
                "metadata above 90% (918 MiB): docker makes no new container",
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
        assert_eq!(
            without_room[2],
            "what failed LVM tries again after 20 s, then ever more seldom, at last every 42 min"
        );
        let no_spare = next(|parts| {
            parts.pool.policy = Some(policy(80));
            parts.nodes[2].facts.vg.as_mut().expect("the VG").free = Some(Bytes(300 << 20));
        });
        assert!(
            no_spare[1]
                .ends_with("cannot, with LVM's spare that takes 432 MiB, the VG has 300 MiB"),
            "{no_spare:?}"
        );
        let unwatched = next(|parts| {
            parts.pool.policy = Some(policy(80));
            parts.pool.monitor = Some("not monitored".into());
        });
        assert!(unwatched[0].ends_with(": does not, for nobody monitors it"), "{unwatched:?}");
        assert!(!unwatched.iter().any(|line| line.contains("again")), "nobody tries at all");
        let unknown = |file: Option<&str>| {
            next(|parts| {
                parts.pool.policy = None;
                parts.pool.policy_hidden_in = file.map(Into::into);
            })
        };
        assert_eq!(unknown(None)[0], "whether LVM grows it is not known");
        assert_eq!(
            unknown(Some("/etc/lvm/lvm.conf"))[0],
            "whether LVM grows it is not known: /etc/lvm/lvm.conf could not be read"
        );
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
        assert_eq!(lines[3], "docker makes no new container: less than 10% of data is free");
        assert_eq!(lines[4], "it is full: writes fail at once");
    }

    #[test]
    fn docker_s_line_for_metadata_is_told_as_its_line_for_data_is() {
        let lines = |used| {
            next(move |parts| {
                parts.pool.policy = Some(policy(100));
                let mut docker = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
                docker.min_free_percent = Some(10);
                parts.pool.engine_facts = vec![docker];
                let mut status = status();
                status.metadata.used = MetadataBlocks(used);
                parts.pool.state = PoolState::Active(status);
            })
        };
        // 10 % of 261,120 blocks are 26,112
        assert_eq!(lines(235_008).len(), 4);
        assert_eq!(
            lines(235_009)[1],
            "docker makes no new container: less than 10% of metadata is free"
        );
    }

    #[test]
    fn a_command_of_the_host_s_own_is_named_and_not_forecast() {
        let lines = |word: &'static str| {
            next(move |parts| {
                let command = Some("/usr/local/sbin/grow".into());
                parts.pool.policy = Some(Policy { command, ..policy(80) });
                parts.pool.monitor = Some(word.into());
            })
        };
        assert_eq!(
            lines("monitored")[0],
            "above 50%, at each 5% more, LVM's monitor runs /usr/local/sbin/grow: what that does \
             cannot be told"
        );
        assert_eq!(
            lines("not monitored")[0],
            "nobody monitors it, so /usr/local/sbin/grow is not run"
        );
    }

    #[test]
    fn of_a_pool_that_is_not_active_nothing_is_said() {
        assert_eq!(next(Parts::deactivate), [""; 0]);
    }
}
