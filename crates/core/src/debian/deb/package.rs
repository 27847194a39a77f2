//! What is known of a package once its segment is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::debian::dpkg::Stanza;
use crate::item::ItemId;
use crate::tree::{Node, TreePath};

use super::ElfInfo;

/// A package whose files are in a segment: all that merging, scripts and dpkg's database need to know of it.
///
/// It is kept beside the segment (postcard), so every type in it serializes without skipping fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackedDeb {
    /// The item whose segment has the large contents.
    pub item: ItemId,
    /// The control stanza (deb-control(5)).
    pub control: Stanza,
    /// Every regular file of `control.tar` by name: `control`, maintainer scripts, `templates`, `triggers`, …
    #[serde(with = "crate::tree::arc_bytes_map")]
    pub control_files: BTreeMap<String, Arc<[u8]>>,
    /// The conffiles (deb-conffiles(5)), in the order of that file.
    pub conffiles: Vec<Conffile>,
    /// The entries of the segment in its order: first the members of `data.tar`, then dpkg's info files.
    pub entries: Vec<(TreePath, Node)>,
    /// Where dpkg's info files (and the directories they need) start in [`UnpackedDeb::entries`].
    pub info_start: usize,
    /// Directories in [`UnpackedDeb::entries`] that the package does not have itself but needs.
    pub implied: BTreeSet<TreePath>,
    /// Paths in [`UnpackedDeb::entries`] that the package writes without `/usr`, such as `/usr/lib/x` for `/lib/x`:
    /// dpkg knows them by that name in file lists, conflicts and diversions.
    pub aliased: BTreeSet<TreePath>,
    /// The shared objects of library directories, so that `ldconfig` reads no file again.
    pub elf: BTreeMap<TreePath, ElfInfo>,
}

/// A configuration file that dpkg keeps a hash of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conffile {
    /// The absolute path as the package lists it.
    pub listed: BString,
    /// Where that is in the tree, after merged /usr.
    pub path: TreePath,
    /// MD5 of the packaged content; `None` for one that the package does not have.
    pub md5: Option<[u8; 16]>,
    /// Whether an upgrade is to remove it.
    pub remove_on_upgrade: bool,
}

impl UnpackedDeb {
    /// The package's name, empty only in a stanza that [`super::unpack`] did not make.
    pub fn package(&self) -> &str {
        self.control.get_str("Package").unwrap_or_default()
    }

    /// The version as the package writes it.
    pub fn version(&self) -> &str {
        self.control.get_str("Version").unwrap_or_default()
    }

    /// `amd64`, `arm64`, `all`, …
    pub fn architecture(&self) -> &str {
        self.control.get_str("Architecture").unwrap_or_default()
    }

    /// Whether several architectures of it can be installed together (`Multi-Arch: same`).
    pub fn is_multi_arch_same(&self) -> bool {
        self.control.get_str("Multi-Arch") == Some("same")
    }

    /// The name that dpkg uses where the architecture matters: `libc6:amd64`, but `bash`.
    pub fn qualified_name(&self) -> String {
        qualified_name(self.package(), self.architecture(), self.is_multi_arch_same())
    }

    /// A maintainer script or another control file by name, such as `postinst`.
    pub fn control_file(&self, name: &str) -> Option<&[u8]> {
        self.control_files.get(name).map(|bytes| &bytes[..])
    }

    /// The members of `data.tar`, implied directories included.
    pub fn data_entries(&self) -> &[(TreePath, Node)] {
        self.entries.get(..self.info_start).unwrap_or(&self.entries)
    }

    /// dpkg's info files and the directories they need.
    pub fn info_entries(&self) -> &[(TreePath, Node)] {
        self.entries.get(self.info_start..).unwrap_or(&[])
    }

    /// The path by which dpkg knows an entry: `/lib/x` where the package says so, though it is at `/usr/lib/x`.
    pub fn dpkg_path(&self, path: &TreePath) -> TreePath {
        match path.strip_prefix(&TreePath::literal("usr")) {
            Some(rest) if self.aliased.contains(path) => TreePath::parse(rest).unwrap_or_else(|_| path.clone()),
            _ => path.clone(),
        }
    }
}

/// As [`UnpackedDeb::qualified_name`].
pub(super) fn qualified_name(package: &str, architecture: &str, multi_arch_same: bool) -> String {
    if multi_arch_same { format!("{package}:{architecture}") } else { package.to_owned() }
}
