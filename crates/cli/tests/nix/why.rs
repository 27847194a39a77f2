//! Why an image has what it has.

use crate::lab::{json, lab, text};

#[test]
fn store_paths_and_packages_lead_to_their_line() {
    let Some(lab) = lab() else { return };
    let report = json(&mut lab.plywood(&["why", "runtime-python", "libsqlite3"]));
    let answer = &report["answers"][0];
    assert_eq!(answer["place"]["text"], "packages = [\"python312\"]", "{report}");
    let chain = answer["chain"].as_array().expect("a chain");
    assert!(chain.len() >= 2 && chain[0]["by"].is_string(), "the file that names the next is told: {report}");

    let report = json(&mut lab.plywood(&["why", "devcontainer-python", "/nix/profile/bin/rg"]));
    assert!(report["answers"][0]["place"]["text"].as_str().is_some_and(|line| line.contains("ripgrep")), "{report}");

    // By the manifest's own word for it, which the store path need not have in its name.
    for attribute in ["python312", "cacert"] {
        let report = json(&mut lab.plywood(&["why", "runtime-python", attribute]));
        let asked_by = report["answers"][0]["asked_by"].as_str();
        assert!(asked_by.is_some_and(|asker| asker.starts_with(&format!("`{attribute}` of the set"))), "{report}");
    }

    let report = json(&mut lab.plywood(&["why", "base", "libcurl4t64"]));
    let answer = &report["answers"][0];
    assert!(answer["chain"].as_array().is_some_and(|chain| chain.len() >= 2), "{report}");
    assert!(answer["place"]["line"].is_u64(), "{report}");

    let wrong = lab.plywood(&["why", "runtime-python", "pyhton3"]).output().expect("it runs");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("python3"), "{}", text(&wrong.stderr));
}
