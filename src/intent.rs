//! What a person may wish to be changed, as it was said: by words of the command line or by the
//! fields of a wizard.
//!
//! Knows how a wish is written and nothing of whether it can be done.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Suffix, parse_size};

/// One wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// More room in a pool.
    Grow(Grow),
    /// A larger LVM thin volume, with the filesystem on it.
    GrowVolume(GrowVolume),
    /// A pool, group or volume that is not there shall be.
    Activate(Activate),
}

/// More room in a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grow {
    /// The pool; left out where there is only one.
    pub pool: Option<String>,
    /// How much data.
    pub data: Option<Amount>,
    /// How much metadata.
    pub metadata: Option<Amount>,
    /// Devices that join the volume group first.
    pub add_pvs: Vec<String>,
}

/// A larger LVM thin volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowVolume {
    /// `VG/LV`.
    pub volume: String,
    /// How large.
    pub size: Amount,
}

/// What shall be active.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activate {
    /// A pool, a volume group, or `VG/LV`; left out where only one thing is inactive.
    pub target: Option<String>,
    /// A unit of systemd shall make the pool again at every boot.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unit: bool,
    /// A recording of this host from when the pool was active: its table is taken from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
}

/// Documents of before do not say what was not wished for, nor do those of now.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// How much room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// That much in all.
    To(Bytes),
    /// That much more.
    By(Bytes),
    /// All that is free.
    AllFree,
}

impl Amount {
    /// Reads `SIZE`, `+SIZE` or `100%FREE`; a size needs its unit.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("100%FREE") || text.eq_ignore_ascii_case("+100%FREE") {
            return Ok(Self::AllFree);
        }
        let (number, by) = match text.strip_prefix('+') {
            Some(number) => (number, true),
            None => (text, false),
        };
        if number.starts_with('-') {
            return Err(format!("{text} is negative: a pool never shrinks"));
        }
        match parse_size(number) {
            Some((Bytes(0), _)) => Err(format!("{text} is nothing: say how much")),
            Some((bytes, Suffix::Given)) if by => Ok(Self::By(bytes)),
            Some((bytes, Suffix::Given)) => Ok(Self::To(bytes)),
            Some((_, Suffix::None)) => Err(format!(
                "{text} has no unit: add one of b K M G T P (1024-based), such as {text}G"
            )),
            None => Err(format!(
                "{text} is no size: give a number with one of b K M G T P, such as 20G or +500M, \
                 or 100%FREE"
            )),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(bytes) => write!(f, "{}", exact(*bytes)),
            Self::By(bytes) => write!(f, "+{}", exact(*bytes)),
            Self::AllFree => f.write_str("100%FREE"),
        }
    }
}

/// A size in the largest unit that says it without a remainder.
fn exact(bytes: Bytes) -> String {
    let units = [(50, "P"), (40, "T"), (30, "G"), (20, "M"), (10, "K")];
    let whole = |shift: &u32| bytes.get() > 0 && bytes.get().is_multiple_of(1 << shift);
    match units.iter().find(|(shift, _)| whole(shift)) {
        Some((shift, unit)) => format!("{}{unit}", bytes.get() >> shift),
        None => format!("{}b", bytes.get()),
    }
}

impl Intent {
    /// The sub-command that says it.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Grow(_) | Self::GrowVolume(_) => "grow",
            Self::Activate(_) => "activate",
        }
    }

    /// What it is about, as it was named.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Grow(grow) => grow.pool.as_deref(),
            Self::GrowVolume(grow) => Some(&grow.volume),
            Self::Activate(activate) => activate.target.as_deref(),
        }
    }
}

/// The command line that says the same.
impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())?;
        if let Some(target) = self.target() {
            write!(f, " {target}")?;
        }
        match self {
            Self::Grow(grow) => {
                if let Some(metadata) = grow.metadata {
                    write!(f, " --metadata {metadata}")?;
                }
                if let Some(data) = grow.data {
                    write!(f, " --data {data}")?;
                }
                grow.add_pvs.iter().try_for_each(|device| write!(f, " --add-pv {device}"))
            }
            Self::GrowVolume(grow) => write!(f, " --size {}", grow.size),
            Self::Activate(activate) => {
                if let Some(recording) = &activate.recording {
                    write!(f, " --recording {recording}")?;
                }
                f.write_str(if activate.unit { " --unit" } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_with_its_unit_and_its_sign() {
        assert_eq!(Amount::parse("20G"), Ok(Amount::To(Bytes(20 << 30))));
        assert_eq!(Amount::parse("+512k"), Ok(Amount::By(Bytes(512 << 10))));
        assert_eq!(Amount::parse("7b"), Ok(Amount::To(Bytes(7))));
        assert_eq!(Amount::parse("100%free"), Ok(Amount::AllFree));
        assert_eq!(Amount::parse("+100%FREE"), Ok(Amount::AllFree));
    }

    #[test]
    fn a_bare_negative_empty_or_strange_amount_is_refused_with_its_reason() {
        for (text, reason) in [
            ("20", "no unit"),
            ("+20", "no unit"),
            ("-1G", "negative"),
            ("+-1G", "negative"),
            ("0G", "nothing"),
            ("", "no size"),
            ("50%FREE", "no size"),
            ("1GiB", "no size"),
            ("99999999999P", "no size"),
        ] {
            let why = Amount::parse(text).expect_err(text);
            assert!(why.contains(reason), "{text}: {why}");
        }
    }

    #[test]
    fn a_wish_is_written_as_the_command_that_says_it() {
        let grow = Intent::Grow(Grow {
            pool: Some("docker-thinpool".to_owned()),
            data: Some(Amount::By(Bytes(20 << 30))),
            metadata: Some(Amount::To(Bytes(1_000_000))),
            add_pvs: vec!["/dev/sdb".to_owned()],
        });
        assert_eq!(
            grow.to_string(),
            "grow docker-thinpool --metadata 1000000b --data +20G --add-pv /dev/sdb"
        );
    }
}
