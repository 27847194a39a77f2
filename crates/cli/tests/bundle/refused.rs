//! Bundles that were cut off or changed.

use std::fs;

use plywood_testkit::{DockerRegistry, require};

use crate::lab::{Lab, fail};

#[test]
fn what_is_cut_off_or_changed_is_refused_with_nothing_written() {
    if !require(&["docker-registry", "ldd"]) {
        return;
    }
    let (lab, registry) = (Lab::new(), DockerRegistry::start());
    lab.bundle("site.tar");
    let whole = fs::read(lab.path("site.tar")).expect("a bundle");
    let at = |text: &str| whole.windows(text.len()).position(|window| window == text.as_bytes()).expect("it is there");
    let flip = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    let mut renamed = whole.clone();
    let tag = at("tiny:latest");
    renamed[tag..tag + 4].copy_from_slice(b"tinx");
    let evil = {
        let mut bytes = whole.clone();
        let header = at("blobs/sha256/") / 512 * 512;
        bytes[header..header + 100].fill(0);
        bytes[header..header + 12].copy_from_slice(b"../../../x\0\0");
        bytes[header + 148..header + 156].fill(b' ');
        let sum: u32 = bytes[header..header + 512].iter().map(|byte| u32::from(*byte)).sum();
        bytes[header + 148..header + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes
    };
    for (what, bytes) in [
        ("cut in half", whole[..whole.len() / 2].to_vec()),
        ("cut by one byte", whole[..whole.len() - 1].to_vec()),
        ("without its end", whole[..whole.len() - 1024].to_vec()),
        ("longer", [whole.clone(), vec![0; 512]].concat()),
        ("with a changed blob", flip(whole.len() - 2000)),
        ("with a changed index", renamed),
        ("with a member that leads out", evil),
        ("empty", Vec::new()),
    ] {
        fs::write(lab.path("bad.tar"), bytes).expect("written");
        let (file, prefix) = (lab.text("bad.tar"), format!("{}/team", registry.host()));
        for arguments in [
            vec!["bundle", "push", &file, "--registry", &prefix],
            vec!["bundle", "inspect", &file],
            vec!["bundle", "unpack", &file, "--cache", lab.path("unpacked").as_str()],
        ] {
            let said = fail(&mut lab.command("cache", &arguments), 1);
            assert!(said.contains("bad.tar"), "{what}: {said}");
        }
        assert_eq!(registry.requests(), [], "{what}");
        assert!(!lab.path("unpacked").exists(), "{what}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let lab = Lab::new();
    let out = lab.text("x.tar");
    let said = fail(&mut lab.command("cache", &["bundle", "create", "tyni", "--output", &out]), 2);
    assert!(said.contains("tyni"), "{said}");
    let said = fail(&mut lab.command("cache", &["bundle", "create", "a.test/B:1", "--output", &out]), 2);
    assert!(said.contains("a.test/B:1"), "{said}");
    let said = fail(&mut lab.command("cache", &["bundle", "inspect", &out]), 1);
    assert!(said.contains("x.tar"), "{said}");
    assert!(!lab.path("x.tar").exists());
}
