//! Hashes and their forms against `nix hash`.

use data_encoding::BASE64;
use plywood_core::digest::NarHash;
use plywood_core::nix::{ContentHash, HashAlgorithm, base32};

use crate::nix::{Nix, utf8};

const ALGORITHMS: [HashAlgorithm; 4] =
    [HashAlgorithm::Md5, HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512];

#[test]
fn every_form_is_that_of_nix() {
    let Some(nix) = Nix::new() else { return };
    for algorithm in ALGORITHMS {
        let hashes: Vec<ContentHash> = (0..40).map(|at: u32| ContentHash::of(algorithm, &at.to_le_bytes())).collect();
        let sri: Vec<String> = hashes.iter().map(ContentHash::to_sri).collect();
        let check = |form: &str, ours: &dyn Fn(&ContentHash) -> String| {
            let arguments = ["hash", form, "--type", algorithm.as_str()];
            let arguments: Vec<&str> = arguments.into_iter().chain(sri.iter().map(String::as_str)).collect();
            let theirs = nix.text("nix", &arguments);
            let theirs: Vec<&str> = theirs.lines().collect();
            assert_eq!(hashes.iter().map(ours).collect::<Vec<_>>(), theirs, "{form}");
            let read = |text: &&str| match form {
                "to-sri" => text.parse(),
                _ => ContentHash::parse_digits(algorithm, text),
            };
            assert_eq!(theirs.iter().map(read).collect::<Result<Vec<_>, _>>().as_ref(), Ok(&hashes), "{form}");
        };
        check("to-base16", &ContentHash::to_hex);
        check("to-base32", &|hash| base32::encode(hash.as_bytes()));
        check("to-base64", &|hash| BASE64.encode(hash.as_bytes()));
        check("to-sri", &ContentHash::to_sri);
    }
}

#[test]
fn digits_that_nix_refuses_are_refused() {
    let Some(nix) = Nix::new() else { return };
    let good = base32::encode(ContentHash::of(HashAlgorithm::Sha256, b"").as_bytes());
    for (digits, accepted) in [
        (good.clone(), true),
        (format!("1{}", &good[1..]), true),
        (format!("2{}", &good[1..]), false),
        (format!("{}e", &good[..51]), false),
        (good[..51].to_owned(), false),
        (format!("{good}0"), false),
        ("0".repeat(64), true),
        (format!("{}g", "0".repeat(63)), false),
    ] {
        let theirs = nix.try_run("nix", &["hash", "to-base16", "--type", "sha256", &digits], b"");
        let ours = ContentHash::parse_digits(HashAlgorithm::Sha256, &digits);
        assert_eq!((ours.is_ok(), theirs.status.success()), (accepted, accepted), "{digits}");
    }
}

#[test]
fn files_and_trees_hash_alike() {
    let Some(nix) = Nix::new() else { return };
    let file = nix.file("tree/a/b", b"some text");
    let tree = nix.path("tree");
    for algorithm in ALGORITHMS {
        let theirs = nix.text("nix", &["hash", "file", "--type", algorithm.as_str(), &file]);
        assert_eq!(ContentHash::of(algorithm, b"some text").to_sri(), theirs);
    }
    let hash = NarHash::of(&nix.bytes("nix-store", &["--dump", utf8(&tree)], b""));
    let theirs = |form: &str| nix.text("nix", &["hash", "path", form, "--type", "sha256", utf8(&tree)]);
    assert_eq!(hash.to_sri(), theirs("--sri"));
    assert_eq!(hash.to_nix(), format!("sha256:{}", theirs("--base32")));
    assert_eq!(hash.to_base16(), format!("sha256:{}", theirs("--base16")));
}
