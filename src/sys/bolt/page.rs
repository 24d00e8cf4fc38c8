//! One page of a bolt database: its header and its elements, all within bounds.

/// Bytes of a page's header.
pub(super) const HEADER: usize = 16;
/// Bytes of one element.
pub(super) const ELEMENT: usize = 16;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// An element's flag: its value is a bucket.
const BUCKET: u32 = 0x01;

/// A page with its overflow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    bytes: &'a [u8],
    flags: u16,
    count: u16,
    /// The number it says of itself.
    pub number: u64,
}

/// A key with its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    pub bucket: bool,
}

/// How many bytes a page takes with its overflow, by its header.
pub(super) fn length(header: &[u8], page_size: usize) -> Option<usize> {
    let overflow = usize::try_from(le_u32(header, 12)?).ok()?;
    overflow.checked_add(1)?.checked_mul(page_size)
}

impl<'a> Page<'a> {
    /// The page that these bytes are, overflow included. An inline one says that it is page 0.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        Some(Self {
            bytes,
            flags: le_u16(bytes, 8)?,
            count: le_u16(bytes, 10)?,
            number: le_u64(bytes, 0)?,
        })
    }

    pub(super) const fn is_branch(&self) -> bool {
        self.flags & BRANCH != 0
    }

    pub(super) const fn is_leaf(&self) -> bool {
        self.flags & LEAF != 0
    }

    /// Page numbers of a branch's children, in order.
    pub(super) fn children(&self) -> Option<Vec<u64>> {
        self.places().map(|at| le_u64(self.bytes, at + 8)).collect()
    }

    /// A leaf's elements, in order.
    pub(super) fn leaf_elements(&self) -> Option<Vec<Element<'a>>> {
        self.places().map(|at| self.leaf_element(at)).collect()
    }

    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        (0..usize::from(self.count)).map(|nth| HEADER + nth * ELEMENT)
    }

    fn leaf_element(&self, at: usize) -> Option<Element<'a>> {
        let number = |offset| usize::try_from(le_u32(self.bytes, at + offset)?).ok();
        let key_at = at.checked_add(number(4)?)?;
        let value_at = key_at.checked_add(number(8)?)?;
        let end = value_at.checked_add(number(12)?)?;
        Some(Element {
            key: self.bytes.get(key_at..value_at)?,
            value: self.bytes.get(value_at..end)?,
            bucket: le_u32(self.bytes, at)? & BUCKET != 0,
        })
    }
}

// bolt writes in the byte order of its machine; all those that docker's driver ran on in numbers
// are little-endian, and another's magic does not match

fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn le_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
