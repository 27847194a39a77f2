//! nixpkgs' names and shape.

use plywood_testkit::nixpkgs::{BUILD_SYSTEM, SYSTEMS, nix};

use crate::lab::{StoreAlone, build, eval, set, stdout};

/// What the seed's shells name, and what images and sets of issue 3 need.
const NAMES: &str = "bash bashInteractive bat bun cacert coreutils curl direnv eslint fd findutils fzf gawk git glibc gnugrep gnused \
    gnutar gzip hello jq less ncurses nix nix-direnv nodePackages.eslint nodePackages.prettier nodePackages.typescript \
    nodePackages.typescript-language-server nodejs nodejs_22 openssl prettier procps pyright python3 python312 \
    python312Packages.pip python312Packages.requests python312Packages.virtualenv ripgrep ruff stdenv.cc.cc.lib typescript \
    typescript-language-server tzdata uv which zlib zsh";

#[test]
fn every_name_is_there_for_both_systems_with_its_description() {
    let Some(set) = set() else { return };
    for system in SYSTEMS {
        let function = format!(
            r#"pkgs: let inherit (pkgs) lib; in lib.concatMapStringsSep "\n" (name:
                let package = lib.getAttrFromPath (lib.splitString "." name) pkgs; in
                lib.concatStringsSep " " [
                    (builtins.unsafeDiscardStringContext package.drvPath) package.pname package.version
                    (if package.meta.description != "" then package.meta.homepage else "")
                    (package.meta.license.spdxId or package.meta.license.shortName)
                ]) (lib.splitString " " "{NAMES}")"#
        );
        let text = eval(&set, system, &function);
        assert_eq!(text.lines().count(), NAMES.split(' ').count());
        for (line, name) in text.lines().zip(NAMES.split(' ')) {
            let fields: Vec<&str> = line.split(' ').collect();
            assert!(fields.len() >= 5 && fields.iter().all(|field| !field.is_empty()), "{system} {name}: {line}");
        }
    }
}

#[test]
fn overlays_see_what_others_made() {
    let Some(set) = set() else { return };
    let expression = format!(
        r#"let
          first = final: prev: {{
            hello = prev.hello.overrideAttrs (old: {{ postFixup = "echo first > $out/share/first"; name = "${{old.pname}}-patched"; }});
          }};
          second = final: prev: {{
            hello = prev.hello.overrideAttrs (old: {{ postInstall = "echo second > $out/share/second"; }});
            greeting = final.writeShellScriptBin "greeting" "${{final.hello}}/bin/hello";
          }};
        in
        [ (import pkgs.path {{ system = "{BUILD_SYSTEM}"; overlays = [ first second ]; }}).greeting ]"#
    );
    let built = set.build_expression(BUILD_SYSTEM, &expression).expect("the greeting").remove(0);
    let text = StoreAlone::new().run(&built.join("bin/greeting"), &[]);
    assert_eq!(text, "Hello, world!\n");
    let references = stdout(std::process::Command::new("nix-store").args(["--query", "--requisites"]).arg(&built));
    let hello = references.lines().find(|path| path.ends_with("-hello-patched")).expect("both overlays' hello");
    for name in ["first", "second"] {
        assert_eq!(std::fs::read_to_string(format!("{hello}/share/{name}")).expect("a file"), format!("{name}\n"));
    }
}

#[test]
fn python_has_the_packages_it_is_asked_for() {
    let Some(set) = set() else { return };
    let built = set
        .build_expression(BUILD_SYSTEM, "[ (pkgs.python312.withPackages (p: [ p.requests p.virtualenv ])) ]")
        .expect("an environment");
    let place = StoreAlone::new();
    let python = built[0].join("bin/python3");
    let text = place.run(&python, &["-c", "import requests, urllib3, sys; print(requests.get.__name__, sys.prefix)"]);
    assert_eq!(text, format!("get {}\n", built[0].display()));
    place.run(&built[0].join("bin/virtualenv"), &["--quiet", "--no-download", "/tmp/env"]);
    assert!(place.tmp().join("env/bin/python").symlink_metadata().is_ok());
    let pip = place.run(&build(&set, "python312Packages.pip").join("bin/pip"), &["--version"]);
    assert!(pip.starts_with("pip "), "{pip}");
}

#[test]
fn what_is_not_free_must_be_allowed() {
    let Some(set) = set() else { return };
    let check = |config: &str, expect: bool| {
        let function = format!(
            r#"pkgs: let
                set = import pkgs.path {{ system = "{BUILD_SYSTEM}"; config = {config}; }};
                package = set.stdenv.mkDerivation {{ pname = "secret"; version = "1"; meta.license = set.lib.licenses.unfree; }};
            in package.drvPath"#
        );
        let installable = format!("{}#legacyPackages.{BUILD_SYSTEM}", set.url());
        let output = nix().args(["eval", "--raw", &installable, "--apply", &function]).output().expect("nix runs");
        assert_eq!(output.status.success(), expect, "{config}: {}", String::from_utf8_lossy(&output.stderr));
    };
    check("{ }", false);
    check("{ allowUnfree = true; }", true);
    check(r#"{ allowUnfreePredicate = package: package.pname == "secret"; }"#, true);
    check(r#"{ allowUnfreePredicate = package: package.pname == "other"; }"#, false);
}
