//! `/etc/ld.so.cache` in the format `glibc-ld.so.cache1.1` (glibc, `sysdeps/generic/dl-cache.h`), little-endian.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::order::compare_names;
use super::strings::StringTable;

const MAGIC: &[u8; 20] = b"glibc-ld.so.cache1.1";
const HEADER_LEN: u32 = 48;
const ENTRY_LEN: u32 = 24;
/// `cache_file_new_flags_endian_little`.
const LITTLE_ENDIAN: u8 = 2;
const EXTENSION_MAGIC: u32 = 0xeaa4_2174;
const TAG_GENERATOR: u32 = 0;
const TAG_GLIBC_HWCAPS: u32 = 1;
/// `DL_CACHE_HWCAP_EXTENSION`: the low half is an index into the list of subdirectories.
const HWCAP_EXTENSION: u64 = 1 << 62;

/// One library of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CacheEntry {
    /// The name it is looked up by.
    pub(super) soname: Vec<u8>,
    /// Its absolute path.
    pub(super) path: Vec<u8>,
    /// `FLAG_ELF_LIBC6` with the architecture's bits.
    pub(super) flags: u32,
    /// The x86 level it needs.
    pub(super) isa_level: u32,
    /// The subdirectory of `glibc-hwcaps` it is in.
    pub(super) hwcaps: Option<Vec<u8>>,
}

impl CacheEntry {
    /// glibc's `compare`: the loader searches backwards, so names descend.
    fn compare(&self, other: &Self) -> Ordering {
        compare_names(&other.soname, &self.soname)
            .then_with(|| other.flags.cmp(&self.flags))
            .then_with(|| match (&self.hwcaps, &other.hwcaps) {
                (Some(left), Some(right)) => left.cmp(right),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            })
            .then_with(|| other.isa_level.cmp(&self.isa_level))
    }
}

/// The cache's bytes. `entries` are in the order in which ldconfig comes across them; equals keep it.
pub(super) fn write_cache(mut entries: Vec<CacheEntry>, generator: &str) -> Vec<u8> {
    entries.sort_by(CacheEntry::compare);
    let hwcaps: Vec<Vec<u8>> =
        entries.iter().filter_map(|entry| entry.hwcaps.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let texts = entries.iter().flat_map(|entry| [entry.soname.clone(), entry.path.clone()]).chain(hwcaps.clone());
    let strings = StringTable::new(texts);
    let strings_at = HEADER_LEN + entries.len() as u32 * ENTRY_LEN;
    let extension_at = (strings_at + strings.bytes.len() as u32).next_multiple_of(4);

    let mut out = Vec::with_capacity(extension_at as usize + 128);
    out.extend_from_slice(MAGIC);
    put(&mut out, entries.len() as u32);
    put(&mut out, strings.bytes.len() as u32);
    out.extend_from_slice(&[LITTLE_ENDIAN, 0, 0, 0]);
    put(&mut out, extension_at);
    out.extend_from_slice(&[0; 12]);
    for entry in &entries {
        put(&mut out, entry.flags);
        put(&mut out, strings_at + strings.offset(&entry.soname));
        put(&mut out, strings_at + strings.offset(&entry.path));
        put(&mut out, 0);
        let index = entry.hwcaps.as_ref().and_then(|name| hwcaps.iter().position(|other| other == name));
        let extension = index.map_or(0, |index| HWCAP_EXTENSION | index as u64);
        out.extend_from_slice(&(extension | u64::from(entry.isa_level) << 32).to_le_bytes());
    }
    out.extend_from_slice(&strings.bytes);
    out.resize(extension_at as usize, 0);
    let offsets: Vec<u32> = hwcaps.iter().map(|name| strings_at + strings.offset(name)).collect();
    write_extension(&mut out, generator, &offsets);
    out
}

/// The extension: a table of sections, then their contents.
fn write_extension(out: &mut Vec<u8>, generator: &str, hwcaps: &[u32]) {
    let sections = if hwcaps.is_empty() { 1 } else { 2 };
    let generator_at = out.len() as u32 + 8 + sections * 16;
    let hwcaps_at = (generator_at + generator.len() as u32).next_multiple_of(4);
    put(out, EXTENSION_MAGIC);
    put(out, sections);
    for value in [TAG_GENERATOR, 0, generator_at, generator.len() as u32] {
        put(out, value);
    }
    if !hwcaps.is_empty() {
        for value in [TAG_GLIBC_HWCAPS, 0, hwcaps_at, hwcaps.len() as u32 * 4] {
            put(out, value);
        }
    }
    out.extend_from_slice(generator.as_bytes());
    if !hwcaps.is_empty() {
        out.resize(hwcaps_at as usize, 0);
        for offset in hwcaps {
            put(out, *offset);
        }
    }
}

fn put(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}
