//! Which contents the index keeps, because maintainer scripts and the steps after them read them.

use crate::tree::TreePath;

/// Files of the configuration stay up to this size, in bytes.
const MAX_CONFIGURATION: u64 = 256 << 10;

/// Text elsewhere stays up to this size, in bytes.
const MAX_TEXT: u64 = 8 << 10;

/// Below these everything up to [`MAX_CONFIGURATION`] stays.
const CONFIGURATION: [&str; 16] = [
    "etc",
    "usr/etc",
    "usr/lib/sysusers.d",
    "usr/lib/tmpfiles.d",
    "usr/share/adduser",
    "usr/share/base-files",
    "usr/share/base-passwd",
    "usr/share/ca-certificates",
    "usr/share/debconf",
    "usr/share/debianutils",
    "usr/share/dictionaries-common",
    "usr/share/dpkg",
    "usr/share/initramfs-tools",
    "usr/share/libc-bin",
    "usr/share/pam",
    "usr/share/pam-configs",
];

/// Below these nothing stays: there are many, and no script reads them.
const BULK: [&str; 23] = [
    "usr/include",
    "usr/lib/gcc",
    "usr/lib/node_modules",
    "usr/lib/python3",
    "usr/lib/python3.11",
    "usr/lib/python3.12",
    "usr/lib/python3.13",
    "usr/lib/ruby",
    "usr/share/doc",
    "usr/share/emacs",
    "usr/share/fonts",
    "usr/share/gocode",
    "usr/share/i18n",
    "usr/share/icons",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/nodejs",
    "usr/share/perl",
    "usr/share/perl5",
    "usr/share/terminfo",
    "usr/share/vim",
    "usr/share/zoneinfo",
];

/// Whether the index keeps a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Always,
    IfText,
    Never,
}

/// The rule for a file, by where it is in the tree and its size in bytes.
pub(super) fn keep(path: &TreePath, size: u64) -> Keep {
    let below = |directories: &[&str]| {
        let bytes = path.as_bytes();
        directories
            .iter()
            .any(|directory| bytes.strip_prefix(directory.as_bytes()).is_some_and(|r| r.starts_with(b"/")))
    };
    match size {
        0 => Keep::Always,
        1..=MAX_CONFIGURATION if below(&CONFIGURATION) => Keep::Always,
        1..=MAX_TEXT if !below(&BULK) => Keep::IfText,
        _ => Keep::Never,
    }
}

/// Whether these bytes are text, as far as a script would care.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    !bytes.contains(&0)
}
