//! Whether a device was made from the one that is named as its parent, by the times and mappings of
//! the pool's own metadata. Pure judgement; who names the parent is another matter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The pool's snapshot counter at the turns of a device's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was made.
    pub created: u32,
    /// When it last was the origin of a snapshot, or was made.
    pub snapshotted: u32,
}

/// What the metadata says of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Descent {
    /// The device was made from it, or from a snapshot of it that is gone.
    Confirmed,
    /// Nothing speaks against it, and nothing proves it.
    Unproven,
    /// It cannot have been made from it.
    Contradicted(Contradiction),
}

/// Why a device cannot have been made from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contradiction {
    /// The parent is no older.
    Younger,
    /// The parent was not snapshotted then, nor since.
    NeverSnapshotted,
    /// So many blocks are older than the device in both, and not the same.
    Blocks(u64),
}

/// What comparing a device with its parent shows, in blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Mapped by both before the device was made, to different data blocks.
    pub conflicting: u64,
    /// Allocated by the parent itself before that, and mapped alike by the device.
    pub inherited: u64,
}

impl Descent {
    /// Judges. A snapshot of `parent` that was made as the pool's counter reached the device's own
    /// time left the same mappings in both; what either wrote since is no older than that.
    pub const fn judge(device: Life, parent: Life, compared: Compared) -> Self {
        if parent.created >= device.created {
            return Self::Contradicted(Contradiction::Younger);
        }
        if parent.snapshotted < device.created {
            return Self::Contradicted(Contradiction::NeverSnapshotted);
        }
        if compared.conflicting > 0 {
            return Self::Contradicted(Contradiction::Blocks(compared.conflicting));
        }
        // exactly one snapshot is made at each value of the counter
        if parent.snapshotted == device.created || compared.inherited > 0 {
            return Self::Confirmed;
        }
        Self::Unproven
    }

    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unproven => "unproven",
            Self::Contradicted(_) => "contradicted",
        }
    }

    /// The mark behind a parent's id in a table.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Confirmed => "",
            Self::Unproven => "?",
            Self::Contradicted(_) => "!",
        }
    }
}

impl fmt::Display for Descent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confirmed => f.write_str("confirmed by the pool's metadata"),
            Self::Unproven => f.write_str("neither confirmed nor contradicted by the mappings"),
            Self::Contradicted(why) => write!(f, "contradicted by the pool's metadata: {why}"),
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Younger => f.write_str("it is no older than the device"),
            Self::NeverSnapshotted => {
                f.write_str("no snapshot of it was made when the device was, nor since")
            }
            Self::Blocks(1) => f.write_str("1 block is older than the device in both and differs"),
            Self::Blocks(count) => {
                write!(f, "{count} blocks are older than the device in both and differ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life((created, snapshotted): (u32, u32)) -> Life {
        Life { created, snapshotted }
    }

    #[test]
    fn times_and_blocks_tell_what_they_can_and_no_more() {
        let none = Compared::default();
        let conflict = Compared { conflicting: 3, inherited: 9 };
        let inherited = Compared { conflicting: 0, inherited: 1 };
        for (child, parent, compared, judged) in [
            // made from it at 5, and it had no snapshot since
            ((5, 5), (2, 5), none, Descent::Confirmed),
            // it had one later: the mappings must tell
            ((5, 5), (2, 8), none, Descent::Unproven),
            ((5, 5), (2, 8), inherited, Descent::Confirmed),
            ((5, 5), (2, 8), conflict, Descent::Contradicted(Contradiction::Blocks(3))),
            ((5, 5), (2, 5), conflict, Descent::Contradicted(Contradiction::Blocks(3))),
            // its id was given to a younger device; or it was never snapshotted
            ((5, 5), (5, 8), inherited, Descent::Contradicted(Contradiction::Younger)),
            ((5, 5), (6, 8), inherited, Descent::Contradicted(Contradiction::Younger)),
            ((5, 5), (2, 4), inherited, Descent::Contradicted(Contradiction::NeverSnapshotted)),
            ((5, 5), (2, 2), none, Descent::Contradicted(Contradiction::NeverSnapshotted)),
        ] {
            let found = Descent::judge(life(child), life(parent), compared);
            assert_eq!(found, judged, "{child:?} of {parent:?} with {compared:?}");
        }
    }
}
