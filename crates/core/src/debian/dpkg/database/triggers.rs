//! The files of `triggers/`: who is interested in what (dpkg's doc/triggers.txt).

use std::collections::BTreeMap;

use bstr::BString;

use crate::debian::dpkg::{InstalledPackage, TriggerTarget};

/// The files by name: `File` for interests in paths, and one for each named trigger; lines in order of unpacking.
pub(super) fn interest_files(packages: &[InstalledPackage]) -> BTreeMap<String, BString> {
    // dpkg makes `File` with the first interest in a path, not before.
    let mut files: BTreeMap<String, BString> = BTreeMap::new();
    for interest in packages.iter().flat_map(|package| &package.interests) {
        let (file, path) = match &interest.target {
            TriggerTarget::File(path) => ("File", format!("/{} ", path.as_bstr())),
            TriggerTarget::Named(name) => (name.as_str(), String::new()),
        };
        let content = files.entry(file.to_owned()).or_default();
        content.extend_from_slice(path.as_bytes());
        content.extend_from_slice(&interest.to_mark());
        content.push(b'\n');
    }
    files
}
