//! What the test kit makes is what dpkg and GnuPG read.

use std::fs;
use std::process::{Command, Output};

use plywood_testkit::{DebBuilder, DebCompression, TestArchive, TestKey, require};

fn run(tool: &str, arguments: &[&str]) -> Output {
    Command::new(tool).args(arguments).env("LC_ALL", "C").output().expect("the tool starts")
}

#[test]
fn dpkg_reads_the_packages() {
    if !require(&["dpkg-deb"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let long = format!("./usr/share/{}/file", "long".repeat(40));
    for compression in [DebCompression::None, DebCompression::Gzip, DebCompression::Xz, DebCompression::Zstd] {
        let deb = DebBuilder::new("hello", "1:2.0-1", "amd64")
            .field("Depends", "libc6")
            .script("postinst", "#!/bin/sh\nexit 0\n")
            .directory("./usr/", 0o755)
            .owned_by(0, 42)
            .file("./usr/hello", 0o4755, "hi\n")
            .file(&long, 0o644, "")
            .hard_link("./usr/hallo", "./usr/hello")
            .symlink("./usr/link", "hello")
            .compression(compression)
            .build();
        let path = folder.path().join(deb.file_name());
        fs::write(&path, &deb.bytes).expect("written");
        let path = path.to_str().expect("UTF-8");
        let listed = String::from_utf8(run("dpkg-deb", &["--contents", path]).stdout).expect("UTF-8");
        for expect in ["-rwsr-xr-x 0/42", "./usr/hallo link to ./usr/hello", "./usr/link -> hello", &long] {
            assert!(listed.contains(expect), "{compression:?}: {expect} in {listed}");
        }
        let fields = run("dpkg-deb", &["--field", path, "Package", "Version", "Depends"]).stdout;
        assert_eq!(String::from_utf8_lossy(&fields), "Package: hello\nVersion: 1:2.0-1\nDepends: libc6\n");
    }
}

#[test]
fn gnupg_believes_the_index() {
    if !require(&["gpgv"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (ring, file) = (folder.path().join("ring"), folder.path().join("InRelease"));
    let key = TestKey::new("anna");
    let mut archive = TestArchive::new(key.clone(), &["trixie"]);
    archive.add("trixie", DebBuilder::new("hello", "1", "all").build());
    fs::write(&ring, key.public()).expect("written");
    fs::write(&file, &archive.files()["dists/trixie/InRelease"]).expect("written");
    let output = run("gpgv", &["--keyring", ring.to_str().expect("UTF-8"), file.to_str().expect("UTF-8")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("Good signature"), "{said}");
}
