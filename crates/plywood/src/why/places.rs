//! Where the manifest asks for something.

use std::ops::Range;

use plywood_core::lockfile::LockedRoot;
use plywood_core::manifest::{PackageAttribute, SetName, ShellName, Spanned};
use plywood_core::tree::TreePath;
use serde::Serialize;

use super::Inquiry;

/// A line of `plywood.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its number, from 1.
    pub line: usize,
    /// Its text, without white space around it.
    pub text: String,
}

/// The line at the start of a span.
fn place(inquiry: &Inquiry<'_>, span: &Range<usize>) -> Option<Place> {
    let before = inquiry.text.get(..span.start)?;
    let line = before.matches('\n').count();
    let text = inquiry.text.lines().nth(line)?.trim().to_owned();
    Some(Place { line: line + 1, text })
}

/// Where a set asks for a root.
pub(super) fn in_set(inquiry: &Inquiry<'_>, name: &SetName, root: &LockedRoot) -> Option<Place> {
    let (_, set) = inquiry.manifest.sets().find(|(other, _)| *other == name)?;
    asked(inquiry, root, &set.packages, set.expression.as_ref().map(|expression| &expression.span))
}

/// Where a shell asks for a root itself; what its sets ask for is theirs.
pub(super) fn in_shell(inquiry: &Inquiry<'_>, name: &ShellName, root: &LockedRoot) -> Option<Place> {
    let (_, shell) = inquiry.manifest.shells().find(|(other, _)| *other == name)?;
    asked(inquiry, root, &shell.packages, shell.expression.as_ref().map(|expression| &expression.span))
}

fn asked(
    inquiry: &Inquiry<'_>,
    root: &LockedRoot,
    packages: &[Spanned<PackageAttribute>],
    expression: Option<&Range<usize>>,
) -> Option<Place> {
    let package = packages.iter().find(|package| package.value.to_string() == root.attribute);
    let expression = expression.filter(|_| root.attribute == LockedRoot::EXPRESSION);
    place(inquiry, package.map(|package| &package.span).or(expression)?)
}

/// Where an image, this one or one that it is from, names the shell that it has.
pub(super) fn shell(inquiry: &Inquiry<'_>, name: &ShellName) -> Option<Place> {
    let names = [&inquiry.image.name].into_iter().chain(inquiry.image.parents.iter().rev());
    let shells = names.filter_map(|image| inquiry.manifest.images().find(|(other, _)| *other == image));
    let spans = shells.filter_map(|(_, image)| image.shell.as_ref()).find(|shell| shell.value == *name);
    place(inquiry, &spans?.span)
}

/// Where the image, or one that it is from, asks for a Debian package.
pub(super) fn package(inquiry: &Inquiry<'_>, name: &str) -> Option<Place> {
    let asked = inquiry.image.packages.iter().find(|asked| asked.request.value.name.as_str() == name)?;
    place(inquiry, &asked.request.span)
}

/// Where the image, or one that it is from, puts a file.
pub(super) fn file(inquiry: &Inquiry<'_>, path: &TreePath) -> Option<Place> {
    let names = [&inquiry.image.name].into_iter().chain(inquiry.image.parents.iter().rev());
    let images = names.filter_map(|image| inquiry.manifest.images().find(|(other, _)| *other == image));
    let span = |image: &plywood_core::manifest::model::Image| {
        let files = image.files.keys().chain(image.directories.keys()).chain(image.symlinks.keys());
        files.filter(|key| path.starts_with(&key.value)).max_by_key(|key| key.value.clone()).map(|key| key.span.clone())
    };
    let span = images.map(|(_, image)| image).find_map(span)?;
    place(inquiry, &span)
}
