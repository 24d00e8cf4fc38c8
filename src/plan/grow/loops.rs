//! A pool over files behind loop devices: the file grows sparsely, the loop device sees it, the
//! pool's table gets the length.

use super::{Subject, amount, raw, words};
use crate::intent::{Amount, Grow};
use crate::model::{Kind, Node, NodeIx, Pool, Topology};
use crate::plan::around::{Around, Want};
use crate::plan::sizing::{Asked, MOST_METADATA, asked};
use crate::plan::{Action, Check, Draft, Refusal, find};
use crate::units::Bytes;

/// What must be looked at of the files under a pool.
pub(super) fn wants<'a>(topology: &'a Topology, pool: &'a Pool) -> impl Iterator<Item = Want> + 'a {
    [pool.data, pool.metadata].into_iter().flatten().flat_map(|ix| {
        let node = topology.node(ix);
        let path = node.facts.loop_device.as_ref().map(|facts| facts.backing_file.to_string());
        let backing = |path| Want::Backing { name: node.name.to_string(), path };
        path.map(|path| [Want::Space(path.clone()), backing(path)]).into_iter().flatten()
    })
}

/// Whether a pool's data lies on a loop device over a file.
pub(super) fn is_over_files(topology: &Topology, pool: &Pool) -> bool {
    pool.data.is_some_and(|ix| {
        let node = topology.node(ix);
        node.kind == Kind::Loop && node.facts.loop_device.is_some()
    })
}

/// Plans the growth.
pub(super) fn plan(
    draft: &mut Draft,
    subject: &Subject<'_>,
    wish: &Grow,
    around: &Around,
) -> Result<(), Refusal> {
    let mut sizes = [None, None];
    for (metadata, size) in [true, false].into_iter().zip(&mut sizes) {
        if let Some(amount) = amount(wish, metadata) {
            let said = wish.said(metadata).unwrap_or_default();
            *size = grow_part(draft, subject, (metadata, amount, &said), around)?;
        }
    }
    let [metadata, data] = sizes;
    if metadata.is_none() && data.is_none() {
        return Ok(());
    }
    raw::reload(draft, subject, metadata, data)
}

/// The file and the loop device of a part; the size that the part then has.
fn grow_part(
    draft: &mut Draft,
    subject: &Subject<'_>,
    (metadata, amount, said): (bool, Amount, &str),
    around: &Around,
) -> Result<Option<Bytes>, Refusal> {
    let what = if metadata { "metadata" } else { "data" };
    let node = subject.part(metadata)?;
    let below = file_below(draft, subject, node, around)?;
    let now =
        node.size.ok_or_else(|| Refusal::new(format!("the size of {} was not seen", node.name)))?;
    let length = file_length(subject.topology, &below).unwrap_or(now);
    let pool_has = raw::in_pool(subject, metadata);
    let to = match asked(amount, pool_has) {
        Asked::AllFree => {
            return Err(Refusal::new(format!(
                "100%FREE means the free extents of a volume group, and the {what} of {} lies in a \
                 file: give its length, such as 200G",
                subject.name
            )));
        }
        Asked::Less(size) => return Err(subject.shrinks(what, size, pool_has)),
        Asked::Same => return Ok(None),
        Asked::More(size) => size,
    };
    let to = capped(draft, (metadata, to), pool_has)?;
    if to.get() % 512 != 0 {
        return Err(Refusal::new(format!(
            "{} is no multiple of 512 bytes: a loop device has whole sectors",
            words(to)
        )));
    }
    let name = node.name.to_string();
    if to > length {
        warn_of_room(draft, (&below, to, length), around);
        draft.push(
            Action::GrowFile { path: below.clone(), to },
            format!(
                "the {what} of {} lies in it: {said} ({} bytes), to {}, sparse",
                subject.name,
                match amount {
                    Amount::By(_) => to.minus(pool_has).get(),
                    _ => to.get(),
                },
                words(to)
            ),
            (subject.before(), vec![Check::FileLength { path: below.clone(), least: to }]),
        );
    }
    if to > now {
        let check = |least| Check::LoopSize { name: name.clone(), path: below.clone(), least };
        let mut before = subject.before();
        before.push(check(now));
        before.push(Check::FileLength { path: below.clone(), least: to });
        draft.push(
            Action::GrowLoop { name: name.clone(), path: below.clone(), to },
            format!("{name} keeps the length that the file had when it was attached"),
            (before, vec![check(to)]),
        );
    }
    Ok(Some(to))
}

fn capped(
    draft: &mut Draft,
    (metadata, to): (bool, Bytes),
    pool_has: Bytes,
) -> Result<Bytes, Refusal> {
    if !metadata || to <= MOST_METADATA {
        return Ok(to);
    }
    if pool_has >= MOST_METADATA {
        return Err(Refusal::new("the kernel uses no more than 15.81 GiB of metadata"));
    }
    draft
        .warnings
        .push(format!("metadata is held at {}: the kernel uses no more", words(MOST_METADATA)));
    Ok(MOST_METADATA)
}

/// The file under a loop device, where the loop device is what it must be.
fn file_below(
    draft: &mut Draft,
    subject: &Subject<'_>,
    node: &Node,
    around: &Around,
) -> Result<String, Refusal> {
    let refuse = |why: String| Err(Refusal::new(why));
    let Some(facts) = node.facts.loop_device.as_deref() else {
        return refuse(format!(
            "{} of {} is no loop device: only pools over two loop devices, or over none, are grown",
            node.name, subject.name
        ));
    };
    let path = facts.backing_file.to_string();
    if facts.deleted {
        return refuse(format!(
            "the file under {} was deleted while in use ({path}): growing it would grow nothing \
             that survives; save what is in the pool first",
            node.name
        ));
    }
    if facts.offset.get() != 0 {
        return refuse(format!(
            "{} begins {} sectors into {path}: the length of the file is not that of the device; \
             thinscope grows only what is the whole file",
            node.name,
            facts.offset.get()
        ));
    }
    if !find::is_plain(&path) || !path.starts_with('/') {
        return refuse(format!("the path {path} cannot stand in a command as it is"));
    }
    match around.backings.get(node.name.as_str()) {
        Some(Ok(false)) => {
            return refuse(format!(
                "{path} is not the file under {} any more: it was replaced, or something is \
                 mounted over it. Growing it would grow another file; put the file back, or look \
                 with `losetup --list` and `findmnt --target {path}`",
                node.name
            ));
        }
        Some(Err(why)) => draft.warnings.push(format!(
            "whether {path} is the very file under {} could not be told: {why}",
            node.name
        )),
        Some(Ok(true)) | None => {}
    }
    if let Some(other) = other_loop(subject.topology, node, &path) {
        return refuse(format!(
            "{other} is over {path} too: two loop devices on one file write over each other; \
             detach the one that is not in use (losetup -d /dev/{other})"
        ));
    }
    Ok(path)
}

fn other_loop(topology: &Topology, node: &Node, path: &str) -> Option<String> {
    topology
        .nodes
        .iter()
        .find(|other| {
            let facts = other.facts.loop_device.as_ref();
            other.name != node.name
                && facts.is_some_and(|facts| facts.backing_file.as_str() == path)
        })
        .map(|other| other.name.to_string())
}

fn file_length(topology: &Topology, path: &str) -> Option<Bytes> {
    let is_it = |ix: &NodeIx| {
        let node = topology.node(*ix);
        node.facts.file.is_some() && node.name.as_str() == path
    };
    topology.indices().find(is_it).and_then(|ix| topology.node(ix).size)
}

/// A sparse file promises what its filesystem may not have.
fn warn_of_room(draft: &mut Draft, (path, to, length): (&str, Bytes, Bytes), around: &Around) {
    match around.spaces.get(path) {
        Some(free) if *free < to.minus(length) => draft.warnings.push(format!(
            "the filesystem of {path} has {} left and the file is promised {} more: when that \
             fills, writes into the pool fail with I/O errors",
            words(*free),
            words(to.minus(length))
        )),
        Some(_) => {}
        None => {
            draft.warnings.push(format!("how much room the filesystem of {path} has was not seen"));
        }
    }
}
