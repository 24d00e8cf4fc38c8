//! Why a pool, volume or group is not there, and the steps that bring it back: resumed, activated,
//! or made again over what holds it. Metadata is never zeroed.

mod cause;
mod own;
mod recalled;
mod twins;
mod unseen;
mod volumes;

use super::around::{Around, Want};
use super::{Draft, Refusal, find, rescue, unit};
use crate::intent::Activate;
use crate::model::{Pool, PoolIx, PoolKind, PoolState, Topology};

/// Where `thin_check` usually is; LVM's setting may say otherwise.
pub(super) const THIN_CHECK: [&str; 4] =
    ["/usr/sbin/thin_check", "/sbin/thin_check", "/usr/bin/thin_check", "/bin/thin_check"];

/// What is meant by a word.
enum Target {
    Pool(PoolIx),
    /// A pool that only an earlier look knows, or whose table is to be taken from there.
    Recalled(String),
    Group(String),
    Volume(String),
}

/// What must be looked at beside the topology.
pub(super) fn wants(wish: &Activate, topology: &Topology) -> Vec<Want> {
    let mut wants: Vec<Want> =
        THIN_CHECK.iter().map(|path| Want::File((*path).to_owned())).collect();
    match target(wish, topology) {
        Ok(Target::Pool(ix)) => wants.extend(rescue::wants(topology, ix)),
        Ok(Target::Volume(name)) => wants.extend(rescue::wants_of(topology, &name)),
        Ok(Target::Group(name)) => wants.extend(rescue::wants_of_group(topology, &name)),
        _ => {}
    }
    wants.extend(unseen::wants(wish, topology));
    if wish.recording.is_some() || target(wish, topology).is_err() {
        let (pool, recording) = (wish.target.clone(), wish.recording.clone());
        wants.push(Want::Recalled { pool, recording });
    }
    if target(wish, topology).is_ok_and(|target| volumes::is_away(topology, &target)) {
        wants.push(Want::LvmSettings);
        wants.extend(twins::wants(topology));
    }
    // a disk may be wanted for both reasons
    wants.sort();
    wants.dedup();
    if wish.unit {
        wants.extend(unit::wants());
    }
    wants
}

/// Plans it.
pub(super) fn plan(
    wish: &Activate,
    topology: &Topology,
    around: &Around,
) -> Result<Draft, Refusal> {
    let target = with_memory(wish, topology, around).map_err(|refusal| because(refusal, around))?;
    if wish.unit && !matches!(target, Target::Pool(_) | Target::Recalled(_)) {
        return Err(Refusal::new(
            "a unit is for a pool that LVM does not own; LVM activates its groups and volumes at \
             boot by itself",
        ));
    }
    match target {
        Target::Group(group) => {
            volumes::group(topology, around, &group).map_err(|refusal| because(refusal, around))
        }
        Target::Volume(volume) => volumes::volume(topology, around, &volume),
        Target::Pool(ix) => pool(topology, around, ix, wish.unit),
        Target::Recalled(name) => {
            let recall = recalled::find(around, &name)
                .ok_or_else(|| Refusal::new(format!("no earlier look knows {name}")))?;
            let (draft, shape) = recalled::plan(topology, recall)?;
            if !wish.unit {
                return Ok(draft);
            }
            unit::add_recalled(draft, topology, (recall, &shape), around)
        }
    }
}

/// What is meant, on this host or by what was kept of it.
fn with_memory(wish: &Activate, topology: &Topology, around: &Around) -> Result<Target, Refusal> {
    match (target(wish, topology), wish.recording.is_some()) {
        (Ok(found), false) => Ok(found),
        (Ok(Target::Pool(ix)), true) => {
            let pool = topology.pool(ix);
            if pool.lv.is_some() {
                return Err(Refusal::new(format!(
                    "{} is LVM's, whose own record says how it is: --recording is for pools that \
                     LVM does not own",
                    pool.name
                )));
            }
            if find::is_active(pool) { Ok(Target::Pool(ix)) } else { remembered(topology, around) }
        }
        (Ok(_), true) => Err(Refusal::new(
            "--recording is for a pool that LVM does not own; LVM records its groups and volumes \
             itself",
        )),
        (Err(refusal), recording) => match remembered(topology, around) {
            Err(why) if recording || around.recalled.as_ref().is_ok_and(|all| all.len() > 1) => {
                Err(why)
            }
            found => found.map_err(|_| refusal),
        },
    }
}

/// The one pool that was remembered and is not there.
fn remembered(topology: &Topology, around: &Around) -> Result<Target, Refusal> {
    let known = around.recalled.as_ref().map_err(|why| Refusal::new(why.clone()))?;
    let is_away =
        |name: &&str| find::pool(topology, name).is_none_or(|pool| !find::is_active(pool));
    let names: Vec<&str> =
        known.iter().map(|recall| recall.was.pool.as_str()).filter(is_away).collect();
    match names.as_slice() {
        [one] => Ok(Target::Recalled((*one).to_owned())),
        [] => Err(Refusal::new("no pool is remembered that is not there")),
        names => Err(Refusal::new(format!(
            "which one? {} are remembered and not there; name one",
            names.join(", ")
        ))),
    }
}

/// A refusal with what was found out about its cause.
fn because(refusal: Refusal, around: &Around) -> Refusal {
    Refusal { why: refusal.why + &unseen::causes(around), ..refusal }
}

/// A pool: resumed, left as it is, activated, or made again; with its unit where that is wished.
fn pool(topology: &Topology, around: &Around, ix: PoolIx, unit: bool) -> Result<Draft, Refusal> {
    let pool = topology.pool(ix);
    let (draft, shape) = if let Some(draft) = rescue::plan(topology, ix, around)? {
        (draft, None)
    } else if find::is_active(pool) {
        (Draft::already(already(pool)), None)
    } else if pool.lv.is_some() {
        let draft = volumes::pool(topology, around, ix);
        (draft.map_err(|refusal| because(refusal, around))?, None)
    } else {
        let planned = own::plan(topology, ix);
        let (draft, shape) = planned.map_err(|refusal| because(refusal, around))?;
        (draft, Some(shape))
    };
    if unit { unit::add(draft, (topology, ix), around, shape) } else { Ok(draft) }
}

/// A pool's two names, a group's, a volume's; without a word the one thing that is not there.
fn target(wish: &Activate, topology: &Topology) -> Result<Target, Refusal> {
    let Some(name) = wish.target.as_deref() else { return only_one(topology) };
    let name = name.strip_prefix("/dev/mapper/").or(name.strip_prefix("/dev/")).unwrap_or(name);
    if let Some(ix) = topology.find_pool(Some(name)) {
        return Ok(Target::Pool(ix));
    }
    if find::group(topology, name).is_some() {
        return Ok(Target::Group(name.to_owned()));
    }
    if find::volume(topology, name).is_some() {
        return Ok(Target::Volume(name.to_owned()));
    }
    let pools: Vec<_> = topology.pools.iter().map(|pool| pool.name.as_str()).collect();
    Err(Refusal::unknown(format!(
        "there is no pool, volume group or volume {name}; the pools are {}. A group whose PVs are \
         not seen is not seen either: disks that are not there, not unlocked (LUKS), excluded by \
         a filter or the devices file of LVM, or parts of a multipath or RAID device",
        if pools.is_empty() { "none".to_owned() } else { pools.join(", ") }
    )))
}

fn only_one(topology: &Topology) -> Result<Target, Refusal> {
    let away = |pool: &Pool| pool.suspended || !find::is_active(pool);
    let mut gone = (0_u32..).zip(&topology.pools).filter(|(_, pool)| away(pool));
    match (gone.next(), gone.next(), topology.pools.as_slice()) {
        (Some((ix, _)), None, _) => Ok(Target::Pool(PoolIx(ix))),
        (None, _, []) => {
            Err(Refusal::new("no thin pool was found on this host: name a volume group or VG/LV"))
        }
        (None, ..) => Ok(Target::Pool(PoolIx(0))),
        _ => {
            let names: Vec<_> = topology
                .pools
                .iter()
                .filter(|pool| away(pool))
                .map(|pool| pool.name.as_str())
                .collect();
            Err(Refusal::new(format!("which one? {} are not active; name one", names.join(", "))))
        }
    }
}

fn already(pool: &Pool) -> String {
    let name = &pool.name;
    match &pool.state {
        PoolState::Active(status) if status.needs_check == Some(true) => format!(
            "{name} is active, but marked needs_check and read-only: `thinscope explain \
             pool-needs-check` says how that is cleared, activating does not"
        ),
        PoolState::Failed => format!(
            "{name} is active, but failed in the kernel: `thinscope explain pool-failed` says what \
             can be done"
        ),
        _ => format!("{name} is active: nothing to do"),
    }
}

/// What to start once a pool is there.
fn next(pool: &Pool) -> Vec<String> {
    use crate::model::Engine;
    let of = |engine: &Engine| match engine {
        Engine::Docker => Some("start Docker: systemctl start docker".to_owned()),
        Engine::Containerd => Some("start containerd: systemctl start containerd".to_owned()),
        Engine::ContainersStorage => Some(
            "start what uses containers/storage, such as crio or podman's containers".to_owned(),
        ),
        Engine::Lvm if pool.kind == PoolKind::LvmThin => Some(format!(
            "activate its volumes as they are needed: lvchange -ay VG/LV ({})",
            pool.name
        )),
        _ => None,
    };
    pool.engines.iter().filter_map(of).collect()
}
