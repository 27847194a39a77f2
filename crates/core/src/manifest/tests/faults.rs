//! What is wrong with a manifest, where, and what the hint is.

use super::{PRELUDE, SHIPPED};
use crate::manifest::{Manifest, NotForNix, Problem};

/// The faults of `PRELUDE` and `rest`: each as "marked text: message".
pub(super) fn faults(rest: &str) -> Vec<String> {
    let text = format!("{PRELUDE}{rest}");
    match Manifest::parse(&text) {
        Ok(_) => Vec::new(),
        Err(errors) => {
            let mark =
                |span: &std::ops::Range<usize>| text.get(span.clone()).expect("spans lie in the text").to_owned();
            errors.iter().map(|error| format!("{}: {error}", mark(&error.span))).collect()
        }
    }
}

/// Manifests after [`PRELUDE`], the one fault of each, and whether the JSON schema sees it too.
pub(super) const FAULTS: &[(&str, &str, bool)] = &[
    // Keys and types.
    ("[images.a]\npackages = [\"git\"]\nstop_signal = \"SIGTERM\"", "stop_signal: unknown key `stop_signal`", true),
    ("[images.a.user]\nname = \"u\"\npassword = \"x\"", "password: unknown key `password`", true),
    ("[images.a]\npackages = \"git\"", "\"git\": expected an array, found a string", true),
    ("[images.a]\npackages = [\"git\", 1]", "1: expected a string, found an integer", true),
    ("[images.a]\nlayers = \"64\"", "\"64\": expected an integer, found a string", true),
    ("[images.a]\nlayers = 121", "121: 121 is out of range: 1 to 120", true),
    ("[images.a]\nfiles = []", "[]: expected a table, found an array", true),
    ("[images.a.files]\n\"/a\" = { text = \"\", mode = 644 }", "644: expected a string, found an integer", true),
    ("[images.a.env]\nA = 1", "1: expected a string, found an integer", true),
    ("[images.a]\nhealthcheck = true", "true: expected a table or false, found a boolean", true),
    ("[policy]\nx = 1", "policy: `policy` is reserved for a later version of plywood: not yet supported", true),
    (
        "[images.a]\nfeatures = []",
        "features: `features` is reserved for a later version of plywood: not yet supported",
        true,
    ),
    // Values.
    ("[images.A]", "A: `A` is not an image name: it has no upper-case letters", true),
    (
        "[images.a]\npackages = [\"git:arm64\"]",
        "\"git:arm64\": `git:arm64` is not a package name: plywood takes each package for the image's own architecture: leave the `:` part out",
        true,
    ),
    (
        "[images.a]\nworkdir = \"workspace\"",
        "\"workspace\": `workspace` is not a path in the image: it starts with `/`",
        true,
    ),
    (
        "[images.a.files]\n\"/a/../b\" = { text = \"\" }",
        "\"/a/../b\": `/a/../b` is not a path in the image: it has no `..` component, no NUL, and at most 4094 bytes",
        true,
    ),
    (
        "[images.a.scripts]\ngit = \"maybe\"",
        "\"maybe\": `maybe` is not what to do with scripts: there are `run` and `skip`",
        true,
    ),
    (
        "[images.a]\nplatforms = [\"linux/riscv64\"]",
        "\"linux/riscv64\": `linux/riscv64` is not a platform: there are `linux/amd64` and `linux/arm64`",
        true,
    ),
    // Keys that belong together.
    ("[images.a.files]\n\"/a\" = {}", "{}: `text` is missing", true),
    (
        "[images.a.files]\n\"/a\" = { text = \"\", source = \"b\" }",
        "\"b\": `text` and `source` exclude each other",
        true,
    ),
    ("[images.a.files]\n\"/a\" = { text = \"\", ignore = [\"b\"] }", "[\"b\"]: `ignore` needs `source`", true),
    (
        "[images.a.files]\n\"/a\" = { text = \"\", mode = \"0644\", executable = true }",
        "true: `mode` and `executable` exclude each other",
        true,
    ),
    ("[[images.a.tests]]\nname = \"x\"", "[[images.a.tests]]: `command` is missing", true),
    ("[[images.a.tests]]\ncommand = []", "[]: `command` is empty", true),
    ("[[images.a.tests]]\nhttp = { port = 80 }\nexit = 1", "1: `exit` needs `command`", true),
    (
        "[[images.a.tests]]\ncommand = \"true\"\nhttp = { port = 80 }",
        "{ port = 80 }: `command` and `http` exclude each other",
        true,
    ),
    ("[images.a.user]\nuid = 1", "[images.a.user]: `name` is missing", true),
    ("[images.a.user]\nname = \"root\"\nuid = 1", "\"root\": only `root` has the id 0, and it has no other", false),
    ("[images.a.user]\nname = \"u\"\nuid = 0", "\"u\": only `root` has the id 0, and it has no other", false),
    ("[images.a.user]\nname = \"root\"\nsudo = true", "\"root\": `root` needs no sudo", false),
    ("[debian.repositories.x]\nurl = \"https://x\"\nkey = \"k\"\npackages = []", "[]: `packages` is empty", true),
    (
        "[debian.repositories.x]\nurl = \"https://x\"\nkey = \"k\"\npackages = [\"a1\"]\nauth = { username-env = \"U\" }",
        "{ username-env = \"U\" }: `username-env` needs `password-env`",
        true,
    ),
    (
        "[debian.repositories.x]\nurl = \"https://x\"\nkey = \"k\"\npackages = [\"a1\"]\nsuite = \"./\"\ncomponents = [\"main\"]",
        "[\"main\"]: a flat repository has no components",
        false,
    ),
    // Lists.
    ("[images.a]\npackages = [\"git\", \"jq\", \"git=1\"]", "\"git=1\": `git` is listed twice", false),
    ("[images.a]\nports = [80, \"80/tcp\"]", "\"80/tcp\": `80/tcp` is listed twice", false),
    ("[images.a]\nplatforms = []", "[]: `platforms` is empty", true),
    ("[images.a]\nentrypoint = []", "[]: `entrypoint` is empty", true),
    // References.
    ("[images.a]\nfrom = \"b\"", "\"b\": there is no image `b`", false),
    (
        "[images.a]\nfrom = \"Debian:trixie\"",
        "\"Debian:trixie\": `Debian:trixie` is not an image to build on: it is an image of this workspace, `registry/name` with a tag or digest, or a layout: `oci:path` or `oci-archive:path`",
        false,
    ),
    ("[images.a]\nfrom = \"a\"", "\"a\": images are built from each other: a → a", false),
    (
        "[images.a]\nfrom = \"b\"\n[images.b]\nfrom = \"c\"\n[images.c]\nfrom = \"b\"",
        "\"b\": images are built from each other: b → c → b",
        false,
    ),
    (
        "[images.a]\nplatforms = [\"linux/amd64\"]\n[images.b]\nfrom = \"a\"\nplatforms = [\"linux/arm64\"]",
        "\"linux/arm64\": `a` is not made for linux/arm64",
        false,
    ),
    (
        "[images.a]\n[images.b]\nfrom = \"a\"\n[images.b.debian]\nsuite = \"sid\"",
        "[images.b.debian]: `debian` cannot be set in an image that has `from`",
        false,
    ),
    // Paths and accounts.
    (
        "[images.a.files]\n\"/a\" = { text = \"\" }\n[images.a.symlinks]\n\"/a\" = \"b\"",
        "\"/a\": `/a` is declared as a file and as a symlink",
        false,
    ),
    (
        "[images.a.files]\n\"/a\" = { text = \"\" }\n\"/a/b\" = { text = \"\" }",
        "\"/a/b\": `/a/b` is below `/a`, which is a file",
        false,
    ),
    (
        "[images.a.symlinks]\n\"/a\" = \"b\"\n[images.b]\nfrom = \"a\"\n[images.b.directories]\n\"/a/c\" = {}",
        "\"/a/c\": `/a/c` is below `/a`, which is a symlink",
        false,
    ),
    (
        "[images.a.user]\nname = \"u\"\n[images.b]\nfrom = \"a\"\nuser = { name = \"u\", uid = 1001 }",
        "\"u\": user `u` has the id 1001 here and 1000 in image `a`",
        false,
    ),
    ("[images.a.groups]\ng = { gid = 5 }\nh = { gid = 5 }", "5: group `h` has the id 5 of group `g`", false),
];

/// As [`FAULTS`], for what comes from Nix.
pub(super) const NIX_FAULTS: &[(&str, &str, bool)] = &[
    ("[nix]\nsubstituter = []", "substituter: unknown key `substituter`", true),
    ("[nix]\nlocal-store = \"no\"", "\"no\": expected true or false, found a string", true),
    (
        "[nix]\nflake = \"../flake\"",
        "\"../flake\": `../flake` is not the folder of a flake: it has no empty, `.` or `..` component: nothing outside the workspace is read",
        true,
    ),
    (
        "[nix]\nsubstituters = [\"https://u:p@cache\"]",
        "\"https://u:p@cache\": `https://u:p@cache` is not the address of a binary cache: credentials do not belong in the manifest: they are read from a netrc file",
        true,
    ),
    (
        "[nix]\ntrusted-public-keys = [\"k:AA==\"]",
        "\"k:AA==\": `k:AA==` is not a public key of Nix: it reads `name:` and the key's 32 bytes in base 64, as `nix key convert-secret-to-public` prints it",
        true,
    ),
    ("[nix]\nsubstituters = [\"http://a\", \"http://a\"]", "\"http://a\": `http://a` is listed twice", false),
    (
        "[sets.Python]",
        "Python: `Python` is not the name of a set: it starts with a lower-case letter and goes on with those, digits, `-` and `_`, up to 128 characters",
        true,
    ),
    (
        "[sets.a]\npackages = [\"openssl^dev\"]",
        "\"openssl^dev\": `openssl^dev` is not the attribute of a package: an output is named with a dot, as in \"openssl.dev\"",
        true,
    ),
    ("[sets.a]\npackages = [\"git\", \"git\"]", "\"git\": `git` is listed twice", false),
    (
        "[sets.a]\nexpression = \" \"",
        "\" \": ` ` is not an expression for packages: it is a function from nixpkgs to a list: `pkgs: [ … ]`",
        true,
    ),
    ("[sets.a]\npriority = 1.5", "1.5: expected an integer, found a floating-point number", true),
    ("[sets.a]\nsets = [\"b\"]", "\"b\": there is no set `b`", false),
    ("[sets.a]\nsets = [\"a\"]", "\"a\": sets contain each other: a → a", false),
    (
        "[sets.a]\nsets = [\"b\"]\n[sets.b]\nsets = [\"c\"]\n[sets.c]\nsets = [\"b\"]",
        "\"b\": sets contain each other: b → c → b",
        false,
    ),
    ("[shells.a]\nsets = [\"b\"]", "\"b\": there is no set `b`", false),
    ("[shells.a.env]\nPATH = \"/x\"", "PATH: the `PATH` of a shell is that of its packages", false),
    ("[images.a]\nsets = [\"b\"]", "\"b\": there is no set `b`", false),
    ("[images.a]\nshell = \"b\"", "\"b\": there is no shell `b`", false),
    ("[images.a]\nshell = [\"b\"]", "[\"b\"]: expected a string, found an array", true),
    ("[images.a]\ndebian = true", "true: expected a table or false, found a boolean", true),
    ("[images.a]\nnix = { bash = true }", "bash: unknown key `bash`", true),
    (
        "[images.a]\ndebian = false\npackages = [\"git\"]",
        "\"git\": `packages` needs Debian, which this image does not have",
        false,
    ),
    (
        "[images.a]\ndebian = false\n[images.b]\nfrom = \"a\"\nrecommends = true",
        "true: `recommends` needs Debian, which this image does not have",
        false,
    ),
    (
        "[images.a]\n[images.b]\nfrom = \"a\"\ndebian = false",
        "false: `debian` cannot be set in an image that has `from`",
        false,
    ),
    ("[images.a]\nnix = { offline-develop = true }", "true: `offline-develop` needs `shell`", false),
    (
        "[shells.s]\n[images.a]\nshell = \"s\"\nnix = { database = false, offline-develop = true }",
        "true: `offline-develop` needs `database`",
        false,
    ),
];

#[test]
fn each_fault_is_named_where_it_is() {
    for (rest, expect, _) in FAULTS.iter().chain(NIX_FAULTS) {
        assert_eq!(faults(rest), [*expect], "{rest}");
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let found =
        faults("[images.a]\npackages = [\"Git\", \"A\"]\nworkdir = 1\nfoo = 2\n[images.b]\nfrom = \"c\"\nlayers = 0");
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn a_fault_in_a_parent_is_not_one_of_its_children() {
    let found = faults("[images.a.user]\nuid = 1\n[images.b]\nfrom = \"a\"");
    assert_eq!(found, ["[images.a.user]: `name` is missing"]);
}

#[test]
fn hints_help() {
    let hint = |rest: &str| {
        let text = format!("{PRELUDE}{rest}");
        let errors = Manifest::parse(&text).expect_err("it is at fault");
        errors.iter().find_map(|error| error.problem.hint())
    };
    for (rest, expect) in [
        ("[images.a]\npackage = []", "did you mean `packages`?"),
        ("[images.a]\nstop_signal = \"SIGTERM\"", "did you mean `stop-signal`?"),
        ("[images.base]\n[images.b]\nfrom = \"bse\"", "did you mean `base`?"),
        ("[images.a]\npackages = \"git\"", "put it into brackets: [\"…\"]"),
        ("[images.a.env]\nA = 1", "put it into quotes"),
        ("[images.a]\nsize-limit = 2026-11-23", "write it as a string, in quotes"),
        ("[sets.python]\n[images.b]\nsets = [\"pyton\"]", "did you mean `python`?"),
        ("[images.b]\nshell = \"python\"", "declare it: [shells.NAME]"),
    ] {
        assert_eq!(hint(rest).as_deref(), Some(expect), "{rest}");
    }
}

#[test]
fn what_is_not_toml_is_said_so() {
    let errors = Manifest::parse("[workspace\nname = ").expect_err("it is no TOML");
    assert!(errors.iter().all(|error| matches!(error.problem, Problem::Syntax(_))), "{errors:?}");
    let errors = Manifest::parse(&"#".repeat(Manifest::MAX_LEN + 1)).expect_err("it is too long");
    assert!(errors.iter().any(|error| error.problem == Problem::TooLong));
    let dated = SHIPPED.replacen("name = \"infra\"", "name = 2026-11-23", 1);
    let errors = Manifest::parse(&dated).expect_err("Nix does not read dates");
    assert!(errors.iter().any(|error| error.problem == Problem::NotForNix(NotForNix::DateTime)));
}

#[test]
fn a_workspace_needs_a_name_and_images_a_suite() {
    let message = |text: &str| Manifest::parse(text).expect_err("it is at fault").to_string();
    assert_eq!(message(""), "the manifest has a fault: `workspace` is missing");
    assert_eq!(message("[workspace]\n"), "the manifest has a fault: `name` is missing");
    assert!(Manifest::parse("[workspace]\nname = \"w\"\n[images.a]\ndebian = false\n").is_ok());
    let no_suite = "[workspace]\nname = \"w\"\n[images.a]\n";
    assert_eq!(message(no_suite), "the manifest has a fault: no Debian suite is named for image `a`");
}
