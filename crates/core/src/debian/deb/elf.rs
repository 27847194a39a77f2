//! What `ldconfig` wants to know of a shared object (elf(5), System V ABI chapter 5).

use bstr::BString;
use serde::{Deserialize, Serialize};

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
