//! Computing store paths (Nix's `libstore/store-api.cc`, "makeStorePath" and what calls it).

use std::collections::BTreeSet;

use super::super::content_address::{ContentAddress, ContentMethod};
use super::{ParseStorePathError, STORE_DIR, StoreHash, StorePath};
use crate::digest::{NarHash, Sha256Hash};

impl StorePath {
    /// The path of a text, such as a derivation's, that refers to other paths.
    ///
    /// # Errors
    /// When Nix does not allow the name.
    pub fn text(name: &str, text: Sha256Hash, references: &BTreeSet<Self>) -> Result<Self, ParseStorePathError> {
        compute(&with_references("text", references, false), text, name)
    }

    /// The path of a tree by its NAR, as `nix-store --add` and `nix copy` of content-addressed paths have it.
    ///
    /// `itself` says whether it refers to itself; `nar` is then the hash of the NAR with its own hash part as zeros.
    ///
    /// # Errors
    /// When Nix does not allow the name.
    pub fn source(
        name: &str,
        nar: NarHash,
        references: &BTreeSet<Self>,
        itself: bool,
    ) -> Result<Self, ParseStorePathError> {
        compute(&with_references("source", references, itself), nar.hash(), name)
    }

    /// The path of what refers to nothing and is known by its hash beforehand: fixed outputs and fetched sources.
    ///
    /// # Errors
    /// When Nix does not allow the name.
    pub fn fixed_output(name: &str, address: &ContentAddress) -> Result<Self, ParseStorePathError> {
        let none = BTreeSet::new();
        match (address.method, address.hash.to_sha256()) {
            (ContentMethod::Text, Some(hash)) => Self::text(name, hash, &none),
            (ContentMethod::Recursive, Some(hash)) => Self::source(name, NarHash::new(hash), &none, false),
            (method, _) => {
                let inner = format!("fixed:out:{}{}:", method.prefix(), address.hash.to_base16());
                compute("output:out", Sha256Hash::of(inner.as_bytes()), name)
            }
        }
    }

    /// The path of an output of the derivation named `name` (without `.drv`), by the derivation's hash modulo what is
    /// fixed.
    ///
    /// # Errors
    /// When Nix does not allow the name that results.
    pub fn output(name: &str, output: &str, derivation: Sha256Hash) -> Result<Self, ParseStorePathError> {
        let full = match output {
            "out" => name.to_owned(),
            output => format!("{name}-{output}"),
        };
        compute(&format!("output:{output}"), derivation, &full)
    }
}

/// The type of a path with what it refers to.
fn with_references(kind: &str, references: &BTreeSet<StorePath>, itself: bool) -> String {
    let mut kind = kind.to_owned();
    for reference in references {
        kind.push(':');
        kind.push_str(&reference.absolute());
    }
    if itself {
        kind.push_str(":self");
    }
    kind
}

fn compute(kind: &str, inner: Sha256Hash, name: &str) -> Result<StorePath, ParseStorePathError> {
    let fingerprint = format!("{kind}:sha256:{}:{STORE_DIR}:{name}", inner.to_hex());
    let hash = Sha256Hash::of(fingerprint.as_bytes());
    let mut folded = [0; 20];
    for (at, byte) in hash.as_bytes().iter().enumerate() {
        folded[at % 20] ^= byte;
    }
    StorePath::new(StoreHash::from_bytes(folded), name)
}

#[cfg(test)]
mod tests {
    use super::super::super::{ContentHash, HashAlgorithm};
    use super::*;

    fn check(path: Result<StorePath, ParseStorePathError>, expect: &str) {
        assert_eq!(path.map(|path| path.as_str().to_owned()), Ok(expect.to_owned()));
    }

    /// The paths are those that Nix 2.8 gives; `tests/nix_formats` asks it again.
    #[test]
    fn paths_are_those_of_nix() {
        let hash = Sha256Hash::of(b"text");
        let fixed = |method, algorithm| {
            StorePath::fixed_output("a", &ContentAddress { method, hash: ContentHash::of(algorithm, b"text") })
        };
        // builtins.toFile "a" "text"
        check(StorePath::text("a", hash, &BTreeSet::new()), "znvscj76jsnvyjqabi70np3mf4lm3gy4-a");
        // nix-store --print-fixed-path sha256 $hash a, with --recursive, and with sha1
        check(fixed(ContentMethod::Flat, HashAlgorithm::Sha256), "2rlpvrgsa557ycvywp73478i5fnn8i0a-a");
        check(fixed(ContentMethod::Recursive, HashAlgorithm::Sha256), "bjrycn4r1ha5igrm14djpczczsifjalh-a");
        check(fixed(ContentMethod::Flat, HashAlgorithm::Sha1), "6y0nfw0zhf3w0xqcbny1a5p1mi5vr769-a");
        check(fixed(ContentMethod::Recursive, HashAlgorithm::Sha1), "acblap2y42yxx3rhvj62nhzjw31k8rsa-a");
        assert!(StorePath::text("a b", hash, &BTreeSet::new()).is_err());
        assert!(StorePath::output(&"a".repeat(211), "dev", hash).is_err());
    }
}
