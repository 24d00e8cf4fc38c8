//! LVM: physical volumes, volume groups, logical volumes and the layers LVM puts into
//! device-mapper for them.
//!
//! LVM's report and the uuids of its devices are laid side by side: a volume may be known from
//! either or both. Pools and thin volumes are found here and become nodes elsewhere.

mod add;

use std::collections::{BTreeSet, HashMap};

use super::index::{DmAt, DmIndex, is_pool, is_thin};
use crate::model::LvFacts;
use crate::owner::lvm_names::{LvmUuid, dm_name, is_pmspare, parse_name};
use crate::probe::dm::SeenDm;
use crate::probe::lvm::{Lv, LvmSeen, Pv, Vg};
use crate::text::Printable;

pub(super) use add::{VolumeNodes, add_layers, add_pvs, add_volumes};

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
            size: lv.size,
            attr: lv.attr.as_str().into(),
            segtype: lv.segment.segtype.as_str().into(),
            origin: some(&lv.origin),
            pool: some(&lv.pool),
            monitor: lv.segment.monitor.as_deref().unwrap_or_default().into(),
            profile: lv.profile.as_str().into(),
            tags: lv.tags.iter().map(|tag| tag.as_str().into()).collect(),
            autoactivation: lv.autoactivation,
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
