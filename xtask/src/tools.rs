//! The tools that tests compare plywood with, and what brings them.

use std::path::PathBuf;
use std::process::ExitCode;

/// A program that some test needs.
pub struct Tool {
    /// Its name on `PATH`.
    pub program: &'static str,
    /// What brings it.
    pub source: Source,
    /// What it is needed for.
    pub purpose: &'static str,
}

/// What brings a tool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A Debian package.
    Debian(&'static str),
    /// A package of the npm registry, installed globally.
    Npm(&'static str),
}

/// Every tool, in the order in which they are installed.
pub const ALL: &[Tool] = &[
    debian("dpkg-deb", "dpkg", "packages, versions and the package database"),
    debian("dpkg-source", "dpkg-dev", "making packages"),
    debian("apt-get", "apt", "dependency resolution"),
    debian("mmdebstrap", "mmdebstrap", "what a real bootstrap gives"),
    debian("gpg", "gpg", "signatures"),
    debian("zstd", "zstd", "layers"),
    debian("xz", "xz-utils", "packages"),
    debian("jq", "jq", "reading JSON"),
    debian("dash", "dash", "the shell of maintainer scripts"),
    debian("skopeo", "skopeo", "image layouts and archives"),
    debian("podman", "podman", "running images"),
    debian("runc", "runc", "podman's runtime"),
    debian("iptables", "iptables", "podman's networks"),
    debian("newuidmap", "uidmap", "user namespaces with all users of an image"),
    debian("update-ca-certificates", "ca-certificates", "the script that makes trust stores"),
    debian("perl", "perl-base", "a program that no evaluator knows"),
    debian("unshare", "util-linux", "user namespaces"),
    debian("docker-registry", "docker-registry", "a registry to push to"),
    debian("nix", "nix-bin", "reading the manifest as flakes do"),
    debian("direnv", "direnv", "the shells of images"),
    debian("openssl", "openssl", "keys and signatures"),
    debian("git", "git", "the commit of a workspace"),
    debian("python3", "python3-venv", "other implementations of signing"),
    debian("npm", "npm", "the dev container CLI, and packages of the test package set"),
    debian("pip3", "python3-pip", "packages of the test package set"),
    Tool {
        program: "devcontainer",
        source: Source::Npm("@devcontainers/cli"),
        purpose: "what editors do with an image",
    },
];

/// Packages of PyPI, pinned; they live in [`PYTHON`].
pub const PYPI: &[&str] = &["sigstore==4.5.1", "securesystemslib==1.6.0", "PyNaCl==1.6.2"];

/// The folder of their Python, relative to the repository's root.
pub const PYTHON: &str = "target/python";

/// Packages without a program of their own.
pub const DEBIAN_DATA: &[(&str, &str)] = &[
    ("debian-archive-keyring", "/usr/share/keyrings/debian-archive-keyring.gpg"),
    ("ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
    ("netavark", "/usr/lib/podman/netavark"),
    ("aardvark-dns", "/usr/lib/podman/aardvark-dns"),
];

const fn debian(program: &'static str, package: &'static str, purpose: &'static str) -> Tool {
    Tool { program, source: Source::Debian(package), purpose }
}

/// The tools that are not on `PATH`.
pub fn missing() -> Vec<&'static Tool> {
    ALL.iter().filter(|tool| find(tool.program).is_none()).collect()
}

/// Where a program is; administrators' folders count too, as users' paths often lack them.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Says what is missing; fails when something is.
pub fn report() -> ExitCode {
    let missing = missing();
    for tool in &missing {
        let install = match tool.source {
            Source::Debian(package) => format!("apt-get install {package}"),
            Source::Npm(package) => format!("npm install --global {package}"),
        };
        println!("missing: {:16}  {:44}  {install}", tool.program, tool.purpose);
    }
    if missing.is_empty() {
        println!("every tool is there");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
