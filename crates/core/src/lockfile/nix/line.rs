//! Lines of columns: store paths, what is said of them, and roots.

use std::collections::BTreeSet;

use super::{LockedRoot, LockedStorePath, PackageAbout, is_column};
use crate::lockfile::line::Columns;
use crate::nix::StorePath;

/// What stands in a column that has nothing.
const NONE: &str = "-";
/// Where a path is had: from a trusted substituter, or from no store but those of machines that built it.
const CACHED: &str = "cached";
const LOCAL: &str = "local";

/// The columns of each list, for the lock's comment.
pub(super) const COLUMNS: &str = "roots: attribute output priority path; paths: path narHash narSize deriver name version cached-or-local references; about: path licences homepage patches";

pub(super) fn write_path(path: &StorePath, locked: &LockedStorePath) -> String {
    let LockedStorePath { nar_hash, nar_size, deriver, pname, version, .. } = locked;
    let deriver = deriver.as_ref().map_or(NONE, StorePath::as_str);
    let (pname, version) = (optional(pname.as_deref()), optional(version.as_deref()));
    let had = if locked.local { LOCAL } else { CACHED };
    let mut line = format!("{path} {} {nar_size} {deriver} {pname} {version} {had}", nar_hash.to_sri());
    for reference in &locked.references {
        line.push(' ');
        line.push_str(reference.as_str());
    }
    line
}

pub(super) fn read_path(line: &str) -> Option<(StorePath, LockedStorePath)> {
    let mut columns = Columns::of(line);
    let path: StorePath = columns.value()?;
    let nar_hash = columns.text()?;
    let mut locked = LockedStorePath {
        nar_hash: nar_hash.parse().ok().filter(|hash: &crate::digest::NarHash| hash.to_sri() == nar_hash)?,
        nar_size: columns.number()?,
        deriver: match columns.text()? {
            NONE => None,
            deriver => Some(deriver.parse().ok()?),
        },
        pname: word(columns.text()?)?,
        version: word(columns.text()?)?,
        local: match columns.text()? {
            CACHED => false,
            LOCAL => true,
            _ => return None,
        },
        references: BTreeSet::new(),
        about: PackageAbout::default(),
    };
    while let Some(reference) = columns.next() {
        let reference = reference.parse().ok()?;
        // Sorted, as they are written: one text for one value.
        if locked.references.last().is_some_and(|last| *last >= reference) {
            return None;
        }
        locked.references.insert(reference);
    }
    Some((path, locked))
}

/// `None` where there is nothing to say.
pub(super) fn write_about(path: &StorePath, about: &PackageAbout) -> Option<String> {
    let PackageAbout { licences, homepage, patches } = about;
    let homepage = optional(homepage.as_deref());
    (*about != PackageAbout::default()).then(|| format!("{path} {} {homepage} {}", listed(licences), listed(patches)))
}

pub(super) fn read_about(line: &str) -> Option<(StorePath, PackageAbout)> {
    let mut columns = Columns::of(line);
    let path = columns.value()?;
    let licences = list(columns.text()?)?;
    let homepage = word(columns.text()?)?;
    let about = PackageAbout { licences, homepage, patches: list(columns.text()?)? };
    columns.end((path, about)).filter(|(_, about)| *about != PackageAbout::default())
}

pub(super) fn write_root(root: &LockedRoot) -> String {
    let LockedRoot { path, attribute, output, priority } = root;
    format!("{attribute} {output} {priority} {path}")
}

pub(super) fn read_root(line: &str) -> Option<LockedRoot> {
    let mut columns = Columns::of(line);
    let attribute = columns.text().filter(|word| is_column(word))?.to_owned();
    let output = columns.text().filter(|word| is_column(word))?.to_owned();
    let priority = columns.text()?;
    let priority: i64 = priority.parse().ok().filter(|number: &i64| number.to_string() == priority)?;
    let path = columns.value()?;
    columns.end(LockedRoot { path, attribute, output, priority })
}

fn optional(word: Option<&str>) -> &str {
    word.unwrap_or(NONE)
}

fn word(column: &str) -> Option<Option<String>> {
    match column {
        NONE => Some(None),
        word => is_column(word).then(|| Some(word.to_owned())),
    }
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { NONE.to_owned() } else { words.join(",") }
}

fn list(column: &str) -> Option<Vec<String>> {
    match column {
        NONE => Some(Vec::new()),
        column => column.split(',').map(|word| is_column(word).then(|| word.to_owned())).collect(),
    }
}
