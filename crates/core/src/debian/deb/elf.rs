//! What `ldconfig` wants to know of a shared object (elf(5), System V ABI chapter 5).

use bstr::{BString, ByteSlice};
use serde::{Deserialize, Serialize};

use crate::tree::TreePath;

/// 32 or 64 bits (`EI_CLASS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ElfClass {
    /// `ELFCLASS32`.
    Elf32,
    /// `ELFCLASS64`.
    Elf64,
}

/// The header and dynamic section of a shared object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElfInfo {
    /// 32 or 64 bits.
    pub class: ElfClass,
    /// Whether numbers are little-endian (`EI_DATA`).
    pub little_endian: bool,
    /// The processor (`e_machine`): 62 is x86-64, 183 AArch64, 3 i386.
    pub machine: u16,
    /// The processor's flags (`e_flags`).
    pub flags: u32,
    /// The operating system (`EI_OSABI`).
    pub os_abi: u8,
    /// The file's type (`e_type`): 3 is a shared object.
    pub object_type: u16,
    /// The name it is looked up by (`DT_SONAME`).
    pub soname: Option<BString>,
    /// The shared objects it needs (`DT_NEEDED`), in order.
    pub needed: Vec<BString>,
    /// The oldest kernel it runs on (`NT_GNU_ABI_TAG`): operating system (0 is Linux), then three version numbers.
    pub abi_tag: Option<[u32; 4]>,
    /// The x86 instruction-set levels it needs (`GNU_PROPERTY_X86_ISA_1_NEEDED`), as bits.
    pub x86_isa_needed: u32,
}

impl ElfInfo {
    /// Whether `ldconfig` could look at a file of this name.
    pub fn is_wanted(path: &TreePath) -> bool {
        ElfProbe::for_path(path).is_some()
    }

    /// What a whole file is; `None` when its name is not wanted, or it is no ELF file.
    pub fn read(path: &TreePath, bytes: &[u8]) -> Option<Self> {
        let mut probe = ElfProbe::for_path(path)?;
        probe.push(bytes);
        probe.finish()
    }
}

/// As much of a file's start is kept: the string table of even the largest libraries lies there.
const MAX_HEAD: u64 = 16 << 20;

/// As much is kept before the program headers are known.
const FIRST_LOOK: usize = 4096;

/// The longest dynamic section that is read, in bytes.
const MAX_DYNAMIC: u64 = 256 << 10;

/// Takes a file's bytes as they stream by and keeps those that tell what it is.
#[derive(Debug, Default)]
pub(super) struct ElfProbe {
    head: Vec<u8>,
    /// How long `head` becomes; known once the program headers are.
    head_len: Option<u64>,
    dynamic: Vec<u8>,
    dynamic_at: u64,
    dynamic_len: u64,
    position: u64,
    is_elf: bool,
}

impl ElfProbe {
    /// A probe for what `ldconfig` could look at: `lib*.so*` and `ld*.so*` below a directory for libraries.
    pub(super) fn for_path(path: &TreePath) -> Option<Self> {
        let name = path.file_name()?;
        let named = (name.starts_with(b"lib") || name.starts_with(b"ld")) && name.contains_str(".so");
        let placed = ["usr/lib", "usr/local", "opt/"].iter().any(|start| path.as_bytes().starts_with(start.as_bytes()));
        (named && placed).then(|| Self { is_elf: true, ..Self::default() })
    }

    /// Takes the next bytes of the file.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !self.is_elf {
            return;
        }
        let mut taken = 0;
        if self.head_len.is_none() {
            taken = bytes.len().min(FIRST_LOOK.saturating_sub(self.head.len()));
            self.head.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            if self.head.len() >= FIRST_LOOK {
                self.plan();
            }
        }
        self.keep(self.position + taken as u64, bytes.get(taken..).unwrap_or_default());
        self.position += bytes.len() as u64;
    }

    /// What the file is; `None` when it is no ELF file or a damaged one.
    pub(super) fn finish(mut self) -> Option<ElfInfo> {
        if self.head_len.is_none() {
            self.plan();
        }
        let reader = ElfReader::new(&self.head).filter(|_| self.is_elf)?;
        let dynamic = reader.segments().find(|segment| segment.kind == PT_DYNAMIC).map(|segment| {
            let start = usize::try_from(segment.offset).unwrap_or(usize::MAX);
            let length = usize::try_from(segment.size.min(MAX_DYNAMIC)).unwrap_or(usize::MAX);
            let in_head = start.checked_add(length).and_then(|end| self.head.get(start..end));
            in_head.unwrap_or(&self.dynamic)
        });
        Some(reader.info(dynamic.unwrap_or_default()))
    }

    /// Reads the program headers and decides what to keep of the rest.
    fn plan(&mut self) {
        let Some(reader) = ElfReader::new(&self.head) else {
            self.is_elf = false;
            return;
        };
        let first_load = reader.segments().find(|segment| segment.kind == PT_LOAD);
        let end = first_load.map_or(0, |segment| segment.offset.saturating_add(segment.size));
        let dynamic = reader.segments().find(|segment| segment.kind == PT_DYNAMIC);
        (self.dynamic_at, self.dynamic_len) = dynamic.map_or((0, 0), |one| (one.offset, one.size.min(MAX_DYNAMIC)));
        self.head_len = Some(end.min(MAX_HEAD));
    }

    /// Keeps what of `bytes`, which are at `at` in the file, is in the head or the dynamic section.
    fn keep(&mut self, at: u64, bytes: &[u8]) {
        let overlap = |start: u64, length: u64| {
            let from = start.saturating_sub(at).min(bytes.len() as u64);
            let to = start.saturating_add(length).saturating_sub(at).min(bytes.len() as u64);
            bytes.get(from as usize..to as usize).unwrap_or_default()
        };
        let head = overlap(FIRST_LOOK as u64, self.head_len.unwrap_or(0).saturating_sub(FIRST_LOOK as u64));
        let dynamic = overlap(self.dynamic_at, self.dynamic_len);
        self.head.extend_from_slice(head);
        self.dynamic.extend_from_slice(dynamic);
    }
}

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_NOTE: u32 = 4;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_SONAME: u64 = 14;
const NT_GNU_ABI_TAG: u32 = 1;
const NT_GNU_PROPERTY: u32 = 5;
const GNU_PROPERTY_X86_ISA_1_NEEDED: u32 = 0xc000_8002;

/// The longest name in a dynamic section, in bytes (Linux `PATH_MAX`).
const MAX_NAME: usize = 4096;

/// As many needed objects are listed.
const MAX_NEEDED: usize = 1024;

/// Looks up numbers in the kept start of a file.
struct ElfReader<'b> {
    head: &'b [u8],
    class: ElfClass,
    little_endian: bool,
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

impl<'b> ElfReader<'b> {
    fn new(head: &'b [u8]) -> Option<Self> {
        let class = match (head.strip_prefix(b"\x7fELF")?.first()?, head.get(5)?) {
            (1, 1 | 2) => ElfClass::Elf32,
            (2, 1 | 2) => ElfClass::Elf64,
            _ => return None,
        };
        let reader = Self { head, class, little_endian: head.get(5) == Some(&1) };
        // Complete when the last field of the header is there.
        reader.number(head, reader.pick(50, 62), 2).map(|_| reader)
    }

    /// `narrow` in 32-bit files, `wide` in 64-bit ones.
    fn pick(&self, narrow: usize, wide: usize) -> usize {
        if self.class == ElfClass::Elf32 { narrow } else { wide }
    }

    fn number(&self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.little_endian { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }

    fn word(&self, bytes: &[u8], at: usize) -> Option<u64> {
        self.number(bytes, at, self.pick(4, 8))
    }

    fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        let start = self.word(self.head, self.pick(28, 32)).and_then(|at| usize::try_from(at).ok());
        let size = self.number(self.head, self.pick(42, 54), 2).unwrap_or(0) as usize;
        let count = self.number(self.head, self.pick(44, 56), 2).unwrap_or(0) as usize;
        let entry = move |index: usize| {
            let at = start?.checked_add(index.checked_mul(size)?)?;
            let entry = self.head.get(at..at.checked_add(self.pick(32, 56))?)?;
            Some(Segment {
                kind: self.number(entry, 0, 4)? as u32,
                offset: self.word(entry, self.pick(4, 8))?,
                address: self.word(entry, self.pick(8, 16))?,
                size: self.word(entry, self.pick(16, 32))?,
            })
        };
        (0..count).map_while(entry)
    }

    fn info(&self, dynamic: &[u8]) -> ElfInfo {
        let header = |at, length| self.number(self.head, at, length).unwrap_or(0);
        let word = self.pick(4, 8);
        let tags = dynamic.chunks_exact(2 * word);
        let tags: Vec<(u64, u64)> = tags
            .filter_map(|tag| Some((self.word(tag, 0)?, self.word(tag, word)?)))
            .take_while(|(tag, _)| *tag != 0)
            .collect();
        let strings = tags.iter().find(|(tag, _)| *tag == DT_STRTAB).and_then(|(_, address)| self.at(*address));
        let name = |offset: u64| {
            let start = strings?.get(usize::try_from(offset).ok()?..)?;
            let length = start.iter().take(MAX_NAME).position(|byte| *byte == 0)?;
            start.get(..length).map(BString::from)
        };
        let named = |wanted: u64| tags.iter().filter(move |(tag, _)| *tag == wanted).filter_map(|tag| name(tag.1));
        ElfInfo {
            class: self.class,
            little_endian: self.little_endian,
            os_abi: header(7, 1) as u8,
            object_type: header(16, 2) as u16,
            machine: header(18, 2) as u16,
            flags: header(self.pick(36, 48), 4) as u32,
            soname: named(DT_SONAME).next(),
            needed: named(DT_NEEDED).take(MAX_NEEDED).collect(),
            abi_tag: self.note(NT_GNU_ABI_TAG).and_then(|note| self.abi_tag(note)),
            x86_isa_needed: self.note(NT_GNU_PROPERTY).map_or(0, |note| self.x86_isa_needed(note)),
        }
    }

    /// The kept bytes from a virtual address on.
    fn at(&self, address: u64) -> Option<&'b [u8]> {
        let holds = |segment: &Segment| {
            segment.kind == PT_LOAD
                && address.checked_sub(segment.address).is_some_and(|distance| distance < segment.size)
        };
        let segment = self.segments().find(holds)?;
        let offset = (address - segment.address).checked_add(segment.offset)?;
        self.head.get(usize::try_from(offset).ok()?..)
    }

    /// The description of GNU's first note of a type (`Elf64_Nhdr`: sizes of name and description, type).
    fn note(&self, wanted: u32) -> Option<&'b [u8]> {
        let align = |length: u64, to: u64| length.checked_add(to - 1).map(|length| length / to * to);
        for segment in self.segments().filter(|segment| segment.kind == PT_NOTE) {
            let start = usize::try_from(segment.offset).ok()?;
            let end = usize::try_from(segment.offset.checked_add(segment.size)?).ok()?;
            let Some(mut notes) = self.head.get(start..end) else { continue };
            while let (Some(name_len), Some(length), Some(kind)) =
                (self.number(notes, 0, 4), self.number(notes, 4, 4), self.number(notes, 8, 4))
            {
                let from = usize::try_from(align(name_len, 4)?.checked_add(12)?).ok()?;
                let to = from.checked_add(usize::try_from(length).ok()?)?;
                let Some(description) = notes.get(from..to) else { break };
                if kind == u64::from(wanted) && notes.get(12..16) == Some(b"GNU\0") {
                    return Some(description);
                }
                // Only property notes are aligned to words, and they have a segment of their own.
                let unit = if kind == u64::from(NT_GNU_PROPERTY) { self.pick(4, 8) as u64 } else { 4 };
                let Some(rest) = notes.get(usize::try_from(align(to as u64, unit)?).ok()?..) else { break };
                notes = rest;
            }
        }
        None
    }

    fn abi_tag(&self, note: &[u8]) -> Option<[u32; 4]> {
        let number = |index: usize| self.number(note, index * 4, 4).map(|number| number as u32);
        Some([number(0)?, number(1)?, number(2)?, number(3)?])
    }

    fn x86_isa_needed(&self, mut properties: &[u8]) -> u32 {
        while let (Some(kind), Some(length)) = (self.number(properties, 0, 4), self.number(properties, 4, 4)) {
            if kind == u64::from(GNU_PROPERTY_X86_ISA_1_NEEDED) && length == 4 {
                return self.number(properties, 8, 4).unwrap_or(0) as u32;
            }
            let unit = self.pick(4, 8) as u64;
            let next = length.checked_next_multiple_of(unit).and_then(|length| length.checked_add(8));
            match next.and_then(|next| properties.get(usize::try_from(next).ok()?..)) {
                Some(rest) => properties = rest,
                None => break,
            }
        }
        0
    }
}
