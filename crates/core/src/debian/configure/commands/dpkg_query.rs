//! `dpkg-query`: what is installed, as scripts ask for it (dpkg-query(1)).

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::debian::deb::fnmatch;
use crate::debian::dpkg::InstalledPackage;
use crate::shell::{Commands, Invocation, Status};
use crate::tree::TreePath;

const OPTIONS: OptionTable = &[
    ("-W", "show", Takes::Nothing),
    ("--show", "show", Takes::Nothing),
    ("-f", "format", Takes::Value),
    ("--showformat", "format", Takes::Value),
    ("-s", "status", Takes::Nothing),
    ("--status", "status", Takes::Nothing),
    ("-L", "listfiles", Takes::Nothing),
    ("--listfiles", "listfiles", Takes::Nothing),
    ("-S", "search", Takes::Nothing),
    ("--search", "search", Takes::Nothing),
    ("-l", "list", Takes::Nothing),
    ("--list", "list", Takes::Nothing),
    ("-c", "control-path", Takes::Nothing),
    ("--control-path", "control-path", Takes::Nothing),
    ("--admindir", "admindir", Takes::Value),
    ("--no-pager", "no-pager", Takes::Nothing),
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("dpkg-query", query);
}

fn query(call: &mut Invocation<'_, '_, System>) -> Outcome {
    // `-f=FORMAT` is dpkg's own habit for short options.
    for word in &mut call.args {
        if let Some(format) = word.strip_prefix(b"-f=") {
            *word = [b"--showformat=", format].concat().into();
        }
    }
    let given = arguments(call, OPTIONS)?;
    if given.has("status") {
        return status(call, &given.operands);
    }
    if given.has("listfiles") {
        return list_files(call, &given.operands);
    }
    if given.has("search") {
        return search(call, &given.operands);
    }
    if given.has("list") {
        return list(call, &given.operands);
    }
    if given.has("control-path") {
        return control_path(call, &given.operands);
    }
    if !given.has("show") {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    let format = given.value("format").map_or_else(|| "${binary:Package}\t${Version}\n".into(), BString::from);
    let mut text = Vec::new();
    let mut all_found = true;
    let packages = call.machine.state.installer.packages();
    let everything = [BString::from("*")];
    let patterns = if given.operands.is_empty() { everything.as_slice() } else { &given.operands };
    for pattern in patterns {
        let mut found: Vec<&InstalledPackage> = packages.iter().filter(|package| matches(package, pattern)).collect();
        found.sort_by_key(|package| package.name());
        all_found &= !found.is_empty();
        found.iter().for_each(|package| text.extend(expand(&format, package)));
    }
    call.out(text)?;
    if !all_found {
        call.complain("no packages found matching what was asked")?;
    }
    Ok(Status::from_bool(all_found))
}

/// `dpkg-query --control-path PACKAGE [FILE]`.
fn control_path(call: &mut Invocation<'_, '_, System>, operands: &[BString]) -> Outcome {
    let [name, file] = operands else { return Err(call.unsupported(bstr::join(" ", &call.args))) };
    let package = call.machine.state.installer.packages().iter().find(|package| matches(package, name));
    let Some(package) = package else { return call.fail(format!("package '{name}' is not installed")) };
    let path = format!("/var/lib/dpkg/info/{}.{file}", package.qualified_name);
    if call.machine.tree.lookup(&path).is_some() {
        call.out(format!("{path}\n"))?;
    }
    Ok(Status::SUCCESS)
}

fn matches(package: &InstalledPackage, pattern: &[u8]) -> bool {
    fnmatch(pattern, package.name().as_bytes()) || fnmatch(pattern, package.qualified_name.as_bytes()) || {
        let architecture = package.control.get_str("Architecture").unwrap_or_default();
        fnmatch(pattern, format!("{}:{architecture}", package.name()).as_bytes())
    }
}

/// Replaces `${field}` and the escapes `\n`, `\t`, `\\`; widths are not used by scripts.
fn expand(format: &[u8], package: &InstalledPackage) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first()) {
            (b'\\', Some(escaped)) => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                });
                rest = after.get(1..).unwrap_or_default();
            }
            (b'$', Some(b'{')) => {
                let Some((field, after)) = after.get(1..).unwrap_or_default().split_once_str("}") else { continue };
                out.extend(value(field.split_str(";").next().unwrap_or_default(), package));
                rest = after;
            }
            _ => out.push(byte),
        }
    }
    out
}

fn value(field: &[u8], package: &InstalledPackage) -> Vec<u8> {
    let state = package.state.to_string();
    match field {
        b"binary:Package" => package.qualified_name.clone().into_bytes(),
        b"Status" => format!("install ok {state}").into_bytes(),
        b"db:Status-Status" => state.into_bytes(),
        b"db:Status-Want" => b"install".to_vec(),
        b"db:Status-Eflag" => b"ok".to_vec(),
        b"db:Status-Abbrev" => format!("i{} ", if state == "installed" { 'i' } else { 'U' }).into_bytes(),
        b"source:Package" => source(package).0.into_bytes(),
        b"source:Version" => source(package).1.into_bytes(),
        b"Conffiles" => conffiles(package).into_bytes(),
        other => {
            let name = other.to_str_lossy();
            package.control.get_str(&name).unwrap_or_default().as_bytes().to_vec()
        }
    }
}

fn source(package: &InstalledPackage) -> (String, String) {
    let version = package.control.get_str("Version").unwrap_or_default();
    let source = package.control.get_str("Source").unwrap_or(package.name());
    match source.split_once(" (") {
        Some((name, version)) => (name.to_owned(), version.trim_end_matches(')').to_owned()),
        None => (source.to_owned(), version.to_owned()),
    }
}

fn conffiles(package: &InstalledPackage) -> String {
    let line = |conffile: &crate::debian::deb::Conffile| {
        let md5 = conffile.md5.map(|md5| data_encoding::HEXLOWER.encode(&md5)).unwrap_or_default();
        format!("\n {} {md5}", conffile.listed)
    };
    package.conffiles.iter().map(line).collect()
}

/// `dpkg -s`: the stanza as far as scripts read it.
pub(super) fn status(call: &mut Invocation<'_, '_, System>, names: &[BString]) -> Outcome {
    let mut text = String::new();
    let mut all_found = true;
    for name in names {
        let Some(package) = call.machine.state.installer.packages().iter().find(|package| matches(package, name))
        else {
            all_found = false;
            continue;
        };
        text.push_str(&format!("Package: {}\nStatus: install ok {}\n", package.name(), package.state));
        for (field, value) in package.control.iter().filter(|(field, _)| !field.eq_ignore_ascii_case("package")) {
            text.push_str(&format!("{field}: {value}\n"));
        }
        text.push('\n');
    }
    call.out(text)?;
    if !all_found {
        call.complain("a package is not installed and no information is available")?;
    }
    Ok(Status::from_bool(all_found))
}

/// `dpkg -L`: the package's list.
pub(super) fn list_files(call: &mut Invocation<'_, '_, System>, names: &[BString]) -> Outcome {
    for name in names {
        let package = call.machine.state.installer.packages().iter().find(|package| matches(package, name));
        let path = package
            .and_then(|package| TreePath::parse(format!("var/lib/dpkg/info/{}.list", package.qualified_name)).ok());
        match path.filter(|path| call.machine.tree.contains(path)) {
            Some(path) => {
                let text = call.machine.tree.read(&path, call.machine.contents)?;
                call.out(text)?;
            }
            None => return call.fail(format!("package '{name}' is not installed")),
        }
    }
    Ok(Status::SUCCESS)
}

/// `dpkg -S`: which packages have a path.
pub(super) fn search(call: &mut Invocation<'_, '_, System>, patterns: &[BString]) -> Outcome {
    let mut lines = String::new();
    let installer = &call.machine.state.installer;
    for pattern in patterns {
        let fixed = pattern.starts_with(b"/") && !pattern.contains_str("*");
        let paths: Vec<TreePath> = if fixed {
            TreePath::parse(pattern).into_iter().collect()
        } else {
            let wild = [b"*", pattern.as_slice(), b"*"].concat();
            installer.owned_paths().filter(|path| fnmatch(&wild, path.to_string().as_bytes())).cloned().collect()
        };
        for path in paths {
            let mut owners: Vec<&str> = installer.owners(&path).collect();
            if owners.is_empty() && fixed {
                // Whoever has a file below a directory has the directory, though it may be a link of merged /usr here.
                let below = installer.owned_paths().find(|one| one.starts_with(&path));
                owners = below.map(|one| installer.owners(one).collect()).unwrap_or_default();
            }
            if !owners.is_empty() {
                lines.push_str(&format!("{}: {path}\n", owners.join(", ")));
            }
        }
    }
    call.out(&lines)?;
    if lines.is_empty() {
        call.complain("no path found matching pattern")?;
    }
    Ok(Status::from_bool(!lines.is_empty()))
}

/// `dpkg -l`: the lines that scripts look for with grep and awk, not the header.
pub(super) fn list(call: &mut Invocation<'_, '_, System>, patterns: &[BString]) -> Outcome {
    let mut lines = String::new();
    for package in call.machine.state.installer.packages() {
        if patterns.is_empty() || patterns.iter().any(|pattern| matches(package, pattern)) {
            let field = |name| package.control.get_str(name).unwrap_or_default();
            let (version, architecture) = (field("Version"), field("Architecture"));
            let mark = if package.state.to_string() == "installed" { "ii" } else { "iU" };
            lines.push_str(&format!("{mark}  {} {version} {architecture} \n", package.qualified_name));
        }
    }
    call.out(&lines)?;
    Ok(Status::from_bool(!lines.is_empty()))
}
