//! Images without Debian.

use plywood_core::tree::TreePath;

use crate::fixture::{Fixture, chain, text};

const BARE: &str = "[images.bare]\ndebian = false\nuser = { name = \"app\" }\nworkdir = \"/srv\"\n[images.bare.files]\n\"/etc/motd\" = { text = \"hello\" }\n";

#[test]
fn an_image_of_users_and_files_alone_is_built() {
    let fixture = Fixture::new(BARE, []);
    let report = fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(report.images[0].platforms[0].packages, 0);
    let tree = fixture.tree();
    assert_eq!(text(&tree, "/etc/motd").as_deref(), Some("hello"));
    assert!(text(&tree, "/etc/passwd").is_some_and(|passwd| passwd.contains(":1000:1000:")));
    let owner =
        |path: &str| tree.get(&TreePath::parse(path).expect("a path")).map(|node| (node.meta.uid, node.meta.mode));
    assert_eq!(owner("/home/app"), Some((1000, 0o700)));
    assert_eq!(owner("/srv"), Some((1000, 0o755)));
    for debians in ["/var/lib/dpkg", "/etc/apt", "/bin"] {
        assert_eq!(owner(debians), None, "{debians}");
    }
    // Built again from an empty cache, it is the same.
    let again = fixture.build("other").unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(report.images[0].platforms[0].digest, again.images[0].platforms[0].digest);
}
