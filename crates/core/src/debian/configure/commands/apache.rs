//! `a2enmod`, `a2enconf`, `a2ensite` and their opposites (a2enmod(8)): links in `/etc/apache2`, and who made them.

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{Meta, Node, TreeError, TreePath};

const OPTIONS: OptionTable = &[
    ("-q", "quiet", Takes::Nothing),
    ("--quiet", "quiet", Takes::Nothing),
    ("-m", "maintainer", Takes::Nothing),
    ("--maintmode", "maintainer", Takes::Nothing),
    ("-f", "force", Takes::Nothing),
    ("--force", "force", Takes::Nothing),
    ("-p", "purge", Takes::Nothing),
];

/// A kind of thing that is enabled: the folders' name, the state's name, and the files' endings.
#[derive(Clone, Copy)]
struct Kind {
    folder: &'static str,
    state: &'static str,
    endings: &'static [&'static str],
}

const MODULE: Kind = Kind { folder: "mods", state: "module", endings: &["load", "conf"] };
const CONFIGURATION: Kind = Kind { folder: "conf", state: "conf", endings: &["conf"] };
const SITE: Kind = Kind { folder: "sites", state: "site", endings: &["conf"] };
/// Modules that need each other do not go round for ever.
const MAX_DEPTH: usize = 16;

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("a2enmod", |call| run(call, MODULE, true));
    commands.register("a2dismod", |call| run(call, MODULE, false));
    commands.register("a2enconf", |call| run(call, CONFIGURATION, true));
    commands.register("a2disconf", |call| run(call, CONFIGURATION, false));
    commands.register("a2ensite", |call| run(call, SITE, true));
    commands.register("a2dissite", |call| run(call, SITE, false));
}

fn run(call: &mut Invocation<'_, '_, System>, kind: Kind, enable: bool) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let by = if given.has("maintainer") { "maint" } else { "admin" };
    for name in &given.operands {
        let name = BString::from(name.strip_suffix(b".conf").unwrap_or(name));
        let found = if enable { turn_on(call, kind, &name, by, 0)? } else { turn_off(call, kind, &name, by)? };
        if !found {
            return call.fail(format!("{} {name} does not exist!", kind.state));
        }
    }
    Ok(Status::SUCCESS)
}

fn path(text: String) -> Result<TreePath, ShellError> {
    TreePath::parse(text).map_err(|error| TreeError::from(error).into())
}

fn turn_on(
    call: &mut Invocation<'_, '_, System>,
    kind: Kind,
    name: &BString,
    by: &str,
    depth: usize,
) -> Result<bool, ShellError> {
    let now = call.machine.now;
    let folder = kind.folder;
    let main = path(format!("etc/apache2/{folder}-available/{name}.{}", kind.endings.first().unwrap_or(&"conf")))?;
    if !call.machine.tree.contains(&main) || depth > MAX_DEPTH {
        return Ok(false);
    }
    let text = call.machine.tree.read(&main, call.machine.contents)?;
    for needed in text.lines().filter_map(|line| line.strip_prefix(b"# Depends:")).flat_map(|names| names.fields()) {
        turn_on(call, kind, &needed.into(), by, depth + 1)?;
    }
    for ending in kind.endings {
        let available = path(format!("etc/apache2/{folder}-available/{name}.{ending}"))?;
        let link = path(format!("etc/apache2/{folder}-enabled/{name}.{ending}"))?;
        if call.machine.tree.contains(&available) && !call.machine.tree.contains(&link) {
            let target = format!("../{folder}-available/{name}.{ending}");
            call.machine.tree.insert(link, Node::symlink(target, now))?;
        }
    }
    mark(call, kind, name, "enabled", by)?;
    Ok(true)
}

fn turn_off(call: &mut Invocation<'_, '_, System>, kind: Kind, name: &BString, by: &str) -> Result<bool, ShellError> {
    for ending in kind.endings {
        let link = path(format!("etc/apache2/{}-enabled/{name}.{ending}", kind.folder))?;
        call.machine.tree.remove_all(&link);
    }
    mark(call, kind, name, "disabled", by)?;
    Ok(true)
}

/// Remembers under `/var/lib/apache2` who enabled or disabled it last.
fn mark(
    call: &mut Invocation<'_, '_, System>,
    kind: Kind,
    name: &BString,
    what: &str,
    by: &str,
) -> Result<(), ShellError> {
    let now = call.machine.now;
    for (what, by) in ["enabled", "disabled"].into_iter().flat_map(|what| [(what, "admin"), (what, "maint")]) {
        let other = path(format!("var/lib/apache2/{}/{what}_by_{by}/{name}", kind.state))?;
        call.machine.tree.remove_all(&other);
    }
    let folder = path(format!("var/lib/apache2/{}/{what}_by_{by}", kind.state))?;
    call.machine.tree.create_dir_all(&folder, &Meta::root(0o755, now))?;
    let marker = folder.join(name).map_err(TreeError::from)?;
    call.machine.tree.insert(marker, Node::file(Meta::root(0o644, now), *b""))?;
    Ok(())
}
