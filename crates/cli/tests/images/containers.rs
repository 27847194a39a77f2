//! The images in podman: what they promise their users.

use std::fs;
use std::process::Command;

use plywood_testkit::{require, require_mirror};

use crate::lab::{Lab, lab, succeed, text};

/// Runs a script in a container as the image's user or another, and gives what it prints.
fn run(lab: &Lab, image: &str, options: &[&str], script: &str) -> String {
    let mut command = lab.plywood(&["--quiet", "run", "--locked"]);
    text(&succeed(command.args(options).args([image, "sh", "-euc", script])).stdout)
}

#[test]
fn the_manifests_own_tests_pass() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let output = succeed(&mut lab.plywood(&["test", "base", "devcontainer-base", "--locked"]));
    assert!(text(&output.stdout).contains(", 0 failed"));
}

#[test]
fn nix_works_as_the_user() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    // The closure is empty, so that nothing has to be fetched: the shell is the image's own.
    let script = "
        nix --version | cut -d' ' -f1
        nix eval --expr '1 + 1'
        built=$(nix build --offline --impure --no-link --print-out-paths --expr 'derivation {
            name = \"greeting\"; system = builtins.currentSystem;
            builder = \"/bin/sh\"; args = [\"-c\" \"echo hello > $out\"];
        }' 2> /dev/null)
        cat $built
        nix-collect-garbage > /dev/null 2>&1
        test ! -e $built && echo collected";
    for image in ["base", "devcontainer-base"] {
        assert_eq!(run(lab, image, &[], script), "nix\n2\nhello\ncollected\n", "{image}");
    }
}

#[test]
fn tools_are_there_under_their_usual_names() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let script = "
        whoami
        sudo -n id -un
        for tool in direnv; do $tool version > /dev/null; done
        for tool in fd bat rg jq fzf git curl zsh less ps; do $tool --version > /dev/null; done
        test -s /etc/ssl/certs/ca-certificates.crt
        openssl verify -CApath /etc/ssl/certs /usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt > /dev/null
        locale 2> /dev/null | grep ^LANG=
        stat -c '%U %a' ~ /workspace /nix /tmp";
    let expect = "vscode\nroot\nLANG=C.UTF-8\nvscode 700\nvscode 755\nvscode 755\nroot 1777\n";
    assert_eq!(run(lab, "devcontainer-base", &[], script), expect);
}

#[test]
fn dpkg_finds_nothing_wrong() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    for image in ["base", "devcontainer-base"] {
        assert_eq!(
            run(lab, image, &["--user", "root"], "dpkg --audit; dpkg --verify; apt-get check -qq"),
            "",
            "{image}"
        );
    }
}

/// With this machine's mirror, since a container may not reach the one that the image names.
#[test]
fn apt_installs_a_package() {
    let (true, Some(lab), Some(mirror)) = (require(&["podman"]), lab(), require_mirror()) else { return };
    succeed(&mut lab.plywood(&["build", "base", "--locked", "--load", "podman"]));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let source = format!("deb [signed-by={key}] {mirror} trixie main\n");
    fs::write(folder.path().join("machine.list"), source).expect("the sources are written");
    let mount = |from: &str, to: &str| format!("--mount=type=bind,source={from},target={to},readonly");
    let sources = mount(&folder.path().to_string_lossy(), "/etc/apt/sources.list.d");
    let script = "apt-get update -qq && apt-get install -qqy hello > /dev/null 2>&1 && hello && dpkg --audit";
    let mut podman = Command::new("podman");
    podman.args(["run", "--rm", "--pull=never", "--network=host", "--user=root", &sources]);
    // How the machine reaches its mirror, such as by a proxy, is in its settings.
    podman.arg(mount("/etc/apt/apt.conf.d", "/etc/apt/apt.conf.d"));
    let output = succeed(podman.args([&Lab::reference("base"), "sh", "-c", script]));
    assert_eq!(text(&output.stdout), "Hello, world!\n");
}
