//! Streams the members of `data.tar` into a segment and keeps the index of what went there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use bstr::BString;
use md5::{Digest as _, Md5};

use super::control::Control;
use super::elf::ElfProbe;
use super::info::{FileList, Md5Sums, without};
use super::inline::{Keep, is_text, keep};
use super::tar::{Member, MemberKind};
use super::usrmerge::is_alias;
use super::watch::Watched;
use super::{DebError, ElfInfo, EntryProblem, UnpackOptions, UnpackedDeb, is_aliased, merged_usr};
use crate::item::{EntryKind, EntrySink, ItemId};
use crate::tree::{Content, HardLinkId, Meta, Node, NodeKind, PackedContent, TreePath};

const INFO: TreePath = TreePath::literal("var/lib/dpkg/info");

/// The state between members.
pub(super) struct Collector<'s> {
    sink: &'s mut dyn EntrySink,
    options: &'s UnpackOptions,
    package: String,
    control: Control,
    list: FileList,
    /// What the filters left out.
    filtered: BTreeSet<TreePath>,
    entries: Vec<(TreePath, Node)>,
    positions: BTreeMap<TreePath, usize>,
    /// Every path as the package writes it, those left out too.
    names: BTreeSet<TreePath>,
    implied: BTreeSet<TreePath>,
    aliased: BTreeSet<TreePath>,
    elf: BTreeMap<TreePath, ElfInfo>,
    /// The hashes of all files, for a package that brings none itself.
    md5sums: Option<Md5Sums>,
    /// Where a conffile is in `control.conffiles`.
    conffiles: BTreeMap<TreePath, usize>,
}

impl<'s> Collector<'s> {
    pub(super) fn new(sink: &'s mut dyn EntrySink, options: &'s UnpackOptions, control: Control) -> Self {
        let conffiles = control.conffiles.iter().enumerate().map(|(index, one)| (one.path.clone(), index)).collect();
        Self {
            sink,
            options,
            package: control.package(),
            list: FileList::default(),
            filtered: BTreeSet::new(),
            entries: Vec::new(),
            positions: BTreeMap::new(),
            names: BTreeSet::new(),
            implied: BTreeSet::new(),
            aliased: BTreeSet::new(),
            elf: BTreeMap::new(),
            md5sums: (!control.files.contains_key("md5sums")).then(Md5Sums::default),
            control,
            conffiles,
        }
    }

    pub(super) fn package(&self) -> &str {
        &self.package
    }

    /// How many members of `data.tar` there were so far.
    pub(super) fn member_count(&self) -> usize {
        self.names.len()
    }

    /// Takes the next member of `data.tar`.
    pub(super) fn add(&mut self, member: Member, data: &mut dyn Read) -> Result<(), DebError> {
        if self.member_count() >= self.options.limits.members {
            return Err(DebError::TooManyEntries { package: self.package.clone(), limit: self.options.limits.members });
        }
        let raw = member.raw.clone();
        let bad = |problem| DebError::Entry { package: self.package.clone(), path: raw.clone(), problem };
        if !self.names.insert(member.path.clone()) {
            return Err(bad(EntryProblem::Duplicate));
        }
        let path = merged_usr(&member.path).map_err(|problem| bad(problem.into()))?;
        if self.is_filtered(&member) {
            self.filtered.insert(member.path);
            return Ok(());
        }
        self.list.push(&member.path);
        if is_everybodys(&member) {
            return Ok(());
        }
        let is_directory = matches!(member.kind, MemberKind::Directory);
        match self.positions.get(&path) {
            // `lib/x` and `usr/lib/x` are one directory; a directory may also come after what is in it.
            Some(_) if is_directory && !self.implied.contains(&path) => return Ok(()),
            Some(_) if !is_directory => return Err(bad(EntryProblem::Duplicate)),
            _ => {}
        }
        self.add_parents(&path, member.meta.mtime, &raw)?;
        if is_aliased(&member.path) {
            self.aliased.insert(path.clone());
        }
        self.add_kind(path, member, data)
    }

    /// Writes dpkg's info files and gives all that is known of the package.
    pub(super) fn finish(mut self) -> Result<UnpackedDeb, DebError> {
        let info_start = self.entries.len();
        let mtime = self.control.mtime();
        let list = std::mem::take(&mut self.list).into_bytes();
        let mut files: BTreeMap<String, (Arc<[u8]>, Meta)> = BTreeMap::new();
        for (name, bytes) in &self.control.files {
            if let (true, Some(meta)) = (name != "control", self.control.metas.get(name)) {
                let meta = Meta { uid: 0, gid: 0, xattrs: BTreeMap::new(), ..meta.clone() };
                let bytes = if name == "md5sums" { without(bytes, &self.filtered) } else { bytes.clone() };
                files.insert(name.clone(), (bytes, meta));
            }
        }
        files.insert("list".to_owned(), (list, Meta::root(0o644, mtime)));
        if let Some(sums) = self.md5sums.take() {
            files.insert("md5sums".to_owned(), (sums.into_bytes(), Meta::root(0o644, mtime)));
        }
        let qualified = self.control.qualified_name();
        for (name, (bytes, meta)) in files {
            let raw = BString::from(format!("{qualified}.{name}"));
            let path = INFO.join(&raw).map_err(|problem| self.bad(&raw, problem.into()))?;
            if self.positions.contains_key(&path) {
                return Err(self.bad(&raw, EntryProblem::Duplicate));
            }
            self.add_parents(&path, mtime, &raw)?;
            // What dpkg writes itself changes when a later package takes over a file.
            let own = !self.control.files.contains_key(&name);
            let keep = if own { Keep::Always } else { Keep::Never };
            self.add_bytes(path, meta, &bytes, keep)?;
        }
        Ok(UnpackedDeb {
            item: self.options.item,
            control: self.control.stanza,
            control_files: self.control.files,
            conffiles: self.control.conffiles,
            entries: self.entries,
            info_start,
            implied: self.implied,
            aliased: self.aliased,
            elf: self.elf,
        })
    }

    fn is_filtered(&self, member: &Member) -> bool {
        let directory_or_symlink = matches!(member.kind, MemberKind::Directory | MemberKind::Symlink { .. });
        let absolute = [b"/", member.path.as_bytes()].concat();
        !is_everybodys(member) && self.options.filters.skips(&absolute, directory_or_symlink)
    }

    fn add_parents(&mut self, path: &TreePath, mtime: i64, raw: &BString) -> Result<(), DebError> {
        for parent in path.ancestors().skip(1) {
            match self.positions.get(&parent).and_then(|position| self.entries.get(*position)) {
                Some((_, node)) if node.is_directory() => {}
                Some(_) => return Err(self.bad(raw, EntryProblem::ParentNotADirectory(parent))),
                None => {
                    self.implied.insert(parent.clone());
                    self.write(parent, Meta::root(0o755, mtime), EntryKind::Directory, NodeKind::Directory)?;
                }
            }
        }
        Ok(())
    }

    fn add_kind(&mut self, path: TreePath, member: Member, data: &mut dyn Read) -> Result<(), DebError> {
        let meta = member.meta;
        let (entry, node) = match member.kind {
            MemberKind::File { size } => {
                let md5 = self.add_file(path, meta, size, &member.raw, data)?;
                if let (Some(sums), Some(md5)) = (&mut self.md5sums, md5) {
                    sums.push(&member.path, md5);
                }
                return Ok(());
            }
            MemberKind::HardLink { target } => {
                if let (Some(sums), Ok(target)) = (&mut self.md5sums, TreePath::parse(&target)) {
                    sums.push_link(&member.path, &target);
                }
                return self.add_hard_link(path, &target, &member.raw);
            }
            MemberKind::Directory => {
                self.implied.remove(&path);
                (EntryKind::Directory, NodeKind::Directory)
            }
            MemberKind::Symlink { target } => {
                (EntryKind::Symlink { target: target.clone() }, NodeKind::Symlink { target })
            }
            MemberKind::CharDevice { major, minor } => {
                (EntryKind::CharDevice { major, minor }, NodeKind::CharDevice { major, minor })
            }
            MemberKind::BlockDevice { major, minor } => {
                (EntryKind::BlockDevice { major, minor }, NodeKind::BlockDevice { major, minor })
            }
            MemberKind::Fifo => (EntryKind::Fifo, NodeKind::Fifo),
        };
        self.write(path, meta, entry, node)
    }

    fn add_file(
        &mut self,
        path: TreePath,
        meta: Meta,
        size: u64,
        raw: &BString,
        data: &mut dyn Read,
    ) -> Result<Option<[u8; 16]>, DebError> {
        let limit = self.options.limits.file;
        if size > limit {
            return Err(self.bad(raw, EntryProblem::TooLarge { size, limit }));
        }
        let mut watched = Watched::new(data, size);
        watched.md5 = (self.md5sums.is_some() || self.conffiles.contains_key(&path)).then(Md5::new);
        watched.elf = ElfProbe::for_path(&path);
        let damaged = |this: &Self, source| DebError::Data {
            package: this.package.clone(),
            entries: this.member_count(),
            source,
        };
        match keep(&path, size) {
            Keep::Never => {
                let kind = EntryKind::File { size };
                let offset = match self.sink.append(&path, &meta, &kind, &mut watched) {
                    Err(source) if watched.failed => return Err(damaged(self, source)),
                    result => result.map_err(|source| self.unwritten(&path, source))?,
                };
                let content = packed(self.options.item, offset, size);
                self.remember(path.clone(), Node { meta, kind: NodeKind::File { content, link: None } });
            }
            keep => {
                let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
                watched.read_to_end(&mut bytes).map_err(|source| damaged(self, source))?;
                self.add_bytes(path.clone(), meta, &Arc::from(bytes), keep)?;
            }
        }
        let (md5, elf) = (watched.finish_md5(), watched.elf.and_then(ElfProbe::finish));
        self.elf.extend(elf.map(|elf| (path.clone(), elf)));
        let conffile = self.conffiles.get(&path).and_then(|index| self.control.conffiles.get_mut(*index));
        if let Some(conffile) = conffile {
            conffile.md5 = md5;
        }
        Ok(md5)
    }

    fn add_bytes(&mut self, path: TreePath, meta: Meta, bytes: &Arc<[u8]>, keep: Keep) -> Result<(), DebError> {
        let kind = EntryKind::File { size: bytes.len() as u64 };
        let appended = self.sink.append(&path, &meta, &kind, &mut &bytes[..]);
        let offset = appended.map_err(|source| self.unwritten(&path, source))?;
        let inline = keep == Keep::Always || keep == Keep::IfText && is_text(bytes);
        let content = match inline {
            true => Content::Inline(bytes.clone()),
            false => packed(self.options.item, offset, bytes.len() as u64),
        };
        self.remember(path, Node { meta, kind: NodeKind::File { content, link: None } });
        Ok(())
    }

    fn add_hard_link(&mut self, path: TreePath, target: &BString, raw: &BString) -> Result<(), DebError> {
        let no_target = || EntryProblem::HardLinkTarget(target.clone());
        let to = TreePath::parse(target).ok().and_then(|path| merged_usr(&path).ok());
        let to = to.ok_or_else(|| self.bad(raw, no_target()))?;
        let id = HardLinkId::of(self.options.item, &to);
        let linked = match self.positions.get(&to).and_then(|position| self.entries.get_mut(*position)) {
            Some((_, Node { meta, kind: NodeKind::File { content, link } })) => {
                let id = *link.get_or_insert(id);
                Some(Node { meta: meta.clone(), kind: NodeKind::File { content: content.clone(), link: Some(id) } })
            }
            _ => None,
        };
        let node = linked.ok_or_else(|| self.bad(raw, no_target()))?;
        if let Some(elf) = self.elf.get(&to) {
            self.elf.insert(path.clone(), elf.clone());
        }
        let kind = EntryKind::HardLink { target: to };
        let appended = self.sink.append(&path, &node.meta, &kind, &mut io::empty());
        appended.map_err(|source| self.unwritten(&path, source))?;
        self.remember(path, node);
        Ok(())
    }

    fn write(&mut self, path: TreePath, meta: Meta, entry: EntryKind, kind: NodeKind) -> Result<(), DebError> {
        let appended = self.sink.append(&path, &meta, &entry, &mut io::empty());
        appended.map_err(|source| self.unwritten(&path, source))?;
        self.remember(path, Node { meta, kind });
        Ok(())
    }

    fn remember(&mut self, path: TreePath, node: Node) {
        match self.positions.get(&path).and_then(|position| self.entries.get_mut(*position)) {
            Some(entry) => entry.1 = node,
            None => {
                self.positions.insert(path.clone(), self.entries.len());
                self.entries.push((path, node));
            }
        }
    }

    fn bad(&self, raw: &BString, problem: EntryProblem) -> DebError {
        DebError::Entry { package: self.package.clone(), path: raw.clone(), problem }
    }

    fn unwritten(&self, path: &TreePath, source: io::Error) -> DebError {
        DebError::Write { package: self.package.clone(), path: path.clone(), source }
    }
}

fn packed(item: ItemId, offset: u64, size: u64) -> Content {
    Content::Packed(PackedContent { item, offset, size })
}

/// The links of merged /usr are not a package's directories, and the root is everybody's.
fn is_everybodys(member: &Member) -> bool {
    member.path.is_root() || is_alias(&member.path) && matches!(member.kind, MemberKind::Directory)
}
