//! What is locked of sets and shells, and what is said of those at fault.

use std::collections::BTreeSet;
use std::process::Command;

use camino::Utf8Path;
use plywood::build::{self, BuildOptions};
use plywood::lock::{LockOptions, LockOutcome};
use plywood_core::lockfile::LockedNixPlatform;
use plywood_core::platform::Platform;
use plywood_testkit::nixpkgs::BUILD_SYSTEM;
use plywood_testkit::require;

use crate::lab::{Lab, MANIFEST, NIXPKGS, chain, only, overriding, set};

const AMD64: Platform = Platform::LinuxAmd64;

#[test]
fn sets_and_shells_are_locked_with_their_closures() {
    let Some(set) = set() else { return };
    let lab = Lab::new(set, MANIFEST);
    let report = lab.must_lock(LockOptions::default());
    assert_eq!(report.outcome, LockOutcome::Created);
    assert!(lab.path().join("flake.lock").is_file(), "the flake's input is locked");

    let locked = lab.platform(AMD64);
    assert_eq!(locked.missing(), None);
    let roots = |name: &str| {
        let roots = &locked.sets.get(name).expect("the set").roots;
        roots.iter().map(|root| (root.attribute.as_str(), root.priority)).collect::<Vec<_>>()
    };
    assert_eq!(roots("python"), [("python312", 5), ("cacert", 5)]);
    assert_eq!(roots("tools"), [("ripgrep", 3), ("expression", 3)]);

    let shell = locked.shells.get("dev").expect("the shell");
    let attributes: Vec<&str> = shell.roots.iter().map(|root| root.attribute.as_str()).collect();
    assert_eq!(attributes, ["python312", "cacert", "ripgrep", "expression", "coreutils"]);
    assert_eq!(shell.env.get("GREETING").map(String::as_str), Some("it's \"me\""));
    let path = shell.env.get("PATH").expect("a PATH");
    assert!(path.split(':').all(|folder| folder.starts_with("/nix/store/") && folder.ends_with("/bin")), "{path}");
    assert!(path.contains("-ripgrep-") && path.contains("-coreutils-") && !path.contains("-gnumake-"), "{path}");
    for builders in ["TMPDIR", "NIX_BUILD_TOP", "HOME", "out", "SOURCE_DATE_EPOCH", "stdenv", "shellHook", "SHLVL", "_"]
    {
        assert_eq!(shell.env.get(builders), None);
    }
    assert_eq!(shell.hook, "echo ready");
    let develop: BTreeSet<&str> = shell.develop.iter().map(|path| path.name()).collect();
    assert!(develop.contains("source") && develop.contains("stdenv-linux"), "{develop:?}");

    let python = locked.paths.iter().find(|(path, _)| path.name().starts_with("python3-3")).expect("python").1;
    assert_eq!(python.pname.as_deref(), Some("python3"));
    assert_eq!(python.about.licences, ["PSF-2.0"]);
    assert!(python.about.homepage.is_some() && python.deriver.is_some());
    assert!(locked.paths.values().all(|path| path.local), "no substituter has any of it");
    assert!(lab.events.said("plywood cache push"));
    assert!(report.images.iter().any(|image| image.name == "dev" && image.layers > 2));
}

/// A shell need not have what its environment is written with, and its variables are never taken for the builder's own.
#[test]
fn a_shells_variables_hold_whatever_it_has_and_they_are_called() {
    let Some(set) = set() else { return };
    let variables = [
        ("GREETING", "grüße\n\n'it'\\ \"me\" `id` $(id) ${HOME} \u{1} %s\n"),
        ("EMPTY", ""),
        ("out", "not the output"),
        ("name", "its own"),
        ("IFS", "e"),
        ("TMPDIR", "/var/tmp"),
        ("TZ", "Europe/Berlin"),
        ("SOURCE_DATE_EPOCH", "3"),
        ("leftOut", "x"),
        ("declared", "y"),
        ("shellHook", "z"),
    ];
    let env: Vec<String> = variables.iter().map(|(name, value)| format!("{name} = {}", toml_text(value))).collect();
    let shell = format!("[shells.bare]\npackages = [\"ripgrep\"]\nenv = {{ {} }}\n", env.join(", "));
    let manifest = format!("[workspace]\nname = \"test\"\nplatforms = [\"linux/amd64\"]\n{shell}");
    let image = "[images.bare]\ndebian = false\nshell = \"bare\"\nnix = { certificates = false }\n";
    let lab = Lab::new(set, &(manifest + image));
    lab.must_lock(LockOptions::default());
    let locked = lab.platform(AMD64);
    let mut exported = locked.shells.get("bare").expect("the shell").env.clone();
    let path = exported.remove("PATH").expect("a PATH");
    assert!(path.contains("-ripgrep-") && !path.contains(':'), "{path}");
    for (name, value) in variables {
        assert_eq!(exported.remove(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(exported.get("HOME"), None);
}

/// A text of TOML.
fn toml_text(value: &str) -> String {
    let escape = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
        other => other.to_string(),
    };
    format!("\"{}\"", value.chars().map(escape).collect::<String>())
}

#[test]
fn a_second_lock_is_the_same_and_a_third_is_not_needed() {
    let Some(set) = set() else { return };
    let lab = Lab::new(set, MANIFEST);
    lab.must_lock(LockOptions::default());
    let text = lab.text();
    assert_eq!(lab.must_lock(LockOptions::default()).outcome, LockOutcome::Unchanged);
    std::fs::remove_file(lab.path().join("plywood.lock")).expect("removed");
    lab.must_lock(LockOptions::default());
    assert_eq!(lab.text(), text);
    // Anew, though it fits.
    lab.must_lock(only(&["images.dev"]));
    assert_eq!(lab.text(), text);
    assert_eq!(lab.must_lock(check()).outcome, LockOutcome::Unchanged);
}

#[test]
fn one_part_is_locked_and_the_rest_is_left() {
    let Some(set) = set() else { return };
    let lab = Lab::new(set, MANIFEST);
    lab.must_lock(LockOptions::default());
    let before = lab.platform(AMD64);
    let manifest = MANIFEST.replace("\"cacert\"]", "\"cacert\", \"tzdata\"]").replace("echo ready", "echo changed");
    lab.write("plywood.toml", &manifest);
    let report = lab.must_lock(only(&["shells.dev"]));
    assert_eq!(report.outcome, LockOutcome::Updated);
    assert!(report.changes.iter().any(|change| change.package == "nix:tzdata" && change.to.is_some()));
    assert!(report.nar_size > 0);
    let after = lab.platform(AMD64);
    assert_eq!(after.shells.get("dev").expect("the shell").hook, "echo changed");
    assert_eq!(after.sets, before.sets);
    let report = lab.must_lock(check());
    assert_eq!(report.outcome, LockOutcome::Stale);
    assert_eq!(report.reasons, ["the set `python` is asked for differently for linux/amd64"]);
    let unknown = lab.lock(only(&["sets.pyhton"])).expect_err("no such set");
    assert_eq!(unknown.to_string(), "there is no `sets.pyhton` in plywood.toml");
    assert!(unknown.is_usage());
}

#[test]
fn another_flake_lock_puts_everything_out_of_date() {
    let Some(set) = set() else { return };
    let lab = Lab::new(set, MANIFEST);
    lab.must_lock(LockOptions::default());
    let flake_lock = std::fs::read_to_string(lab.path().join("flake.lock")).expect("it is there");
    lab.write("flake.lock", &flake_lock.replace("\"version\"", " \"version\""));
    assert_eq!(lab.must_lock(check()).reasons, ["flake.lock has changed"]);
    assert_eq!(lab.must_lock(LockOptions::default()).outcome, LockOutcome::Updated);
}

#[test]
fn another_overlay_puts_everything_out_of_date() {
    let Some(set) = set() else { return };
    let lab = Lab::new(set, MANIFEST);
    lab.edit("flake.nix", "overlays = [ ];", "overlays = [ (import ./overlays/fixes.nix) ];");
    lab.write("overlays/fixes.nix", "final: prev: { }");
    lab.must_lock(LockOptions::default());
    lab.write("notes.nix", "{ }");
    assert_eq!(lab.must_lock(check()).outcome, LockOutcome::Unchanged, "no file of the flake");
    let before = lab.platform(AMD64);

    let fixed = "prev.ripgrep.overrideAttrs (old: { version = \"${old.version}-fixed\"; })";
    lab.write("overlays/fixes.nix", &format!("final: prev: {{ ripgrep = {fixed}; }}"));
    assert_eq!(lab.must_lock(check()).reasons, ["flake.nix or a file that it names has changed"]);
    assert_eq!(lab.must_lock(LockOptions::default()).outcome, LockOutcome::Updated);
    let after = lab.platform(AMD64);
    let ripgrep = |locked: &LockedNixPlatform| {
        locked.paths.values().filter(|path| path.pname.as_deref() == Some("ripgrep")).count()
    };
    assert_eq!((ripgrep(&before), ripgrep(&after)), (1, 1));
    assert!(after.paths.keys().any(|path| path.name().ends_with("-fixed")));
}

#[test]
fn an_input_is_overridden_without_being_locked() {
    let Some(set) = set() else { return };
    // As `infra/` has it, the input is on a host that cannot be reached here.
    let lab = Lab::without_input(MANIFEST);
    let mut mistaken = overriding(set);
    mistaken.nix.override_inputs.insert("nixpgks".to_owned(), set.url());
    let error = lab.lock(mistaken).expect_err("no such input");
    assert_eq!(chain(&error), "the flake has no input `nixpgks` for another to stand in for");
    assert!(error.is_usage() && !lab.path().join("plywood.lock").exists());

    lab.must_lock(overriding(set));
    assert!(!lab.path().join("flake.lock").exists());
    assert_eq!(lab.platform(AMD64).sets.len(), 2);

    // Whoever builds takes it as it is, whoever locks gets what the flake says.
    let stood_in = lab.locked().nix.expect("a lock of Nix").flake.override_inputs;
    assert_eq!(stood_in.into_iter().collect::<Vec<_>>(), [("nixpkgs".to_owned(), set.url())]);
    let build = BuildOptions { locked: true, images: vec!["run".to_owned()], ..BuildOptions::default() };
    let cache = tempfile::tempdir().expect("a folder");
    let workspace = lab.workspace(Utf8Path::from_path(cache.path()).expect("UTF-8"));
    build::build(&build, &workspace, &lab.events).unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(lab.must_lock(check()).reasons, [format!("`{}` stood in for the flake's input `nixpkgs`", set.url())]);
    lab.edit("flake.nix", NIXPKGS, &set.url());
    lab.must_lock(LockOptions::default());
    assert!(lab.path().join("flake.lock").exists());
    assert!(lab.locked().nix.expect("a lock of Nix").flake.override_inputs.is_empty());
    assert_eq!(lab.must_lock(check()).outcome, LockOutcome::Unchanged);
}

/// Options that only look.
fn check() -> LockOptions {
    LockOptions { check: true, ..LockOptions::default() }
}

#[test]
fn files_that_nobody_added_to_git_count() {
    let (true, Some(set)) = (require(&["git"]), set()) else { return };
    let lab = Lab::new(set, MANIFEST);
    let git = Command::new("git").arg("init").arg("--quiet").arg(lab.path()).status().expect("git runs");
    assert!(git.success());
    lab.must_lock(LockOptions::default());
}

#[test]
fn a_flake_in_a_folder_below_sees_the_whole_workspace() {
    let (true, Some(set)) = (require(&["git"]), set()) else { return };
    let manifest = MANIFEST.replace("[sets.python]", "[nix]\nflake = \"nïx/a b\"\n\n[sets.python]");
    let lab = Lab::new(set, &manifest);
    let flake = std::fs::read_to_string(lab.path().join("flake.nix")).expect("the flake");
    let flake = flake.replace("./nix/", "../../nix/").replace("./plywood.toml", "../../plywood.toml");
    std::fs::remove_file(lab.path().join("flake.nix")).expect("removed");
    lab.write("nïx/a b/flake.nix", &flake);
    lab.write(".gitignore", "*.toml\n");
    lab.must_lock(LockOptions::default());
    assert!(lab.path().join("nïx/a b/flake.lock").is_file() && !lab.path().join(".git").exists());
    assert_eq!(lab.platform(AMD64).sets.len(), 2);
    assert_eq!(lab.must_lock(check()).outcome, LockOutcome::Unchanged);
    lab.edit("nix/environment.sh", "export PATH", "# Changed.\nexport PATH");
    assert_eq!(lab.must_lock(check()).outcome, LockOutcome::Stale, "a file that the flake names");
}

#[test]
fn what_is_at_fault_is_named_with_its_place() {
    let Some(set) = set() else { return };
    let lab = Lab::new(set, MANIFEST);
    let check = |from: &str, to: &str, expect: &[&str]| {
        let manifest = MANIFEST.replacen(from, to, 1);
        assert_ne!(manifest, MANIFEST);
        let said = lab.fault(&manifest);
        for words in expect {
            assert!(said.contains(words), "{words}: {said}");
        }
    };
    check(
        "\"cacert\"",
        "\"ca-cert\"",
        &[
            "plywood.toml, line 6: the set `python` names `ca-cert`",
            "nixpkgs has no attribute",
            "did you mean `cacert`?",
        ],
    );
    check("\"cacert\"", "\"python312Packages.reqests\"", &["did you mean `python312Packages.requests`?"]);
    check("\"coreutils\"", "\"nixpks#coreutils\"", &["line 16: the shell `dev`", "did you mean `nixpkgs#coreutils`?"]);
    check("\"cacert\"", "\"python312Packages\"", &["`python312Packages` of the set `python` is no package but a set"]);
    check("pkgs.git", "pkgs.gitt", &["cannot evaluate the set `tools` for linux/amd64", "gitt"]);
    check("pkgs: [ pkgs.git ]", "pkgs: [ pkgs.git", &["cannot evaluate the set `tools`", "syntax error"]);
    check(
        "pkgs: [ pkgs.git ]",
        "pkgs: pkgs.git",
        &["set `tools`", "the expression gives a set, not a list of packages"],
    );
    check(
        "pkgs: [ pkgs.git ]",
        "pkgs: [ (pkgs.runCommand \\\"broken\\\" { } \\\"exit 7\\\") ]",
        &["cannot get what the sets and shells name", "-broken.drv", "plywood lock --verbose"],
    );
    let unfree = "pkgs: [ (pkgs.git.overrideAttrs (old: { meta = old.meta // { license = { free = false; }; }; })) ]";
    check("pkgs: [ pkgs.git ]", unfree, &["line 11: `expression` of the set `tools`", "cannot be evaluated", "unfree"]);
    let renamed = "pkgs: [ (throw \\\"gti has been renamed\\\") ]";
    check("pkgs: [ pkgs.git ]", renamed, &["line 11: `expression` of the set `tools`", "gti has been renamed"]);
}

#[test]
fn other_inputs_and_expressions_give_packages() {
    let Some(set) = set() else { return };
    let manifest = MANIFEST
        .replace("\"ripgrep\"", "\"ripgrep\", \"tools#tool\", \"nixpkgs#jq\"")
        .replace("pkgs: [ pkgs.git ]", "pkgs: [ (pkgs.python312.withPackages (p: [ p.requests ])) ]");
    set.fetch_for(BUILD_SYSTEM, &["python312Packages.requests", "jq"]).expect("sources");
    let lab = Lab::new(set, &manifest);
    let other = tempfile::tempdir().expect("a folder");
    let tool = "derivation { name = \"tool-1.0\"; system = \"x86_64-linux\"; builder = \"/bin/sh\";
        args = [ \"-c\" \"echo > $out\" ]; }";
    let flake = format!("{{ outputs = _: {{ packages.x86_64-linux.tool = {tool}; }}; }}");
    std::fs::write(other.path().join("flake.nix"), flake).expect("written");
    let nixpkgs = format!("inputs.nixpkgs.url = \"{}\";", set.url());
    let both = format!("{nixpkgs}\n  inputs.tools.url = \"path:{}\";", other.path().display());
    lab.edit("flake.nix", &nixpkgs, &both);
    lab.must_lock(LockOptions::default());
    let locked = lab.platform(AMD64);
    let roots = &locked.sets.get("tools").expect("the set").roots;
    let roots: Vec<(&str, &str)> = roots.iter().map(|root| (root.attribute.as_str(), root.path.name())).collect();
    assert!(roots.contains(&("tools#tool", "tool-1.0")), "{roots:?}");
    assert!(roots.iter().any(|(attribute, name)| *attribute == "nixpkgs#jq" && name.starts_with("jq-")), "{roots:?}");
    let env = roots.iter().find(|(attribute, _)| *attribute == "expression").expect("the expression's").1;
    assert!(env.ends_with("-env"), "{env}");
    assert!(locked.paths.keys().any(|path| path.name().contains("requests")), "what it is made of");
    let develop = &locked.shells.get("dev").expect("the shell").develop;
    assert_eq!(develop.iter().filter(|path| path.name() == "source").count(), 2, "both inputs: {develop:?}");
}

#[test]
fn a_nixpkgs_for_a_newer_nix_says_so() {
    let Some(_) = set() else { return };
    let lab = Lab::without_input(MANIFEST);
    let nixpkgs = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(nixpkgs.path().join(name), text).expect("written");
    std::fs::create_dir(nixpkgs.path().join("lib")).expect("a folder");
    write("flake.nix", "{ outputs = _: { }; }");
    write("lib/minver.nix", "\"99.1\"");
    write("default.nix", "args: throw \"it has what only 99.1 knows\"");
    lab.edit("flake.nix", NIXPKGS, &format!("path:{}", nixpkgs.path().display()));
    let said = lab.fault(MANIFEST);
    for words in ["is too old: this nixpkgs needs 99.1", "--nix container"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_flake_of_another_make_is_told_what_it_lacks() {
    let Some(_) = set() else { return };
    let lab = Lab::without_input(MANIFEST);
    lab.write("flake.nix", "{ outputs = inputs: { }; }");
    let said = lab.fault(MANIFEST);
    assert!(said.contains("nix/plywood.nix"), "{said}");
    lab.write("flake.nix", "{ outputs = inputs: { }; } }");
    let said = lab.fault(MANIFEST);
    assert!(said.contains("syntax error") && !said.contains("--only"), "{said}");
    std::fs::remove_file(lab.path().join("flake.nix")).expect("removed");
    assert!(lab.fault(MANIFEST).contains("no flake.nix"));
}
