//! `dpkg-divert` (dpkg-divert(1)).

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments, finish};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::debian::deb::fnmatch;
use crate::debian::dpkg::Diversion;
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{TreeError, TreePath};

const OPTIONS: OptionTable = &[
    ("--add", "add", Takes::Nothing),
    ("--remove", "remove", Takes::Nothing),
    ("--list", "list", Takes::Nothing),
    ("--listpackage", "listpackage", Takes::Nothing),
    ("--truename", "truename", Takes::Nothing),
    ("--package", "package", Takes::Value),
    ("--local", "local", Takes::Nothing),
    ("--divert", "divert", Takes::Value),
    ("--rename", "rename", Takes::Nothing),
    ("--no-rename", "no-rename", Takes::Nothing),
    ("--quiet", "quiet", Takes::Nothing),
    ("--test", "test", Takes::Nothing),
    ("--admindir", "admindir", Takes::Value),
    ("--root", "root", Takes::Value),
    ("--instdir", "root", Takes::Value),
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("dpkg-divert", divert);
}

fn divert(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    if given.has("list") {
        return list(call, &given.operands);
    }
    let [file] = given.operands.as_slice() else { return call.fail("one file is needed") };
    let from = path(call, file)?;
    let diversions = &call.machine.state.installer.diversions;
    if given.has("truename") {
        let name = diversions.get(&from).map_or(&from, |diversion| &diversion.to);
        let line = format!("{name}\n");
        call.out(line)?;
        return Ok(Status::SUCCESS);
    }
    if given.has("listpackage") {
        if let Some(diversion) = diversions.get(&from) {
            let line = format!("{}\n", diversion.package.as_deref().unwrap_or("LOCAL"));
            call.out(line)?;
        }
        return Ok(Status::SUCCESS);
    }
    let package = match (given.has("local"), given.value("package")) {
        (true, _) => None,
        (false, Some(package)) => Some(package.to_string()),
        // dpkg sets the variable for the scripts it runs.
        (false, None) => call.var("DPKG_MAINTSCRIPT_PACKAGE").map(ToString::to_string),
    };
    if given.has("remove") {
        // Nothing is done, successfully, where there is no such diversion.
        let matches = diversions.get(&from).is_some_and(|diversion| package.is_none() || diversion.package == package);
        if matches && !given.has("test") {
            call.machine.with_installer(|installer| installer.undivert(&from, given.has("rename")));
        }
        return Ok(Status::SUCCESS);
    }
    let to = match given.value("divert") {
        Some(to) => path(call, &to.into())?,
        None => path(call, &[file.as_slice(), b".distrib"].concat().into())?,
    };
    if given.has("test") {
        return Ok(Status::SUCCESS);
    }
    let (diversion, rename) = (Diversion { from, to, package }, given.has("rename"));
    let result = call.machine.with_installer(|installer| installer.divert(diversion, rename));
    finish(call, result)
}

fn path(call: &Invocation<'_, '_, System>, text: &BString) -> Result<TreePath, ShellError> {
    if !text.starts_with(b"/") {
        return Err(call.unsupported(text));
    }
    TreePath::parse(text).map_err(|error| TreeError::from(error).into())
}

fn list(call: &mut Invocation<'_, '_, System>, patterns: &[BString]) -> Outcome {
    let mut lines = String::new();
    for diversion in call.machine.state.installer.diversions.iter() {
        let names = [diversion.from.to_string(), diversion.to.to_string()];
        let package = diversion.package.clone();
        let wanted = |pattern: &BString| {
            names
                .iter()
                .map(String::as_bytes)
                .chain(package.as_deref().map(str::as_bytes))
                .any(|name| fnmatch(pattern, name))
        };
        if patterns.is_empty() || patterns.iter().any(wanted) {
            let [from, to] = &names;
            lines.push_str(&match package {
                Some(package) => format!("diversion of {from} to {to} by {package}\n"),
                None => format!("local diversion of {from} to {to}\n"),
            });
        }
    }
    call.out(lines.as_bytes().as_bstr())?;
    Ok(Status::SUCCESS)
}
