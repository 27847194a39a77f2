//! A workspace with a small image that needs no archive, and ways to run plywood in it.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_testkit::DockerRegistry;
use plywood_testkit::programs::copy_program;
pub(crate) use plywood_testkit::{fail, succeed};
use serde_json::Value;

const MANIFEST: &str = "\
[workspace]
name = \"lab\"
registry = \"registry.invalid/team\"

[images.tiny]
debian = false
cmd = [\"/usr/bin/cat\", \"/etc/motd\"]

[images.tiny.files]
\"/usr\" = { source = \"root/usr\" }
\"/etc/motd\" = { text = \"carried\\n\" }

[images.tiny.symlinks]
\"/lib\" = \"usr/lib\"
\"/lib64\" = \"usr/lib64\"

[[images.tiny.tests]]
name = \"the greeting\"
command = [\"/usr/bin/cat\", \"/etc/motd\"]
stdout = \"carried\\n\"
";

pub(crate) struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        // Tests run at once, and podman's store is one: each has an image of its own, which it may remove.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let run = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let lab = Self { folder: tempfile::tempdir().expect("a folder") };
        let manifest = MANIFEST.replace("debian = false\n", &format!("debian = false\nenv = {{ RUN = \"{run}\" }}\n"));
        fs::write(lab.path("plywood.toml"), manifest).expect("written");
        copy_program("cat", lab.path("root").as_std_path());
        lab
    }

    /// Lets the workspace's images go to a registry; gives what their names begin with.
    pub(crate) fn publish_to(&self, registry: &DockerRegistry) -> String {
        let prefix = format!("{}/team", registry.host());
        self.replace("registry.invalid/team", &prefix);
        prefix
    }

    /// Changes the manifest.
    pub(crate) fn replace(&self, from: &str, to: &str) {
        let path = self.path("plywood.toml");
        let text = fs::read_to_string(&path).expect("a manifest");
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).expect("written");
    }

    /// A file of the workspace.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).expect("UTF-8").join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_string()
    }

    /// Plywood in the workspace with a cache of this name, and nobody's credentials.
    pub(crate) fn command(&self, cache: &str, arguments: &[&str]) -> Command {
        self.command_in("", cache, arguments)
    }

    /// [`Self::command`] in another folder of the workspace's.
    pub(crate) fn command_in(&self, folder: &str, cache: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plywood"));
        command.env("PLYWOOD_CACHE", self.path(cache)).env("HOME", self.path("home"));
        for variable in [
            "PLYWOOD_REGISTRY_AUTH",
            "PLYWOOD_SIGNING_KEY",
            "PLYWOOD_SIGNING_KEY_FILE",
            "DOCKER_CONFIG",
            "REGISTRY_AUTH_FILE",
            "XDG_CONFIG_HOME",
            "GITHUB_TOKEN",
        ] {
            command.env_remove(variable);
        }
        command.args(["-C", self.path(folder).as_str()]).args(arguments);
        command
    }

    /// Runs plywood, which must succeed; gives its report.
    pub(crate) fn json(&self, cache: &str, arguments: &[&str]) -> Value {
        let output = succeed(self.command(cache, arguments).arg("--json"));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}
