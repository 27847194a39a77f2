//! Names against `builtins.parseDrvName` and what Nix lets into its store.

use plywood_core::nix::{ContentAddress, ContentHash, ContentMethod, DrvName, HashAlgorithm, StorePath};
use serde_json::json;

use crate::nix::Nix;

/// All texts of at most five of these characters: every way in which dashes, digits, letters and others can follow each other.
fn short_texts() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..5 {
        last = last.iter().flat_map(|text| ["-", "1", "a", "Z", "."].map(|next| format!("{text}{next}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn versions_are_split_off_as_nix_does() {
    let Some(nix) = Nix::new() else { return };
    let mut texts = short_texts();
    for text in [
        "hello-2.12",
        "glibc-2.40-66",
        "nix-direnv-3.0.6",
        "python3.12-requests-2.32.3",
        "gcc-14-20240614",
        "x11vnc",
        "font-bh-lucidatypewriter-75dpi-1.0.4",
        "openssl-3.0.14-bin",
        "source",
        "xz-5.6.2-unstable",
        "a-é1",
        "é-ü",
        "a-_1",
        "libfoo-git-2024-01-02",
        "a-+1",
        "a-?b",
        "iana-etc-20240318",
    ] {
        texts.push(text.to_owned());
    }
    let file = nix.file("names.json", json!(texts).to_string());
    let theirs = nix.eval(&format!("map builtins.parseDrvName (builtins.fromJSON (builtins.readFile {file}))"));
    let ours = texts.iter().map(|text| {
        let DrvName { name, version } = DrvName::split(text);
        json!({ "name": name, "version": version })
    });
    for ((text, ours), theirs) in texts.iter().zip(ours).zip(theirs.as_array().expect("a list")) {
        assert_eq!(ours, *theirs, "{text}");
    }
}

#[test]
fn names_of_store_paths_are_those_of_nix() {
    let Some(nix) = Nix::new() else { return };
    let hash = ContentHash::of(HashAlgorithm::Sha256, b"");
    let address = ContentAddress { method: ContentMethod::Flat, hash };
    let check = |name: &str, ours: bool, theirs: bool| {
        let hex = address.hash.to_hex();
        let output = nix.try_run("nix-store", &["--print-fixed-path", "sha256", &hex, name], b"");
        assert_eq!(output.status.success(), theirs, "{name}");
        let path = StorePath::fixed_output(name, &address);
        assert_eq!(path.is_ok(), ours, "{name}");
        if let (Ok(path), true) = (path, theirs) {
            assert_eq!(path.absolute(), String::from_utf8_lossy(&output.stdout).trim_end());
        }
    };
    let longest = "a".repeat(211);
    for name in ["a", "A+b._?=9-", ".hidden", "..a", "...", ".a-b", "a..", "0", &longest] {
        check(name, true, true);
    }
    for name in ["", "a b", "a/b", "a\nb", "a~b", "a%b", "a:b", "é", "a@b", &format!("{longest}a")] {
        check(name, false, false);
    }
    // Nix 2.8 lets these pass; newer ones refuse them, as they would be taken for folders.
    for name in [".", "..", ".-a", "..-a"] {
        check(name, false, true);
    }
}
