//! Media that fail: a bad block costs itself, a medium that only fails is given up.

#[path = "common/meta_writer.rs"]
mod meta_writer;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use meta_writer::{BLOCK, Pool};
use thinscope::ids::ThinId;
use thinscope::thinmeta::{BlockSource, MetaError, Reader};

fn id(number: u64) -> ThinId {
    ThinId::new(number).expect("a small id")
}

/// An image whose leaves of mappings fail once told to, every one of so many.
struct Failing {
    image: Vec<u8>,
    every: usize,
    fails: AtomicBool,
    reads: AtomicUsize,
}

impl BlockSource for Failing {
    fn len_bytes(&self) -> u64 {
        self.image.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).expect("a small image");
        let blocks = start / BLOCK..(start + into.len()) / BLOCK;
        let is_leaf = |at: usize| self.image[at * BLOCK + 4] == 2;
        let roots =
            [320, 328].map(|at| usize::from(self.image[at]) | usize::from(self.image[at + 1]) << 8);
        let fails =
            |at: usize| at.is_multiple_of(self.every) && is_leaf(at) && !roots.contains(&at);
        if self.fails.load(Ordering::Relaxed) && blocks.clone().any(fails) {
            self.reads.fetch_add(1, Ordering::Relaxed);
            return Err(io::Error::other("medium error"));
        }
        into.copy_from_slice(&self.image[start..start + into.len()]);
        Ok(())
    }
}

fn failing(fan: usize, every: usize, devices: u32, writes: u64) -> Failing {
    let mut pool = Pool::new(40_000, fan);
    for id in 1..=devices {
        pool.create(id);
        (0..writes).for_each(|block| pool.write(id, block));
    }
    let (image, fails, reads) = (pool.image(4000), AtomicBool::new(false), AtomicUsize::new(0));
    Failing { image, every, fails, reads }
}

#[test]
fn a_medium_that_fails_here_and_there_is_given_up_in_key_order_too() {
    let source = failing(4, 2, 1, 4000);
    let reader = Reader::open(&source).expect("a superblock");
    let forest = reader.forest().expect("readable").value;
    assert!(forest.leaves().len() > 1024);
    source.fails.store(true, Ordering::Relaxed);
    let read = reader.mappings(&forest, id(1), (0, u64::MAX), &mut |_| {});
    let why = "medium error".to_string();
    assert_eq!(read, Err(MetaError::Failing { failed: 256, why }));
    // each failure costs the run it is in, and itself; far fewer than all
    assert!(source.reads.load(Ordering::Relaxed) < 800);
}

#[test]
fn a_medium_that_fails_below_the_roots_is_given_up_while_heights_are_sought() {
    let source = failing(252, 1, 3, 13_000);
    source.fails.store(true, Ordering::Relaxed);
    let reader = Reader::open(&source).expect("a superblock");
    let why = "medium error".to_string();
    let forest = reader.forest().map(|_| ());
    assert_eq!(forest, Err(MetaError::Failing { failed: 256, why }));
    assert_eq!(source.reads.load(Ordering::Relaxed), 256);
}
