//! Writes a lock.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::{LockedImage, Lockfile, PackageUse, base, line};
use crate::layering::Layout;
use crate::manifest::PackageName;
use crate::platform::Platform;

/// The first line of every lock.
pub(super) const HEADER: &str = "# plywood.lock is generated: do not edit; `plywood lock` writes it";

impl Lockfile {
    /// The lock's text; equal locks give equal bytes.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "{HEADER}\n\nversion = {}\ndate = \"{}\"", Self::VERSION, self.date)?;
        let mut releases: Vec<_> = self.releases.iter().collect();
        releases.sort();
        releases.dedup();
        list(out, "\n# repository suite date sha256\nreleases", releases.into_iter().map(line::write_release))?;
        let ambiguous = self.ambiguous_names();
        for (name, image) in &self.images {
            write_image(out, &key(name.as_str()), image, &ambiguous)?;
        }
        for (platform, packages) in &self.packages {
            writeln!(out, "\n# {}\n[packages.\"{platform}\"]", line::PACKAGE_COLUMNS)?;
            list(out, "locked", packages.values().map(|package| line::write_package(package, *platform)))?;
        }
        if let Some(nix) = &self.nix {
            super::nix::write(out, nix)?;
        }
        base::write(out, &self.bases)?;
        for (platform, layout) in &self.layouts {
            write_layout(out, *platform, layout)?;
        }
        Ok(())
    }

    /// The packages that a platform has in several versions, so that their name alone does not tell which is meant.
    fn ambiguous_names(&self) -> BTreeSet<(Platform, &PackageName)> {
        let mut ambiguous = BTreeSet::new();
        for (platform, packages) in &self.packages {
            // Keys are sorted by name, so two versions of one package are neighbours.
            let next = packages.keys().skip(1);
            let repeated = packages.keys().zip(next).filter(|(key, next)| key.name == next.name);
            ambiguous.extend(repeated.map(|(key, _)| (*platform, &key.name)));
        }
        ambiguous
    }
}

fn write_image(
    out: &mut String,
    name: &str,
    image: &LockedImage,
    ambiguous: &BTreeSet<(Platform, &PackageName)>,
) -> fmt::Result {
    writeln!(out, "\n[images.{name}]\ninputs = \"{}\"", image.inputs)?;
    for (platform, locked) in &image.platforms {
        writeln!(out, "\n[images.{name}.\"{platform}\"]")?;
        let with_version = |used: &PackageUse| ambiguous.contains(&(*platform, &used.package.name));
        list(out, "packages", locked.packages.iter().map(|used| line::write_use(used, with_version(used))))?;
        if !locked.scripts.is_empty() {
            list(out, "scripts", locked.scripts.iter().map(|(name, script)| line::write_script(name, script)))?;
        }
    }
    Ok(())
}

/// An array with one string per line; none of them needs escapes.
pub(super) fn list(out: &mut String, name: &str, lines: impl Iterator<Item = String>) -> fmt::Result {
    writeln!(out, "{name} = [")?;
    for line in lines {
        writeln!(out, "  \"{line}\",")?;
    }
    writeln!(out, "]")
}

fn write_layout(out: &mut String, platform: Platform, layout: &Layout) -> fmt::Result {
    writeln!(out, "\n[layout.\"{platform}\"]")?;
    if layout.layers.is_empty() {
        return writeln!(out, "layers = []");
    }
    for layer in &layout.layers {
        writeln!(out, "\n[[layout.\"{platform}\".layers]]")?;
        list(out, "images", layer.images.iter().map(|image| escaped(image)))?;
        list(out, "items", layer.items.iter().map(|item| escaped(&item.0)))?;
    }
    Ok(())
}

/// A name as a key: bare where TOML allows it.
fn key(name: &str) -> String {
    match name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) && !name.is_empty() {
        true => name.to_owned(),
        false => format!("\"{}\"", escaped(name)),
    }
}

/// The inside of a basic string (TOML 1.0, "String").
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            // Writing to a string cannot fail.
            control if control.is_control() => _ = write!(escaped, "\\u{:04X}", u32::from(control)),
            other => escaped.push(other),
        }
    }
    escaped
}
