//! Nix in a container of the workspace's own image.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::manifest::Manifest;

use super::EvalError;
use super::snapshot::Snapshot;
use crate::Error;
use crate::build::{BuildOptions, Output, build};
use crate::engine::Engine;
use crate::events::{Event, Events};
use crate::nix::LocalStore;
use crate::workspace::Workspace;

/// The Debian package that has Nix.
const PACKAGE: &str = "nix-bin";

/// What a container may know of this machine's network and accounts.
const PASSED_ON: [&str; 8] =
    ["HTTPS_PROXY", "HTTP_PROXY", "NIX_CONFIG", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "all_proxy"];

/// An image with Nix in an engine, and the store that its containers share.
#[derive(Debug)]
pub(super) struct Container {
    engine: Engine,
    image: String,
    workspace: Utf8PathBuf,
    root: Utf8PathBuf,
    store: LocalStore,
}

impl Container {
    /// Where containers see the copy of the workspace.
    pub(super) const WORKSPACE: &'static str = "/plywood-workspace";

    /// Builds the first image of the manifest that has Nix and needs none to be locked, and puts it into an engine.
    pub(super) fn prepare(
        manifest: &Manifest,
        workspace: &Workspace,
        snapshot: &Snapshot,
        events: &dyn Events,
    ) -> Result<Self, Error> {
        let engine = Engine::find(None)?;
        let has_nix = |image: &&plywood_core::manifest::ResolvedImage| {
            let asked = image.packages.iter().any(|package| package.request.name.as_str() == PACKAGE);
            asked && !image.nix.has_paths() && image.platforms.contains(&crate::os::platform())
        };
        let candidates = manifest.resolved().values().filter(has_nix);
        let image = candidates.min_by_key(|image| image.parents.len()).ok_or(EvalError::NoImage)?;
        events.emit(Event::Note(format!(
            "Running Nix in {}, in a container of the image `{}`",
            engine.kind(),
            image.name
        )));
        let options = BuildOptions {
            images: vec![image.name.to_string()],
            output: Some(Output::OciLayout(workspace.cache().join("nix/evaluator"))),
            load: Some(engine.kind()),
            ..BuildOptions::default()
        };
        let report = build(&options, workspace, events)?;
        let built = report.images.iter().flat_map(|image| &image.platforms).next();
        let built = built.ok_or_else(|| Error::NotBuilt { image: image.name.to_string() })?;
        let root = store_root(workspace.cache());
        let failed = |source| Error::from(EvalError::Copy { path: root.clone(), source });
        fs::create_dir_all(root.join("nix")).map_err(failed)?;
        let root = root.canonicalize_utf8().map_err(failed)?;
        Ok(Self {
            engine,
            image: built.image_id.to_hex(),
            workspace: snapshot.folder().to_owned(),
            store: LocalStore::below(&root),
            root,
        })
    }

    /// The store of all containers.
    pub(super) fn store(&self) -> &LocalStore {
        &self.store
    }

    /// A command that runs `words` in a new container.
    pub(super) fn command(&self, words: &[OsString]) -> Command {
        let mut command = Command::new(self.engine.program());
        // This machine's network, as proxies that answer on localhost are reached from there alone.
        command.args(["run", "--rm", "--pull=never", "--network=host", "--user=0:0", "--workdir=/"]);
        let mut mount = |host: &Utf8Path, container: &str, more: &str| {
            command.arg(format!("--mount=type=bind,source={host},target={container}{more}"));
        };
        mount(&self.root.join("nix"), "/nix", "");
        mount(&self.workspace, Self::WORKSPACE, "");
        for folder in words.iter().filter_map(|word| overriding_folder(word)) {
            mount(folder, folder.as_str(), ",readonly");
        }
        let passed_on = PASSED_ON.iter().filter(|name| std::env::var_os(name).is_some());
        command.args(passed_on.map(|name| format!("--env={name}"))).arg("--env=HOME=/tmp");
        // The workspace's copy may belong to somebody who has another uid in the container.
        command.args(["COUNT=1", "KEY_0=safe.directory", "VALUE_0=*"].map(|set| format!("--env=GIT_CONFIG_{set}")));
        let (program, arguments) = words.split_first().map_or((None, words), |(program, rest)| (Some(program), rest));
        command.arg("--entrypoint").args(program).arg(&self.image).args(arguments);
        command
    }
}

/// Where the store of containers is on this machine.
pub(in crate::nix) fn store_root(cache: &Utf8Path) -> Utf8PathBuf {
    cache.join("nix/container")
}

/// The folder of this machine that an argument names as a flake, which a container would not see.
fn overriding_folder(word: &OsString) -> Option<&Utf8Path> {
    let text = word.to_str()?;
    let path = text.strip_prefix("path:").unwrap_or(text);
    let path = path.split(['?', '#']).next().filter(|path| path.starts_with('/') && !path.starts_with("/nix/"))?;
    let path = Utf8Path::new(path);
    (!path.starts_with(Container::WORKSPACE) && path.is_dir()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_stand_in_for_inputs_are_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("UTF-8").to_owned();
        let check = |word: String, expect: Option<&str>| {
            assert_eq!(overriding_folder(&word.clone().into()), expect.map(Utf8Path::new), "{word}");
        };
        check(format!("path:{path}"), Some(&path));
        check(format!("path:{path}?dir=x"), Some(&path));
        check(path.clone(), Some(&path));
        check(format!("path:{path}/none"), None);
        check("github:NixOS/nixpkgs".to_owned(), None);
        check(format!("path:{}#lib", Container::WORKSPACE), None);
    }
}
