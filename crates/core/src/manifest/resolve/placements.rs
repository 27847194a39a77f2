//! Files, directories and symlinks along the chain.

use std::collections::BTreeMap;
use std::ops::Range;

use super::accounts::Accounts;
use super::{Placement, ResolvedImage};
use crate::manifest::model::{FileContent, Image};
use crate::manifest::read::Problems;
use crate::manifest::{Owner, Problem, Spanned};
use crate::tree::TreePath;

/// What `image` places, over what its parent does. Nothing is placed below what is no directory.
pub(super) fn merge(
    image: &Image,
    parent: Option<&ResolvedImage>,
    accounts: &Accounts,
    problems: &mut Problems,
) -> BTreeMap<TreePath, Placement> {
    let mut merged = parent.map(|parent| parent.placements.clone()).unwrap_or_default();
    let mut spans: BTreeMap<&TreePath, &Range<usize>> = BTreeMap::new();
    let owner = |owner: &Option<Spanned<Owner>>| {
        owner.as_ref().map(|owner| Spanned { value: accounts.numeric(owner), span: owner.span.clone() })
    };
    let mut place = |path: &'_ Spanned<TreePath>, placement| _ = merged.insert(path.value.clone(), placement);
    for (path, file) in &image.files {
        spans.insert(path, &path.span);
        let mut file = file.clone();
        file.owner = owner(&file.owner);
        place(path, Placement::File(file));
    }
    for (path, directory) in &image.directories {
        spans.insert(path, &path.span);
        let mut directory = directory.clone();
        directory.owner = owner(&directory.owner);
        place(path, Placement::Directory(directory));
    }
    for (path, target) in &image.symlinks {
        spans.insert(path, &path.span);
        place(path, Placement::Symlink(target.clone()));
    }
    below_files(&merged, &spans, problems);
    merged
}

/// Notes the paths of this image that are below a file or symlink, and its files and symlinks that something is below.
fn below_files(
    merged: &BTreeMap<TreePath, Placement>,
    own: &BTreeMap<&TreePath, &Range<usize>>,
    problems: &mut Problems,
) {
    for path in merged.keys() {
        for above in path.ancestors() {
            let what = match merged.get(&above) {
                Some(Placement::Symlink(_)) => "a symlink",
                Some(Placement::File(file)) if matches!(file.content, FileContent::Text(_)) => "a file",
                _ => continue,
            };
            if let Some(span) = own.get(path).or_else(|| own.get(&above)) {
                let problem = Problem::BelowFile { path: path.to_string(), parent: above.to_string(), what };
                problems.add((*span).clone(), problem);
            }
        }
    }
}
