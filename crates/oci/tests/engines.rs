//! Layouts and archives as skopeo and podman take them.

mod common;

use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;
use common::*;
use plywood_core::platform::Platform;
use plywood_core::tree::{Content, Node, NodeKind, Tree};
use plywood_oci::codec::Codec;
use plywood_oci::layout::{
    Export, ImageLayout, LayoutError, write_directory, write_docker_archive, write_file, write_oci_archive,
};
use plywood_testkit::require::{require, require_root};

const NAME: &str = "registry.example/team/sample:1.0";

fn export(store: &plywood_oci::store::Store, codec: Codec) -> Export {
    let image = sample_image(store, codec, Platform::LinuxAmd64);
    Export::new(store, name(NAME), vec![image]).expect("exported")
}

#[test]
fn a_layout_is_read_back_verified() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for codec in [Codec::ZSTD, Codec::GZIP] {
        let export = export(&store, codec);
        let (directory, archive) = (scratch.join("layout"), scratch.join("archive.tar"));
        write_directory(&store, &directory, std::slice::from_ref(&export)).expect("written");
        write_file(&archive, |out| write_oci_archive(&store, std::slice::from_ref(&export), out)).expect("written");
        for place in [directory, archive] {
            let layout = ImageLayout::open(place).expect("opened");
            assert_eq!(layout.names().collect::<Vec<_>>(), [NAME]);
            let image = layout.image(Some(NAME), Platform::LinuxAmd64).expect("found");
            assert_eq!(image.descriptor.digest, export.root.digest);
            layout.verify(&image).expect("whole");
            assert_eq!(without_links(layout.tree(&image).expect("read")), without_links(sample_tree()));
        }
    }
}

#[test]
fn a_damaged_layout_is_refused() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let export = export(&store, Codec::ZSTD);
    let archive = scratch.join("archive.tar");
    write_file(&archive, |out| write_oci_archive(&store, std::slice::from_ref(&export), out)).expect("written");
    let whole = std::fs::read(&archive).expect("read");
    let layer = export.images[0].layers[0].digest;
    let blob = std::fs::read(store.blob_path(layer)).expect("read");
    let at = whole.windows(blob.len()).position(|window| window == blob).expect("in the archive") + blob.len() / 2;
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    std::fs::write(&archive, bytes).expect("damaged");
    let layout = ImageLayout::open(&archive).expect("opened");
    let image = layout.image(None, Platform::LinuxAmd64).expect("found");
    assert!(matches!(layout.verify(&image), Err(LayoutError::Damaged { digest }) if digest == layer));
    assert!(layout.tree(&image).is_err());
    for length in [0, 512, whole.len() / 2] {
        std::fs::write(&archive, &whole[..length]).expect("cut");
        assert!(ImageLayout::open(&archive).is_err(), "{length} bytes");
    }
}

#[test]
fn a_layout_keeps_other_images_and_drops_unused_blobs() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let directory = scratch.join("layout");
    let image = sample_image(&store, Codec::ZSTD, Platform::LinuxAmd64);
    let other = sample_image(&store, Codec::GZIP, Platform::LinuxAmd64);
    let export = |name_: &str, image| Export::new(&store, name(name_), vec![image]).expect("exported");
    write_directory(&store, &directory, &[export("a.example/one:1", image.clone())]).expect("written");
    write_directory(&store, &directory, &[export("a.example/two:1", image)]).expect("written");
    write_directory(&store, &directory, &[export("a.example/one:1", other.clone())]).expect("written");
    let names = |directory: &Utf8Path| {
        let layout = ImageLayout::open(directory).expect("opened");
        layout.names().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&directory), ["a.example/one:1", "a.example/two:1"]);
    let blobs = || std::fs::read_dir(directory.join("blobs/sha256")).expect("read").count();
    assert_eq!(blobs(), 9, "two manifests, three layers twice, one configuration: it speaks of uncompressed bytes");
    write_directory(&store, &directory, &[export("a.example/two:1", other)]).expect("written");
    assert_eq!(blobs(), 5);

    let foreign = scratch.join("foreign");
    std::fs::create_dir(&foreign).expect("made");
    std::fs::write(foreign.join("diary.txt"), b"dear").expect("written");
    assert!(matches!(write_directory(&store, &foreign, &[]), Err(LayoutError::NotALayout { .. })));
}

#[test]
fn skopeo_reads_every_form() {
    if !require(&["skopeo"]) {
        return;
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    for codec in [Codec::ZSTD, Codec::GZIP] {
        let export = export(&store, codec);
        let (directory, archive, docker) = (scratch.join("layout"), scratch.join("o.tar"), scratch.join("d.tar"));
        write_directory(&store, &directory, std::slice::from_ref(&export)).expect("written");
        write_file(&archive, |out| write_oci_archive(&store, std::slice::from_ref(&export), out)).expect("written");
        let named = [(vec![name(NAME)], &export.images[0])];
        write_file(&docker, |out| write_docker_archive(&store, &named, out)).expect("written");
        for (at, source) in [
            format!("oci:{directory}:{NAME}"),
            format!("oci-archive:{archive}"),
            format!("docker-archive:{docker}:{NAME}"),
        ]
        .iter()
        .enumerate()
        {
            let inspected = run("skopeo", &["inspect", source]);
            assert!(inspected.contains("\"made.by\": \"plywood\""), "{inspected}");
            // A copy reads and verifies every blob, and decompresses layers to check their diff IDs.
            let copy = scratch.join(&format!("copy{at}"));
            run("skopeo", &["copy", "--quiet", "--insecure-policy", source, &format!("dir:{copy}")]);
            let id = export.images[0].config.digest.to_hex();
            assert!(copy.join(id).exists(), "the image ID is the same in {source}");
        }
    }
}

#[test]
fn skopeo_sees_the_platforms_of_an_index() {
    if !require(&["skopeo"]) {
        return;
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let images = Platform::ALL.map(|platform| sample_image(&store, Codec::ZSTD, platform));
    let export = Export::new(&store, name(NAME), images.to_vec()).expect("exported");
    let directory = scratch.join("layout");
    write_directory(&store, &directory, std::slice::from_ref(&export)).expect("written");
    let source = format!("oci:{directory}:{NAME}");
    assert!(run("skopeo", &["inspect", "--raw", &source]).contains("\"architecture\":\"arm64\""));
    let arm = run("skopeo", &["--override-arch", "arm64", "inspect", &source]);
    assert!(arm.contains("\"Architecture\": \"arm64\""), "{arm}");
    run("skopeo", &["copy", "--all", "--quiet", "--insecure-policy", &source, &format!("dir:{}", scratch.join("all"))]);
    let layout = ImageLayout::open(&directory).expect("opened");
    for (platform, image) in Platform::ALL.into_iter().zip(&images) {
        assert_eq!(layout.image(None, platform).expect("found").descriptor.digest, image.manifest.digest);
    }
}

#[test]
fn podman_mounts_what_the_layers_say() {
    if !require(&["podman"]) || !require_root() {
        return;
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let (graph, run_root) = (scratch.join("graph"), scratch.join("run"));
    let podman = |arguments: &[&str]| {
        let own = ["--root", graph.as_str(), "--runroot", run_root.as_str()];
        run("podman", &[own.as_slice(), arguments].concat())
    };
    for codec in [Codec::ZSTD, Codec::GZIP] {
        let export = export(&store, codec);
        let (directory, archive, docker) = (scratch.join("layout"), scratch.join("o.tar"), scratch.join("d.tar"));
        write_directory(&store, &directory, std::slice::from_ref(&export)).expect("written");
        write_file(&archive, |out| write_oci_archive(&store, std::slice::from_ref(&export), out)).expect("written");
        let named = [(vec![name(NAME)], &export.images[0])];
        write_file(&docker, |out| write_docker_archive(&store, &named, out)).expect("written");
        let id = export.images[0].config.digest.to_hex();
        podman(&["pull", "-q", &format!("oci:{directory}:{NAME}")]);
        check_mounted(&podman, &id);
        for archive in [&archive, &docker] {
            podman(&["load", "-q", "-i", archive.as_str()]);
            assert_eq!(podman(&["image", "inspect", "--format", "{{.Id}}", NAME]).trim(), id);
            check_mounted(&podman, &id);
        }
    }
}

/// Compares what podman mounts with the tree, then removes the image.
fn check_mounted(podman: &dyn Fn(&[&str]) -> String, id: &str) {
    let mounted = podman(&["image", "mount", id]);
    let root = Utf8Path::new(mounted.trim());
    let tree = sample_tree();
    let mut seen = 0;
    for (at, node) in tree.iter() {
        let place = if at.is_root() { root.to_owned() } else { root.join(at.to_string().trim_start_matches('/')) };
        let (mut found, expected) = (found(&place), expected(node));
        if at.is_root() {
            // The time of the mount point is that of mounting.
            found.4 = expected.4;
        }
        assert_eq!(found, expected, "{at}");
        seen += usize::from(node.is_directory());
    }
    assert!(seen > 5);
    let mut capability = [0; 64];
    let length = rustix::fs::lgetxattr(root.join("usr/bin/ping").as_str(), "security.capability", &mut capability[..]);
    assert_eq!(length.ok().map(|length| capability[..length].to_vec()), Some(CAPABILITY.to_vec()));
    podman(&["image", "unmount", "--force", id]);
    podman(&["rmi", "--force", id]);
}

/// Type, mode, owner, time, link target or size.
type Shown = (u32, u32, u32, u32, i64, String);

fn found(place: &Utf8Path) -> Shown {
    let metadata = std::fs::symlink_metadata(place).unwrap_or_else(|error| panic!("{place}: {error}"));
    let detail = if metadata.is_symlink() {
        std::fs::read_link(place).expect("a link").to_string_lossy().into_owned()
    } else if metadata.is_file() {
        std::fs::read_to_string(place).expect("a file")
    } else {
        String::new()
    };
    let (kind, mode) = (metadata.mode() & 0o170_000, metadata.mode() & 0o7777);
    (kind, mode, metadata.uid(), metadata.gid(), metadata.mtime(), detail)
}

fn expected(node: &Node) -> Shown {
    let (kind, detail) = match &node.kind {
        NodeKind::Directory => (0o040_000, String::new()),
        NodeKind::Symlink { target } => (0o120_000, target.to_string()),
        NodeKind::File { content: Content::Inline(bytes), .. } => {
            (0o100_000, String::from_utf8_lossy(bytes).into_owned())
        }
        NodeKind::Fifo => (0o010_000, String::new()),
        other => panic!("{other:?} is not in the sample"),
    };
    (kind, u32::from(node.meta.mode), node.meta.uid, node.meta.gid, node.meta.mtime, detail)
}

/// The tree with hard links as files of their own: their numbers mean nothing.
fn without_links(tree: Tree) -> Tree {
    let single = |node: &Node| match &node.kind {
        NodeKind::File { content, .. } => {
            Node { meta: node.meta.clone(), kind: NodeKind::File { content: content.clone(), link: None } }
        }
        _ => node.clone(),
    };
    tree.iter().map(|(path, node)| (path.clone(), single(node))).collect()
}
