//! `systemctl` as it works in a chroot: it changes links, and ignores requests to a manager that does not run.

use bstr::{BStr, BString, ByteSlice as _};

use super::{Outcome, arguments};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::debian::configure::systemd::{PresetAction, Presets, Scope, UnitLink, install_links};
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{Meta, Node, TreeError, TreePath};

const OPTIONS: OptionTable = &[
    ("--root", "root", Takes::Value),
    ("--system", "system", Takes::Nothing),
    ("--global", "global", Takes::Nothing),
    ("--user", "global", Takes::Nothing),
    ("--preset-mode", "preset-mode", Takes::Value),
    ("--quiet", "quiet", Takes::Nothing),
    ("-q", "quiet", Takes::Nothing),
    ("--no-reload", "no-reload", Takes::Nothing),
    ("--no-block", "no-block", Takes::Nothing),
    ("--now", "now", Takes::Nothing),
    ("--force", "force", Takes::Nothing),
    ("--value", "value", Takes::Nothing),
    ("--property", "property", Takes::Value),
    ("-p", "property", Takes::Value),
    ("--kill-whom", "kill", Takes::Value),
    ("--signal", "kill", Takes::Value),
    ("-s", "kill", Takes::Value),
];

/// systemd itself names units by where they are.
const PLACES: [&str; 2] = ["/etc", "/usr/lib"];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("systemctl", systemctl);
}

fn systemctl(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let scope = if given.has("global") { Scope::User } else { Scope::System };
    let Some((action, units)) = given.operands.split_first() else { return Ok(Status::SUCCESS) };
    for unit in units {
        let unit = full_name(unit);
        match action.as_slice() {
            b"preset" => preset(call, scope, unit.as_bstr())?,
            b"enable" => make_links(call, scope, unit.as_bstr())?,
            b"disable" => remove_links(call, scope, unit.as_bstr())?,
            b"is-active" | b"is-failed" => return Ok(Status(3)),
            b"is-enabled" => {
                let links = install_links(&call.machine.tree, call.machine.contents, scope, unit.as_bstr(), &PLACES);
                let enabled = links.iter().any(|one| call.stat(&one.link, false).is_some());
                return Ok(Status::from_bool(enabled));
            }
            b"mask" | b"unmask" => return Err(call.unsupported(action)),
            _ => {}
        }
    }
    Ok(Status::SUCCESS)
}

fn full_name(unit: &BString) -> BString {
    if unit.contains(&b'.') { unit.clone() } else { [unit.as_slice(), b".service"].concat().into() }
}

/// As `systemctl --preset-mode=enable-only preset UNIT`.
pub(super) fn preset(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Result<(), ShellError> {
    let presets = Presets::read(&call.machine.tree, call.machine.contents, scope);
    match presets.action(unit) {
        PresetAction::Enable => make_links(call, scope, unit),
        PresetAction::Disable => Ok(()),
    }
}

fn make_links(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Result<(), ShellError> {
    let now = call.machine.now;
    for UnitLink { link, target } in install_links(&call.machine.tree, call.machine.contents, scope, unit, &PLACES) {
        let at = TreePath::parse(&link).map_err(TreeError::from)?;
        let tree = &mut call.machine.tree;
        if tree.contains(&at) {
            continue;
        }
        if let Some(parent) = at.parent() {
            tree.create_dir_all(&parent, &Meta::root(0o755, now))?;
        }
        tree.insert(at, Node::symlink(target, now))?;
    }
    Ok(())
}

fn remove_links(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Result<(), ShellError> {
    for UnitLink { link, .. } in install_links(&call.machine.tree, call.machine.contents, scope, unit, &PLACES) {
        let at = TreePath::parse(&link).map_err(TreeError::from)?;
        call.machine.tree.remove_all(&at);
    }
    Ok(())
}
