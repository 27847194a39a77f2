//! Nix takes the databases that plywood writes for its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use plywood::nix::database::{SCHEMA_VERSION, ValidPath, write_database};
use plywood_testkit::require;

/// Nix with a store of its own below a folder.
struct Nix<'r> {
    root: &'r Path,
}

impl Nix<'_> {
    fn try_run(&self, program: &str, args: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(["--store", self.root.to_str().expect("UTF-8")]);
        command.args(["--option", "build-users-group", "", "--option", "sandbox", "false"]);
        command.args(args).env("HOME", self.root).env_remove("NIX_REMOTE").output().expect("started")
    }

    fn run(&self, program: &str, args: &[&str]) -> String {
        let output = self.try_run(program, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {args:?}: {error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn store(&self, args: &[&str]) -> String {
        self.run("nix-store", args)
    }

    /// What Nix itself knows of a path.
    fn row(&self, path: &str) -> ValidPath {
        let lines = |what: &str| self.store(&["-q", what, path]).lines().map(str::to_owned).collect::<Vec<_>>();
        let base32 = lines("--hash").remove(0);
        let hex = self.run("nix-hash", &["--type", "sha256", "--to-base16", base32.trim_start_matches("sha256:")]);
        ValidPath {
            path: path.to_owned(),
            nar_hash: format!("sha256:{}", hex.trim()),
            nar_size: lines("--size")[0].parse().expect("a number"),
            deriver: None,
            references: lines("--references"),
            outputs: Vec::new(),
            content_address: None,
        }
    }
}

#[test]
fn nix_reads_checks_and_collects_what_was_registered() {
    if !require(&["nix", "nix-store", "nix-hash", "nix-instantiate"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nix = Nix { root: folder.path() };
    let expression = r#"builtins.toFile "referrer" "see ${builtins.toFile "referred" "text"}""#;
    let referrer = nix.run("nix-instantiate", &["--eval", "--read-write-mode", "--expr", expression]);
    let referrer = referrer.trim().trim_matches('"').to_owned();
    let rows: Vec<ValidPath> = nix.store(&["-qR", &referrer]).lines().map(|path| nix.row(path)).collect();
    assert_eq!(rows.len(), 2);
    let dump = nix.store(&["--dump-db"]);

    let state = folder.path().join("nix/var/nix");
    fs::remove_dir_all(&state).expect("removed");
    fs::create_dir_all(state.join("db")).expect("made");
    fs::write(state.join("db/schema"), SCHEMA_VERSION).expect("written");
    fs::write(state.join("db/db.sqlite"), write_database(&rows).expect("a database")).expect("written");
    fs::create_dir_all(state.join("gcroots/plywood")).expect("made");
    let name = referrer.rsplit('/').next().expect("a name");
    std::os::unix::fs::symlink(&referrer, state.join("gcroots/plywood").join(name)).expect("linked");

    nix.store(&["--verify", "--check-contents"]);
    nix.run("nix", &["--extra-experimental-features", "nix-command", "store", "verify", "--all"]);
    assert_eq!(nix.store(&["--dump-db"]), dump);
    for row in &rows {
        assert_eq!(nix.row(&row.path), *row);
    }
    let referred = rows.iter().find(|row| row.references.is_empty()).expect("there");
    assert_eq!(nix.store(&["-q", "--referrers", &referred.path]).trim(), referrer);
    nix.store(&["--gc"]);
    assert_eq!(nix.store(&["-qR", &referrer]).lines().count(), 2, "what hangs on a root stays");
    assert!(!nix.try_run("nix-store", &["--delete", &referred.path]).status.success(), "what is referred to stays");
    fs::remove_file(state.join("gcroots/plywood").join(name)).expect("removed");
    nix.store(&["--gc"]);
    assert!(!nix.try_run("nix-store", &["-qR", &referrer]).status.success(), "what hangs on nothing goes");
}
