//! `/etc/ld.so.conf` and what it includes: the directories to search, in order (ldconfig(8)).

use bstr::{BString, ByteSlice as _};

use crate::debian::deb::fnmatch;
use crate::platform::Platform;
use crate::tree::{ReadContent, Tree, TreePath};

/// Files that include each other cannot go on for ever.
const MAX_DEPTH: usize = 8;

/// The directories as written, the system's own last, as glibc's `main` adds them.
pub(super) fn search_directories(tree: &Tree, contents: &dyn ReadContent, platform: Platform) -> Vec<BString> {
    let mut directories = Vec::new();
    read_file(tree, contents, &TreePath::literal("etc/ld.so.conf"), 0, &mut directories);
    for base in ["/lib/", "/usr/lib/"] {
        directories.push([base, platform.multiarch()].concat().into());
    }
    directories.extend(["/lib".into(), "/usr/lib".into()]);
    if platform == Platform::LinuxAmd64 {
        directories.extend(["/lib32", "/usr/lib32", "/libx32", "/usr/libx32"].map(BString::from));
    }
    directories
}

fn read_file(tree: &Tree, contents: &dyn ReadContent, path: &TreePath, depth: usize, found: &mut Vec<BString>) {
    let Some((path, _)) = tree.lookup(path.to_string()) else { return };
    let Ok(text) = tree.read(&path, contents) else { return };
    for line in text.lines() {
        let line = line.split_str("#").next().unwrap_or_default().trim();
        let mut words = line.fields();
        match words.next() {
            None => {}
            Some(b"include") if depth < MAX_DEPTH => {
                for pattern in words {
                    for file in glob(tree, &path, pattern) {
                        read_file(tree, contents, &file, depth + 1, found);
                    }
                }
            }
            Some(b"include" | b"hwcap") => {}
            Some(_) => {
                // `DIR=TYPE` was for libc4 and libc5.
                let directory = line.split_str("=").next().unwrap_or_default().trim();
                let length = directory.trim_end_with(|c| c == '/').len().max(1);
                found.push(directory.get(..length).unwrap_or_default().into());
            }
        }
    }
}

/// Files that match a pattern whose directory is fixed, as in `/etc/ld.so.conf.d/*.conf`, sorted as glob(3) does.
fn glob(tree: &Tree, from: &TreePath, pattern: &[u8]) -> Vec<TreePath> {
    let absolute = match pattern.first() {
        Some(b'/') => pattern.to_vec(),
        _ => [b"/", from.parent().unwrap_or(TreePath::ROOT).as_bytes(), b"/", pattern].concat(),
    };
    let Some(slash) = absolute.rfind_byte(b'/') else { return Vec::new() };
    let Ok(directory) = tree.resolve(&TreePath::ROOT, &absolute[..slash], true) else { return Vec::new() };
    let name = &absolute[slash + 1..];
    let matches = |path: &TreePath| path.file_name().is_some_and(|file| !file.starts_with(b".") && fnmatch(name, file));
    tree.children(&directory).map(|(path, _)| path.clone()).filter(|path| matches(path)).collect()
}
