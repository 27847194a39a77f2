//! Exit codes, which scripts rely on.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done,
    /// It failed; trying again may help.
    Failed,
    /// The command line or the manifest is wrong; nothing was tried.
    Usage,
    /// It worked, and what was checked does not pass: a test, an inspection, `lock --check`.
    GateNotMet,
    /// A command in a container ended with this code.
    Command(u8),
}

/// The code of a program that an interrupt ended: 128 and SIGINT's number, as shells have it.
pub(crate) const INTERRUPTED: i32 = 130;

impl Exit {
    /// [`Exit::Done`], or [`Exit::GateNotMet`] when a check did not pass.
    pub(crate) fn gate(passed: bool) -> Self {
        if passed { Exit::Done } else { Exit::GateNotMet }
    }

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::GateNotMet => 3,
            Exit::Command(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
