//! What a pool's own metadata adds to what its engine says.

use std::sync::Arc;

use super::super::assemble_owned;
use super::shapes::{device, direct_lvm, docker};
use crate::ids::ThinId;
use crate::model::descent::Descent;
use crate::model::metadata::{Delta, DeviceMetadata, Lineage, Mappings, PoolMetadata};
use crate::model::{Role, ThinDevice, Usage};
use crate::owner::{Backing, Owned};
use crate::probe::metadata::{MetadataSeen, PoolLook};
use crate::probe::{Assembled, Before, Facts};
use crate::units::{Bytes, DataBlocks, Sectors};

fn id(number: u64) -> ThinId {
    ThinId::new(number).expect("a small id")
}

/// Metadata with these ids, each made by the transaction of its own number.
pub(super) fn contents(ids: &[u64]) -> PoolMetadata {
    let device = |number: &u64| DeviceMetadata {
        id: id(*number),
        mapped: DataBlocks(10 * number),
        transaction: *number,
        created: 0,
        snapshotted: 0,
        origin: Some(Lineage::Certain(id(7))),
    };
    PoolMetadata {
        transaction: 9,
        block_size: Sectors(128),
        data: Usage { used: DataBlocks(100), total: DataBlocks(1000) },
        devices: ids.iter().map(device).collect(),
        ..PoolMetadata::default()
    }
}

pub(super) fn seen(contents: PoolMetadata) -> Arc<MetadataSeen> {
    let pool = "docker-thinpool".to_owned();
    let look = PoolLook::new(pool, Ok(contents));
    Arc::new(MetadataSeen { pools: vec![look] })
}

/// Docker names 7, which is active, and 8.
fn owned() -> Owned {
    let named = [("abc", 7, Role::ImageLayer), ("def", 8, Role::Container)];
    let devices =
        named.map(|(name, number, role)| device("docker-8:1-5", name, Some(number), role)).to_vec();
    docker("docker-thinpool", Backing::Given, devices)
}

/// With these ids before Docker's files were read and after.
fn assembled(before: Option<&[u64]>, now: &[u64], owned: &Owned) -> Assembled {
    let before = Before { docker: before.map(|ids| seen(contents(ids))), ..Before::default() };
    let facts = Facts { metadata: Some(seen(contents(now))), before, ..direct_lvm() };
    assemble_owned(&facts, owned)
}

fn roles(assembled: &Assembled) -> Vec<(u32, Role)> {
    let rows = assembled.topology.thins.iter();
    rows.filter_map(|row| Some((row.id?.get(), row.role))).collect()
}

fn row(assembled: &Assembled, number: u64) -> &ThinDevice {
    let found = assembled.topology.thins.iter().find(|row| row.id == Some(id(number)));
    found.expect("there is such a row")
}

#[test]
fn an_id_without_a_name_is_leaked_only_when_it_was_there_before_its_engine_was_read() {
    let once = assembled(None, &[7, 8, 9], &owned());
    assert_eq!(roles(&once)[2], (9, Role::Unknown));
    assert!(once.unsure, "a second look tells");
    let twice = assembled(Some(&[7, 8, 9]), &[7, 8, 9], &owned());
    assert_eq!(roles(&twice), [(7, Role::ImageLayer), (8, Role::Container), (9, Role::Leaked)]);
    assert!(!twice.unsure);
    assert_eq!(row(&twice, 9).mapped, Some(Bytes(90 << 16)));
    let new = assembled(Some(&[7, 8]), &[7, 8, 9], &owned());
    assert_eq!(roles(&new)[2], (9, Role::Unknown), "it was made since");
}

#[test]
fn an_id_that_was_given_to_another_device_meanwhile_is_not_leaked() {
    let mut before = contents(&[7, 8, 9]);
    before.devices[2].transaction = 3;
    let facts = Facts {
        metadata: Some(seen(contents(&[7, 8, 9]))),
        before: Before { docker: Some(seen(before)), ..Before::default() },
        ..direct_lvm()
    };
    assert_eq!(roles(&assemble_owned(&facts, &owned()))[2], (9, Role::Unknown));
}

#[test]
fn nothing_is_leaked_while_a_name_could_not_be_read_or_a_transaction_is_open() {
    let all: Option<&[u64]> = Some(&[7, 8, 9]);
    let mut unread = owned();
    unread.pools[0].names_all = false;
    assert_eq!(roles(&assembled(all, &[7, 8, 9], &unread))[2], (9, Role::Unknown));
    let mut open = owned();
    open.pools[0].transaction = Some((10, id(9)));
    let open = assembled(all, &[7, 8, 9], &open);
    assert_eq!(roles(&open)[2], (9, Role::Unknown));
    assert!(row(&open, 9).note.is_some() && !open.unsure);
    let mut closed = owned();
    closed.pools[0].transaction = Some((9, id(9)));
    assert_eq!(roles(&assembled(all, &[7, 8, 9], &closed))[2], (9, Role::Leaked));
    let nobody = Owned::default();
    let nobody = assembled(all, &[7, 8, 9], &nobody);
    assert!(roles(&nobody).iter().all(|(_, role)| *role == Role::Unknown), "no engine is known");
    assert!(!nobody.unsure);
}

#[test]
fn a_name_without_an_id_is_missing_when_two_readings_say_so_and_it_is_not_active() {
    let once = assembled(None, &[7], &owned());
    assert_eq!(roles(&once)[1], (8, Role::Container));
    assert!(once.unsure);
    let twice = assembled(Some(&[7]), &[7], &owned());
    assert_eq!(roles(&twice)[1], (8, Role::Missing));
    assert_eq!((row(&twice, 8).mapped, row(&twice, 8).exclusive), (None, None));
    let active = assembled(Some(&[8]), &[8], &owned());
    assert_eq!(roles(&active)[0], (7, Role::ImageLayer), "it may not be committed yet");
    let mut damaged = contents(&[7]);
    damaged.damage_count = 1;
    let facts = Facts {
        metadata: Some(seen(damaged.clone())),
        before: Before { docker: Some(seen(damaged)), ..Before::default() },
        ..direct_lvm()
    };
    assert_eq!(roles(&assemble_owned(&facts, &owned()))[1], (8, Role::Container));
}

#[test]
fn figures_come_from_the_metadata_and_a_parent_only_where_nobody_names_one() {
    let mut now = contents(&[7, 8, 9]);
    now.mappings = Some(Box::new(Mappings {
        exclusive: vec![Some(DataBlocks(1)), Some(DataBlocks(2)), None],
        deltas: vec![
            Delta { id: id(8), parent: id(7), added: DataBlocks(5), descent: Descent::Confirmed },
            Delta { id: id(9), parent: id(7), added: DataBlocks(6), descent: Descent::Confirmed },
        ],
        ..Mappings::default()
    }));
    let facts = Facts { metadata: Some(seen(now)), ..direct_lvm() };
    let mut owned = owned();
    owned.pools[0].devices[1].parent = Some(id(7));
    let assembled = assemble_owned(&facts, &owned);
    let figures = |number| {
        let row = row(&assembled, number);
        [row.mapped, row.exclusive, row.shared, row.delta].map(|bytes| bytes.map(|b| b.get() >> 16))
    };
    assert_eq!(figures(7), [Some(70), Some(1), Some(69), None]);
    assert_eq!(figures(8), [Some(80), Some(2), Some(78), Some(5)]);
    assert_eq!(figures(9), [Some(90), None, None, Some(6)]);
    assert_eq!(row(&assembled, 9).parent, Some(id(7)), "the metadata is certain of it");
    assert_eq!(row(&assembled, 7).parent, None, "its engine names none");
}
