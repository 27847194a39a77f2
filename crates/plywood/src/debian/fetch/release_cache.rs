//! The last `InRelease` of each place, so that a server can say "not modified".
//!
//! One file each: `etag: …` and `last-modified: …` where known, an empty line, then the bytes as they came. They are
//! verified again whenever they are used.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};

use camino::Utf8Path;

use super::super::inrelease;
use super::cache::Cache;
use super::error::FetchError;
use crate::http::Validators;

/// An earlier copy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) validators: Validators,
    pub(super) bytes: Vec<u8>,
}

const MAX_BYTES: u64 = inrelease::MAX_BYTES as u64 + 4096;

/// What is kept, if it is readable and has validators at all.
pub(super) fn load(path: &Utf8Path) -> Option<Kept> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Kept> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let mut validators = Validators::default();
    for line in std::str::from_utf8(head).ok()?.lines() {
        match line.split_once(": ")? {
            ("etag", value) => validators.etag = Some(value.to_owned()),
            ("last-modified", value) => validators.last_modified = Some(value.to_owned()),
            _ => return None,
        }
    }
    Some(Kept { validators, bytes: rest.get(2..)?.to_vec() })
}

/// Keeps a copy when the server gave a validator.
pub(super) fn store(path: &Utf8Path, validators: &Validators, bytes: &[u8]) -> Result<(), FetchError> {
    let mut head = String::new();
    for (name, value) in [("etag", &validators.etag), ("last-modified", &validators.last_modified)] {
        if let Some(value) = value.as_ref().filter(|value| !value.contains(['\n', '\r'])) {
            head.push_str(&format!("{name}: {value}\n"));
        }
    }
    if head.is_empty() {
        return Ok(());
    }
    Cache::make_folder_of(path)?;
    let folder = path.parent().unwrap_or(path);
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(head.as_bytes())?;
        file.write_all(b"\n")?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(|error| FetchError::cache(path, error))
}

/// Forgets a copy that a server still vouches for although it is of no use.
pub(super) fn forget(path: &Utf8Path) {
    // Nothing is lost when it stays: it is judged again next time.
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_survives() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join("x");
        let validators = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
        store(&path, &validators, b"a\n\nb").expect("stored");
        assert_eq!(load(&path), Some(Kept { validators, bytes: b"a\n\nb".to_vec() }));
        forget(&path);
        assert_eq!(load(&path), None);
    }

    #[test]
    fn what_is_damaged_is_no_copy() {
        for bytes in [&b""[..], b"etag", b"x: y\n\nz", b"\xff: a\n\n"] {
            assert_eq!(parse(bytes), None);
        }
    }
}
