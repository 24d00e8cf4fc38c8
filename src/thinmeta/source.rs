//! Where metadata comes from: anything that gives bytes at an offset.
//!
//! Knows blocks and extents, never files or devices and never what a block says.

use std::io;

/// Something that holds pool metadata. Shared between the thread that reads and the one that
/// counts.
pub trait BlockSource: Send + Sync {
    /// How many bytes there are.
    fn len_bytes(&self) -> u64;

    /// Fills `into` from `offset`. Both are multiples of the metadata block size wherever the
    /// reader asks, and `into` begins at a page, as direct I/O wants.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

/// An image in memory.
#[derive(Clone, Debug, Default)]
pub struct ImageSource(Vec<u8>);

impl ImageSource {
    /// From its bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl BlockSource for ImageSource {
    fn len_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).ok().and_then(|at| self.0.get(at..));
        let bytes = from.and_then(|rest| rest.get(..into.len())).ok_or_else(past_the_end)?;
        into.copy_from_slice(bytes);
        Ok(())
    }
}

/// The error of a read behind the end.
pub(super) fn past_the_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the read goes past the end")
}

/// Where one stripe of a segment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the sources.
    pub source: usize,
    /// Where in it, in bytes.
    pub offset: u64,
}

/// One segment of a logical volume: as long as it says, over one place (linear) or several
/// (striped).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes of the volume that it holds.
    pub length: u64,
    /// Bytes on one place before it is the next one's turn; unused with one place.
    pub stripe: u64,
    /// The places, in stripe order.
    pub places: Vec<Place>,
}

impl Extent {
    /// A linear segment.
    pub fn linear(length: u64, place: Place) -> Self {
        Self { length, stripe: length, places: vec![place] }
    }

    /// Where byte `at` of the segment lies, and how many bytes lie there in a row.
    fn locate(&self, at: u64) -> Option<(Place, u64)> {
        let left = self.length.checked_sub(at).filter(|n| *n > 0)?;
        if let [place] = self.places.as_slice() {
            return Some((place.moved(at)?, left));
        }
        let ways = u64::try_from(self.places.len()).ok()?;
        let (chunk, within) = (at.checked_div(self.stripe)?, at.checked_rem(self.stripe)?);
        let way = usize::try_from(chunk.checked_rem(ways)?).ok()?;
        let inner = (chunk / ways).checked_mul(self.stripe)?.checked_add(within)?;
        Some((self.places.get(way)?.moved(inner)?, left.min(self.stripe - within)))
    }
}

impl Place {
    fn moved(self, by: u64) -> Option<Self> {
        Some(Self { offset: self.offset.checked_add(by)?, ..self })
    }
}

/// A logical volume read through its segments on other sources: the metadata of an inactive
/// pool, in place on its PVs.
pub struct ExtentSource<S> {
    sources: Vec<S>,
    extents: Vec<Extent>,
}

impl<S: BlockSource> ExtentSource<S> {
    /// From the sources and the segments in the volume's order.
    pub fn new(sources: Vec<S>, extents: Vec<Extent>) -> Self {
        Self { sources, extents }
    }

    /// The piece that holds byte `offset`: its source, its place there, and its length.
    fn piece(&self, offset: u64) -> Option<(&S, u64, u64)> {
        let mut start = 0_u64;
        for extent in &self.extents {
            let end = start.saturating_add(extent.length);
            if offset < end {
                let (place, left) = extent.locate(offset - start)?;
                return Some((self.sources.get(place.source)?, place.offset, left));
            }
            start = end;
        }
        None
    }
}

impl<S: BlockSource> BlockSource for ExtentSource<S> {
    fn len_bytes(&self) -> u64 {
        self.extents.iter().fold(0, |sum, extent| sum.saturating_add(extent.length))
    }

    fn read_at(&self, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
        while !into.is_empty() {
            let (source, at, left) = self.piece(offset).ok_or_else(past_the_end)?;
            let here = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
            let (now, rest) = into.split_at_mut(here);
            source.read_at(at, now)?;
            offset = offset.saturating_add(here as u64);
            into = rest;
        }
        Ok(())
    }
}

impl<S: BlockSource + ?Sized> BlockSource for Box<S> {
    fn len_bytes(&self) -> u64 {
        (**self).len_bytes()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(bytes: u8) -> ImageSource {
        ImageSource::new((0..bytes).collect())
    }

    #[test]
    fn a_linear_volume_is_read_across_its_segments() {
        let extents = vec![
            Extent::linear(4, Place { source: 1, offset: 10 }),
            Extent::linear(4, Place { source: 0, offset: 2 }),
        ];
        let volume = ExtentSource::new(vec![numbered(8), numbered(20)], extents);
        let mut bytes = [0; 6];
        volume.read_at(1, &mut bytes).expect("inside the volume");
        assert_eq!(bytes, [11, 12, 13, 2, 3, 4]);
        assert_eq!(volume.len_bytes(), 8);
        assert!(volume.read_at(3, &mut bytes).is_err());
    }

    #[test]
    fn a_striped_volume_takes_its_places_in_turn() {
        let places = vec![Place { source: 0, offset: 0 }, Place { source: 1, offset: 100 }];
        let extents = vec![Extent { length: 8, stripe: 2, places }];
        let volume = ExtentSource::new(vec![numbered(8), numbered(200)], extents);
        let mut bytes = [0; 8];
        volume.read_at(0, &mut bytes).expect("inside the volume");
        assert_eq!(bytes, [0, 1, 100, 101, 2, 3, 102, 103]);
    }

    #[test]
    fn a_segment_that_makes_no_sense_is_an_error_and_no_panic() {
        let places = vec![Place { source: 0, offset: u64::MAX }, Place { source: 9, offset: 0 }];
        for stripe in [0, 1, u64::MAX] {
            let extent = Extent { length: u64::MAX, stripe, places: places.clone() };
            let volume = ExtentSource::new(vec![numbered(8)], vec![extent.clone(), extent]);
            assert!(volume.read_at(3, &mut [0; 8]).is_err());
        }
    }
}
