//! Where containerd's record of a device, its snapshots and the kernel do not fit together: it
//! never sets that right by itself.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::engine::{EngineFacts, Misfit, Mismatch};
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "containerd-state-mismatch",
    page: include_str!("../pages/containerd-state-mismatch.md"),
    look,
};

/// Misfits that are told one by one.
const NAMED: usize = 20;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let said = pool.engine_facts.iter().filter(|said| !said.mismatches.is_empty());
        found.extend(said.map(|said| describe(topology, pool, said)));
    }
}

fn describe(topology: &Topology, pool: &Pool, said: &EngineFacts) -> Finding {
    let mut finding = about_pool(RULE.code, severity(&said.mismatches), topology, pool);
    let count = said.mismatches.len();
    let first = said.mismatches.first().map(sentence).unwrap_or_default();
    finding.summary = match count - 1 {
        0 => format!("{}: {first}", pool.name),
        more => format!("{}: {first}, and {more} more do not fit together", pool.name),
    };
    finding.evidence.extend(said.mismatches.iter().take(NAMED).map(line));
    if count > NAMED {
        finding.evidence.push(format!("and {} more", count - NAMED));
    }
    finding.remedy = remedy(said);
    finding
}

/// What is only left over costs an id and blocks, keeps nobody from anything and stays for ever.
fn severity(misfits: &[Mismatch]) -> Severity {
    let is_left_over = |misfit: &Mismatch| {
        matches!(misfit.what, Misfit::Faulty(_) | Misfit::IdOfNobody | Misfit::NoSnapshot)
    };
    if misfits.iter().all(is_left_over) { Severity::Advice } else { Severity::Warning }
}

fn sentence(misfit: &Mismatch) -> String {
    let device = &misfit.device;
    let id = misfit.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    match &misfit.what {
        Misfit::Faulty(_) => format!("containerd gave {device} up as faulty"),
        Misfit::Unfinished => {
            format!("{device} is {} in containerd's record, and nothing is at it", misfit.state)
        }
        Misfit::NotActive => {
            format!("{device} is active in containerd's record, and the kernel has no such device")
        }
        Misfit::ErrorTarget => format!("{device} is an error target: every read and write fails"),
        Misfit::NoSnapshot => format!("{device} is in containerd's record, and no snapshot has it"),
        Misfit::NoDevice => {
            format!("a snapshot is to have {device}, which containerd has no record of")
        }
        Misfit::IdOfNobody => {
            format!("id {id} is taken in containerd's record, and no device has it")
        }
    }
}

fn line(misfit: &Mismatch) -> String {
    let id = misfit.id.map_or_else(String::new, |id| format!(" (id {id})"));
    let device = &misfit.device;
    match &misfit.what {
        Misfit::Faulty(error) if error.is_empty() => format!("{device}{id}: state Faulty"),
        Misfit::Faulty(error) => format!("{device}{id}: state Faulty, error: {error}"),
        Misfit::Unfinished => format!("{device}{id}: state {}, not written since", misfit.state),
        Misfit::NotActive => format!("{device}{id}: state {}, no such dm device", misfit.state),
        Misfit::ErrorTarget => {
            format!("{device}{id}: state {}, its dm device is of type error", misfit.state)
        }
        Misfit::NoSnapshot => format!("{device}{id}: state {}, no snapshot", misfit.state),
        Misfit::NoDevice => format!("{device}: a snapshot, no entry in devices"),
        Misfit::IdOfNobody => format!("id{id}: 1 (taken) in device_ids, no entry in devices"),
    }
}

/// What can be done without losing more than is lost.
fn remedy(said: &EngineFacts) -> String {
    let any = |is: fn(&Misfit) -> bool| said.mismatches.iter().any(|misfit| is(&misfit.what));
    if any(|what| matches!(what, Misfit::NotActive)) {
        return format!(
            "{}: at its start it activates what its record says is active",
            daemon("restart", said)
        );
    }
    let fixed = if any(|what| matches!(what, Misfit::ErrorTarget)) {
        "end the container that uses it (`ctr task kill -s KILL ID`), remove it in \
         containerd, then the device: `dmsetup remove NAME`"
    } else if any(|what| matches!(what, Misfit::NoDevice)) {
        "remove what needs the snapshot in containerd (`ctr -n NAMESPACE image rm REF`, \
         `ctr -n NAMESPACE container rm ID`) and make it anew"
    } else if any(|what| matches!(what, Misfit::Unfinished)) && said.daemon_runs == Some(false) {
        return format!(
            "{}: it gives up what it had not finished, and what was being made is made anew under \
             another id",
            daemon("start", said)
        );
    } else {
        "nothing is urgent: a name is used again when its snapshot is made again; what stays costs \
         its id and its blocks (`thinscope explain containerd-state-mismatch` says how to be rid \
         of it)"
    };
    fixed.to_owned()
}

/// What is to be done to the daemon. Only that of the usual root is known to be a unit of its own:
/// k3s and Firecracker run others.
fn daemon(verb: &str, said: &EngineFacts) -> String {
    match said.root.as_str() {
        "/var/lib/containerd" => format!("{verb} containerd (`systemctl {verb} containerd`)"),
        root => format!("{verb} the daemon of {root}"),
    }
}
