//! A real database (`tests/data/docker/README.md`), whole and damaged.

use super::*;
use proptest::prelude::*;

const SNAPSHOTS: &[u8] = include_bytes!("../../../tests/data/docker/snapshots.db");

/// Top-level keys, each with the keys of its bucket.
fn keys(bytes: &[u8]) -> Result<Vec<String>, BoltError> {
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    let pages: &dyn Pages = &Slice(bytes);
    let mut all = Vec::new();
    Bolt::open(pages)?.root().each(&mut |key, value| {
        let mut inner = Vec::new();
        if let Value::Bucket(bucket) = value {
            bucket.each(&mut |key, _| {
                inner.push(text(key));
                Ok(())
            })?;
        }
        all.push(format!("{}: {}", text(key), inner.join(" ")));
        Ok(())
    })?;
    Ok(all)
}

#[test]
fn a_real_database_is_read_in_the_order_of_its_keys() {
    assert_eq!(
        keys(SNAPSHOTS).unwrap_or_default(),
        [
            "04g16twrfjqhdoe405tbz0pfv: parent size",
            "5ronk4i3f2ojxh9ndo6ownuit: parent size",
            "6d2vbwkw7ieb3vdc4vgb4d4kb: iscommitted parent",
            "8ttalkb0oy0fisrs4trz188ef: parent size",
            "fgpapsh1t7ebijnm3sn5xmmbv: chainid",
            "jjlsyfqrliiwrjk4x7vr5q1hg: iscommitted parent",
            "o8anhj2ihv5x53gl1q2qwxze0: chainid committed",
            "sha256:3cd39491c184649885610508cce4c986fd22b4bcde377ce14f37af3c33ca0bc7: ",
            "tabutf09n1owmkq27bwcuv1pw: committed size",
            "zt1dsge6ca9nsv9r5hrtqtckr: parent size",
        ]
    );
}

#[test]
fn the_newer_meta_page_counts_and_the_older_serves_when_it_is_damaged() {
    let transaction = |bytes: &[u8]| Bolt::open(&Slice(bytes)).map(|db| db.transaction());
    assert_eq!(transaction(SNAPSHOTS), Ok(19));
    let mut second = SNAPSHOTS.to_vec();
    second[4096 + 16 + 20] ^= 1;
    assert_eq!(transaction(&second), Ok(18));
    let mut first = SNAPSHOTS.to_vec();
    first[16] ^= 1;
    assert_eq!(transaction(&first), Ok(19));
    first[4096 + 16] ^= 1;
    assert_eq!(transaction(&first), Err(BoltError::NoMeta));
}

#[test]
fn what_is_no_database_or_cut_is_an_error() {
    for bytes in [&b""[..], &[0; 8192], b"SQLite format 3\0"] {
        assert_eq!(Bolt::open(&Slice(bytes)).map(drop).err(), Some(BoltError::NoMeta));
    }
    assert_eq!(keys(&SNAPSHOTS[..8192]).err(), Some(BoltError::Damaged(2)));
}

/// A page number and the meta that leads to it, written over a real database's newest meta.
fn with_root(bytes: &mut [u8], page: u64) {
    let meta = 4096 + META_AT;
    bytes[meta + 16..meta + 24].copy_from_slice(&page.to_le_bytes());
    let sum = fnv1a(&bytes[meta..meta + META_SUMMED]);
    bytes[meta + META_SUMMED..meta + META_SUMMED + 8].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn a_page_that_leads_to_itself_ends_in_an_error() {
    let mut bytes = SNAPSHOTS.to_vec();
    with_root(&mut bytes, 3);
    let page = 3 * 4096;
    bytes[page..page + 16].copy_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    bytes[page + 24..page + 32].copy_from_slice(&3u64.to_le_bytes());
    assert_eq!(keys(&bytes).err(), Some(BoltError::Circle));
    with_root(&mut bytes, u64::MAX);
    assert_eq!(keys(&bytes).err(), Some(BoltError::Damaged(u64::MAX)));
}

proptest! {
    #[test]
    fn damage_anywhere_never_panics(changes in proptest::collection::vec((0usize..32768, any::<u8>()), 1..40)) {
        let mut bytes = SNAPSHOTS.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Ok(keys) = keys(&bytes) {
            prop_assert!(keys.len() <= bytes.len() / page::ELEMENT);
        }
    }

    #[test]
    fn damage_in_the_pages_that_are_read_never_panics(changes in proptest::collection::vec((8192usize..12288, any::<u8>()), 1..40)) {
        let mut bytes = SNAPSHOTS.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let _ = keys(&bytes);
    }
}
