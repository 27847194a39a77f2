//! Filling an engine's store.

use std::collections::BTreeSet;

use camino::Utf8Path;
use plywood_core::digest::Digest;
use plywood_core::platform::Platform;

use super::{Engine, EngineError};

/// One image of an OCI image layout.
#[derive(Debug, Clone, Copy)]
pub struct LayoutImage<'i> {
    /// The layout's folder.
    pub layout: &'i Utf8Path,
    /// The image's name in the layout's index, which it gets in the engine too.
    pub reference: &'i str,
    /// Which of its platforms.
    pub platform: Platform,
    /// The id it will have: the digest of its config.
    pub id: Digest,
}

impl Engine {
    /// Whether the store has an image of this id.
    ///
    /// # Errors
    /// When the engine does not work.
    pub fn has_image(&self, id: Digest) -> Result<bool, EngineError> {
        let format = ["image", "inspect", "--format", "{{.Id}}"];
        match self.ask("look for an image", format.iter().copied().chain([id.to_hex().as_str()])) {
            Ok(_) => Ok(true),
            // "No such image" and a broken engine look alike; the version tells them apart.
            Err(_) => self.version().map(|_| false),
        }
    }

    /// Gives a stored image a further name.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn tag(&self, id: Digest, reference: &str) -> Result<(), EngineError> {
        let operation = format!("name an image {reference}");
        self.ask(&operation, ["tag", id.to_hex().as_str(), reference]).map(drop)
    }

    /// Makes podman copy an image from a layout, unless it has it already. Layers that it has are not copied again.
    ///
    /// # Errors
    /// When podman fails, or ends up with another image.
    pub(super) fn pull_layout(&self, image: LayoutImage<'_>) -> Result<(), EngineError> {
        if !self.has_image(image.id)? {
            let operation = format!("load {}", image.reference);
            let source = format!("oci:{}:{}", image.layout, image.reference);
            let platform = format!("--platform={}", image.platform);
            let loaded = self.ask(&operation, ["pull", "--quiet", &platform, &source])?;
            let (loaded, expected) = (loaded.trim().to_owned(), image.id.to_hex());
            if loaded != expected {
                return Err(EngineError::OtherImage { engine: self.kind, loaded, expected });
            }
            self.drop_folder_names(image)?;
        }
        self.tag(image.id, image.reference)
    }

    /// Podman names what it pulls after the layout's folder; nobody looks for it there.
    fn drop_folder_names(&self, image: LayoutImage<'_>) -> Result<(), EngineError> {
        let id = image.id.to_hex();
        let format = "{{range .RepoTags}}{{println .}}{{end}}";
        let names = self.ask("name an image", ["image", "inspect", "--format", format, &id])?;
        let names: BTreeSet<&str> = names.lines().filter(|name| name.starts_with("localhost/")).collect();
        let folder = image.layout.as_str().trim_matches('/').to_lowercase();
        for name in names.into_iter().filter(|name| *name == format!("localhost/{folder}:latest")) {
            self.ask("name an image", ["untag", &id, name])?;
        }
        Ok(())
    }
}
