//! What LVM owns: pools, volumes, whole groups.

use super::cause::{self, Subject};
use super::{THIN_CHECK, Target, next, twins};
use crate::model::{Kind, LvFacts, Node, NodeIx, PoolIx, PoolKind, ThinCheck, Topology};
use crate::plan::around::Around;
use crate::plan::{Action, Check, Draft, Refusal, find, rescue};

/// Whether LVM would activate anything of a target.
pub(super) fn is_away(topology: &Topology, target: &Target) -> bool {
    match target {
        Target::Pool(ix) => {
            let pool = topology.pool(*ix);
            pool.lv.is_some() && !find::is_active(pool)
        }
        Target::Group(name) => topology.nodes.iter().any(|node| {
            let lv = node.facts.lv.as_ref();
            node.device.is_none() && lv.is_some_and(|lv| lv.vg.as_str() == name)
        }),
        Target::Volume(name) => {
            find::volume(topology, name).is_some_and(|node| node.device.is_none())
        }
        Target::Recalled(_) => false,
    }
}

/// A pool.
pub(super) fn pool(topology: &Topology, around: &Around, ix: PoolIx) -> Result<Draft, Refusal> {
    let pool = topology.pool(ix);
    let volume = pool.lv.as_ref().map(ToString::to_string).unwrap_or_default();
    let group = group_of(topology, &volume)?;
    let unchecked = thin_check(topology, around)?;
    twins::refuse(topology, around, group.name.as_str())?;
    refuse_transaction(topology, ix)?;
    let mut draft = Draft::about(topology, ix);
    draft.warnings.extend(unchecked);
    for part in [pool.metadata, pool.data].into_iter().flatten() {
        deactivate_part(&mut draft, topology, part)?;
    }
    if pool.contents.as_ref().is_some_and(|contents| contents.needs_check) {
        draft.warnings.push(format!(
            "the metadata of {} is marked needs_check: the pool will come up read-only; \
             `thinscope explain pool-needs-check` says how that is cleared afterwards",
            pool.name
        ));
    }
    let facts = topology.node(pool.node).facts.lv.as_deref();
    let subject = Subject { volume: facts, group };
    cause::refuse(&subject, around)?;
    let why = cause::why(&subject, around);
    let name = pool.name.to_string();
    draft.push(
        Action::ActivateVolume { volume: volume.clone(), although_skipped: is_skipped(facts) },
        why,
        (
            vec![
                Check::Complete { group: group.name.to_string() },
                Check::Inactive { name: volume.clone() },
            ],
            vec![Check::Active { name: volume.clone() }, Check::PoolWorks { pool: name }],
        ),
    );
    draft.next = next(pool);
    draft.next.push(cause::stay_active(&subject, around));
    Ok(draft)
}

/// Any other volume.
pub(super) fn volume(topology: &Topology, around: &Around, name: &str) -> Result<Draft, Refusal> {
    let node = find::volume(topology, name)
        .ok_or_else(|| Refusal::new(format!("there is no volume {name}")))?;
    if let Some(draft) = rescue::volume(topology, name, around)? {
        return Ok(draft);
    }
    if node.device.is_some() {
        return Ok(Draft::already(format!("{name} is active: nothing to do")));
    }
    let group = group_of(topology, name)?;
    // its pool comes with it
    let is_thin = node.kind == Kind::Thin;
    let unchecked = if is_thin { thin_check(topology, around)? } else { None };
    twins::refuse(topology, around, group.name.as_str())?;
    if matches!(node.kind, Kind::Tdata | Kind::Tmeta | Kind::Pmspare) {
        return Err(Refusal::new(format!(
            "{name} is a part of a pool: while it is active alone, LVM refuses to activate the pool"
        )));
    }
    let facts = node.facts.lv.as_deref();
    let subject = Subject { volume: facts, group };
    cause::refuse(&subject, around)?;
    let mut draft = named(topology, name);
    draft.warnings.extend(unchecked);
    draft.push(
        Action::ActivateVolume { volume: name.to_owned(), although_skipped: is_skipped(facts) },
        cause::why(&subject, around),
        (
            vec![Check::Complete { group: group.name.to_string() }],
            vec![Check::Active { name: name.to_owned() }],
        ),
    );
    Ok(draft)
}

/// All of a group.
pub(super) fn group(topology: &Topology, around: &Around, name: &str) -> Result<Draft, Refusal> {
    let group = group_of(topology, &format!("{name}/"))?;
    let mine = || {
        topology.nodes.iter().filter_map(|node| {
            let lv = node.facts.lv.as_deref().filter(|lv| lv.vg.as_str() == name)?;
            let part = matches!(node.kind, Kind::Tdata | Kind::Tmeta | Kind::Pmspare);
            (!part && lv.segtype.as_str() != "").then_some((node, lv))
        })
    };
    let away: Vec<String> = mine()
        .filter(|(node, lv)| node.device.is_none() && !is_skipped(Some(lv)))
        .map(|(_, lv)| format!("{}/{}", lv.vg, lv.name))
        .collect();
    let mut draft = named(topology, name);
    // LVM's own commands would wait for what is suspended
    let resumed = rescue::add_group(&mut draft, topology, name, around)?;
    if away.is_empty() {
        let already = || Draft::already(format!("all of {name} is active: nothing to do"));
        return Ok(if resumed { draft } else { already() });
    }
    let any_pool = mine().any(|(node, _)| node.kind == Kind::Pool && node.device.is_none());
    let unchecked = if any_pool { thin_check(topology, around)? } else { None };
    twins::refuse(topology, around, name)?;
    let subject = Subject { volume: None, group };
    cause::refuse(&subject, around)?;
    draft.warnings.extend(unchecked);
    for (at, pool) in (0_u32..).zip(&topology.pools) {
        let here = pool.lv.as_ref().is_some_and(|lv| lv.as_str().starts_with(&format!("{name}/")));
        if here && !find::is_active(pool) {
            refuse_transaction(topology, PoolIx(at))?;
            for part in [pool.metadata, pool.data].into_iter().flatten() {
                deactivate_part(&mut draft, topology, part)?;
            }
            draft.next.extend(next(pool));
        }
    }
    let skipped: Vec<_> = mine()
        .filter(|(node, lv)| node.device.is_none() && is_skipped(Some(lv)))
        .map(|(_, lv)| format!("{}/{}", lv.vg, lv.name))
        .collect();
    if !skipped.is_empty() {
        draft.warnings.push(format!(
            "{} carry LVM's flag to be skipped and stay inactive: activate each by name",
            skipped.join(", ")
        ));
    }
    let after = away.iter().map(|name| Check::Active { name: name.clone() }).collect();
    draft.push(
        Action::ActivateGroup { group: name.to_owned() },
        format!("{} of its volumes are not active: {}", away.len(), cause::why(&subject, around)),
        (vec![Check::Complete { group: name.to_owned() }], after),
    );
    draft.next.push(cause::stay_active(&subject, around));
    Ok(draft)
}

fn named(topology: &Topology, name: &str) -> Draft {
    let identity = find::identity_of(topology, name).map(|id| (name.to_owned(), id));
    Draft {
        names: vec![name.to_owned()],
        identity: identity.into_iter().collect(),
        ..Draft::default()
    }
}

/// The group of `VG/LV`, where LVM would activate anything of it.
fn group_of<'a>(topology: &'a Topology, volume: &str) -> Result<&'a Node, Refusal> {
    let (name, _) = volume.split_once('/').unwrap_or((volume, ""));
    if !find::is_plain(volume) {
        return Err(Refusal::new(format!("the name {volume} cannot stand in a command")));
    }
    let group = find::group(topology, name).ok_or_else(|| {
        Refusal::new(format!("volume group {name} was not seen: see the gaps of `thinscope tree`"))
    })?;
    // by the names of its devices alone a group is known, and neither its PVs nor its state
    let facts = group.facts.vg.as_deref().ok_or_else(|| {
        Refusal::new(format!(
            "LVM told nothing of volume group {name}: see the gaps of `thinscope tree`"
        ))
    })?;
    if facts.attr.as_str().as_bytes().get(2) == Some(&b'x') {
        return Err(Refusal::new(format!(
            "{name} is exported, so that no host activates it: `vgimport {name}` where it belongs \
             here"
        )));
    }
    if facts.missing_pvs > 0 {
        let missing: Vec<_> = find::pvs(topology, name)
            .filter(|(pv, _)| pv.facts.pv.as_ref().is_some_and(|pv| pv.missing))
            .map(|(pv, _)| {
                let uuid = pv.facts.pv.as_ref().map(|pv| pv.uuid.to_string());
                format!("{} (uuid {})", pv.name, uuid.unwrap_or_default())
            })
            .collect();
        return Err(Refusal::new(format!(
            "{name} misses {} of its PVs: {}. Find that disk: not attached, not unlocked (LUKS), \
             excluded by a filter or by LVM's devices file, or part of a multipath or RAID device; \
             `pvs -a` and `lvmdevices --check` tell what LVM sees",
            facts.missing_pvs,
            missing.join(", ")
        )));
    }
    Ok(group)
}

/// Without it old versions of LVM refuse and newer ones activate unchecked; what to warn of where
/// it is so by somebody's will, or was not seen. What LVM is set to run counts first.
fn thin_check(topology: &Topology, around: &Around) -> Result<Option<String>, Refusal> {
    let missing = |which: &str| {
        Refusal::new(format!(
            "{which} is not installed: LVM before 2.02.178 refuses to activate a pool without it, \
             newer versions activate it unchecked. Install thin-provisioning-tools (Debian, \
             Ubuntu) or device-mapper-persistent-data (Red Hat, Fedora, SUSE: \
             thin-provisioning-tools), then ask again",
        ))
    };
    let usual = || THIN_CHECK.iter().filter_map(|path| around.files.get(*path).copied());
    match &topology.host.thin_check {
        Some(ThinCheck::SwitchedOff) => Ok(Some(
            "LVM is set not to check metadata (global/thin_check_executable is empty): the pool is \
             activated unchecked"
                .to_owned(),
        )),
        // it may have come or gone since the topology was seen; one at another place is LVM's own
        Some(ThinCheck::At(path)) if around.files.get(path.as_str()) != Some(&false) => Ok(None),
        Some(ThinCheck::Missing(path)) if !THIN_CHECK.contains(&path.as_str()) => {
            Err(missing(&format!("{path}, which LVM is set to check metadata with,")))
        }
        _ if usual().any(|there| there) => Ok(None),
        Some(_) => Err(missing("thin_check")),
        None if usual().next().is_some() => Err(missing("thin_check")),
        None => Ok(Some(
            "whether thin_check is there was not seen: without it LVM refuses to activate the \
             pool, or activates it unchecked"
                .to_owned(),
        )),
    }
}

/// LVM refuses a pool whose metadata counts other transactions than it does, where it counts.
fn refuse_transaction(topology: &Topology, ix: PoolIx) -> Result<(), Refusal> {
    let pool = topology.pool(ix);
    let (Some(lvm), Some(contents)) = (pool.lvm_transaction_id, &pool.contents) else {
        return Ok(());
    };
    // with no volumes of its own LVM stays at 0 and takes what it finds (`facts.md`, Docker)
    if lvm == 0 || lvm == contents.transaction || pool.kind != PoolKind::LvmThin {
        return Ok(());
    }
    let newer = if contents.transaction > lvm { "the pool's own metadata" } else { "LVM's record" };
    Err(Refusal::new(format!(
        "{} counts transaction {} in its own metadata and {lvm} in LVM's: LVM refuses to activate \
         it. {newer} is the newer. `thinscope explain transaction-mismatch` says what a person must \
         decide",
        pool.name, contents.transaction
    )))
}

/// A part of a pool that is active alone forbids the pool.
fn deactivate_part(draft: &mut Draft, topology: &Topology, at: NodeIx) -> Result<(), Refusal> {
    let node = topology.node(at);
    let (Some(_), Some(lv)) = (node.device, node.facts.lv.as_deref()) else { return Ok(()) };
    let volume = format!("{}/{}", lv.vg, lv.name);
    if let Some(dm) = node.facts.dm.as_deref()
        && (dm.open_count > 0 || !node.mountpoints.is_empty())
    {
        return Err(Refusal::new(format!(
            "{volume} is active alone and somebody has it open ({} times): LVM refuses to activate \
             the pool until it is closed and deactivated (lvchange -an {volume})",
            dm.open_count
        )));
    }
    draft.push(
        Action::DeactivateVolume { volume: volume.clone() },
        "it was left active alone, and LVM activates no pool over an active part",
        (Vec::new(), vec![Check::Inactive { name: volume }]),
    );
    Ok(())
}

pub(super) fn is_skipped(facts: Option<&LvFacts>) -> bool {
    facts.is_some_and(|lv| lv.attr.as_str().as_bytes().get(9) == Some(&b'k'))
}
