//! One good image, and for every rule a way to spoil it.

use super::*;
use crate::platform::Platform;
use crate::tree::{Meta, NoPackedContent, Node, Tree, TreePath};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nvscode:x:1000:1000::/home/vscode:/bin/bash\n";
const GROUP: &str = "root:x:0:\nsudo:x:27:vscode\nvscode:x:1000:\n";
const SHADOW: &str = "root:*:1::::::\nvscode:*:1::::::\n";
const METADATA: &str = r#"[{"onCreateCommand":"sudo chown -R $(id -u) /nix /workspace"}]"#;

fn path(text: &str) -> TreePath {
    TreePath::parse(text).expect("a path")
}

fn file(text: &str, mode: u16) -> Node {
    Node::file(Meta::root(mode, 0), text.as_bytes())
}

fn directory(uid: u32, mode: u16) -> Node {
    Node::directory(Meta { uid, gid: uid, ..Meta::root(mode, 0) })
}

fn good() -> Tree {
    let status = "Package: ca-certificates\nStatus: install ok installed\nVersion: 1\n";
    let mut nodes = vec![
        ("etc/passwd", file(PASSWD, 0o644)),
        ("etc/group", file(GROUP, 0o644)),
        ("etc/shadow", file(SHADOW, 0o640)),
        ("etc/sudoers", file("", 0o440)),
        ("etc/sudoers.d/vscode", file("", 0o440)),
        ("etc/os-release", Node::symlink("../usr/lib/os-release", 0)),
        ("usr/lib/os-release", file("NAME=x\nID=debian\n", 0o644)),
        ("etc/ssl/certs/ca-certificates.crt", file("-----BEGIN", 0o644)),
        ("var/lib/dpkg/status", file(status, 0o644)),
        ("bin", Node::symlink("usr/bin", 0)),
        ("lib64", Node::symlink("usr/lib64", 0)),
        ("usr/lib64/ld-linux-x86-64.so.2", file("", 0o755)),
        ("usr/lib/x86_64-linux-gnu/libstdc++.so.6", file("", 0o644)),
        ("root", directory(0, 0o700)),
        ("home/vscode", directory(1000, 0o755)),
        ("workspace", directory(1000, 0o755)),
        ("nix", directory(1000, 0o755)),
        ("nix/store", directory(1000, 0o755)),
        ("nix/var", directory(1000, 0o755)),
        ("tmp", directory(0, 0o1777)),
        ("var/tmp", directory(0, 0o1777)),
    ];
    let programs = ["bash", "sh", "env", "tar", "gzip", "ps"].map(|name| (format!("usr/bin/{name}"), 0o755));
    let setuid = ["sudo", "su", "passwd", "mount"].map(|name| (format!("usr/bin/{name}"), 0o4755));
    let programs: Vec<(String, u16)> = programs.into_iter().chain(setuid).collect();
    nodes.extend(programs.iter().map(|(path, mode)| (path.as_str(), file("", *mode))));
    nodes.into_iter().map(|(text, node)| (path(text), node)).collect()
}

/// The rules that the image breaks once `spoil` has had its way.
fn broken(spoil: impl FnOnce(&mut Tree), configure: impl FnOnce(&mut Subject<'_>)) -> Vec<&'static str> {
    let mut tree = good();
    spoil(&mut tree);
    let mut subject = Subject::new(&tree, &NoPackedContent, Platform::LinuxAmd64);
    subject.user = "vscode".to_owned();
    subject.workdir = "/workspace".to_owned();
    subject.env.insert("PATH".to_owned(), "/home/vscode/.local/bin:/usr/bin:/bin".to_owned());
    subject.labels.insert("devcontainer.metadata".to_owned(), METADATA.to_owned());
    configure(&mut subject);
    let mut rules: Vec<&str> = inspect(&subject).into_iter().map(|fault| fault.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn a_good_image_has_no_faults() {
    assert_eq!(broken(|_| {}, |_| {}), [""; 0]);
}

#[test]
fn spoiled_files_are_found() {
    let check = |expect: &[&str], spoil: &dyn Fn(&mut Tree)| assert_eq!(broken(spoil, |_| {}), expect);
    let write = |tree: &mut Tree, at: &str, text: &str| {
        tree.write(&path(at), text.as_bytes(), &Meta::root(0o644, 0)).expect("written");
    };
    let put = |tree: &mut Tree, at: &str, node: Node| drop(tree.insert(path(at), node).expect("inserted"));
    let chmod =
        |tree: &mut Tree, at: &str, mode: u16| tree.set_meta(&path(at), |meta| meta.mode = mode).expect("there");
    let chown = |tree: &mut Tree, at: &str, uid: u32| tree.set_meta(&path(at), |meta| meta.uid = uid).expect("there");
    let remove = |tree: &mut Tree, at: &str| {
        tree.remove_all(&path(at));
    };

    check(&["account-files"], &|tree| write(tree, "etc/shadow", "root:*:1::::::\n"));
    check(&["account-files"], &|tree| chmod(tree, "etc/shadow", 0o644));
    check(&["account-files"], &|tree| remove(tree, "etc/shadow"));
    check(&[], &|tree| {
        write(tree, "etc/passwd", &PASSWD.replace(":x:", ":*:"));
        remove(tree, "etc/shadow");
    });
    check(&["account-files"], &|tree| {
        put(tree, "etc/group-real", file(GROUP, 0o644));
        put(tree, "etc/group", Node::symlink("group-real", 0));
    });
    check(&["account-files"], &|tree| write(tree, "etc/group", &GROUP.replace("27:", "27:ghost,")));
    check(&["one-name-per-id"], &|tree| {
        write(tree, "etc/passwd", &format!("{PASSWD}nix:x:1000:1000::/home/nix:/bin/sh\n"));
        write(tree, "etc/shadow", &format!("{SHADOW}nix:*:1::::::\n"));
    });
    check(&["home"], &|tree| chown(tree, "home/vscode", 0));
    check(&["home"], &|tree| remove(tree, "home/vscode"));
    check(&["shell"], &|tree| remove(tree, "usr/bin/bash"));
    check(&["workdir"], &|tree| chown(tree, "workspace", 0));
    check(&["sudo"], &|tree| chmod(tree, "usr/bin/sudo", 0o755));
    check(&["sudo"], &|tree| chmod(tree, "etc/sudoers.d/vscode", 0o644));
    check(&["sudo"], &|tree| put(tree, "etc/sudoers.d/a.user", file("", 0o440)));
    check(&["sudo"], &|tree| remove(tree, "usr/bin/sudo"));
    check(&["setuid"], &|tree| chown(tree, "usr/bin/su", 1));
    check(&["loader"], &|tree| remove(tree, "usr/lib64/ld-linux-x86-64.so.2"));
    check(&["env-program"], &|tree| remove(tree, "usr/bin/env"));
    check(&["editor-tools"], &|tree| remove(tree, "usr/bin/ps"));
    check(&["os-release"], &|tree| remove(tree, "usr/lib/os-release"));
    check(&["engine-files"], &|tree| put(tree, "etc/resolv.conf", Node::symlink("../run/resolv.conf", 0)));
    check(&["temporary"], &|tree| chmod(tree, "tmp", 0o755));
    check(&["certificates"], &|tree| write(tree, "etc/ssl/certs/ca-certificates.crt", ""));
    check(&["nix-store"], &|tree| chown(tree, "nix/store", 0));
    check(&["other-uid"], &|tree| put(tree, "opt", directory(1000, 0o755)));
}

#[test]
fn a_configuration_that_does_not_fit_is_found() {
    let check = |expect: &[&str], configure: &dyn Fn(&mut Subject<'_>)| assert_eq!(broken(|_| {}, configure), expect);
    let env = |subject: &mut Subject<'_>, name: &str, value: &str| {
        subject.env.insert(name.to_owned(), value.to_owned());
    };
    check(&["user", "path"], &|subject| subject.user = "nobody-here".to_owned());
    check(&["user", "path"], &|subject| subject.user = "4711".to_owned());
    check(&[], &|subject| subject.user = "1000:1000".to_owned());
    check(&["home"], &|subject| env(subject, "HOME", "/home/nix"));
    check(&["workdir"], &|subject| subject.workdir = "/nowhere".to_owned());
    check(&["path"], &|subject| env(subject, "PATH", "/usr/bin:/bin:/opt/bin"));
    check(&["path"], &|subject| env(subject, "PATH", "/usr/bin:/bin:"));
    check(&["other-uid"], &|subject| {
        subject.labels.insert("devcontainer.metadata".to_owned(), "[]".to_owned());
    });
    for (program, expect) in [
        ("bash", &[][..]),
        ("/bin/sh", &[]),
        ("./mounted", &[]),
        ("nope", &["command"]),
        ("/bin/nope", &["command"]),
        ("/etc/passwd", &["command"]),
        ("", &["command"]),
    ] {
        check(expect, &|subject| subject.started.push(program.to_owned()));
    }
    check(&["other-uid"], &|subject| subject.other_uid = 0);
    check(&[], &|subject| subject.other_uid = 1000);
}

#[test]
fn rules_have_names_of_their_own() {
    let mut ids: Vec<&str> = rules().iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

proptest::proptest! {
    #[test]
    fn no_accounts_file_is_too_strange(passwd in ".{0,80}", group in ".{0,80}", sudo in proptest::bool::ANY) {
        let mut tree = good();
        tree.write(&path("etc/passwd"), passwd.into_bytes(), &Meta::root(0o644, 0)).expect("written");
        tree.write(&path("etc/group"), group.into_bytes(), &Meta::root(0o644, 0)).expect("written");
        let mut subject = Subject::new(&tree, &NoPackedContent, Platform::LinuxArm64);
        subject.user = if sudo { "vscode".to_owned() } else { String::new() };
        let _ = inspect(&subject);
    }
}
