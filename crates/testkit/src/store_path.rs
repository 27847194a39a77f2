//! Store paths in memory and their NARs, written here once more so that tests do not believe the reader they test.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use plywood_core::digest::{NarHash, Sha256Hash};
use plywood_core::lockfile::{LockedStorePath, PackageAbout};
use plywood_core::nix::{StoreHash, StorePath};

/// What is at a place of a store path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreNode {
    /// A directory; entries are written in the order in which they stand here.
    Directory(Vec<(Vec<u8>, StoreNode)>),
    /// A file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A symbolic link with its target.
    Symlink(Vec<u8>),
}

impl StoreNode {
    /// A directory with entries of these names.
    pub fn directory(entries: impl IntoIterator<Item = (&'static str, StoreNode)>) -> Self {
        Self::Directory(entries.into_iter().map(|(name, node)| (name.as_bytes().to_vec(), node)).collect())
    }

    /// A file that cannot be executed.
    pub fn file(bytes: impl Into<Vec<u8>>) -> Self {
        Self::File { bytes: bytes.into(), executable: false }
    }

    /// A file that can be executed.
    pub fn program(bytes: impl Into<Vec<u8>>) -> Self {
        Self::File { bytes: bytes.into(), executable: true }
    }

    /// A symbolic link.
    pub fn symlink(target: &str) -> Self {
        Self::Symlink(target.as_bytes().to_vec())
    }

    /// The NAR (Nix manual, "Nix Archive (NAR) format").
    pub fn to_nar(&self) -> Vec<u8> {
        let mut nar = Vec::new();
        put(&mut nar, b"nix-archive-1");
        self.write(&mut nar);
        nar
    }

    fn write(&self, nar: &mut Vec<u8>) {
        put(nar, b"(");
        put(nar, b"type");
        match self {
            Self::Directory(entries) => {
                put(nar, b"directory");
                for (name, node) in entries {
                    for word in [b"entry".as_slice(), b"(", b"name", name, b"node"] {
                        put(nar, word);
                    }
                    node.write(nar);
                    put(nar, b")");
                }
            }
            Self::File { bytes, executable } => {
                put(nar, b"regular");
                if *executable {
                    put(nar, b"executable");
                    put(nar, b"");
                }
                put(nar, b"contents");
                put(nar, bytes);
            }
            Self::Symlink(target) => {
                put(nar, b"symlink");
                put(nar, b"target");
                put(nar, target);
            }
        }
        put(nar, b")");
    }

    /// Writes it to the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    #[cfg(unix)]
    pub fn write_to(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        match self {
            Self::Directory(entries) => {
                fs::create_dir(path)?;
                entries.iter().try_for_each(|(name, node)| node.write_to(&path.join(std::ffi::OsStr::from_bytes(name))))
            }
            Self::File { bytes, executable } => {
                fs::write(path, bytes)?;
                fs::set_permissions(path, fs::Permissions::from_mode(if *executable { 0o555 } else { 0o444 }))
            }
            Self::Symlink(target) => symlink(std::ffi::OsStr::from_bytes(target), path),
        }
    }
}

fn put(nar: &mut Vec<u8>, word: &[u8]) {
    nar.extend_from_slice(&(word.len() as u64).to_le_bytes());
    nar.extend_from_slice(word);
    nar.resize(nar.len().next_multiple_of(8), 0);
}

/// A store path with its contents.
#[derive(Debug, Clone)]
pub struct TestPath {
    /// The path.
    pub path: StorePath,
    /// Its contents.
    pub node: StoreNode,
    /// What it refers to.
    pub references: BTreeSet<StorePath>,
    /// Its NAR.
    pub nar: Vec<u8>,
}

impl TestPath {
    /// A path of this name, its hash made of name and contents.
    ///
    /// # Panics
    /// When the name is none of a store path.
    pub fn new(name: &str, node: StoreNode, references: &[&TestPath]) -> Self {
        let nar = node.to_nar();
        let hash = Sha256Hash::of(&[name.as_bytes(), &nar].concat());
        let mut short = [0; 20];
        short.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        let path = StorePath::new(StoreHash::from_bytes(short), name).expect("a name of a store path");
        let references = references.iter().map(|other| other.path.clone()).collect();
        Self { path, node, references, nar }
    }

    /// What a lock says of it, when nobody knows of which package it is.
    pub fn locked(&self) -> LockedStorePath {
        LockedStorePath {
            nar_hash: self.nar_hash(),
            nar_size: self.nar.len() as u64,
            references: self.references.clone(),
            deriver: None,
            pname: None,
            version: None,
            local: false,
            about: PackageAbout::default(),
        }
    }

    /// The hash of its NAR.
    pub fn nar_hash(&self) -> NarHash {
        NarHash::of(&self.nar)
    }
}
