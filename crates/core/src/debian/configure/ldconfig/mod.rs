//! `ldconfig`: the dynamic loader's cache and the links named after sonames (ldconfig(8)).

mod cache;
mod config;
mod order;
mod strings;

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice as _};

use self::cache::CacheEntry;
use crate::debian::deb::{ElfClass, ElfInfo};
use crate::platform::Platform;
use crate::tree::{Meta, Node, NodeKind, ReadContent, Tree, TreeError, TreePath};

/// `FLAG_ELF_LIBC6`.
const LIBC6: u32 = 3;
// `e_machine` of the architectures that the platforms can run.
const X86_64: u16 = 62;
const AARCH64: u16 = 183;
const I386: u16 = 3;

/// What is known of shared objects, by their paths in the tree, links resolved.
pub type ElfIndex<'e> = &'e BTreeMap<TreePath, ElfInfo>;

/// What `ldconfig` needs besides the tree.
#[derive(Clone, Copy)]
pub struct LdconfigOptions<'o> {
    /// Decides about the system's own directories.
    pub platform: Platform,
    /// What is known of shared objects.
    pub elf: ElfIndex<'o>,
    /// Debian's version of `libc-bin`, which the cache names as its generator, such as `2.41-12`.
    pub libc_version: &'o str,
    /// Reads what the tree only names.
    pub contents: &'o dyn ReadContent,
    /// Seconds since 1970: the time of what is written.
    pub now: i64,
}

/// Writes `/etc/ld.so.cache` and makes the links that are missing.
///
/// # Errors
/// When the cache or a link cannot be written.
pub fn ldconfig(tree: &mut Tree, options: LdconfigOptions<'_>) -> Result<(), TreeError> {
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    for directory in config::search_directories(tree, options.contents, options.platform) {
        let Some((real, node)) = tree.lookup(&directory) else { continue };
        if !node.is_directory() || !seen.insert(real.clone()) {
            continue;
        }
        for (name, subdirectory) in hwcaps_subdirectories(tree, &real) {
            let written = [directory.as_slice(), b"/glibc-hwcaps/", &name].concat();
            scan(tree, &subdirectory, written.as_bstr(), Some(&name), options, &mut entries)?;
        }
        scan(tree, &real, directory.as_bstr(), None, options, &mut entries)?;
    }
    let upstream = options.libc_version.split('-').next().unwrap_or_default();
    let generator = format!("ldconfig (Debian GLIBC {}) stable release version {upstream}", options.libc_version);
    let bytes = cache::write_cache(entries, &generator);
    tree.insert(TreePath::literal("etc/ld.so.cache"), Node::file(Meta::root(0o644, options.now), bytes))?;
    Ok(())
}

/// One soname of a directory and the file that stands for it.
struct Library {
    name: BString,
    is_link: bool,
    flags: u32,
    isa_level: u32,
}

fn scan(
    tree: &mut Tree,
    directory: &TreePath,
    written: &BStr,
    hwcaps: Option<&BString>,
    options: LdconfigOptions<'_>,
    entries: &mut Vec<CacheEntry>,
) -> Result<(), TreeError> {
    let mut libraries: BTreeMap<BString, Library> = BTreeMap::new();
    for (path, node) in tree.children(directory) {
        let Some(name) = path.file_name().filter(|name| is_library_name(name)) else { continue };
        let Some((soname, library)) = inspect(tree, path, node, name, options.elf) else { continue };
        match libraries.get(&soname) {
            Some(other) if !is_better(&library, other) => {}
            _ => _ = libraries.insert(soname, library),
        }
    }
    for (soname, library) in libraries {
        if !library.is_link && library.name != soname {
            link_soname(tree, directory, &soname, &library.name, options.now)?;
        }
        let file = if hwcaps.is_some() { &library.name } else { &soname };
        let path = [written.as_bytes(), b"/", file].concat();
        let (flags, isa_level, hwcaps) = (library.flags, library.isa_level, hwcaps.map(|name| name.to_vec()));
        entries.push(CacheEntry { soname: soname.into(), path, flags, isa_level, hwcaps });
    }
    Ok(())
}

/// A real file is better than a link, else the greater name is.
fn is_better(new: &Library, old: &Library) -> bool {
    match (new.is_link, old.is_link) {
        (false, true) => true,
        (true, false) => false,
        _ => order::compare_names(&old.name, &new.name).is_lt(),
    }
}

/// `libX.so…` and `ld-X.so…`, but not what dpkg has not finished.
fn is_library_name(name: &BStr) -> bool {
    (name.starts_with(b"lib") || name.starts_with(b"ld-"))
        && name.contains_str(".so")
        && ![".dpkg-new", ".dpkg-tmp"].iter().any(|end| name.ends_with_str(end))
}

fn inspect(tree: &Tree, path: &TreePath, node: &Node, name: &BStr, elf: ElfIndex<'_>) -> Option<(BString, Library)> {
    let mut is_link = matches!(node.kind, NodeKind::Symlink { .. });
    let (real, _) = tree.lookup(path.to_string())?;
    let info = elf.get(&real)?;
    let flags = LIBC6 | architecture_flags(info)?;
    let mut soname = info.soname.clone().unwrap_or_else(|| name.into());
    // A link that is neither the soname's nor the linker's `.so` counts as a file of its own.
    if is_link && soname != name && !(name.ends_with(b".so") && soname.starts_with(name)) {
        is_link = false;
    }
    if is_link {
        soname = name.into();
    }
    let isa_level = if info.machine == X86_64 { info.x86_isa_needed } else { 0 };
    Some((soname, Library { name: name.into(), is_link, flags, isa_level: highest_level(isa_level) }))
}

/// The cache has the number of the highest level; baseline and none are both 0.
fn highest_level(bits: u32) -> u32 {
    (u32::BITS - bits.leading_zeros()).saturating_sub(1)
}

fn architecture_flags(info: &ElfInfo) -> Option<u32> {
    match (info.machine, info.class) {
        (X86_64, ElfClass::Elf64) => Some(0x0300),
        (X86_64, ElfClass::Elf32) => Some(0x0800),
        (AARCH64, ElfClass::Elf64) => Some(0x0a00),
        (I386, ElfClass::Elf32) => Some(0),
        _ => None,
    }
}

/// `libfoo.so.1` → `libfoo.so.1.2.3`, unless it is right already or something real is there.
fn link_soname(
    tree: &mut Tree,
    directory: &TreePath,
    soname: &BString,
    name: &BString,
    now: i64,
) -> Result<(), TreeError> {
    let link = directory.join(soname)?;
    let target = directory.join(name)?;
    match tree.get(&link) {
        Some(Node { kind: NodeKind::Symlink { .. }, .. }) => {
            let same = |one: &TreePath| tree.lookup(one.to_string()).map(|(path, _)| path);
            if same(&link).is_some() && same(&link) == same(&target) {
                return Ok(());
            }
        }
        Some(_) => return Ok(()),
        None => {}
    }
    tree.insert(link, Node::symlink(name.clone(), now)).map(drop)
}

/// `glibc-hwcaps/x86-64-v3` and its like, by name.
fn hwcaps_subdirectories(tree: &Tree, directory: &TreePath) -> Vec<(BString, TreePath)> {
    let Ok(parent) = directory.join("glibc-hwcaps") else { return Vec::new() };
    let named = |(path, node): (&TreePath, &Node)| {
        node.is_directory().then(|| Some((BString::from(path.file_name()?), path.clone()))).flatten()
    };
    tree.children(&parent).filter_map(named).collect()
}
