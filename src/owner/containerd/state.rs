//! The states of a device in containerd's record, and what each promises (`formats.md` 3.3).

/// A device's state, by containerd's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "containerd's own words")]
pub enum State {
    Unknown,
    Creating,
    Created,
    Activating,
    Activated,
    Suspending,
    Suspended,
    Resuming,
    Resumed,
    Deactivating,
    Deactivated,
    Removing,
    Removed,
    Faulty,
    /// A number of a later version.
    Other(u64),
}

impl State {
    /// In the order of their numbers.
    const ALL: [Self; 14] = [
        Self::Unknown,
        Self::Creating,
        Self::Created,
        Self::Activating,
        Self::Activated,
        Self::Suspending,
        Self::Suspended,
        Self::Resuming,
        Self::Resumed,
        Self::Deactivating,
        Self::Deactivated,
        Self::Removing,
        Self::Removed,
        Self::Faulty,
    ];

    /// By its number.
    pub fn new(number: u64) -> Self {
        let at = usize::try_from(number).ok();
        at.and_then(|at| Self::ALL.get(at)).copied().unwrap_or(Self::Other(number))
    }

    /// containerd's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Creating => "Creating",
            Self::Created => "Created",
            Self::Activating => "Activating",
            Self::Activated => "Activated",
            Self::Suspending => "Suspending",
            Self::Suspended => "Suspended",
            Self::Resuming => "Resuming",
            Self::Resumed => "Resumed",
            Self::Deactivating => "Deactivating",
            Self::Deactivated => "Deactivated",
            Self::Removing => "Removing",
            Self::Removed => "Removed",
            Self::Faulty => "Faulty",
            Self::Other(_) => "of a later version",
        }
    }

    /// In the middle of something: containerd's next start makes the device faulty.
    pub const fn is_unfinished(self) -> bool {
        matches!(
            self,
            Self::Unknown
                | Self::Creating
                | Self::Created
                | Self::Activating
                | Self::Suspending
                | Self::Resuming
                | Self::Deactivating
                | Self::Removing
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_table() {
        let is = |number, name, unfinished| {
            let state = State::new(number);
            assert_eq!((state.name(), state.is_unfinished()), (name, unfinished), "{number}");
        };
        is(0, "Unknown", true);
        is(1, "Creating", true);
        is(2, "Created", true);
        is(3, "Activating", true);
        is(4, "Activated", false);
        is(5, "Suspending", true);
        is(6, "Suspended", false);
        is(7, "Resuming", true);
        is(8, "Resumed", false);
        is(9, "Deactivating", true);
        is(10, "Deactivated", false);
        is(11, "Removing", true);
        is(12, "Removed", false);
        is(13, "Faulty", false);
        assert_eq!(State::new(14), State::Other(14));
        assert_eq!(State::new(u64::MAX), State::Other(u64::MAX));
    }
}
