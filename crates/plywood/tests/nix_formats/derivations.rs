//! Derivations against `nix derivation show`, and the paths of their outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bstr::ByteSlice as _;
use plywood_core::nix::derivation::ModuloHashes;
use plywood_core::nix::{Derivation, DerivationError, StorePath};
use serde_json::{Map, Value, json};

use crate::nix::Nix;

/// Everything that a derivation may have, several levels of it.
const EXPRESSION: &str = r#"
let
  make = attributes: derivation ({ system = "x86_64-linux"; builder = "/bin/sh"; } // attributes);
  fixed = name: mode: algorithm: hash: make {
    inherit name; outputHash = hash; outputHashMode = mode; outputHashAlgo = algorithm;
  };
  flat = fixed "flat.tar.gz" "flat" "sha256" "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  recursive = fixed "recursive" "recursive" "sha256" "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
  sha1 = fixed "sha1" "flat" "sha1" "da39a3ee5e6b4b0d3255bfef95601890afd80709";
  md5 = fixed "md5" "recursive" "md5" "d41d8cd98f00b204e9800998ecf8427e";
  sha512 = fixed "sha512" "flat" null "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
  fetched = make { name = "fetched"; outputHash = flat.outputHash; outputHashAlgo = "sha256"; from = lib; };
  lib = make {
    name = "lib-1.0"; pname = "lib"; version = "1.0"; outputs = [ "out" "dev" "man" ];
    args = [ "-c" "quoted \" \\ \n \r \t \${out} é" "" ]; srcs = [ flat recursive sha1 md5 sha512 ];
    patches = [ (builtins.toFile "a.patch" "a") (builtins.toFile "b.patch" "b") ]; empty = ""; "odd name" = 1;
  };
  structured = make {
    name = "structured-2.1"; __structuredAttrs = true; pname = "structured"; version = "2.1";
    patches = [ (builtins.toFile "a.patch" "a") ]; libraries = [ lib.dev lib.man ];
    set = { a = [ 1 2.5 true null "x\ny" ]; };
  };
  app = make { name = "app"; deps = [ structured lib fetched ]; exportReferencesGraph = [ "graph" lib ]; };
  top = make { name = "top"; app = app; drv = app.drvPath; };
in top.drvPath
"#;

fn read(nix: &Nix, path: &StorePath) -> Vec<u8> {
    fs::read(nix.real(path)).expect("a derivation")
}

/// All derivations behind the expression, each after those that it needs, with their bytes.
fn derivations(nix: &Nix) -> Vec<(StorePath, Vec<u8>)> {
    let top = nix.eval(EXPRESSION);
    // References come first.
    let all = nix.paths(&["-q", "--requisites", top.as_str().expect("a path")]);
    let all: Vec<_> = all.into_iter().filter(StorePath::is_derivation).collect();
    assert_eq!(all.len(), 10);
    all.into_iter().map(|path| (path.clone(), read(nix, &path))).collect()
}

fn name(path: &StorePath) -> &str {
    path.name().strip_suffix(".drv").expect("a derivation")
}

#[test]
fn paths_are_those_of_nix() {
    let Some(nix) = Nix::new() else { return };
    let mut hashes: BTreeMap<StorePath, ModuloHashes> = BTreeMap::new();
    for (path, bytes) in derivations(&nix) {
        let derivation = Derivation::parse(&bytes).expect("a derivation");
        assert_eq!(derivation.to_aterm().as_bstr(), bytes.as_bstr());
        assert_eq!(derivation.store_path(name(&path)), Ok(path.clone()));
        let outputs = derivation.output_paths(name(&path), &hashes).expect("paths");
        let said =
            derivation.outputs.iter().map(|(name, output)| (name.clone(), output.path().expect("known").clone()));
        assert_eq!(outputs, said.collect());
        let theirs: BTreeSet<StorePath> = nix.paths(&["-q", "--outputs", &path.absolute()]).into_iter().collect();
        assert_eq!(outputs.into_values().collect::<BTreeSet<_>>(), theirs);
        let references = derivation.input_derivations.keys().chain(&derivation.input_sources).cloned();
        let theirs: BTreeSet<_> = nix.paths(&["-q", "--references", &path.absolute()]).into_iter().collect();
        assert_eq!(references.collect::<BTreeSet<_>>(), theirs);
        let own = derivation.modulo(&hashes).expect("hashes");
        hashes.insert(path, own);
    }
}

/// As `nix derivation show` has it.
fn shown(derivation: &Derivation) -> Value {
    use plywood_core::nix::derivation::DerivationOutput;
    let text = |bytes: &bstr::BString| bytes.to_str().expect("UTF-8").to_owned();
    let outputs = derivation.outputs.iter().map(|(name, output)| {
        let output = match output {
            DerivationOutput::InputAddressed(path) => json!({ "path": path.absolute() }),
            DerivationOutput::Fixed { path, method, hash } => json!({
                "path": path.absolute(),
                "hashAlgo": format!("{}{}", method.prefix(), hash.algorithm().as_str()),
                "hash": hash.to_hex(),
            }),
            other => panic!("{other:?}"),
        };
        (name.clone(), output)
    });
    let inputs = derivation.input_derivations.iter().map(|(path, outputs)| (path.absolute(), json!(outputs)));
    let environment = derivation.environment.iter().map(|(name, value)| (text(name), json!(text(value))));
    json!({
        "outputs": outputs.collect::<Map<_, _>>(),
        "inputSrcs": derivation.input_sources.iter().map(StorePath::absolute).collect::<Vec<_>>(),
        "inputDrvs": inputs.collect::<Map<_, _>>(),
        "system": text(&derivation.system),
        "builder": text(&derivation.builder),
        "args": derivation.arguments.iter().map(text).collect::<Vec<_>>(),
        "env": environment.collect::<Map<_, _>>(),
    })
}

#[test]
fn derivations_are_as_nix_shows_them() {
    let Some(nix) = Nix::new() else { return };
    let derivations = derivations(&nix);
    let (top, _) = derivations.last().expect("the last");
    // Nix 2.8's name of `nix derivation show`; newer ones still know it.
    let theirs: Value = serde_json::from_str(&nix.nix(&["show-derivation", "-r", &top.absolute()])).expect("JSON");
    let ours = derivations
        .iter()
        .map(|(path, bytes)| (path.absolute(), shown(&Derivation::parse(bytes).expect("a derivation"))));
    assert_eq!(Value::Object(ours.collect()), theirs);
}

#[test]
fn derivations_say_what_they_are_of() {
    let Some(nix) = Nix::new() else { return };
    let derivations = derivations(&nix);
    let check = |wanted: &str, pname: &str, version: Option<&str>, patches: &[&str]| {
        let (_, bytes) = derivations.iter().find(|(path, _)| name(path) == wanted).expect("there");
        let attributes = Derivation::parse(bytes).expect("a derivation").attributes();
        assert_eq!(attributes.name.as_deref(), Some(wanted));
        assert_eq!((attributes.pname.as_deref(), attributes.version.as_deref()), (Some(pname), version));
        let names = attributes.patches.iter().map(|path| StorePath::from_absolute(path).expect("a store path"));
        assert_eq!(names.map(|path| path.name().to_owned()).collect::<Vec<_>>(), patches);
    };
    check("lib-1.0", "lib", Some("1.0"), &["a.patch", "b.patch"]);
    check("structured-2.1", "structured", Some("2.1"), &["a.patch"]);
    check("flat.tar.gz", "flat.tar.gz", None, &[]);
}

/// Nix takes a derivation of ours; what Nix refuses, we refuse.
#[test]
fn nix_reads_what_we_write() {
    let Some(nix) = Nix::new() else { return };
    let derivations = derivations(&nix);
    let (path, bytes) = derivations.iter().find(|(path, _)| name(path) == "lib-1.0").expect("there");
    let store = nix.path("store");
    let store = store.to_str().expect("UTF-8");
    let check = |what: &str, bytes: &[u8], accepted: bool| {
        fs::write(nix.real(path), bytes).expect("written");
        let theirs = nix.try_run("nix", &["show-derivation", &path.absolute(), "--store", store], b"");
        let ours: Result<Derivation, DerivationError> = Derivation::parse(bytes);
        assert_eq!((ours.is_ok(), theirs.status.success()), (accepted, accepted), "{what}: {ours:?}");
    };
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(nix.real(path), mode).expect("set");
    let mut derivation = Derivation::parse(bytes).expect("a derivation");
    check("as it was", &derivation.to_aterm(), true);
    derivation.environment.insert("new".into(), "\u{1}\t\"\\\r\n".into());
    derivation.arguments.clear();
    check("changed", &derivation.to_aterm(), true);
    let cut = bytes.len() / 2;
    check("cut short", &bytes[..cut], false);
    check("no store path", &bytes.replace("/nix/store/", "/elsewhere/"), false);
    check("nothing", b"", false);
    check("a newer version", b"DrvWithVersion(\"xp-dyn-drv\",[])", false);
}
