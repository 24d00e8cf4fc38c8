//! How much is kept in memory changes nothing in what is said.

#[path = "common/meta_writer.rs"]
mod meta_writer;

use meta_writer::Pool;
use thinscope::ids::ThinId;
use thinscope::thinmeta::{Delta, ImageSource, Limits, Mapping, Reader, Whole};
use thinscope::units::{Bytes, DataBlocks};

/// Layers that each wrote all over a base: many internal nodes of their own.
fn scattered() -> Vec<u8> {
    let mut pool = Pool::new(8000, 12);
    pool.create(1);
    (0..1500).for_each(|block| pool.write(1, block));
    for layer in 2..42_u32 {
        pool.snapshot(layer, (layer - 1 - layer % 3 / 2).max(1));
        (0..25).for_each(|n| pool.write(layer, (u64::from(layer) * 37 + n * 61) % 1500));
    }
    pool.delete(20);
    pool.image(6000)
}

/// All that is said of devices: exclusive blocks, deltas to the device before, mappings.
fn said(image: &[u8], memory: u64) -> (Vec<DataBlocks>, Vec<Delta>, Vec<Vec<Mapping>>) {
    let source = ImageSource::new(image.to_vec());
    let limits = Limits { memory: Bytes(memory), passes: 64 };
    let reader = Reader::open(&source).expect("a superblock").limited(limits);
    let whole = Whole::read(&reader).expect("readable");
    assert_eq!(whole.damages.list(), []);
    let ids: Vec<ThinId> = whole.forest.devices().to_vec();
    let deltas = ids.windows(2).map(|pair| reader.delta(&whole.forest, pair[1], pair[0]));
    let mappings = ids.iter().map(|id| {
        let mut all = Vec::new();
        let damages = reader.mappings(&whole.forest, *id, (0, u64::MAX), &mut |m| all.push(m));
        assert!(damages.expect("readable").is_empty());
        all
    });
    (
        whole.sharing.devices.iter().map(|device| device.exclusive).collect(),
        deltas.map(|delta| delta.expect("readable")).collect(),
        mappings.collect(),
    )
}

#[test]
fn a_forest_of_which_little_is_kept_says_what_a_whole_one_says() {
    let image = scattered();
    let whole = said(&image, 256 << 20);
    assert!(whole.0.iter().any(|blocks| blocks.get() > 0), "layers hold something alone");
    // edges, runs and the table of data blocks all exceed these by far
    for memory in [64 << 10, 8 << 10, 4 << 10] {
        assert!(said(&image, memory) == whole, "with {memory} bytes");
    }
}
