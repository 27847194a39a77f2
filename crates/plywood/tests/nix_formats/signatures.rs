//! Binary caches that Nix signs and reads.

use std::collections::BTreeSet;
use std::fs;

use plywood_core::digest::{FileHash, NarHash};
use plywood_core::nix::nar::{Discard, NarLimits, NarSummary, read};
use plywood_core::nix::{Compression, NarInfo, SecretKey, StorePath, TrustedPublicKey, TrustedPublicKeys, VerifyError};

use crate::nix::{Nix, utf8};

/// A key pair made by Nix, in files and as values.
fn keys(nix: &Nix, name: &str) -> (String, SecretKey, TrustedPublicKey) {
    let (secret, public) = (nix.path(&format!("{name}.sec")), nix.path(&format!("{name}.pub")));
    nix.text("nix-store", &["--generate-binary-cache-key", name, utf8(&secret), utf8(&public)]);
    let text = |path| fs::read_to_string(path).expect("a key");
    let key: SecretKey = text(&secret).parse().expect("a secret key");
    let public: TrustedPublicKey = text(&public).trim_end().parse().expect("a public key");
    assert_eq!(key.public(), public);
    assert_eq!(key.public().to_string(), text(&nix.path(&format!("{name}.pub"))).trim_end());
    (utf8(&secret).to_owned(), key, public)
}

/// A path of the store that its content does not name, so that only a signature can vouch for it.
fn register(nix: &Nix, references: &[&StorePath]) -> StorePath {
    let path: StorePath = "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-app-1.0".parse().expect("a path");
    fs::create_dir_all(nix.real(&path).join("bin")).expect("made");
    fs::write(nix.real(&path).join("bin/app"), "text ".repeat(100)).expect("written");
    let nar = nix.bytes("nix-store", &["--dump", utf8(&nix.real(&path))], b"");
    let (hash, size, count) = (NarHash::of(&nar).hash().to_hex(), nar.len(), references.len());
    let mut row = format!("{}\n{hash}\n{size}\n\n{count}\n", path.absolute());
    references.iter().for_each(|reference| row += &format!("{}\n", reference.absolute()));
    nix.bytes("nix-store", &["--load-db", "--store", utf8(&nix.path("store"))], row.as_bytes());
    path
}

fn info(nix: &Nix, cache: &str, path: &StorePath) -> NarInfo {
    let bytes = fs::read(nix.path(cache).join(format!("{}.narinfo", path.hash_part()))).expect("a narinfo");
    let info = NarInfo::parse(&bytes).expect("a narinfo");
    // Nix writes the address of a path's content last, and so do we.
    assert_eq!(info.to_text(), String::from_utf8(bytes).expect("UTF-8"));
    info
}

#[test]
fn what_nix_signs_is_believed_and_nothing_else() {
    let Some(nix) = Nix::new() else { return };
    let (secret, _, public) = keys(&nix, "cache.example.org-1");
    let (_, _, other) = keys(&nix, "other.example.org-1");
    let referred = StorePath::from_absolute(&nix.store(&["--add", &nix.file("b", b"text")])).expect("a path");
    let path = register(&nix, &[&referred]);
    nix.nix(&["copy", "--to", &format!("file://{}?secret-key={secret}", utf8(&nix.path("cache"))), &path.absolute()]);

    let signed = info(&nix, "cache", &path);
    assert_eq!(signed.references, BTreeSet::from([referred.clone()]));
    let trusted = TrustedPublicKeys(vec![other.clone(), public.clone()]);
    assert_eq!(signed.verify(&trusted), Ok("cache.example.org-1"));
    let untrusted = VerifyError::Untrusted(vec!["cache.example.org-1".to_owned()]);
    assert_eq!(signed.verify(&TrustedPublicKeys(vec![other])), Err(untrusted));
    let changes: [fn(&mut NarInfo, &StorePath); 4] = [
        |info, other| info.store_path = other.clone(),
        |info, _| info.nar_size += 8,
        |info, _| info.nar_hash = NarHash::of(b"another"),
        |info, _| info.references.clear(),
    ];
    for change in changes {
        let mut changed = signed.clone();
        change(&mut changed, &referred);
        assert!(matches!(changed.verify(&trusted), Err(VerifyError::Wrong(_))), "{changed:?}");
    }
}

#[test]
fn nix_believes_what_we_sign() {
    let Some(nix) = Nix::new() else { return };
    let (_, key, public) = keys(&nix, "ours-1");
    let path = register(&nix, &[]);
    let cache = format!("file://{}", utf8(&nix.path("cache")));
    nix.nix(&["copy", "--to", &cache, &path.absolute()]);
    let mut unsigned = info(&nix, "cache", &path);
    assert_eq!(unsigned.verify(&TrustedPublicKeys(vec![public.clone()])), Err(VerifyError::Unsigned));
    let fetch = |into: &str| {
        // What Nix has heard of a cache it keeps.
        _ = fs::remove_dir_all(nix.path("cache-home"));
        let into = nix.path(into);
        let key = public.to_string();
        let arguments = ["copy", "--from", &cache, &path.absolute(), "--store", utf8(&into)];
        nix.try_run("nix", &[&arguments[..], &["--option", "trusted-public-keys", &key]].concat(), b"")
    };
    assert!(!fetch("unsigned").status.success());
    unsigned.signatures.push(key.sign(unsigned.fingerprint().as_bytes()));
    fs::write(nix.path("cache").join(format!("{}.narinfo", path.hash_part())), unsigned.to_text()).expect("written");
    let output = fetch("signed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_compression_is_known_by_name() {
    let Some(nix) = Nix::new() else { return };
    let path = register(&nix, &[]);
    for (word, compression) in [
        ("none", Compression::None),
        ("xz", Compression::Xz),
        ("bzip2", Compression::Bzip2),
        ("gzip", Compression::Gzip),
        ("zstd", Compression::Zstd),
        ("br", Compression::Brotli),
    ] {
        let cache = format!("file://{}?compression={word}", utf8(&nix.path(word)));
        nix.nix(&["copy", "--to", &cache, &path.absolute()]);
        let info = info(&nix, word, &path);
        assert_eq!(info.compression, compression);
        // Nix ends the name of a gzip file as if it were none.
        let extension = if compression == Compression::Gzip { "nar" } else { compression.extension() };
        assert!(info.url.as_str().ends_with(&format!(".{extension}")), "{}", info.url);
        let file = fs::read(nix.path(word).join(info.url.as_str())).expect("a file");
        assert_eq!(info.file_hash, Some(FileHash::of(&file)));
        assert_eq!(info.file_size, Some(file.len() as u64));
        if compression == Compression::None {
            let summary = read(&mut file.as_slice(), &mut Discard, &NarLimits::default()).expect("a NAR");
            summary.check(&NarSummary { size: info.nar_size, hash: info.nar_hash }).expect("the one that was signed");
        }
    }
}
