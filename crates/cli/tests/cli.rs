//! What a person sees: standard output, standard error and exit status together. The logic is tested further down.

use std::path::Path;

use assert_cmd::Command;

/// Runs plywood in a folder with this manifest, and gives everything it did as one text.
fn plywood(manifest: Option<&str>, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if let Some(manifest) = manifest {
        std::fs::write(folder.path().join("plywood.toml"), manifest).expect("the manifest is written");
    }
    let mut command = Command::cargo_bin("plywood").expect("the program is built");
    command.current_dir(folder.path()).args(arguments).env("PLYWOOD_CACHE", folder.path().join("cache"));
    command.env_remove("PLYWOOD_SIGNING_KEY").env_remove("PLYWOOD_SIGNING_KEY_FILE");
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*folder.path().to_string_lossy(), "[FOLDER]");
    let status = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    format!("status {status}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
}

const SMALL: &str = "\
[workspace]
name = \"small\"

[debian]
suite = \"trixie\"

[images.base]
packages = [\"curl\"]

[images.devcontainer-base]
from = \"base\"
";

#[test]
fn faults_of_the_manifest_are_shown_in_its_text() {
    let manifest = SMALL.replace("suite =", "sute =").replace("[\"curl\"]", "\"curl\"");
    insta::assert_snapshot!(plywood(Some(&manifest), &["build"]));
}

#[test]
fn an_unknown_image_has_a_suggestion() {
    insta::assert_snapshot!(plywood(Some(SMALL), &["build", "devcontianer-base"]));
}

#[test]
fn a_folder_without_a_manifest_is_a_usage_error() {
    insta::assert_snapshot!(plywood(None, &["lock", "--json"]));
}

#[test]
fn a_wrong_output_is_a_usage_error() {
    insta::assert_snapshot!(plywood(Some(SMALL), &["build", "--output", "tar:x"]));
}

#[test]
fn an_empty_cache_is_shown() {
    insta::assert_snapshot!(plywood(None, &["cache", "show"]));
}

#[test]
fn the_schema_accepts_the_workspace_that_ships() {
    let output = Command::cargo_bin("plywood").expect("the program is built").arg("schema").output().expect("it runs");
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/plywood.toml");
    let text = std::fs::read_to_string(path).expect("the shipped manifest");
    let manifest: serde_json::Value = toml::from_str(&text).expect("TOML");
    let faults: Vec<String> = validator.iter_errors(&manifest).map(|error| error.to_string()).collect();
    assert_eq!(faults, [""; 0]);
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = plywood(None, &["completions", shell]);
        assert!(script.starts_with("status 0\n"), "{shell}");
        for word in ["build", "--locked", "--explain"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell} completes {word}");
        }
    }
}

#[test]
fn manual_pages_are_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::cargo_bin("plywood").expect("the program is built");
    command.arg("man").arg(folder.path()).assert().success();
    for page in ["plywood.1", "plywood-build.1", "plywood-cache-prune.1"] {
        assert!(folder.path().join(page).exists(), "{page}");
    }
}

#[test]
fn without_keys_nothing_is_signed_or_verified() {
    insta::assert_snapshot!(plywood(None, &["sign", "localhost:1/team/base:latest"]));
    insta::assert_snapshot!(plywood(None, &["verify", "localhost:1/team/base:latest"]));
}

#[test]
fn a_key_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let generate = || {
        let mut command = Command::cargo_bin("plywood").expect("the program is built");
        command.current_dir(folder.path()).args(["key", "generate", "--out", "ci.key"]).output().expect("it runs")
    };
    assert_eq!(generate().status.code(), Some(0));
    let key = std::fs::read(folder.path().join("ci.key")).expect("the key");
    let again = generate();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"), "{again:?}");
    assert_eq!(std::fs::read(folder.path().join("ci.key")).expect("the key"), key);
}
