//! Files and folders of the workspace that go into images.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use plywood_core::debian::configure::certificates::added_certificates;
use plywood_core::image::{DefaultMirrors, Sources, debian_sources, repository_preferences, repository_sources};
use plywood_core::manifest::model::FileContent;
use plywood_core::manifest::{Placement, ResolvedImage, WorkspacePath};
use plywood_core::tree::{Meta, Node, TreePath};

use super::BuildError;
use crate::debian::defaults;

const DEBIAN_SOURCES: TreePath = TreePath::literal("etc/apt/sources.list.d/debian.sources");

/// The largest file taken from the workspace, in bytes; what is larger belongs into a package or a volume.
const MAX_FILE: u64 = 256 << 20;

/// Reads everything that the image takes from the workspace at `directory`.
///
/// # Errors
/// When a source is missing, cannot be read, or holds what an image cannot.
pub(super) fn read(directory: &Utf8Path, image: &ResolvedImage) -> Result<Sources, BuildError> {
    let mut sources = Sources::default();
    for placement in image.placements.values() {
        let Placement::File(file) = placement else { continue };
        if let FileContent::Source { path, ignore } = &file.content {
            let tree = read_source(directory, path, ignore)?;
            sources.trees.insert(path.value.clone(), tree);
        }
    }
    sources.system = system_files(directory, image)?;
    sources.certificates = read_certificates(directory, image)?;
    Ok(sources)
}

/// The extra certificates, under the names of their files.
fn read_certificates(directory: &Utf8Path, image: &ResolvedImage) -> Result<BTreeMap<TreePath, Arc<[u8]>>, BuildError> {
    let mut certificates = BTreeMap::new();
    for path in &image.certificates {
        let file = directory.join(path.as_str());
        let name = file.file_stem().unwrap_or_default();
        let added = added_certificates(name, &read_file(&file)?)
            .map_err(|source| BuildError::Certificate { path: file.clone(), source })?;
        for (place, bytes) in added {
            if certificates.insert(place.clone(), bytes).is_some() {
                return Err(BuildError::SameCertificateName { path: file, place });
            }
        }
    }
    Ok(certificates)
}

/// apt's sources with the keys of third parties.
fn system_files(directory: &Utf8Path, image: &ResolvedImage) -> Result<BTreeMap<TreePath, Arc<[u8]>>, BuildError> {
    let mirrors = DefaultMirrors { archive: defaults::ARCHIVE, security: defaults::SECURITY };
    let text = |text: String| Arc::<[u8]>::from(text.into_bytes());
    let path = |path: String| TreePath::parse(path).map_err(BuildError::SystemPath);
    let Some(debian) = &image.debian else { return Ok(BTreeMap::new()) };
    let mut files = BTreeMap::new();
    // A base has its own sources, which say where it takes its packages from.
    if image.base.is_none() {
        files.insert(DEBIAN_SOURCES, text(debian_sources(debian, mirrors)));
    }
    for (name, repository) in &debian.repositories {
        let key = read_file(&directory.join(repository.key.as_str()))?;
        let extension = if key.starts_with(b"-----BEGIN") { "asc" } else { "gpg" };
        let key_path = path(format!("etc/apt/keyrings/{name}.{extension}"))?;
        files.insert(
            path(format!("etc/apt/sources.list.d/{name}.sources"))?,
            text(repository_sources(repository, &key_path)),
        );
        files.insert(key_path, key);
        let url = repository.url.as_str();
        let origin =
            reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let preferences = repository_preferences(name, repository, &origin);
        files.insert(path(format!("etc/apt/preferences.d/{name}"))?, text(preferences));
    }
    Ok(files)
}

fn read_source(
    directory: &Utf8Path,
    source: &WorkspacePath,
    ignored: &[String],
) -> Result<Vec<(TreePath, Node)>, BuildError> {
    let root = directory.join(source.as_str());
    let patterns = patterns(&root, ignored)?;
    let mut entries = Vec::new();
    walk(&root, &root, &patterns, &mut entries)?;
    entries.sort_by(|(a, _): &(TreePath, Node), (b, _)| a.cmp(b));
    Ok(entries)
}

fn patterns(root: &Utf8Path, ignored: &[String]) -> Result<Gitignore, BuildError> {
    let mut builder = GitignoreBuilder::new(root);
    for pattern in ignored {
        builder
            .add_line(None, pattern)
            .map_err(|source| BuildError::Pattern { pattern: pattern.clone(), source: Box::new(source) })?;
    }
    builder.build().map_err(|source| BuildError::Pattern { pattern: ignored.join(", "), source: Box::new(source) })
}

fn walk(
    root: &Utf8Path,
    at: &Utf8Path,
    patterns: &Gitignore,
    entries: &mut Vec<(TreePath, Node)>,
) -> Result<(), BuildError> {
    let failed = |source| BuildError::ReadSource { path: at.to_owned(), source };
    let metadata = fs::symlink_metadata(at).map_err(failed)?;
    let relative = at.strip_prefix(root).unwrap_or(Utf8Path::new(""));
    if at != root && patterns.matched(relative, metadata.is_dir()).is_ignore() {
        return Ok(());
    }
    let path = TreePath::parse(relative.as_str()).map_err(|error| failed(io::Error::other(error)))?;
    if metadata.is_dir() {
        entries.push((path, Node::directory(Meta::root(0o755, 1))));
        for child in children(at).map_err(failed)? {
            walk(root, &child, patterns, entries)?;
        }
    } else if metadata.is_symlink() {
        let target = fs::read_link(at).map_err(failed)?;
        entries.push((path, Node::symlink(target.into_os_string().into_encoded_bytes(), 1)));
    } else if metadata.is_file() {
        let mode = if crate::os::is_executable(&metadata) { 0o755 } else { 0o644 };
        entries.push((path, Node::file(Meta::root(mode, 1), read_file(at)?)));
    } else {
        return Err(failed(io::Error::other("neither a file, a folder nor a symlink")));
    }
    Ok(())
}

fn children(directory: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut children: Vec<Utf8PathBuf> =
        directory.read_dir_utf8()?.map(|entry| Ok(entry?.path().to_owned())).collect::<io::Result<_>>()?;
    children.sort();
    Ok(children)
}

fn read_file(path: &Utf8Path) -> Result<Arc<[u8]>, BuildError> {
    let failed = |source| BuildError::ReadSource { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {MAX_FILE} bytes"))));
    }
    Ok(bytes.into())
}
