//! Scripts that are run for real, in namespaces of their own, over the programs of this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use plywood::engine::{Engine, EngineKind};
use plywood::script_runner::{NamespaceRunner, ScriptRunnerError};
use plywood_core::debian::configure::ScriptRun;
use plywood_core::platform::Platform;
use plywood_core::tree::{Meta, NoPackedContent, Node, Tree, TreePath};
use plywood_testkit::require;

const PLATFORM: Platform = if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 };
const NOW: i64 = 1_700_000_000;
const USER: TreePath = TreePath::literal("srv/of-user");

/// A tree with a shell, the programs that the scripts below use, and the libraries of both.
fn tree() -> Tree {
    let mut files = Vec::new();
    for program in ["sh", "cat", "chmod", "chown", "ln", "mkdir", "rm", "id"] {
        let file = require::find_tool(program).expect("a program");
        let listed = Command::new("ldd").arg(&file).output().expect("ldd runs");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let libraries = listed.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned);
        files.push((format!("/usr/bin/{program}"), file));
        files.extend(libraries.map(|library| (library.clone(), library.into())));
    }
    let node = |file: &Path| Node::file(Meta::root(0o755, 1), std::fs::read(file).expect("a readable file"));
    let mut tree: Tree =
        files.iter().map(|(path, file)| (TreePath::parse(path).expect("a path"), node(file))).collect();
    tree.insert(TreePath::literal("bin"), Node::symlink("usr/bin", 1)).expect("inserted");
    for (path, text) in [
        ("etc/kept", "kept"),
        ("etc/changed", "old"),
        ("etc/gone", "gone"),
        // Podman would make its own.
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("etc/group", "root:x:0:\n"),
    ] {
        let path = TreePath::parse(path).expect("a path");
        tree.create_dir_all(&path.parent().expect("a parent"), &Meta::root(0o755, 1)).expect("made");
        tree.insert(path, Node::file(Meta::root(0o644, 1), text.as_bytes())).expect("inserted");
    }
    tree.create_dir_all(&TreePath::literal("srv"), &Meta::root(0o755, 1)).expect("made");
    let owned = Meta { uid: 1000, gid: 1000, ..Meta::root(0o640, 1) };
    tree.insert(USER, Node::file(owned, *b"mine")).expect("inserted");
    tree
}

fn run(text: &str, args: &[&str]) -> Result<Tree, ScriptRunnerError> {
    let runner = NamespaceRunner { contents: &NoPackedContent, platform: PLATFORM, now: NOW };
    let environment = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
    let text = format!("#!/bin/sh\nset -e\n{text}\n");
    let script =
        ScriptRun { package: "example", script: "postinst", text: text.as_bytes(), args, environment: &environment };
    runner.run_script(tree(), &script)
}

#[test]
fn a_container_does_as_well_as_namespaces() {
    if !require::require(&["unshare", "tar", "ldd", "newuidmap", "podman"]) {
        return;
    }
    let engine = Engine::find(Some(EngineKind::Podman)).expect("podman");
    let text = b"#!/bin/sh\nset -e\necho \"$1 $GREETING\" > /etc/changed; rm /etc/gone; chown 33:33 /etc/kept; echo x > /run/lost\n";
    let environment = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
    let script =
        ScriptRun { package: "example", script: "postinst", text, args: &["configure"], environment: &environment };
    let runner = NamespaceRunner { contents: &NoPackedContent, platform: PLATFORM, now: NOW };
    let in_namespaces = runner.run_script(tree(), &script).expect("it runs in namespaces");
    let in_container = runner.run_in_container(&engine, tree(), &script).expect("it runs in a container");
    for (path, node) in in_container.iter() {
        assert_eq!(in_namespaces.get(path), Some(node), "{path}");
    }
    assert_eq!(self::text(&in_container, "etc/changed").as_deref(), Some("configure hello\n"));
    assert!(!in_container.contains(&TreePath::literal("etc/gone")));
    let failing = ScriptRun { text: b"#!/bin/sh\necho no way >&2; exit 7\n", ..script };
    let error = runner.run_in_container(&engine, tree(), &failing).expect_err("it fails");
    assert_eq!(error.to_string(), "postinst of example failed with status 7");
}

fn text(tree: &Tree, path: &str) -> Option<String> {
    let bytes = tree.read(&TreePath::parse(path).expect("a path"), &NoPackedContent).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn what_a_script_does_is_taken_over() {
    if !require::require(&["unshare", "tar", "ldd", "newuidmap"]) {
        return;
    }
    let before = tree();
    let after = run(
        "echo \"$1 $GREETING $DPKG_MAINTSCRIPT_PACKAGE\" > /etc/changed; rm /etc/gone; mkdir /etc/new; chown 33:33 /etc/new\n\
         ln -s ../kept /etc/new/link; chmod 4755 /srv/of-user; id -u > /etc/new/uid; echo x > /tmp/lost; echo x > /run/lost",
        &["configure", ""],
    )
    .expect("the script runs");
    assert_eq!(text(&after, "etc/changed").as_deref(), Some("configure hello example\n"));
    assert_eq!(text(&after, "etc/new/uid").as_deref(), Some("0\n"));
    let meta = |path: &TreePath| after.get(path).map(|node| (node.meta.mode, node.meta.uid, node.meta.mtime));
    assert_eq!(meta(&TreePath::literal("etc/new")).map(|(_, uid, time)| (uid, time)), Some((33, NOW)));
    assert_eq!(meta(&USER), Some((0o4755, 1000, 1)));
    assert_eq!(after.get(&TreePath::literal("etc/kept")), before.get(&TreePath::literal("etc/kept")));
    assert_eq!(after.get(&TreePath::literal("usr/bin/sh")), before.get(&TreePath::literal("usr/bin/sh")));
    for gone in ["etc/gone", "tmp/lost", "run/lost", "tmp/plywood-script", "dev/null"] {
        assert!(!after.contains(&TreePath::parse(gone).expect("a path")), "{gone}");
    }
}

#[test]
fn a_script_that_fails_is_told_with_its_words() {
    if !require::require(&["unshare", "tar", "ldd", "newuidmap"]) {
        return;
    }
    let error = run("echo no way >&2; exit 7", &["configure"]).expect_err("it fails");
    assert_eq!(error.to_string(), "postinst of example failed with status 7");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("no way"));
}
