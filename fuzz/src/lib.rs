//! What each fuzz target does with its bytes: reading must not panic, and what was read must come out as it went in.
//!
//! The targets in `fuzz_targets` call these; so does `crates/core/tests/fuzz_targets.rs`, with the seeds and random changes
//! to them, on the stable compiler.

use std::io::{self, Read};

use plywood_core::digest::NarHash;
use plywood_core::nix::nar::{NarLimits, NarSink, NarWriter, read};
use plywood_core::nix::{Derivation, FlakeLock, NarInfo, TrustedPublicKeys};

/// A NAR that is read is the one that would be written.
pub fn nar(mut bytes: &[u8]) {
    let given = bytes;
    let mut writer = NarWriter::new(Vec::new());
    let limits = NarLimits { size: 1 << 24, entries: 1 << 16, depth: 64 };
    let Ok(summary) = read(&mut bytes, &mut Checked(&mut writer), &limits) else { return };
    assert_eq!((summary.size, summary.hash), (given.len() as u64, NarHash::of(given)));
    assert_eq!(writer.finish().expect("it has a root"), given);
}

/// A sink must get exactly as many bytes as it was told.
struct Checked<'w>(&'w mut NarWriter<Vec<u8>>);

impl NarSink for Checked<'_> {
    fn directory(&mut self, path: &plywood_core::tree::TreePath) -> io::Result<()> {
        self.0.directory(path)
    }

    fn symlink(&mut self, path: &plywood_core::tree::TreePath, target: &bstr::BStr) -> io::Result<()> {
        assert!(!target.is_empty() && !target.contains(&0));
        self.0.symlink(path, target)
    }

    fn file(
        &mut self,
        path: &plywood_core::tree::TreePath,
        executable: bool,
        size: u64,
        data: &mut dyn Read,
    ) -> io::Result<()> {
        self.0.file(path, executable, size, data)?;
        assert!(matches!(data.read(&mut [0]), Ok(0)), "more data than said");
        Ok(())
    }
}

/// A narinfo survives its text, stays below its cache, and is not believed without keys.
pub fn narinfo(bytes: &[u8]) {
    let Ok(info) = NarInfo::parse(bytes) else { return };
    assert_eq!(NarInfo::parse(info.to_text().as_bytes()).as_ref(), Ok(&info));
    assert!(!info.url.as_str().starts_with('/') && !info.url.as_str().contains("://"));
    assert!(
        info.url.as_str().split(['/', '?', '#']).all(|part| part != "..") || info.url.as_str().contains(['?', '#'])
    );
    assert!(info.verify(&TrustedPublicKeys::default()).is_err());
}

/// A derivation that is read is the one that Nix would write.
pub fn derivation(bytes: &[u8]) {
    let Ok(derivation) = Derivation::parse(bytes) else { return };
    assert_eq!(derivation.to_aterm(), bytes);
    let _ = derivation.attributes();
    let _ = derivation.store_path("name");
    let _ = derivation.output_paths("name", &Default::default());
}

/// Every input of a lock file that is read leads to one of its nodes.
pub fn flake_lock(bytes: &[u8]) {
    let Ok(lock) = FlakeLock::parse(bytes) else { return };
    for (name, node) in lock.nodes() {
        assert_eq!(lock.inputs(name).count(), node.inputs.len());
        assert!(lock.inputs(name).all(|(_, target)| lock.nodes().contains_key(target)));
        let _ = node.locked.as_ref().and_then(|locked| locked.store_path());
    }
}
