//! Device-mapper's binary answers, read by offset with every bound checked.
//!
//! Layouts from `linux/dm-ioctl.h`; integers are in the machine's own order. Knows no files and
//! no ioctls: bytes in, values out.

use crate::ids::DevNo;
use crate::sys::live::ioctl::HEADER_LEN;
use crate::sys::{DmListed, DmTarget, Raw};

/// `DM_READONLY_FLAG` and its neighbours: bits of the header's `flags`.
pub(in crate::sys::live) mod flag {
    pub(in crate::sys::live) const READ_ONLY: u32 = 1 << 0;
    /// Also what tells a suspend from a resume: they are one command.
    pub(in crate::sys::live) const SUSPENDED: u32 = 1 << 1;
    pub(in crate::sys::live) const STATUS_TABLE: u32 = 1 << 4;
    pub(in crate::sys::live) const INACTIVE_PRESENT: u32 = 1 << 6;
    pub(in crate::sys::live) const BUFFER_FULL: u32 = 1 << 8;
    pub(in crate::sys::live) const SKIP_LOCKFS: u32 = 1 << 10;
    pub(in crate::sys::live) const NO_FLUSH: u32 = 1 << 11;
    pub(in crate::sys::live) const QUERY_INACTIVE_TABLE: u32 = 1 << 12;
    pub(in crate::sys::live) const DEFERRED_REMOVE: u32 = 1 << 17;
}

const VERSION_AT: usize = 0;
const DATA_SIZE_AT: usize = 12;
const DATA_START_AT: usize = 16;
const TARGET_COUNT_AT: usize = 20;
const OPEN_COUNT_AT: usize = 24;
const FLAGS_AT: usize = 28;
const EVENT_NR_AT: usize = 32;
const DEV_AT: usize = 40;
const NAME: std::ops::Range<usize> = 48..176;
const UUID: std::ops::Range<usize> = 176..305;

/// Length of `struct dm_target_spec`, before its parameters.
const SPEC_LEN: usize = 40;
/// Length of a target's type in it, with the NUL at its end.
const KIND_LEN: usize = 16;
/// Where the name begins in `struct dm_name_list`.
const LISTED_NAME_AT: usize = 12;

/// A request's header. The version is the lowest that the interface has had since 2.6: a kernel
/// refuses a newer minor than its own, and none of these commands needs one.
pub(in crate::sys::live) fn request(dev: Option<DevNo>, flags: u32) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let length = u32::try_from(HEADER_LEN).unwrap_or(u32::MAX);
    put(&mut header, VERSION_AT, &4_u32.to_ne_bytes());
    put(&mut header, DATA_START_AT, &length.to_ne_bytes());
    put(&mut header, FLAGS_AT, &flags.to_ne_bytes());
    put(&mut header, DEV_AT, &dev.map_or(0, DevNo::to_huge).to_ne_bytes());
    header
}

/// A request that puts a table into a device's inactive slot; `None` when a target's type or
/// parameters cannot be written down, which none of the kernel's can fail to.
pub(in crate::sys::live) fn load_request(
    dev: DevNo,
    flags: u32,
    table: &[DmTarget],
) -> Option<Vec<u8>> {
    let mut header = request(Some(dev), flags);
    put(&mut header, TARGET_COUNT_AT, &u32::try_from(table.len()).ok()?.to_ne_bytes());
    let mut bytes = header.to_vec();
    for target in table {
        push_target(&mut bytes, target)?;
    }
    u32::try_from(bytes.len()).ok().map(|_| bytes)
}

/// One `struct dm_target_spec` and its parameters. When a table is loaded, `next` counts from
/// this target's own beginning, which newer kernels want aligned to 8 bytes.
fn push_target(bytes: &mut Vec<u8>, target: &DmTarget) -> Option<()> {
    let (kind, params) = (target.kind.as_bytes(), &target.params.0);
    if kind.len() > KIND_LEN - 1 || kind.contains(&0) || params.contains(&0) {
        return None;
    }
    let length = (SPEC_LEN + params.len() + 1).next_multiple_of(8);
    let end = bytes.len().checked_add(length)?;
    bytes.extend_from_slice(&target.start.to_ne_bytes());
    bytes.extend_from_slice(&target.length.to_ne_bytes());
    bytes.extend_from_slice(&0_i32.to_ne_bytes());
    bytes.extend_from_slice(&u32::try_from(length).ok()?.to_ne_bytes());
    bytes.extend_from_slice(kind);
    bytes.resize(bytes.len() + KIND_LEN - kind.len(), 0);
    bytes.extend_from_slice(params);
    bytes.resize(end, 0);
    Some(())
}

/// A message to the target at the device's first sector, as it follows the header: the sector, the
/// words, a zero byte (`struct dm_target_msg`).
pub(super) fn message(words: &str) -> Vec<u8> {
    let sector = 0_u64.to_ne_bytes();
    sector.into_iter().chain(words.bytes()).chain([0]).collect()
}

fn put(header: &mut [u8; HEADER_LEN], at: usize, bytes: &[u8]) {
    if let Some(place) = header.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Up to the first NUL, or all of it.
fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(&[])
}

/// The header of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sys::live) struct Header {
    pub version: [u32; 3],
    pub target_count: u32,
    pub open_count: i32,
    pub flags: u32,
    pub event_nr: u32,
    pub name: Raw,
    pub uuid: Raw,
}

/// Reads an answer's header; `None` when it is shorter than one.
pub(in crate::sys::live) fn parse_header(answer: &[u8]) -> Option<Header> {
    let open_count = u32_at(answer, OPEN_COUNT_AT)?;
    Some(Header {
        version: [
            u32_at(answer, VERSION_AT)?,
            u32_at(answer, VERSION_AT + 4)?,
            u32_at(answer, VERSION_AT + 8)?,
        ],
        target_count: u32_at(answer, TARGET_COUNT_AT)?,
        open_count: open_count.cast_signed(),
        flags: u32_at(answer, FLAGS_AT)?,
        event_nr: u32_at(answer, EVENT_NR_AT)?,
        name: Raw(text(answer.get(NAME)?).to_vec()),
        uuid: Raw(text(answer.get(UUID)?).to_vec()),
    })
}

/// What follows the header, as far as the answer says that it is filled.
fn data(answer: &[u8]) -> Option<&[u8]> {
    let start = usize::try_from(u32_at(answer, DATA_START_AT)?).ok()?;
    let end = usize::try_from(u32_at(answer, DATA_SIZE_AT)?).ok()?.min(answer.len());
    answer.get(start..end.max(start))
}

/// Reads the answer to `DM_LIST_DEVICES`; `None` when an entry does not fit.
///
/// From interface version 4.37.0 an event number follows each name, aligned to 8 bytes.
pub(in crate::sys::live) fn parse_list(answer: &[u8], version: [u32; 3]) -> Option<Vec<DmListed>> {
    let data = data(answer)?;
    let mut listed = Vec::new();
    let mut at = 0;
    loop {
        let entry = data.get(at..)?;
        let dev = match u64_at(entry, 0) {
            // no device at all is one entry with the number 0, or on the way nothing
            None | Some(0) if listed.is_empty() => return Some(listed),
            dev => DevNo::from_huge(dev?),
        };
        let next = usize::try_from(u32_at(entry, 8)?).ok()?;
        let own = if next == 0 { entry } else { entry.get(..next)? };
        let name = text(own.get(LISTED_NAME_AT..)?);
        let event_at = (LISTED_NAME_AT + name.len() + 1).next_multiple_of(8);
        let event_nr = if version >= [4, 37, 0] { u32_at(own, event_at) } else { None };
        listed.push(DmListed { dev, name: Raw(name.to_vec()), event_nr });
        // an entry is at least as long as its fixed part, so this ends
        match next {
            0 => return Some(listed),
            1..LISTED_NAME_AT => return None,
            _ => at = at.checked_add(next)?,
        }
    }
}

/// Reads the answer to `DM_TABLE_STATUS`; `None` when a target does not fit. `next` of a target
/// counts from the first one.
pub(in crate::sys::live) fn parse_targets(answer: &[u8], count: u32) -> Option<Vec<DmTarget>> {
    let data = data(answer)?;
    let mut targets = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let spec = data.get(at..)?;
        let next = usize::try_from(u32_at(spec, 20)?).ok()?;
        targets.push(DmTarget {
            start: u64_at(spec, 0)?,
            length: u64_at(spec, 8)?,
            kind: String::from_utf8_lossy(text(spec.get(24..SPEC_LEN)?)).into_owned(),
            params: Raw(text(spec.get(SPEC_LEN..)?).to_vec()),
        });
        if next <= at && targets.len() < usize::try_from(count).ok()? {
            return None;
        }
        at = next;
    }
    Some(targets)
}

/// Reads the answer to `DM_TABLE_DEPS`; `None` when it is shorter than it says.
pub(in crate::sys::live) fn parse_deps(answer: &[u8]) -> Option<Vec<DevNo>> {
    let data = data(answer)?;
    let count = usize::try_from(u32_at(data, 0)?).ok()?;
    let end = count.checked_mul(8)?.checked_add(8)?;
    let (numbers, _) = data.get(8..end)?.as_chunks::<8>();
    Some(numbers.iter().map(|number| DevNo::from_huge(u64::from_ne_bytes(*number))).collect())
}

#[cfg(test)]
mod tests;
