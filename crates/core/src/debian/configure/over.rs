//! Installing packages on a system that is there already, as `apt-get install` does in a container of it.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice as _};

use super::driver::{ConfigureOptions, Configured, Run};
use super::error::ConfigureError;
use super::system::System;
use super::{commands, finish, prepare};
use crate::debian::deb::{ElfInfo, UnpackedDeb};
use crate::debian::dpkg::{Installer, TriggerInterest};
use crate::shell::Machine;
use crate::tree::TreePath;

/// The program that takes the certificates of the administrator into every trust store.
const UPDATE_CERTIFICATES: &[u8] = b"#!/bin/sh\nset -e\nupdate-ca-certificates\n";
const CERTIFICATES: &str = "ca-certificates";

/// A system that packages are put on.
#[derive(Debug)]
pub struct BaseSystem {
    /// Its tree, and what its dpkg knows.
    pub installer: Installer,
    /// Its packages as far as scripts and triggers need them.
    pub packages: Vec<UnpackedDeb>,
    /// What is known of its shared objects.
    pub elf: BTreeMap<TreePath, ElfInfo>,
}

/// Installs packages in this order on a system. Scripts of packages that are there run only where a new package
/// triggers them, or is another version of theirs.
///
/// # Errors
/// As [`super::configure`].
pub fn configure_over(
    base: BaseSystem,
    packages: &[&UnpackedDeb],
    options: ConfigureOptions<'_>,
) -> Result<Configured, ConfigureError> {
    let BaseSystem { mut installer, packages: there, elf } = base;
    let before: BTreeSet<TreePath> = installer.tree.iter().map(|(path, _)| path.clone()).collect();
    let tree = std::mem::take(&mut installer.tree);
    let system = System::new(installer);
    let mut machine = Machine::new(tree, options.contents, options.platform, system, options.now, commands::all());
    machine.state.elf = elf;
    for package in &there {
        let triggers = package.control_file("triggers").unwrap_or_default();
        let interests: Vec<TriggerInterest> =
            TriggerInterest::parse_file(&package.qualified_name(), triggers).collect();
        machine.state.triggers.add_interests(interests);
    }
    let mut run = Run::over(machine, options);
    let has_store = |package: &UnpackedDeb| package.package() == CERTIFICATES;
    prepare::add(&mut run.machine.tree, options.added, options.now)?;
    for package in packages {
        let old = there.iter().find(|old| old.package() == package.package());
        run.unpack_over(package, old)?;
    }
    for package in packages {
        let old = there.iter().find(|old| old.package() == package.package());
        run.configure_over(package, old);
    }
    if !options.added.is_empty() && there.iter().any(has_store) && !packages.iter().any(|package| has_store(package)) {
        run.evaluate_text(CERTIFICATES, UPDATE_CERTIFICATES);
    }
    let replaced = |old: &&UnpackedDeb| !packages.iter().any(|package| package.package() == old.package());
    let known: Vec<&UnpackedDeb> = packages.iter().copied().chain(there.iter().filter(replaced)).collect();
    run.process_triggers(&known)?;
    finish::finish_over(&mut run.machine, &before)?;
    run.finished()
}

/// debconf's database of a base with the stanzas of `new` in their places: debconf keeps them by name.
pub(super) fn merged_database(old: &[u8], new: &[u8]) -> Vec<u8> {
    let stanzas = |text: &[u8]| -> BTreeMap<BString, BString> {
        let named = |stanza: &[u8]| {
            let name = stanza.lines().find_map(|line| line.strip_prefix(b"Name: "))?;
            Some((BString::from(name), BString::from(stanza.trim_end())))
        };
        text.split_str("\n\n").filter_map(named).collect()
    };
    let mut merged = stanzas(old);
    merged.extend(stanzas(new));
    let mut out = Vec::new();
    for stanza in merged.values() {
        out.extend_from_slice(stanza);
        out.extend_from_slice(b"\n\n");
    }
    out
}
