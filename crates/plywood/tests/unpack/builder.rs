//! Small packages made by `dpkg-deb`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What goes into a package; all files are root's.
#[derive(Debug, Default, Clone)]
pub(crate) struct Package {
    name: String,
    fields: String,
    control: Vec<(&'static str, String)>,
    files: Vec<(String, Kind)>,
    arguments: Vec<&'static str>,
}

#[derive(Debug, Clone)]
enum Kind {
    File(String, u32),
    Directory(u32),
    Symlink(String),
    HardLink(String),
}

impl Package {
    /// A package `name` of version 1 for amd64.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Adds lines to the control stanza.
    pub(crate) fn fields(mut self, lines: &str) -> Self {
        self.fields.push_str(lines);
        self.fields.push('\n');
        self
    }

    /// Adds a control file.
    pub(crate) fn control(mut self, name: &'static str, content: &str) -> Self {
        self.control.push((name, content.to_owned()));
        self
    }

    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        self.file_with_mode(path, content, 0o644)
    }

    pub(crate) fn file_with_mode(mut self, path: &str, content: &str, mode: u32) -> Self {
        self.files.push((path.to_owned(), Kind::File(content.to_owned(), mode)));
        self
    }

    pub(crate) fn directory(mut self, path: &str, mode: u32) -> Self {
        self.files.push((path.to_owned(), Kind::Directory(mode)));
        self
    }

    pub(crate) fn symlink(mut self, path: &str, target: &str) -> Self {
        self.files.push((path.to_owned(), Kind::Symlink(target.to_owned())));
        self
    }

    pub(crate) fn hard_link(mut self, path: &str, target: &str) -> Self {
        self.files.push((path.to_owned(), Kind::HardLink(target.to_owned())));
        self
    }

    /// Passes an argument to `dpkg-deb`, such as `-Zgzip`.
    pub(crate) fn argument(mut self, argument: &'static str) -> Self {
        self.arguments.push(argument);
        self
    }

    /// Builds it below `folder`.
    pub(crate) fn build(&self, folder: &Path) -> PathBuf {
        let root = folder.join(format!("{}.root", self.name));
        let (debian, deb) = (root.join("DEBIAN"), folder.join(format!("{}.deb", self.name)));
        fs::create_dir_all(&debian).expect("a folder for the package");
        let known = ["Version:", "Architecture:"].map(|field| self.fields.contains(field));
        let mut stanza = format!("Package: {}\n", self.name);
        stanza.push_str(if known[0] { "" } else { "Version: 1\n" });
        stanza.push_str(if known[1] { "" } else { "Architecture: amd64\n" });
        stanza.push_str(&self.fields);
        stanza.push_str("Maintainer: Nobody <nobody@example.org>\nDescription: a package\n");
        write(&debian.join("control"), &stanza, 0o644);
        for (name, content) in &self.control {
            let script = ["preinst", "postinst", "prerm", "postrm", "config"].contains(name);
            write(&debian.join(name), content, if script { 0o755 } else { 0o644 });
        }
        for (path, kind) in &self.files {
            self.make(&root, path, kind);
        }
        let mut command = Command::new("dpkg-deb");
        command.args(["--root-owner-group", "--nocheck"]).args(&self.arguments).arg("-b").args([&root, &deb]);
        let output = command.output().expect("dpkg-deb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        deb
    }

    fn make(&self, root: &Path, path: &str, kind: &Kind) {
        let full = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(full.parent().expect("not the root")).expect("a parent");
        match kind {
            Kind::File(content, mode) => write(&full, content, *mode),
            Kind::Directory(mode) => {
                fs::create_dir_all(&full).expect("a directory");
                fs::set_permissions(&full, fs::Permissions::from_mode(*mode)).expect("its mode");
            }
            Kind::Symlink(target) => symlink(target, &full).expect("a symbolic link"),
            Kind::HardLink(target) => {
                fs::hard_link(root.join(target.trim_start_matches('/')), &full).expect("a hard link");
            }
        }
    }
}

fn write(path: &Path, content: &str, mode: u32) {
    fs::write(path, content).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
}
