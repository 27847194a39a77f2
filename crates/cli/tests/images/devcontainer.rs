//! What editors do with the image, done by the reference implementation.

use plywood_testkit::{Editor, require, require_root};

use crate::lab::{Lab, lab, succeed};

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
    let config = format!(r#"{{"image": "{}", "remoteUser": "vscode"}}"#, Lab::reference("devcontainer-base"));
    let (editor, result) = Editor::open(uid, &config);
    assert_eq!((&result["outcome"], &result["remoteUser"]), (&"success".into(), &"vscode".into()));
    assert_eq!(editor.exec(&["sh", "-euc", SCRIPT]), format!("{uid}\nvscode\nroot\n2\n"));
}
