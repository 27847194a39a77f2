//! Directories of trusted certificates: `openssl rehash`, and Java's trust store.

mod added;
mod der;
mod hash;
mod java;

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};
use data_encoding::BASE64;

pub use added::{AddedCertificateError, added_certificates};
pub use hash::subject_hash;
pub use java::java_trust_store;

use crate::tree::{Node, NodeKind, ReadContent, Tree, TreeError, TreePath};

/// A certificate in PEM form is a few kilobytes; bundles are larger and skipped.
const MAX_PEM: u64 = 1 << 20;

/// The DER of every certificate in a PEM text (RFC 7468); what is damaged is left out.
pub fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = pem;
    while let Some(start) = rest.find(b"-----BEGIN CERTIFICATE-----") {
        let body = &rest[start + b"-----BEGIN CERTIFICATE-----".len()..];
        let Some(end) = body.find(b"-----END CERTIFICATE-----") else { break };
        let digits: Vec<u8> = body[..end].iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        found.extend(BASE64.decode(&digits).ok());
        rest = &body[end..];
    }
    found
}

/// As `openssl rehash DIR`: a link `HASH.N` to every file that has exactly one certificate (openssl-rehash(1)).
///
/// # Errors
/// When a file cannot be read or a link not be made.
pub fn rehash(tree: &mut Tree, directory: &TreePath, contents: &dyn ReadContent, now: i64) -> Result<(), TreeError> {
    let names: Vec<TreePath> = tree.children(directory).map(|(path, _)| path.clone()).collect();
    let mut wanted: BTreeMap<BString, BString> = BTreeMap::new();
    let mut of_hash: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    for path in &names {
        let Some(name) = path.file_name().filter(|name| has_certificate_extension(name)) else { continue };
        let Some((real, node)) = tree.lookup(path.to_string()) else { continue };
        let small = matches!(&node.kind, NodeKind::File { content, .. } if content.size() <= MAX_PEM);
        if !small {
            continue;
        }
        let found = certificates(&tree.read(&real, contents)?);
        let [certificate] = found.as_slice() else { continue };
        let Some(hash) = subject_hash(certificate) else { continue };
        let same = of_hash.entry(hash).or_default();
        if !same.contains(certificate) {
            wanted.insert(format!("{hash:08x}.{}", same.len()).into(), name.into());
            same.push(certificate.clone());
        }
    }
    for path in names.iter().filter(|path| path.file_name().is_some_and(|name| is_hash_link(name))) {
        if matches!(tree.get(path), Some(Node { kind: NodeKind::Symlink { .. }, .. })) {
            tree.remove(path)?;
        }
    }
    for (link, name) in wanted {
        tree.insert(directory.join(&link)?, Node::symlink(name, now))?;
    }
    Ok(())
}

fn has_certificate_extension(name: &[u8]) -> bool {
    [".pem", ".crt", ".cer", ".crl"].iter().any(|end| name.to_ascii_lowercase().ends_with(end.as_bytes()))
}

/// `0123abcd.0`, and `.r0` for revocation lists.
fn is_hash_link(name: &[u8]) -> bool {
    let Some((hash, number)) = name.split_once_str(".") else { return false };
    let number = number.strip_prefix(b"r").unwrap_or(number);
    hash.len() == 8
        && hash.iter().all(u8::is_ascii_hexdigit)
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
}
