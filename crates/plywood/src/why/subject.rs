//! What of an image a person means.

use plywood_core::image::nix::{PROFILE, merge_profile};
use plywood_core::nix::StorePath;
use plywood_core::tree::TreePath;

use super::packages::debs;
use super::store_paths::roots;
use super::{Inquiry, WhyError};
use crate::build::SegmentFiles;

/// Something that an image has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A Debian package, by name.
    Package(String),
    /// A store path.
    StorePath(StorePath),
    /// A file that comes from neither.
    Generated(TreePath),
}

/// Everything that a text names, of which there is at least one thing.
pub(super) fn find(inquiry: &Inquiry<'_>, text: &str) -> Result<Vec<Subject>, WhyError> {
    let found = match text.starts_with('/') {
        true => at_path(inquiry, text)?,
        false => by_name(inquiry, text),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let (image, what) = (inquiry.image.name.to_string(), text.to_owned());
    Err(WhyError::Nothing { image, what, suggestion: most_alike(inquiry, text) })
}

/// Packages and store paths of a name; store paths by base name, hash, name with or without version, and what the manifest
/// calls them too.
fn by_name(inquiry: &Inquiry<'_>, text: &str) -> Vec<Subject> {
    let package = inquiry.plan.packages.iter().any(|package| name_of(package) == text);
    let mut found: Vec<Subject> = package.then(|| Subject::Package(text.to_owned())).into_iter().collect();
    let names = |path: &StorePath, key: &str| {
        [path.as_str(), path.hash_part(), path.name(), key].contains(&text)
            || roots(inquiry).any(|root| root.attribute == text && root.path == *path)
            || plywood_core::nix::DrvName::split(path.name()).name == text
    };
    for (path, planned) in inquiry.plan.nix.iter().flat_map(|nix| &nix.paths) {
        let key = planned.key.0.split_once(':').map_or("", |(_, key)| key);
        if names(path, key) {
            found.push(Subject::StorePath(path.clone()));
        }
    }
    found
}

/// The name of a package out of what people read of it.
fn name_of(package: &crate::build::WantedDeb) -> &str {
    package.deb.name.split(' ').next().unwrap_or_default()
}

/// What a path of the image comes from.
fn at_path(inquiry: &Inquiry<'_>, text: &str) -> Result<Vec<Subject>, WhyError> {
    let Ok(path) = TreePath::parse(text) else { return Ok(Vec::new()) };
    if let Some(rest) = text.strip_prefix("/nix/store/") {
        let name = rest.split('/').next().unwrap_or_default();
        return Ok(by_name(inquiry, name));
    }
    if let Some(below) = path.strip_prefix(&PROFILE)
        && let Some(found) = in_profile(inquiry, below)
    {
        return Ok(vec![Subject::StorePath(found)]);
    }
    let debs = debs(inquiry)?;
    if debs.is_empty() && !inquiry.plan.packages.is_empty() {
        return Err(WhyError::NotBuilt { image: inquiry.image.name.to_string(), path: text.to_owned() });
    }
    // Debian's merged /usr: /bin/sh is /usr/bin/sh.
    let usr = TreePath::parse(format!("/usr{text}")).unwrap_or_else(|_| path.clone());
    let owners = debs.values().filter(|deb| {
        deb.data_entries().iter().any(|(entry, node)| !node.is_directory() && (*entry == path || *entry == usr))
    });
    let owners: Vec<Subject> = owners.map(|deb| Subject::Package(deb.package().to_owned())).collect();
    let placed = inquiry.image.placements.keys().any(|placed| path.starts_with(placed));
    Ok(match owners.is_empty() && placed {
        true => vec![Subject::Generated(path)],
        false => owners,
    })
}

/// The store path that a path of the profile leads to, where the image was built.
fn in_profile(inquiry: &Inquiry<'_>, below: &bstr::BStr) -> Option<StorePath> {
    let nix = inquiry.plan.nix.as_ref()?;
    let items = nix.items();
    let files = SegmentFiles::new(inquiry.store, inquiry.plan.codec, &items);
    let profile = merge_profile(&files, &nix.roots).ok()?;
    let path = TreePath::ROOT.join(&**below).ok()?;
    profile.find(&files, &path).ok()?.map(|found| found.store_path)
}

/// The package or store path with the most similar name.
fn most_alike(inquiry: &Inquiry<'_>, text: &str) -> Option<String> {
    let packages = inquiry.plan.packages.iter().map(|package| name_of(package).to_owned());
    let paths = inquiry.plan.nix.iter().flat_map(|nix| nix.paths.values());
    let keys = paths.filter_map(|planned| planned.key.0.split_once(':').map(|(_, key)| key.to_owned()));
    let near = |name: String| {
        let distance = strsim::damerau_levenshtein(text, &name);
        (distance * 3 <= name.len().max(3)).then_some((distance, name))
    };
    let attributes = roots(inquiry).map(|root| root.attribute.clone());
    packages.chain(keys).chain(attributes).filter_map(near).min().map(|(_, name)| name)
}
