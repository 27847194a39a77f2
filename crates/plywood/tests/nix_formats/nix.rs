//! A real Nix with a store of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use plywood_core::nix::StorePath;
use plywood_testkit::require;
use serde_json::Value;

const CONFIG: &str = "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\n\
                      substitute = false\nsubstituters =\nwarn-dirty = false\nflake-registry =\n";

/// Nix over a store in a temporary folder; nothing of the machine's own Nix is read or written.
pub(crate) struct Nix {
    folder: tempfile::TempDir,
}

impl Nix {
    /// `None` where Nix is missing.
    pub(crate) fn new() -> Option<Self> {
        require(&["nix", "nix-store", "nix-instantiate"])
            .then(|| Self { folder: tempfile::tempdir().expect("a temporary folder") })
    }

    /// Where tests may put their files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Where a store path really is.
    pub(crate) fn real(&self, path: &StorePath) -> PathBuf {
        self.path("store").join(&path.absolute()[1..])
    }

    /// Runs a program that gets `input`, whether it succeeds or not.
    pub(crate) fn try_run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).env("HOME", self.folder.path()).env("NIX_CONFIG", CONFIG);
        command.env("NIX_CONF_DIR", self.path("no-configuration")).env("XDG_CACHE_HOME", self.path("cache-home"));
        for variable in ["NIX_REMOTE", "NIX_PATH", "NIX_STORE_DIR", "NIX_STATE_DIR", "NIX_USER_CONF_FILES"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let mut stdin = child.stdin.take().expect("an input");
        std::thread::scope(|scope| {
            // Whoever ends early does not read it all.
            scope.spawn(move || _ = stdin.write_all(input));
            child.wait_with_output().expect("it ends")
        })
    }

    /// What a program writes that must succeed.
    pub(crate) fn bytes(&self, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.try_run(program, arguments, input);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {error}");
        output.stdout
    }

    pub(crate) fn text(&self, program: &str, arguments: &[&str]) -> String {
        String::from_utf8(self.bytes(program, arguments, b"")).expect("UTF-8").trim_end().to_owned()
    }

    fn with_store<'a>(&'a self, arguments: &[&'a str], store: &'a str) -> Vec<&'a str> {
        // The subcommand of `nix` comes first, and `--store` may follow it everywhere.
        [arguments, &["--store", store]].concat()
    }

    /// `nix-store` over the store.
    pub(crate) fn store(&self, arguments: &[&str]) -> String {
        let store = self.path("store");
        self.text("nix-store", &self.with_store(arguments, store.to_str().expect("UTF-8")))
    }

    /// `nix` over the store.
    pub(crate) fn nix(&self, arguments: &[&str]) -> String {
        let store = self.path("store");
        self.text("nix", &self.with_store(arguments, store.to_str().expect("UTF-8")))
    }

    /// The store paths of lines.
    pub(crate) fn paths(&self, arguments: &[&str]) -> Vec<StorePath> {
        let lines = self.store(arguments);
        lines.lines().map(|line| StorePath::from_absolute(line).expect(line)).collect()
    }

    /// The value of an expression; what it makes is written to the store.
    pub(crate) fn eval(&self, expression: &str) -> Value {
        let (store, file) = (self.path("store"), self.file("expression.nix", expression));
        let store = store.to_str().expect("UTF-8");
        let text = self
            .text("nix-instantiate", &["--store", store, "--eval", "--strict", "--json", "--read-write-mode", &file]);
        serde_json::from_str(&text).expect("JSON")
    }
}

/// A path as text.
pub(crate) fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
