//! One metadata block: numbers put into it, and its checksum.

pub(crate) const BLOCK: usize = 4096;

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
        crc
    })
}

pub(crate) const SUPERBLOCK_SALT: u32 = 160_774;
pub(crate) const NODE_SALT: u32 = 121_107;
pub(crate) const BITMAP_SALT: u32 = 240_779;
pub(crate) const INDEX_SALT: u32 = 160_478;

/// Writes the checksum that a block of this kind needs.
pub(crate) fn seal(block: &mut [u8], salt: u32) {
    let sum = !crc32c::crc32c(&block[4..]) ^ salt;
    block[..4].copy_from_slice(&sum.to_le_bytes());
}

pub(crate) fn put32(block: &mut [u8], at: usize, value: u32) {
    block[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub(crate) fn put64(block: &mut [u8], at: usize, value: u64) {
    block[at..at + 8].copy_from_slice(&value.to_le_bytes());
}
