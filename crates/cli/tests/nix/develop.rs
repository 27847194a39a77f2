//! Images for development: the whole shell is there when a container starts, and Nix works in it without a network.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use plywood_testkit::{Editor, require};

use crate::lab::{lab, run, succeed, text};

#[test]
fn tools_are_found_by_every_kind_of_shell() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let image = lab.load("devcontainer-python");
    let find = "for tool in python3 rg; do command -v $tool; done; echo $SHELL_NAME";
    let expect = "/nix/profile/bin/python3\n/nix/profile/bin/rg\npython\n";
    for shell in [&["sh", "-c"][..], &["bash", "-c"], &["bash", "-lc"], &["zsh", "-c"], &["sh", "-lc"]] {
        let command: Vec<&str> = shell.iter().copied().chain([find]).collect();
        assert_eq!(run(&image, &[], &command), expect, "{shell:?}");
    }
    for shell in ["bash", "zsh"] {
        let said = run(&image, &[], &[shell, "-ic", "echo \"<$HOOKED>\""]);
        assert!(said.contains("<it's python>"), "{shell}: {said}");
    }
    let login = run(&image, &["--env", "PATH=/usr/bin:/bin"], &["env", "-i", "HOME=/home/vscode", "bash", "-lc", find]);
    assert_eq!(login, expect, "a login shell that got no environment");
}

#[test]
fn the_first_prompt_evaluates_nothing() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let image = lab.load("devcontainer-python");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stub = folder.path().join("nix");
    fs::write(&stub, "#!/bin/sh\necho \"$@\" >> /tmp/asked\nexit 1\n").expect("written");
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).expect("its mode");
    let volume = format!("{}:/usr/bin/nix:ro", stub.display());
    let look = "command -v python3; echo \"<$HOOKED>\"; test ! -e /tmp/asked && echo asked nothing";
    let prompts = [("bash", "eval \"$PROMPT_COMMAND\""), ("zsh", "for hook in $precmd_functions; do $hook; done")];
    for (shell, prompt) in prompts {
        let said = run(&image, &["--volume", &volume], &[shell, "-ic", &format!("{prompt}; {look}")]);
        let expect = "/nix/profile/bin/python3\n<it's python>\nasked nothing\n";
        assert!(said.ends_with(expect), "{shell}: {said}");
    }
    // The stub is what would have been asked.
    let said = run(&image, &["--volume", &volume], &["sh", "-c", "nix eval; cat /tmp/asked"]);
    assert_eq!(said, "eval\n");
}

#[test]
fn direnv_uses_the_flake_without_a_network() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let image = lab.load("devcontainer-python");
    let prompt = "bash -ic 'eval \"$PROMPT_COMMAND\"; echo in:$IN_NIX_SHELL; command -v rg'";
    let script = format!(
        "set -e
         cp -r /flake /workspace/project
         cd /workspace/project
         echo 'use flake .#python' > .envrc
         {prompt}
         nix-collect-garbage > /dev/null
         {prompt}"
    );
    let flake = format!("{}:/flake:ro", lab.workspace);
    let said = run(&image, &["--volume", &flake], &["bash", "-c", &script]);
    let lines: Vec<&str> = said.lines().collect();
    let [first, rg, second, again] = lines[..] else { panic!("{said}") };
    assert_eq!([first, second], ["in:impure"; 2]);
    assert!(rg.starts_with("/nix/store/") && rg == again, "{said}");
}

/// What must work for whoever owns the store.
const USE_NIX: &str = r#"
set -e
nix store verify --all
nix-store --verify --check-contents
cp -r /flake /tmp/flake
cd /tmp/flake
nix develop --offline .#python -c sh -c 'test "$SHELL_NAME" = python && python3 --version'
cat > /tmp/new.nix <<'END'
derivation { name = "new"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo made > $out" ]; }
END
test "$(cat $(nix build --offline --impure --no-link --print-out-paths -f /tmp/new.nix))" = made
nix-collect-garbage > /dev/null
python3 --version
nix store verify --all
"#;

#[test]
fn nix_works_without_a_network() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let image = lab.load("devcontainer-python");
    let flake = format!("{}:/flake:ro", lab.workspace);
    let said = run(&image, &["--volume", &flake], &["bash", "-c", USE_NIX]);
    assert!(said.matches("Python 3.").count() >= 2, "{said}");
}

#[test]
fn nix_works_for_a_user_whose_uid_was_changed() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let image = lab.load("devcontainer-python");
    let mut label = Command::new("podman");
    label.args(["image", "inspect", "--format", "{{index .Labels \"devcontainer.metadata\"}}", &image]);
    let label = text(&succeed(&mut label).stdout);
    let entries: serde_json::Value = serde_json::from_str(label.trim()).expect("JSON");
    let own: Vec<&str> =
        entries.as_array().expect("a list").iter().filter_map(|one| one["onCreateCommand"].as_str()).collect();
    assert!(!own.is_empty(), "{entries}");
    // What editors do to a user, then what they run as that user.
    let change = "usermod -u 1001 vscode && groupmod -g 1001 vscode && chown -R 1001:1001 /home/vscode && \
                  exec setpriv --reuid 1001 --regid 1001 --init-groups env HOME=/home/vscode bash -c \"$0\"";
    let script = format!("set -e\n{}\n{USE_NIX}", own.join("\n"));
    let flake = format!("{}:/flake:ro", lab.workspace);
    let said = run(&image, &["--user", "root", "--volume", &flake], &["bash", "-c", change, &script]);
    assert!(said.matches("Python 3.").count() >= 2, "{said}");
}

#[test]
fn editors_find_the_shell() {
    check_editor(1000);
}

#[test]
fn editors_whose_person_has_another_uid_find_the_shell() {
    check_editor(1001);
}

/// Starts a development container for a person of this uid with the reference implementation, and works in it.
fn check_editor(uid: u32) {
    let (true, Some(lab)) = (require(&["podman", "devcontainer"]), lab()) else { return };
    let image = lab.load("devcontainer-python");
    let mount = format!("type=bind,source={},target=/flake,readonly", lab.workspace);
    let config = format!(r#"{{"image": "{image}", "runArgs": ["--network=none"], "mounts": ["{mount}"]}}"#);
    let (editor, _) = Editor::open(uid, &config);
    let script = "id -u; command -v python3; echo $SHELL_NAME; python3 -c 'import sys; print(sys.prefix)'";
    let said = editor.exec(&["sh", "-c", script]);
    let expect = format!("{uid}\n/nix/profile/bin/python3\npython\n/nix/store/");
    assert!(said.starts_with(&expect), "{said}");
    editor.exec(&["bash", "-c", USE_NIX]);
}
