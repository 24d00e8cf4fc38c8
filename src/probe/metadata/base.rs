//! The uuid of the filesystem on a thin device, read where its first block lies in the pool's
//! data. Nothing is activated or mounted for it.

use std::fmt::Write;

use super::Laid;
use super::source::open;
use crate::sys::ReadHost;
use crate::units::Bytes;

/// What is read: both filesystems keep their superblock within it.
const LENGTH: usize = 4096;

/// The uuid of a filesystem that begins at this byte of the data.
pub(super) fn read_uuid(host: &dyn ReadHost, data: &Laid, at: Bytes) -> Option<String> {
    let source = open(host, data, None).ok().flatten()?;
    let mut bytes = vec![0; LENGTH];
    source.read_at(at.get(), &mut bytes).ok()?;
    uuid_in(&bytes)
}

/// Of xfs (magic at 0, uuid at 32) and ext4 (superblock at 1024, magic at 56 and uuid at 104 of
/// it); docker makes no others.
fn uuid_in(bytes: &[u8]) -> Option<String> {
    let is_xfs = bytes.starts_with(b"XFSB");
    let is_ext = bytes.get(1080..1082) == Some(&[0x53, 0xef]);
    let at = if is_xfs { 32 } else { 1128 };
    let raw = bytes.get(at..at + 16).filter(|_| is_xfs || is_ext)?;
    let mut uuid = String::with_capacity(36);
    for (at, byte) in raw.iter().enumerate() {
        let hyphen = if [4, 6, 8, 10].contains(&at) { "-" } else { "" };
        let _ = write!(uuid, "{hyphen}{byte:02x}");
    }
    Some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(magic: (usize, &[u8]), uuid_at: usize) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        bytes[magic.0..magic.0 + magic.1.len()].copy_from_slice(magic.1);
        for (nth, byte) in (0_u8..16).enumerate() {
            bytes[uuid_at + nth] = byte * 17;
        }
        bytes
    }

    #[test]
    fn a_uuid_is_read_where_xfs_and_ext4_keep_it() {
        let uuid = Some("00112233-4455-6677-8899-aabbccddeeff".to_owned());
        assert_eq!(uuid_in(&block((0, b"XFSB"), 32)), uuid);
        assert_eq!(uuid_in(&block((1080, &[0x53, 0xef]), 1128)), uuid);
    }

    #[test]
    fn another_filesystem_and_a_short_read_have_none() {
        assert_eq!(uuid_in(&vec![0; LENGTH]), None);
        assert_eq!(uuid_in(b"XFSB"), None);
        assert_eq!(uuid_in(&[]), None);
    }
}
