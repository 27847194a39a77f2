//! What editors do with the image, done by the reference implementation.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use plywood_testkit::{require, require_root};

use crate::lab::{Lab, lab, succeed, text};

/// As root podman refuses `keep-id`, and without it maps users as docker does.
const PODMAN: &str = "\
#!/bin/sh
for word; do
  shift
  [ \"$word\" = --userns=keep-id ] || set -- \"$@\" \"$word\"
done
exec podman \"$@\"
";

const SCRIPT: &str = "
    id -u
    whoami
    for tool in nix direnv rg fd bat; do command -v $tool > /dev/null || echo missing: $tool; done
    sudo -n id -un
    touch here /nix/store/x /nix/var/nix/x /workspace/x ~/x
    nix eval --expr '1 + 1'";

#[test]
fn a_person_with_the_images_uid_works_in_it() {
    check(1000);
}

#[test]
fn a_person_with_another_uid_works_in_it() {
    check(1001);
}

/// Starts a development container for a person of this uid, and looks whether everything is theirs.
fn check(uid: u32) {
    let (true, true, Some(lab)) = (require(&["podman", "devcontainer"]), require_root(), lab()) else { return };
    succeed(&mut lab.plywood(&["build", "devcontainer-base", "--locked", "--load", "podman"]));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path();
    let workspace = home.join(format!("project-{uid}"));
    fs::create_dir_all(workspace.join(".devcontainer")).expect("a folder");
    let config = format!(r#"{{"image": "{}", "remoteUser": "vscode"}}"#, Lab::reference("devcontainer-base"));
    write(&workspace.join(".devcontainer/devcontainer.json"), &config, 0o644);
    write(&home.join("podman"), PODMAN, 0o755);
    // Stands for a login of that person; the containers are root's, as a docker daemon's are.
    write(&home.join("uid.js"), &format!("process.getuid = process.getgid = () => {uid};\n"), 0o644);
    chown(&workspace, Some(uid), Some(uid)).expect("root may");

    let devcontainer = |command: &str| {
        let mut devcontainer = Command::new("devcontainer");
        devcontainer.env("NODE_OPTIONS", format!("--require={}", home.join("uid.js").display())).arg(command);
        devcontainer.arg("--docker-path").arg(home.join("podman")).arg("--workspace-folder").arg(&workspace);
        devcontainer
    };
    let up = succeed(&mut devcontainer("up"));
    let up = text(&up.stdout);
    let result: serde_json::Value = serde_json::from_str(up.lines().last().unwrap_or_default()).expect("JSON");
    let _removed = Removed(result["containerId"].as_str().expect("a container").to_owned());
    assert_eq!((&result["outcome"], &result["remoteUser"]), (&"success".into(), &"vscode".into()));
    let found = succeed(devcontainer("exec").args(["sh", "-euc", SCRIPT]));
    assert_eq!(text(&found.stdout), format!("{uid}\nvscode\nroot\n2\n"));
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
}

/// A container that is gone in the end.
struct Removed(String);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = Command::new("podman").args(["rm", "--force", "--time=0", &self.0]).output();
    }
}
