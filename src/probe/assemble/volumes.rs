//! LVM: physical volumes, volume groups, logical volumes and the layers LVM puts into
//! device-mapper for them.
//!
//! LVM's report and the uuids of its devices are laid side by side: a volume may be known from
//! either or both. Pools and thin volumes are found here and become nodes elsewhere.

use std::collections::{BTreeSet, HashMap};

use super::build::{Build, activate, node};
use super::devices::kind_of;
use super::disks::set_parents;
use super::index::{DmAt, DmIndex, is_pool, is_thin};
use crate::ids::DevNo;
use crate::model::{Gap, Kind, LvFacts, NodeIx, PvFacts, VgFacts};
use crate::owner::lvm_names::{LvmUuid, dm_name, is_pmspare, parse_name};
use crate::probe::dm::SeenDm;
use crate::probe::lvm::{Lv, LvmSeen, Pv, Vg};
use crate::text::Printable;
use crate::units::Bytes;

/// Place of a volume in [`Volumes::list`].
pub(super) type VolumeAt = usize;

/// All volume groups and logical volumes, from LVM's report and from device-mapper.
pub(super) struct Volumes<'a> {
    pub(super) groups: Vec<Group<'a>>,
    pub(super) list: Vec<Volume<'a>>,
    by_name: HashMap<(usize, &'a str), VolumeAt>,
    by_dm: HashMap<DmAt, VolumeAt>,
    pvs: Vec<&'a Pv>,
}

/// A volume group.
pub(super) struct Group<'a> {
    pub(super) uuid: String,
    pub(super) name: String,
    seen: Option<&'a Vg>,
}

/// A logical volume.
pub(super) struct Volume<'a> {
    pub(super) uuid: String,
    pub(super) group: usize,
    /// Its name without the VG's.
    pub(super) name: String,
    /// What LVM reports of it.
    pub(super) seen: Option<&'a Lv>,
    pub(super) sort: Sort,
    /// The device that is the volume itself (of a pool the thin-pool, of a thin volume the thin
    /// one), while it is active.
    pub(super) main: Option<DmAt>,
    /// The devices LVM puts above or below that one.
    pub(super) layers: Vec<DmAt>,
}

/// What a volume is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Plain,
    Tdata,
    Tmeta,
    Spare,
    Pool,
    Thin,
}

impl<'a> Volumes<'a> {
    /// Lays LVM's report and LVM's devices side by side.
    pub(super) fn find(index: &DmIndex<'a>, lvm: Option<&'a LvmSeen>) -> Self {
        let mut finder = Finder::default();
        for vg in lvm.iter().flat_map(|lvm| &lvm.vgs) {
            finder.group(&vg.uuid, Some(vg), &vg.name);
        }
        for lv in lvm.iter().flat_map(|lvm| &lvm.lvs) {
            finder.reported(lv);
        }
        for (at, seen) in index.all() {
            if let Some(Some(uuid)) = index.lvm.get(at) {
                finder.active(at, seen, uuid);
            }
        }
        let Finder { groups, mut list, devices, .. } = finder;
        let parts = parts_of_pools(&list);
        let mut by_dm = HashMap::new();
        for (at, volume) in list.iter_mut().enumerate() {
            let mine = devices.get(at).map_or(&[][..], Vec::as_slice);
            by_dm.extend(mine.iter().map(|dm| (*dm, at)));
            volume.settle(index, mine, groups.get(volume.group), &parts);
        }
        let by_name = (list.iter().enumerate())
            .filter_map(|(at, volume)| Some(((volume.group, volume.seen?.name.as_str()), at)))
            .collect();
        let mut known = BTreeSet::new();
        let pvs = lvm.iter().flat_map(|lvm| &lvm.pvs).filter(|pv| known.insert(&pv.uuid)).collect();
        Self { groups, list, by_name, by_dm, pvs }
    }

    /// The volume that a device is of.
    pub(super) fn of_dm(&self, at: DmAt) -> Option<VolumeAt> {
        self.by_dm.get(&at).copied()
    }

    /// A volume that LVM reports, by name.
    pub(super) fn named(&self, group: usize, name: &str) -> Option<VolumeAt> {
        // the map borrows its keys from the report, and this name may live shorter
        self.by_name.get(&(group, name)).copied()
    }

    /// `VG/LV`.
    pub(super) fn full_name(&self, volume: &Volume<'_>) -> String {
        format!("{}/{}", self.group_name(volume), volume.name)
    }

    pub(super) fn group_name(&self, volume: &Volume<'_>) -> &str {
        self.groups.get(volume.group).map_or("", |group| group.name.as_str())
    }

    /// LVM's facts for the detail pane.
    pub(super) fn facts(&self, volume: &Volume<'_>) -> Option<Box<LvFacts>> {
        let lv = volume.seen?;
        let some = |text: &String| (!text.is_empty()).then(|| Printable::from(text.as_str()));
        Some(Box::new(LvFacts {
            vg: self.group_name(volume).into(),
            name: lv.name.as_str().into(),
            uuid: lv.uuid.as_str().into(),
            attr: lv.attr.as_str().into(),
            segtype: lv.segment.segtype.as_str().into(),
            origin: some(&lv.origin),
            pool: some(&lv.pool),
            monitor: lv.segment.monitor.as_deref().unwrap_or_default().into(),
            profile: lv.profile.as_str().into(),
            tags: lv.tags.iter().map(|tag| tag.as_str().into()).collect(),
        }))
    }
}

/// Names of the parts of pools, by VG: what LVM reports as data and metadata volumes.
type Parts = HashMap<(usize, String), Sort>;

fn parts_of_pools(list: &[Volume<'_>]) -> Parts {
    let mut parts = Parts::new();
    for (volume, lv) in list.iter().filter_map(|volume| Some((volume, volume.seen?))) {
        for (part, sort) in [(&lv.data, Sort::Tdata), (&lv.metadata, Sort::Tmeta)] {
            if lv.segment.segtype == "thin-pool" && !part.is_empty() {
                parts.insert((volume.group, part.clone()), sort);
            }
        }
    }
    parts
}

impl Volume<'_> {
    /// Decides what the volume is and which of its devices is the volume itself.
    fn settle(
        &mut self,
        index: &DmIndex<'_>,
        mine: &[DmAt],
        group: Option<&Group<'_>>,
        parts: &Parts,
    ) {
        let dm = |at: &DmAt| index.get(*at);
        let suffix = |at: &DmAt| {
            index.lvm.get(*at).and_then(Option::as_ref).map_or("", |uuid| uuid.suffix.as_str())
        };
        let segtype = self.seen.map_or("", |lv| lv.segment.segtype.as_str());
        let pool = mine.iter().find(|at| suffix(at) == "tpool" || dm(at).is_some_and(is_pool));
        let thin = mine.iter().find(|at| dm(at).is_some_and(is_thin));
        let has = |wanted: &str| mine.iter().any(|at| suffix(at) == wanted);
        self.sort = if pool.is_some() || segtype == "thin-pool" || has("pool") {
            Sort::Pool
        } else if thin.is_some() || segtype == "thin" {
            Sort::Thin
        } else if let Some(sort) = parts.get(&(self.group, self.name.clone())) {
            *sort
        } else if has("tdata") {
            Sort::Tdata
        } else if has("tmeta") {
            Sort::Tmeta
        } else if is_pmspare(&self.name) {
            Sort::Spare
        } else {
            Sort::Plain
        };
        let name = group.map(|group| dm_name(&group.name, &self.name, "")).unwrap_or_default();
        let itself = || {
            let named = mine
                .iter()
                .find(|at| dm(at).is_some_and(|seen| seen.device.name.0 == name.as_bytes()));
            named.or_else(|| mine.iter().find(|at| suffix(at).is_empty())).or(match mine {
                [only] => Some(only),
                _ => None,
            })
        };
        self.main = match self.sort {
            Sort::Pool => pool.copied(),
            Sort::Thin => thin.copied(),
            _ => itself().copied(),
        };
        self.layers = mine.iter().copied().filter(|at| Some(*at) != self.main).collect();
    }
}

#[derive(Default)]
struct Finder<'a> {
    groups: Vec<Group<'a>>,
    group_at: HashMap<String, usize>,
    list: Vec<Volume<'a>>,
    at: HashMap<(usize, String), VolumeAt>,
    devices: Vec<Vec<DmAt>>,
}

impl<'a> Finder<'a> {
    fn group(&mut self, uuid: &str, seen: Option<&'a Vg>, name: &str) -> usize {
        if let Some(at) = self.group_at.get(uuid) {
            return *at;
        }
        let at = self.groups.len();
        self.groups.push(Group { uuid: uuid.to_owned(), name: name.to_owned(), seen });
        self.group_at.insert(uuid.to_owned(), at);
        at
    }

    fn volume(&mut self, group: usize, uuid: &str, name: &str) -> VolumeAt {
        let next = self.list.len();
        let at = *self.at.entry((group, uuid.to_owned())).or_insert(next);
        if at == next {
            self.devices.push(Vec::new());
            self.list.push(Volume {
                uuid: uuid.to_owned(),
                group,
                name: name.to_owned(),
                seen: None,
                sort: Sort::Plain,
                main: None,
                layers: Vec::new(),
            });
        }
        at
    }

    fn reported(&mut self, lv: &'a Lv) {
        // a report that is cut can name a volume whose group it does not tell
        let group = self.group(&lv.vg_uuid, None, &lv.vg_uuid);
        let at = self.volume(group, &lv.uuid, &lv.name);
        if let Some(volume) = self.list.get_mut(at) {
            volume.seen = volume.seen.or(Some(lv));
        }
    }

    fn active(&mut self, at: DmAt, seen: &SeenDm, uuid: &LvmUuid) {
        let name = parse_name(&seen.device.name.0);
        let text = Printable::from_bytes(&seen.device.name.0);
        let (vg, lv) = name
            .as_ref()
            .map_or((uuid.vg.as_str(), text.as_str()), |name| (name.vg.as_str(), name.lv.as_str()));
        let group = self.group(&uuid.vg, None, vg);
        let volume = self.volume(group, &uuid.lv, lv);
        if let Some(devices) = self.devices.get_mut(volume) {
            devices.push(at);
        }
    }
}

/// Nodes of what was added, by place in [`Volumes`].
pub(super) struct VolumeNodes {
    pub(super) groups: Vec<NodeIx>,
    pub(super) volumes: Vec<Option<NodeIx>>,
}

/// Adds volume groups, and logical volumes but for pools and thin volumes.
pub(super) fn add_volumes(build: &mut Build<'_>, volumes: &Volumes<'_>) -> VolumeNodes {
    let groups: Vec<NodeIx> = volumes.groups.iter().map(|group| add_group(build, group)).collect();
    let mut nodes = VolumeNodes { groups, volumes: vec![None; volumes.list.len()] };
    for (at, volume) in volumes.list.iter().enumerate() {
        let group = nodes.groups.get(volume.group).copied();
        let kind = match volume.sort {
            Sort::Plain => Kind::Lv,
            Sort::Tdata => Kind::Tdata,
            Sort::Tmeta => Kind::Tmeta,
            Sort::Spare => Kind::Pmspare,
            Sort::Pool | Sort::Thin => continue,
        };
        // with a name for the volume itself missing, only its layers are there
        let absent = volume.main.is_none() && volume.seen.is_none();
        let at_node = (!absent).then(|| add_volume(build, volumes, volume, kind));
        if let (Some(node), Some(group)) = (at_node, group) {
            set_parents(build, node, vec![group]);
        }
        if let Some(slot) = nodes.volumes.get_mut(at) {
            *slot = at_node;
        }
        add_layers(build, volume, group);
    }
    nodes
}

fn add_group(build: &mut Build<'_>, group: &Group<'_>) -> NodeIx {
    let mut node = node(Kind::Vg, &group.uuid, group.name.as_str().into());
    if let Some(vg) = group.seen {
        node.size = vg.size;
        node.facts.vg = Some(Box::new(VgFacts {
            uuid: vg.uuid.as_str().into(),
            free: vg.free,
            extent: vg.extent,
            missing_pvs: vg.missing_pvs,
            attr: vg.attr.as_str().into(),
        }));
    } else {
        build.gaps.push(Gap::new(
            "lvm",
            format!(
                "VG {} was not reported by LVM: its volumes and PVs are told from device-mapper, \
                 inactive ones are not seen",
                Printable::from(group.name.as_str())
            ),
        ));
    }
    build.add(node)
}

/// Adds the node of a volume, active or not.
pub(super) fn add_volume(
    build: &mut Build<'_>,
    volumes: &Volumes<'_>,
    volume: &Volume<'_>,
    kind: Kind,
) -> NodeIx {
    let name = dm_name(volumes.group_name(volume), &volume.name, "");
    let mut node = node(kind, &volume.uuid, name.into());
    node.short = Some(volume.name.as_str().into());
    node.size = volume.seen.and_then(|lv| lv.size);
    node.facts.lv = volumes.facts(volume);
    node.facts.note = under(build, volume).map(Printable::from);
    if let Some(seen) = volume.main.and_then(|at| build.index.get(at)) {
        activate(&mut node, seen);
    }
    build.add(node)
}

/// Other volumes that a volume is made of: the tree has it rest on its VG.
fn under(build: &Build<'_>, volume: &Volume<'_>) -> Option<String> {
    let names: Vec<String> = match volume.main.and_then(|at| build.index.get(at)) {
        Some(seen) => (seen.device.deps.iter())
            .filter_map(|dep| build.index.by_dev(*dep))
            .map(|(_, lower)| Printable::from_bytes(&lower.device.name.0).to_string())
            .collect(),
        None => (volume.seen.iter().flat_map(|lv| &lv.devices))
            .filter(|device| !device.starts_with('/') && !device.starts_with('['))
            .cloned()
            .collect(),
    };
    (!names.is_empty()).then(|| format!("made of {}", names.join(", ")))
}

/// Adds what LVM puts above or below a volume in device-mapper: `-pool` above a `-tpool`,
/// `-real` and `-cow` of old snapshots, `-vpool` of VDO.
pub(super) fn add_layers(build: &mut Build<'_>, volume: &Volume<'_>, group: Option<NodeIx>) {
    for at in &volume.layers {
        let (Some(seen), Some(Some(uuid))) = (build.index.get(*at), build.index.lvm.get(*at))
        else {
            continue;
        };
        // a PV's device is not what a layer rests on: the VG is
        let on_volumes = seen.device.deps.iter().any(|dep| build.index.by_dev(*dep).is_some());
        let what = format!("{}-{}", volume.uuid, Printable::from(uuid.suffix.as_str()));
        let mut node = node(kind_of(seen), &what, "".into());
        node.short = Some(volume.name.as_str().into());
        activate(&mut node, seen);
        node.parents.extend(group);
        let layer = build.add(node);
        if on_volumes {
            build.link_later(layer);
        }
    }
}

/// Adds physical volumes and lets volume groups rest on them.
pub(super) fn add_pvs(build: &mut Build<'_>, volumes: &Volumes<'_>, nodes: &VolumeNodes) {
    let mut of_group: Vec<Vec<NodeIx>> = vec![Vec::new(); volumes.groups.len()];
    let by_uuid: HashMap<&str, usize> =
        volumes.groups.iter().enumerate().map(|(at, group)| (group.uuid.as_str(), at)).collect();
    for pv in &volumes.pvs {
        let at = add_pv(build, pv);
        if let Some(list) = by_uuid.get(pv.vg_uuid.as_str()).and_then(|at| of_group.get_mut(*at)) {
            list.push(at);
        }
    }
    let told = told_by_tables(build, volumes, &of_group);
    for (group, devs) in told {
        for dev in devs {
            let Some(pv) = add_unreported_pv(build, volumes, group, dev) else { continue };
            if let Some(list) = of_group.get_mut(group) {
                list.push(pv);
            }
        }
    }
    for (node, pvs) in nodes.groups.iter().zip(of_group) {
        set_parents(build, *node, pvs);
    }
}

fn add_pv(build: &mut Build<'_>, pv: &Pv) -> NodeIx {
    let dev = pv.dev.and_then(|dev| build.by_dev.get(&dev).copied());
    let under = dev.or_else(|| build.by_path(pv.path.as_bytes()));
    let name = under.and_then(|at| build.node(at)).map(|node| node.name.clone());
    let name = name.unwrap_or_else(|| pv.path.strip_prefix("/dev/").unwrap_or(&pv.path).into());
    let mut node = node(Kind::Pv, &pv.uuid, name);
    node.size = pv.size;
    node.parents.extend(under);
    node.facts.pv = Some(Box::new(PvFacts {
        uuid: pv.uuid.as_str().into(),
        vg: pv.vg.as_str().into(),
        free: pv.free,
        missing: pv.missing,
    }));
    build.add(node)
}

/// Of groups whose PVs LVM did not tell: the devices under their volumes that are no volumes of
/// the same group.
fn told_by_tables(
    build: &Build<'_>,
    volumes: &Volumes<'_>,
    of_group: &[Vec<NodeIx>],
) -> Vec<(usize, BTreeSet<DevNo>)> {
    let mut told: Vec<(usize, BTreeSet<DevNo>)> = Vec::new();
    let mut place: HashMap<usize, usize> = HashMap::new();
    for volume in &volumes.list {
        if of_group.get(volume.group).is_none_or(|pvs| !pvs.is_empty()) {
            continue;
        }
        let at = *place.entry(volume.group).or_insert_with(|| {
            told.push((volume.group, BTreeSet::new()));
            told.len() - 1
        });
        let Some((_, devs)) = told.get_mut(at) else { continue };
        for seen in volume.main.iter().chain(&volume.layers).filter_map(|at| build.index.get(*at)) {
            let foreign = seen.device.deps.iter().filter(|dep| {
                let lower = build.index.by_dev(**dep).and_then(|(at, _)| volumes.of_dm(at));
                lower.and_then(|at| volumes.list.get(at)).is_none_or(|v| v.group != volume.group)
            });
            devs.extend(foreign);
        }
    }
    told
}

fn add_unreported_pv(
    build: &mut Build<'_>,
    volumes: &Volumes<'_>,
    group: usize,
    dev: DevNo,
) -> Option<NodeIx> {
    let under = build.by_dev.get(&dev).copied()?;
    let (name, what, size) =
        build.node(under).map(|node| (node.name.clone(), format!("on-{}", node.id), node.size))?;
    let mut node = node(Kind::Pv, &what, name);
    // its own size is LVM's to say; the device's is the most it can be
    node.size = size.filter(|size| *size > Bytes(0));
    node.parents.push(under);
    let vg = volumes.groups.get(group)?;
    node.facts.note =
        Some(format!("a PV of {}, told from the tables of its volumes", vg.name).into());
    Some(build.add(node))
}
