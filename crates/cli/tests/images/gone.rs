//! A package whose version no mirror has any more, in a repository of the tests beside Debian's.

use std::fs;

use plywood_testkit::{DebBuilder, TestArchive, TestKey};

use crate::lab::{fail, json, lab, plywood};

const SUITE: &str = "stable";

/// A repository with one version of `plywood-tool`.
fn repository(key: &TestKey, version: &str) -> TestArchive {
    let mut archive = TestArchive::new(key.clone(), &[SUITE]);
    archive.valid_for = None;
    let tool = DebBuilder::new("plywood-tool", version, "all");
    let tool = tool.directory("./usr/", 0o755).directory("./usr/bin/", 0o755);
    archive.add(SUITE, tool.file("./usr/bin/plywood-tool", 0o755, format!("#!/bin/sh\necho {version}\n")).build());
    archive
}

#[test]
fn a_package_that_is_gone_is_resolved_anew_and_said_so() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    fs::remove_file(workspace.join("plywood.lock")).expect("the lock is removed");
    let key = TestKey::new("tools");
    let server = repository(&key, "1.0").serve();
    fs::write(workspace.join("tools.asc"), key.public_armored()).expect("the key is written");
    let manifest = format!(
        "[workspace]\nname = \"gone\"\nplatforms = [\"linux/amd64\"]\n\n[debian]\nsuite = \"trixie\"\n\n\
         [debian.repositories.tools]\nurl = \"{}\"\nsuite = \"{SUITE}\"\nkey = \"tools.asc\"\n\
         packages = [\"plywood-tool\"]\n\n[images.tool]\npackages = [\"plywood-tool\"]\n",
        server.url()
    );
    fs::write(workspace.join("plywood.toml"), manifest).expect("the manifest is written");
    let build = |arguments: &[&str]| {
        let mut build = plywood(&workspace, &lab.cache);
        build.args(["build", "--platform", "linux/amd64"]).args(arguments);
        build
    };
    // Only locked: a package that was downloaded once is never missed.
    json(plywood(&workspace, &lab.cache).arg("lock"));
    let before = fs::read_to_string(workspace.join("plywood.lock")).expect("the lock");
    for (path, bytes) in repository(&key, "2.0").files() {
        server.replace(&path, bytes);
    }
    server.remove("plywood-tool_1.0_all.deb");

    let said = fail(&mut build(&["--locked"]), 1);
    assert!(said.contains("plywood-tool") && said.contains("1.0"), "{said}");
    assert_eq!(before, fs::read_to_string(workspace.join("plywood.lock")).expect("the lock"));

    let (said, report) = json(&mut build(&[]));
    assert!(said.contains("no mirror has plywood-tool any more"), "{said}");
    let changes = report["lock"]["changes"].as_array().expect("changes");
    let moved: Vec<_> = changes.iter().map(|change| (&change["package"], &change["from"], &change["to"])).collect();
    assert_eq!(moved, [(&"plywood-tool".into(), &"1.0".into(), &"2.0".into())]);
}
