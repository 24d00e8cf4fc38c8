//! Reads a bolt database that somebody else may have open, without its lock: page by page from
//! [`Pages`], walked read-only (`formats.md` 3.6).
//!
//! Every number of the file is checked before it is followed, and no page of a bucket is visited
//! twice, so that a damaged file ends in an error and never in a panic, a loop or much memory.
//! Whether what was read of a live file is whole is told by [`Bolt::transaction`] afterwards.
//! Knows nothing of what the keys mean; what is let through the door of them is in
//! `sys/live/keep`.

mod page;
mod seen;

use std::borrow::Cow;
use std::collections::HashSet;

use page::{Page, le_u32, le_u64};

pub use seen::{BoltBucket, BoltKeep, BoltSeen, BoltValue};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Where a meta begins within its page: after the page's header.
const META_AT: usize = page::HEADER;
/// Bytes of a meta that its checksum covers.
const META_SUMMED: usize = 56;
/// Longest page with its overflow that is read; only one long value makes a page of a bucket long,
/// and none that is of use is.
const MOST_OF_PAGE: usize = 16 << 20;
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
    /// A page is longer than any that is read, or the walk was ended by who sees the entries.
    #[error("the database holds more than is read of one")]
    TooMuch,
}

/// Where a database's bytes come from.
pub trait Pages {
    /// How many bytes there are.
    fn length(&self) -> usize;
    /// So many bytes from there; `None` where they end or cannot be read.
    fn read(&self, at: usize, length: usize) -> Option<Cow<'_, [u8]>>;
}

/// A database that is in memory as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a>(pub &'a [u8]);

impl Pages for Slice<'_> {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn read(&self, at: usize, length: usize) -> Option<Cow<'_, [u8]>> {
        self.0.get(at..at.checked_add(length)?).map(Cow::Borrowed)
    }
}

/// A database.
#[derive(Clone, Copy)]
pub struct Bolt<'a> {
    pages: &'a dyn Pages,
    page_size: usize,
    root: u64,
    sequence: u64,
    transaction: u64,
}

impl<'a> Bolt<'a> {
    /// Chooses the valid meta page of the newest transaction.
    pub fn open(pages: &'a dyn Pages) -> Result<Self, BoltError> {
        let first = Self::meta(pages, 0);
        let sizes = match &first {
            Some(first) => vec![first.page_size],
            None => PAGE_SIZES.to_vec(),
        };
        // the second meta is on the second page, whose place the page size tells
        let second = sizes
            .into_iter()
            .find_map(|size| Self::meta(pages, size).filter(|meta| meta.page_size == size));
        let newest = first.into_iter().chain(second).max_by_key(|meta| meta.transaction);
        newest.ok_or(BoltError::NoMeta)
    }

    fn meta(pages: &'a dyn Pages, page_at: usize) -> Option<Self> {
        let meta = pages.read(page_at.checked_add(META_AT)?, META_SUMMED + 8)?;
        let summed = meta.get(..META_SUMMED)?;
        let page_size = usize::try_from(le_u32(&meta, 8)?).ok()?;
        let good = le_u32(&meta, 0)? == MAGIC
            && le_u32(&meta, 4)? == VERSION
            && le_u64(&meta, META_SUMMED)? == fnv1a(summed)
            && PAGE_SIZES.contains(&page_size);
        good.then_some(())?;
        let (root, sequence) = (le_u64(&meta, 16)?, le_u64(&meta, 24)?);
        Some(Self { pages, page_size, root, sequence, transaction: le_u64(&meta, 48)? })
    }

    /// The newest transaction. What was read is a whole picture when this is still the newest
    /// when asked afterwards: until the next commit nothing that it reaches is overwritten.
    pub const fn transaction(&self) -> u64 {
        self.transaction
    }

    /// The bucket of all top-level keys.
    pub const fn root(&self) -> Bucket<'a> {
        Bucket { db: *self, place: Place::Page(self.root), sequence: self.sequence }
    }

    /// The bytes of a page with its overflow.
    fn page(&self, number: u64) -> Result<Cow<'a, [u8]>, BoltError> {
        let damaged = || BoltError::Damaged(number);
        let at = usize::try_from(number).ok().and_then(|number| number.checked_mul(self.page_size));
        let at = at.ok_or_else(damaged)?;
        let header = self.pages.read(at, page::HEADER).ok_or_else(damaged)?;
        let length = page::length(&header, self.page_size).ok_or_else(damaged)?;
        if length > MOST_OF_PAGE || length > self.pages.length() {
            return Err(BoltError::TooMuch);
        }
        self.pages.read(at, length).ok_or_else(damaged)
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A sorted map of keys to values and further buckets.
#[derive(Clone, Copy)]
pub struct Bucket<'a> {
    db: Bolt<'a>,
    place: Place<'a>,
    sequence: u64,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    /// A tree that begins at this page.
    Page(u64),
    /// A small bucket, whole within its parent's value.
    Inline(&'a [u8]),
}

/// What stands under a key.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// A bucket.
    Bucket(Bucket<'a>),
}

/// Who is shown each entry of a bucket.
pub type See<'s> = dyn FnMut(&[u8], Value<'_>) -> Result<(), BoltError> + 's;

impl Bucket<'_> {
    /// The counter that the database's owner draws numbers from in this bucket.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Shows all entries in the order of their keys. An error of who sees them ends it.
    pub fn each(&self, see: &mut See<'_>) -> Result<(), BoltError> {
        match self.place {
            Place::Inline(bytes) => self.show_leaf(bytes, 0, see).map(drop),
            Place::Page(root) => self.walk(root, see),
        }
    }

    /// Depth first with a stack of its own: a damaged file may nest as deep as it has pages.
    fn walk(&self, root: u64, see: &mut See<'_>) -> Result<(), BoltError> {
        // every branch to a page, and every element, takes 16 bytes somewhere
        let most = self.db.pages.length() / page::ELEMENT;
        let (mut todo, mut seen, mut shown) = (vec![root], HashSet::new(), 0_usize);
        while let Some(number) = todo.pop() {
            if !seen.insert(number) {
                return Err(BoltError::Circle);
            }
            let bytes = self.db.page(number)?;
            let page = Page::parse(&bytes).filter(|page| page.number == number);
            let page = page.ok_or(BoltError::Damaged(number))?;
            if page.is_leaf() {
                shown = shown.saturating_add(self.show_leaf(&bytes, number, see)?);
            } else if page.is_branch() {
                let children = page.children().ok_or(BoltError::Damaged(number))?;
                todo.extend(children.into_iter().rev());
            } else {
                return Err(BoltError::Damaged(number));
            }
            // pages that overlap would claim more
            if todo.len() > most || shown > most {
                return Err(BoltError::Circle);
            }
        }
        Ok(())
    }

    /// Shows a leaf's entries; how many.
    fn show_leaf(&self, bytes: &[u8], number: u64, see: &mut See<'_>) -> Result<usize, BoltError> {
        let damaged = || BoltError::Damaged(number);
        let page = Page::parse(bytes).filter(Page::is_leaf).ok_or_else(damaged)?;
        let elements = page.leaf_elements().ok_or_else(damaged)?;
        for element in &elements {
            if element.bucket {
                let inner = inner(self.db, element.value).ok_or_else(damaged)?;
                see(element.key, Value::Bucket(inner))?;
            } else {
                see(element.key, Value::Bytes(element.value))?;
            }
        }
        Ok(elements.len())
    }
}

/// The bucket whose header and, when it is small, content is this value.
fn inner<'v>(db: Bolt<'v>, value: &'v [u8]) -> Option<Bucket<'v>> {
    let place = match le_u64(value, 0)? {
        0 => Place::Inline(value.get(16..)?),
        root => Place::Page(root),
    };
    Some(Bucket { db, place, sequence: le_u64(value, 8)? })
}

#[cfg(test)]
mod tests;
