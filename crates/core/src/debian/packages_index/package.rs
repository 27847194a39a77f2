//! One binary package of an index.

use std::fmt;

use crate::debian::control::Stanza;
use crate::debian::relation::{OrGroup, ParseRelationError, RelationKind, is_package_name};
use crate::debian::version::{DebVersion, ParseVersionError};
use crate::digest::{FileHash, Sha256Hash};

/// `Multi-Arch` (Debian's multiarch specification).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MultiArch {
    /// Satisfies dependencies of its own architecture only.
    #[default]
    No,
    /// Can be installed for several architectures at once.
    Same,
    /// Satisfies dependencies of any architecture.
    Foreign,
    /// Satisfies dependencies of any architecture that say `:any`.
    Allowed,
}

/// How important an archive holds a package to be (Debian Policy 2.5); required comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Not said.
    Unknown,
    /// `required`
    Required,
    /// `important`
    Important,
    /// `standard`
    Standard,
    /// `optional`
    Optional,
    /// `extra`
    Extra,
}

/// A binary package as an index describes it.
///
/// Its texts lie in one allocation, since a universe has 70,000 of them; relations are kept as text and parsed when the
/// resolver asks for them.
#[derive(Clone)]
pub struct BinaryPackage {
    text: Box<str>,
    ends: [u32; FIELDS.len()],
    version: DebVersion,
    size: u64,
    installed_size: u64,
    sha256: FileHash,
    essential: bool,
    important: bool,
    priority: Priority,
    multi_arch: MultiArch,
}

/// The fields kept as text. The order is that of `ends` and of the `Text` numbers.
const FIELDS: [&str; 12] = [
    "Package",
    "Architecture",
    "Source",
    "Filename",
    "Section",
    "Pre-Depends",
    "Depends",
    "Conflicts",
    "Breaks",
    "Recommends",
    "Replaces",
    "Provides",
];

/// Number of a field in [`FIELDS`].
#[derive(Clone, Copy)]
enum Text {
    Name,
    Architecture,
    Source,
    Filename,
    Section,
    PreDepends,
    Depends,
    Conflicts,
    Breaks,
    Recommends,
    Replaces,
    Provides,
}

/// Why a stanza describes no package that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BinaryPackageError {
    /// A field that must be there.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    /// The name is no package name.
    #[error("`{0}` is no package name")]
    Name(String),
    /// The version is none.
    #[error("malformed version")]
    Version(#[from] ParseVersionError),
    /// A number or hash that is none.
    #[error("field `{field}` has the value `{value}`")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// A path that leaves the archive's root.
    #[error("`{0}` is no path within the archive")]
    Path(String),
}

impl BinaryPackage {
    /// Takes what is needed from a stanza of a `Packages` file.
    ///
    /// # Errors
    /// [`BinaryPackageError`] when `Package`, `Version`, `Architecture`, `Filename`, `Size` or `SHA256` is missing or
    /// malformed.
    pub fn from_stanza(stanza: &Stanza<'_>) -> Result<Self, BinaryPackageError> {
        let require = |field| stanza.get(field).ok_or(BinaryPackageError::Missing(field));
        let value = |field, value: &str| BinaryPackageError::Value { field, value: value.to_owned() };
        let mut package = Self::from_status(stanza)?;
        let path = require("Filename")?;
        if !is_pool_path(path) {
            return Err(BinaryPackageError::Path(path.to_owned()));
        }
        let (size, sha256) = (require("Size")?, require("SHA256")?);
        package.size = size.parse().map_err(|_| value("Size", size))?;
        package.sha256 = FileHash::new(Sha256Hash::from_hex(sha256).map_err(|_| value("SHA256", sha256))?);
        Ok(package)
    }

    /// Takes what is needed from a stanza of dpkg's `status`, which says nothing of files.
    ///
    /// # Errors
    /// [`BinaryPackageError`] when `Package`, `Version` or `Architecture` is missing or malformed.
    pub(super) fn from_status(stanza: &Stanza<'_>) -> Result<Self, BinaryPackageError> {
        let require = |field| stanza.get(field).ok_or(BinaryPackageError::Missing(field));
        let name = require("Package")?;
        if !is_package_name(name) {
            return Err(BinaryPackageError::Name(name.to_owned()));
        }
        require("Architecture")?;
        let (text, ends) = gather_text(stanza);
        Ok(Self {
            text,
            ends,
            version: require("Version")?.parse()?,
            size: 0,
            installed_size: stanza.get("Installed-Size").and_then(|size| size.parse().ok()).unwrap_or(0),
            sha256: FileHash::of(b""),
            essential: stanza.get("Essential") == Some("yes"),
            important: stanza.get("Important") == Some("yes") || stanza.get("Protected") == Some("yes"),
            priority: parse_priority(stanza.get("Priority").unwrap_or_default()),
            multi_arch: parse_multi_arch(stanza.get("Multi-Arch").unwrap_or_default()),
        })
    }

    fn text(&self, field: Text) -> &str {
        let number = field as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(number).copied().unwrap_or(0);
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.text(Text::Name)
    }

    /// The version.
    pub fn version(&self) -> &DebVersion {
        &self.version
    }

    /// The architecture, `all` for any.
    pub fn architecture(&self) -> &str {
        self.text(Text::Architecture)
    }

    /// The source package's name; the package's own when the index says none.
    pub fn source(&self) -> &str {
        let source = self.text(Text::Source).split_ascii_whitespace().next();
        source.unwrap_or(self.name())
    }

    /// The source package's version; the package's own when the index says none or one that is malformed.
    pub fn source_version(&self) -> DebVersion {
        let version = self.text(Text::Source).split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        version.and_then(|version| version.parse().ok()).unwrap_or_else(|| self.version.clone())
    }

    /// Path of the `.deb`, relative to the archive's root.
    pub fn filename(&self) -> &str {
        self.text(Text::Filename)
    }

    /// The section, such as `utils` or `non-free/libs`; empty when not said.
    pub fn section(&self) -> &str {
        self.text(Text::Section)
    }

    /// Length of the `.deb` in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Estimate of the installed size in KiB (Debian Policy 5.6.20); 0 when not said.
    pub fn installed_size(&self) -> u64 {
        self.installed_size
    }

    /// SHA-256 of the `.deb`.
    pub fn sha256(&self) -> FileHash {
        self.sha256
    }

    /// Whether every system has it (Debian Policy 3.8).
    pub fn is_essential(&self) -> bool {
        self.essential
    }

    /// Whether dpkg or apt protects it from removal (`Protected: yes`, `Important: yes`).
    pub fn is_protected(&self) -> bool {
        self.important
    }

    /// The priority.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// How it serves other architectures.
    pub fn multi_arch(&self) -> MultiArch {
        self.multi_arch
    }

    /// The relations of one kind, parsed; empty without the field.
    ///
    /// # Errors
    /// [`ParseRelationError`] when the field is malformed.
    pub fn relations(&self, kind: RelationKind) -> Result<Vec<OrGroup>, ParseRelationError> {
        OrGroup::parse_list(self.text(match kind {
            RelationKind::PreDepends => Text::PreDepends,
            RelationKind::Depends => Text::Depends,
            RelationKind::Recommends => Text::Recommends,
            RelationKind::Conflicts => Text::Conflicts,
            RelationKind::Breaks => Text::Breaks,
            RelationKind::Replaces => Text::Replaces,
            RelationKind::Provides => Text::Provides,
        }))
    }
}

impl fmt::Debug for BinaryPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.name(), self.version, self.architecture())
    }
}

/// Joins the texts of [`FIELDS`] into one.
fn gather_text(stanza: &Stanza<'_>) -> (Box<str>, [u32; FIELDS.len()]) {
    let values = FIELDS.map(|field| stanza.get(field).unwrap_or_default());
    let mut end = 0;
    let ends = values.map(|value| {
        // A stanza has at most 8 MiB.
        end += value.len() as u32;
        end
    });
    (values.concat().into(), ends)
}

/// Whether a path stays below the archive's root. Flat archives write `./name.deb`.
fn is_pool_path(path: &str) -> bool {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.len() <= 4096
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn parse_priority(text: &str) -> Priority {
    match text {
        "required" => Priority::Required,
        "important" => Priority::Important,
        "standard" => Priority::Standard,
        "optional" => Priority::Optional,
        "extra" => Priority::Extra,
        _ => Priority::Unknown,
    }
}

fn parse_multi_arch(text: &str) -> MultiArch {
    match text {
        "same" => MultiArch::Same,
        "foreign" => MultiArch::Foreign,
        "allowed" => MultiArch::Allowed,
        _ => MultiArch::No,
    }
}
