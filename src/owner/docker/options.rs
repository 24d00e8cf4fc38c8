//! Docker's storage options (`dm.…`), typed, with docker's own rules and defaults
//! (`formats.md` 1.7).
//!
//! Knows nothing of where options are written.

use crate::sys::HostPath;

/// The options that decide which pool is used and what `docker info` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageOptions {
    /// `dm.thinpooldev`, as typed.
    pub thin_pool_device: Option<String>,
    /// `dm.datadev`.
    pub data_device: Option<HostPath>,
    /// `dm.metadatadev`.
    pub metadata_device: Option<HostPath>,
    /// `dm.directlvm_device`, with the four figures that belong to it.
    pub direct_lvm_device: Option<String>,
    /// `dm.directlvm_device_force`.
    pub direct_lvm_force: bool,
    /// `dm.loopdatasize`.
    pub loop_data_size: Option<u64>,
    /// `dm.loopmetadatasize`.
    pub loop_metadata_size: Option<u64>,
    /// `dm.min_free_space` in percent.
    pub min_free_percent: Option<u64>,
    /// `dm.use_deferred_removal`.
    pub deferred_removal: Option<bool>,
    /// `dm.use_deferred_deletion`.
    pub deferred_deletion: Option<bool>,
    /// `dm.override_udev_sync_check`.
    pub override_udev_sync: bool,
    /// What the daemon would refuse to start with, in words.
    pub refused: Vec<String>,
}

impl StorageOptions {
    /// From `key=value` words in the order in which the daemon takes them: later ones win.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut options = Self::default();
        for word in words {
            match word.split_once('=') {
                Some((key, value)) => options.put(&key.trim().to_ascii_lowercase(), value.trim()),
                None => options.refused.push(format!("{word}: not of the form key=value")),
            }
        }
        options
    }

    fn put(&mut self, key: &str, value: &str) {
        match key {
            "dm.thinpooldev" => self.thin_pool_device = filled(value),
            "dm.datadev" => self.data_device = filled(value).map(HostPath::new),
            "dm.metadatadev" => self.metadata_device = filled(value).map(HostPath::new),
            "dm.directlvm_device" => self.direct_lvm_device = filled(value),
            "dm.directlvm_device_force" => {
                self.direct_lvm_force = self.flag(key, value).unwrap_or(self.direct_lvm_force);
            }
            "dm.loopdatasize" => {
                self.loop_data_size = self.size(key, value).or(self.loop_data_size);
            }
            "dm.loopmetadatasize" => {
                self.loop_metadata_size = self.size(key, value).or(self.loop_metadata_size);
            }
            "dm.min_free_space" => match parse_percent(value) {
                Some(percent) => self.min_free_percent = Some(percent),
                None => self.refuse(key, value, "a percentage from 0% to 99%"),
            },
            "dm.use_deferred_removal" => {
                self.deferred_removal = self.flag(key, value).or(self.deferred_removal);
            }
            "dm.use_deferred_deletion" => {
                self.deferred_deletion = self.flag(key, value).or(self.deferred_deletion);
            }
            "dm.override_udev_sync_check" => {
                self.override_udev_sync = self.flag(key, value).unwrap_or(self.override_udev_sync);
            }
            // the others decide how a pool and its devices are made, not what they are now
            _ => {}
        }
    }

    fn flag(&mut self, key: &str, value: &str) -> Option<bool> {
        let flag = parse_go_bool(value);
        if flag.is_none() {
            self.refuse(key, value, "true or false");
        }
        flag
    }

    fn size(&mut self, key: &str, value: &str) -> Option<u64> {
        let size = parse_size(value);
        if size.is_none() {
            self.refuse(key, value, "a size such as 200G");
        }
        size
    }

    fn refuse(&mut self, key: &str, value: &str, wanted: &str) {
        self.refused.push(format!("{key}={value}: docker wants {wanted}"));
    }
}

fn filled(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// Go's `strconv.ParseBool`.
fn parse_go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// go-units' `RAMInBytes`: digits with or without a fraction, a unit of 1024s, an `i` and a `b` that
/// mean nothing.
fn parse_size(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_suffix('b').unwrap_or(&lower);
    let rest = rest.strip_suffix('i').unwrap_or(rest);
    let shift = match rest.bytes().next_back()? {
        b'k' => 10,
        b'm' => 20,
        b'g' => 30,
        b't' => 40,
        b'p' => 50,
        _ => 0,
    };
    let number = rest.trim_end_matches(['k', 'm', 'g', 't', 'p']);
    if rest.len().saturating_sub(number.len()) > 1 {
        return None;
    }
    let number = number.strip_suffix(' ').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.get(..text.len().min(18)).filter(|_| plain)?.parse::<u128>().ok()
    };
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len().min(18)).ok()?)?;
    let units = digits(whole)?.checked_mul(scale)?.checked_add(digits(fraction)?)?;
    u64::try_from(units.checked_mul(1 << shift)? / scale).ok()
}

fn parse_percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|percent| plain && *percent < 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_options_win_and_keys_are_read_in_any_case() {
        let options = StorageOptions::parse([
            "dm.thinpooldev=/dev/mapper/old",
            "DM.ThinPoolDev=/dev/mapper/docker-thinpool",
            "dm.min_free_space=5%",
            "dm.use_deferred_removal=true",
            "dm.use_deferred_deletion=0",
            "dm.fs=xfs",
        ]);
        assert_eq!(options.thin_pool_device.as_deref(), Some("/dev/mapper/docker-thinpool"));
        assert_eq!(options.min_free_percent, Some(5));
        assert_eq!(options.deferred_removal, Some(true));
        assert_eq!(options.deferred_deletion, Some(false));
        assert_eq!(options.refused, Vec::<String>::new());
    }

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, bytes) in [
            ("200G", Some(200 << 30)),
            ("200GB", Some(200 << 30)),
            ("200gib", Some(200 << 30)),
            ("1.5T", Some(3 << 39)),
            ("2 G", Some(2 << 30)),
            ("512", Some(512)),
            ("512b", Some(512)),
            ("", None),
            ("G", None),
            ("5GG", None),
            ("-5G", None),
            ("5X", None),
            ("1.G", None),
            ("99999999999999999P", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
        let options = StorageOptions::parse([
            "dm.loopdatasize=200G",
            "dm.loopmetadatasize=4G",
            "dm.directlvm_device_force=true",
        ]);
        assert_eq!(options.loop_data_size, Some(200 << 30));
        assert_eq!(options.loop_metadata_size, Some(4 << 30));
        assert!(options.direct_lvm_force && options.refused.is_empty());
    }

    #[test]
    fn what_the_daemon_would_refuse_is_said_and_not_guessed() {
        for word in [
            "dm.min_free_space=10",
            "dm.min_free_space=100%",
            "dm.min_free_space=+1%",
            "dm.use_deferred_removal=yes",
            "dm.override_udev_sync_check=",
            "dm.directlvm_device_force=yes",
            "dm.loopdatasize=much",
            "nonsense",
        ] {
            let options = StorageOptions::parse([word]);
            assert_eq!(options.refused.len(), 1, "{word}");
            assert_eq!(
                StorageOptions { refused: Vec::new(), ..options },
                StorageOptions::default()
            );
        }
    }
}
