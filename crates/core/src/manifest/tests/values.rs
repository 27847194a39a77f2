//! Each scalar value by its table: what it reads as, or the rule that it breaks.

use std::fmt::Display;
use std::str::FromStr;

use schemars::JsonSchema;

use crate::manifest::model::RequestPath;
use crate::manifest::*;

/// Each text reads as the one beside it, or not at all; and the pattern of the JSON schema agrees.
fn check<T: FromStr<Err = ParseValueError> + Display + JsonSchema>(table: &[(&str, Option<&str>)]) {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>().to_value();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    for (text, expect) in table {
        let parsed = text.parse::<T>().map(|value| value.to_string());
        assert_eq!(parsed.as_deref().ok(), *expect, "{text:?}: {parsed:?}");
        let by_schema = validator.is_valid(&serde_json::Value::from(*text));
        assert!(by_schema || expect.is_none(), "the schema refuses {text:?}");
    }
}

/// As [`check`], for texts that read as themselves.
fn check_same<T: FromStr<Err = ParseValueError> + Display + JsonSchema>(valid: &[&str], invalid: &[&str]) {
    let valid = valid.iter().map(|text| (*text, Some(*text)));
    check::<T>(&valid.chain(invalid.iter().map(|text| (*text, None))).collect::<Vec<_>>());
}

#[test]
fn names() {
    check_same::<ImageName>(
        &["base", "devcontainer-base", "a.b_c__d---e", "1"],
        &["", "Base", "-a", "a-", "a..b", "a___b", "a/b", "a b", "é", &"a".repeat(129)],
    );
    check_same::<UserName>(&["vscode", "_apt", "a-1", "www-data"], &["", "1a", "A", "a.b", "-a", &"a".repeat(32)]);
    check_same::<EnvName>(&["PATH", "_x", "no_proxy"], &["", "1A", "A-B", "A=B", "A B"]);
    check_same::<LabelKey>(&["org.opencontainers.image.title", "A:b"], &["", "a b", "é", "a\n"]);
}

#[test]
fn packages() {
    check_same::<PackageRequest>(
        &["git", "libstdc++6", "g++", "git=1:2.47.3-0+deb13u1", "a1=1.0~rc1"],
        &[
            "",
            "a",
            "Git",
            "git:arm64",
            "git=",
            "git=1:",
            "git=x:1",
            "git=1-",
            "git=1 2",
            "-git",
            "git >= 1",
            "git=2147483648:1",
        ],
    );
    check_same::<PackagePattern>(&["docker-ce", "docker-*", "*"], &["", "Docker", "a?", "a b"]);
    let matches =
        |pattern: &str, name: &str| pattern.parse::<PackagePattern>().is_ok_and(|pattern| pattern.matches(name));
    for (pattern, name, expect) in [
        ("docker-*", "docker-ce", true),
        ("docker-*", "docker", false),
        ("docker-ce", "docker-ce-cli", false),
        ("*", "x1", true),
        ("a*b*c", "aXbXbXc", true),
        ("a*b", "ab", true),
        ("ab*ba", "aba", false),
    ] {
        assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
    }
}

#[test]
fn archives() {
    check_same::<Suite>(
        &["trixie", "bookworm-backports", "stable/updates"],
        &["", "Trixie", "a b", "/a", "a/", "./", "a/../b"],
    );
    check_same::<RepositorySuite>(&["stable", "./", "debian/x/"], &["", "/", "../", "a//", "a b"]);
    check_same::<RepositoryName>(&["docker", "node-22"], &["", "debian", "debian-security", "A"]);
    check_same::<SnapshotTime>(
        &["20261101T000000Z", "20240229T235959Z"],
        &[
            "",
            "2026-11-01",
            "20261101T000000",
            "20250229T000000Z",
            "20261301T000000Z",
            "20261101T240000Z",
            "20041231T000000Z",
        ],
    );
    let seconds = |text: &str| text.parse::<SnapshotTime>().map(SnapshotTime::unix_seconds);
    assert_eq!(seconds("20261101T000000Z"), Ok(1_793_491_200));
    assert_eq!(seconds("20240229T123456Z"), Ok(1_709_210_096));
}

#[test]
fn addresses() {
    check_same::<HttpUrl>(
        &["https://github.com/example/infra", "http://mirror:8080/debian", "http://[::1]:80/", "https://a"],
        &[
            "",
            "github.com",
            "ftp://a/b",
            "https://u:p@a/",
            "https://a b/",
            "https://a/?q",
            "https://",
            "https://a:0/",
            "https://-a/",
        ],
    );
    check_same::<RegistryPrefix>(
        &["ghcr.io/example/infra", "localhost:5000", "localhost/x", "registry:5000/a/b_c"],
        &["", "example/infra", "https://ghcr.io/a", "ghcr.io/Example", "ghcr.io/a/", "ghcr.io:99999/a"],
    );
}

#[test]
fn modes_and_owners() {
    check::<FileMode>(&[
        ("0644", Some("0644")),
        ("644", Some("0644")),
        ("4755", Some("4755")),
        ("", None),
        ("0888", None),
        ("64", None),
        ("00644", None),
        ("+644", None),
        ("rw-r--r--", None),
    ]);
    check_same::<Owner>(
        &["root", "vscode", "vscode:docker", "1000:1000", "0", "4294967294"],
        &["", ":", "a:", ":b", "a:b:c", "A", "4294967295", "-1", "a b"],
    );
}

#[test]
fn paths() {
    check_same::<WorkspacePath>(
        &["files/motd", "a", "a b/.c", "..a/b..", "é"],
        &["", "/a", "../a", "a/..", "a//b", "a/", "./a", "a/./b", "a\\b"],
    );
    check_same::<SymlinkTarget>(&["/usr/bin/fdfind", "../x", "x"], &["", "a\0"]);
    check_same::<PathPattern>(&["/usr/share/doc/*", "/a?[bc]"], &["", "usr/*"]);
    for (text, expect) in [
        ("/", true),
        ("/a/b", true),
        ("", false),
        ("a", false),
        ("/a/", false),
        ("/a//b", false),
        ("/a/../b", false),
        ("/./a", false),
    ] {
        assert_eq!(values::parse_tree_path(text).is_ok(), expect, "{text}");
    }
}

#[test]
fn sizes_and_durations() {
    check::<ByteSize>(&[
        ("500 MB", Some("500 MB")),
        ("500MB", Some("500 MB")),
        ("1.5 GB", Some("1500 MB")),
        ("1 KiB", Some("1024 B")),
        ("512 MiB", Some("536870912 B")),
        ("0 B", Some("0 B")),
        ("", None),
        ("MB", None),
        ("500", None),
        ("-1 MB", None),
        ("1..5 MB", None),
        ("1. MB", None),
        ("1.2345 MB", None),
        ("99999999999 TB", None),
        ("500 mb", None),
    ]);
    check::<Seconds>(&[
        ("90s", Some("1m30s")),
        ("1h30m", Some("1h30m")),
        ("0s", Some("0s")),
        ("", None),
        ("90", None),
        ("5m1h", None),
        ("1m1m", None),
        ("m", None),
        ("-5s", None),
        ("1.5s", None),
        ("9999999999h", None),
    ]);
}

#[test]
fn how_images_are_packed_and_run() {
    check::<Compression>(&[
        ("zstd", Some("zstd:3")),
        ("zstd:22", Some("zstd:22")),
        ("gzip", Some("gzip:6")),
        ("gzip:9", Some("gzip:9")),
        ("", None),
        ("zstd:0", None),
        ("zstd:23", None),
        ("zstd:03", None),
        ("gzip:", None),
        ("xz", None),
    ]);
    check::<Port>(&[
        ("8080", Some("8080/tcp")),
        ("53/udp", Some("53/udp")),
        ("", None),
        ("0", None),
        ("65536", None),
        ("80/sctp", None),
        ("+80", None),
    ]);
    check_same::<Signal>(
        &["SIGTERM", "SIGUSR1", "SIGRTMIN", "SIGRTMIN+3"],
        &["", "TERM", "SIGFOO", "15", "SIGRTMIN+31", "sigterm"],
    );
    check_same::<RequestPath>(&["/", "/healthz?x=1"], &["", "healthz", "/a b"]);
}

#[test]
fn what_nix_names() {
    check_same::<SetName>(&["python", "a-b_c1"], &["", "Python", "1a", "-a", "a.b", "é", &"a".repeat(129)]);
    check_same::<ShellName>(&["python"], &["", "a b"]);
    check_same::<PackageAttribute>(
        &["python312", "openssl.dev", "_7zz", "3proxy", "python312Packages.requests", "in-put#a.b", "o'clock"],
        &["", ".", "a.", "a..b", "#a", "a#", "1a#b", "a#b#c", "a b", "a^dev", "\"a\"", "é", &"a".repeat(513)],
    );
    let parts = |text: &str| {
        text.parse().map(|one: PackageAttribute| (one.input().map(str::to_owned), one.attribute().to_owned()))
    };
    assert_eq!(parts("tools#a.b"), Ok((Some("tools".to_owned()), "a.b".to_owned())));
    assert_eq!(parts("a.b"), Ok((None, "a.b".to_owned())));
    check_same::<SubstituterUrl>(
        &["https://cache.example.org", "http://a:8080/b", "file:///srv/cache"],
        &[
            "",
            "file://",
            "file:///",
            "file://srv",
            "file:///a b",
            "file:///a?b",
            "s3://a",
            "/srv",
            "https://u@a",
            "https://a/?q",
        ],
    );
    check_same::<SubstituterKey>(
        &["cache.example.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="],
        &[
            "",
            "a",
            "a:",
            ":6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=",
            "a:6NCH",
            "a:b:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=",
        ],
    );
    check_same::<FlakePath>(&[".", "nix", "a/b"], &["", "..", "../a", "/a", "./a", "a/"]);
    check_same::<NixExpression>(&["pkgs: [ ]", "import ./x.nix"], &["", " \n"]);
}
