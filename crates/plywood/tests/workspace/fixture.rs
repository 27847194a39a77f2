//! A workspace, an archive in Debian's place, and its server.

use std::collections::BTreeSet;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use plywood::Error;
use plywood::build::{BuildOptions, BuildReport, build};
use plywood::debian::keyring::Keyring;
use plywood::debian::mirrors::Mirrors;
use plywood::lock::{LockOptions, LockReport, lock};
use plywood::workspace::Workspace;
use plywood_core::platform::Platform;
use plywood_core::tree::{NoPackedContent, Tree, TreePath};
use plywood_oci::layout::ImageLayout;
pub(crate) use plywood_testkit::chain;
use plywood_testkit::{Deb, DebBuilder, DebCompression, FileServer, Recorded, TestArchive, TestKey, require};

/// The platform of this machine, for which scripts can be run.
pub(crate) const PLATFORM: Platform =
    if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 };

pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    pub(crate) archive: TestArchive,
    pub(crate) events: Recorded,
    server: FileServer,
}

impl Fixture {
    /// A workspace with this manifest (after its `[workspace]` and `[debian]`), and an archive with these packages
    /// besides an essential one and apt.
    pub(crate) fn new(images: &str, packages: impl IntoIterator<Item = Deb>) -> Self {
        let mut archive = TestArchive::new(TestKey::new("debian"), &["trixie"]);
        archive.valid_for = None;
        for deb in [plain("base-files", "13", &[("Essential", "yes")]), plain("apt", "3", &[])] {
            archive.add("trixie", deb);
        }
        packages.into_iter().for_each(|deb| archive.add("trixie", deb));
        let fixture = Self {
            folder: tempfile::tempdir().expect("a folder"),
            server: archive.serve(),
            archive,
            events: Recorded::default(),
        };
        fixture.manifest(images);
        fixture
    }

    /// Writes the manifest.
    pub(crate) fn manifest(&self, images: &str) {
        let text = format!(
            "[workspace]\nname = \"test\"\nplatforms = [\"{PLATFORM}\"]\n{}\n[debian]\nsuite = \"trixie\"\nupdates = false\nsecurity = false\n{}",
            images.split_once("---\n").map_or("", |(workspace, _)| workspace),
            images.split_once("---\n").map_or(images, |(_, images)| images),
        );
        self.write("plywood.toml", &text);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("readable")
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("UTF-8")
    }

    /// Serves the archive as it is now, from another address.
    pub(crate) fn republish(&mut self) {
        self.server = self.archive.serve();
    }

    pub(crate) fn workspace(&self, cache: &str) -> Workspace {
        let keyring = Keyring::parse(&self.archive.key.public()).expect("a key");
        let mirrors = Mirrors::only(vec![self.server.url().parse().expect("a URL")]);
        Workspace::new(self.path(), self.path().join(cache)).with_debian(mirrors, keyring)
    }

    pub(crate) fn lock(&self, options: &LockOptions) -> Result<LockReport, Error> {
        lock(options, &self.workspace("cache"), &self.events)
    }

    /// Builds with a cache of this name.
    pub(crate) fn build(&self, cache: &str) -> Result<BuildReport, Error> {
        build(&BuildOptions::default(), &self.workspace(cache), &self.events)
    }

    /// The files of the only image, as its layers have them.
    pub(crate) fn tree(&self) -> Tree {
        let layout = ImageLayout::open(self.path().join(".plywood/oci")).expect("a layout");
        let name = layout.names().next().map(str::to_owned);
        let image = layout.image(name.as_deref(), PLATFORM).expect("an image");
        layout.tree(&image).expect("layers")
    }
}

/// The text of a file; `None` where there is none.
pub(crate) fn text(tree: &Tree, path: &str) -> Option<String> {
    let path = TreePath::parse(path).expect("a path");
    tree.read(&path, &NoPackedContent).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A package with one file named after it.
pub(crate) fn package(name: &str, version: &str) -> DebBuilder {
    DebBuilder::new(name, version, "all")
        .compression(DebCompression::None)
        .field("Priority", "optional")
        .field("Installed-Size", "65536")
        .file(&format!("./usr/share/{name}/version"), 0o644, version)
}

/// [`package`], finished, with these fields.
pub(crate) fn plain(name: &str, version: &str, fields: &[(&str, &str)]) -> Deb {
    fields.iter().fold(package(name, version), |builder, (field, value)| builder.field(field, value)).build()
}

/// A package with these programs of this machine and the libraries that they need, where Debian has them.
pub(crate) fn machine_programs(name: &str, programs: &[&str]) -> Deb {
    let mut files: BTreeSet<(String, Utf8PathBuf)> = BTreeSet::new();
    for program in programs {
        let file = Utf8PathBuf::from_path_buf(require::find_tool(program).expect("a program")).expect("UTF-8");
        let listed = Command::new("ldd").arg(&file).output().expect("ldd runs");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
        files
            .extend(libraries.map(|path| {
                (format!("/usr/{}", path.trim_start_matches("/usr").trim_start_matches('/')), path.into())
            }));
        files.insert((format!("/usr/bin/{program}"), file));
    }
    let builder = ["bin", "lib", "lib64", "sbin"]
        .iter()
        .fold(package(name, "1"), |builder, link| builder.symlink(&format!("./{link}"), &format!("usr/{link}")));
    let add = |builder: DebBuilder, (path, file): (String, Utf8PathBuf)| {
        builder.file(&format!(".{path}"), 0o755, std::fs::read(file).expect("readable"))
    };
    files.into_iter().fold(builder, add).build()
}
