//! apt's marks of packages that nobody asked for (apt-mark(8)).

use std::collections::BTreeSet;

use bstr::BString;

use crate::debian::dpkg::InstalledPackage;
use crate::platform::Platform;

/// The file `extended_states`: a stanza for each package that is not in `requested`, by name.
pub fn extended_states(packages: &[InstalledPackage], requested: &BTreeSet<String>, platform: Platform) -> BString {
    let architecture = |package: &InstalledPackage| match package.control.get_str("Architecture") {
        // apt files packages for all architectures under the native one.
        None | Some("all") => platform.architecture().to_owned(),
        Some(other) => other.to_owned(),
    };
    let automatic: BTreeSet<(&str, String)> = packages
        .iter()
        .filter(|package| !requested.contains(package.name()))
        .map(|package| (package.name(), architecture(package)))
        .collect();
    let stanza = |(name, arch)| format!("Package: {name}\nArchitecture: {arch}\nAuto-Installed: 1\n\n");
    automatic.into_iter().map(stanza).collect::<String>().into()
}
