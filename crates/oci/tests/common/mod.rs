//! What the integration tests build on.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::item::ItemId;
use plywood_core::oci::{ImageConfig, Reference, RuntimeConfig};
use plywood_core::platform::Platform;
use plywood_core::tree::{Content, HardLinkId, Meta, NoPackedContent, Node, NodeKind, Tree, TreePath};
use plywood_oci::codec::Codec;
use plywood_oci::image::Image;
use plywood_oci::layer::build_layers;
use plywood_oci::segment::write_generated;
use plywood_oci::store::Store;

/// `VFS_CAP_REVISION_2`, effective, with a few permitted capabilities; their low byte is a line feed, which naive
/// readers of pax records trip over (linux/capability.h).
pub const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0x0a, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A directory that goes away with the test.
pub struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        // Without capital letters: podman makes an image's name of a layout's path.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("plywood-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir();
        Self { directory: directory.expect("a temporary directory") }
    }

    pub fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.directory.path()).expect("UTF-8")
    }

    pub fn join(&self, name: &str) -> Utf8PathBuf {
        self.path().join(name)
    }

    pub fn store(&self) -> Store {
        Store::open(self.join("store")).expect("opened")
    }
}

pub fn path(text: &str) -> TreePath {
    TreePath::parse(text).expect("a path")
}

pub fn directory(at: &str, mode: u16, mtime: i64) -> (TreePath, Node) {
    (path(at), Node::directory(Meta::root(mode, mtime)))
}

pub fn file(at: &str, mode: u16, text: &str) -> (TreePath, Node) {
    (path(at), Node::file(Meta::root(mode, 1_700_000_000), text.as_bytes()))
}

pub fn linked(at: &str, link: u64, text: &str) -> (TreePath, Node) {
    let content = Content::Inline(text.as_bytes().into());
    let kind = NodeKind::File { content, link: Some(HardLinkId(link)) };
    (path(at), Node { meta: Meta::root(0o755, 1_700_000_000), kind })
}

/// A segment of these entries.
pub fn item(store: &Store, codec: Codec, entries: &[(TreePath, Node)]) -> ItemId {
    write_generated(store, codec, entries, &NoPackedContent).expect("written").item()
}

/// Items that use every feature of the format; three layers, the first of two items.
pub fn sample_items() -> Vec<Vec<Vec<(TreePath, Node)>>> {
    let long = format!("usr/{}/{}", "d".repeat(90), "f".repeat(90));
    let longer = format!("usr/{}/{}", "e".repeat(200), "g".repeat(120));
    let mut capable = Meta::root(0o755, 1_700_000_001);
    capable.xattrs.insert("security.capability".into(), CAPABILITY.as_slice().into());
    let owned = Meta { uid: 1000, gid: 3_000_000, ..Meta::root(0o640, 0) };
    let parents = [directory("", 0o755, 5), directory("usr", 0o755, 5)];
    let base = [
        parents.to_vec(),
        vec![
            directory("tmp", 0o1777, 6),
            (path("bin"), Node::symlink("usr/bin", 7)),
            directory("usr/bin", 0o755, 8),
            linked("usr/bin/perl", 1, "#!perl"),
            linked("usr/bin/perl5", 1, "#!perl"),
            (path("usr/bin/ping"), Node::file(capable, *b"ping")),
            file("usr/bin/sudo", 0o4755, "sudo"),
            (path("usr/pipe"), Node { meta: Meta::root(0o600, 9), kind: NodeKind::Fifo }),
            (path("usr/Főtanúsítvány.crt"), Node::file(owned, *b"certificate")),
        ],
    ];
    let second = [
        parents.to_vec(),
        vec![
            directory(&format!("usr/{}", "d".repeat(90)), 0o755, 8),
            file(&long, 0o644, "prefix and name"),
            directory(&format!("usr/{}", "e".repeat(200)), 0o700, 8),
            file(&longer, 0o644, "a pax path"),
            (path("usr/link"), Node::symlink("t".repeat(150), 9)),
        ],
    ];
    let upper = [
        vec![directory("", 0o755, 5), directory("tmp", 0o1777, 6), directory("usr", 0o711, 12)],
        vec![file("usr/new", 0o600, &"x".repeat(100_000))],
    ];
    let top = [directory("", 0o555, 20), directory("usr", 0o755, 21), file("usr/top", 0o644, "top")];
    vec![vec![base.concat(), second.concat()], vec![upper.concat()], vec![top.to_vec()]]
}

/// The tree that [`sample_items`] make.
pub fn sample_tree() -> Tree {
    let mut overlay = plywood_core::layering::Overlay::default();
    for layer in sample_items() {
        let entries = layer.concat();
        overlay.push(entries.iter().map(|(path, node)| (path, node)));
    }
    overlay.to_tree()
}

/// An image of [`sample_items`].
pub fn sample_image(store: &Store, codec: Codec, platform: Platform) -> Image {
    let ids = |layer: Vec<Vec<_>>| layer.iter().map(|entries| item(store, codec, entries)).collect::<Vec<_>>();
    let layers: Vec<Vec<ItemId>> = sample_items().into_iter().map(ids).collect();
    let layers = build_layers(store, codec, &layers).expect("built");
    let runtime = RuntimeConfig {
        env: vec!["PATH=/usr/bin".to_owned()],
        cmd: Some(vec!["/usr/bin/perl".to_owned()]),
        labels: BTreeMap::from([("made.by".to_owned(), "plywood".to_owned())]),
        ..RuntimeConfig::default()
    };
    let config = ImageConfig::new(platform, runtime, Vec::new());
    Image::assemble(store, platform, config, layers, BTreeMap::new()).expect("assembled")
}

pub fn name(text: &str) -> Reference {
    text.parse().expect("a reference")
}

/// Prints a line, for a test that runs this program once more and reads what it says.
pub fn say(line: &str) {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{line}").expect("printed");
}

/// Runs a program; gives its standard output when it succeeds.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("started");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
