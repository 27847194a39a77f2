//! A workspace with two images that share what they have, and ways to run plywood in it.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_testkit::DockerRegistry;
use plywood_testkit::programs::copy_program;
pub(crate) use plywood_testkit::{fail, succeed};
use serde_json::Value;

/// Two images for two platforms; the second has all of the first. Neither needs an archive.
const MANIFEST: &str = "\
[workspace]
name = \"lab\"
registry = \"registry.invalid/team\"
platforms = [\"linux/amd64\", \"linux/arm64\"]

[images.tiny]
debian = false
cmd = [\"/usr/bin/cat\", \"/etc/motd\"]

[images.tiny.files]
\"/usr\" = { source = \"root/usr\" }
\"/etc/motd\" = { text = \"carried\\n\" }

[images.tiny.symlinks]
\"/lib\" = \"usr/lib\"
\"/lib64\" = \"usr/lib64\"

[images.more]
from = \"tiny\"

[images.more.files]
\"/etc/more\" = { text = \"more\\n\" }
";

pub(crate) struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let lab = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::write(lab.path("plywood.toml"), MANIFEST).expect("written");
        copy_program("cat", lab.path("root").as_std_path());
        lab
    }

    /// A file of the workspace.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).expect("UTF-8").join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_string()
    }

    /// Plywood in the workspace with a cache of this name.
    pub(crate) fn command(&self, cache: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plywood"));
        command.env("PLYWOOD_CACHE", self.path(cache)).env_remove("PLYWOOD_NIX_SECRET_KEY_FILE");
        command.args(["-C", self.path("").as_str()]).args(arguments);
        command
    }

    /// Runs plywood, which must succeed; gives its report.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = succeed(self.command("cache", arguments).arg("--json"));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// A bundle of both images.
    pub(crate) fn bundle(&self, name: &str) -> Value {
        self.json(&["bundle", "create", "--output", self.text(name).as_str()])
    }

    /// A registry that has both images, the first signed.
    pub(crate) fn signed_registry(&self) -> DockerRegistry {
        let registry = DockerRegistry::start();
        self.bundle("first.tar");
        let prefix = format!("{}/team", registry.host());
        self.json(&["bundle", "push", self.text("first.tar").as_str(), "--registry", &prefix]);
        succeed(&mut self.command("cache", &["key", "generate", "--out", self.text("ci.key").as_str()]));
        let image = format!("{prefix}/tiny:latest");
        self.json(&["sign", &image, "--key", self.text("ci.key").as_str()]);
        registry
    }
}

/// What a program prints.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = succeed(Command::new(program).args(arguments));
    String::from_utf8(output.stdout).expect("UTF-8")
}
