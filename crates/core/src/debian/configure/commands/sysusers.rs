//! `systemd-sysusers` with the files named on its command line, or all of them (systemd-sysusers(8)).

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments, finish};
use crate::debian::configure::accounts::{Accounts, parse_sysusers};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation};
use crate::tree::TreePath;

const OPTIONS: OptionTable = &[("--replace", "replace", Takes::Value), ("--root", "root", Takes::Value)];

/// Where the files are, the first place winning.
pub(super) const SYSUSERS_DIRECTORIES: [&str; 2] = ["/etc/sysusers.d", "/usr/lib/sysusers.d"];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("systemd-sysusers", sysusers);
}

fn sysusers(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let files = configuration_files(call, &SYSUSERS_DIRECTORIES, &given.operands);
    let mut lines = Vec::new();
    for file in files {
        let text = call.machine.tree.read(&file, call.machine.contents)?;
        match parse_sysusers(&text) {
            Ok(more) => lines.extend(more),
            Err(error) => return call.fail(error.to_string()),
        }
    }
    let now = call.machine.now;
    let machine = &mut *call.machine;
    let result = Accounts::new(&mut machine.tree, now).apply_sysusers(&lines);
    finish(call, result)
}

/// The files of a systemd configuration: those named, or all in the order of their names.
pub(super) fn configuration_files(
    call: &Invocation<'_, '_, System>,
    directories: &[&str],
    named: &[BString],
) -> Vec<TreePath> {
    let tree = &call.machine.tree;
    if !named.is_empty() {
        let find = |name: &BString| {
            let candidates = directories.iter().map(|directory| [directory.as_bytes(), b"/", name].concat());
            let mut paths = candidates.chain(name.starts_with(b"/").then(|| name.to_vec()));
            paths.find_map(|path| tree.lookup(path).map(|(path, _)| path))
        };
        return named.iter().filter_map(find).collect();
    }
    let mut by_name: BTreeMap<BString, TreePath> = BTreeMap::new();
    for directory in directories {
        let Some((directory, _)) = tree.lookup(directory) else { continue };
        for (path, _) in tree.children(&directory) {
            let Some(name) = path.file_name().filter(|name| name.ends_with_str(".conf")) else { continue };
            if let Some((real, _)) = tree.lookup(path.to_string()) {
                by_name.entry(name.into()).or_insert(real);
            }
        }
    }
    by_name.into_values().collect()
}
