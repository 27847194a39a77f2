//! What podman makes of the layers is the tree that plywood reads from them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use plywood_core::platform::Platform;
use plywood_core::tree::{Content, Node, NodeKind};
use plywood_oci::layout::ImageLayout;
use plywood_testkit::{require, require_root};

use crate::lab::{Lab, lab, succeed, text};

/// One line for each path: type, mode, owner, time, and link target or length.
type Listing = BTreeMap<String, String>;

#[test]
fn podman_mounts_the_tree() {
    let (true, true, Some(lab)) = (require(&["podman"]), require_root(), lab()) else { return };
    let platform = if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 };
    for image in ["base", "devcontainer-base"] {
        succeed(&mut lab.plywood(&[
            "build",
            image,
            "--locked",
            "--load",
            "podman",
            "--platform",
            &platform.to_string(),
        ]));
        let layout = ImageLayout::open(&lab.layout).expect("the layout");
        let found = layout.image(Some(&Lab::reference(image)), platform).expect("the image");
        let tree = layout.tree(&found).expect("its files");
        let mount = succeed(Command::new("podman").args(["image", "mount", &Lab::reference(image)]));
        let root = text(&mount.stdout).trim().to_owned();
        let mut theirs = Listing::new();
        list(Path::new(&root), Path::new(""), &mut theirs);
        let mut ours = Listing::new();
        for (path, node) in tree.iter() {
            let path = path.to_string().trim_start_matches('/').to_owned();
            if let NodeKind::File { content: Content::Inline(bytes), .. } = &node.kind {
                let theirs = fs::read(Path::new(&root).join(&path));
                assert!(theirs.is_ok_and(|theirs| *theirs == **bytes), "the content of {path}");
            }
            ours.insert(path, of_node(node));
        }
        // The root's time is the engine's.
        for listing in [&mut ours, &mut theirs] {
            listing.remove("").or_else(|| listing.remove("."));
        }
        let differing: Vec<_> =
            ours.keys().chain(theirs.keys()).filter(|path| ours.get(*path) != theirs.get(*path)).collect();
        let line =
            |path: &&&String| format!("{path}: {:?} in the tree, {:?} in podman", ours.get(**path), theirs.get(**path));
        let lines: Vec<String> = differing.iter().take(20).map(|path| line(&path)).collect();
        succeed(Command::new("podman").args(["image", "umount", &Lab::reference(image)]));
        assert!(lines.is_empty(), "{} paths of {image} differ:\n{}", differing.len(), lines.join("\n"));
        assert!(ours.len() > 3000, "{} paths", ours.len());
    }
}

fn of_node(node: &Node) -> String {
    let kind = match &node.kind {
        NodeKind::Directory => "directory".to_owned(),
        NodeKind::File { content, .. } => format!("file of {} bytes", content.size()),
        NodeKind::Symlink { target } => format!("link to {target}"),
        other => format!("{other:?}"),
    };
    let meta = &node.meta;
    format!("{kind}, {:o} {}:{} at {}", meta.mode, meta.uid, meta.gid, meta.mtime)
}

fn list(root: &Path, below: &Path, listing: &mut Listing) {
    let path = root.join(below);
    let meta = fs::symlink_metadata(&path).expect("it is there");
    let name = below.to_string_lossy().into_owned();
    let kind = if meta.is_dir() {
        "directory".to_owned()
    } else if meta.is_symlink() {
        format!("link to {}", fs::read_link(&path).expect("a link").display())
    } else {
        format!("file of {} bytes", meta.len())
    };
    let (mode, uid, gid) = (meta.mode() & 0o7777, meta.uid(), meta.gid());
    listing.insert(name, format!("{kind}, {mode:o} {uid}:{gid} at {}", meta.mtime()));
    if meta.is_dir() {
        for entry in fs::read_dir(&path).expect("a folder").flatten() {
            list(root, &below.join(entry.file_name()), listing);
        }
    }
}
