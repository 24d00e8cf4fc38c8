//! Answers as the kernel lays them out (`linux/dm-ioctl.h`), built by hand.

use proptest::prelude::*;

use super::*;

/// A header with `data` behind it, as the kernel fills one: `data_size` counts both.
fn answer(data: &[u8]) -> Vec<u8> {
    let mut bytes = request(Some(DevNo::new(253, 3)), 0).to_vec();
    bytes[0..12].copy_from_slice(&[4u32, 47, 0].map(u32::to_ne_bytes).concat());
    let size = u32::try_from(HEADER_LEN + data.len()).expect("a test's data is short");
    bytes[12..16].copy_from_slice(&size.to_ne_bytes());
    bytes.extend_from_slice(data);
    // the kernel leaves the rest of the buffer as it was
    bytes.extend_from_slice(&[0xaa; 64]);
    bytes
}

fn entry(dev: u64, name: &[u8], event_nr: u32, last: bool) -> Vec<u8> {
    let mut bytes = dev.to_ne_bytes().to_vec();
    bytes.extend([0; 4]);
    bytes.extend(name);
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(event_nr.to_ne_bytes());
    bytes.extend(2u32.to_ne_bytes());
    let length = u32::try_from(bytes.len()).expect("a test's entry is short");
    bytes[8..12].copy_from_slice(&(if last { 0 } else { length }).to_ne_bytes());
    bytes
}

fn target(start: u64, length: u64, kind: &str, params: &str, next: u32) -> Vec<u8> {
    let mut bytes = [start.to_ne_bytes(), length.to_ne_bytes()].concat();
    bytes.extend(0i32.to_ne_bytes());
    bytes.extend(next.to_ne_bytes());
    bytes.extend(kind.as_bytes());
    bytes.resize(SPEC_LEN, 0);
    bytes.extend(params.as_bytes());
    bytes.push(0);
    bytes
}

#[test]
fn a_request_names_the_device_by_number_and_asks_without_flushing() {
    let header = request(Some(DevNo::new(253, 300)), flag::NO_FLUSH);
    assert_eq!(header[0..4], 4u32.to_ne_bytes());
    assert_eq!(header[28..32], 0x800u32.to_ne_bytes());
    // huge_encode_dev: minor 300 = 0x12c has its upper part above the major
    assert_eq!(header[40..48], 0x0010_fd2c_u64.to_ne_bytes());
    assert_eq!(header[48..305], [0; 257], "no name and no uuid, which would win over the number");
}

#[test]
fn names_are_listed_as_bytes_with_their_event_numbers() {
    let data = [
        entry(0xfd00, b"docker-253:0-1-base", 7, false),
        entry(0xfd01, b"vg\xff\x1b[31m", 0, false),
        entry(0xfd02, b"a", 4_000_000_000, true),
    ]
    .concat();
    let listed = parse_list(&answer(&data), [4, 37, 0]).expect("the list is whole");
    let seen: Vec<_> =
        listed.iter().map(|one| (one.dev.minor, &one.name.0[..], one.event_nr)).collect();
    assert_eq!(
        seen,
        [
            (0, &b"docker-253:0-1-base"[..], Some(7)),
            (1, b"vg\xff\x1b[31m", Some(0)),
            (2, b"a", Some(4_000_000_000)),
        ]
    );
}

#[test]
fn an_older_kernel_lists_no_event_numbers() {
    let listed = parse_list(&answer(&entry(0xfd00, b"a", 7, true)), [4, 36, 0]);
    assert_eq!(listed.expect("the list is whole")[0].event_nr, None);
}

#[test]
fn a_host_without_devices_lists_none() {
    assert_eq!(parse_list(&answer(&[0; 16]), [4, 47, 0]), Some(vec![]));
    assert_eq!(parse_list(&answer(&[]), [4, 47, 0]), Some(vec![]));
}

#[test]
fn an_entry_that_points_behind_the_end_or_nowhere_is_refused() {
    let mut data = entry(0xfd00, b"a", 0, false);
    data[8..12].copy_from_slice(&9999u32.to_ne_bytes());
    assert_eq!(parse_list(&answer(&data), [4, 47, 0]), None);
    data[8..12].copy_from_slice(&1u32.to_ne_bytes());
    assert_eq!(parse_list(&answer(&data), [4, 47, 0]), None);
}

#[test]
fn every_target_of_a_table_is_read_at_its_offset() {
    let mut data = target(0, 8192, "linear", "8:16 2048", 56);
    data.resize(56, 0);
    data.extend(target(8192, 4096, "linear", "8:32 2048", 112));
    let targets = parse_targets(&answer(&data), 2).expect("the table is whole");
    assert_eq!(targets.len(), 2);
    assert_eq!((targets[0].start, targets[0].length), (0, 8192));
    assert_eq!((targets[1].start, targets[1].length), (8192, 4096));
    assert_eq!(targets[1].kind, "linear");
    assert_eq!(targets[1].params, Raw::from("8:32 2048"));
}

#[test]
fn more_targets_than_there_are_and_a_target_that_points_back_are_refused() {
    let data = target(0, 8, "zero", "", 0);
    assert_eq!(parse_targets(&answer(&data), 1).map(|targets| targets.len()), Some(1));
    assert_eq!(parse_targets(&answer(&data), 2), None);
    assert_eq!(parse_targets(&answer(&data), u32::MAX), None);
}

#[test]
fn dependencies_are_numbers_in_the_kernel_s_encoding() {
    let mut data = 2u64.to_ne_bytes().to_vec();
    data.extend([0xfd02_u64, 0x0010_fd2c].map(u64::to_ne_bytes).concat());
    assert_eq!(parse_deps(&answer(&data)), Some(vec![DevNo::new(253, 2), DevNo::new(253, 300)]));
    data[0] = 3;
    assert_eq!(parse_deps(&answer(&data)), None, "a count beyond the data");
}

#[test]
fn the_state_of_a_device_is_in_the_header() {
    let mut bytes = answer(&[]);
    bytes[20..24].copy_from_slice(&1u32.to_ne_bytes());
    bytes[24..28].copy_from_slice(&(-1i32).to_ne_bytes());
    bytes[28..32].copy_from_slice(&(flag::SUSPENDED | flag::READ_ONLY).to_ne_bytes());
    bytes[32..36].copy_from_slice(&12u32.to_ne_bytes());
    bytes[48..52].copy_from_slice(b"pool");
    bytes[176..180].copy_from_slice(b"LVM-");
    let header = parse_header(&bytes).expect("the header is whole");
    assert_eq!(header.version, [4, 47, 0]);
    assert_eq!((header.target_count, header.open_count, header.event_nr), (1, -1, 12));
    assert_eq!((&header.name, &header.uuid), (&Raw::from("pool"), &Raw::from("LVM-")));
    assert_eq!(header.flags, flag::SUSPENDED | flag::READ_ONLY);
    assert_eq!(parse_header(&bytes[..304]), None);
}

/// The bytes, eight at a time, that a C compiler makes of `struct dm_target_spec` for this table, on a little-endian machine.
#[cfg(target_endian = "little")]
#[rustfmt::skip]
const LINEAR_AND_ZERO: [u64; 13] = [
    0x0000_0000_0000_0000, 0x0020_0000_0000_0000, 0x0000_0000_3800_0000, 0x6c69_6e65_6172_0000,
    0x0000_0000_0000_0000, 0x383a_3136_2032_3034, 0x3800_0000_0000_0000,
    0x0020_0000_0000_0000, 0x0010_0000_0000_0000, 0x0000_0000_3000_0000, 0x7a65_726f_0000_0000,
    0x0000_0000_0000_0000, 0x0000_0000_0000_0000,
];

fn line(start: u64, length: u64, kind: &str, params: &str) -> DmTarget {
    DmTarget { start, length, kind: kind.to_owned(), params: Raw::from(params) }
}

#[cfg(target_endian = "little")]
#[test]
fn a_table_is_written_down_as_the_kernel_s_own_header_lays_it_out() {
    let table = [line(0, 8192, "linear", "8:16 2048"), line(8192, 4096, "zero", "")];
    let bytes = load_request(DevNo::new(253, 3), flag::READ_ONLY, &table).expect("it can be");
    assert_eq!(bytes[20..24], 2u32.to_ne_bytes(), "target_count");
    assert_eq!(bytes[16..20], 312u32.to_ne_bytes(), "data_start");
    assert_eq!(bytes[28..32], 1u32.to_ne_bytes(), "flags");
    assert_eq!(bytes[40..48], 0xfd03_u64.to_ne_bytes(), "dev");
    assert_eq!(bytes[312..], LINEAR_AND_ZERO.map(u64::to_be_bytes).concat());
}

#[test]
fn what_would_be_cut_off_in_a_table_is_not_written_down() {
    let written = |kind: &str, params: &str| {
        load_request(DevNo::new(253, 3), 0, &[line(0, 8, kind, params)]).is_some()
    };
    assert!(written("fifteen-letters", "8:16 0"));
    assert!(!written("sixteen--letters", "8:16 0"));
    assert!(!written("lin\0ear", "8:16 0"));
    assert!(!written("linear", "8:16\0 0"));
}

proptest! {
    #[test]
    fn every_target_of_a_request_is_aligned_and_read_again_as_it_was(
        params in proptest::collection::vec("[ -~]{0,90}", 1..9),
    ) {
        let lines = params.iter().zip(0_u64..).map(|(params, at)| line(at * 8, 8, "thin", params));
        let table: Vec<_> = lines.collect();
        let bytes = load_request(DevNo::new(253, 3), 0, &table).expect("it can be written");
        prop_assert_eq!(bytes.len() % 8, 0);
        // in a request `next` counts from the target itself, in an answer from the first
        let (mut at, mut read) = (HEADER_LEN, Vec::new());
        while at < bytes.len() {
            let next = u32_at(&bytes, at + 20).expect("it is in there") as usize;
            prop_assert_eq!(next % 8, 0);
            let answer = answer(&bytes[at..at + next]);
            read.extend(parse_targets(&answer, 1).expect("one target"));
            at += next;
        }
        prop_assert_eq!(at, bytes.len());
        prop_assert_eq!(read, table);
    }

    #[test]
    fn no_answer_however_broken_panics_or_never_ends(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
        start in 0u32..400, size in any::<u32>(), count in any::<u32>(),
    ) {
        if bytes.len() >= 20 {
            bytes[12..16].copy_from_slice(&size.to_ne_bytes());
            bytes[16..20].copy_from_slice(&start.to_ne_bytes());
        }
        let listed = parse_list(&bytes, [4, 48, 0]).map_or(0, |listed| listed.len());
        let targets = parse_targets(&bytes, count).map_or(0, |targets| targets.len());
        let deps = parse_deps(&bytes).map_or(0, |deps| deps.len());
        prop_assert!(listed <= 50 && targets <= 600 && deps <= 75);
        let _ = parse_header(&bytes);
    }
}
