//! Where the metadata of every pool lies, and what its engine says of parents. Pure.

use std::collections::HashMap;

use super::{Laid, Leg, PoolPlace, Span, TextPlace};
use crate::ids::ThinId;
use crate::model::engine::Base;
use crate::model::{Kind, NodeIx, Pool, Topology};
use crate::probe::lvm::{Lv, LvmSeen, Piece, Pv};
use crate::probe::{Facts, MetadataFile};
use crate::sys::{HostPath, Medium};
use crate::units::Bytes;

/// Levels of devices that are looked at below a metadata device.
const DEEPEST: usize = 32;

/// The metadata of every pool of a topology; of `file` alone where one was named.
pub fn places(topology: &Topology, facts: &Facts, file: Option<&MetadataFile>) -> Vec<PoolPlace> {
    if let Some(file) = file {
        let at = Ok(Laid::whole(Medium::File(file.path.clone()), None));
        return vec![PoolPlace::new(file.name.clone(), at)];
    }
    let place = |pool: &Pool| PoolPlace {
        pool: pool.name.to_string(),
        at: laid(topology, facts, pool.metadata),
        device: topology.node(pool.node).device,
        data: pool.data.and_then(|data| topology.node(data).device),
        parents: parents(topology, pool),
        base: base(topology, facts, pool),
        vg_text: vg_text(topology, facts, pool),
    };
    topology.pools.iter().map(place).collect()
}

fn parents(topology: &Topology, pool: &Pool) -> Vec<(ThinId, ThinId)> {
    let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
    let mut parents: Vec<_> = rows.filter_map(|row| Some((row.id?, row.parent?))).collect();
    parents.sort_unstable();
    parents.dedup_by_key(|(id, _)| *id);
    parents
}

/// The base device, where its engine has recorded a uuid to compare with.
fn base(topology: &Topology, facts: &Facts, pool: &Pool) -> Option<(ThinId, Laid)> {
    let id = pool.engine_facts.iter().find_map(|said| match &said.base {
        Base::Recorded { id, uuid: Some(_), .. } => Some(*id),
        _ => None,
    })?;
    Some((id, laid(topology, facts, pool.data).ok()?))
}

/// LVM's own text of a pool that LVM compares, which it does where it has volumes in it.
fn vg_text(topology: &Topology, facts: &Facts, pool: &Pool) -> Option<TextPlace> {
    let transaction = topology.compared_by_lvm(pool)?;
    let folder = facts.lvm.as_deref()?.settings.backup_dir.as_deref()?;
    let (vg, lv) = pool.lv.as_ref()?.as_str().split_once('/')?;
    let sound = !vg.is_empty() && !vg.starts_with('.') && !lv.contains('/');
    sound.then(|| TextPlace { path: format!("{folder}/{vg}"), lv: lv.to_owned(), transaction })
}

/// Where one of a pool's two volumes lies.
fn laid(topology: &Topology, facts: &Facts, volume: Option<NodeIx>) -> Result<Laid, String> {
    let Some(at) = volume else {
        return Err("where it lies was not seen".to_owned());
    };
    let node = topology.node(at);
    if let Some(dev) = node.device {
        if let Some(name) = suspended_below(topology, at, DEEPEST) {
            return Err(format!(
                "device {name}, which its metadata rests on, is suspended: a read would wait; \
                 `dmsetup resume {name}` ends that, once it is known why it was suspended"
            ));
        }
        return Ok(Laid::whole(Medium::Device(dev), Some(dev)));
    }
    match (&node.facts.lv, facts.lvm.as_deref()) {
        _ if node.kind == Kind::File => {
            Ok(Laid::whole(Medium::File(HostPath::new(node.name.as_str())), None))
        }
        (Some(volume), Some(lvm)) => on_pvs(lvm, volume.uuid.as_str()),
        _ => Err("it lies on no device and in no file that was seen".to_owned()),
    }
}

/// A suspended device at or below a node.
fn suspended_below(topology: &Topology, at: NodeIx, deepest: usize) -> Option<String> {
    let node = topology.node(at);
    if let Some(dm) = node.facts.dm.as_ref().filter(|dm| dm.suspended) {
        return Some(dm.name.to_string());
    }
    let deeper = deepest.checked_sub(1)?;
    node.parents.iter().find_map(|parent| suspended_below(topology, *parent, deeper))
}

/// The extents of an inactive volume on its PVs, where they hold its bytes as they are.
fn on_pvs(lvm: &LvmSeen, uuid: &str) -> Result<Laid, String> {
    let volumes = Volumes::new(lvm);
    let volume = volumes.by_uuid.get(uuid).copied().ok_or("LVM does not tell where it lies")?;
    match volume.pieces.as_slice() {
        [mirror] if mirror.segtype == "raid1" => volumes.legs(volume, mirror),
        _ => volumes.lay(volume),
    }
}

struct Volumes<'a> {
    lvm: &'a LvmSeen,
    by_uuid: HashMap<&'a str, &'a Lv>,
    pvs: HashMap<&'a str, &'a Pv>,
}

impl<'a> Volumes<'a> {
    fn new(lvm: &'a LvmSeen) -> Self {
        Self {
            lvm,
            by_uuid: lvm.lvs.iter().map(|lv| (lv.uuid.as_str(), lv)).collect(),
            pvs: lvm.pvs.iter().map(|pv| (pv.path.as_str(), pv)).collect(),
        }
    }

    /// Where a volume without legs lies.
    fn lay(&self, volume: &Lv) -> Result<Laid, String> {
        let extent = self.lvm.vgs.iter().find(|vg| vg.uuid == volume.vg_uuid);
        let extent =
            extent.and_then(|vg| vg.extent).ok_or("the size of its VG's extents is not known")?;
        let mut laid = Laid::default();
        for piece in &volume.pieces {
            match piece.segtype.as_str() {
                "linear" | "striped" => {
                    laid.spans.push(self.span(piece, extent, &mut laid.media)?);
                }
                other => {
                    return Err(format!(
                        "it is inactive, and its metadata on a {other} volume cannot be read in \
                         place; activate the pool to see it"
                    ));
                }
            }
        }
        if laid.spans.is_empty() {
            return Err("LVM does not tell on which extents it lies".to_owned());
        }
        Ok(laid)
    }

    /// The legs of a mirror, each with the volume that it keeps its state in: `NAME_rimage_N` has
    /// `NAME_rmeta_N`. One whose PV is missing is left empty, and is not read.
    fn legs(&self, volume: &Lv, mirror: &Piece) -> Result<Laid, String> {
        let named = |name: &str| {
            let mut all = self.lvm.lvs.iter();
            all.find(|lv| lv.vg_uuid == volume.vg_uuid && lv.name == name).map(|lv| self.lay(lv))
        };
        let mut legs = Vec::new();
        for (image, _) in &mirror.at {
            let state = image.replace("_rimage_", "_rmeta_");
            let lain = named(image).zip(named(&state).filter(|_| state != *image));
            let (at, superblock) =
                lain.ok_or("LVM does not tell on which volumes its mirror lies")?;
            legs.push(match (at, superblock) {
                (Ok(at), Ok(superblock)) => Leg { at, superblock },
                _ => Leg::default(),
            });
        }
        Ok(Laid { legs, ..Laid::default() })
    }

    fn span(&self, piece: &Piece, extent: Bytes, media: &mut Vec<Medium>) -> Result<Span, String> {
        let place = |(path, first): &(String, u64)| {
            let pv = self.pvs.get(path.as_str()).filter(|pv| !pv.missing);
            let pv = pv.ok_or_else(|| format!("PV {path} is missing"))?;
            let dev = pv.dev.ok_or_else(|| format!("the device of PV {path} is not known"))?;
            let offset = first
                .checked_mul(extent.get())
                .and_then(|bytes| bytes.checked_add(pv.start?.get()))
                .ok_or_else(|| format!("where the extents of PV {path} begin is not known"))?;
            Ok((Medium::Device(dev), offset))
        };
        let mut at = Vec::new();
        for place in piece.at.iter().map(place) {
            let (medium, offset): (Medium, u64) = place.map_err(|why: String| why)?;
            let source = media.iter().position(|known| *known == medium).unwrap_or_else(|| {
                media.push(medium);
                media.len() - 1
            });
            at.push((source, offset));
        }
        let length = piece.length.ok_or("the length of a segment is not known")?.get();
        let stripe = piece.stripe.filter(|stripe| stripe.get() > 0).map_or(length, Bytes::get);
        Ok(Span { length, stripe, at })
    }
}
