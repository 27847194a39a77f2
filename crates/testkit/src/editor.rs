//! What an editor does with a development container, by the reference implementation.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::{succeed, text};

/// As root podman refuses `keep-id`, and without it maps users as docker does.
const PODMAN: &str = "\
#!/bin/sh
for word; do
  shift
  [ \"$word\" = --userns=keep-id ] || set -- \"$@\" \"$word\"
done
exec podman \"$@\"
";

/// A person with a project in an editor, and the development container of the project.
#[derive(Debug)]
pub struct Editor {
    folder: TempDir,
    uid: u32,
    container: String,
}

impl Editor {
    /// Starts the container of a project with this `devcontainer.json`, for a person of this uid; gives also what the
    /// implementation says of it. Ask for `podman` and `devcontainer` with [`crate::require()`] before, and for root.
    ///
    /// # Panics
    /// When it does not start.
    pub fn open(uid: u32, config: &str) -> (Self, Value) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut editor = Self { folder, uid, container: String::new() };
        let workspace = editor.workspace();
        fs::create_dir_all(workspace.join(".devcontainer")).expect("a folder");
        fs::write(workspace.join(".devcontainer/devcontainer.json"), config).expect("written");
        chown(&workspace, Some(uid), Some(uid)).expect("root may");
        let podman = editor.folder.path().join("podman");
        fs::write(&podman, PODMAN).expect("written");
        fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).expect("its mode");
        // Stands for a login of that person; the containers are root's, as a docker daemon's are.
        let login = format!("process.getuid = process.getgid = () => {uid};\n");
        fs::write(editor.folder.path().join("uid.js"), login).expect("written");
        let up = text(&succeed(&mut editor.command("up")).stdout);
        let result: Value = serde_json::from_str(up.lines().last().unwrap_or_default()).expect("JSON");
        editor.container = result["containerId"].as_str().expect("a container").to_owned();
        (editor, result)
    }

    /// The project, which has a name that no other test's has.
    fn workspace(&self) -> PathBuf {
        self.folder.path().join(format!("project-{}", self.uid))
    }

    /// A command of the implementation, such as `exec`.
    pub fn command(&self, command: &str) -> Command {
        let mut devcontainer = Command::new("devcontainer");
        let login = self.folder.path().join("uid.js");
        devcontainer.env("NODE_OPTIONS", format!("--require={}", login.display())).arg(command);
        devcontainer.arg("--docker-path").arg(self.folder.path().join("podman"));
        devcontainer.arg("--workspace-folder").arg(self.workspace());
        devcontainer
    }

    /// What a command in the container prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn exec(&self, words: &[&str]) -> String {
        text(&succeed(self.command("exec").args(words)).stdout)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if self.container.is_empty() {
            return;
        }
        let podman = |arguments: &[&str]| Command::new("podman").args(arguments).output();
        let image = podman(&["inspect", "--format", "{{.ImageName}}", &self.container]);
        let image = image.map(|output| text(&output.stdout).trim().to_owned()).unwrap_or_default();
        let _ = podman(&["rm", "--force", "--time=0", &self.container]);
        // The image that was made of the test's, for a person of another uid.
        if image.contains("vsc-") {
            let _ = podman(&["rmi", "--force", &image]);
        }
    }
}
