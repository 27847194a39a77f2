//! The stable names of an image's items, which the layout in the lock speaks of.

use crate::digest::Digest;
use crate::item::ItemKey;
use crate::manifest::{Compression, DebianSource, PackageName};

/// The key of a package in an image that takes it from `source`: `deb:trixie/libc6`, whatever its version.
///
/// Images that take the same package from other suites, leave other files out of it or compress it otherwise can share
/// no layer with it; their keys differ.
pub fn package_key(source: &DebianSource, compression: Compression, package: &PackageName) -> ItemKey {
    let slim = match &source.slim {
        None => "-full".to_owned(),
        Some(rules) if rules.exclude.is_empty() && rules.keep.is_empty() => String::new(),
        Some(rules) => {
            let rules = serde_json::to_vec(rules).unwrap_or_default();
            format!("-{}", Digest::of(&rules).to_hex().get(..8).unwrap_or_default())
        }
    };
    let codec = match compression {
        compression if compression == Compression::default() => String::new(),
        compression => format!("-{}", compression.to_string().replace(':', "-")),
    };
    ItemKey(format!("deb:{}{slim}{codec}/{package}", source.suite))
}
