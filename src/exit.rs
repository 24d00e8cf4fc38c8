//! How the program ends, as a number for scripts. Knows the codes of the command line and
//! nothing of what leads to them.

use std::process::ExitCode;

/// The exit codes. They are part of the command line and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; a report was printed, whatever it says.
    Done,
    /// `findings` listed something, or a wish was refused.
    Listed,
    /// What was typed cannot be understood or contradicts itself.
    Usage,
    /// Nothing could be read: no recording, no host.
    NothingRead,
    /// Something that was to be done failed.
    Failed,
    /// The person or the system stopped it.
    Stopped,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Listed => 1,
            Self::Usage => 2,
            Self::NothingRead => 3,
            Self::Failed => 4,
            Self::Stopped => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
