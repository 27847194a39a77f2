//! Filling an engine's store. An image that it has already is only named; none is ever removed.

use camino::Utf8Path;
use plywood_core::digest::Digest;

use super::{Engine, EngineError, EngineKind};
use crate::build::{BuiltImage, BuiltPlatform, Output};

impl Engine {
    /// Puts an image that was built into the engine's store, under its full name.
    ///
    /// # Errors
    /// When the engine fails, cannot read this kind of output, or ends up with another image.
    pub fn load(&self, output: &Output, image: &BuiltImage, platform: &BuiltPlatform) -> Result<(), EngineError> {
        let id = platform.image_id;
        if !self.has_image(id)? {
            match output {
                Output::DockerArchive(file) => self.load_archive(file, &image.reference)?,
                Output::OciLayout(_) | Output::OciArchive(_) => self.pull(output, image, platform)?,
            }
            if !self.has_image(id)? {
                let (engine, reference) = (self.kind, image.reference.clone());
                return Err(EngineError::OtherImage { engine, reference, expected: id.to_hex() });
            }
        }
        self.tag(id, &image.reference)
    }

    /// Whether the store has an image of this id.
    ///
    /// # Errors
    /// When the engine does not work.
    pub fn has_image(&self, id: Digest) -> Result<bool, EngineError> {
        match self.ask("look for an image", ["image", "inspect", "--format", "{{.Id}}", &id.to_hex()]) {
            Ok(_) => Ok(true),
            // "No such image" and a broken engine look alike; the version tells them apart.
            Err(_) => self.version().map(|_| false),
        }
    }

    fn tag(&self, id: Digest, reference: &str) -> Result<(), EngineError> {
        self.ask(&format!("name an image {reference}"), ["tag", &id.to_hex(), reference]).map(drop)
    }

    fn load_archive(&self, file: &Utf8Path, reference: &str) -> Result<(), EngineError> {
        self.ask(&format!("load {reference}"), ["load", "--quiet", "--input", file.as_str()]).map(drop)
    }

    /// Makes podman copy an image from a layout. Layers that it has are not copied again.
    fn pull(&self, output: &Output, image: &BuiltImage, platform: &BuiltPlatform) -> Result<(), EngineError> {
        if self.kind == EngineKind::Docker {
            return Err(EngineError::NeedsDockerArchive { output: output.clone() });
        }
        let source = format!("{output}:{}", image.reference);
        let operation = format!("load {}", image.reference);
        self.ask(&operation, ["pull", "--quiet", &format!("--platform={}", platform.platform), &source])?;
        self.drop_folder_names(output.path(), platform.image_id)
    }

    /// Podman names what it pulls after the layout's folder; nobody looks for it there.
    fn drop_folder_names(&self, path: &Utf8Path, id: Digest) -> Result<(), EngineError> {
        let id = id.to_hex();
        let format = "{{range .RepoTags}}{{println .}}{{end}}";
        let names = self.ask("name an image", ["image", "inspect", "--format", format, &id])?;
        let folder_name = format!("localhost/{}:latest", path.as_str().trim_matches('/').to_lowercase());
        if names.lines().any(|name| name == folder_name) {
            self.ask("name an image", ["untag", &id, &folder_name])?;
        }
        Ok(())
    }
}
