use proptest::prelude::*;

use super::*;
use crate::debian::relation::RelationKind;
use crate::digest::FileHash;

const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn stanza(name: &str) -> String {
    format!(
        "Package: {name}\nSource: hello-src (1.0-1)\nVersion: 1.0-1+b1\nInstalled-Size: 276\nArchitecture: amd64\n\
         Depends: libc6 (>= 2.14), one | two\nProvides: greeter (= 1)\nPriority: optional\nSection: devel\n\
         Multi-Arch: foreign\nEssential: yes\nFilename: pool/main/h/hello/hello_1.0-1+b1_amd64.deb\nSize: 53080\n\
         SHA256: {HASH}\nDescription: greets\n"
    )
}

#[test]
fn the_fields_are_taken() {
    let index = PackagesIndex::read(format!("{}\n{}", stanza("hello"), stanza("hallo")).as_bytes()).unwrap();
    let [package, second] = index.packages() else { panic!("{index:?}") };
    assert_eq!((package.name(), second.name()), ("hello", "hallo"));
    assert_eq!(package.version().as_str(), "1.0-1+b1");
    assert_eq!(package.architecture(), "amd64");
    assert_eq!((package.source(), package.source_version().as_str()), ("hello-src", "1.0-1"));
    assert_eq!((package.size(), package.installed_size()), (53_080, 276));
    assert_eq!(package.sha256(), FileHash::of(b""));
    assert_eq!(package.filename(), "pool/main/h/hello/hello_1.0-1+b1_amd64.deb");
    assert_eq!((package.multi_arch(), package.priority()), (MultiArch::Foreign, Priority::Optional));
    assert!(package.is_essential());
    assert_eq!(package.relations(RelationKind::Depends).unwrap().len(), 2);
    assert_eq!(package.relations(RelationKind::Provides).unwrap()[0].to_string(), "greeter (= 1)");
    assert!(package.relations(RelationKind::Conflicts).unwrap().is_empty());
    assert_eq!(package.section(), "devel");
}

#[test]
fn a_package_is_its_own_source_unless_it_says_otherwise() {
    let text = stanza("hello").replace("Source: hello-src (1.0-1)\n", "");
    let index = PackagesIndex::read(text.as_bytes()).unwrap();
    let package = &index.packages()[0];
    assert_eq!((package.source(), package.source_version().as_str()), ("hello", "1.0-1+b1"));
}

#[test]
fn names_are_kept_in_the_order_of_their_mention() {
    let index = PackagesIndex::read(stanza("hello").as_bytes()).unwrap();
    let names: Vec<&str> = index.mentioned().iter().map(|name| &**name).collect();
    assert_eq!(names, ["hello", "libc6", "one", "two", "greeter"]);
}

#[test]
fn what_cannot_be_used_is_left_out() {
    for (from, to) in [
        ("Package: hello", "Package: he/llo"),
        ("Version: 1.0-1+b1", "Version: 1 0"),
        ("Filename: pool", "Filename: /pool"),
        ("Filename: pool", "Filename: ../pool"),
        ("Size: 53080", "Size: many"),
        ("SHA256: ", "SHA512: "),
        ("SHA256: e3", "SHA256: E3"),
        ("Architecture: amd64\n", ""),
    ] {
        let text = format!("{}\n{}", stanza("hello").replace(from, to), stanza("other"));
        let index = PackagesIndex::read(text.as_bytes()).unwrap();
        assert_eq!((index.packages().len(), index.skipped().len()), (1, 1), "{to}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..400) {
        let _ = PackagesIndex::read(&bytes[..]);
        let mut text = stanza("hello").into_bytes();
        let at = at.min(text.len());
        text.splice(at..at, bytes);
        if let Ok(index) = PackagesIndex::read(&text[..]) {
            for package in index.packages() {
                let _ = (package.relations(RelationKind::Depends), package.relations(RelationKind::Provides), package.source(), package.source_version());
            }
        }
    }
}
