//! `control.tar`: the control stanza, maintainer scripts and the other control files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use bstr::ByteSlice;

use super::package::qualified_name;
use super::tar::{Member, MemberError, MemberKind, Members};
use super::{Conffile, ControlError, EntryProblem, Limits, merged_usr};
use crate::debian::dpkg::Stanza;
use crate::tree::{Meta, TreePath};

/// Everything of `control.tar`.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) stanza: Stanza,
    pub(super) files: BTreeMap<String, Arc<[u8]>>,
    /// Modes and times of `files`.
    pub(super) metas: BTreeMap<String, Meta>,
    /// Hashes are filled in when the files themselves come.
    pub(super) conffiles: Vec<Conffile>,
    pub(super) installed_kib: Option<u64>,
}

impl Control {
    /// Reads the unpacked bytes of `control.tar`.
    pub(super) fn read(reader: impl Read, limits: &Limits) -> Result<Self, ControlError> {
        let mut files = BTreeMap::new();
        let mut metas = BTreeMap::new();
        let mut total = 0_u64;
        let mut archive = tar::Archive::new(reader);
        let mut members = Members::new(&mut archive)?;
        while let Some((member, mut data)) = members.next_member().map_err(refused)? {
            let Some((name, size)) = control_file(&member).map_err(|problem| bad(&member, problem))? else { continue };
            total = total.saturating_add(size);
            if total > limits.control {
                return Err(ControlError::TooLarge { limit: limits.control, unit: "bytes" });
            }
            if files.len() >= limits.control_members {
                return Err(ControlError::TooLarge { limit: limits.control_members as u64, unit: "members" });
            }
            let mut bytes = Vec::new();
            data.read_to_end(&mut bytes)?;
            if bytes.len() as u64 != size {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            if files.insert(name.clone(), Arc::from(bytes)).is_some() {
                return Err(bad(&member, EntryProblem::Duplicate));
            }
            metas.insert(name, member.meta);
        }
        Self::check(files, metas)
    }

    fn check(files: BTreeMap<String, Arc<[u8]>>, metas: BTreeMap<String, Meta>) -> Result<Self, ControlError> {
        let stanza = Stanza::parse(files.get("control").ok_or(ControlError::NoControl)?)?;
        let valid = |field: &'static str, extra: &[u8]| {
            let value = stanza.get_str(field).filter(|value| !value.is_empty());
            let is_valid =
                |value: &&str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte));
            value.filter(is_valid).map(drop).ok_or(ControlError::Field(field))
        };
        valid("Package", b"+-._")?;
        valid("Version", b"+-.~:_")?;
        valid("Architecture", b"-")?;
        let installed_kib = match stanza.get_str("Installed-Size") {
            None => None,
            Some(size) => Some(size.parse().map_err(|_| ControlError::Field("Installed-Size"))?),
        };
        let conffiles = parse_conffiles(files.get("conffiles").map(|bytes| &bytes[..]).unwrap_or_default())?;
        Ok(Self { stanza, files, metas, conffiles, installed_kib })
    }

    pub(super) fn package(&self) -> String {
        self.stanza.get_str("Package").unwrap_or_default().to_owned()
    }

    /// The name that dpkg's info files start with.
    pub(super) fn qualified_name(&self) -> String {
        let field = |name| self.stanza.get_str(name).unwrap_or_default();
        qualified_name(field("Package"), field("Architecture"), field("Multi-Arch") == "same")
    }

    /// The newest time of a control file, which stands for when the package was made.
    pub(super) fn mtime(&self) -> i64 {
        self.metas.values().map(|meta| meta.mtime).max().unwrap_or(0)
    }
}

/// The name and size of a control file; `None` for the directory they are in.
fn control_file(member: &Member) -> Result<Option<(String, u64)>, EntryProblem> {
    if member.path.is_root() && matches!(member.kind, MemberKind::Directory) {
        return Ok(None);
    }
    let MemberKind::File { size } = member.kind else { return Err(EntryProblem::NotControl) };
    let name = member.path.as_bstr().to_str().map_err(|_| EntryProblem::NotControl)?;
    // `list` is dpkg's own among the info files, and their names end at the last dot.
    let valid = name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b'.') && name != "list";
    if valid { Ok(Some((name.to_owned(), size))) } else { Err(EntryProblem::NotControl) }
}

/// Reads a file `conffiles`: an absolute path a line, `remove-on-upgrade` before one that is to go.
fn parse_conffiles(bytes: &[u8]) -> Result<Vec<Conffile>, ControlError> {
    let mut seen = BTreeSet::new();
    let mut conffiles = Vec::new();
    for line in bytes.lines().map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
        let malformed = || ControlError::Conffile(line.into());
        let (listed, remove_on_upgrade) = match line.strip_prefix(b"remove-on-upgrade ") {
            Some(path) => (path.trim_ascii_start(), true),
            None => (line, false),
        };
        if !listed.starts_with(b"/") {
            return Err(malformed());
        }
        let path = TreePath::parse(listed).ok().and_then(|path| merged_usr(&path).ok()).ok_or_else(malformed)?;
        if seen.insert(path.clone()) {
            conffiles.push(Conffile { listed: listed.into(), path, md5: None, remove_on_upgrade });
        }
    }
    Ok(conffiles)
}

fn bad(member: &Member, problem: EntryProblem) -> ControlError {
    ControlError::Member { path: member.raw.clone(), problem }
}

fn refused(error: MemberError) -> ControlError {
    match error {
        MemberError::Read(source) => ControlError::Read(source),
        MemberError::Member { path, problem } => ControlError::Member { path, problem },
    }
}
