//! `plywood run`: a command in a container of an image.

use std::collections::BTreeMap;

use plywood_core::platform::Platform;

use crate::Error;
use crate::build::{BuildOptions, Loadable, build};
use crate::engine::{ContainerOptions, Engine, EngineKind, Mount};
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// What `run` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// The image's name in the manifest.
    pub image: String,
    /// The command; the image's own when empty.
    pub command: Vec<String>,
    /// The user, in place of the image's.
    pub user: Option<String>,
    /// Folders of the machine that the container sees; relative ones start in the current folder.
    pub mounts: Vec<Mount>,
    /// Variables besides the image's.
    pub env: BTreeMap<String, String>,
    /// The platform; the host's when `None`.
    pub platform: Option<Platform>,
    /// The engine; whichever is there when `None`.
    pub engine: Option<EngineKind>,
    /// As for `build`.
    pub locked: bool,
    /// Whether the container gets a terminal.
    pub tty: bool,
}

/// Builds the image where needed, puts it into the engine and runs the command on this program's own streams.
/// Gives the command's exit code.
///
/// # Errors
/// As `build`, and when the engine fails.
pub fn run(options: &RunOptions, workspace: &Workspace, events: &dyn Events) -> Result<i32, Error> {
    workspace.manifest()?.resolve(&options.image)?;
    let engine = Engine::find(options.engine)?;
    let mounts = options.mounts.iter().map(absolute).collect::<Result<Vec<Mount>, Error>>()?;
    let build_options = BuildOptions {
        images: vec![options.image.clone()],
        platforms: options.platform.into_iter().collect(),
        locked: options.locked,
        ..BuildOptions::default()
    };
    let report = build(&build_options, workspace, events)?;
    let built = report.images.iter().filter(|image| image.name == options.image);
    let Some((image, platform)) = built.flat_map(|image| image.platforms.iter().map(move |it| (image, it))).next()
    else {
        return Err(Error::NotBuilt { image: options.image.clone() });
    };
    {
        let _task = Task::start(events, format!("Loading {} into {}", image.name, engine.kind()), None, Unit::Items);
        let loadable = Loadable::new(engine.kind(), &report, &build_options, workspace, events)?;
        engine.load(loadable.output(), image, platform)?;
    }
    let container = ContainerOptions {
        image: platform.image_id.to_hex(),
        platform: options.platform,
        command: options.command.clone(),
        user: options.user.clone(),
        env: options.env.clone(),
        workdir: mounts.first().map(|mount| mount.container.to_string()),
        mounts,
        ..ContainerOptions::default()
    };
    Ok(engine.attach(&container, options.tty)?)
}

/// The mount with the folder's full path, as engines want it.
fn absolute(mount: &Mount) -> Result<Mount, Error> {
    let host = mount.host.canonicalize_utf8().map_err(|source| Error::Read { path: mount.host.clone(), source })?;
    Ok(Mount { host, container: mount.container.clone() })
}
