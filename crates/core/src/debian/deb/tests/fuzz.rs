//! Whatever comes, nothing panics.

use proptest::prelude::*;

use super::{Archive, CONTROL, ar, deb, unpack_bytes};
use crate::debian::deb::elf::ElfProbe;
use crate::debian::deb::fnmatch;
use crate::tree::TreePath;

/// A package with a member of most kinds.
fn sample() -> Vec<u8> {
    use tar::EntryType;
    deb(Archive::default()
        .directory("./usr/")
        .file("./usr/lib/libx.so", b"\x7fELF\x02\x01\x01 and so on")
        .member("././@LongLink", EntryType::GNULongName, "", &[b'n'; 200])
        .file("./short", b"long name")
        .member("./pax", EntryType::XHeader, "", b"29 SCHILY.xattr.user.x=\x01\x02\n\x04\x05\n")
        .file("./xattr", b"")
        .member("./usr/lib/l", EntryType::Link, "./usr/lib/libx.so", b"")
        .member("./dev", EntryType::Char, "", b""))
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = unpack_bytes(&bytes);
    }

    #[test]
    fn arbitrary_members(control in prop::collection::vec(any::<u8>(), 0..1500), data in prop::collection::vec(any::<u8>(), 0..1500)) {
        for extension in ["", ".gz", ".xz", ".zst", ".lzma"] {
            let (control_name, data_name) = (format!("control.tar{extension}"), format!("data.tar{extension}"));
            let _ = unpack_bytes(&ar(&[("debian-binary", b"2.0\n"), (&control_name, &control)]));
            let good = Archive::default().file("./control", CONTROL.as_bytes()).end();
            let _ = unpack_bytes(&ar(&[("debian-binary", b"2.0\n"), ("control.tar", &good), (&data_name, &data)]));
        }
    }

    #[test]
    fn mutated_packages(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = sample();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = unpack_bytes(&bytes);
    }

    #[test]
    fn arbitrary_elf_in_arbitrary_pieces(start in 0_usize..4, bytes in prop::collection::vec(any::<u8>(), 0..6000), piece in 1_usize..700) {
        let idents: [&[u8]; 4] = [b"\x7fELF\x01\x01\x01", b"\x7fELF\x01\x02\x01", b"\x7fELF\x02\x01\x01", b"\x7fELF\x02\x02\x01"];
        let bytes = [idents[start], &bytes].concat();
        let probe = || ElfProbe::for_path(&TreePath::literal("usr/lib/libx.so.1")).expect("a library");
        let (mut whole, mut pieces) = (probe(), probe());
        whole.push(&bytes);
        bytes.chunks(piece).for_each(|bytes| pieces.push(bytes));
        prop_assert_eq!(whole.finish(), pieces.finish());
    }

    #[test]
    fn arbitrary_patterns(pattern in r"[\]a!^:*?\\\[/-]{0,12}", text in r"[\]a!^:*?\\\[/-]{0,12}") {
        let _ = fnmatch(pattern.as_bytes(), text.as_bytes());
    }
}

#[test]
fn the_sample_is_good() {
    let unpacked = unpack_bytes(&sample()).expect("a good package");
    let (_, node) = unpacked.entries.iter().find(|(path, _)| path.as_bytes() == b"xattr").expect("there");
    let value = node.meta.xattrs.get(bstr::BStr::new("user.x")).map(|value| value.as_slice());
    assert_eq!(value, Some(b"\x01\x02\n\x04\x05".as_slice()));
    assert!(unpacked.entries.iter().any(|(path, _)| path.as_bytes() == [b'n'; 200]));
}
