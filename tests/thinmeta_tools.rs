//! Numbers of the metadata reader against those of `thin_ls`, `thin_dump` and `thin_delta`.

#[path = "common/door.rs"]
mod door;
#[path = "common/meta_writer.rs"]
mod meta_writer;
#[path = "common/tools.rs"]
mod tools;

use std::path::Path;

use meta_writer::Pool;
use thinscope::ids::ThinId;
use thinscope::thinmeta::Reader;
use tools::Row;

fn id(number: u64) -> ThinId {
    ThinId::new(number).expect("a small id")
}

/// What the reader says in the words of `thin_ls`.
fn our_rows(reader: &Reader<'_>) -> Vec<Row> {
    let details = reader.details().expect("readable");
    let forest = reader.forest().expect("readable");
    assert!(details.damages.is_empty() && forest.damages.is_empty());
    let sharing = reader.sharing(&forest.value, &details.value).expect("readable");
    assert_eq!(sharing.damages.list(), []);
    let row = |device: &thinscope::thinmeta::DeviceSharing| {
        let detail = details.value.get(device.id).expect("every device has details");
        assert_eq!(device.reached, Some(device.mapped), "device {}", device.id);
        Row {
            id: device.id.get().into(),
            mapped: device.mapped.get(),
            exclusive: device.exclusive.get(),
            shared: device.shared().get(),
            transaction: detail.transaction,
            created: detail.created.into(),
            snapshotted: detail.snapshotted.into(),
        }
    };
    let data = reader.data_usage().expect("readable");
    assert_eq!(data.value.counted, sharing.reached.get());
    assert!(data.damages.is_empty(), "{:?}", data.damages);
    sharing.devices.iter().map(row).collect()
}

fn our_mappings(reader: &Reader<'_>) -> Vec<(u64, u64, u64, u64)> {
    let forest = reader.forest().expect("readable").value;
    let mut all = Vec::new();
    for device in forest.devices() {
        let damages = reader.mappings(&forest, *device, (0, u64::MAX), &mut |m| {
            all.push((device.get().into(), m.virtual_block, m.data_block, m.time.into()));
        });
        assert!(damages.expect("readable").is_empty());
    }
    all
}

/// Every number the tools have, against ours.
fn agree(image: &Path) {
    let source = door::open(image).expect("the image is there");
    let reader = Reader::open(&*source).expect("a superblock");
    assert_eq!(reader.damages().list(), []);
    assert_eq!(our_rows(&reader), tools::thin_ls(image));
    assert_eq!(our_mappings(&reader), tools::thin_dump(image));
}

fn deltas_agree(image: &Path, pairs: &[(u64, u64)]) {
    let source = door::open(image).expect("the image is there");
    let reader = Reader::open(&*source).expect("a superblock");
    let forest = reader.forest().expect("readable").value;
    for (left, right) in pairs {
        let delta = reader.delta(&forest, id(*left), id(*right)).expect("readable");
        assert!(delta.damages.is_empty());
        let ours = [delta.different, delta.left_only, delta.right_only]
            .map(thinscope::units::DataBlocks::get);
        let [_, theirs @ ..] = tools::thin_delta(image, *left, *right);
        assert_eq!(ours, theirs, "{left} against {right}");
    }
}

#[test]
fn a_restored_pool_reads_as_the_tools_read_it() {
    let folder = tools::folder();
    let xml = r#"<superblock uuid="" time="3" transaction="7" data_block_size="128" nr_data_blocks="40000">
        <device dev_id="1" mapped_blocks="9000" transaction="0" creation_time="0" snap_time="3">
          <range_mapping origin_begin="0" data_begin="0" length="9000" time="0"/>
        </device>
        <device dev_id="5" mapped_blocks="502" transaction="2" creation_time="2" snap_time="2">
          <single_mapping origin_block="3" data_block="3" time="0"/>
          <range_mapping origin_begin="1000" data_begin="1000" length="500" time="0"/>
          <single_mapping origin_block="70000" data_block="39999" time="2"/>
        </device>
        <device dev_id="16777215" mapped_blocks="0" transaction="6" creation_time="3" snap_time="3">
        </device>
      </superblock>"#;
    let image = tools::restore(folder.path(), xml, 4 << 20);
    agree(&image);
    deltas_agree(&image, &[(5, 1), (1, 5), (16_777_215, 1), (1, 1)]);
}

/// A base, a chain of snapshots of it, and snapshots of some of those, each with writes.
fn layered(fan: usize) -> Pool {
    let mut pool = Pool::new(60_000, fan);
    pool.create(1);
    (0..3000).for_each(|block| pool.write(1, block * 3));
    for layer in 2..40_u32 {
        let origin = if layer % 5 == 0 { 1 } else { layer - 1 };
        pool.transaction += 1;
        pool.snapshot(layer, origin);
        (0..40).for_each(|n| pool.write(layer, (u64::from(layer) * 131 + n * n * 17) % 9500));
    }
    pool.delete(7);
    pool.delete(23);
    pool.snapshot(7, 30);
    (0..10).for_each(|n| pool.write(7, 20_000 + n));
    pool
}

#[test]
fn layers_that_share_subtrees_read_as_the_tools_read_them() {
    let folder = tools::folder();
    let image = tools::write(folder.path(), "layers.img", &layered(252).image(2000));
    tools::run("thin_check", &[&image.to_string_lossy()]).expect("our writer writes sound images");
    agree(&image);
    deltas_agree(&image, &[(2, 1), (3, 2), (7, 30), (30, 7), (39, 1), (39, 38), (12, 12)]);
}
