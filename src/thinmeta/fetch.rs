//! Many blocks at the price of few reads.
//!
//! Wanted blocks are read in ascending order, neighbours together, into a few large buffers: some
//! threads read and sum, for most media answer several requests sooner than one after the other, and
//! one looks at what came, in order. Knows nothing of what a block says.

use std::collections::BTreeMap;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::block::{BLOCK, MAX_METADATA_BLOCKS, Raw, Summed, sum};
use super::damage::{DamageKind, MetaError};
use super::source::BlockSource;

/// Blocks in one read at most: 1 MiB.
const RUN: u32 = 256;
/// Unwanted blocks that are read through rather than around: on most media 128 KiB more cost less
/// than one request more.
const GAP: u32 = 31;
/// Threads that read.
const READERS: usize = 2;
/// Buffers in flight; they bound the memory of a reading, whatever its length.
const BUFFERS: usize = 6;
/// Below this many wanted blocks other threads cost more than they give.
const WORTH_A_THREAD: usize = 512;
/// Unreadable blocks after which the medium, not the metadata, is the trouble.
pub(super) const FAILING: u64 = 256;

/// How far a long reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Blocks looked at in this pass.
    pub done: u64,
    /// Blocks that this pass will look at.
    pub of: u64,
}

/// Told of progress now and then; `Break` stops the reading.
pub type Watch<'w> = &'w dyn Fn(Progress) -> ControlFlow<()>;

/// The blocks of a source.
#[derive(Clone, Copy)]
pub(super) struct Blocks<'s> {
    source: &'s dyn BlockSource,
    count: u32,
    watch: Option<Watch<'s>>,
}

/// What became of one wanted block.
pub(super) type Got<'a> = Result<Summed<'a>, &'a io::Error>;

impl<'s> Blocks<'s> {
    /// Over a source; blocks that the format cannot address are not there.
    pub(super) fn new(source: &'s dyn BlockSource) -> Self {
        let blocks = source.len_bytes() / BLOCK as u64;
        let count = u32::try_from(blocks).unwrap_or(u32::MAX).min(MAX_METADATA_BLOCKS);
        Self { source, count, watch: None }
    }

    /// The same, with somebody told of the progress.
    pub(super) fn watched(self, watch: Option<Watch<'s>>) -> Self {
        Self { watch, ..self }
    }

    /// How many blocks there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// A reference made a block number, when it points to a block other than the superblock.
    pub(super) fn number(&self, reference: u64) -> Result<u32, DamageKind> {
        let outside = DamageKind::Outside { end: u64::from(self.count) };
        match u32::try_from(reference) {
            Ok(number) if number > 0 && number < self.count => Ok(number),
            _ => Err(outside),
        }
    }

    /// One block by itself.
    pub(super) fn one(&self, number: u32) -> io::Result<Box<Raw>> {
        let mut buffer = Buffer::new(1);
        self.source.read_at(u64::from(number) * BLOCK as u64, buffer.bytes_mut(1))?;
        Ok(Box::new(*buffer.block(0)))
    }

    /// Hands every wanted block, which ascend, to `look` with its index among them. `look`
    /// may stop the reading by `Break`.
    pub(super) fn each(
        &self,
        wanted: &[u32],
        look: &mut dyn FnMut(usize, Got<'_>) -> ControlFlow<()>,
    ) -> Result<(), MetaError> {
        debug_assert!(wanted.is_sorted());
        let mut visit = Visit { wanted, look, watch: self.watch, failed: 0 };
        if wanted.len() < WORTH_A_THREAD {
            return self.each_here(&mut visit);
        }
        let (empty_in, empty_out) = channel();
        for _ in 0..BUFFERS {
            // the receiver is alive: the readers have it
            let _ = empty_in.send(Buffer::new(RUN as usize));
        }
        let readers = Readers { source: self.source, wanted, work: Work::new(wanted, empty_out) };
        thread::scope(|scope| {
            let (full_in, full_out) = channel();
            let spawn = || {
                let (readers, full) = (&readers, full_in.clone());
                let thread = thread::Builder::new().name("metadata".into());
                thread.spawn_scoped(scope, move || readers.read_all(&full)).is_ok()
            };
            let any = (0..READERS).filter(|_| spawn()).count() > 0;
            // what is left to be told is told by the readers
            drop(full_in);
            if any { visit.all(&full_out, empty_in) } else { self.each_here(&mut visit) }
        })
    }

    /// The same on this thread alone.
    fn each_here(&self, visit: &mut Visit<'_>) -> Result<(), MetaError> {
        let largest = runs(visit.wanted).map(|run| run.blocks).max().unwrap_or(0);
        let mut buffer = Buffer::new(largest as usize);
        for run in runs(visit.wanted) {
            let read = buffer.read(self.source, visit.wanted, &run);
            visit.run(&run, &buffer, &read)?;
        }
        Ok(())
    }
}

/// A row of wanted blocks that are read at once: which of the wanted, from which block.
struct Run {
    wanted: Range<usize>,
    first: u32,
    blocks: u32,
}

/// Cuts the wanted blocks into rows.
fn runs(wanted: &[u32]) -> impl Iterator<Item = Run> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let first = *wanted.get(next)?;
        let mut last = first;
        let tail = wanted.get(next + 1..).unwrap_or_default();
        let more = tail.iter().take_while(|block| {
            let fits = **block - first < RUN && **block - last <= GAP + 1;
            last = if fits { **block } else { last };
            fits
        });
        let end = next + 1 + more.count();
        let run = Run { wanted: next..end, first, blocks: last - first + 1 };
        next = end;
        Some(run)
    })
}

/// A buffer that begins at a page, as direct I/O wants.
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

/// What reading a run gave: the sum of every wanted block, or why it could not be read.
type RunRead = Vec<Result<u32, io::Error>>;

impl Buffer {
    fn new(blocks: usize) -> Self {
        let bytes = vec![0; (blocks + 1) * BLOCK];
        let start = bytes.as_ptr().align_offset(BLOCK).min(BLOCK);
        Self { bytes, start }
    }

    fn bytes_mut(&mut self, blocks: u32) -> &mut [u8] {
        let end = (self.start + blocks as usize * BLOCK).min(self.bytes.len());
        &mut self.bytes[self.start..end]
    }

    fn block(&self, at: u32) -> &Raw {
        const NOTHING: Raw = [0; BLOCK];
        let from = self.start + at as usize * BLOCK;
        self.bytes.get(from..).and_then(|rest| rest.first_chunk()).unwrap_or(&NOTHING)
    }

    /// Reads a run and sums what was wanted; where the whole fails, block by block.
    fn read(&mut self, source: &dyn BlockSource, wanted: &[u32], run: &Run) -> RunRead {
        let wanted = wanted.get(run.wanted.clone()).unwrap_or_default();
        let offset = u64::from(run.first) * BLOCK as u64;
        match source.read_at(offset, self.bytes_mut(run.blocks)) {
            Ok(()) => wanted.iter().map(|n| Ok(sum(self.block(n - run.first)))).collect(),
            Err(error) if run.blocks == 1 => vec![Err(error)],
            Err(_) => wanted.iter().map(|n| self.read_alone(source, *n, n - run.first)).collect(),
        }
    }

    fn read_alone(&mut self, source: &dyn BlockSource, number: u32, at: u32) -> io::Result<u32> {
        let from = self.start + at as usize * BLOCK;
        let into = self.bytes.get_mut(from..from + BLOCK).ok_or(io::ErrorKind::InvalidInput)?;
        source.read_at(u64::from(number) * BLOCK as u64, into)?;
        Ok(sum(self.block(at)))
    }
}

/// A run on its way between the threads, with its place among them.
type Full = (usize, (Run, Buffer, RunRead));

/// What is left to be read, and buffers to read it into.
struct Work<'w> {
    runs: Box<dyn Iterator<Item = (usize, Run)> + Send + 'w>,
    empty: Receiver<Buffer>,
}

impl<'w> Work<'w> {
    fn new(wanted: &'w [u32], empty: Receiver<Buffer>) -> Mutex<Self> {
        Mutex::new(Self { runs: Box::new(runs(wanted).enumerate()), empty })
    }

    /// The next run, with a buffer of its own: so every run that was taken can be read, and whoever
    /// waits for the first of them does not wait for ever.
    fn next(&mut self) -> Option<(usize, Run, Buffer)> {
        let buffer = self.empty.recv().ok()?;
        let (at, run) = self.runs.next()?;
        Some((at, run, buffer))
    }
}

/// What the reading threads share.
struct Readers<'r> {
    source: &'r dyn BlockSource,
    wanted: &'r [u32],
    work: Mutex<Work<'r>>,
}

impl Readers<'_> {
    /// Until there is no more to read, or nobody to read for.
    fn read_all(&self, full: &Sender<Full>) {
        loop {
            let next = self.work.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((at, run, mut buffer)) = next else { return };
            let read = buffer.read(self.source, self.wanted, &run);
            if full.send((at, (run, buffer, read))).is_err() {
                return;
            }
        }
    }
}

/// The looking side of a reading.
struct Visit<'a> {
    wanted: &'a [u32],
    look: &'a mut dyn FnMut(usize, Got<'_>) -> ControlFlow<()>,
    watch: Option<Watch<'a>>,
    failed: u64,
}

impl Visit<'_> {
    /// In the order of the runs, whichever was read first. Gives up the buffers' way back with the
    /// end, for which the readers wait.
    fn all(&mut self, full: &Receiver<Full>, empty: Sender<Buffer>) -> Result<(), MetaError> {
        let mut early = BTreeMap::new();
        let mut next = 0;
        while let Ok((at, read)) = full.recv() {
            early.insert(at, read);
            while let Some((run, buffer, read)) = early.remove(&next) {
                next += 1;
                self.run(&run, &buffer, &read)?;
                // refused once the readers have read everything
                let _ = empty.send(buffer);
            }
        }
        drop(empty);
        Ok(())
    }

    fn run(&mut self, run: &Run, buffer: &Buffer, read: &RunRead) -> Result<(), MetaError> {
        for (index, read) in run.wanted.clone().zip(read) {
            let Some(number) = self.wanted.get(index) else { break };
            let got = match read {
                Ok(sum) => Ok(Summed { raw: buffer.block(number - run.first), sum: *sum }),
                Err(error) => Err(error),
            };
            if let Err(error) = got {
                self.count_failure(error)?;
            }
            if (self.look)(index, got).is_break() {
                return Err(MetaError::Stopped);
            }
        }
        self.tell(run.wanted.end)
    }

    fn count_failure(&mut self, error: &io::Error) -> Result<(), MetaError> {
        self.failed += 1;
        if self.failed < FAILING {
            return Ok(());
        }
        Err(MetaError::Failing { failed: self.failed, why: error.to_string() })
    }

    fn tell(&self, done: usize) -> Result<(), MetaError> {
        let progress = Progress { done: done as u64, of: self.wanted.len() as u64 };
        match self.watch.map(|watch| watch(progress)) {
            Some(ControlFlow::Break(())) => Err(MetaError::Stopped),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thinmeta::source::ImageSource;

    /// An image in which every block begins with its own number.
    fn numbered(blocks: u32) -> ImageSource {
        let block = |n: u32| n.to_le_bytes().into_iter().chain([0; BLOCK - 4]);
        ImageSource::new((0..blocks).flat_map(block).collect())
    }

    fn seen(source: &dyn BlockSource, wanted: &[u32]) -> Vec<Option<u32>> {
        let mut seen = vec![None; wanted.len()];
        let mut look = |at: usize, got: Got<'_>| {
            seen[at] = got.ok().map(|b| super::super::block::u32_at(b.raw, 0));
            ControlFlow::Continue(())
        };
        Blocks::new(source).each(wanted, &mut look).expect("the medium is sound enough");
        seen
    }

    #[test]
    fn every_wanted_block_comes_once_and_in_order_with_one_thread_or_two() {
        let image = numbered(3000);
        for step in [1, 2, 31, 32, 33, 700] {
            let wanted: Vec<u32> = (0..3000).step_by(step).collect();
            assert_eq!(seen(&image, &wanted), wanted.iter().map(|n| Some(*n)).collect::<Vec<_>>());
        }
    }

    /// The first answer of all comes last.
    struct Late(ImageSource);

    impl BlockSource for Late {
        fn len_bytes(&self) -> u64 {
            self.0.len_bytes()
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
            if offset == 0 {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            self.0.read_at(offset, into)
        }
    }

    #[test]
    fn blocks_come_in_order_whatever_order_the_medium_answers_in() {
        let image = Late(numbered(9000));
        let wanted: Vec<u32> = (0..9000).collect();
        let mut came = Vec::new();
        let mut look = |at: usize, _: Got<'_>| {
            came.push(at);
            ControlFlow::Continue(())
        };
        Blocks::new(&image).each(&wanted, &mut look).expect("the medium is sound");
        assert_eq!(came, (0..9000).collect::<Vec<_>>());
    }

    struct Scratched(ImageSource, Range<u64>);

    impl BlockSource for Scratched {
        fn len_bytes(&self) -> u64 {
            self.0.len_bytes()
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
            let end = offset + into.len() as u64;
            if offset < self.1.end && self.1.start < end {
                return Err(io::Error::other("medium error"));
            }
            self.0.read_at(offset, into)
        }
    }

    #[test]
    fn one_bad_sector_costs_one_block_and_not_its_neighbours() {
        let image = Scratched(numbered(100), 40 * 4096 + 512..40 * 4096 + 1024);
        let wanted: Vec<u32> = (0..100).collect();
        let seen = seen(&image, &wanted);
        assert_eq!(seen.iter().filter(|s| s.is_none()).count(), 1);
        assert_eq!((seen[39], seen[40], seen[41]), (Some(39), None, Some(41)));
    }

    #[test]
    fn a_medium_that_only_fails_is_given_up() {
        let image = Scratched(numbered(2000), 0..u64::MAX);
        let wanted: Vec<u32> = (0..2000).collect();
        let given_up = Blocks::new(&image).each(&wanted, &mut |_, _| ControlFlow::Continue(()));
        assert!(matches!(given_up, Err(MetaError::Failing { failed: FAILING, .. })));
    }

    #[test]
    fn a_watch_stops_a_reading() {
        let image = numbered(2000);
        let wanted: Vec<u32> = (0..2000).collect();
        let stop = |p: Progress| {
            if p.done > 600 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut looked = 0;
        let stopped = Blocks::new(&image).watched(Some(&stop)).each(&wanted, &mut |_, _| {
            looked += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(stopped, Err(MetaError::Stopped));
        assert!((600..1200).contains(&looked));
    }
}
