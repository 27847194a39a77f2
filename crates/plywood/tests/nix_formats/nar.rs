//! NARs against `nix-store --dump` and `nix-store --restore`.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use bstr::BStr;
use plywood_core::digest::NarHash;
use plywood_core::nix::nar::{NarLimits, NarSink, NarWriter, read};
use plywood_core::tree::TreePath;

use crate::nix::{Nix, utf8};

/// Unpacks a NAR onto a real file system.
struct Unpack(PathBuf);

impl Unpack {
    fn place(&self, path: &TreePath) -> PathBuf {
        match path.is_root() {
            true => self.0.clone(),
            false => self.0.join(OsStr::from_bytes(path.as_bytes())),
        }
    }
}

impl NarSink for Unpack {
    fn directory(&mut self, path: &TreePath) -> io::Result<()> {
        fs::create_dir(self.place(path))
    }

    fn symlink(&mut self, path: &TreePath, target: &BStr) -> io::Result<()> {
        symlink(OsStr::from_bytes(target), self.place(path))
    }

    fn file(&mut self, path: &TreePath, executable: bool, _: u64, data: &mut dyn Read) -> io::Result<()> {
        let mode = if executable { 0o755 } else { 0o644 };
        let mut file = File::options().write(true).create_new(true).mode(mode).open(self.place(path))?;
        io::copy(data, &mut file).map(drop)
    }
}

/// Hands a real file to a writer, with all below it.
fn pack<W: Write>(writer: &mut NarWriter<W>, at: &Path, path: &TreePath) {
    let metadata = at.symlink_metadata().expect("it is there");
    if metadata.is_symlink() {
        let target = at.read_link().expect("a symlink");
        writer.symlink(path, BStr::new(target.as_os_str().as_bytes())).expect("written");
    } else if metadata.is_file() {
        let executable = metadata.permissions().mode() & 0o100 != 0;
        let mut file = File::open(at).expect("opened");
        writer.file(path, executable, metadata.len(), &mut file).expect("written");
    } else {
        writer.directory(path).expect("written");
        let mut names: Vec<_> = fs::read_dir(at).expect("read").map(|entry| entry.expect("read").file_name()).collect();
        names.sort();
        for name in names {
            pack(writer, &at.join(&name), &path.join(name.as_bytes()).expect("a path"));
        }
    }
}

fn packed(at: &Path) -> Vec<u8> {
    let mut writer = NarWriter::new(Vec::new());
    pack(&mut writer, at, &TreePath::ROOT);
    writer.finish().expect("written")
}

fn write(path: PathBuf, bytes: &[u8], mode: u32) {
    fs::write(&path, bytes).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
}

/// Trees with everything that a NAR can hold.
fn trees(folder: &Path) -> Vec<PathBuf> {
    let odd = folder.join("odd");
    fs::create_dir_all(odd.join("empty")).expect("made");
    let long = [b'n'; 255];
    let names: [&[u8]; 13] = [
        b"\xff\xfe",
        b"a\nb",
        b"a b",
        b".hidden",
        b"..a",
        b"...",
        b"A",
        b"a",
        b"a.b",
        b"Z~nix~case~hack~1",
        "é".as_bytes(),
        b"-",
        &long,
    ];
    for (at, name) in names.into_iter().enumerate() {
        write(odd.join(OsStr::from_bytes(name)), &vec![b'x'; at], if at % 2 == 0 { 0o755 } else { 0o600 });
    }
    // Only the owner's bit counts.
    write(odd.join("others-may"), b"x", 0o655);
    fs::create_dir(odd.join(OsStr::from_bytes(b"dir\xff"))).expect("made");
    write(odd.join(OsStr::from_bytes(b"dir\xff/inner\x01")), b"", 0o644);
    for (name, target) in [
        (b"link".as_slice(), b"a".as_slice()),
        (b"dangling", b"/nowhere/at/all"),
        (b"up", b"../.."),
        (b"bytes", b"\xff\n"),
    ] {
        symlink(OsStr::from_bytes(target), odd.join(OsStr::from_bytes(name))).expect("linked");
    }
    let sizes = folder.join("sizes");
    fs::create_dir(&sizes).expect("made");
    for size in (0..=17).chain([255, 256, 65_535, 65_536, 262_143, 262_144, 262_145, 1_000_003]) {
        let bytes: Vec<u8> = (0..size).map(|at| (at * 7 % 251) as u8).collect();
        write(sizes.join(size.to_string()), &bytes, 0o644);
    }
    let deep = folder.join("deep");
    fs::create_dir_all(deep.join("d/".repeat(200))).expect("made");
    write(folder.join("file"), b"a file alone", 0o644);
    write(folder.join("program"), b"#!/bin/sh\n", 0o700);
    symlink("file", folder.join("symlink")).expect("linked");
    ["odd", "odd/empty", "sizes", "deep", "file", "program", "symlink"].map(|name| folder.join(name)).to_vec()
}

#[test]
fn dumps_are_those_of_nix() {
    let Some(nix) = Nix::new() else { return };
    for (at, tree) in trees(nix.path("").as_path()).iter().enumerate() {
        let dump = nix.bytes("nix-store", &["--dump", utf8(tree)], b"");
        assert!(packed(tree) == dump, "{} is another NAR than Nix's", tree.display());
        // Read by us, dumped by Nix.
        let ours = nix.path(&format!("ours-{at}"));
        let summary = read(&mut dump.as_slice(), &mut Unpack(ours.clone()), &NarLimits::default());
        assert_eq!(summary.expect("a NAR").hash, NarHash::of(&dump));
        assert!(
            nix.bytes("nix-store", &["--dump", utf8(&ours)], b"") == dump,
            "{} is unpacked otherwise",
            tree.display()
        );
        // Written by us, restored by Nix.
        let theirs = nix.path(&format!("theirs-{at}"));
        nix.bytes("nix-store", &["--restore", utf8(&theirs)], &packed(tree));
        assert!(packed(&theirs) == dump, "{} is restored otherwise", tree.display());
    }
}

/// A NAR of words, each as a string.
fn words(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in words {
        bytes.extend((word.len() as u64).to_le_bytes());
        bytes.extend_from_slice(word);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    bytes
}

fn directory(names: &[&[u8]]) -> Vec<u8> {
    let mut all: Vec<&[u8]> = vec![b"nix-archive-1", b"(", b"type", b"directory"];
    for name in names {
        all.extend([b"entry".as_slice(), b"(", b"name", name, b"node", b"(", b"type", b"regular"]);
        all.extend([b"contents".as_slice(), b"", b")", b")"]);
    }
    all.push(b")");
    words(&all)
}

#[test]
fn what_nix_refuses_is_refused() {
    let Some(nix) = Nix::new() else { return };
    let mut tries = 0;
    let mut check_both = |what: &str, nar: &[u8], ours_accepts: bool, theirs_accepts: bool| {
        tries += 1;
        let ours = read(&mut &*nar, &mut Unpack(nix.path(&format!("ours-{tries}"))), &NarLimits::default());
        let theirs = nix.path(&format!("theirs-{tries}"));
        let theirs = nix.try_run("nix-store", &["--restore", utf8(&theirs)], nar);
        assert_eq!((ours.is_ok(), theirs.status.success()), (ours_accepts, theirs_accepts), "{what}: {ours:?}");
    };
    // Nix 2.8 does not mind these, newer ones do: two NARs of one tree would have two hashes.
    check_both("names out of order", &directory(&[b"b", b"a"]), false, true);
    check_both("something after its end", &[directory(&[b"a"]), vec![0; 8]].concat(), false, true);
    let mut check = |what: &str, nar: &[u8], accepted| check_both(what, nar, accepted, accepted);
    check("in order", &directory(&[b"A", b"a", b"a.", b"b\xff"]), true);
    for name in [b"".as_slice(), b".", b"..", b"a/b", b"/", b"a\0b"] {
        check(&format!("the name {name:?}"), &directory(&[name]), false);
    }
    check("the same name twice", &directory(&[b"a", b"a"]), false);
    let good = directory(&[b"a"]);
    for length in [0, 7, 24, good.len() / 2, good.len() - 8, good.len() - 1] {
        check(&format!("{length} bytes of it"), &good[..length], false);
    }
    let mut padded = good.clone();
    let at = padded.windows(4).position(|window| window == b"name").expect("there") + 5;
    padded[at] = 1;
    check("padding that is not zero", &padded, false);
    check("another magic", &words(&[b"nix-archive-2", b"(", b"type", b"directory", b")"]), false);
    check("an unknown type", &words(&[b"nix-archive-1", b"(", b"type", b"fifo", b")"]), false);
}
