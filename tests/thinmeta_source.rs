//! Where metadata is read from: files, through the door, and volumes put together from
//! segments.

#[path = "common/door.rs"]
mod door;
#[path = "common/meta_writer.rs"]
mod meta_writer;
#[path = "common/tools.rs"]
mod tools;

use std::io;

use meta_writer::{BLOCK, Pool};
use proptest::prelude::*;
use thinscope::thinmeta::{
    BlockSource, DamageKind, Extent, ExtentSource, ImageSource, MetaError, Part, Place, Reader,
    Whole,
};

/// Three blocks in which every two bytes are another number.
fn numbered() -> Vec<u8> {
    (0..6144_u16).flat_map(u16::to_le_bytes).collect()
}

/// Reads into memory that begins so many bytes behind a page.
fn read_into(source: &dyn BlockSource, off: usize, at: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut room = vec![0; len + off + BLOCK];
    let start = room.as_ptr().align_offset(BLOCK) + off;
    let bytes = &mut room[start..start + len];
    source.read_at(at, bytes).map(|()| bytes.to_vec())
}

#[test]
fn a_file_is_read_up_to_its_end_and_not_beyond_into_any_memory() {
    let folder = tools::folder();
    let path = tools::write(folder.path(), "image", &numbered());
    let source = door::open(&path).expect("a file");
    assert_eq!(source.len_bytes(), 12288);
    for off in [0, 1, 512] {
        let read = |at, len| read_into(&*source, off, at, len);
        assert_eq!(read(0, 12288).expect("all of it"), numbered());
        assert_eq!(read(8192, BLOCK).expect("the last block"), numbered()[8192..]);
        for (at, len) in [(8192, 2 * BLOCK), (12288, BLOCK)] {
            let error = read(at, len).expect_err("past the end").to_string();
            assert!(error.contains("past its end"), "{error}");
        }
    }
}

#[test]
fn what_is_no_image_is_an_error_and_does_not_hold_us() {
    let folder = tools::folder();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).expect("the folder takes pipes");
    for path in [&pipe, &folder.path().join("none"), folder.path()] {
        assert!(door::open(path).is_err(), "{}", path.display());
    }
    let empty = door::open(&tools::write(folder.path(), "empty", &[])).expect("a file");
    assert_eq!(Reader::open(&*empty).map(|_| ()), Err(MetaError::TooSmall(0)));
}

fn image() -> Vec<u8> {
    let mut pool = Pool::new(3000, 252);
    pool.create(1);
    (0..2000).for_each(|block| pool.write(1, block));
    pool.image(30)
}

#[test]
fn a_file_that_shrank_after_it_was_opened_is_damaged_where_it_ends() {
    let folder = tools::folder();
    let path = tools::write(folder.path(), "image", &image());
    let source = door::open(&path).expect("a file");
    let reader = Reader::open(&*source).expect("a superblock");
    // behind the trees: the index of the metadata space map
    let cut = reader.superblock().metadata_map.bitmap_root;
    let file = std::fs::File::options().write(true).open(&path).expect("our own file");
    file.set_len(cut * BLOCK as u64 + 100).expect("it may shrink");
    let whole = Whole::read(&reader).expect("the rest is readable");
    assert_eq!((reader.source_blocks(), whole.sharing.reached.get()), (30, 2000));
    let [damage] = whole.damages.list() else { panic!("{:?}", whole.damages) };
    assert_eq!((damage.block, damage.part), (cut, Part::MetadataSpaceMap));
    let DamageKind::Unreadable(why) = &damage.kind else { panic!("{damage}") };
    assert!(why.contains("past its end"), "{why}");
}

#[test]
fn bytes_behind_the_last_whole_block_are_no_block() {
    let folder = tools::folder();
    let bytes = [image(), vec![7; 1000]].concat();
    let source = door::open(&tools::write(folder.path(), "image", &bytes)).expect("a file");
    let reader = Reader::open(&*source).expect("a superblock");
    assert_eq!((source.len_bytes(), reader.source_blocks()), (30 * 4096 + 1000, 30));
    assert_eq!(Whole::read(&reader).expect("readable").damages.list(), []);
}

/// Lays a volume of numbered bytes out over four places as its segments say, dealing stripe by
/// stripe like cards.
fn lay_out(segments: &[(usize, u64, u64)]) -> (Vec<u8>, Vec<Vec<u8>>, Vec<Extent>) {
    let (mut volume, mut places) = (Vec::new(), vec![vec![0xff; 3]; 4]);
    let mut extents = Vec::new();
    for (ways, stripe, stripes) in segments {
        let place = |source: usize, bytes: &[u8]| Place { source, offset: bytes.len() as u64 };
        let starts = places.iter().enumerate().map(|(n, bytes)| place(n, bytes));
        let starts: Vec<Place> = starts.take(*ways).collect();
        for turn in 0..stripe * stripes {
            let way = usize::try_from(turn / stripe).expect("few stripes") % ways;
            let byte = u8::try_from(volume.len() % 251).expect("below 251");
            volume.push(byte);
            places[way].push(byte);
        }
        // nothing that belongs to another segment follows at once
        for place in &mut places {
            place.extend([0xfe; 5]);
        }
        extents.push(Extent { length: stripe * stripes, stripe: *stripe, places: starts });
    }
    (volume, places, extents)
}

proptest! {
    #[test]
    fn a_volume_of_any_segments_reads_as_it_was_laid_out(
        segments in prop::collection::vec((1..=4_usize, 1..6_u64, 0..9_u64), 0..5),
        (at, len) in (0..100_u64, 0..100_usize),
    ) {
        let (volume, places, extents) = lay_out(&segments);
        let source = ExtentSource::new(places.into_iter().map(ImageSource::new).collect(), extents);
        prop_assert_eq!(source.len_bytes(), volume.len() as u64);
        let mut bytes = vec![0; len];
        let from = usize::try_from(at).expect("small");
        match volume.get(from..from + len) {
            Some(expected) => {
                source.read_at(at, &mut bytes).expect("inside the volume");
                prop_assert_eq!(&bytes, expected);
            }
            None if len > 0 => {
                let end = source.read_at(at, &mut bytes).map_err(|error| error.kind());
                prop_assert_eq!(end, Err(io::ErrorKind::UnexpectedEof));
            }
            None => {}
        }
    }
}

#[test]
fn a_pool_s_metadata_in_place_on_two_devices_reads_like_the_plain_image() {
    let (bytes, stripe) = (image(), 2 * BLOCK);
    // the first 16 blocks striped over two devices, the rest behind each other on the second
    let (striped, rest) = bytes.split_at(16 * BLOCK);
    let way = |which: usize| striped.chunks(stripe).skip(which).step_by(2).collect::<Vec<_>>();
    let one = [&[0xaa; BLOCK][..], &way(0).concat()].concat();
    let other = [way(1).concat(), rest.to_vec()].concat();
    let place = |source, blocks: usize| Place { source, offset: (blocks * BLOCK) as u64 };
    let extents = vec![
        Extent {
            length: striped.len() as u64,
            stripe: stripe as u64,
            places: vec![place(0, 1), place(1, 0)],
        },
        Extent::linear(rest.len() as u64, place(1, 8)),
    ];
    let volume = ExtentSource::new(vec![ImageSource::new(one), ImageSource::new(other)], extents);
    let reader = Reader::open(&volume).expect("a superblock");
    let whole = Whole::read(&reader).expect("readable");
    assert_eq!(whole.damages.list(), []);
    assert_eq!(whole.sharing.reached.get(), 2000);
}
