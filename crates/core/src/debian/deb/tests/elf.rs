//! Shared objects of this machine's own program, and one made by hand.

use crate::debian::deb::elf::ElfProbe;
use crate::debian::deb::{ElfClass, ElfInfo};
use crate::tree::TreePath;

/// A 64-bit little-endian shared object: one loaded segment with its strings, the dynamic section behind `gap` bytes.
fn shared_object(gap: usize) -> Vec<u8> {
    let strings = b"\0libx.so.1\0libc.so.6\0";
    let (strings_at, dynamic_at) = (232_u64, 232 + strings.len() + gap);
    let dynamic: Vec<u8> = [[14, 1], [1, 11], [5, 0x1000 + strings_at], [0, 0], [1, 1]]
        .into_iter()
        .flatten()
        .flat_map(u64::to_le_bytes)
        .collect();
    let mut file = vec![0; 64];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16..20].copy_from_slice(&[3, 0, 62, 0]);
    file[32] = 64;
    file[54] = 56;
    file[56] = 3;
    let segment = |kind: u32, offset: u64, address: u64, size: u64| {
        let numbers = [offset, address, 0, size, size, 0].map(u64::to_le_bytes).concat();
        [&kind.to_le_bytes(), &[0; 4], numbers.as_slice()].concat()
    };
    let first_size = strings_at + strings.len() as u64;
    file.extend(segment(1, 0, 0x1000, first_size));
    file.extend(segment(2, dynamic_at as u64, 0x9000, dynamic.len() as u64));
    file.extend(segment(4, 0, 0, 0));
    file.extend_from_slice(strings);
    file.extend(std::iter::repeat_n(0xAA, gap));
    file.extend(dynamic);
    file
}

fn probe(bytes: &[u8]) -> Option<ElfInfo> {
    let mut probe = ElfProbe::for_path(&TreePath::literal("usr/lib/libx.so.1.2"))?;
    bytes.chunks(1000).for_each(|bytes| probe.push(bytes));
    probe.finish()
}

#[test]
fn names_are_found_wherever_the_dynamic_section_is() {
    for gap in [0, 3000, 50_000] {
        let info = probe(&shared_object(gap)).expect("a shared object");
        assert_eq!((info.class, info.machine, info.object_type), (ElfClass::Elf64, 62, 3));
        assert_eq!(info.soname, Some("libx.so.1".into()), "with a gap of {gap}");
        assert_eq!(info.needed, ["libc.so.6"]);
    }
}

#[test]
fn only_what_ldconfig_looks_at_is_probed() {
    for (path, expect) in [
        ("usr/lib/x86_64-linux-gnu/libc.so.6", true),
        ("usr/lib64/ld-linux-x86-64.so.2", true),
        ("opt/x/libx.so", true),
        ("usr/lib/python3/x.so", false),
        ("usr/share/lib.so", false),
        ("usr/lib/libx.a", false),
    ] {
        assert_eq!(ElfProbe::for_path(&TreePath::literal(path)).is_some(), expect, "{path}");
    }
    assert_eq!(probe(b"/* GNU ld script */ INPUT(libx.so.1)"), None);
    assert_eq!(probe(b""), None);
}
