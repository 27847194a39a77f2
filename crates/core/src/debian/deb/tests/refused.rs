//! What is refused, and in which words.

use std::io::Write as _;

use tar::EntryType;

use super::{Archive, CONTROL, ar, chain, deb, unpack_bytes};
use crate::debian::deb::DebError;

#[track_caller]
fn check(bytes: &[u8], expect: &str) {
    let error = unpack_bytes(bytes).expect_err(expect);
    assert_eq!(chain(&error), expect);
}

#[test]
fn entries_that_no_package_may_have() {
    let entry = |archive: Archive, path: &str, problem: &str| {
        check(&deb(archive), &format!("package `p` has a bad entry `{path}`: {problem}"));
    };
    let new = Archive::default;
    entry(new().file("./a/../b", b""), "./a/../b", "the path `./a/../b` has a `..` component");
    entry(new().file("/etc/passwd", b""), "/etc/passwd", "the path is absolute");
    entry(new().file("./a\nb", b""), "./a\nb", "the path has a line break");
    entry(new().file("./a", b"").file("a", b""), "a", "the path comes twice");
    entry(new().directory("./a").directory("./a/"), "./a/", "the path comes twice");
    entry(new().file("./lib/a", b"").file("./usr/lib/a", b""), "./usr/lib/a", "the path comes twice");
    let link = |target| new().member("./l", EntryType::Link, target, b"");
    let no_target = |target: &str| format!("it is a hard link to `{target}`, which is no earlier file of the package");
    entry(link("./gone"), "./l", &no_target("./gone"));
    entry(link("../../etc/shadow"), "./l", &no_target("../../etc/shadow"));
    entry(new().directory("d").member("./l", EntryType::Link, "d", b""), "./l", &no_target("d"));
    entry(link(""), "./l", "its link target is empty or too long");
    entry(new().member("./s", EntryType::Symlink, "x", b"data"), "./s", "its header has a malformed size");
    entry(new().member("./s", EntryType::GNUSparse, "", b""), "./s", "it has the unknown tar type 0x53");
    entry(new().member("./g", EntryType::XGlobalHeader, "", b""), "./g", "it has the unknown tar type 0x67");
    let through_link = new().member("./s", EntryType::Symlink, "/etc", b"").file("./s/passwd", b"");
    entry(through_link, "./s/passwd", "/s above it is not a directory");
    entry(
        new().member("././@LongLink", EntryType::XHeader, "", b"nonsense"),
        "././@LongLink",
        "its extended header is malformed",
    );
}

#[test]
fn outer_archives_of_other_shapes() {
    let control = Archive::default().file("./control", CONTROL.as_bytes()).end();
    let empty = Archive::default().end();
    let version = ("debian-binary", b"2.0\n".as_slice());
    let outer = |members: &[(&str, &[u8])], problem: &str| {
        check(&ar(members), &format!("not a Debian binary package: {problem}"));
    };
    outer(&[], "the member `debian-binary` is missing");
    outer(&[("debian-binary", b"3.0\n")], "the format version is `3.0`, not 2.x");
    outer(&[version], "the member `control.tar` is missing");
    outer(&[version, ("data.tar", &empty)], "there is a member `data.tar` where `control.tar` belongs");
    outer(&[version, ("control.tar.rar", &control)], "the member `control.tar.rar` has an unknown compression");
    outer(&[version, ("control.tar", &control)], "the member `data.tar` is missing");
    check(b"PK\x03\x04 zip", "not a Debian binary package: it does not start with `!<arch>`");
    assert!(unpack_bytes(&ar(&[version, ("_x", b"?"), ("control.tar/", &control), ("data.tar", &empty)])).is_ok());
}

#[test]
fn control_archives_of_other_shapes() {
    let with = |control: Archive, problem: &str| {
        let bytes = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control.end())]);
        check(&bytes, &format!("the package's control.tar is unusable: {problem}"));
    };
    let new = |stanza: &str| Archive::default().file("./control", stanza.as_bytes());
    with(Archive::default(), "there is no file `control` in it");
    with(new("Package: p\n"), "the field `Version` of `control` is missing or malformed");
    with(new("Package: ../p\n"), "the field `Package` of `control` is missing or malformed");
    with(new(&format!("{CONTROL}junk\n")), "the file `control` is malformed: line 5 is not `Field: value`");
    with(new(&format!("{CONTROL}\n{CONTROL}")), "the file `control` is malformed: more than one stanza");
    with(new(CONTROL).file("./a/b", b""), "bad member `./a/b`: control.tar cannot have such a member");
    with(new(CONTROL).file("./list", b""), "bad member `./list`: control.tar cannot have such a member");
    with(new(CONTROL).file("./conffiles", b"etc/x\n"), "the line `etc/x` of `conffiles` is malformed");
    with(new(CONTROL).file("./conffiles", b"/etc/../x\n"), "the line `/etc/../x` of `conffiles` is malformed");
}

#[test]
fn a_decompression_bomb_is_refused() {
    let zeros = vec![0; 1 << 20];
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    let mut header = Archive::default().file("./bomb", b"").0;
    // 4 GiB announced, of which 300 MiB are there.
    header.splice(124..136, *b"40000000000\0");
    header.splice(148..156, *b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header.splice(148..156, format!("{sum:06o}\0 ").into_bytes());
    encoder.write_all(&header).expect("written");
    for _ in 0..300 {
        encoder.write_all(&zeros).expect("written");
    }
    let bomb = encoder.finish().expect("finished");
    let control = Archive::default().file("./control", CONTROL.as_bytes()).end();
    let bytes = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar.zst", &bomb)]);
    let error = unpack_bytes(&bytes).expect_err("a bomb");
    assert!(matches!(error, DebError::TooLarge { installed_kib: 1, .. }), "{error:?}");
}

#[test]
fn a_package_cut_short_is_refused() {
    let whole = deb(Archive::default().file("./a", &[b'x'; 9000]).file("./b", b"b"));
    let data_start = whole.len() - 1024;
    for end in (0..data_start).step_by(61) {
        assert!(unpack_bytes(&whole[..end]).is_err(), "{end} bytes of {} are taken for all", whole.len());
    }
}
