//! Reads a bolt database that somebody else may have open, without its lock: a copy of the file
//! in memory, walked read-only (`formats.md` 3.6).
//!
//! Every number of the file is checked before it is followed, and no page is visited twice, so
//! that a damaged file ends in an error and never in a panic, a loop or much memory. Whether a
//! copy of a live file is whole is told by [`Bolt::transaction`] of a second copy. Knows nothing
//! of what the keys mean.

mod page;

use std::collections::HashSet;

use page::{Page, le_u32, le_u64};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Where a meta begins within its page: after the page's header.
const META_AT: usize = page::HEADER;
/// Bytes of a meta that its checksum covers.
const META_SUMMED: usize = 56;
/// Page sizes of the systems that a database may come from.
const PAGE_SIZES: [usize; 7] = [1024, 2048, 4096, 8192, 16384, 32768, 65536];

/// Why a database cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoltError {
    /// No meta page is valid.
    #[error("it is no bolt database, or both of its meta pages are damaged")]
    NoMeta,
    /// A page or element leads out of the file or page.
    #[error("page {0} of the database is damaged")]
    Damaged(u64),
    /// Pages refer to each other in a circle, or claim more than the file can hold.
    #[error("the database's pages refer to each other in a circle")]
    Circle,
}

/// A database in memory.
#[derive(Clone, Copy, Debug)]
pub struct Bolt<'a> {
    bytes: &'a [u8],
    page_size: usize,
    root: u64,
    transaction: u64,
}

impl<'a> Bolt<'a> {
    /// Chooses the valid meta page of the newest transaction.
    pub fn open(bytes: &'a [u8]) -> Result<Self, BoltError> {
        let first = Self::meta(bytes, 0);
        let sizes = match &first {
            Some(first) => vec![first.page_size],
            None => PAGE_SIZES.to_vec(),
        };
        // the second meta is on the second page, whose place the page size tells
        let second = sizes
            .into_iter()
            .find_map(|size| Self::meta(bytes, size).filter(|meta| meta.page_size == size));
        let newest = first.into_iter().chain(second).max_by_key(|meta| meta.transaction);
        newest.ok_or(BoltError::NoMeta)
    }

    fn meta(bytes: &'a [u8], page_at: usize) -> Option<Self> {
        let meta = bytes.get(page_at.checked_add(META_AT)?..)?;
        let summed = meta.get(..META_SUMMED)?;
        let page_size = usize::try_from(le_u32(meta, 8)?).ok()?;
        let good = le_u32(meta, 0)? == MAGIC
            && le_u32(meta, 4)? == VERSION
            && le_u64(meta, META_SUMMED)? == fnv1a(summed)
            && PAGE_SIZES.contains(&page_size);
        good.then_some(())?;
        Some(Self { bytes, page_size, root: le_u64(meta, 16)?, transaction: le_u64(meta, 48)? })
    }

    /// The newest transaction. A copy is a whole picture when this is still the newest in a copy
    /// begun after it was ended: until the next commit nothing it reaches is overwritten.
    pub const fn transaction(&self) -> u64 {
        self.transaction
    }

    /// The bucket of all top-level keys.
    pub const fn root(&self) -> Bucket<'a> {
        Bucket { db: *self, place: Place::Page(self.root) }
    }

    fn page(&self, number: u64) -> Result<Page<'a>, BoltError> {
        let damaged = BoltError::Damaged(number);
        let at = usize::try_from(number).ok().and_then(|number| number.checked_mul(self.page_size));
        let bytes = at.and_then(|at| self.bytes.get(at..)).ok_or(damaged.clone())?;
        let page = Page::parse(bytes, number, self.page_size).ok_or(damaged.clone())?;
        // a page says its own number
        if page.number == number { Ok(page) } else { Err(damaged) }
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A sorted map of keys to values and further buckets.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    db: Bolt<'a>,
    place: Place<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    /// A tree that begins at this page.
    Page(u64),
    /// A small bucket, whole within its parent's value.
    Inline(&'a [u8]),
}

/// What stands under a key.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// A bucket.
    Bucket(Bucket<'a>),
}

impl<'a> Bucket<'a> {
    /// All entries in the order of their keys.
    pub fn entries(&self) -> Result<Vec<(&'a [u8], Value<'a>)>, BoltError> {
        let mut entries = Vec::new();
        match self.place {
            Place::Inline(bytes) => {
                let page = Page::parse(bytes, 0, bytes.len()).ok_or(BoltError::Damaged(0))?;
                self.put_leaf(&page, &mut entries)?;
            }
            Place::Page(root) => self.walk(root, &mut entries)?,
        }
        Ok(entries)
    }

    /// Depth first with a stack of its own: a damaged file may nest as deep as it has pages.
    fn walk(&self, root: u64, entries: &mut Vec<(&'a [u8], Value<'a>)>) -> Result<(), BoltError> {
        let (mut todo, mut seen) = (vec![root], HashSet::new());
        while let Some(number) = todo.pop() {
            if !seen.insert(number) {
                return Err(BoltError::Circle);
            }
            let page = self.db.page(number)?;
            if page.is_leaf() {
                self.put_leaf(&page, entries)?;
            } else if page.is_branch() {
                let children = page.children().ok_or(BoltError::Damaged(number))?;
                todo.extend(children.into_iter().rev());
                // every branch to a page takes 16 bytes somewhere
                if todo.len() > self.db.bytes.len() / page::ELEMENT {
                    return Err(BoltError::Circle);
                }
            } else {
                return Err(BoltError::Damaged(number));
            }
        }
        Ok(())
    }

    fn put_leaf(
        &self,
        page: &Page<'a>,
        entries: &mut Vec<(&'a [u8], Value<'a>)>,
    ) -> Result<(), BoltError> {
        let damaged = BoltError::Damaged(page.number);
        if !page.is_leaf() {
            return Err(damaged);
        }
        for element in page.leaf_elements().ok_or(damaged.clone())? {
            let value = if element.bucket {
                Value::Bucket(self.inner(element.value).ok_or(damaged.clone())?)
            } else {
                Value::Bytes(element.value)
            };
            entries.push((element.key, value));
        }
        // every element takes 16 bytes somewhere: pages that overlap would claim more
        if entries.len() > self.db.bytes.len() / page::ELEMENT {
            return Err(BoltError::Circle);
        }
        Ok(())
    }

    /// The bucket whose header and, when it is small, content is this value.
    fn inner(&self, value: &'a [u8]) -> Option<Self> {
        let place = match le_u64(value, 0)? {
            0 => Place::Inline(value.get(16..)?),
            root => Place::Page(root),
        };
        Some(Self { db: self.db, place })
    }
}

#[cfg(test)]
mod tests;
