//! The shell and its utilities against dash and the real utilities, script by script.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use plywood_core::platform::Platform;
use plywood_core::shell::{Commands, Machine};
use plywood_core::tree::{Meta, NoPackedContent, Node, NodeKind, Tree, TreePath};
use plywood_testkit::require::{require, require_root};

/// What a script printed and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    stdout: String,
    status: i32,
}

/// Runs a script in real dash, in a directory of its own.
fn real(script: &str) -> Ended {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new("dash")
        .args(["-c", script])
        .current_dir(directory.path())
        .env_clear()
        .envs(environment())
        .stdin(Stdio::null())
        .output()
        .expect("dash runs");
    Ended { stdout: String::from_utf8_lossy(&output.stdout).into_owned(), status: output.status.code().unwrap_or(-1) }
}

fn environment() -> BTreeMap<String, String> {
    [("PATH", "/usr/bin:/bin"), ("HOME", "/root"), ("LC_ALL", "C")]
        .map(|(name, value)| (name.into(), value.into()))
        .into()
}

/// Runs a script in ours, in an empty directory of a tree that has every command.
fn ours(script: &str) -> Ended {
    let commands = Commands::<()>::standard();
    let mut tree = Tree::new();
    for directory in ["usr/bin", "tmp", "root", "dev", "work"] {
        tree.create_dir_all(&TreePath::literal(directory), &Meta::root(0o755, 0)).expect("free");
    }
    let mut put = |path: &TreePath, node: Node| tree.insert(path.clone(), node).expect("free");
    put(&TreePath::literal("bin"), Node::symlink("usr/bin", 0));
    let null = NodeKind::CharDevice { major: 1, minor: 3 };
    put(&TreePath::literal("dev/null"), Node { meta: Meta::root(0o666, 0), kind: null });
    for name in commands.names() {
        let path = TreePath::literal("usr/bin").join(name).expect("a name");
        put(&path, Node::file(Meta::root(0o755, 0), *b"\x7fELF"));
    }
    for (path, text) in [("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"), ("etc/group", "root:x:0:\n")] {
        tree.create_dir_all(&TreePath::literal("etc"), &Meta::root(0o755, 0)).expect("free");
        let path = TreePath::literal(path);
        tree.insert(path, Node::file(Meta::root(0o644, 0), text.as_bytes())).expect("free");
    }
    let mut machine = Machine::new(tree, &NoPackedContent, Platform::LinuxAmd64, (), 1_700_000_000, commands);
    let mut environment = environment();
    environment.insert("PWD".into(), "/work".into());
    // As `dash -c` has it in its own directory.
    let wrapped = [b"cd /work; unset OLDPWD\n", script.as_bytes()].concat();
    match machine.run_script(&wrapped, &["dash"], &environment) {
        Ok(outcome) => Ended { stdout: outcome.stdout.to_string(), status: outcome.status.0.into() },
        // dash leaves with 2 when it meets a syntax error.
        Err(error) => Ended { stdout: format!("refused: {error}"), status: -2 },
    }
}

/// Compares every script of a file of scripts; they are separated by lines of `---`.
fn compare(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shell").join(file);
    let text = std::fs::read_to_string(&path).expect("the data file is there");
    let mut failures = Vec::new();
    for script in text.split("\n---\n") {
        let (real, ours) = (real(script), ours(script));
        if real != ours {
            failures.push(format!("{script}\n  real {real:?}\n  ours {ours:?}"));
        }
    }
    assert!(failures.is_empty(), "{} scripts differ:\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn the_language_is_that_of_dash() {
    if require(&["dash"]) {
        compare("language.txt");
    }
}

#[test]
fn the_utilities_do_what_the_real_ones_do() {
    if require(&["dash", "sed", "grep", "find"]) && require_root() {
        compare("utilities.txt");
    }
}
