//! Looking at metadata that somebody writes to: a look is one commit's, or says why it is not.

#[path = "common/meta_writer.rs"]
mod meta_writer;

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;

use meta_writer::{BLOCK, Pool};
use thinscope::thinmeta::{
    BlockSource, DamageKind, Limits, Looked, Looking, MetaError, Progress, Reader, Whole, Writes,
    look,
};

/// A device that changes while it is read.
struct Device {
    bytes: Mutex<Vec<u8>>,
    /// What a read of the superblock finds instead, read by read, as long as there is some.
    superblock_reads: Mutex<Vec<io::Result<Vec<u8>>>>,
}

impl Device {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: Mutex::new(bytes), superblock_reads: Mutex::default() }
    }

    fn commit(&self, bytes: Vec<u8>) {
        *self.bytes.lock().expect("no test panics in here") = bytes;
    }

    /// Before each read of the superblock, the device becomes the next of these, or fails.
    fn becomes(self, mut states: Vec<io::Result<Vec<u8>>>) -> Self {
        states.reverse();
        Self { superblock_reads: Mutex::new(states), ..self }
    }
}

impl BlockSource for Device {
    fn len_bytes(&self) -> u64 {
        self.bytes.lock().expect("no test panics in here").len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        if offset == 0
            && let Some(next) = self.superblock_reads.lock().expect("no panic").pop()
        {
            self.commit(next?);
        }
        let bytes = self.bytes.lock().expect("no test panics in here");
        let start = usize::try_from(offset).expect("a small image");
        let from = bytes.get(start..start + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(from);
        Ok(())
    }
}

/// A pool after so many transactions.
fn image(transaction: u64) -> Vec<u8> {
    let mut pool = Pool::new(100, 252);
    pool.create(1);
    (0..20).for_each(|block| pool.write(1, block));
    pool.transaction = transaction;
    pool.image(20)
}

/// Looks three times at most, the writes of the device given one by one and the last for ever.
fn three_tries<T>(
    device: &Device,
    writes: &[(u64, u64)],
    read: impl FnMut(&Reader<'_>) -> Result<T, MetaError>,
) -> Result<Looked<T>, MetaError> {
    let next = Cell::new(0);
    let writes = || {
        let at = next.replace(next.get() + 1).min(writes.len().saturating_sub(1));
        writes.get(at).map(|&(complete, under_way)| Writes { complete, under_way })
    };
    let limits = Limits::default();
    look(&Looking { source: device, writes: &writes, tries: 3, limits, watch: None }, read)
}

/// What a quiet look gave, with the writes that were complete then.
fn seen(value: u64, tries: u32, complete: Option<u64>) -> Looked<u64> {
    let writes = complete.map(|complete| Writes { complete, under_way: 0 });
    Looked { value, tries, writes }
}

#[expect(clippy::unnecessary_wraps, reason = "what a reading returns")]
fn transaction(reader: &Reader<'_>) -> Result<u64, MetaError> {
    Ok(reader.superblock().transaction)
}

#[test]
fn a_quiet_look_is_one_reading() {
    for writes in [&[][..], &[(7, 0)]] {
        let looked = three_tries(&Device::new(image(5)), writes, transaction);
        assert_eq!(looked, Ok(seen(5, 1, writes.first().map(|(complete, _)| *complete))));
    }
}

#[test]
fn a_commit_between_is_seen_by_the_superblock_alone() {
    let device = Device::new(image(5));
    let mut readings = 0;
    let looked = three_tries(&device, &[], |reader| {
        readings += 1;
        if readings == 1 {
            device.commit(image(6));
        }
        transaction(reader)
    });
    assert_eq!((looked, readings), (Ok(seen(6, 2, None)), 2));
}

#[test]
fn writes_that_came_between_make_another_reading() {
    // two counts a reading: the first differs, the second does not
    let writes = [(7, 0), (8, 0), (9, 0), (9, 0)];
    let looked = three_tries(&Device::new(image(5)), &writes, transaction);
    assert_eq!(looked, Ok(seen(5, 2, Some(9))));
}

#[test]
fn writes_under_way_are_not_quiet_though_the_count_stands_still() {
    let writes = [(7, 1), (7, 1), (7, 0), (7, 1), (7, 0), (7, 0)];
    let looked = three_tries(&Device::new(image(5)), &writes, transaction);
    assert_eq!(looked, Ok(seen(5, 3, Some(7))));
}

#[test]
fn a_device_whose_count_vanishes_is_not_quiet() {
    let count = Cell::new(Some(Writes { complete: 1, under_way: 0 }));
    let (device, limits) = (Device::new(image(5)), Limits::default());
    let writes = || count.take();
    let looking = Looking { source: &device, writes: &writes, tries: 2, limits, watch: None };
    assert_eq!(look(&looking, transaction), Ok(seen(5, 2, None)));
}

#[test]
fn a_device_that_never_rests_is_given_up_after_so_many_tries() {
    let readings = Cell::new(0_u64);
    let device = Device::new(image(0));
    let busy = three_tries(&device, &[], |reader| {
        readings.set(readings.get() + 1);
        device.commit(image(readings.get()));
        transaction(reader)
    });
    assert_eq!((busy, readings.get()), (Err(MetaError::Changing { tries: 3 }), 3));
    let (limits, source) = (Limits::default(), &device);
    let never = Looking { source, writes: &|| None, tries: 0, limits, watch: None };
    assert_eq!(look(&never, transaction), Err(MetaError::Changing { tries: 0 }));
}

#[test]
fn a_reading_that_calls_itself_torn_is_repeated() {
    let mut readings = 0;
    let looked = three_tries(&Device::new(image(5)), &[], |reader| {
        readings += 1;
        if readings < 3 { Err(MetaError::Torn) } else { transaction(reader) }
    });
    assert_eq!(looked, Ok(seen(5, 3, None)));
    let torn = three_tries(&Device::new(image(5)), &[], |_| Err::<(), _>(MetaError::Torn));
    assert_eq!(torn, Err(MetaError::Torn));
}

fn medium_error() -> MetaError {
    MetaError::Failing { failed: 1, why: "medium error".into() }
}

#[test]
fn an_error_of_a_quiet_look_is_the_medium_s_and_not_tried_again() {
    let readings = Cell::new(0);
    let failing = |_: &Reader<'_>| {
        readings.set(readings.get() + 1);
        Err::<(), _>(medium_error())
    };
    let looked = three_tries(&Device::new(image(5)), &[(7, 0)], failing);
    assert_eq!((looked, readings.get()), (Err(medium_error()), 1));
}

#[test]
fn an_error_of_a_look_that_was_overtaken_is_tried_again() {
    let device = Device::new(image(5));
    let fails_first = |overtaken: bool| {
        let mut readings = 0;
        let device = &device;
        move |reader: &Reader<'_>| {
            readings += 1;
            if readings > 1 {
                return transaction(reader);
            }
            if overtaken {
                device.commit(image(6));
            }
            Err(medium_error())
        }
    };
    let by_count = three_tries(&device, &[(7, 0), (8, 0)], fails_first(false));
    assert_eq!(by_count, Ok(seen(5, 2, Some(8))));
    let by_superblock = three_tries(&device, &[], fails_first(true));
    assert_eq!(by_superblock, Ok(seen(6, 2, None)));
}

#[test]
fn a_superblock_that_cannot_be_read_again_is_an_error_and_no_commit() {
    let error = || Err(io::Error::other("medium error"));
    let second = Device::new(image(5)).becomes(vec![Ok(image(5)), error()]);
    assert_eq!(three_tries(&second, &[], transaction), Err(medium_error()));
    let first = Device::new(image(5)).becomes(vec![error()]);
    assert_eq!(three_tries(&first, &[], transaction), Err(medium_error()));
    // with writes between, both are tried again
    let busy = [(7, 0), (8, 0)];
    for states in [vec![Ok(image(5)), error()], vec![error()]] {
        let device = Device::new(image(5)).becomes(states);
        assert_eq!(three_tries(&device, &busy, transaction), Ok(seen(5, 2, Some(8))));
    }
}

#[test]
fn a_reading_that_was_told_to_stop_stops_though_writes_came_between() {
    let device = Device::new(image(5));
    let told = RefCell::new(0);
    let watch = |_: Progress| {
        *told.borrow_mut() += 1;
        ControlFlow::Break(())
    };
    let (limits, count) = (Limits::default(), Cell::new(0));
    let writes = || Some(Writes { complete: count.replace(count.get() + 1), under_way: 1 });
    let looking =
        Looking { source: &device, writes: &writes, tries: 3, limits, watch: Some(&watch) };
    let stopped = look(&looking, |reader| reader.details().map(|_| ()));
    assert_eq!((stopped, *told.borrow()), (Err(MetaError::Stopped), 1));
}

/// The image with details that say another number of blocks than the tree maps.
fn contradicting() -> Vec<u8> {
    let mut pool = Pool::new(100, 252);
    pool.create(1);
    (0..20).for_each(|block| pool.write(1, block));
    pool.transaction = 5;
    pool.devices.get_mut(&1).expect("just made").mapped = 19;
    pool.image(20)
}

fn whole(device: &Device) -> (Vec<DamageKind>, u32) {
    let limits = Limits::default();
    let looking = Looking { source: device, writes: &|| None, tries: 3, limits, watch: None };
    let looked = Whole::look(&looking).expect("readable");
    let kinds = looked.value.damages.list().iter().map(|damage| damage.kind.clone());
    (kinds.collect(), looked.tries)
}

#[test]
fn what_contradicts_itself_is_read_again_and_damage_only_if_it_stays() {
    let (sound, torn) = (image(5), contradicting());
    assert_eq!(sound[..BLOCK], torn[..BLOCK], "the superblock does not tell them apart");
    let device = Device::new(torn.clone()).becomes(vec![Ok(torn.clone()), Ok(sound)]);
    assert_eq!(whole(&device), (vec![], 2));
    let id = thinscope::ids::ThinId::new(1).expect("a small id");
    let mapped = DamageKind::Mapped { id, counted: 20, said: 19 };
    assert_eq!(whole(&Device::new(torn)), (vec![mapped], 3));
}
