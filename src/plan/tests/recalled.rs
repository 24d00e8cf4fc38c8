//! Pools that only an earlier look knows.

use std::sync::Arc;

use super::{activate, around, commands, occasion, recorded};
use crate::exec::{Ending, rehearse};
use crate::ids::DevNo;
use crate::intent::{Activate, Intent};
use crate::model::{Kind, Topology};
use crate::plan::recall::{Recall, Recalled, Superblock};
use crate::plan::{Action, Around, Check, Plan, Planned, Refusal, Want, plan, wants};
use crate::units::{Bytes, DataBlocks, Sectors};

/// The recorded host's own pool, as a look kept it.
fn kept() -> Recalled {
    let mut all = Recalled::all(&recorded("loop-lvm"), 1_795_255_200);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// The same pool with its files as they were.
fn recall() -> Recall {
    let was = kept();
    let block_size = Sectors(128);
    let data_blocks = DataBlocks(was.data.size.sectors().get() / block_size.get());
    Recall {
        by: "the recording a.capture".to_owned(),
        metadata_size: Some(was.metadata.size),
        data_size: Some(was.data.size),
        superblock: Ok(Superblock { block_size, data_blocks, needs_check: false }),
        was,
    }
}

/// A host on which nothing says that there ever was a pool.
fn bare() -> Topology {
    Topology::default()
}

fn with(recall: Recall) -> Around {
    Around { recalled: Ok(vec![recall]), ..around() }
}

fn planned(recall: Recall) -> Result<Plan, Refusal> {
    let name = recall.was.pool.clone();
    match plan(&activate(Some(&name)), &bare(), &with(recall), &occasion())? {
        Planned::Plan(plan) => Ok(*plan),
        Planned::Nothing { why } => panic!("{why}"),
    }
}

#[test]
fn a_look_keeps_what_lvm_does_not_record_and_nothing_else() {
    let was = kept();
    assert!(was.pool.ends_with("-pool"), "{}", was.pool);
    assert!(was.table.starts_with("0 209715200 thin-pool "), "{}", was.table);
    assert!(was.table.ends_with(" 128 32768 1 skip_block_zeroing"), "{}", was.table);
    let file = was.data.file.expect("it lies in a file");
    assert_eq!(file, "/var/lib/docker/devicemapper/devicemapper/data");
    assert_eq!(was.data.size, Bytes(100 << 30));
    assert_eq!(Recalled::all(&recorded("direct-lvm"), 0), [], "LVM records its own");
}

#[test]
fn what_nothing_on_the_host_names_is_asked_of_memory() {
    let wish = Activate { target: Some("fc-dev-thinpool".to_owned()), ..Activate::default() };
    let asked = wants(&Intent::Activate(wish), &bare());
    let is = |want: &Want| matches!(want, Want::Recalled { pool: Some(pool), recording: None } if pool == "fc-dev-thinpool");
    assert!(asked.iter().any(is), "{asked:?}");
    let asked = wants(&activate(None), &recorded("direct-lvm"));
    assert!(!asked.iter().any(|want| matches!(want, Want::Recalled { .. })));
}

#[test]
fn a_pool_is_made_again_with_the_table_that_it_had() {
    let plan = planned(recall()).expect("it is planned");
    let lines = commands(&plan);
    assert_eq!(lines.len(), 3);
    assert!(lines[0].ends_with("devicemapper/metadata") && lines[0].starts_with("losetup "));
    assert!(lines[1].ends_with("devicemapper/data"), "{}", lines[1]);
    let table = "'0 209715200 thin-pool /dev/loop0 /dev/loop1 128 32768 1 skip_block_zeroing'";
    assert!(lines[2].contains(table), "{}", lines[2]);
    let ending = rehearse(&plan, Arc::new(bare()), &mut |_| {});
    assert_eq!(ending, Ending::Done, "what is predicted meets its own checks");
}

#[test]
fn over_anything_but_the_metadata_of_that_pool_nothing_is_made() {
    let mut none = recall();
    none.superblock = Err("its superblock is all zero".to_owned());
    let why = planned(none).expect_err("refused").why;
    assert!(why.contains("all zero") && why.contains("new, empty pool"), "{why}");
    let mut other = recall();
    other.superblock = other.superblock.map(|is| Superblock { block_size: Sectors(1024), ..is });
    let why = planned(other).expect_err("refused").why;
    assert!(why.contains("not the same pool"), "{why}");
    let mut cut = recall();
    cut.data_size = Some(Bytes(1 << 30));
    let why = planned(cut).expect_err("refused").why;
    assert!(why.contains("it was cut"), "{why}");
    let mut gone = recall();
    gone.data_size = None;
    let why = planned(gone).expect_err("refused").why;
    assert!(why.contains("is not there: find it first"), "{why}");
}

fn length(plan: &Plan) -> u64 {
    let table = plan.steps.iter().find_map(|step| match &step.action {
        Action::CreatePool { table, .. } => Some(table.clone()),
        _ => None,
    });
    let table = table.expect("a pool is made");
    table.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a length")
}

#[test]
fn a_pool_that_grew_since_keeps_that_and_a_file_that_was_lengthened_grows_none() {
    let mut longer = recall();
    longer.data_size = Some(Bytes(200 << 30));
    assert_eq!(length(&planned(longer.clone()).expect("planned")), 209_715_200);
    // its own metadata counts half as much again
    longer.superblock =
        longer.superblock.map(|is| Superblock { data_blocks: DataBlocks(2_457_600), ..is });
    assert_eq!(length(&planned(longer).expect("planned")), 314_572_800);
}

#[test]
fn a_device_is_found_by_what_identifies_it_whatever_its_number_is() {
    let host = recorded("direct-lvm");
    let disk = host.nodes.iter().find(|node| node.kind == Kind::Disk).expect("a disk");
    let mut recall = recall();
    recall.was.data.file = None;
    recall.was.data.id = disk.id.to_string();
    recall.was.data.name = disk.name.to_string();
    let name = recall.was.pool.clone();
    let around = with(recall.clone());
    let planned = plan(&activate(Some(&name)), &host, &around, &occasion()).expect("planned");
    let Planned::Plan(plan) = planned else { panic!("a plan") };
    let device = disk.device.expect("it is there");
    let last = plan.steps.last().expect("steps");
    assert!(commands(&plan)[1].contains(&format!(" {device} 128 ")), "{:?}", commands(&plan));
    let is = Check::Is { device, id: disk.id.to_string(), name: disk.name.to_string() };
    assert!(last.before.contains(&is), "{:?}", last.before);
    assert!(is.judge(&host).holds());
    let other = Check::Is { device: DevNo::new(8, 200), id: disk.id.to_string(), name };
    assert!(!other.judge(&host).holds(), "a number that means another device");
}

#[test]
fn a_recording_is_not_for_what_lvm_owns_and_says_where_it_knows_nothing() {
    let host = recorded("direct-lvm");
    let recording = || Some("/a.capture".to_owned());
    let wish = Intent::Activate(Activate { recording: recording(), ..Activate::default() });
    let why = plan(&wish, &host, &around(), &occasion()).expect_err("refused").why;
    assert!(why.contains("LVM's, whose own record"), "{why}");
    let nothing = Around { recalled: Err("it is of host other".to_owned()), ..around() };
    let target = Some("gone".to_owned());
    let wish = Intent::Activate(Activate { target, recording: recording(), unit: false });
    let why = plan(&wish, &bare(), &nothing, &occasion()).expect_err("refused").why;
    assert!(why.contains("it is of host other"), "{why}");
}

#[test]
fn its_unit_names_the_same_files_and_arguments() {
    let mut host = bare();
    host.host.units = Some(Vec::new());
    let recall = recall();
    let wish =
        Activate { target: Some(recall.was.pool.clone()), unit: true, ..Activate::default() };
    let planned = plan(&Intent::Activate(wish), &host, &with(recall), &occasion());
    let Ok(Planned::Plan(plan)) = planned else { panic!("{planned:?}") };
    assert_eq!(plan.steps.len(), 5, "two files, the pool, the unit, its start");
    let Action::WriteUnit { lines, .. } = &plan.steps[3].action else { panic!("the unit") };
    let text = lines.join("\n");
    for part in ["devicemapper/metadata", "128 32768 1 skip_block_zeroing", "blockdev --getsz"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
