//! What was built, as an engine can load it.

use camino::Utf8PathBuf;
use tempfile::TempDir;

use super::{BuildOptions, BuildReport, Output, make};
use crate::Error;
use crate::engine::{EngineError, EngineKind};
use crate::events::Events;
use crate::workspace::Workspace;

/// What was built, in a form that an engine reads; a copy made for it is gone when this is dropped.
pub(crate) struct Loadable {
    output: Output,
    _folder: Option<TempDir>,
}

impl Loadable {
    /// The images of a build for an engine: podman reads every output, docker only its own archives, which are then
    /// written to a temporary file. Everything for it is in the cache, so nothing is made twice.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(crate) fn new(
        engine: EngineKind,
        report: &BuildReport,
        options: &BuildOptions,
        workspace: &Workspace,
        events: &dyn Events,
    ) -> Result<Self, Error> {
        if engine == EngineKind::Podman || matches!(report.output, Output::DockerArchive(_)) {
            return Ok(Self { output: report.output.clone(), _folder: None });
        }
        let stage = |source| EngineError::Stage { source };
        let folder = tempfile::tempdir().map_err(stage)?;
        let path = Utf8PathBuf::from_path_buf(folder.path().join("images.tar"));
        let path = path.map_err(|path| stage(std::io::Error::other(format!("{} is not UTF-8", path.display()))))?;
        let options = BuildOptions { output: Some(Output::DockerArchive(path)), load: None, ..options.clone() };
        let output = make::make(&options, workspace, events)?.output;
        Ok(Self { output, _folder: Some(folder) })
    }

    /// Where they are.
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }
}
