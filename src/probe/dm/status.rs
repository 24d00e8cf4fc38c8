//! Status lines of thin pools and thin devices (`formats.md` 5.1).
//!
//! Kernels of fifteen years print six to nine fields, and a newer one may print more: what is
//! known is taken by place, unknown words are kept, and a line whose figures cannot be read is
//! not understood as a whole rather than half. Knows nothing of names.

use super::table::number;
use crate::model::{Mode, NoSpace, PoolStatus, Usage};
use crate::text::Printable;
use crate::units::{DataBlocks, MetadataBlocks, Sectors};

/// Words kept beyond the known ones.
const MAX_MORE: usize = 64;

/// One line of a device's status: `START LENGTH TYPE STATUS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusLine {
    /// The whole line, for a person.
    pub text: Printable,
    /// What it says.
    pub says: Says,
}

/// What a status line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// Of a thin pool.
    Pool(PoolSays),
    /// Of a thin device.
    Thin(ThinSays),
    /// Of any other target.
    Other,
}

/// What a pool's status line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolSays {
    /// Its figures.
    Status(PoolStatus),
    /// `Fail`: the pool is in fail mode.
    Fail,
    /// `Error`: the kernel could not gather it.
    Error,
    /// Not of any known form.
    Unknown,
}

/// What a thin device's status line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThinSays {
    /// Its figures.
    Mapped {
        /// Sectors of all mapped blocks, shared ones included.
        mapped: Sectors,
        /// Last sector of the highest mapped block; `None` when nothing is mapped.
        highest: Option<Sectors>,
    },
    /// `Fail`: its pool is in fail mode.
    Fail,
    /// `Error`: the kernel could not gather it.
    Error,
    /// `-`: no device inside the pool.
    Nothing,
    /// Not of any known form.
    Unknown,
}

/// All lines of a device's status.
pub fn parse_status(text: &[u8]) -> Vec<StatusLine> {
    text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(parse_line).collect()
}

fn parse_line(line: &[u8]) -> StatusLine {
    let words = std::str::from_utf8(line).unwrap_or_default();
    let mut words = words.split_ascii_whitespace().skip(2);
    let says = match words.next() {
        Some("thin-pool") => Says::Pool(parse_pool_status(&words.collect::<Vec<_>>())),
        Some("thin") => Says::Thin(parse_thin_status(&words.collect::<Vec<_>>())),
        _ => Says::Other,
    };
    StatusLine { text: Printable::from_bytes(line.trim_ascii_end()), says }
}

/// The words of a pool's status, after the target's name.
pub fn parse_pool_status(words: &[&str]) -> PoolSays {
    match words {
        ["Fail", ..] => PoolSays::Fail,
        ["Error", ..] => PoolSays::Error,
        [transaction_id, metadata, data, held_root, mode, rest @ ..] => {
            pool_figures([transaction_id, metadata, data, held_root])
                .map_or(PoolSays::Unknown, |s| PoolSays::Status(with_words(s, mode, rest)))
        }
        _ => PoolSays::Unknown,
    }
}

/// The four leading fields, all figures.
fn pool_figures([transaction_id, metadata, data, held_root]: [&str; 4]) -> Option<PoolStatus> {
    let metadata = fraction(metadata)?;
    let data = fraction(data)?;
    Some(PoolStatus {
        transaction_id: number(transaction_id)?,
        metadata: Usage { used: MetadataBlocks(metadata.0), total: MetadataBlocks(metadata.1) },
        data: Usage { used: DataBlocks(data.0), total: DataBlocks(data.1) },
        held_root: if held_root == "-" { None } else { Some(number(held_root)?) },
        mode: Mode::Rw,
        discard: None,
        no_space: None,
        needs_check: None,
        metadata_low_water: None,
        more: Vec::new(),
    })
}

/// The words from the mode on. What stands in a known place and is no known word is kept.
fn with_words(mut status: PoolStatus, mode: &str, rest: &[&str]) -> PoolStatus {
    status.mode = match mode {
        "rw" => Mode::Rw,
        "ro" => Mode::Ro,
        "out_of_data_space" => Mode::OutOfDataSpace,
        other => Mode::Unknown(other.into()),
    };
    status.discard = rest.first().map(|word| Printable::from(*word));
    status.no_space = rest.get(1).map(|word| match *word {
        "queue_if_no_space" => NoSpace::Queue,
        "error_if_no_space" => NoSpace::Error,
        other => NoSpace::Unknown(other.into()),
    });
    match rest.get(2) {
        Some(&"needs_check") => status.needs_check = Some(true),
        Some(&"-") => status.needs_check = Some(false),
        Some(other) => status.more.push((*other).into()),
        None => {}
    }
    match rest.get(3).map(|word| (word, number(word))) {
        Some((_, Some(blocks))) => status.metadata_low_water = Some(MetadataBlocks(blocks)),
        Some((other, None)) => status.more.push((*other).into()),
        None => {}
    }
    status.more.extend(rest.iter().skip(4).take(MAX_MORE).map(|word| Printable::from(*word)));
    status
}

/// The words of a thin device's status, after the target's name.
pub fn parse_thin_status(words: &[&str]) -> ThinSays {
    match words {
        ["Fail", ..] => ThinSays::Fail,
        ["Error", ..] => ThinSays::Error,
        ["-"] => ThinSays::Nothing,
        [mapped, highest, ..] => thin_figures(mapped, highest).unwrap_or(ThinSays::Unknown),
        _ => ThinSays::Unknown,
    }
}

fn thin_figures(mapped: &str, highest: &str) -> Option<ThinSays> {
    let mapped = Sectors(number(mapped)?);
    let highest = if highest == "-" { None } else { Some(Sectors(number(highest)?)) };
    Some(ThinSays::Mapped { mapped, highest })
}

fn fraction(word: &str) -> Option<(u64, u64)> {
    let (used, total) = word.split_once('/')?;
    Some((number(used)?, number(total)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pool(line: &str) -> PoolSays {
        match parse_status(line.as_bytes()).pop().map(|line| line.says) {
            Some(Says::Pool(says)) => says,
            other => unreachable!("{line} is a thin-pool line, not {other:?}"),
        }
    }

    fn status(line: &str) -> PoolStatus {
        match pool(line) {
            PoolSays::Status(status) => status,
            other => unreachable!("{line} has figures, not {other:?}"),
        }
    }

    fn thin(line: &str) -> ThinSays {
        match parse_status(line.as_bytes()).pop().map(|line| line.says) {
            Some(Says::Thin(says)) => says,
            other => unreachable!("{line} is a thin line, not {other:?}"),
        }
    }

    #[test]
    fn the_nine_fields_of_a_present_kernel_are_read() {
        let line = "0 199229440 thin-pool 24 1181/261120 1187/194560 - rw discard_passdown \
                    queue_if_no_space - 1024 ";
        assert_eq!(
            status(line),
            PoolStatus {
                transaction_id: 24,
                metadata: Usage { used: MetadataBlocks(1181), total: MetadataBlocks(261_120) },
                data: Usage { used: DataBlocks(1187), total: DataBlocks(194_560) },
                held_root: None,
                mode: Mode::Rw,
                discard: Some("discard_passdown".into()),
                no_space: Some(NoSpace::Queue),
                needs_check: Some(false),
                metadata_low_water: Some(MetadataBlocks(1024)),
                more: Vec::new(),
            }
        );
    }

    #[test]
    fn fewer_fields_of_older_kernels_leave_the_rest_unknown() {
        let six = status("0 8 thin-pool 0 2/4 3/9 7 ro no_discard_passdown ");
        assert_eq!((six.mode, six.held_root), (Mode::Ro, Some(7)));
        assert_eq!((six.no_space, six.needs_check, six.metadata_low_water), (None, None, None));
        let seven = status("0 8 thin-pool 0 2/4 3/9 - out_of_data_space x error_if_no_space");
        assert_eq!((seven.mode, seven.no_space), (Mode::OutOfDataSpace, Some(NoSpace::Error)));
        assert_eq!(seven.needs_check, None);
        let eight = status("0 8 thin-pool 0 2/4 3/9 - ro x queue_if_no_space needs_check ");
        assert_eq!((eight.needs_check, eight.metadata_low_water), (Some(true), None));
    }

    #[test]
    fn unknown_words_of_a_newer_kernel_survive() {
        let new = status("0 8 thin-pool 1 2/4 3/9 - dreaming d_new n_new c_new 12x extra 99");
        assert_eq!(new.mode, Mode::Unknown("dreaming".into()));
        assert_eq!(new.discard, Some("d_new".into()));
        assert_eq!(new.no_space, Some(NoSpace::Unknown("n_new".into())));
        assert_eq!((new.needs_check, new.metadata_low_water), (None, None));
        assert_eq!(new.more, ["c_new", "12x", "extra", "99"].map(Printable::from));
    }

    #[test]
    fn fail_and_error_are_told_apart_from_figures() {
        assert_eq!(pool("0 8 thin-pool Fail"), PoolSays::Fail);
        assert_eq!(pool("0 8 thin-pool Error"), PoolSays::Error);
        assert_eq!(thin("0 8 thin Fail"), ThinSays::Fail);
        assert_eq!(thin("0 8 thin Error"), ThinSays::Error);
        assert_eq!(thin("0 8 thin -"), ThinSays::Nothing);
    }

    #[test]
    fn a_line_with_a_bad_figure_is_not_understood_as_a_whole() {
        for line in [
            "0 8 thin-pool",
            "0 8 thin-pool 1 2/4 3/9 -",
            "0 8 thin-pool 1 2 3/9 - rw",
            "0 8 thin-pool 1 2/4 3/99999999999999999999999 - rw",
            "0 8 thin-pool 1 2/4 -3/9 - rw",
            "0 8 thin-pool x 2/4 3/9 - rw",
            "0 8 thin-pool 1 2/4 3/9 ? rw",
        ] {
            assert_eq!(pool(line), PoolSays::Unknown, "{line}");
        }
        for line in ["0 8 thin", "0 8 thin 5", "0 8 thin x 1", "0 8 thin 5 y"] {
            assert_eq!(thin(line), ThinSays::Unknown, "{line}");
        }
    }

    #[test]
    fn a_thin_device_s_figures_are_sectors() {
        let (mapped, highest) = (Sectors(128_000), Some(Sectors(20_971_519)));
        assert_eq!(thin("0 20971520 thin 128000 20971519"), ThinSays::Mapped { mapped, highest });
        assert_eq!(
            thin("0 20971520 thin 0 -"),
            ThinSays::Mapped { mapped: Sectors(0), highest: None }
        );
    }

    #[test]
    fn other_targets_keep_their_text_made_safe() {
        let lines = parse_status(b"0 8 raid raid1 2 AA 8/8 idle 0 0 -\n8 8 odd \x1b[2J\xff\n");
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["0 8 raid raid1 2 AA 8/8 idle 0 0 -", "8 8 odd \\x1b[2J\\xff"]);
        assert!(lines.iter().all(|line| line.says == Says::Other));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse_status(&bytes);
        }

        #[test]
        fn no_words_make_it_panic(line in "0 8 thin(-pool)?( [0-9/a-z_-]{0,24}){0,14}") {
            let _ = parse_status(line.as_bytes());
        }
    }
}
