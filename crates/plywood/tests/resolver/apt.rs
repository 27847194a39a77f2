//! A throw-away root of the real apt, with nothing of this machine but its mirror.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Output};

use plywood_core::debian::packages_index::{BinaryPackage, MultiArch, PackagesIndex};
use plywood_core::debian::relation::RelationKind;
use plywood_core::debian::resolver::{PackageSource, Resolution, Universe};
use plywood_testkit::require::{require, require_mirror, skip};
use tempfile::TempDir;

/// The suites of one Debian release, in the order of apt's sources.
const SUITES: [&str; 3] = ["", "-updates", "-security"];

pub(crate) struct AptRoot {
    folder: TempDir,
    architecture: String,
}

/// What `apt-get -s install` would do.
pub(crate) struct Changes {
    installed: BTreeMap<String, String>,
    removed: Vec<String>,
}

impl Changes {
    /// Does it to a set of packages with their versions.
    pub(crate) fn apply(self, set: &mut BTreeMap<String, String>) {
        set.retain(|name, _| !self.removed.contains(name));
        set.extend(self.installed);
    }
}

impl AptRoot {
    /// A root for a suite with its indexes fetched and nothing installed; `None`, said by name, without apt or a mirror.
    pub(crate) fn new(suite: &str, architecture: &str) -> Option<Self> {
        if !require(&["apt-get"]) {
            return None;
        }
        let mirror = require_mirror()?;
        let root = Self { folder: TempDir::new().expect("a folder"), architecture: architecture.to_owned() };
        root.write_configuration(suite, &mirror);
        let updated = root.apt(&["update"]);
        if !updated.status.success() {
            skip(&format!("cannot read {suite}: {}", String::from_utf8_lossy(&updated.stderr)));
            return None;
        }
        Some(root)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write_configuration(&self, suite: &str, mirror: &str) {
        let path = self.path();
        for folder in ["etc/sources.list.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(path.join(folder)).expect("a folder");
        }
        fs::write(path.join("state/status"), "").expect("a status file");
        let mut sources = String::new();
        for suffix in SUITES {
            let archive = if suffix == "-security" { format!("{mirror}-security") } else { mirror.to_owned() };
            let architecture = &self.architecture;
            writeln!(sources, "deb [trusted=yes arch={architecture}] {archive} {suite}{suffix} main").expect("text");
        }
        fs::write(path.join("etc/sources.list"), sources).expect("the sources");
        let path = path.display();
        let architecture = &self.architecture;
        let configuration = format!(
            "Dir \"{path}\";\nDir::Etc \"{path}/etc\";\nDir::State \"{path}/state\";\nDir::State::status \
             \"{path}/state/status\";\nDir::Cache \"{path}/cache\";\nDir::Log \"{path}\";\nAPT::Architecture \
             \"{architecture}\";\nAPT::Architectures {{ \"{architecture}\"; }};\nAPT::Sandbox::User \"\";\n\
             Acquire::Languages \"none\";\nAcquire::GzipIndexes \"false\";\nAPT::Get::AutomaticRemove \"false\";\n"
        );
        fs::write(self.path().join("apt.conf"), configuration).expect("the configuration");
    }

    fn apt(&self, arguments: &[&str]) -> Output {
        Command::new("apt-get")
            .args(arguments)
            .env("APT_CONFIG", self.path().join("apt.conf"))
            .env("LC_ALL", "C")
            .output()
            .expect("apt-get runs")
    }

    /// The universe of the indexes that apt has fetched.
    pub(crate) fn universe(&self) -> Universe {
        let lists = self.path().join("state/lists");
        let names = fs::read_dir(lists).expect("the indexes").map(|entry| entry.expect("an index").path());
        let mut files: Vec<_> = names.filter(|path| path.to_string_lossy().ends_with("_Packages")).collect();
        // Suite, updates, security: the order of the sources.
        files.sort_by_key(|path| {
            let path = path.to_string_lossy();
            (path.contains("-security_"), path.contains("-updates_"))
        });
        let source = |path: &std::path::PathBuf| {
            let file = BufReader::new(File::open(path).expect("an index"));
            let index = PackagesIndex::read(file).expect("an index");
            assert!(index.skipped().is_empty(), "{:?}", index.skipped());
            PackageSource { index, priority: 500, allow: None }
        };
        Universe::new(&self.architecture, files.iter().map(source).collect())
    }

    /// Tells apt that these packages are installed.
    pub(crate) fn set_installed(&self, resolution: &Resolution<'_>) {
        let status: Vec<String> = resolution.packages.iter().map(|chosen| status(chosen.package)).collect();
        fs::write(self.path().join("state/status"), status.join("\n")).expect("a status file");
        // Makes apt's binary cache once, which a simulation would make anew each time.
        assert!(self.apt(&["check"]).status.success(), "the base system is consistent");
    }

    /// Asks apt what it would do.
    pub(crate) fn install(&self, packages: &[String], recommends: bool) -> Result<Changes, String> {
        let switch = if recommends { "--install-recommends" } else { "--no-install-recommends" };
        let mut arguments = vec!["-s", switch, "install"];
        arguments.extend(packages.iter().map(String::as_str));
        let output = self.apt(&arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            return Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        }
        let mut changes = Changes { installed: BTreeMap::new(), removed: Vec::new() };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                // `Inst name [old version] (version suite [architecture])`
                (Some("Inst"), Some(name)) => {
                    let version = words.find_map(|word| word.strip_prefix('(')).unwrap_or_default();
                    changes.installed.insert(name.to_owned(), version.to_owned());
                }
                (Some("Remv"), Some(name)) => changes.removed.push(name.to_owned()),
                _ => {}
            }
        }
        Ok(changes)
    }
}

/// A package as dpkg's status file describes it.
fn status(package: &BinaryPackage) -> String {
    let mut text = format!(
        "Package: {}\nStatus: install ok installed\nArchitecture: {}\nVersion: {}\nMaintainer: x\nDescription: x\n",
        package.name(),
        package.architecture(),
        package.version()
    );
    if package.is_essential() {
        text.push_str("Essential: yes\n");
    }
    match package.multi_arch() {
        MultiArch::No => {}
        MultiArch::Same => text.push_str("Multi-Arch: same\n"),
        MultiArch::Foreign => text.push_str("Multi-Arch: foreign\n"),
        MultiArch::Allowed => text.push_str("Multi-Arch: allowed\n"),
    }
    for (field, kind) in [
        ("Pre-Depends", RelationKind::PreDepends),
        ("Depends", RelationKind::Depends),
        ("Recommends", RelationKind::Recommends),
        ("Conflicts", RelationKind::Conflicts),
        ("Breaks", RelationKind::Breaks),
        ("Replaces", RelationKind::Replaces),
        ("Provides", RelationKind::Provides),
    ] {
        let groups: Vec<String> =
            package.relations(kind).expect("a relation").iter().map(ToString::to_string).collect();
        if !groups.is_empty() {
            writeln!(text, "{field}: {}", groups.join(", ")).expect("text");
        }
    }
    text
}
