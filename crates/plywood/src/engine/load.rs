//! Filling an engine's store. An image that it has already is only named; none is ever removed.

use camino::Utf8Path;
use plywood_core::digest::Digest;
use plywood_core::platform::Platform;

use super::{Engine, EngineError, EngineKind};
use crate::build::{BuiltImage, BuiltPlatform, Output};

/// What podman calls what it pulls, for a moment.
const PULL_NAME: &str = "plywood-image";

impl Engine {
    /// Puts an image that was built into the engine's store, under its full name.
    ///
    /// # Errors
    /// When the engine fails, cannot read this kind of output, or ends up with another image.
    pub fn load(&self, output: &Output, image: &BuiltImage, platform: &BuiltPlatform) -> Result<(), EngineError> {
        self.load_as(output, &image.reference, platform.image_id, platform.platform)
    }

    /// Puts the image that `output` has under a full name into the engine's store under that name.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub(crate) fn load_as(
        &self,
        output: &Output,
        reference: &str,
        id: Digest,
        platform: Platform,
    ) -> Result<(), EngineError> {
        if !self.has_image(id)? {
            match output {
                Output::DockerArchive(file) => self.load_archive(file, reference)?,
                Output::OciLayout(_) | Output::OciArchive(_) => self.pull(output, reference, id, platform)?,
            }
            if !self.has_image(id)? {
                let (engine, reference) = (self.kind, reference.to_owned());
                return Err(EngineError::OtherImage { engine, reference, expected: id.to_hex() });
            }
        }
        self.tag(id, reference)
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
    fn pull(&self, output: &Output, reference: &str, id: Digest, platform: Platform) -> Result<(), EngineError> {
        if self.kind == EngineKind::Docker {
            return Err(EngineError::NeedsDockerArchive { output: output.clone() });
        }
        let operation = format!("load {reference}");
        let lost = |source| EngineError::Start { engine: self.kind, operation: operation.clone(), source };
        // Podman makes a name out of the path as it is given, and fails where it has capitals or a colon: so it gets
        // a short one.
        let folder = tempfile::tempdir().map_err(lost)?;
        let path = std::path::absolute(output.path()).map_err(lost)?;
        std::os::unix::fs::symlink(path, folder.path().join(PULL_NAME)).map_err(lost)?;
        let source = format!("{}:{PULL_NAME}:{reference}", output.transport());
        let platform_option = format!("--platform={platform}");
        let mut command = self.command();
        command.current_dir(folder.path()).args(["pull", "--quiet", &platform_option, &source]);
        self.ask_with(&operation, &mut command)?;
        // Nobody looks for the image under that name. That another plywood has just taken it is as well.
        let name = format!("localhost/{PULL_NAME}:latest");
        let _ = self.ask("drop a name", ["untag", &id.to_hex(), &name]);
        Ok(())
    }
}
