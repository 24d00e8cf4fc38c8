//! Real databases of containerd's (`tests/data/containerd/README.md`), whole, damaged, and while
//! they are written.

use std::io::{Seek, Write};
use std::os::unix::fs::FileExt;

use super::*;
use crate::sys::bolt::Slice;
use crate::sys::{BoltBucket, BoltValue};
use proptest::prelude::*;

const POOL: &[u8] = include_bytes!("../../../../../tests/data/containerd/snap-pool.db");
const META: &[u8] = include_bytes!("../../../../../tests/data/containerd/meta.db");

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    file.write_all(bytes).expect("written");
    file.rewind().expect("rewound");
    file
}

fn read_bytes(bytes: &[u8], keep: BoltKeep) -> Result<BoltSeen, Failure> {
    read(Path::new("/x.db"), file_of(bytes), keep)
}

fn size(bucket: &BoltBucket) -> usize {
    let of = |value: &BoltValue| match value {
        BoltValue::Bytes(bytes) => bytes.0.len(),
        BoltValue::Bucket(inner) => size(inner),
    };
    bucket.entries.iter().map(|(key, value)| key.0.len() + of(value)).sum()
}

#[test]
fn buckets_come_with_their_sequence_and_only_with_the_kept_keys() {
    let seen = read_bytes(POOL, BoltKeep::ContainerdPool).expect("a real database");
    let ids = seen.root.bucket(b"device_ids").expect("it has ids");
    assert_eq!((ids.sequence, ids.entries.len()), (7, 7));
    assert_eq!(ids.bytes(b"7"), Some(&[1][..]));
    let transaction = read_bytes(POOL, BoltKeep::Transaction).expect("a real database");
    assert_eq!(
        (transaction.transaction, transaction.root),
        (seen.transaction, BoltBucket::default())
    );
    let meta = read_bytes(META, BoltKeep::ContainerdMeta).expect("a real database");
    let space = meta.root.bucket(b"v1").and_then(|v1| v1.bucket(b"default")).expect("a namespace");
    let web = space.bucket(b"containers").and_then(|all| all.bucket(b"web")).expect("a container");
    let keys: Vec<_> = web.entries.iter().map(|(key, _)| key.0.as_slice()).collect();
    assert_eq!(keys, [&b"image"[..], b"labels", b"snapshotKey", b"snapshotter"]);
}

#[test]
fn what_is_cut_or_no_database_is_malformed() {
    for bytes in [&b""[..], b"{}", &POOL[..4096], &[0; 16384]] {
        let failure = read_bytes(bytes, BoltKeep::ContainerdPool).expect_err("no whole database");
        assert_eq!(failure.kind, FailKind::Malformed, "{failure}");
        assert!(failure.why.starts_with("/x.db: "), "{failure}");
    }
}

/// Offsets of all pages that refer to others or hold entries.
fn pages(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    (0..bytes.len()).step_by(4096).filter(|at| matches!(bytes[at + 8], 1 | 2))
}

#[test]
fn a_page_of_too_many_elements_or_too_much_overflow_is_an_error() {
    let (count, overflow) = (FailKind::Malformed, FailKind::TooLarge);
    for (at, value, kind) in
        [(10, [0xff, 0xff], count), (12, [0xff, 0xff], overflow), (14, [0xff, 0x7f], overflow)]
    {
        let mut bytes = POOL.to_vec();
        for page in pages(POOL).collect::<Vec<_>>() {
            bytes[page + at..page + at + 2].copy_from_slice(&value);
        }
        let failure = read_bytes(&bytes, BoltKeep::ContainerdPool).expect_err("it is damaged");
        assert_eq!(failure.kind, kind);
    }
}

#[test]
fn a_page_of_16_mib_is_read_and_a_longer_one_is_not_though_the_file_has_it() {
    let at = |overflow: u32| {
        let mut bytes = POOL.to_vec();
        for page in pages(POOL).collect::<Vec<_>>() {
            bytes[page + 12..page + 16].copy_from_slice(&overflow.to_le_bytes());
        }
        let file = file_of(&bytes);
        file.set_len(1 << 30).expect("it takes no room");
        read(Path::new("/x.db"), file, BoltKeep::ContainerdPool).map_err(|failure| failure.kind)
    };
    assert_eq!(at(4095), read_bytes(POOL, BoltKeep::ContainerdPool).map_err(|f| f.kind));
    assert_eq!(at(4096), Err(FailKind::TooLarge));
}

#[test]
fn a_value_longer_than_any_of_containerd_s_stays_out() {
    let mut file = file_of(POOL);
    file.seek(std::io::SeekFrom::End(0)).expect("sought");
    let before = read_bytes(POOL, BoltKeep::ContainerdPool).expect("a real database");
    // what lies behind the high water mark is nobody's
    file.write_all(&vec![0xab; 1 << 20]).expect("written");
    let after = read(Path::new("/x.db"), file, BoltKeep::ContainerdPool).expect("the same");
    assert_eq!(after, before);
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_an_error() {
    struct Cut(FilePages, File);
    impl Pages for Cut {
        fn length(&self) -> usize {
            self.0.length()
        }
        fn read(&self, at: usize, length: usize) -> Option<Cow<'_, [u8]>> {
            let bytes = self.0.read(at, length);
            self.1.set_len(4096).expect("cut");
            bytes
        }
    }
    let file = file_of(POOL);
    let other = file.try_clone().expect("cloned");
    let mut pages = FilePages { length: 0, file, left: Cell::new(0), error: Cell::new(None) };
    pages.begin().expect("begun");
    let seen = keep::bolt::project(&Cut(pages, other), BoltKeep::ContainerdPool);
    assert!(seen.is_err(), "{seen:?}");
}

#[test]
fn no_more_is_read_than_twice_the_file() {
    let file = file_of(POOL);
    let mut pages = FilePages { length: 0, file, left: Cell::new(0), error: Cell::new(None) };
    pages.begin().expect("begun");
    let reads = std::iter::repeat_with(|| pages.read(0, 4096).is_some());
    let most = (2 * POOL.len() + (1 << 16)) / 4096;
    assert_eq!(reads.take(1000).filter(|read| *read).count(), most);
}

#[test]
fn a_database_written_while_it_is_read_is_read_again() {
    // a writer that makes the transaction another one each time
    let file = file_of(POOL);
    let writer = file.try_clone().expect("cloned");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let (first, second) = (&POOL[..4096], &POOL[4096..8192]);
        while stopped.try_recv().is_err() {
            // both meta pages the same, then as they are: the newest is another one
            writer.write_all_at(second, 4096).expect("written");
            writer.write_all_at(first, 4096).expect("written");
        }
        writer.write_all_at(second, 4096).expect("written");
    });
    for _ in 0..200 {
        let file = file.try_clone().expect("cloned");
        match read(Path::new("/x.db"), file, BoltKeep::ContainerdPool) {
            Ok(seen) => assert!(seen.transaction > 0),
            Err(failure) => assert!(matches!(failure.kind, FailKind::Other | FailKind::Malformed)),
        }
    }
    stop.send(()).expect("it waits");
    thread.join().expect("it ended");
    assert!(read(Path::new("/x.db"), file, BoltKeep::ContainerdPool).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damage_anywhere_never_panics_and_never_grows(
        changes in proptest::collection::vec((0_usize..262_144, any::<u8>()), 1..40)
    ) {
        let mut bytes = META.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Ok(seen) = keep::bolt::project(&Slice(&bytes), BoltKeep::ContainerdMeta) {
            prop_assert!(size(&seen.root) <= META.len());
        }
    }
}
