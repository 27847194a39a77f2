//! What is known of the packages behind store paths: by their derivations, and by evaluation.

use std::collections::BTreeMap;

use plywood_core::lockfile::{LockedStorePath, PackageAbout, is_column};
use plywood_core::nix::StorePath;

use crate::nix::eval::{EvalError, Evaluator, Values};
use crate::nix::{Origin, PathInfo};

/// The paths of a closure as the lock has them.
pub(super) fn locked_paths(
    closure: &BTreeMap<StorePath, PathInfo>,
    values: &Values,
    evaluator: &Evaluator<'_>,
) -> Result<BTreeMap<StorePath, LockedStorePath>, EvalError> {
    let mut about: BTreeMap<&StorePath, PackageAbout> = BTreeMap::new();
    for package in &values.about {
        let said = PackageAbout {
            licences: package.licences.iter().filter(|licence| is_word(licence)).cloned().collect(),
            homepage: package.homepage.clone().filter(|page| is_column(page) && page != "-"),
            patches: Vec::new(),
        };
        about.extend(package.outputs.iter().map(|output| (output, said.clone())));
    }
    let mut locked = BTreeMap::new();
    for (path, info) in closure {
        let mut one = LockedStorePath {
            nar_hash: info.nar_hash,
            nar_size: info.nar_size,
            references: info.references.clone(),
            deriver: info.deriver.clone(),
            pname: None,
            version: None,
            local: matches!(info.origin, Origin::Local),
            about: about.get(path).cloned().unwrap_or_default(),
        };
        if let Some(derivation) =
            info.deriver.as_ref().map(|deriver| evaluator.derivation(deriver)).transpose()?.flatten()
        {
            let attributes = derivation.attributes();
            let column = |text: Option<String>| text.filter(|text| is_column(text) && text != "-");
            (one.pname, one.version) = (column(attributes.pname), column(attributes.version));
            one.about.patches = patches(&attributes.patches);
        }
        locked.insert(path.clone(), one);
    }
    Ok(locked)
}

/// The file names of patches, without the hash of their store path.
fn patches(paths: &[String]) -> Vec<String> {
    let name = |path: &String| {
        let base = path.rsplit('/').next().unwrap_or_default();
        base.parse::<StorePath>().map_or_else(|_| base.to_owned(), |path| path.name().to_owned())
    };
    let mut names: Vec<String> = paths.iter().map(name).filter(|name| is_word(name)).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether it can stand in a list of the lock.
fn is_word(text: &str) -> bool {
    is_column(text) && !text.contains(',') && text != "-"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_named_without_hashes() {
        let paths = [
            "/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-CVE-2026-1.patch",
            "/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-source/patches/a.diff",
            "/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-CVE-2026-1.patch",
            "a,b",
        ]
        .map(str::to_owned);
        assert_eq!(patches(&paths), ["CVE-2026-1.patch", "a.diff"]);
    }
}
