//! Lines of a device-mapper table, read back from the kernel (`formats.md` 5.2).
//!
//! Only thin pools, thin devices and linear targets are taken apart; of the others the class is
//! enough, for what they rest on comes from the kernel's list of dependencies. Knows nothing of
//! LVM or engines.

use std::str::{FromStr, SplitAsciiWhitespace};

use crate::ids::{DevNo, ThinId};
use crate::sys::DmTarget;
use crate::text::Printable;
use crate::units::{DataBlocks, Sectors};

/// Largest data block of a pool, in sectors (1 GiB).
const MAX_BLOCK: u64 = 2_097_152;
/// Options kept of one pool; the kernel knows five.
const MAX_OPTIONS: usize = 64;

/// What a line of a table does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `thin-pool`; `None` when its words were not understood.
    ThinPool(Option<ThinPool>),
    /// `thin`; `None` when its words were not understood: the kernel says `Fail` for all devices
    /// of a pool in fail mode.
    Thin(Option<Thin>),
    /// `linear`; `None` when its words were not understood.
    Linear(Option<Linear>),
    /// `striped`.
    Striped,
    /// `crypt`.
    Crypt,
    /// `raid` and the older `raid45`, `raid1`.
    Raid,
    /// `mirror`.
    Mirror,
    /// `cache`, `writecache`, `era`.
    Cache,
    /// `snapshot`, `snapshot-origin`, `snapshot-merge`.
    Snapshot,
    /// `error`.
    Error,
    /// `zero`.
    Zero,
    /// `vdo`.
    Vdo,
    /// `multipath`.
    Multipath,
    /// Any other; its text stays with the device.
    Unknown,
}

/// A pool's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThinPool {
    /// The device that holds its metadata.
    pub metadata: DevNo,
    /// The device that holds its data.
    pub data: DevNo,
    /// Size of a data block.
    pub block: Sectors,
    /// Low water mark.
    pub low_water: DataBlocks,
    /// Options as requested.
    pub options: Vec<Printable>,
}

/// A thin device's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thin {
    /// Its pool.
    pub pool: DevNo,
    /// Its id in the pool.
    pub id: ThinId,
    /// A device outside the pool that it reads through to.
    pub external_origin: Option<DevNo>,
}

/// A linear target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    /// The device under it.
    pub dev: DevNo,
    /// Where in that device it begins.
    pub offset: Sectors,
}

/// A line of a table, taken apart.
pub fn parse_target(line: &DmTarget) -> Target {
    // what the kernel prints for these three is ASCII; anything else is not understood anyway
    let params = String::from_utf8_lossy(&line.params.0);
    let words = params.split_ascii_whitespace();
    match line.kind.as_str() {
        "thin-pool" => Target::ThinPool(parse_pool(words)),
        "thin" => Target::Thin(parse_thin(words)),
        "linear" => Target::Linear(parse_linear(words)),
        "striped" => Target::Striped,
        "crypt" => Target::Crypt,
        "raid" | "raid45" | "raid1" => Target::Raid,
        "mirror" => Target::Mirror,
        "cache" | "writecache" | "era" => Target::Cache,
        "snapshot" | "snapshot-origin" | "snapshot-merge" => Target::Snapshot,
        "error" => Target::Error,
        "zero" => Target::Zero,
        "vdo" => Target::Vdo,
        "multipath" => Target::Multipath,
        _ => Target::Unknown,
    }
}

fn parse_pool(mut words: SplitAsciiWhitespace<'_>) -> Option<ThinPool> {
    let metadata = device(words.next()?)?;
    let data = device(words.next()?)?;
    let block = number(words.next()?).filter(|block| (1..=MAX_BLOCK).contains(block))?;
    let low_water = number(words.next()?)?;
    // the count of options: very old kernels print none when there is none
    let options = match words.next() {
        Some(count) => {
            let count: usize = number(count)?;
            words.take(count.min(MAX_OPTIONS)).map(Printable::from).collect()
        }
        None => Vec::new(),
    };
    let (block, low_water) = (Sectors(block), DataBlocks(low_water));
    Some(ThinPool { metadata, data, block, low_water, options })
}

fn parse_thin(mut words: SplitAsciiWhitespace<'_>) -> Option<Thin> {
    let pool = device(words.next()?)?;
    let id = ThinId::new(number(words.next()?)?)?;
    let external_origin = match words.next() {
        Some(word) => Some(device(word)?),
        None => None,
    };
    Some(Thin { pool, id, external_origin })
}

fn parse_linear(mut words: SplitAsciiWhitespace<'_>) -> Option<Linear> {
    let dev = device(words.next()?)?;
    Some(Linear { dev, offset: Sectors(number(words.next()?)?) })
}

/// The kernel prints devices as `MAJOR:MINOR`.
fn device(word: &str) -> Option<DevNo> {
    word.bytes().all(|b| b.is_ascii_digit() || b == b':').then(|| word.parse().ok())?
}

/// Digits only: no sign, no blank.
pub(super) fn number<N: FromStr>(word: &str) -> Option<N> {
    word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn target(kind: &str, params: &str) -> Target {
        let params = params.into();
        parse_target(&DmTarget { start: 0, length: 8, kind: kind.to_owned(), params })
    }

    fn pool(options: &[&str]) -> Target {
        Target::ThinPool(Some(ThinPool {
            metadata: DevNo::new(253, 0),
            data: DevNo::new(253, 1),
            block: Sectors(1024),
            low_water: DataBlocks(0),
            options: options.iter().map(|o| Printable::from(*o)).collect(),
        }))
    }

    #[test]
    fn a_pool_s_table_is_read_with_its_options() {
        assert_eq!(
            target("thin-pool", "253:0 253:1 1024 0 1 skip_block_zeroing "),
            pool(&["skip_block_zeroing"])
        );
        assert_eq!(target("thin-pool", "253:0 253:1 1024 0 0 "), pool(&[]));
        assert_eq!(target("thin-pool", "253:0 253:1 1024 0"), pool(&[]));
        assert_eq!(
            target("thin-pool", "253:0 253:1 1024 0 2 no_discard_passdown some_newer_word "),
            pool(&["no_discard_passdown", "some_newer_word"])
        );
    }

    #[test]
    fn a_thin_device_s_table_names_pool_id_and_external_origin() {
        let thin = |external_origin| {
            let id = ThinId::new(17).expect("17 has less than 24 bits");
            Target::Thin(Some(Thin { pool: DevNo::new(253, 2), id, external_origin }))
        };
        assert_eq!(target("thin", "253:2 17"), thin(None));
        assert_eq!(target("thin", "253:2 17 253:9"), thin(Some(DevNo::new(253, 9))));
    }

    #[test]
    fn a_damaged_table_is_never_a_number() {
        for params in ["Fail", "", "253:2", "253:2 16777216", "253:2 -1", "253:2 17 x", "dm-2 17"] {
            assert_eq!(target("thin", params), Target::Thin(None), "{params}");
        }
        for params in [
            "Fail",
            "253:0 253:1",
            "253:0 253:1 0 0 0",
            "253:0 253:1 2097153 0",
            "253:0 253:1 +8 0",
        ] {
            assert_eq!(target("thin-pool", params), Target::ThinPool(None), "{params}");
        }
        assert_eq!(target("linear", "253:4 18446744073709551616"), Target::Linear(None));
    }

    #[test]
    fn other_targets_are_told_by_class() {
        for (kind, params, class) in [
            ("striped", "2 128 8:0 2048 8:16 2048", Target::Striped),
            ("crypt", "aes-xts-plain64 :64:logon:x 0 8:1 32768", Target::Crypt),
            ("raid", "raid1 3 0 region_size 1024 2 253:1 253:2 253:3 253:4", Target::Raid),
            ("mirror", "core 2 1024 nosync 2 8:0 0 8:16 0", Target::Mirror),
            ("cache", "253:4 253:3 253:5 128 1 writethrough smq 0", Target::Cache),
            ("snapshot", "253:7 253:8 P 8", Target::Snapshot),
            ("snapshot-origin", "253:7", Target::Snapshot),
            ("snapshot-merge", "253:7 253:8 P 8", Target::Snapshot),
            ("error", "", Target::Error),
            ("zero", "", Target::Zero),
            ("vdo", "V4 253:0 1310720 4096 32768 16380", Target::Vdo),
            ("multipath", "0 0 1 1 service-time 0 1 2 8:16 1 1", Target::Multipath),
            ("flakey", "8:0 0 1 1", Target::Unknown),
        ] {
            assert_eq!(target(kind, params), class, "{kind}");
        }
        let linear = Linear { dev: DevNo::new(8, 1), offset: Sectors(2048) };
        assert_eq!(target("linear", "8:1 2048"), Target::Linear(Some(linear)));
    }

    proptest! {
        #[test]
        fn no_table_makes_it_panic(
            kind in "thin|thin-pool|linear|.*",
            params in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let params = crate::sys::Raw(params);
            let _ = parse_target(&DmTarget { start: u64::MAX, length: u64::MAX, kind, params });
        }
    }
}
