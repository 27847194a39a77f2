//! Variants of segments.

use std::collections::BTreeMap;
use std::io::{self, Read};

use plywood_core::item::{EntryKind, EntrySink as _};
use plywood_core::layering::{EntryChange, ItemChanges};
use plywood_core::tree::{Meta, TreePath};

use super::{Segment, SegmentError};
use crate::store::Store;
use crate::tar::TarEntry;

/// Writes a variant of a segment: entries left out, moved or with other metadata, all others as they are.
///
/// The variant is the segment of [`ItemChanges::variant_of`] the source's item; one that is in the store already is
/// returned as it is. Where the first name of a file goes and others stay, the first of those becomes the file.
///
/// # Errors
/// When the source cannot be read or the variant not be written.
pub fn filter_segment(
    store: &Store,
    source: &Segment,
    changes: &ItemChanges,
    index: &[u8],
) -> Result<Segment, SegmentError> {
    let item = changes.variant_of(source.item());
    if let Some(segment) = store.segment(item, source.codec())? {
        return Ok(segment);
    }
    let mut plan = plan(source.entries()?, changes).into_iter();
    let mut writer = store.create_segment(item, source.codec())?;
    let read = |source| SegmentError::Read { item, source };
    let copy = |_: TarEntry, data: &mut dyn Read| -> io::Result<()> {
        match plan.next().flatten() {
            Some(Planned { path, meta, kind }) => writer.append(&path, &meta, &kind, data).map(drop),
            None => Ok(()),
        }
    };
    source.for_each_entry(copy).map_err(read)?;
    writer.finish(index)
}

/// What is written in the place of one entry of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Planned {
    path: TreePath,
    meta: Meta,
    kind: EntryKind,
}

/// For each entry of the source what is written in its place, if anything.
fn plan(entries: Vec<TarEntry>, changes: &ItemChanges) -> Vec<Option<Planned>> {
    // Where the data of each file of the source went: to the first of its names that stays.
    let mut moved: BTreeMap<TreePath, usize> = BTreeMap::new();
    let mut planned: Vec<Option<Planned>> = Vec::with_capacity(entries.len());
    let mut first_names: BTreeMap<TreePath, (usize, u64)> = BTreeMap::new();
    for entry in entries {
        let at = planned.len();
        planned.push(None);
        if let EntryKind::File { size } = entry.kind {
            first_names.insert(entry.path.clone(), (at, size));
        }
        let Some((path, meta)) = place(&entry, changes) else { continue };
        let EntryKind::HardLink { target } = &entry.kind else {
            if matches!(entry.kind, EntryKind::File { .. }) {
                moved.insert(entry.path, at);
            }
            planned[at] = Some(Planned { path, meta, kind: entry.kind });
            continue;
        };
        if let Some(first) = moved.get(target).and_then(|at| planned[*at].as_ref()) {
            let kind = EntryKind::HardLink { target: first.path.clone() };
            planned[at] = Some(Planned { path, meta, kind });
        } else if let Some((first, size)) = first_names.get(target) {
            // The data stands where the first name was, so this name is written there.
            planned[*first] = Some(Planned { path, meta, kind: EntryKind::File { size: *size } });
            moved.insert(target.clone(), *first);
        }
    }
    planned
}

/// Where an entry goes and with which metadata; `None` when it is left out.
fn place(entry: &TarEntry, changes: &ItemChanges) -> Option<(TreePath, Meta)> {
    match changes.get(&entry.path) {
        None => Some((entry.path.clone(), entry.meta.clone())),
        Some(EntryChange::Omit) => None,
        Some(EntryChange::Place { path, meta }) => Some((path.clone(), meta.clone())),
    }
}
