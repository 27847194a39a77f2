//! Into podman, with a store of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use camino::Utf8PathBuf;
use plywood_testkit::require::{find_tool, require, require_root};

use crate::lab::{Lab, fail, succeed};

/// Podman with a store of its own: where it is, and the variable `PATH` by which it is found.
pub(crate) fn own_podman(lab: &Lab) -> (Utf8PathBuf, String) {
    let bin = lab.path("bin");
    fs::create_dir_all(&bin).expect("made");
    let real = find_tool("podman").expect("podman");
    let (store, state) = (lab.path("store"), lab.path("state"));
    let script =
        format!("#!/bin/sh\nexec {} --root {store} --runroot {state} --storage-driver vfs \"$@\"\n", real.display());
    let podman = bin.join("podman");
    fs::write(&podman, script).expect("written");
    fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).expect("executable");
    (podman, format!("{bin}:{}", std::env::var("PATH").expect("a path")))
}

#[test]
fn images_are_loaded_and_run() {
    if !(require(&["podman", "ldd"]) && require_root()) {
        return;
    }
    let lab = Lab::new();
    lab.bundle("site.tar");
    let (podman, path) = own_podman(&lab);
    let file = lab.text("site.tar");
    let load = |images: &[&str]| {
        let mut command = lab.command("other", &["bundle", "load", &file, "--engine", "podman"]);
        command.args(images).env("PATH", &path);
        command
    };
    succeed(&mut load(&["more"]));
    succeed(&mut load(&[]));
    for name in ["tiny", "more"] {
        let image = format!("registry.invalid/team/{name}:latest");
        let run = ["run", "--rm", "--pull=never", "--network=none", &image];
        let output = succeed(Command::new(&podman).args(run));
        assert_eq!(output.stdout, b"carried\n", "{name}");
    }
    let said = fail(&mut load(&["none"]), 2);
    assert!(said.contains("registry.invalid/team/tiny:latest"), "{said}");
    let left = fs::read_dir(lab.path("other")).expect("a cache").count();
    assert_eq!(left, 0, "what was staged is gone");
}
