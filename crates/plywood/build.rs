//! Gives the program an identity of its own sources, so that what an older build of it cached is not taken for current.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for room in ["../core/src", "../oci/src", "src", "../../Cargo.lock"] {
        println!("cargo::rerun-if-changed={room}");
        hash(Path::new(room), &mut hasher)?;
    }
    println!("cargo::rustc-env=PLYWOOD_SOURCES={:016x}", hasher.finish());
    Ok(())
}

fn hash(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if !path.is_dir() {
        fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let mut children: Vec<_> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    children.sort();
    for child in children {
        child.to_string_lossy().hash(hasher);
        hash(&child, hasher)?;
    }
    Ok(())
}
