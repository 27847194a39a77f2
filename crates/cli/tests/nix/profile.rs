//! Two packages that have one file.

use std::fs;
use std::process::Command;

use plywood_testkit::require;

use crate::lab::{lab, plywood, run, succeed, text};

#[test]
fn packages_with_one_file_are_told_apart_by_priority() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    let path = workspace.join("plywood.toml");
    let manifest = fs::read_to_string(&path).expect("the manifest");
    let make =
        "mkdir -p $out/bin; echo '#!/bin/sh' > $out/bin/rg; echo 'echo ours' >> $out/bin/rg; chmod +x $out/bin/rg";
    let expression = format!("expression = '''pkgs: [ (pkgs.runCommand \"our-rg\" {{ }} \"{make}\") ]'''");
    let build = |priority: &str| {
        let more = format!(
            "[sets.search]\npackages = [\"ripgrep\"]\n[sets.ours]\n{expression}\n{priority}\n\
             [images.search]\ndebian = false\nsets = [\"search\", \"ours\", \"system\"]\nnix = {{ sh = true }}\n"
        );
        // `/bin/sh` is of bash, which the system's set lacks.
        let manifest =
            manifest.replace("\"tzdata\", \"coreutils\"]", "\"tzdata\", \"coreutils\", \"bashInteractive\"]");
        fs::write(&path, format!("{manifest}\n{more}")).expect("written");
        succeed(plywood(&workspace, &lab.cache).args(["lock", "--only", "images.search"]));
        let mut build = plywood(&workspace, &lab.cache);
        build.args(["build", "search", "--load", "podman"]).output().expect("it runs")
    };
    let refused = build("");
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    for words in
        ["bin/rg", "`ripgrep` of the set `search`", "`our-rg` from the expression of the set `ours`", "priority"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let image = format!("{}/search:latest", crate::lab::REGISTRY);
    for (priority, expect) in [("priority = 3", "ours"), ("priority = 8", "ripgrep ")] {
        let built = build(priority);
        assert!(built.status.success(), "{}", text(&built.stderr));
        let said = run(&image, &[], &["sh", "-c", "rg --version | cat"]);
        assert!(said.starts_with(expect), "{priority}: {said}");
    }
    succeed(Command::new("podman").args(["rmi", "--force", &image]));
}
