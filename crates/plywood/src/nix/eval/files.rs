//! The files of a flake that say what it is: `flake.nix`, and what that names.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use plywood_core::digest::FileHash;
use plywood_core::nix::relative_paths;

use super::snapshot::walk;
use crate::workspace::{LOCK_NAME, MANIFEST_NAME};

/// The longest expression that is read for what it names, in bytes.
const MAX_EXPRESSION: u64 = 4 << 20;

/// SHA-256 over the names and hashes of `flake.nix` in `folder` and all that it names within `root`, file by file as they name each
/// other: expressions, patches, folders of them. Not the manifest and the locks, which are looked at for themselves; and not the
/// flake as a whole, or each file of a project would count.
///
/// What cannot be read does not count: Nix says better what is wrong with it.
pub(crate) fn files_hash(root: &Utf8Path, folder: &Utf8Path) -> FileHash {
    let mut found: BTreeMap<Utf8PathBuf, FileHash> = BTreeMap::new();
    let (Ok(root), Ok(folder)) = (root.canonicalize_utf8(), folder.canonicalize_utf8()) else {
        return FileHash::of(b"");
    };
    let mut open = vec![folder.join("flake.nix")];
    while let Some(path) = open.pop() {
        let Ok(relative) = path.strip_prefix(&root) else { continue };
        let is_own = [MANIFEST_NAME, LOCK_NAME, "flake.lock"].iter().any(|name| relative.file_name() == Some(*name));
        if is_own || relative == "" || found.contains_key(relative) {
            continue;
        }
        match fs::metadata(&path) {
            Ok(data) if data.is_dir() && path != folder => open.extend(files_below(&path)),
            Ok(data) if data.is_file() => {
                let Some(hash) = hash(&path) else { continue };
                found.insert(relative.to_owned(), hash);
                if path.extension() == Some("nix") && data.len() <= MAX_EXPRESSION {
                    let text = fs::read_to_string(&path).unwrap_or_default();
                    let beside = path.parent().unwrap_or(&root);
                    open.extend(relative_paths(&text).into_iter().filter_map(|named| normal(&beside.join(named))));
                }
            }
            _ => {}
        }
    }
    let lines: String = found.iter().map(|(path, hash)| format!("{hash} {path}\n")).collect();
    FileHash::of(lines.as_bytes())
}

fn hash(path: &Utf8Path) -> Option<FileHash> {
    fs::read(path).ok().map(|bytes| FileHash::of(&bytes))
}

/// Every file that version control would have below a folder, or its `default.nix`, which stands for it.
fn files_below(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let default = folder.join("default.nix");
    if default.is_file() {
        return vec![default];
    }
    let files =
        walk(folder).filter_map(Result::ok).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok()).collect()
}

/// A path without `.` and `..`; `None` above the root of all files.
fn normal(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut normal = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => normal.pop().then_some(())?,
            other => normal.push(other),
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_flake_names_counts_and_nothing_else() {
        let temporary = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(temporary.path()).expect("UTF-8");
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        write(
            "nix/flake.nix",
            "{ a = import ./a.nix; b = ../overlays; c = ./.; d = ../plywood.toml; e = ../../../../../x; }",
        );
        write("nix/a.nix", "{ patches = [ ./fixes/one.patch ]; self = import ./a.nix; lib = import ../lib; }");
        write("nix/fixes/one.patch", "-a");
        write("nix/fixes/two.patch", "-b");
        write("overlays/x.nix", "final: prev: { }");
        write("lib/default.nix", "{ }");
        write("lib/more.nix", "{ }");
        write("src/main.rs", "");
        write("plywood.toml", "");
        let hash = || files_hash(root, &root.join("nix"));
        let mut last = hash();
        let mut check = |name: &str, counts: bool| {
            write(name, "{ changed = true; }");
            let now = hash();
            assert_eq!(now != last, counts, "{name}");
            last = now;
        };
        check("plywood.toml", false);
        check("src/main.rs", false);
        check("nix/fixes/two.patch", false);
        check("lib/more.nix", false);
        check("nix/fixes/one.patch", true);
        check("overlays/x.nix", true);
        check("overlays/y.nix", true);
        check("lib/default.nix", true);
        check("nix/a.nix", true);
        check("nix/flake.nix", true);
        check("nix/a.nix", false);
    }
}
