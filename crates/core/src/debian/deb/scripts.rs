//! Maintainer scripts: reading them without the rest of their package, and telling two sets of them apart.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use super::unpack::{open, read_control};
use super::{DebError, Limits};
use crate::digest::FileHash;

/// Every program of a package that its installation may run (Debian Policy 6.1; `config` is of debconf-devel(7)).
pub const SCRIPTS: [&str; 5] = ["config", "postinst", "postrm", "preinst", "prerm"];

/// The files of a package's `control.tar` by name. What follows that member is not read.
///
/// # Errors
/// [`DebError`] for a package that is damaged, hostile, or of a form that dpkg refuses too.
pub fn read_control_files(reader: impl Read, limits: &Limits) -> Result<BTreeMap<String, Arc<[u8]>>, DebError> {
    let (mut ar, codec) = open(reader)?;
    Ok(read_control(codec, &mut ar, limits)?.files)
}

/// SHA-256 over the maintainer scripts among a package's control files: over each one's name and length, then its
/// bytes, in the order of [`SCRIPTS`].
pub fn scripts_hash(files: &BTreeMap<String, Arc<[u8]>>) -> FileHash {
    let mut bytes = Vec::new();
    for name in SCRIPTS {
        let Some(text) = files.get(name) else { continue };
        bytes.extend_from_slice(format!("{name} {}\n", text.len()).as_bytes());
        bytes.extend_from_slice(text);
    }
    FileHash::of(&bytes)
}

#[cfg(test)]
mod tests {
    use plywood_testkit::{DebBuilder, DebCompression};

    use super::*;

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, Arc<[u8]>> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), Arc::from(text.as_bytes()))).collect()
    }

    #[test]
    fn only_scripts_count_and_each_in_its_place() {
        let one = scripts_hash(&files(&[("postinst", "a"), ("control", "b")]));
        assert_eq!(one, scripts_hash(&files(&[("postinst", "a"), ("control", "c"), ("md5sums", "d")])));
        for other in [&[("preinst", "a")][..], &[("postinst", "b")], &[("postinst", "a"), ("prerm", "")], &[]] {
            assert_ne!(one, scripts_hash(&files(other)), "{other:?}");
        }
    }

    #[test]
    fn control_files_are_read_without_the_data() {
        let builder = DebBuilder::new("one", "1", "all").script("postinst", "#!/bin/sh\n").file("./x", 0o644, "x");
        let deb = builder.compression(DebCompression::None).build();
        // Cut where the data begins: nobody looks there.
        let name = b"data.tar";
        let end = deb.bytes.windows(name.len()).position(|window| window == name).expect("a member");
        let files = read_control_files(&deb.bytes[..end], &Limits::default()).expect("readable");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["control", "postinst"]);
    }
}
