//! Packages made byte by byte: what no packaging tool would make.

mod elf;
mod fuzz;
mod refused;

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::{DebError, PathFilters, UnpackOptions, UnpackedDeb, unpack};
use crate::digest::FileHash;
use crate::item::{EntryKind, EntrySink};
use crate::tree::{Meta, TreePath};

/// Checks that what it is given is what was announced, and forgets it.
#[derive(Debug, Default)]
struct CheckingSink {
    paths: Vec<TreePath>,
}

impl EntrySink for CheckingSink {
    fn append(&mut self, path: &TreePath, _: &Meta, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let count = io::copy(data, &mut io::sink())?;
        let size = if let EntryKind::File { size } = kind { *size } else { 0 };
        self.paths.push(path.clone());
        if count == size { Ok(0) } else { Err(io::Error::other("another length than announced")) }
    }
}

/// A tar archive under construction.
#[derive(Debug, Default, Clone)]
struct Archive(Vec<u8>);

impl Archive {
    fn member(mut self, path: &str, kind: EntryType, target: &str, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        // Straight into the field: the crate's setters refuse what is to be tested.
        if let Some(field) = header.as_mut_bytes().get_mut(..path.len()) {
            field.copy_from_slice(path.as_bytes());
        }
        if let Some(field) = header.as_mut_bytes().get_mut(157..157 + target.len()) {
            field.copy_from_slice(target.as_bytes());
        }
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000_000);
        header.set_size(data.len() as u64);
        header.set_device_major(1).and_then(|()| header.set_device_minor(3)).expect("a GNU header");
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, path: &str, data: &[u8]) -> Self {
        self.member(path, EntryType::Regular, "", data)
    }

    fn directory(self, path: &str) -> Self {
        self.member(path, EntryType::Directory, "", b"")
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

const CONTROL: &str = "Package: p\nVersion: 1\nArchitecture: all\nInstalled-Size: 1\n";

/// The outer archive with these members.
fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, data) in members {
        let size = data.len();
        bytes.extend_from_slice(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644).as_bytes());
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    }
    bytes
}

/// A package with this `data.tar`.
fn deb(data: Archive) -> Vec<u8> {
    let control = Archive::default().file("./control", CONTROL.as_bytes()).end();
    ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar", &data.end())])
}

fn unpack_bytes(bytes: &[u8]) -> Result<UnpackedDeb, DebError> {
    let options = UnpackOptions::new(FileHash::of(bytes), PathFilters::default());
    unpack(bytes, &options, &mut CheckingSink::default())
}

/// The whole chain of an error's messages.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[test]
fn entries_come_with_their_parents_and_info_files() {
    let archive = Archive::default()
        .directory("./")
        .file("./lib/p/a.so", b"a")
        .directory("./lib/p")
        .member("./usr/bin/b", EntryType::Link, "./lib/p/a.so", b"")
        .member("./etc/c", EntryType::Symlink, "../x", b"");
    let unpacked = unpack_bytes(&deb(archive)).expect("a good package");
    let paths: Vec<_> = unpacked.entries.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "/usr",
            "/usr/lib",
            "/usr/lib/p",
            "/usr/lib/p/a.so",
            "/usr/bin",
            "/usr/bin/b",
            "/etc",
            "/etc/c",
            "/var",
            "/var/lib",
            "/var/lib/dpkg",
            "/var/lib/dpkg/info",
            "/var/lib/dpkg/info/p.list",
            "/var/lib/dpkg/info/p.md5sums",
        ]
    );
    assert_eq!(unpacked.info_start, 8);
    assert!(!unpacked.implied.contains(&TreePath::literal("usr/lib/p")), "it came after what is in it");
    assert_eq!(unpacked.dpkg_path(&TreePath::literal("usr/lib/p/a.so")), TreePath::literal("lib/p/a.so"));
    assert_eq!(unpacked.dpkg_path(&TreePath::literal("usr/bin/b")), TreePath::literal("usr/bin/b"));
}
