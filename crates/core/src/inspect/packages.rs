//! The packages an image says it has.

use bstr::ByteSlice as _;
use serde::Serialize;

/// A package that is installed, as dpkg's status file has it (deb-status: Debian Policy 5.3, dpkg-query(1)).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InstalledPackage {
    /// Its name.
    pub name: String,
    /// Its architecture, `all` included.
    pub architecture: String,
    /// Its version.
    pub version: String,
    /// The source package, which is named as the package unless said otherwise.
    pub source: String,
    /// What it takes on disk by its own account, in KiB.
    pub installed_size: u64,
}

/// The installed packages of a status file, by name.
pub fn installed_packages(status: &[u8]) -> Vec<InstalledPackage> {
    let mut packages = Vec::new();
    let mut current = InstalledPackage::default();
    let mut installed = false;
    for line in status.lines().chain([&b""[..]]) {
        if line.trim().is_empty() {
            let package = std::mem::take(&mut current);
            if installed && !package.name.is_empty() {
                packages.push(package);
            }
            installed = false;
            continue;
        }
        let Some((field, value)) = line.split_once_str(": ") else { continue };
        let text = || value.trim().to_str_lossy().into_owned();
        match field {
            b"Package" => {
                current.name = text();
                current.source = text();
            }
            b"Architecture" => current.architecture = text(),
            b"Version" => current.version = text(),
            b"Source" => current.source = text().split(' ').next().unwrap_or_default().to_owned(),
            b"Installed-Size" => current.installed_size = text().parse().unwrap_or(0),
            b"Status" => installed = value.trim().ends_with(b" installed"),
            _ => {}
        }
    }
    packages.sort();
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_counts() {
        let status = b"Package: libc6\nStatus: install ok installed\nSource: glibc (2.41-12)\nInstalled-Size: 13000\n\
            Architecture: amd64\nVersion: 2.41-12\nDescription: GNU C Library\n Package: not a field\n\n\
            Package: vim\nStatus: deinstall ok config-files\nVersion: 9\n\n\
            Package: adduser\nStatus: install ok installed\nVersion: 3.150\nArchitecture: all";
        let packages = installed_packages(status);
        let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["adduser", "libc6"]);
        assert_eq!((packages[1].source.as_str(), packages[1].installed_size), ("glibc", 13000));
        assert_eq!(packages[0].source, "adduser");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(0u8..=255, 0..400)) {
            let _ = installed_packages(&bytes);
        }
    }
}
