//! The info files that dpkg itself writes when it unpacks a package.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bstr::BString;
use data_encoding::HEXLOWER;

use crate::tree::TreePath;

/// dpkg's file list (`info/PACKAGE.list`): the members of `data.tar` in order, absolute, the root as `/.`.
///
/// What a filter leaves out is not listed: dpkg would list it, and `dpkg --verify` then call the whole image damaged.
#[derive(Debug, Default)]
pub(super) struct FileList(BString);

impl FileList {
    pub(super) fn push(&mut self, path: &TreePath) {
        self.0.push(b'/');
        self.0.extend_from_slice(if path.is_root() { b"." } else { path.as_bytes() });
        self.0.push(b'\n');
    }

    pub(super) fn into_bytes(self) -> Arc<[u8]> {
        Arc::from(Vec::from(self.0))
    }
}

/// A package's own `md5sums` without the lines of what a filter left out.
pub(super) fn without(sums: &Arc<[u8]>, filtered: &BTreeSet<TreePath>) -> Arc<[u8]> {
    if filtered.is_empty() {
        return sums.clone();
    }
    let is_filtered = |line: &&[u8]| {
        let path = line
            .splitn(2, |byte| *byte == b' ')
            .nth(1)
            .map(<[u8]>::trim_ascii)
            .and_then(|path| TreePath::parse(path).ok());
        path.is_some_and(|path| filtered.contains(&path))
    };
    let kept: Vec<u8> =
        sums.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_filtered(line)).flatten().copied().collect();
    Arc::from(kept)
}

/// The file `info/PACKAGE.md5sums` of a package that has none: the regular files that are unpacked, in order.
#[derive(Debug, Default)]
pub(super) struct Md5Sums {
    lines: BString,
    by_path: BTreeMap<TreePath, [u8; 16]>,
}

impl Md5Sums {
    pub(super) fn push(&mut self, path: &TreePath, md5: [u8; 16]) {
        self.lines.extend_from_slice(HEXLOWER.encode(&md5).as_bytes());
        self.lines.extend_from_slice(b"  ");
        self.lines.extend_from_slice(path.as_bytes());
        self.lines.push(b'\n');
        self.by_path.insert(path.clone(), md5);
    }

    /// A hard link has the hash of the file it is another name of.
    pub(super) fn push_link(&mut self, path: &TreePath, target: &TreePath) {
        if let Some(md5) = self.by_path.get(target).copied() {
            self.push(path, md5);
        }
    }

    pub(super) fn into_bytes(self) -> Arc<[u8]> {
        Arc::from(Vec::from(self.lines))
    }
}
