//! LVM's names and uuids in device-mapper (`formats.md` 4.3).
//!
//! Where LVM could not be asked, these alone still say which VG and LV a device is. Knows
//! nothing of LVM's reports.

use std::fmt::Write;

/// Characters of one LVM uuid without hyphens.
const UUID: usize = 32;

/// What a device-mapper uuid of LVM's says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LvmUuid {
    /// The VG's uuid with hyphens, as LVM reports it.
    pub vg: String,
    /// The LV's uuid with hyphens.
    pub lv: String,
    /// What the device is of the LV: `tpool`, `tdata`, `real`, …; empty for the LV itself. Unlike
    /// a name's ending it is proof.
    pub suffix: String,
}

/// What a device-mapper name of LVM's says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LvmName {
    /// The VG.
    pub vg: String,
    /// The LV.
    pub lv: String,
    /// The layer within the LV: `tpool`, `real`, …; empty for the LV itself.
    pub layer: String,
}

/// `LVM-`, 32 characters of VG, 32 of LV, and perhaps `-SUFFIX`.
pub fn parse_uuid(uuid: &[u8]) -> Option<LvmUuid> {
    let text = std::str::from_utf8(uuid).ok()?.strip_prefix("LVM-")?;
    let (vg, rest) = text.split_at_checked(UUID)?;
    let (lv, rest) = rest.split_at_checked(UUID)?;
    if !vg.bytes().chain(lv.bytes()).all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let suffix = if rest.is_empty() { "" } else { rest.strip_prefix('-')? };
    Some(LvmUuid { vg: hyphenated(vg), lv: hyphenated(lv), suffix: suffix.to_owned() })
}

/// As LVM reports uuids: 6-4-4-4-4-4-6.
fn hyphenated(uuid: &str) -> String {
    let mut out = String::with_capacity(UUID.saturating_add(6));
    for (at, c) in uuid.chars().enumerate() {
        if matches!(at, 6 | 10 | 14 | 18 | 22 | 26) {
            out.push('-');
        }
        out.push(c);
    }
    out
}

/// VG, LV and layer from a name: hyphens inside each are doubled, a single one divides.
pub fn parse_name(name: &[u8]) -> Option<LvmName> {
    let mut parts = vec![String::new()];
    let mut chars = std::str::from_utf8(name).ok()?.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '-' && chars.next_if_eq(&'-').is_none() {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let mut parts = parts.into_iter();
    let (vg, lv) = (parts.next()?, parts.next()?);
    let layer = parts.next().unwrap_or_default();
    (!vg.is_empty() && !lv.is_empty() && parts.next().is_none()).then_some(LvmName {
        vg,
        lv,
        layer,
    })
}

/// The device-mapper name of an LV, or of a layer of it where `layer` is not empty.
pub fn dm_name(vg: &str, lv: &str, layer: &str) -> String {
    let mut name = String::with_capacity(vg.len() + lv.len() + 8);
    // writing to a String cannot fail
    let _ = write!(name, "{}-{}", vg.replace('-', "--"), lv.replace('-', "--"));
    if !layer.is_empty() {
        let _ = write!(name, "-{}", layer.replace('-', "--"));
    }
    name
}

/// Whether an LV of this name is a VG's spare for pool metadata.
pub fn is_pmspare(lv: &str) -> bool {
    lv.strip_prefix("lvol")
        .and_then(|rest| rest.strip_suffix("_pmspare"))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(vg: &str, lv: &str, layer: &str) -> LvmName {
        LvmName { vg: vg.to_owned(), lv: lv.to_owned(), layer: layer.to_owned() }
    }

    #[test]
    fn names_divide_at_single_hyphens() {
        for (text, parsed) in [
            ("docker--vg-docker--pool", name("docker-vg", "docker-pool", "")),
            ("vg-tp-tpool", name("vg", "tp", "tpool")),
            ("vg-tp_tdata", name("vg", "tp_tdata", "")),
            ("pve-vm--100--disk--0", name("pve", "vm-100-disk-0", "")),
        ] {
            assert_eq!(parse_name(text.as_bytes()), Some(parsed.clone()), "{text}");
            assert_eq!(dm_name(&parsed.vg, &parsed.lv, &parsed.layer), text);
        }
        for text in ["vg", "", "-lv", "vg-", "a-b-c-d", "docker-8:1-5-base-x"] {
            assert_eq!(parse_name(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_uuid_gives_vg_lv_and_what_the_device_is_of_it() {
        let ids = "g7feV2nMZ5ayck0R2es1VZU2kknAHme0LOidOOvDwR6wMTrVFbLd9Rb9xqODtLMu";
        let parsed = parse_uuid(format!("LVM-{ids}-tpool").as_bytes()).expect("LVM's own form");
        assert_eq!(parsed.vg, "g7feV2-nMZ5-ayck-0R2e-s1VZ-U2kk-nAHme0");
        assert_eq!(parsed.lv, "LOidOO-vDwR-6wMT-rVFb-Ld9R-b9xq-ODtLMu");
        assert_eq!(parsed.suffix, "tpool");
        let bare = parse_uuid(format!("LVM-{ids}").as_bytes()).expect("LVM's own form");
        assert_eq!(bare.suffix, "");
        for bad in ["LVM-short", "CRYPT-LUKS2-x", "", &format!("LVM-{ids}x")] {
            assert_eq!(parse_uuid(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn the_spare_is_known_by_its_name() {
        assert!(is_pmspare("lvol0_pmspare") && is_pmspare("lvol12_pmspare"));
        assert!(!is_pmspare("lvol_pmspare") && !is_pmspare("x0_pmspare"));
    }

    proptest! {
        #[test]
        fn whatever_is_named_is_read_back(
            vg in "[a-z]([a-z-]{0,6}[a-z])?", lv in "[a-z]([a-z-]{0,6}[a-z])?", layer in "([a-z]{1,5})?",
        ) {
            let text = dm_name(&vg, &lv, &layer);
            prop_assert_eq!(parse_name(text.as_bytes()), Some(name(&vg, &lv, &layer)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..90)) {
            let _ = parse_name(&bytes);
            let _ = parse_uuid(&bytes);
            let _ = parse_uuid(&[b"LVM-".as_slice(), &bytes].concat());
        }
    }
}
