//! The utilities of an ordinary Debian system (coreutils, grep, sed, findutils ...) over the tree.
//!
//! Each takes the options that maintainer scripts use; any other is refused, never ignored.

pub(super) mod accounts;
pub(super) mod mode;
mod regex;
mod text;

use super::Commands;

pub(super) use self::regex::extended as extended_regex;

/// Adds them all.
pub(super) fn register<S>(commands: &mut Commands<S>) {
    commands.register("cat", text::cat);
}
