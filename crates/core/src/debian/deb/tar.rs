//! Members of a tar archive with everything that a package may say of them: GNU long names, ustar prefixes, extended
//! attributes in PAX headers. The crate `tar` reads headers and skips data; what an archive may make us keep in
//! memory is bounded here.

use std::collections::BTreeMap;
use std::io::{self, Read};

use bstr::{BString, ByteSlice};
use tar::{Archive, Entries, Entry, EntryType, Header};

use super::EntryProblem;
use crate::tree::{Meta, TreePath};

/// The longest long name, link target or extended header, in bytes; an xattr value can have 64 KiB (xattr(7)).
const MAX_EXTENSION: u64 = 1 << 20;

/// Linux gives links at most `PATH_MAX` less the final NUL.
const MAX_TARGET: usize = 4095;

const XATTR_PREFIX: &[u8] = b"SCHILY.xattr.";

/// One member, before any rule of packages.
#[derive(Debug)]
pub(super) struct Member {
    /// The path as the archive writes it.
    pub(super) raw: BString,
    pub(super) path: TreePath,
    pub(super) meta: Meta,
    pub(super) kind: MemberKind,
}

#[derive(Debug)]
pub(super) enum MemberKind {
    Directory,
    File { size: u64 },
    HardLink { target: BString },
    Symlink { target: BString },
    CharDevice { major: u32, minor: u32 },
    BlockDevice { major: u32, minor: u32 },
    Fifo,
}

/// Why the next member could not be read.
#[derive(Debug)]
pub(super) enum MemberError {
    Read(io::Error),
    Member { path: BString, problem: EntryProblem },
}

impl From<io::Error> for MemberError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// What the headers before a member say of it.
#[derive(Default)]
struct Extensions {
    path: Option<BString>,
    target: Option<BString>,
    xattrs: BTreeMap<BString, BString>,
    size: Option<u64>,
    seen_pax: bool,
}

/// Reads the members of an archive in order.
pub(super) struct Members<'a, R: Read> {
    entries: Entries<'a, R>,
}

impl<'a, R: Read> Members<'a, R> {
    pub(super) fn new(archive: &'a mut Archive<R>) -> io::Result<Self> {
        Ok(Self { entries: archive.entries()?.raw(true) })
    }

    /// The next member with a reader of its data.
    pub(super) fn next_member(&mut self) -> Result<Option<(Member, Entry<'a, R>)>, MemberError> {
        let mut extensions = Extensions::default();
        let mut extended = false;
        for entry in self.entries.by_ref() {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            let is_extension = matches!(kind, EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader);
            if !is_extension {
                let raw = extensions.path.take().unwrap_or_else(|| entry.header().path_bytes().as_bstr().to_owned());
                return match member(entry.header(), &raw, extensions) {
                    Ok((path, meta, kind)) => Ok(Some((Member { raw, path, meta, kind }, entry))),
                    Err(problem) => Err(MemberError::Member { path: raw, problem }),
                };
            }
            extended = true;
            extensions.read(kind, &mut entry)?;
        }
        if extended { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) } else { Ok(None) }
    }
}

impl Extensions {
    fn read<R: Read>(&mut self, kind: EntryType, entry: &mut Entry<'_, R>) -> Result<(), MemberError> {
        let path = entry.header().path_bytes().as_bstr().to_owned();
        let refuse = || MemberError::Member { path: path.clone(), problem: EntryProblem::Extension };
        let size = entry.header().entry_size().map_err(|_| refuse())?;
        if size > MAX_EXTENSION {
            return Err(refuse());
        }
        let mut data = Vec::new();
        entry.read_to_end(&mut data)?;
        if data.len() as u64 != size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let text = || BString::from(data.strip_suffix(b"\0").unwrap_or(&data));
        let again = match kind {
            EntryType::GNULongName => self.path.replace(text()).is_some(),
            EntryType::GNULongLink => self.target.replace(text()).is_some(),
            _ => std::mem::replace(&mut self.seen_pax, true) || self.read_pax(&data).is_none(),
        };
        if again { Err(refuse()) } else { Ok(()) }
    }

    /// Takes over the records that mean something in a package; `None` when a record is malformed.
    fn read_pax(&mut self, mut data: &[u8]) -> Option<()> {
        while !data.is_empty() {
            let (key, value, rest) = pax_record(data)?;
            match key {
                b"path" => self.path = Some(value.into()),
                b"linkpath" => self.target = Some(value.into()),
                b"size" => self.size = Some(value.to_str().ok()?.parse().ok()?),
                _ => {
                    if let Some(name) = key.strip_prefix(XATTR_PREFIX) {
                        self.xattrs.insert(name.into(), value.into());
                    }
                }
            }
            data = rest;
        }
        Some(())
    }
}

/// Splits off one record `LENGTH KEY=VALUE\n`, whose length counts all of it (POSIX.1-2017, pax, "Extended Header").
///
/// The crate's own iterator splits at line breaks, which the value of `security.capability` may contain.
fn pax_record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, _) = data.split_once_str(" ")?;
    let digits = length.len();
    let length: usize = length.to_str().ok()?.parse().ok()?;
    let (record, rest) = data.split_at_checked(length)?;
    let (key, value) = record.get(digits + 1..)?.strip_suffix(b"\n")?.split_once_str("=")?;
    Some((key, value, rest))
}

fn member(
    header: &Header,
    raw: &BString,
    extensions: Extensions,
) -> Result<(TreePath, Meta, MemberKind), EntryProblem> {
    if raw.starts_with(b"/") {
        return Err(EntryProblem::Absolute);
    }
    if raw.contains(&b'\n') {
        return Err(EntryProblem::LineBreak);
    }
    let path = TreePath::parse(raw)?;
    let size = header.entry_size().map_err(|_| EntryProblem::Header("size"))?;
    if extensions.size.is_some_and(|extended| extended != size) {
        // Readers that disagree on where the next header is would see different packages.
        return Err(EntryProblem::Header("size"));
    }
    let target = || link_target(header, extensions.target.as_ref());
    let device = || device_numbers(header);
    let kind = match header.entry_type().as_byte() {
        b'0' | b'7' | 0 if raw.ends_with(b"/") => MemberKind::Directory,
        b'0' | b'7' | 0 => MemberKind::File { size },
        b'1' => MemberKind::HardLink { target: target()? },
        b'2' => MemberKind::Symlink { target: target()? },
        b'3' => device().map(|(major, minor)| MemberKind::CharDevice { major, minor })?,
        b'4' => device().map(|(major, minor)| MemberKind::BlockDevice { major, minor })?,
        b'5' => MemberKind::Directory,
        b'6' => MemberKind::Fifo,
        other => return Err(EntryProblem::Type(other)),
    };
    if size != 0 && !matches!(kind, MemberKind::File { .. }) {
        return Err(EntryProblem::Header("size"));
    }
    Ok((path, meta(header, extensions.xattrs, &kind)?, kind))
}

fn meta(header: &Header, xattrs: BTreeMap<BString, BString>, kind: &MemberKind) -> Result<Meta, EntryProblem> {
    let number = |value: io::Result<u64>, field| {
        value.ok().and_then(|value| u32::try_from(value).ok()).ok_or(EntryProblem::Header(field))
    };
    // A symbolic link's mode means nothing to Linux, and some archives write 0644.
    let mode = match kind {
        MemberKind::Symlink { .. } => 0o777,
        _ => (header.mode().map_err(|_| EntryProblem::Header("mode"))? & 0o7777) as u16,
    };
    Ok(Meta {
        mode,
        uid: number(header.uid(), "owner")?,
        gid: number(header.gid(), "group")?,
        mtime: header.mtime().ok().and_then(|time| i64::try_from(time).ok()).ok_or(EntryProblem::Header("time"))?,
        xattrs,
    })
}

fn link_target(header: &Header, extended: Option<&BString>) -> Result<BString, EntryProblem> {
    let target = match extended {
        Some(target) => target.clone(),
        None => header.link_name_bytes().unwrap_or_default().as_bstr().to_owned(),
    };
    let valid = !target.is_empty() && target.len() <= MAX_TARGET && !target.contains(&0);
    if valid { Ok(target) } else { Err(EntryProblem::LinkTarget) }
}

fn device_numbers(header: &Header) -> Result<(u32, u32), EntryProblem> {
    match (header.device_major(), header.device_minor()) {
        (Ok(Some(major)), Ok(Some(minor))) => Ok((major, minor)),
        _ => Err(EntryProblem::Header("device number")),
    }
}
