//! `dpkg-maintscript-helper` (dpkg-maintscript-helper(1)): everything it does concerns upgrades from old versions.

use bstr::ByteSlice as _;
use debversion::Version;

use super::Outcome;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

const KNOWN: [&str; 5] = ["rm_conffile", "mv_conffile", "symlink_to_dir", "dir_to_symlink", "supports"];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("dpkg-maintscript-helper", helper);
}

/// On a fresh install there is no previous version, and every subcommand does nothing without one.
fn helper(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let Some(subcommand) = call.args.first() else { return call.fail("missing command") };
    let known = |name: &[u8]| KNOWN.iter().any(|known| known.as_bytes() == name);
    if subcommand == "supports" {
        return Ok(Status::from_bool(call.args.get(1).is_some_and(|name| known(name))));
    }
    let dashes = call.args.iter().position(|word| word == "--");
    // After `triggered` come names of triggers, not a version.
    let action = dashes.and_then(|at| call.args.get(at + 1));
    let previous =
        dashes.and_then(|at| call.args.get(at + 2)).filter(|_| action.is_some_and(|word| word != "triggered"));
    let previous = previous.filter(|version| !version.is_empty());
    // The last operand before a package's name is the version that first had the change: whoever had that has it.
    let parse = |word: &bstr::BString| word.to_str().ok()?.parse::<Version>().ok();
    let operands = call.args.get(1..dashes.unwrap_or(0)).unwrap_or_default();
    let since = operands.iter().rev().find_map(parse);
    let is_done =
        |version: &bstr::BString| matches!((parse(version), &since), (Some(there), Some(since)) if there > *since);
    if !known(subcommand) || previous.is_some_and(|version| !is_done(version)) {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    Ok(Status::SUCCESS)
}
