use bstr::ByteSlice as _;
use proptest::prelude::*;

use super::*;

/// The start of names: a hash and a dash.
const P: &str = "/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr";

fn sample() -> String {
    format!(
        r#"Derive([("dev","{P}-a-dev","",""),("out","{P}-a","","")],[("{P}-b.drv",["dev","out"]),("{P}-c.drv",["out"])],["{P}-builder.sh"],"x86_64-linux","{P}-bash/bin/bash",["-e","{P}-builder.sh"],[("name","a-1.2"),("patches","{P}-x.patch  {P}-s/y.patch"),("quoted","\"\\\n\r\t$")])"#
    )
}

fn fixed(path: &str, algorithm: &str, hash: &str) -> String {
    format!(r#"Derive([("out","{path}","{algorithm}","{hash}")],[],[],"s","b",[],[])"#)
}

fn parse(text: &str) -> Result<Derivation, DerivationError> {
    Derivation::parse(text.as_bytes())
}

#[test]
fn a_derivation_survives() {
    let derivation = parse(&sample()).unwrap();
    assert_eq!(derivation.to_aterm().as_bstr(), sample().as_bytes().as_bstr());
    assert_eq!(derivation.outputs.keys().collect::<Vec<_>>(), ["dev", "out"]);
    assert_eq!(derivation.input_derivations.values().map(BTreeSet::len).sum::<usize>(), 3);
    assert_eq!(derivation.variable("quoted"), Some(b"\"\\\n\r\t$".as_bstr()));
}

#[test]
fn outputs_are_of_a_kind() {
    let hash = "0".repeat(64);
    let path: StorePath = format!("{P}-a").rsplit('/').next().unwrap().parse().unwrap();
    let check = |path: &str, algorithm: &str, hash: &str, expect: DerivationOutput| {
        let text = fixed(path, algorithm, hash);
        let derivation = parse(&text).unwrap();
        assert_eq!(derivation.outputs.get("out"), Some(&expect), "{text}");
        assert_eq!(derivation.to_aterm().as_bstr(), text.as_bytes().as_bstr());
    };
    let known = |method, algorithm: HashAlgorithm| DerivationOutput::Fixed {
        path: path.clone(),
        method,
        hash: ContentHash::parse_digits(algorithm, &"0".repeat(algorithm.size() * 2)).unwrap(),
    };
    let at = &format!("{P}-a");
    check(at, "", "", DerivationOutput::InputAddressed(path.clone()));
    check(at, "sha256", &hash, known(ContentMethod::Flat, HashAlgorithm::Sha256));
    check(at, "r:sha256", &hash, known(ContentMethod::Recursive, HashAlgorithm::Sha256));
    check(at, "text:sha256", &hash, known(ContentMethod::Text, HashAlgorithm::Sha256));
    check(at, "git:sha1", &hash[..40], known(ContentMethod::Git, HashAlgorithm::Sha1));
    check("", "", "", DerivationOutput::Deferred);
    let (method, algorithm) = (ContentMethod::Recursive, HashAlgorithm::Sha256);
    check("", "r:sha256", "", DerivationOutput::Floating { method, algorithm });
    check("", "r:sha256", "impure", DerivationOutput::Impure { method, algorithm });
}

#[test]
fn what_is_wrong_is_named() {
    let check = |text: &str, expect: &str| assert_eq!(parse(text).unwrap_err().to_string(), expect, "{text}");
    let changed = |from: &str, to: &str| sample().replacen(from, to, 1);
    check("", "the derivation ends early, where `Derive([` is due");
    check("Derive(x", "the derivation has something else than `Derive([` at byte 0");
    check("Derive([],[],[],\"s\",\"b\",[],[])", "the derivation has no outputs");
    check(
        r#"DrvWithVersion("xp-dyn-drv",[])"#,
        "the derivation is of the version `xp-dyn-drv`, which plywood does not know",
    );
    check(
        &format!("{} ", sample()),
        &format!("the derivation has something else than the end of the file at byte {}", sample().len()),
    );
    check(
        &changed(r"\t", r"\x"),
        &format!(
            "the derivation has a string that Nix would write otherwise at byte {}",
            sample().find(r"\t").unwrap()
        ),
    );
    check(
        &changed(r"\t", "\t"),
        &format!(
            "the derivation has a string that Nix would write otherwise at byte {}",
            sample().find(r"\t").unwrap()
        ),
    );
    let order = |text: &str, what: &str| {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, DerivationError::Order { what: found, .. } if found == what), "{text}: {error}");
    };
    order(&changed(r#""dev","#, r#""out","#), "outputs");
    order(&changed(r#""dev","#, r#""zzz","#), "outputs");
    order(&changed(r#"["dev","out"]"#, r#"["out","dev"]"#), "names of outputs");
    order(&changed("-b.drv", "-c.drv"), "derivations");
    order(&changed(r#"("name","#, r#"("quoted","#), "variables");
    order(&changed(&format!(r#"["{P}-builder.sh"],"#), &format!(r#"["{P}-b","{P}-a"],"#)), "sources");
    let source = |error: &DerivationError| std::error::Error::source(error).map(ToString::to_string);
    let error = parse(&changed(&format!("{P}-b.drv"), "/elsewhere/b.drv")).unwrap_err();
    assert_eq!(source(&error), Some("`/elsewhere/b.drv` is not a path in /nix/store".to_owned()));
    check(&changed(r#""dev","#, r#""d/v","#), "the derivation has an output `d/v`, a name that Nix does not allow");
    let at = &format!("{P}-a");
    check(&fixed(at, "sha3", "00"), "the derivation has a bad hash for its output `out`");
    check(&fixed(at, "sha256", "00"), "the derivation has a bad hash for its output `out`");
    for (path, algorithm, hash) in [(at.as_str(), "", "00"), ("", "", "00"), ("", "sha256", "00"), (at, "sha256", "")] {
        check(&fixed(path, algorithm, hash), "the derivation's output `out` is of no kind that Nix knows");
    }
    let bytes = sample().into_bytes().replace("dev", b"d\xffv");
    assert!(matches!(Derivation::parse(&bytes), Err(DerivationError::NotText { .. })));
    assert_eq!(Derivation::parse(&vec![b' '; Derivation::MAX_LEN + 1]), Err(DerivationError::TooLong));
}

#[test]
fn a_derivation_cut_short_is_told() {
    let sample = sample();
    for length in 0..sample.len() {
        let error = parse(&sample[..length]).unwrap_err();
        let part_of_a_path = matches!(error, DerivationError::Path { .. });
        assert!(matches!(error, DerivationError::Truncated { .. }) || part_of_a_path, "{length}: {error}");
    }
}

#[test]
fn a_derivation_speaks_of_itself() {
    let check = |variables: &[(&str, &str)], name: &str, version: Option<&str>, patches: &[&str]| {
        let mut derivation = parse(&sample()).unwrap();
        derivation.environment = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let attributes = derivation.attributes();
        assert_eq!((attributes.pname.as_deref(), attributes.version.as_deref()), (Some(name), version));
        assert_eq!(attributes.patches, patches);
    };
    check(&[("name", "hello-2.12")], "hello", Some("2.12"), &[]);
    check(&[("name", "builder.sh")], "builder.sh", None, &[]);
    check(&[("name", "x-glibc-2-3"), ("pname", "x-glibc"), ("version", "2-3")], "x-glibc", Some("2-3"), &[]);
    check(&[("name", "a"), ("patches", "  /a\n/b ")], "a", None, &["/a", "/b"]);
    check(&[("__json", r#"{"name":"a-1","version":"2","patches":["/a",1]}"#)], "a", Some("2"), &["/a"]);
    check(&[("__json", r#"{"pname":"a","patches":"/a /b"}"#)], "a", None, &["/a", "/b"]);
    check(&[("__json", "nonsense"), ("name", "a-1")], "a", Some("1"), &[]);
}

#[test]
fn paths_need_all_that_is_before() {
    let derivation = parse(&sample()).unwrap();
    let missing = derivation.output_paths("a", &BTreeMap::new()).unwrap_err();
    assert!(
        matches!(&missing, ModuloError::Unknown { derivation, output } if derivation.name() == "b.drv" && output == "dev")
    );
    let floating = parse(&fixed("", "r:sha256", "")).unwrap();
    assert_eq!(floating.modulo(&BTreeMap::new()), Err(ModuloError::Floating("out".to_owned())));
}

/// Any derivation that Nix could write.
fn derivations() -> impl Strategy<Value = Derivation> {
    let path = ("[a-z0-9]{1,6}", any::<[u8; 20]>())
        .prop_map(|(name, hash)| StorePath::new(crate::nix::StoreHash::from_bytes(hash), &name).unwrap());
    let bytes = || prop::collection::vec(any::<u8>(), 0..12).prop_map(BString::from);
    let method = prop_oneof![
        Just(ContentMethod::Flat),
        Just(ContentMethod::Recursive),
        Just(ContentMethod::Text),
        Just(ContentMethod::Git)
    ];
    let algorithm = prop_oneof![
        Just(HashAlgorithm::Md5),
        Just(HashAlgorithm::Sha1),
        Just(HashAlgorithm::Sha256),
        Just(HashAlgorithm::Sha512)
    ];
    let output = (0..5_u8, path.clone(), method, algorithm).prop_map(|(kind, path, method, algorithm)| match kind {
        0 => DerivationOutput::InputAddressed(path),
        1 => DerivationOutput::Deferred,
        2 => DerivationOutput::Floating { method, algorithm },
        3 => DerivationOutput::Impure { method, algorithm },
        _ => DerivationOutput::Fixed { method, hash: ContentHash::of(algorithm, path.as_str().as_bytes()), path },
    });
    (
        prop::collection::btree_map("[a-z]{1,5}", output, 1..4),
        prop::collection::btree_map(path.clone(), prop::collection::btree_set("[a-z]{1,3}", 0..3), 0..4),
        prop::collection::btree_set(path, 0..4),
        (bytes(), bytes(), prop::collection::vec(bytes(), 0..4)),
        prop::collection::btree_map(bytes(), bytes(), 0..5),
    )
        .prop_map(|(outputs, input_derivations, input_sources, (system, builder, arguments), environment)| {
            Derivation { outputs, input_derivations, input_sources, system, builder, arguments, environment }
        })
}

proptest! {
    #[test]
    fn derivations_survive(derivation in derivations()) {
        prop_assert_eq!(Derivation::parse(&derivation.to_aterm()), Ok(derivation));
    }

    #[test]
    fn what_is_read_is_what_nix_would_write(derivation in derivations(), at: prop::sample::Index, byte: u8) {
        let mut bytes = derivation.to_aterm();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(derivation) = Derivation::parse(&bytes) {
            prop_assert_eq!(derivation.to_aterm(), bytes);
            let _ = derivation.attributes();
        }
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Derivation::parse(&bytes);
        let _ = Derivation::parse(&[b"Derive([", bytes.as_slice()].concat());
    }
}
