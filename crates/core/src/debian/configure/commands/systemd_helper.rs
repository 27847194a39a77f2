//! `deb-systemd-helper` and `deb-systemd-invoke` (deb-systemd-helper(1p)).
//!
//! What enabling a unit did is remembered under `/var/lib/systemd`, so that an upgrade respects what an administrator
//! has changed since.

use bstr::{BStr, BString, ByteSlice as _};

use super::{Outcome, arguments, systemctl};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::debian::configure::systemd::{Scope, UnitLink, install_links};
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{Meta, Node, NodeKind, TreeError, TreePath};

const OPTIONS: OptionTable = &[
    ("--quiet", "quiet", Takes::Nothing),
    ("--user", "user", Takes::Nothing),
    ("--system", "system", Takes::Nothing),
    ("--no-dbus", "no-dbus", Takes::Nothing),
];

/// Where it looks for units, in this order.
const PLACES: [&str; 3] = ["/etc", "/lib", "/usr/lib"];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("deb-systemd-helper", helper);
    // Nothing runs that could be started, stopped or reloaded.
    commands.register("deb-systemd-invoke", |_| Ok(Status::SUCCESS));
}

fn helper(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let scope = if given.has("user") { Scope::User } else { Scope::System };
    let Some((action, units)) = given.operands.split_first() else { return Ok(Status::SUCCESS) };
    let asks = ["is-enabled", "was-enabled", "debian-installed"].iter().any(|one| action == one);
    let mut status = if asks { Status::FAILURE } else { Status::SUCCESS };
    for unit in units {
        let unit = unit.as_bstr();
        let yes = match action.as_slice() {
            b"enable" => enable(call, scope, unit).map(|()| false)?,
            b"update-state" => update_state(call, scope, unit).map(|()| false)?,
            b"unmask" => unmask(call, scope, unit).map(|()| false)?,
            b"mask" => mask(call, scope, unit).map(|()| false)?,
            b"disable" | b"purge" => disable(call, scope, unit, action == "purge").map(|()| false)?,
            b"was-enabled" => recorded(call, scope, unit).iter().all(|link| is_link(call, link)),
            b"debian-installed" => call.machine.tree.contains(&state_file(scope, unit)?),
            b"is-enabled" => links(call, scope, unit).iter().all(|one| is_link(call, &one.link)),
            b"reenable" => {
                disable(call, scope, unit, false)?;
                enable(call, scope, unit).map(|()| false)?
            }
            _ => return Err(call.unsupported(action)),
        };
        if yes {
            status = Status::SUCCESS;
        }
    }
    Ok(status)
}

fn links(call: &Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Vec<UnitLink> {
    install_links(&call.machine.tree, call.machine.contents, scope, unit, &PLACES)
}

fn state_directory(scope: Scope, state: &str) -> String {
    match scope {
        Scope::System => format!("var/lib/systemd/deb-systemd-helper-{state}"),
        Scope::User => format!("var/lib/systemd/deb-systemd-user-helper-{state}"),
    }
}

fn state_file(scope: Scope, unit: &BStr) -> Result<TreePath, ShellError> {
    path(format!("{}/{unit}.dsh-also", state_directory(scope, "enabled")))
}

/// The marker of one link, under the directory of the given state.
fn marker(scope: Scope, state: &str, link: &BString) -> Result<TreePath, ShellError> {
    let prefix = format!("/etc/systemd/{}/", scope.directory());
    let relative = link.strip_prefix(prefix.as_bytes()).unwrap_or(link).as_bstr();
    path(format!("{}/{relative}", state_directory(scope, state)))
}

fn path(text: String) -> Result<TreePath, ShellError> {
    TreePath::parse(text).map_err(|error| TreeError::from(error).into())
}

fn recorded(call: &Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Vec<BString> {
    let text = state_file(scope, unit).ok().and_then(|path| call.machine.tree.read(&path, call.machine.contents).ok());
    text.map(|text| text.lines().map(BString::from).collect()).unwrap_or_default()
}

fn is_link(call: &Invocation<'_, '_, System>, link: &BString) -> bool {
    matches!(call.stat(link, false), Some((_, Node { kind: NodeKind::Symlink { .. }, .. })))
}

/// With systemctl in the tree the unit's preset decides about the links, else they are made here.
fn enable(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Result<(), ShellError> {
    let has_systemctl = call.machine.tree.lookup("/usr/bin/systemctl").is_some();
    let links = links(call, scope, unit);
    let mut create = true;
    if has_systemctl {
        create = false;
        if call.machine.tree.contains(&state_file(scope, unit)?) {
            create = links.iter().any(|one| is_link(call, &one.link));
        } else {
            systemctl::preset(call, scope, unit)?;
        }
    }
    for UnitLink { link, target } in links {
        let mut lines = recorded(call, scope, unit);
        if !lines.contains(&link) {
            lines.push(link.clone());
        }
        write_state(call, scope, unit, &lines)?;
        let marker = marker(scope, "enabled", &link)?;
        if call.machine.tree.contains(&marker) {
            continue;
        }
        if create && !is_link(call, &link) {
            put(call, path(link.to_string())?, |now| Node::symlink(target, now))?;
        }
        put(call, marker, |now| Node::file(Meta::root(0o644, now), *b""))?;
    }
    Ok(())
}

fn write_state(
    call: &mut Invocation<'_, '_, System>,
    scope: Scope,
    unit: &BStr,
    lines: &[BString],
) -> Result<(), ShellError> {
    let text: Vec<u8> = lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
    put(call, state_file(scope, unit)?, |now| Node::file(Meta::root(0o644, now), text))
}

fn put(call: &mut Invocation<'_, '_, System>, at: TreePath, node: impl FnOnce(i64) -> Node) -> Result<(), ShellError> {
    let now = call.machine.now;
    if let Some(parent) = at.parent() {
        call.machine.tree.create_dir_all(&parent, &Meta::root(0o755, now))?;
    }
    call.machine.tree.insert(at, node(now))?;
    Ok(())
}

fn update_state(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Result<(), ShellError> {
    let lines: Vec<BString> = links(call, scope, unit).into_iter().map(|one| one.link).collect();
    write_state(call, scope, unit, &lines)
}

fn disable(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr, purge: bool) -> Result<(), ShellError> {
    for link in recorded(call, scope, unit) {
        if purge || is_link(call, &link) {
            let marker = marker(scope, "enabled", &link)?;
            call.machine.tree.remove_all(&marker);
        }
        if is_link(call, &link) {
            let at = path(link.to_string())?;
            call.machine.tree.remove_all(&at);
        }
    }
    if purge {
        let file = state_file(scope, unit)?;
        call.machine.tree.remove_all(&file);
    }
    Ok(())
}

fn mask_link(scope: Scope, unit: &BStr) -> BString {
    format!("/etc/systemd/{}/{unit}", scope.directory()).into()
}

fn mask(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Result<(), ShellError> {
    let link = mask_link(scope, unit);
    if call.stat(&link, false).is_some() {
        return Ok(());
    }
    put(call, path(link.to_string())?, |now| Node::symlink("/dev/null", now))?;
    put(call, marker(scope, "masked", &link)?, |now| Node::file(Meta::root(0o644, now), *b""))
}

fn unmask(call: &mut Invocation<'_, '_, System>, scope: Scope, unit: &BStr) -> Result<(), ShellError> {
    let link = mask_link(scope, unit);
    let marker = marker(scope, "masked", &link)?;
    let masked = matches!(call.stat(&link, false),
        Some((_, Node { kind: NodeKind::Symlink { target }, .. })) if target == "/dev/null");
    if masked && call.machine.tree.contains(&marker) {
        let at = path(link.to_string())?;
        call.machine.tree.remove_all(&at);
        call.machine.tree.remove_all(&marker);
    }
    Ok(())
}
