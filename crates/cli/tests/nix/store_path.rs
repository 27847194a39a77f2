//! Images of store paths that are named directly.

use plywood_testkit::{nixpkgs, require};

use crate::lab::{json, lab, plywood, run, succeed, text};

#[test]
fn without_a_manifest_and_on_an_image_of_one() {
    let (true, Some(lab)) = (require(&["podman", "skopeo"]), lab()) else { return };
    let set = nixpkgs::prepare().expect("the package set");
    let built = set.build(nixpkgs::BUILD_SYSTEM, &["python312"]).expect("python");
    let python = built[0].to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let empty = camino::Utf8Path::from_path(folder.path()).expect("UTF-8");
    let link = empty.join("result");
    std::os::unix::fs::symlink(python, &link).expect("linked");
    let build = ["build", "--store-path", link.as_str(), "--name", "app", "--load", "podman"];
    let report = json(plywood(empty, &lab.cache).args(build));
    let name = report["images"][0]["reference"].as_str().expect("a name");
    assert!(run(name, &[], &["python3", "--version"]).starts_with("Python 3."));

    let build = ["build", "--store-path", python, "--name", "on.base", "--from", "base", "--load", "podman"];
    let report = json(lab.plywood(&build).arg("--locked"));
    let name = report["images"][0]["reference"].as_str().expect("a name");
    assert!(run(name, &[], &["bash", "-lc", "command -v python3"]).starts_with("/nix/profile/bin/python3"));
    let base = crate::lab::Lab::layers(&lab.report, "base");
    let on_base = crate::lab::Lab::layers(&report, "on.base");
    // All but the generated layer of the base.
    assert!(on_base.starts_with(&base[..base.len() - 1]), "{on_base:?}");

    let mut taken = lab.plywood(&["build", "--store-path", python, "--name", "base"]);
    assert_eq!(taken.output().expect("it runs").status.code(), Some(2));
    // What does not go together is said before anything is tried, and a wrong name without a manifest that nobody wrote.
    for (wrong, said) in [
        (&["--name", "A\"]"][..], "invalid value 'A\"]' for '--name <NAME>'"),
        (&["--name", "app", "--all-platforms"][..], "cannot be used with"),
        (&["--name", "app", "--matrix"][..], "cannot be used with"),
    ] {
        let output = plywood(empty, &lab.cache).args(["build", "--store-path", python]).args(wrong).output();
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
    succeed(std::process::Command::new("podman").args(["rmi", "-f", name]));
}
