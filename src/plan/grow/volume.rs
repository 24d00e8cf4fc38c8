//! An LVM thin volume and the filesystem on it.

use super::words;
use crate::intent::{Amount, GrowVolume};
use crate::model::{Kind, Topology};
use crate::plan::sizing::{Asked, asked, extents_up};
use crate::plan::{Action, Check, Draft, Refusal, find};

/// Plans the growth.
pub(in crate::plan) fn plan(wish: &GrowVolume, topology: &Topology) -> Result<Draft, Refusal> {
    let name = wish.volume.strip_prefix("/dev/").unwrap_or(&wish.volume);
    let node = find::volume(topology, name).ok_or_else(|| {
        Refusal::unknown(format!("there is no logical volume {name}: give VG/LV"))
    })?;
    let lv = node.facts.lv.as_deref();
    if node.kind != Kind::Thin {
        return Err(Refusal::new(format!(
            "{name} is no thin volume but {}: a pool grows with --data and --metadata",
            node.kind.name()
        )));
    }
    let size = find::committed(node)
        .ok_or_else(|| Refusal::new(format!("the size of {name} was not seen")))?;
    let external = lv.and_then(|lv| lv.origin.as_ref()).is_some_and(|origin| {
        let (group, _) = name.split_once('/').unwrap_or((name, ""));
        let origin = find::volume(topology, &format!("{group}/{origin}"));
        origin.is_some_and(|origin| origin.kind != Kind::Thin)
    });
    if external {
        return Err(Refusal::new(format!(
            "{name} has an external origin: LVM does not extend such a volume"
        )));
    }
    let (Amount::To(_) | Amount::By(_)) = wish.size else {
        return Err(Refusal::new(
            "a thin volume has no share of its group's free extents: give a size",
        ));
    };
    let to = match asked(wish.size, size) {
        Asked::More(to) => to,
        Asked::Less(to) => {
            return Err(Refusal::new(format!(
                "{name} has {} and {} was asked for: thinscope never shrinks a volume",
                words(size),
                words(to)
            )));
        }
        _ => return Ok(Draft::already(format!("{name} has {} already", words(size)))),
    };
    let group = name.split_once('/').map_or("", |(group, _)| group);
    let extent = find::group(topology, group).and_then(|group| group.facts.vg.as_ref()?.extent);
    let to = extent.map_or(to, |extent| extents_up(to, extent).bytes(extent));
    let mut draft = Draft { names: vec![name.to_owned()], ..Draft::default() };
    draft.identity =
        find::identity_of(topology, name).map(|id| (name.to_owned(), id)).into_iter().collect();
    let volume = || name.to_owned();
    let least = to;
    let recorded = Check::VolumeSize { volume: volume(), least };
    let taken = Check::DeviceSize { volume: volume(), least };
    draft.push(
        Action::GrowThin { volume: volume(), to },
        format!("to {}; its pool gives blocks as they are written", words(to)),
        (vec![Check::VolumeIs { volume: volume(), size }], vec![recorded.clone(), taken.clone()]),
    );
    if node.mountpoints.is_empty() {
        draft.warnings.push(format!(
            "{name} is not mounted: only the volume grows; the filesystem on it is grown by its own \
             tool (resize2fs, xfs_growfs)"
        ));
        return Ok(draft);
    }
    draft.push(
        Action::GrowFilesystem { volume: volume() },
        "to the size of the volume, mounted as it is",
        // nothing that is looked at tells a filesystem's size: fsadm's own word is what there is
        (vec![recorded.clone(), taken.clone()], vec![recorded, taken]),
    );
    Ok(draft)
}
