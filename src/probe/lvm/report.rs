//! LVM's JSON reports (`formats.md` 4.1, 4.2), row by row.
//!
//! Rows are kept as they come, so that a report that is cut or breaks off still gives what came
//! before. Values are text in one form of the report and numbers or lists in another; all become
//! text first. Knows nothing of devices.

mod json;

use std::collections::HashMap;

use serde::de::DeserializeSeed;

use crate::ids::{DevNo, ThinId};
use crate::units::{Bytes, Sectors};
use json::{Group, Level, Place};

macro_rules! columns {
    ($($name:ident)*) => {
        /// The fields that are asked for.
        #[allow(non_camel_case_types, reason = "LVM's own names")]
        #[derive(Clone, Copy)]
        enum Column { $($name),* }

        impl Column {
            const COUNT: usize = [$(stringify!($name)),*].len();

            fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

columns! {
    vg_uuid vg_name vg_attr vg_size vg_free vg_extent_size vg_missing_pv_count
    vg_mda_size vg_mda_free
    pv_uuid pv_name pv_major pv_minor pv_size pv_free pv_missing
    lv_uuid lv_name lv_attr lv_size pool_lv data_lv metadata_lv origin lv_role
    lv_profile lv_tags lv_parent
    segtype thin_id transaction_id chunk_size seg_monitor devices
    seg_start seg_size stripe_size pe_start
}

/// A volume group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vg {
    /// Its uuid with hyphens.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// `vg_attr`.
    pub attr: String,
    /// All extents.
    pub size: Option<Bytes>,
    /// Free extents.
    pub free: Option<Bytes>,
    /// Size of an extent.
    pub extent: Option<Bytes>,
    /// How many PVs are missing.
    pub missing_pvs: u64,
    /// Size of the smallest area that its metadata is in.
    pub mda_size: Option<Bytes>,
    /// By how much its metadata may become longer there.
    pub mda_free: Option<Bytes>,
}

/// A physical volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pv {
    /// Its uuid with hyphens.
    pub uuid: String,
    /// Its VG's uuid; empty when it is in none.
    pub vg_uuid: String,
    /// Its VG's name; empty when it is in none.
    pub vg: String,
    /// The path LVM knows it by; `[unknown]` when it is missing.
    pub path: String,
    /// The device that holds it, where this LVM says so.
    pub dev: Option<DevNo>,
    /// Bytes LVM can allocate, or of the whole device when it is in no VG.
    pub size: Option<Bytes>,
    /// Bytes not allocated.
    pub free: Option<Bytes>,
    /// LVM knows of it and cannot find it.
    pub missing: bool,
    /// Where its first extent begins.
    pub start: Option<Bytes>,
}

/// A logical volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lv {
    /// Its uuid with hyphens.
    pub uuid: String,
    /// Its VG's uuid.
    pub vg_uuid: String,
    /// Its name without the brackets of hidden volumes.
    pub name: String,
    /// `lv_attr`.
    pub attr: String,
    /// Its size.
    pub size: Option<Bytes>,
    /// Its pool.
    pub pool: String,
    /// The data volume of a pool.
    pub data: String,
    /// The metadata volume of a pool.
    pub metadata: String,
    /// The origin of a snapshot.
    pub origin: String,
    /// `lv_role`, comma separated.
    pub role: String,
    /// Its profile.
    pub profile: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The volume it is a part of.
    pub parent: String,
    /// Its first segment; what matters here is the same in all.
    pub segment: Segment,
    /// What its segments lie on, in order, each once: PV paths or volumes.
    pub devices: Vec<String>,
    /// Its segments, in the volume's order.
    pub pieces: Vec<Piece>,
}

/// Where one segment of a volume lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// `linear`, `striped`, `raid1`, …
    pub segtype: String,
    /// Where in the volume it begins.
    pub start: Option<Bytes>,
    /// How long it is.
    pub length: Option<Bytes>,
    /// Bytes on one device before the next one's turn.
    pub stripe: Option<Bytes>,
    /// PV paths or volumes, each with the extent that it begins at.
    pub at: Vec<(String, u64)>,
}

/// What LVM says of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// `thin-pool`, `thin`, `linear`, …; empty when no segment was seen.
    pub segtype: String,
    /// Thin id.
    pub thin_id: Option<ThinId>,
    /// Transaction id.
    pub transaction_id: Option<u64>,
    /// Size of a pool's data block.
    pub chunk: Option<Sectors>,
    /// `seg_monitor`.
    pub monitor: Option<String>,
}

/// All rows of a report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Volume groups.
    pub vgs: Vec<Vg>,
    /// Physical volumes.
    pub pvs: Vec<Pv>,
    /// Logical volumes.
    pub lvs: Vec<Lv>,
    /// Why it was not read to its end.
    pub broken: Option<String>,
}

/// What of a tool's output is a report, as far as it goes.
pub fn parse_report(output: &[u8]) -> Report {
    let Some(start) = output.iter().position(|b| *b == b'{') else {
        let broken = Some("it printed no report".to_owned());
        return Report { broken, ..Report::default() };
    };
    let (_, output) = output.split_at(start);
    let report = parse_json(output);
    if report.broken.is_none() {
        return report;
    }
    // LVM escapes only quotes and backslashes: a control character in a name breaks its JSON
    parse_json(escaped(output).as_bytes())
}

fn parse_json(json: &[u8]) -> Report {
    let mut rows = Rows::default();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let result = Level { rows: &mut rows, place: Place::Top }.deserialize(&mut reader);
    let broken = result.err().map(|error| error.to_string());
    rows.into_report(broken)
}

/// The same JSON with control characters inside strings escaped and no bytes that are not text.
fn escaped(json: &[u8]) -> String {
    use std::fmt::Write;
    let text = String::from_utf8_lossy(json);
    let mut out = String::with_capacity(text.len().saturating_add(16));
    let (mut inside, mut quoted) = (false, false);
    for c in text.chars() {
        if inside && c.is_control() {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
        inside ^= c == '"' && !quoted;
        quoted = inside && c == '\\' && !quoted;
    }
    out
}

#[derive(Default)]
struct Rows {
    report: Report,
    segments: HashMap<String, (Segment, Vec<String>, Vec<Piece>)>,
}

impl Rows {
    fn into_report(mut self, broken: Option<String>) -> Report {
        for lv in &mut self.report.lvs {
            if let Some((segment, devices, pieces)) = self.segments.remove(&lv.uuid) {
                (lv.segment, lv.devices, lv.pieces) = (segment, devices, pieces);
                lv.pieces.sort_by_key(|piece| piece.start);
            }
        }
        Report { broken, ..self.report }
    }

    fn take(&mut self, group: Group, row: &mut Row) {
        match group {
            Group::Vg => self.report.vgs.push(row.vg()),
            Group::Pv => self.report.pvs.push(row.pv()),
            Group::Lv => self.report.lvs.push(row.lv()),
            Group::Seg => {
                let piece = row.piece();
                let slot = self.segments.entry(row.take(Column::lv_uuid));
                let (_, known, pieces) =
                    slot.or_insert_with(|| (row.segment(&piece.segtype), Vec::new(), Vec::new()));
                for (device, _) in &piece.at {
                    if !known.contains(device) {
                        known.push(device.clone());
                    }
                }
                pieces.push(piece);
            }
        }
    }
}

/// One row's fields as text.
struct Row([Option<String>; Column::COUNT]);

impl Row {
    fn take(&mut self, column: Column) -> String {
        self.0[column as usize].take().unwrap_or_default()
    }

    fn number(&mut self, column: Column) -> Option<u64> {
        self.take(column).parse().ok()
    }

    fn bytes(&mut self, column: Column) -> Option<Bytes> {
        self.number(column).map(Bytes)
    }

    fn list(&mut self, column: Column) -> Vec<String> {
        let text = self.take(column);
        text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// A volume's name without the brackets that mark a hidden one.
    fn name(&mut self, column: Column) -> String {
        let name = self.take(column);
        match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(hidden) => hidden.to_owned(),
            None => name,
        }
    }

    fn vg(&mut self) -> Vg {
        Vg {
            uuid: self.take(Column::vg_uuid),
            name: self.take(Column::vg_name),
            attr: self.take(Column::vg_attr),
            size: self.bytes(Column::vg_size),
            free: self.bytes(Column::vg_free),
            extent: self.bytes(Column::vg_extent_size),
            missing_pvs: self.number(Column::vg_missing_pv_count).unwrap_or(0),
            mda_size: self.bytes(Column::vg_mda_size),
            mda_free: self.bytes(Column::vg_mda_free),
        }
    }

    fn pv(&mut self) -> Pv {
        let path = self.take(Column::pv_name);
        let numbers = (self.number(Column::pv_major), self.number(Column::pv_minor));
        let dev = match numbers {
            (Some(major @ 1..), Some(minor)) => u32::try_from(major)
                .ok()
                .zip(u32::try_from(minor).ok())
                .map(|(major, minor)| DevNo::new(major, minor)),
            _ => None,
        };
        Pv {
            uuid: self.take(Column::pv_uuid),
            vg_uuid: self.take(Column::vg_uuid),
            vg: self.take(Column::vg_name),
            missing: !self.take(Column::pv_missing).is_empty() || path == "[unknown]",
            path,
            dev,
            size: self.bytes(Column::pv_size),
            free: self.bytes(Column::pv_free),
            start: self.bytes(Column::pe_start),
        }
    }

    fn lv(&mut self) -> Lv {
        Lv {
            uuid: self.take(Column::lv_uuid),
            vg_uuid: self.take(Column::vg_uuid),
            name: self.name(Column::lv_name),
            attr: self.take(Column::lv_attr),
            size: self.bytes(Column::lv_size),
            pool: self.name(Column::pool_lv),
            data: self.name(Column::data_lv),
            metadata: self.name(Column::metadata_lv),
            origin: self.name(Column::origin),
            role: self.take(Column::lv_role),
            profile: self.take(Column::lv_profile),
            tags: self.list(Column::lv_tags),
            parent: self.name(Column::lv_parent),
            segment: Segment::default(),
            devices: Vec::new(),
            pieces: Vec::new(),
        }
    }

    fn piece(&mut self) -> Piece {
        // `/dev/loop0(40)`: a device and the extent it begins at
        let place = |text: &String| match text.rsplit_once('(') {
            Some((device, extent)) => {
                (device.to_owned(), extent.trim_end_matches(')').parse().unwrap_or(u64::MAX))
            }
            None => (text.clone(), u64::MAX),
        };
        Piece {
            at: self.list(Column::devices).iter().map(place).collect(),
            segtype: self.take(Column::segtype),
            start: self.bytes(Column::seg_start),
            length: self.bytes(Column::seg_size),
            stripe: self.bytes(Column::stripe_size),
        }
    }

    fn segment(&mut self, segtype: &str) -> Segment {
        Segment {
            segtype: segtype.to_owned(),
            thin_id: self.number(Column::thin_id).and_then(ThinId::new),
            transaction_id: self.number(Column::transaction_id),
            // `0` stands in every row that is no pool's
            chunk: self.bytes(Column::chunk_size).map(Bytes::sectors).filter(|c| c.get() > 0),
            monitor: self.0[Column::seg_monitor as usize].take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// LVM 2.03.16's own output for two pools, thin volumes, a raid1 tmeta and a free PV.
    const REAL: &str = include_str!("../../../tests/data/lvm/fullreport-2.03.16.json");

    fn lv<'a>(report: &'a Report, name: &str) -> &'a Lv {
        report.lvs.iter().find(|lv| lv.name == name).expect("the report names this volume")
    }

    #[test]
    fn a_real_report_is_read_whole() {
        let report = parse_report(REAL.as_bytes());
        assert_eq!(report.broken, None);
        assert_eq!((report.vgs.len(), report.pvs.len(), report.lvs.len()), (1, 3, 14));
        let vg = &report.vgs[0];
        assert_eq!((vg.name.as_str(), vg.free), ("docker", Some(Bytes(423_624_704))));
        assert_eq!(vg.extent, Some(Bytes(4 << 20)));
        assert_eq!(report.pvs[1].dev, Some(DevNo::new(7, 1)));
        assert_eq!(report.pvs[2].vg, "");
        let pool = lv(&report, "thinpool");
        assert_eq!(
            (pool.data.as_str(), pool.metadata.as_str()),
            ("thinpool_tdata", "thinpool_tmeta")
        );
        assert_eq!(pool.segment.segtype, "thin-pool");
        assert_eq!(
            (pool.segment.transaction_id, pool.segment.chunk),
            (Some(0), Some(Sectors(128)))
        );
        let snapshot = lv(&report, "snap_vm-100-disk-0_s1");
        assert_eq!((snapshot.pool.as_str(), snapshot.origin.as_str()), ("tp2", "vm-100-disk-0"));
        assert_eq!(snapshot.segment.thin_id.map(ThinId::get), Some(2));
        assert_eq!(lv(&report, "vm-100-disk-0").tags, ["x", "y"]);
        assert_eq!(lv(&report, "thinpool_tdata").devices, ["/dev/loop0", "/dev/loop1"]);
        assert_eq!(
            lv(&report, "thinpool_tmeta").devices,
            ["thinpool_tmeta_rimage_0", "thinpool_tmeta_rimage_1"]
        );
    }

    #[test]
    fn a_report_cut_at_any_byte_gives_what_came_before() {
        let whole = parse_report(REAL.as_bytes());
        let body = REAL.trim_end().len();
        for cut in 0..body {
            let report = parse_report(&REAL.as_bytes()[..cut]);
            assert!(report.broken.is_some(), "cut at {cut}");
            assert_eq!(report.vgs[..], whole.vgs[..report.vgs.len()]);
            assert_eq!(report.pvs[..], whole.pvs[..report.pvs.len()]);
        }
        let half = parse_report(&REAL.as_bytes()[..body * 3 / 4]);
        assert_eq!((half.vgs.len(), half.lvs.len()), (1, 14));
    }

    #[test]
    fn numbers_and_lists_of_the_stricter_form_read_the_same() {
        let json = br#"{"report":[{"lv":[{"lv_uuid":"u","lv_name":"p","lv_size":4096,
            "lv_tags":["a","b"],"origin":null,"lv_attr":{"odd":1}}],
            "seg":[{"lv_uuid":"u","thin_id":7,"segtype":"thin","chunk_size":0}]}],"log":[{"x":1}]}"#;
        let report = parse_report(json);
        assert_eq!(report.broken, None);
        let lv = lv(&report, "p");
        assert_eq!(
            (lv.size, lv.tags.as_slice()),
            (Some(Bytes(4096)), &["a".to_owned(), "b".to_owned()][..])
        );
        assert_eq!((lv.attr.as_str(), lv.origin.as_str()), ("", ""));
        assert_eq!((lv.segment.thin_id.map(ThinId::get), lv.segment.chunk), (Some(7), None));
    }

    #[test]
    fn wrong_types_are_skipped_and_the_rest_is_kept() {
        let json = br#"{"report":[7,{"lv":"x","vg":[[],{"vg_name":"a"},null,3]},{"vg":{}}]}"#;
        let report = parse_report(json);
        assert_eq!(report.broken, None);
        assert_eq!(report.vgs.iter().map(|vg| vg.name.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(parse_report(b"{\"report\":{}}").broken, None);
    }

    #[test]
    fn garbage_and_silence_are_told_apart_from_a_report() {
        assert_eq!(parse_report(b"").broken.as_deref(), Some("it printed no report"));
        assert_eq!(
            parse_report(b"Segmentation fault").broken.as_deref(),
            Some("it printed no report")
        );
        let report = parse_report(b"  File descriptor 3 leaked\n{\"report\":[]}");
        assert_eq!((report.broken, report.vgs.len()), (None, 0));
    }

    #[test]
    fn control_characters_and_bytes_that_are_no_text_do_not_lose_the_report() {
        let json =
            b"{\"report\":[{\"pv\":[{\"pv_uuid\":\"u\",\"pv_name\":\"/dev/a\nb\\\"\xff\x1b\"}]}]}";
        let report = parse_report(json);
        assert_eq!(report.broken, None);
        assert_eq!(report.pvs[0].path, "/dev/a\nb\"\u{fffd}\u{1b}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_report(&bytes);
        }

        #[test]
        fn no_flipped_byte_makes_it_panic(at in 0..REAL.len(), byte in any::<u8>()) {
            let mut bytes = REAL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = parse_report(&bytes);
        }
    }
}
