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
    /// The amounts as they were written.
    #[serde(default, skip_serializing_if = "Typed::is_empty")]
    pub typed: Typed,
}

/// Amounts in the words of whoever asked for them: a person finds again what was typed, in its own
/// unit. They are shown only while they say the same as the amount does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// How much data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// How much metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
}

impl Typed {
    /// Whether nothing was kept.
    pub const fn is_empty(&self) -> bool {
        self.data.is_none() && self.metadata.is_none()
    }
}

impl Grow {
    /// How much data or metadata, as it was written.
    pub fn said(&self, metadata: bool) -> Option<String> {
        let (amount, typed) = if metadata {
            (self.metadata, &self.typed.metadata)
        } else {
            (self.data, &self.typed.data)
        };
        Some(amount?.said(typed.as_deref()))
    }
}

/// A larger LVM thin volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowVolume {
    /// `VG/LV`.
    pub volume: String,
    /// How large.
    pub size: Amount,
    /// The size as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<String>,
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

    /// As it was written, where those words say the same; else in its own.
    fn said(self, typed: Option<&str>) -> String {
        match typed {
            Some(typed) if Self::parse(typed) == Ok(self) => typed.to_owned(),
            _ => self.to_string(),
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
                if let Some(metadata) = grow.said(true) {
                    write!(f, " --metadata {metadata}")?;
                }
                if let Some(data) = grow.said(false) {
                    write!(f, " --data {data}")?;
                }
                grow.add_pvs.iter().try_for_each(|device| write!(f, " --add-pv {device}"))
            }
            Self::GrowVolume(grow) => {
                write!(f, " --size {}", grow.size.said(grow.typed.as_deref()))
            }
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
            typed: Typed::default(),
        });
        assert_eq!(
            grow.to_string(),
            "grow docker-thinpool --metadata 1000000b --data +20G --add-pv /dev/sdb"
        );
    }

    #[test]
    fn an_amount_is_shown_in_the_unit_typed_and_never_as_another_amount() {
        let wish = |typed: &str| {
            let data = Some(Amount::By(Bytes(20 << 30)));
            let typed = Typed { data: Some(typed.to_owned()), metadata: None };
            Intent::Grow(Grow { data, typed, ..Grow::default() }).to_string()
        };
        assert_eq!(wish("+20480m"), "grow --data +20480m");
        assert_eq!(wish("+20.0G"), "grow --data +20.0G");
        // words that were changed in a saved plan do not hide what it does
        for other in ["+2G", "20G", "+20G; reboot", ""] {
            assert_eq!(wish(other), "grow --data +20G", "{other}");
        }
        let size = Amount::To(Bytes(1_610_612_736));
        let volume = |typed| GrowVolume { volume: "t/v".to_owned(), size, typed };
        let shown = Intent::GrowVolume(volume(Some("1.5G".to_owned()))).to_string();
        assert_eq!(shown, "grow t/v --size 1.5G");
        assert_eq!(Intent::GrowVolume(volume(None)).to_string(), "grow t/v --size 1536M");
    }

    #[test]
    fn a_wish_that_was_saved_without_its_words_is_read() {
        let old = r#"{"grow":{"pool":null,"data":{"by":1048576},"metadata":null,"add_pvs":[]}}"#;
        let read: Intent = serde_json::from_str(old).expect("a plan of before");
        assert_eq!(read.to_string(), "grow --data +1M");
        let written = serde_json::to_string(&read).expect("our own type");
        assert_eq!(written, old);
    }
}
