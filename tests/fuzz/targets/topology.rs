//! Devices that rest on each other in any way at all, also in circles, and claims that cross.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use shared::Altered;
use thinscope::ids::DevNo;
use thinscope::sys::{
    Answer, DmDevice, DmListed, DmTarget, Question, Raw, Reply, SysBlockDevice,
};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let Ok(devices) = devices(&mut input) else { return };
    let Ok(blocks) = blocks(&mut input) else { return };
    let host = Altered(|question: &Question, answer: Answer| {
        let reply = match question {
            Question::DmList => Reply::DmList(
                devices
                    .iter()
                    .map(|(dev, device)| DmListed {
                        dev: *dev,
                        name: device.name.clone(),
                        event_nr: None,
                    })
                    .collect(),
            ),
            Question::DmDevice(dev) => match devices.iter().find(|(other, _)| other == dev) {
                Some((_, device)) => Reply::DmDevice(device.clone()),
                None => return answer,
            },
            Question::SysBlock => Reply::SysBlock(blocks.clone()),
            _ => return answer,
        };
        Answer::ok(reply)
    });
    shared::report(&shared::snapshot_of(&host));
});

fn devices(input: &mut Unstructured<'_>) -> Result<Vec<(DevNo, DmDevice)>> {
    let count = input.int_in_range(0..=12)?;
    (0..count).map(|_| Ok((number(input)?, device(input)?))).collect()
}

/// Few enough that they meet.
fn number(input: &mut Unstructured<'_>) -> Result<DevNo> {
    let major = *input.choose(&[253, 253, 253, 254, 8, 7, 9, 0])?;
    Ok(DevNo::new(major, input.int_in_range(0..=15)?))
}

fn device(input: &mut Unstructured<'_>) -> Result<DmDevice> {
    const NAMES: [&str; 14] = [
        "docker-thinpool",
        "docker-thinpool-tpool",
        "docker-thinpool_tmeta",
        "docker-thinpool_tdata",
        "docker-thin--pool",
        "docker-lvol0_pmspare",
        "docker-254:1-131077-base",
        "docker-254:1-131077-pool",
        "docker-254:1-99-base",
        "docker-8:1-4-0000000000000000000000000000000000000000000000000000000000000000-init",
        "vg-",
        "-",
        "",
        "a\n\u{1b}[2J",
    ];
    // of the sound host: its VG and the pool's parts
    const UUIDS: [&str; 8] = [
        "",
        "LVM-g7feV2nMZ5ayck0R2es1VZU2kknAHme0pLIix6eMOLeMa61EqJomTEI1JEzO3joO-tpool",
        "LVM-g7feV2nMZ5ayck0R2es1VZU2kknAHme0pLIix6eMOLeMa61EqJomTEI1JEzO3joO-pool",
        "LVM-g7feV2nMZ5ayck0R2es1VZU2kknAHme0pLIix6eMOLeMa61EqJomTEI1JEzO3joO",
        "LVM-g7feV2nMZ5ayck0R2es1VZU2kknAHme0j37HyVaQXekW9LctXb03rEMU64yTY6Bz-tdata",
        "LVM-g7feV2nMZ5ayck0R2es1VZU2kknAHme0UZKC97i4xgciFnq9RBXO2tAG1yKwILAL-tmeta",
        "CRYPT-LUKS2-00",
        "LVM-short",
    ];
    let lines = input.int_in_range(0..=3)?;
    let deps = input.int_in_range(0..=3)?;
    Ok(DmDevice {
        name: Raw::from(*input.choose(&NAMES)?),
        uuid: Raw::from(*input.choose(&UUIDS)?),
        suspended: input.ratio(1, 8)?,
        read_only: input.ratio(1, 8)?,
        inactive_table: input.ratio(1, 8)?,
        table: (0..lines).map(|_| target(input)).collect::<Result<_>>()?,
        deps: (0..deps).map(|_| number(input)).collect::<Result<_>>()?,
        ..DmDevice::default()
    })
}

fn target(input: &mut Unstructured<'_>) -> Result<DmTarget> {
    const KINDS: [&str; 11] = [
        "thin-pool", "thin", "linear", "crypt", "raid", "mirror", "cache", "snapshot", "error",
        "multipath", "odd",
    ];
    let kind = *input.choose(&KINDS)?;
    let (one, two) = (number(input)?, number(input)?);
    let params = match kind {
        "thin-pool" => format!("{one} {two} {} 0 1 skip_block_zeroing", input.arbitrary::<u16>()?),
        "thin" => format!("{one} {}", input.int_in_range(0..=30)?),
        _ => format!("{one} {}", input.arbitrary::<u32>()?),
    };
    let length = *input.choose(&[8, 20_971_520, 0, u64::MAX])?;
    let start = *input.choose(&[0, 0, 0, 8, u64::MAX])?;
    Ok(DmTarget { start, length, kind: kind.to_owned(), params: Raw::from(&*params) })
}

fn blocks(input: &mut Unstructured<'_>) -> Result<Vec<SysBlockDevice>> {
    let count = input.int_in_range(0..=5)?;
    (0..count)
        .map(|_| {
            let mut disk = block(input)?;
            for _ in 0..input.int_in_range(0..=2)? {
                let mut part = block(input)?;
                part.attrs.insert("partition".to_owned(), Raw::from("1"));
                disk.parts.push(part);
            }
            for _ in 0..input.int_in_range(0..=2)? {
                disk.slaves.push(Raw::from(*input.choose(&KERNEL_NAMES)?));
            }
            Ok(disk)
        })
        .collect()
}

const KERNEL_NAMES: [&str; 10] =
    ["vda", "vdb", "vda1", "sda", "dm-0", "dm-2", "dm-3", "loop0", "md0", ""];

fn block(input: &mut Unstructured<'_>) -> Result<SysBlockDevice> {
    let mut device = SysBlockDevice {
        name: Raw::from(*input.choose(&KERNEL_NAMES)?),
        ..SysBlockDevice::default()
    };
    let mut put = |key: &str, value: String| device.attrs.insert(key.to_owned(), Raw(value.into()));
    put("dev", number(input)?.to_string());
    put("size", (*input.choose(&["0", "8", "83886080", "18446744073709551615", "x"])?).to_owned());
    if input.ratio(1, 4)? {
        put("loop/backing_file", "/var/lib/docker/devicemapper/devicemapper/data".to_owned());
        put("loop/offset", input.arbitrary::<u64>()?.to_string());
    }
    if input.ratio(1, 8)? {
        put("md/level", "raid1".to_owned());
    }
    if input.ratio(1, 4)? {
        put("wwid", "naa.5000".to_owned());
    }
    Ok(device)
}
