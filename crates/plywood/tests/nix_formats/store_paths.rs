//! Computed store paths against those that Nix gives.

use std::collections::BTreeSet;
use std::fs;

use plywood_core::digest::{NarHash, Sha256Hash};
use plywood_core::nix::{ContentAddress, ContentHash, ContentMethod, HashAlgorithm, NarInfo, StorePath};

use crate::nix::{Nix, utf8};

fn fixed(method: ContentMethod, hash: ContentHash) -> String {
    StorePath::fixed_output("name-1.0", &ContentAddress { method, hash }).expect("a path").absolute()
}

#[test]
fn what_is_added_by_hash_has_the_path_of_its_hash() {
    let Some(nix) = Nix::new() else { return };
    let file = nix.file("name-1.0", b"some text");
    let tree = nix.path("tree/name-1.0");
    nix.file("tree/name-1.0/a/b", b"some text");
    let nar = nix.bytes("nix-store", &["--dump", utf8(&tree)], b"");
    for algorithm in [HashAlgorithm::Md5, HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
        let name = algorithm.as_str();
        let flat = fixed(ContentMethod::Flat, ContentHash::of(algorithm, b"some text"));
        assert_eq!(flat, nix.store(&["--add-fixed", name, &file]), "{name}");
        let recursive = fixed(ContentMethod::Recursive, ContentHash::of(algorithm, &nar));
        assert_eq!(recursive, nix.store(&["--add-fixed", "--recursive", name, utf8(&tree)]), "{name}");
    }
    let flat = fixed(ContentMethod::Flat, ContentHash::of(HashAlgorithm::Sha256, b"some text"));
    assert_eq!(flat, nix.nix(&["store", "add-file", &file]));
    let source = StorePath::source("name-1.0", NarHash::of(&nar), &BTreeSet::new(), false).expect("a path");
    assert_eq!(source.absolute(), nix.store(&["--add", utf8(&tree)]));
    assert_eq!(source.absolute(), nix.nix(&["store", "add-path", utf8(&tree)]));
}

#[test]
fn texts_have_the_path_of_their_text_and_references() {
    let Some(nix) = Nix::new() else { return };
    let expression = r#"let
        a = builtins.toFile "a" "text a";
        b = builtins.toFile "b" "see ${a}";
        c = builtins.toFile "c.sh" "see ${b}, ${a}";
    in [ a b c ]"#;
    let theirs: Vec<String> = serde_json::from_value(nix.eval(expression)).expect("paths");
    let mut references = BTreeSet::new();
    for (path, name) in theirs.iter().zip(["a", "b", "c.sh"]) {
        let path = StorePath::from_absolute(path).expect("a store path");
        let text = fs::read(nix.real(&path)).expect("a file");
        assert_eq!(StorePath::text(name, Sha256Hash::of(&text), &references), Ok(path.clone()));
        references.insert(path);
    }
}

/// Paths that are addressed by content although they refer to themselves and others.
#[test]
fn trees_have_the_path_of_their_nar_and_references() {
    let Some(nix) = Nix::new() else { return };
    let other = StorePath::from_absolute(&nix.store(&["--add", &nix.file("other", b"text")])).expect("a path");
    let path: StorePath = "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-app".parse().expect("a path");
    let program = nix.real(&path).join("bin/app");
    fs::create_dir_all(program.parent().expect("a folder")).expect("made");
    fs::write(&program, format!("{} {}", path.absolute(), other.absolute())).expect("written");
    let nar = nix.bytes("nix-store", &["--dump", utf8(&nix.real(&path))], b"");
    let (hash, size) = (NarHash::of(&nar).to_base16(), nar.len());
    let row = format!("{0}\n{hash}\n{size}\n\n2\n{0}\n{1}\n", path.absolute(), other.absolute()).replace("sha256:", "");
    let store = nix.path("store");
    nix.bytes("nix-store", &["--load-db", "--store", utf8(&store)], row.as_bytes());
    let cache = format!("file://{}", utf8(&nix.path("cache")));
    let made = nix.nix(&["store", "make-content-addressed", "--json", &path.absolute()]);
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    let made = made["rewrites"][path.absolute()].as_str().expect("a path").to_owned();
    nix.nix(&["copy", "--to", &cache, &made]);
    let made = StorePath::from_absolute(&made).expect("a path");
    let info = fs::read(nix.path("cache").join(format!("{}.narinfo", made.hash_part()))).expect("a narinfo");
    let info = NarInfo::parse(&info).expect("a narinfo");
    assert_eq!(info.references, BTreeSet::from([made.clone(), other.clone()]));
    let address: ContentAddress = info.content_address.expect("an address").parse().expect("an address");
    assert_eq!(address.method, ContentMethod::Recursive);
    let modulo = NarHash::new(address.hash.to_sha256().expect("SHA-256"));
    assert_eq!(StorePath::source("app", modulo, &BTreeSet::from([other]), true), Ok(made));
}
