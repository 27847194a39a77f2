//! A system that is there already: what a base's dpkg knows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bstr::{BString, ByteSlice as _};
use data_encoding::HEXLOWER;

use super::{InstalledPackage, Installer};
use crate::debian::deb::{Conffile, UnpackedDeb, merged_usr};
use crate::debian::dpkg::{
    Diversion, Diversions, ParseStatusError, Stanza, StatOverride, StatOverrides, StatusFile, TriggerInterest, state,
};
use crate::item::ItemId;
use crate::platform::Platform;
use crate::tree::{NodeKind, ReadContent, Tree, TreeError, TreePath};

const DPKG: TreePath = TreePath::literal("var/lib/dpkg");
/// Fields of `status` that are dpkg's own, not the package's.
const OWN_FIELDS: [&str; 5] = ["Status", "Conffiles", "Config-Version", "Triggers-Pending", "Triggers-Awaited"];

/// Why packages cannot be put on a base.
#[derive(Debug, thiserror::Error)]
pub enum BaseSystemError {
    /// A file of dpkg's database cannot be read.
    #[error("cannot read dpkg's database of the base")]
    Tree(#[from] TreeError),
    /// The list of packages is damaged.
    #[error("cannot read dpkg's database of the base")]
    Status(#[from] ParseStatusError),
    /// `/bin`, `/lib` or `/sbin` is a directory of its own.
    #[error("the base has /{0} apart from /usr/{0}: only systems with merged /usr take packages")]
    NotMerged(&'static str),
    /// A package is not as dpkg writes it.
    #[error("cannot read what the base's dpkg says of `{0}`")]
    Package(String),
}

impl Installer {
    /// The system that a base has, with its packages as they are recorded, and the packages themselves as far as
    /// scripts and triggers need them: their control files, without entries.
    ///
    /// A base without dpkg has no packages.
    ///
    /// # Errors
    /// [`BaseSystemError`]; a base without merged /usr is refused only where it has packages.
    pub fn over(
        tree: Tree,
        platform: Platform,
        contents: &dyn ReadContent,
    ) -> Result<(Self, Vec<UnpackedDeb>), BaseSystemError> {
        let mut installer = Self::with_tree(tree, platform);
        let Some(status) = read(&installer.tree, contents, &DPKG.join("status").map_err(TreeError::from)?)? else {
            return Ok((installer, Vec::new()));
        };
        installer.check_merged_usr()?;
        installer.diversions = diversions(&installer.tree, contents)?;
        installer.statoverrides = statoverrides(&installer.tree, contents)?;
        let mut files = info_files(&installer.tree);
        let mut debs = Vec::new();
        for stanza in StatusFile::parse(&status)?.stanzas {
            if state(&stanza).is_none_or(|state| state < crate::debian::dpkg::PackageState::Unpacked) {
                installer.remains.push(stanza);
                continue;
            }
            let deb = recorded_deb(&installer.tree, contents, &stanza, &mut files)?;
            let malformed = |_| BaseSystemError::Package(deb.package().to_owned());
            let package = InstalledPackage::recorded(&deb, stanza).map_err(malformed)?;
            let index = installer.packages.len();
            let list = DPKG.join(format!("info/{}.list", package.qualified_name)).map_err(TreeError::from)?;
            for line in read(&installer.tree, contents, &list)?.iter().flat_map(|list| list.lines()) {
                if let Ok(path) = TreePath::parse(line) {
                    installer.own(path, index);
                }
            }
            installer.packages.push(package);
            debs.push(deb);
        }
        Ok((installer, debs))
    }

    fn check_merged_usr(&self) -> Result<(), BaseSystemError> {
        for name in ["bin", "lib", "sbin"] {
            if self.tree.get(&TreePath::literal(name)).is_some_and(|node| node.is_directory()) {
                return Err(BaseSystemError::NotMerged(name));
            }
        }
        Ok(())
    }
}

/// A file's bytes; `None` when there is none.
fn read(tree: &Tree, contents: &dyn ReadContent, path: &TreePath) -> Result<Option<Arc<[u8]>>, TreeError> {
    match tree.read(path, contents) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(TreeError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// dpkg's info files by the package they are of, as dpkg qualifies it, and by their name without it.
type InfoFiles = BTreeMap<String, Vec<(String, TreePath)>>;

fn info_files(tree: &Tree) -> InfoFiles {
    let mut files = InfoFiles::new();
    let Ok(info) = DPKG.join("info") else { return files };
    for (path, node) in tree.children(&info) {
        let name = path.file_name().and_then(|name| name.to_str().ok()).and_then(|name| name.rsplit_once('.'));
        if let (Some((package, file)), NodeKind::File { .. }) = (name, &node.kind) {
            files.entry(package.to_owned()).or_default().push((file.to_owned(), path.clone()));
        }
    }
    files
}

/// What scripts and triggers need of a package of the base.
fn recorded_deb(
    tree: &Tree,
    contents: &dyn ReadContent,
    stanza: &Stanza,
    files: &mut InfoFiles,
) -> Result<UnpackedDeb, BaseSystemError> {
    let mut control = Stanza::default();
    for (name, value) in stanza.iter().filter(|(name, _)| !OWN_FIELDS.iter().any(|own| own.eq_ignore_ascii_case(name)))
    {
        control.set(name, value);
    }
    let mut deb = UnpackedDeb {
        item: ItemId::of_parts([b"recorded".as_slice()]),
        control,
        control_files: BTreeMap::new(),
        conffiles: conffiles(stanza),
        entries: Vec::new(),
        info_start: 0,
        implied: BTreeSet::new(),
        aliased: BTreeSet::new(),
        elf: BTreeMap::new(),
    };
    // What is only read to be compared or listed stays where it is.
    let wanted = |name: &str| !matches!(name, "list" | "md5sums" | "conffiles" | "symbols" | "shlibs");
    for (name, path) in files.remove(&deb.qualified_name()).unwrap_or_default() {
        if let (true, Some(bytes)) = (wanted(&name), read(tree, contents, &path)?) {
            deb.control_files.insert(name, bytes);
        }
    }
    Ok(deb)
}

/// The field `Conffiles`: a path, its hash and flags a line.
fn conffiles(stanza: &Stanza) -> Vec<Conffile> {
    let lines = stanza.get("Conffiles").map(|value| value.lines().map(BString::from).collect::<Vec<_>>());
    let conffile = |line: BString| {
        let words: Vec<&[u8]> = line.fields().collect();
        // Blanks belong to the path; the hash and what follows have none.
        let at = words.iter().rposition(|word| word.len() == 32 || *word == b"newconffile")?;
        let flags = words.get(at + 1..)?;
        if flags.contains(&b"obsolete".as_slice()) {
            return None;
        }
        let listed = BString::from(bstr::join(" ", words.get(..at)?));
        Some(Conffile {
            path: TreePath::parse(&listed).ok().and_then(|path| merged_usr(&path).ok())?,
            listed,
            md5: HEXLOWER.decode(words.get(at)?).ok().and_then(|md5| md5.try_into().ok()),
            remove_on_upgrade: flags.contains(&b"remove-on-upgrade".as_slice()),
        })
    };
    lines.into_iter().flatten().filter_map(conffile).collect()
}

/// dpkg's file `diversions`: three lines each.
fn diversions(tree: &Tree, contents: &dyn ReadContent) -> Result<Diversions, TreeError> {
    let mut diversions = Diversions::default();
    let Some(text) = read(tree, contents, &DPKG.join("diversions")?)? else { return Ok(diversions) };
    let lines: Vec<&[u8]> = text.lines().collect();
    for three in lines.chunks_exact(3) {
        let [from, to, package] = three else { continue };
        let package = package.to_str_lossy().into_owned();
        let package = (package != ":").then_some(package);
        // One that clashes with another was not written by dpkg.
        let _ = diversions.add(Diversion { from: TreePath::parse(from)?, to: TreePath::parse(to)?, package });
    }
    Ok(diversions)
}

/// dpkg's file `statoverride`: user, group, mode and path a line.
fn statoverrides(tree: &Tree, contents: &dyn ReadContent) -> Result<StatOverrides, TreeError> {
    use crate::debian::configure::accounts::{GROUP, Group, PASSWD, Table, User};

    let mut overrides = StatOverrides::default();
    let Some(text) = read(tree, contents, &DPKG.join("statoverride")?)? else { return Ok(overrides) };
    let users: Table<User> = Table::parse(&read(tree, contents, &PASSWD)?.unwrap_or_default());
    let groups: Table<Group> = Table::parse(&read(tree, contents, &GROUP)?.unwrap_or_default());
    for line in text.lines() {
        let mut words = line.splitn_str(4, " ");
        let (Some(user), Some(group), Some(mode), Some(path)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let number = |word: &[u8]| word.strip_prefix(b"#").and_then(|number| number.to_str().ok()?.parse().ok());
        let uid = number(user).or_else(|| users.get(user).map(|user| user.uid));
        let gid = number(group).or_else(|| groups.get(group).map(|group| group.gid));
        let bits = mode.to_str().ok().and_then(|mode| u16::from_str_radix(mode, 8).ok());
        if let (Some(uid), Some(gid), Some(mode)) = (uid, gid, bits) {
            let value = StatOverride { user: user.into(), group: group.into(), uid, gid, mode: mode & 0o7777 };
            overrides.add(TreePath::parse(path)?, value);
        }
    }
    Ok(overrides)
}

impl InstalledPackage {
    /// A package as the base's dpkg has recorded it.
    fn recorded(deb: &UnpackedDeb, stanza: Stanza) -> Result<Self, crate::debian::dpkg::MergeError> {
        let mut package = Self::new(deb)?;
        package.state = state(&stanza).unwrap_or(package.state);
        package.interests =
            TriggerInterest::parse_file(&package.qualified_name, deb.control_file("triggers").unwrap_or_default())
                .collect();
        package.recorded = Some(stanza);
        Ok(package)
    }
}
