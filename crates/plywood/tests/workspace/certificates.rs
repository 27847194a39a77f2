//! Certificate authorities of the workspace, in the trust stores that Debian's own `update-ca-certificates` makes.

use plywood_core::tree::{NodeKind, TreePath};
use plywood_testkit::{AUTHORITY_HASH, AUTHORITY_PEM, Deb, require};

use crate::fixture::{Fixture, chain, package, plain, text};

const IMAGES: &str = "certificates = [\"company.pem\"]\n---\n[images.base]\npackages = [\"ca-certificates\"]\n";
/// What the script calls; the evaluator has them natively but wants to see them installed.
const PROGRAMS: [&str; 14] =
    ["sh", "sed", "mktemp", "find", "sort", "cat", "ln", "rm", "mv", "chmod", "openssl", "basename", "readlink", "wc"];

/// This machine's `update-ca-certificates` in a package, called as Debian's package calls it.
fn ca_certificates() -> Option<Deb> {
    require(&["update-ca-certificates"]).then(|| {
        let script = require::find_tool("update-ca-certificates").expect("a script");
        let script = std::fs::read(script).expect("readable");
        let builder = package("ca-certificates", "1").file("./usr/sbin/update-ca-certificates", 0o755, script);
        let builder = builder.file("./etc/ca-certificates.conf", 0o644, "").directory("./etc/ssl/certs", 0o755);
        let builder = builder.directory("./etc/ca-certificates/update.d", 0o755).directory("./tmp", 0o1777);
        let add = |builder: plywood_testkit::DebBuilder, program: &&str| {
            builder.file(&format!("./usr/bin/{program}"), 0o755, "#!/bin/false\n")
        };
        let builder = PROGRAMS.iter().fold(builder, add);
        builder.script("postinst", "#!/bin/sh\nset -e\nupdate-ca-certificates\n").build()
    })
}

#[test]
fn certificates_reach_the_bundle_and_the_hash_links() {
    let Some(deb) = ca_certificates() else { return };
    let fixture = Fixture::new(IMAGES, [deb]);
    fixture.write("company.pem", AUTHORITY_PEM);
    fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)));
    let tree = fixture.tree();
    assert_eq!(text(&tree, "usr/local/share/ca-certificates/company.crt").as_deref(), Some(AUTHORITY_PEM));
    let bundle = text(&tree, "etc/ssl/certs/ca-certificates.crt").expect("a bundle");
    assert!(bundle.contains(AUTHORITY_PEM), "{bundle}");
    let link = TreePath::parse(format!("etc/ssl/certs/{AUTHORITY_HASH}.0")).expect("a path");
    let target = match tree.get(&link).map(|node| &node.kind) {
        Some(NodeKind::Symlink { target }) => target.to_string(),
        other => panic!("no hash link but {other:?}"),
    };
    let certificate = tree.lookup(format!("etc/ssl/certs/{target}")).map(|(path, _)| path.to_string());
    assert_eq!(certificate.as_deref(), Some("/usr/local/share/ca-certificates/company.crt"));
}

#[test]
fn an_image_without_a_trust_store_is_told() {
    let images = IMAGES.replace("ca-certificates\"]", "hello\"]");
    let fixture = Fixture::new(&images, [plain("hello", "1", &[])]);
    fixture.write("company.pem", AUTHORITY_PEM);
    let error = fixture.build("cache").expect_err("nothing would read them");
    assert_eq!(chain(&error), "cannot add certificates to the image `base`: it has no package ca-certificates");
    assert!(error.hint().unwrap_or_default().contains("\"ca-certificates\""));
}

#[test]
fn a_file_without_certificates_is_told_by_its_name() {
    let fixture = Fixture::new(&IMAGES.replace("ca-certificates\"]", "hello\"]"), [plain("hello", "1", &[])]);
    fixture.write("company.pem", "0\u{82}\u{3}");
    let error = fixture.build("cache").expect_err("it holds none");
    assert!(chain(&error).ends_with("company.pem: it holds no certificate in PEM form"), "{}", chain(&error));
    assert!(error.hint().unwrap_or_default().contains("openssl x509"));
}
