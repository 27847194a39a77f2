//! `dpkg-statoverride` (dpkg-statoverride(1)).

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments};
use crate::debian::configure::accounts::Accounts;
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::debian::deb::fnmatch;
use crate::debian::dpkg::StatOverride;
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{TreeError, TreePath};

const OPTIONS: OptionTable = &[
    ("--add", "add", Takes::Nothing),
    ("--remove", "remove", Takes::Nothing),
    ("--list", "list", Takes::Nothing),
    ("--update", "update", Takes::Nothing),
    ("--force", "force", Takes::Nothing),
    ("--force-all", "force", Takes::Nothing),
    ("--force-statoverride-add", "force", Takes::Nothing),
    ("--force-statoverride-remove", "force", Takes::Nothing),
    ("--quiet", "quiet", Takes::Nothing),
    ("--admindir", "admindir", Takes::Value),
    ("--root", "root", Takes::Value),
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("dpkg-statoverride", statoverride);
}

fn statoverride(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    if given.has("list") {
        return list(call, &given.operands);
    }
    if given.has("remove") {
        let [file] = given.operands.as_slice() else { return call.fail("--remove needs a single argument") };
        let path = path(file)?;
        let removed = call.machine.state.installer.statoverrides.remove(&path).is_some();
        return Ok(Status(if removed || given.has("force") { 0 } else { 2 }));
    }
    let [user, group, mode, file] = given.operands.as_slice() else {
        return call.fail("--add needs four arguments");
    };
    let path = path(file)?;
    if call.machine.state.installer.statoverrides.get(&path).is_some() && !given.has("force") {
        return call.fail(format!("an override for '{file}' already exists"));
    }
    let now = call.machine.now;
    let accounts = Accounts::new(&mut call.machine.tree, now);
    let number = |name: &BString| name.strip_prefix(b"#").and_then(|number| number.to_str().ok()?.parse().ok());
    let uid = number(user).or_else(|| accounts.uid_of(user));
    let gid = number(group).or_else(|| accounts.gid_of(group));
    let bits = mode.to_str().ok().and_then(|mode| u16::from_str_radix(mode, 8).ok()).filter(|mode| *mode <= 0o7777);
    let (Some(uid), Some(gid), Some(mode)) = (uid, gid, bits) else {
        return call.fail(format!("user '{user}', group '{group}' or mode '{mode}' does not exist"));
    };
    let value = StatOverride { user: user.clone(), group: group.clone(), uid, gid, mode };
    if given.has("update")
        && let Some((real, _)) = call.machine.tree.lookup(file)
    {
        call.machine.tree.set_meta(&real, |meta| value.apply(meta))?;
    }
    call.machine.state.installer.statoverrides.add(path, value);
    Ok(Status::SUCCESS)
}

fn path(text: &BString) -> Result<TreePath, ShellError> {
    TreePath::parse(text).map_err(|error| TreeError::from(error).into())
}

/// Prints the matching overrides; status 1 when there is none.
fn list(call: &mut Invocation<'_, '_, System>, patterns: &[BString]) -> Outcome {
    let mut lines = String::new();
    for (path, value) in call.machine.state.installer.statoverrides.iter() {
        let name = path.to_string();
        if patterns.is_empty() || patterns.iter().any(|pattern| fnmatch(pattern, name.as_bytes())) {
            lines.push_str(&format!("{} {} {:o} {name}\n", value.user, value.group, value.mode));
        }
    }
    call.out(&lines)?;
    Ok(Status::from_bool(!lines.is_empty()))
}
