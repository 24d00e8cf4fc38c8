//! A pool that nothing recreates after a boot: Docker's own over two files or two devices. The
//! files are attached again and the table is built by Docker's own rules (`formats.md` 1.4);
//! nothing is written, metadata least of all.

use super::{next, volumes};
use crate::model::{Kind, Node, Pool, PoolIx, PoolKind, Topology};
use crate::plan::around::Around;
use crate::plan::shape::Shape;
use crate::plan::unit::GONE_AFTER_BOOT;
use crate::plan::{Action, Check, Draft, Refusal, find};
use crate::units::{Bytes, Sectors};

/// Docker's own low water mark, in blocks (moby, `devmapper.CreatePool`).
const LOW_WATER: u64 = 32_768;

/// Plans it.
pub(super) fn plan(topology: &Topology, ix: PoolIx) -> Result<(Draft, Shape), Refusal> {
    let pool = topology.pool(ix);
    let mut draft = Draft::about(topology, ix);
    let unknown = |what: &str| {
        Refusal::new(format!(
            "{what} of {} is not known, so its table cannot be built. Its engine makes it again \
             when it starts (systemctl start docker); or look at a recording of this host from \
             before: `thinscope --from FILE pool {}`",
            pool.name, pool.name
        ))
    };
    let (Some(data), Some(metadata)) = (pool.data, pool.metadata) else {
        if pool.kind == PoolKind::DirectLvm {
            return Err(Refusal::new(format!(
                "{} is named by its engine as a pool of LVM's, and LVM lists no such volume: its \
                 disk is not there, not unlocked (LUKS), left out by a filter or by LVM's devices \
                 file, or its group is another host's",
                pool.name
            )));
        }
        return Err(unknown("what holds data and metadata"));
    };
    if pool.contents.is_none() {
        return Err(Refusal::new(format!(
            "the metadata of {} was not read, and over a device that holds none the kernel makes a \
             new, empty pool: see the gaps of `thinscope pool {}`",
            pool.name, pool.name
        )));
    }
    let block = block(pool).ok_or_else(|| unknown("the block size"))?;
    let mut taken = Vec::new();
    let is: Vec<Check> = [metadata, data].iter().filter_map(|at| is(topology.node(*at))).collect();
    let metadata = device(&mut draft, topology, topology.node(metadata), &mut taken)?;
    let data_device = device(&mut draft, topology, topology.node(data), &mut taken)?;
    let place = topology
        .node(data)
        .size
        .map(crate::units::Bytes::sectors)
        .filter(|length| length.get() > 0)
        .ok_or_else(|| unknown("the length of the data"))?;
    let length = length(&mut draft, pool, (place, block));
    if !find::is_plain(pool.name.as_str()) {
        return Err(Refusal::new(format!("the name {} cannot stand in a command", pool.name)));
    }
    let arguments = format!("{} {LOW_WATER} 1 skip_block_zeroing", block.get());
    let shape = Shape { length, arguments };
    let table = shape.table(&metadata, &data_device);
    let name = pool.name.to_string();
    draft.push(
        Action::CreatePool { name: name.clone(), table },
        "over the metadata that is there, by Docker's own rules; the kernel reads it and writes \
         nothing",
        (
            is.into_iter().chain([Check::Inactive { name: name.clone() }]).collect(),
            vec![Check::Active { name: name.clone() }, Check::PoolWorks { pool: name }],
        ),
    );
    draft.next = next(pool);
    draft.warnings.push(format!(
        "a pool made so is {GONE_AFTER_BOOT}; Docker makes its own again when it starts, and \
         --unit writes a unit of systemd that does"
    ));
    Ok((draft, shape))
}

/// That the number in a table is still that of the device that was meant: numbers are given anew
/// at every boot, and a plan may be saved. A file is attached by its path.
fn is(node: &Node) -> Option<Check> {
    let device = node.device.filter(|_| node.kind != Kind::File)?;
    Some(Check::Is { device, id: node.id.to_string(), name: node.name.to_string() })
}

/// All of the data's place, as Docker takes it; where that was lengthened since the pool knew it,
/// what the pool knows: bringing back is no growing.
fn length(draft: &mut Draft, pool: &Pool, (place, block): (Sectors, Sectors)) -> Sectors {
    let known = pool.contents.as_ref().map(|contents| contents.data.total.get());
    let Some(known) = known.filter(|known| *known > 0) else { return place };
    if place.get() / block.get() <= known {
        return place;
    }
    draft.warnings.push(format!(
        "what holds the data of {} is longer than the pool knows: it comes back as it was, and \
         `thinscope grow {} --data {}b` takes in the rest",
        pool.name,
        pool.name,
        place.bytes().get()
    ));
    Sectors(known.saturating_mul(block.get()))
}

fn block(pool: &Pool) -> Option<Sectors> {
    let contents = pool.contents.as_ref().map(|contents| contents.block_size);
    pool.block_size.or(contents).filter(|block| block.get() > 0)
}

/// The device of a part, as a table names it; a file is attached first.
fn device(
    draft: &mut Draft,
    topology: &Topology,
    node: &Node,
    taken: &mut Vec<String>,
) -> Result<String, Refusal> {
    if node.kind != Kind::File {
        return match node.device {
            Some(number) => Ok(number.to_string()),
            None => volume(draft, topology, node),
        };
    }
    let size = node.size.unwrap_or_default();
    attached(draft, topology, (node.name.as_str(), size), taken)
}

/// The loop device over a file, attached where none is.
pub(super) fn attached(
    draft: &mut Draft,
    topology: &Topology,
    (path, size): (&str, Bytes),
    taken: &mut Vec<String>,
) -> Result<String, Refusal> {
    if let Some(attached) = loop_over(topology, path) {
        return attached
            .device
            .map(|number| number.to_string())
            .ok_or_else(|| Refusal::new(format!("{} has no number", attached.name)));
    }
    if !find::is_plain(path) {
        return Err(Refusal::new(format!("the path {path} cannot stand in a command as it is")));
    }
    let (name, path) = (free_loop(topology, taken), path.to_owned());
    taken.push(name.clone());
    draft.push(
        Action::AttachLoop { name: name.clone(), path: path.clone(), size },
        "no loop device is over it",
        (
            vec![Check::Inactive { name: name.clone() }],
            vec![Check::LoopSize { name: name.clone(), path, least: size }],
        ),
    );
    Ok(format!("/dev/{name}"))
}

/// A volume that is not active, activated first; it has no number yet that a table could name.
fn volume(draft: &mut Draft, topology: &Topology, node: &Node) -> Result<String, Refusal> {
    let Some(lv) = node.facts.lv.as_deref() else {
        return Err(Refusal::new(format!("{} is not there: find that disk first", node.name)));
    };
    let name = format!("{}/{}", lv.vg, lv.name);
    let activated = volumes::volume(topology, &Around::default(), &name)?;
    draft.steps.extend(activated.steps);
    Ok(format!("/dev/{name}"))
}

fn loop_over<'a>(topology: &'a Topology, path: &str) -> Option<&'a Node> {
    topology.nodes.iter().find(|node| {
        let facts = node.facts.loop_device.as_ref();
        facts.is_some_and(|facts| facts.backing_file.as_str() == path && facts.offset.get() == 0)
    })
}

/// The lowest loop device that is over nothing.
fn free_loop(topology: &Topology, taken: &[String]) -> String {
    let used = |name: &String| {
        let bound = topology
            .nodes
            .iter()
            .any(|node| node.name.as_str() == name && node.facts.loop_device.is_some());
        bound || taken.contains(name)
    };
    let names = (0..).map(|number| format!("loop{number}"));
    names.take(1 << 16).find(|name| !used(name)).unwrap_or_else(|| "loop0".to_owned())
}
