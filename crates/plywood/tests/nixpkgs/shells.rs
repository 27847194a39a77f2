//! `mkShell`, with which `nix develop` works and needs no network.

use std::fs;
use std::process::Command;

use plywood_testkit::nixpkgs::{BUILD_SYSTEM, Nixpkgs, nix};

use crate::lab::{set, stdout};

/// A flake of somebody, with the set as its input and a shell made of another shell.
fn flake(set: &Nixpkgs) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = format!(
        r#"{{
  inputs.nixpkgs.url = "{}";
  outputs = {{ self, nixpkgs }}:
    let
      shell = system:
        let
          pkgs = import nixpkgs {{ inherit system; }};
          base = pkgs.mkShell {{ packages = [ pkgs.git ]; shellHook = "export ORDER=$ORDER:base"; }};
        in
        {{
          default = pkgs.mkShell {{
            name = "everything";
            inputsFrom = [ base ];
            packages = with pkgs; [ python312 nodejs_22 ];
            COLOUR = "blue";
            env.SHAPE = "round";
            shellHook = "export ORDER=$ORDER:own";
          }};
        }};
    in
    {{ devShells = nixpkgs.lib.genAttrs nixpkgs.lib.systems.flakeExposed shell; }};
}}
"#,
        set.url()
    );
    fs::write(folder.path().join("flake.nix"), text).expect("a flake");
    folder
}

/// A shell's own tools and what `nix develop` itself takes from the set.
fn prepare(set: &Nixpkgs) {
    set.build(BUILD_SYSTEM, &["bashInteractive", "stdenv", "python312", "nodejs_22", "git"]).expect("tools");
}

#[test]
fn nix_develop_works_offline() {
    let Some(set) = set() else { return };
    prepare(&set);
    let folder = flake(&set);
    let develop = |script: &str| {
        let url = format!("path:{}", folder.path().display());
        let mut command = nix();
        command.args(["develop", "--offline", &url, "--command", "bash", "-c", script]);
        stdout(command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder.path()))
    };
    assert!(develop("python3 --version").starts_with("Python 3."));
    assert!(develop("node --version").starts_with("v22."));
    assert_eq!(develop("echo $COLOUR $SHAPE $ORDER"), "blue round :base:own\n");
    let tools = develop("command -v git ls grep tar");
    assert!(tools.lines().all(|path| path.starts_with("/nix/store/")), "{tools}");
}

#[test]
fn shells_are_built_for_both_systems() {
    let Some(set) = set() else { return };
    prepare(&set);
    let folder = flake(&set);
    for system in plywood_testkit::nixpkgs::SYSTEMS {
        let installable = format!("path:{}#devShells.{system}.default", folder.path().display());
        let built = set.build_installable(&installable).unwrap_or_else(|error| panic!("{system}: {error}"));
        let text = fs::read_to_string(&built).expect("what the shell exports");
        assert!(text.contains("COLOUR=\"blue\""), "{text}");
    }
}

#[test]
fn print_dev_env_has_what_the_shell_exports() {
    let Some(set) = set() else { return };
    prepare(&set);
    let folder = flake(&set);
    let url = format!("path:{}", folder.path().display());
    let text = stdout(nix().args(["print-dev-env", "--offline", &url]));
    let mut bash = Command::new("bash");
    bash.args(["-c", "eval \"$1\"; echo $SHAPE; command -v python3", "bash", &text]);
    let said = stdout(bash.env_clear().env("PATH", "/usr/bin:/bin").current_dir(folder.path()));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.first(), Some(&"round"));
    assert!(lines.get(1).is_some_and(|path| path.starts_with("/nix/store/")), "{said}");
}
