//! The unit of systemd that makes a pool again at every boot, where LVM does not own it and so
//! nothing else does: its text, and the steps that put it in place.
//!
//! The unit needs nothing of thinscope: it attaches files, looks whether a pool's metadata is
//! there, and makes the device. Device numbers are not the same after a boot, so parts are named
//! by file or by volume.

use super::around::{Around, Want};
use super::recall::{PartWas, Recall};
use super::shape::Shape;
use super::{Action, Check, Draft, Refusal};
use crate::model::{BootUnit, Kind, Node, Pool, PoolIx, Topology};
use crate::units::Bytes;

/// What the first line of a unit of ours begins with; a file without it is never touched.
pub const MARK: &str = "# Written by thinscope:";
/// What is said of a pool that is made again by hand.
pub(super) const GONE_AFTER_BOOT: &str = "gone again after the next boot";
/// Where an administrator's units are.
const FOLDER: &str = "/etc/systemd/system";
/// What reads a unit as systemd would.
const VERIFIER: &str = "/usr/bin/systemd-analyze";

/// What must be looked at beside the topology.
pub(super) fn wants() -> Vec<Want> {
    vec![Want::File(VERIFIER.to_owned())]
}

/// Whether a unit makes sense for a pool: LVM brings back its own.
pub fn is_for(pool: &Pool) -> bool {
    pool.lv.is_none()
}

/// The unit of a pool, where thinscope wrote one and it is started at boot.
pub fn is_kept(topology: &Topology, pool: &Pool) -> bool {
    let name = name(pool.name.as_str());
    let mine = |unit: &&BootUnit| unit.name.as_str() == name;
    let unit = topology.host.units.iter().flatten().find(mine);
    unit.is_some_and(|unit| unit.enabled && is_ours(unit, pool.name.as_str()))
}

fn is_ours(unit: &BootUnit, pool: &str) -> bool {
    let first = first_line(pool);
    unit.lines.first().is_some_and(|line| line.as_str().starts_with(&first))
}

/// How the first line of a pool's unit begins.
fn first_line(pool: &str) -> String {
    format!("{MARK} the thin pool {pool},")
}

/// Without the colons of Docker's names: `systemd-analyze verify` takes what follows one for an
/// alias.
fn name(pool: &str) -> String {
    format!("thinscope-pool-{}.service", pool.replace(':', "_"))
}

/// Adds the steps that write the unit and have it started at boot, as far as they are needed.
pub(super) fn add(
    draft: Draft,
    (topology, ix): (&Topology, PoolIx),
    around: &Around,
    shape: Option<Shape>,
) -> Result<Draft, Refusal> {
    let pool = topology.pool(ix);
    let text = text(topology, pool, shape)?;
    let about = Draft::about(topology, ix);
    put(draft, topology, (pool.name.as_str(), &text, about), around)
}

/// The same for a pool that only an earlier look knows.
pub(super) fn add_recalled(
    draft: Draft,
    topology: &Topology,
    (recall, shape): (&Recall, &Shape),
    around: &Around,
) -> Result<Draft, Refusal> {
    let was = &recall.was;
    plain_name(&was.pool)?;
    let (metadata, data) = (part_was(topology, &was.metadata)?, part_was(topology, &was.data)?);
    let text = written(
        &was.pool,
        (&metadata, &data),
        (&length(shape, recall.data_size), &shape.arguments),
    );
    let about = Draft { names: vec![was.pool.clone()], ..Draft::default() };
    put(draft, topology, (&was.pool, &text, about), around)
}

fn put(
    mut draft: Draft,
    topology: &Topology,
    (pool, text, about): (&str, &str, Draft),
    around: &Around,
) -> Result<Draft, Refusal> {
    let name = name(pool);
    let path = format!("{FOLDER}/{name}");
    let there = there((topology, pool), &name, &path)?;
    let is_written = there.is_some_and(|unit| same(unit, text));
    if is_written && there.is_some_and(|unit| unit.enabled) {
        if let Some(already) = &mut draft.already {
            *already = format!("{already}, and {name} makes it again at every boot");
        }
        return Ok(draft);
    }
    if draft.already.is_some() {
        draft = about;
    }
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let written = Check::Unit { name: name.clone(), lines: Some(lines.clone()) };
    if !is_written {
        let was = there.map(|unit| unit.lines.iter().map(ToString::to_string).collect());
        let before = vec![Check::Unit { name: name.clone(), lines: was.clone() }];
        let why = match was {
            None => "LVM does not own the pool, and nothing makes it again after a boot",
            Some(_) => "the unit that thinscope wrote before says something else",
        };
        let replaces = was.is_some();
        draft.push(
            Action::WriteUnit { path: path.clone(), name: name.clone(), lines, replaces },
            why,
            (before, vec![written.clone()]),
        );
    }
    let verify = around.files.get(VERIFIER) == Some(&true);
    draft.push(
        Action::EnableUnit { path, name: name.clone(), verify },
        if verify {
            "read first as systemd would read it; a unit is started at boot only when that was \
             asked for"
        } else {
            "a unit is started at boot only when that was asked for"
        },
        (vec![written], vec![Check::UnitEnabled { name }]),
    );
    // the warning that it is gone after a boot holds no more
    draft.warnings.retain(|warning| !warning.contains(GONE_AFTER_BOOT));
    Ok(draft)
}

/// Adds the step that writes a unit of ours again, where what it makes at boot is another pool than
/// the one that the steps so far leave. What keeps it from being written is told.
pub(super) fn renew(draft: &mut Draft, topology: &Topology, ix: PoolIx) {
    let pool = topology.pool(ix);
    let name = name(pool.name.as_str());
    let found = topology.host.units.iter().flatten().find(|unit| unit.name.as_str() == name);
    let Some(unit) = found.filter(|unit| is_for(pool) && is_ours(unit, pool.name.as_str())) else {
        return;
    };
    let mut after = topology.clone();
    draft.steps.iter().for_each(|step| step.action.predict(&mut after));
    let text = match text(&after, after.pool(ix), None) {
        Ok(text) => text,
        Err(refusal) => {
            return draft.warnings.push(format!(
                "{name} makes the pool at boot and cannot be written again: {}",
                refusal.why
            ));
        }
    };
    if same(unit, &text) {
        return;
    }
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let was = unit.lines.iter().map(ToString::to_string).collect();
    let check = |lines| Check::Unit { name: name.clone(), lines: Some(lines) };
    draft.push(
        Action::WriteUnit {
            path: format!("{FOLDER}/{name}"),
            name: name.clone(),
            lines: lines.clone(),
            replaces: true,
        },
        "it would make the pool with its old length at the next boot, which the kernel refuses",
        (vec![check(was)], vec![check(lines)]),
    );
}

/// What has the unit's name already, unless it is somebody else's.
fn there<'a>(
    (topology, pool): (&'a Topology, &str),
    name: &str,
    path: &str,
) -> Result<Option<&'a BootUnit>, Refusal> {
    let units = topology.host.units.as_ref().ok_or_else(|| {
        Refusal::new(format!(
            "{FOLDER} was not seen: without systemd there is nothing that a unit could be for"
        ))
    })?;
    match units.iter().find(|unit| unit.name.as_str() == name) {
        Some(unit) if !is_ours(unit, pool) => Err(Refusal::new(format!(
            "{path} is there and was not written by thinscope for this pool: it is left as it is; \
             move it away, then ask again"
        ))),
        found => Ok(found),
    }
}

fn same(unit: &BootUnit, text: &str) -> bool {
    unit.lines.iter().map(crate::text::Printable::as_str).eq(text.lines())
}

/// A part of a pool, by a name that holds over a boot.
enum Part {
    File(String),
    Volume(String),
}

fn text(topology: &Topology, pool: &Pool, shape: Option<Shape>) -> Result<String, Refusal> {
    let name = pool.name.as_str();
    if !is_for(pool) {
        return Err(Refusal::new(format!(
            "{name} is LVM's, which activates it at boot by itself: a unit is for pools that LVM \
             does not own; `vgs -o +autoactivation` tells whether it will"
        )));
    }
    plain_name(name)?;
    let shape = shape.or_else(|| Shape::of_line(live_line(topology, pool)?)).ok_or_else(|| {
        Refusal::new(format!("the table of {name} was not seen, so no unit can be made of it"))
    })?;
    let metadata = part(topology, pool, true)?;
    let data = part(topology, pool, false)?;
    let whole = pool.data.and_then(|at| topology.node(at).size);
    Ok(written(name, (&metadata, &data), (&length(&shape, whole), &shape.arguments)))
}

/// What a unit's name may hold, which is also what no shell reads more into.
fn plain_name(name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.".contains(&byte);
    if name.bytes().all(plain) {
        return Ok(());
    }
    Err(Refusal::new(format!("the name {name} cannot stand in the name of a unit")))
}

/// The length in the unit's table: that of the whole place where the pool takes all of it, so that
/// a pool that grows meanwhile is found with the length that it then has.
fn length(shape: &Shape, whole: Option<Bytes>) -> String {
    if whole.map(Bytes::sectors) == Some(shape.length) {
        "$$(blockdev --getsz \"$$data\")".to_owned()
    } else {
        shape.length.get().to_string()
    }
}

fn live_line<'a>(topology: &'a Topology, pool: &Pool) -> Option<&'a str> {
    match topology.node(pool.node).facts.dm.as_deref()?.table.as_slice() {
        [line] => Some(line.as_str()),
        _ => None,
    }
}

fn part(topology: &Topology, pool: &Pool, metadata: bool) -> Result<Part, Refusal> {
    let what = if metadata { "metadata" } else { "data" };
    let at = if metadata { pool.metadata } else { pool.data };
    let node = at.map(|at| topology.node(at)).ok_or_else(|| {
        Refusal::new(format!("what holds the {what} of {} was not seen", pool.name))
    })?;
    if let Some(path) = volume_of(node) {
        return plain_path(&path).map(|()| Part::Volume(path));
    }
    let file = file_of(node).ok_or_else(|| no_name(node.name.as_str()))?;
    plain_path(&file).map(|()| Part::File(file))
}

fn part_was(topology: &Topology, was: &PartWas) -> Result<Part, Refusal> {
    if let Some(path) = &was.file {
        return plain_path(path).map(|()| Part::File(path.clone()));
    }
    let node = topology.nodes.iter().find(|node| node.id.as_str() == was.id);
    match node.and_then(volume_of) {
        Some(path) => plain_path(&path).map(|()| Part::Volume(path)),
        None => Err(no_name(&was.name)),
    }
}

/// The path that a volume of LVM has after every boot.
fn volume_of(node: &Node) -> Option<String> {
    let lv = node.facts.lv.as_ref()?;
    Some(format!("/dev/mapper/{}-{}", doubled(lv.vg.as_str()), doubled(lv.name.as_str())))
}

fn no_name(node: &str) -> Refusal {
    Refusal::new(format!(
        "a part of it lies on {node}, whose name may be another one's after a boot: a unit is made \
         for files and for volumes of LVM"
    ))
}

/// The whole of a file that is still there.
fn file_of(node: &Node) -> Option<String> {
    if node.kind == Kind::File {
        return Some(node.name.to_string());
    }
    let facts = node.facts.loop_device.as_deref()?;
    (!facts.deleted && facts.offset.get() == 0).then(|| facts.backing_file.to_string())
}

/// Device-mapper doubles the hyphens within the names that it joins by one.
fn doubled(name: &str) -> String {
    name.replace('-', "--")
}

/// Nothing that systemd or a shell reads more into.
fn plain_path(path: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:-_.+@=,".contains(&byte);
    if path.starts_with('/') && path.bytes().all(plain) {
        return Ok(());
    }
    Err(Refusal::new(format!("the path {path} cannot stand in a unit as it is")))
}

fn written(
    name: &str,
    (metadata, data): (&Part, &Part),
    (length, arguments): (&str, &str),
) -> String {
    let (meta_needs, meta_is) = placed("meta", metadata);
    let (data_needs, data_is) = placed("data", data);
    // two files in one folder need it once
    let first = first_line(name);
    let needs = if meta_needs == data_needs { meta_needs } else { meta_needs + &data_needs };
    format!(
        "{first} made again at boot.
# It is replaced only while the line above begins so. Its parts are attached and the device is
# made; nothing is written. Over anything but the metadata of a pool nothing is made, for over
# nothing the kernel would make a new, empty pool.
[Unit]
Description=Thin pool {name}
ConditionPathExists=!/dev/mapper/{name}
{needs}Before=docker.service containerd.service crio.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -euc ' \\
  attached() {{ losetup -n -O NAME -j \"$$1\" | head -n 1; }}; \\
  {meta_is}; \\
  {data_is}; \\
  magic=$$(od -An -tx1 -j32 -N4 \"$$meta\" | tr -d \" \"); \\
  [ \"$$magic\" = {MAGIC} ] || {{ echo \"no metadata of a pool is on $$meta\" >&2; exit 1; }}; \\
  exec dmsetup create {name} --table \"0 {length} thin-pool $$meta $$data {arguments}\"'

[Install]
WantedBy=multi-user.target
"
    )
}

/// The magic number 27022010 of a pool's superblock, little-endian, as `od` prints it.
const MAGIC: &str = "ba529c01";

/// What a part needs at boot, as lines of a unit, and how a shell comes by its device.
fn placed(variable: &str, part: &Part) -> (String, String) {
    match part {
        Part::File(path) => {
            let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            let needs = format!("RequiresMountsFor={folder}\n");
            let is = format!(
                "{variable}=$$(attached {path}); \
                 [ -n \"$${variable}\" ] || {variable}=$$(losetup -f --show {path})"
            );
            (needs, is)
        }
        Part::Volume(path) => {
            let device = device_unit(path);
            (format!("Requires={device}\nAfter={device}\n"), format!("{variable}={path}"))
        }
    }
}

/// The name that systemd gives a device's unit.
fn device_unit(path: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'/' => "-".to_owned(),
        byte if byte.is_ascii_alphanumeric() || b":_.".contains(&byte) => {
            char::from(byte).to_string()
        }
        byte => format!("\\x{byte:02x}"),
    };
    let name: Vec<String> = path.trim_start_matches('/').bytes().map(escaped).collect();
    name.concat() + ".device"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_the_unit_that_systemd_gives_it() {
        assert_eq!(
            device_unit("/dev/mapper/my--vg-data"),
            "dev-mapper-my\\x2d\\x2dvg\\x2ddata.device"
        );
    }
}
