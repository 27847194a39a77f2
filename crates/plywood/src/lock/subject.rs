//! Parts of a lock that can be asked for alone.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use plywood_core::manifest::{ImageName, Manifest, SetName, ShellName};

use super::LockError;

/// A part of what a lock has of Nix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockSubject {
    /// The sets and the shell of an image, with those of its parents.
    Image(ImageName),
    /// A set and the sets in it.
    Set(SetName),
    /// A shell.
    Shell(ShellName),
}

/// The text names no part of a lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no part of a lock: there are images.NAME, sets.NAME and shells.NAME")]
pub struct ParseLockSubjectError(String);

impl FromStr for LockSubject {
    type Err = ParseLockSubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseLockSubjectError(text.to_owned());
        let (kind, name) = text.split_once('.').ok_or_else(wrong)?;
        let subject = match kind {
            "images" => name.parse().map(Self::Image),
            "sets" => name.parse().map(Self::Set),
            "shells" => name.parse().map(Self::Shell),
            _ => return Err(wrong()),
        };
        subject.map_err(|_| wrong())
    }
}

impl fmt::Display for LockSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(name) => write!(f, "images.{name}"),
            Self::Set(name) => write!(f, "sets.{name}"),
            Self::Shell(name) => write!(f, "shells.{name}"),
        }
    }
}

/// Which sets and shells are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NixScope {
    pub(super) sets: BTreeSet<SetName>,
    pub(super) shells: BTreeSet<ShellName>,
}

impl NixScope {
    /// Everything that the manifest has.
    pub(super) fn everything(manifest: &Manifest) -> Self {
        Self {
            sets: manifest.sets().map(|(name, _)| name.clone()).collect(),
            shells: manifest.shells().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// What these images have.
    pub(super) fn of_images<'i>(manifest: &Manifest, images: impl IntoIterator<Item = &'i ImageName>) -> Self {
        let mut scope = Self::default();
        for image in images.into_iter().filter_map(|name| manifest.resolved().get(name)) {
            scope.sets.extend(image.nix.sets.iter().cloned());
            scope.shells.extend(image.nix.shell.clone());
        }
        scope
    }

    /// What is asked for.
    ///
    /// # Errors
    /// [`LockError::UnknownSubject`], or that of an unknown image.
    pub(super) fn of(manifest: &Manifest, subjects: &[LockSubject]) -> Result<Self, LockError> {
        let mut scope = Self::default();
        let all = Self::everything(manifest);
        for subject in subjects {
            let known = match subject {
                LockSubject::Image(name) => {
                    let of_image = Self::of_images(manifest, [name]);
                    scope.sets.extend(of_image.sets);
                    scope.shells.extend(of_image.shells);
                    manifest.resolved().contains_key(name)
                }
                LockSubject::Set(name) => {
                    scope.sets.extend(manifest.sets_within([name]));
                    all.sets.contains(name)
                }
                LockSubject::Shell(name) => {
                    scope.shells.insert(name.clone());
                    all.shells.contains(name)
                }
            };
            if !known {
                return Err(LockError::UnknownSubject { subject: subject.to_string() });
            }
        }
        Ok(scope)
    }

    /// Each set and each shell alone, with its name.
    pub(super) fn parts(&self) -> impl Iterator<Item = (String, Self)> {
        let set = |name: &SetName| (format!("sets.{name}"), Self { sets: [name.clone()].into(), ..Self::default() });
        let shell =
            |name: &ShellName| (format!("shells.{name}"), Self { shells: [name.clone()].into(), ..Self::default() });
        self.sets.iter().map(set).chain(self.shells.iter().map(shell))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.shells.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_by_kind() {
        for text in ["images.a.b", "sets.python", "shells.a-b"] {
            assert_eq!(text.parse::<LockSubject>().map(|subject| subject.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "python", "sets.", "sets.A", "shell.a", "sets.a.b"] {
            assert!(text.parse::<LockSubject>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_scope_has_what_is_within() {
        let text = "[workspace]\nname = \"w\"\n[sets.a]\n[sets.b]\nsets = [\"a\"]\n[sets.c]\n[shells.s]\nsets = [\"c\"]\n\
                    [images.i]\ndebian = false\nsets = [\"b\"]\n[images.j]\nfrom = \"i\"\nshell = \"s\"\n";
        let manifest = Manifest::parse(text).expect("valid");
        let check = |subject: &str, sets: &[&str], shells: &[&str]| {
            let scope = NixScope::of(&manifest, &[subject.parse().expect("a subject")]).expect("known");
            assert_eq!(scope.sets.iter().map(SetName::as_str).collect::<Vec<_>>(), sets, "{subject}");
            assert_eq!(scope.shells.iter().map(ShellName::as_str).collect::<Vec<_>>(), shells, "{subject}");
        };
        check("sets.b", &["a", "b"], &[]);
        check("shells.s", &[], &["s"]);
        check("images.i", &["a", "b"], &[]);
        check("images.j", &["a", "b"], &["s"]);
        assert!(NixScope::of(&manifest, &["sets.x".parse().expect("a subject")]).is_err());
    }
}
