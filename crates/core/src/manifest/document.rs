//! The manifest as a whole.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use toml::de::{DeTable, DeValue};

use super::model::{Debian, Image, Nix, Publish, Set, Shell, Workspace};
use super::read::{self, FromToml as _, Problems, read_table};
use crate::digest::Digest;

use super::resolve::{self, Bases, ResolvedImage};
use super::spanned::Spanned;
use super::{ImageName, ManifestErrors, Problem, SetName, ShellName, nix_toml, validate};

/// A valid manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    digest: Digest,
    document: Document,
    resolved: BTreeMap<ImageName, ResolvedImage>,
}

/// `plywood.toml`: the images of a workspace and where their packages come from.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "plywood.toml", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Document {
    /// The workspace as a whole.
    pub(super) workspace: Workspace,
    /// The Debian archive that packages come from.
    pub(super) debian: Option<Debian>,
    /// Where store paths come from.
    pub(super) nix: Option<Nix>,
    /// How images are published, and whose signatures are believed.
    pub(super) publish: Option<Publish>,
    /// Sets of packages from Nix, by name.
    #[schemars(default)]
    pub(super) sets: BTreeMap<Spanned<SetName>, Set>,
    /// Development shells, by name.
    #[schemars(default)]
    pub(super) shells: BTreeMap<Spanned<ShellName>, Shell>,
    /// The images, by name.
    #[schemars(default)]
    pub(super) images: BTreeMap<Spanned<ImageName>, Image>,
}

/// Tables of later versions of plywood.
const RESERVED: [&str; 10] =
    ["app", "apps", "devcontainer", "features", "overlays", "policy", "registries", "scan", "templates", "update"];

read_table!(Document {
    workspace = "workspace",
    debian = "debian",
    nix = "nix",
    publish = "publish",
    sets = "sets",
    shells = "shells",
    images = "images",
} reserved RESERVED);

impl Manifest {
    /// The longest manifest that is read, in bytes.
    pub const MAX_LEN: usize = 1 << 20;

    /// Parses and validates a manifest.
    ///
    /// # Errors
    /// All faults that can be told apart, each with its place in `text`.
    pub fn parse(text: &str) -> Result<Self, ManifestErrors> {
        let mut problems = Problems::default();
        let manifest = Self::read(text, &mut problems);
        match manifest {
            Some(manifest) if problems.is_empty() => Ok(manifest),
            _ => Err(ManifestErrors::new(problems.into_vec())),
        }
    }

    fn read(text: &str, problems: &mut Problems) -> Option<Self> {
        if text.len() > Self::MAX_LEN {
            problems.add(Self::MAX_LEN..text.len(), Problem::TooLong);
            return None;
        }
        let (span, table) = parse_toml(text, problems)?;
        let names = validate::Names::of(&table);
        let document = Document::from_toml(&toml::Spanned::new(span, DeValue::Table(table)), problems)?;
        validate::document(&document, &names, problems);
        let ends = [validate::chains_end(&document, problems), validate::sets_end(&document, problems)];
        if ends.contains(&false) {
            return None;
        }
        let resolved = resolve::all(&document, &Bases::new(), problems);
        Some(Self { digest: Digest::of(text.as_bytes()), document, resolved })
    }

    /// The digest of its text: equal digests mean equal manifests.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The workspace as a whole.
    pub fn workspace(&self) -> &Workspace {
        &self.document.workspace
    }

    /// How images are published, and whose signatures are believed.
    pub fn publish(&self) -> Option<&Publish> {
        self.document.publish.as_ref()
    }

    /// The images as written, by name.
    pub fn images(&self) -> impl ExactSizeIterator<Item = (&ImageName, &Image)> {
        self.document.images.iter().map(|(name, image)| (&name.value, image))
    }

    /// Where store paths come from.
    pub fn nix(&self) -> Option<&Nix> {
        self.document.nix.as_ref()
    }

    /// The sets as written, by name.
    pub fn sets(&self) -> impl ExactSizeIterator<Item = (&SetName, &Set)> {
        self.document.sets.iter().map(|(name, set)| (&name.value, set))
    }

    /// The shells as written, by name.
    pub fn shells(&self) -> impl ExactSizeIterator<Item = (&ShellName, &Shell)> {
        self.document.shells.iter().map(|(name, shell)| (&name.value, shell))
    }

    /// These sets and all that are in them, each once, those that a set contains right before it.
    pub fn sets_within<'a>(&self, sets: impl IntoIterator<Item = &'a SetName>) -> Vec<SetName> {
        resolve::sets_within(&self.document, sets)
    }

    /// Every image with its `from` chain merged, by name.
    pub fn resolved(&self) -> &BTreeMap<ImageName, ResolvedImage> {
        &self.resolved
    }

    /// Every image with its `from` chain merged, by name, over what is known of the bases outside of the workspace.
    pub fn resolved_over(&self, bases: &Bases) -> BTreeMap<ImageName, ResolvedImage> {
        // What is wrong with a manifest does not depend on bases, and this one exists.
        resolve::all(&self.document, bases, &mut Problems::default())
    }

    /// What the image `name` is once its `from` chain is merged.
    ///
    /// # Errors
    /// When the manifest has no such image.
    pub fn resolve(&self, name: &str) -> Result<&ResolvedImage, UnknownImageError> {
        self.resolved.get(name).ok_or_else(|| UnknownImageError {
            name: name.to_owned(),
            suggestion: read::most_alike(name, self.resolved.keys().map(ImageName::as_str)).map(str::to_owned),
            known: self.resolved.keys().cloned().collect(),
        })
    }
}

/// Parses a text that is TOML for us and for Nix; `None` after noting where it is not TOML at all.
fn parse_toml<'t>(text: &'t str, problems: &mut Problems) -> Option<(Range<usize>, DeTable<'t>)> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..text.len());
        problems.add(span, Problem::Syntax(error.message().to_owned()));
    }
    if !errors.is_empty() {
        return None;
    }
    nix_toml::check(text, table.get_ref(), problems);
    Some((table.span(), table.into_inner()))
}

/// Checks that `text` is TOML which Nix 2.8's `builtins.fromTOML` reads as we do, whatever its keys mean.
///
/// # Errors
/// Everything that is no TOML, or none for Nix, with its place.
pub fn check_for_nix(text: &str) -> Result<(), ManifestErrors> {
    let mut problems = Problems::default();
    parse_toml(text, &mut problems);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(ManifestErrors::new(problems.into_vec())),
    }
}

/// The manifest has no image of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no image `{name}` in plywood.toml")]
pub struct UnknownImageError {
    /// The name asked for.
    pub name: String,
    /// The image whose name looks most like it.
    pub suggestion: Option<String>,
    /// All images.
    pub known: Vec<ImageName>,
}

impl UnknownImageError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let list = || self.known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match &self.suggestion {
            Some(name) => Some(format!("did you mean `{name}`?")),
            None if self.known.is_empty() => Some("declare one: [images.NAME]".to_owned()),
            None => Some(format!("there are {}", list())),
        }
    }
}
