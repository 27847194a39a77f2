//! Programs run from the store alone.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use plywood_testkit::nixpkgs::{BUILD_SYSTEM, Nixpkgs};

use crate::lab::{StoreAlone, build, eval, set, stdout};

/// Runs a program of an attribute; what it says must have the version that the attribute says.
fn check(set: &Nixpkgs, attribute: &str, program: &str, argument: &str) {
    let path = build(set, attribute).join("bin").join(program);
    let text = StoreAlone::new().run(&path, &[argument]);
    let version = eval(set, BUILD_SYSTEM, &format!("pkgs: pkgs.{attribute}.version"));
    // Debian's jq and fzf say less than their versions.
    let said = text.contains(&version) || text.contains(version.rsplit_once('.').map_or(&*version, |(start, _)| start));
    assert!(said, "{attribute} is {version}, but {program} says: {text}");
}

#[test]
fn languages_run_from_the_store_alone() {
    let Some(set) = set() else { return };
    check(&set, "python312", "python3", "--version");
    check(&set, "nodejs_22", "node", "--version");
    check(&set, "bun", "bun", "--version");
    let npm = StoreAlone::new().run(&build(&set, "nodejs_22").join("bin/npm"), &["--version"]);
    assert!(npm.starts_with("10."), "{npm}");
    let modules = "import bz2, ctypes, curses, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib; print('all')";
    let python = build(&set, "python312").join("bin/python3");
    assert_eq!(StoreAlone::new().run(&python, &["-c", modules]), "all\n");
}

#[test]
fn tools_run_from_the_store_alone() {
    let Some(set) = set() else { return };
    for (attribute, program) in [
        ("bashInteractive", "bash"),
        ("bat", "bat"),
        ("coreutils", "ls"),
        ("curl", "curl"),
        ("eslint", "eslint"),
        ("fd", "fd"),
        ("findutils", "find"),
        ("fzf", "fzf"),
        ("gawk", "awk"),
        ("git", "git"),
        ("gnugrep", "grep"),
        ("gnused", "sed"),
        ("gnutar", "tar"),
        ("gzip", "gzip"),
        ("jq", "jq"),
        ("less", "less"),
        ("nix", "nix"),
        ("nodePackages.prettier", "prettier"),
        ("procps", "ps"),
        ("pyright", "pyright"),
        ("ripgrep", "rg"),
        ("ruff", "ruff"),
        ("sqlite", "sqlite3"),
        ("typescript", "tsc"),
        ("typescript-language-server", "typescript-language-server"),
        ("uv", "uv"),
        ("which", "which"),
        ("zsh", "zsh"),
    ] {
        check(&set, attribute, program, "--version");
    }
    check(&set, "direnv", "direnv", "version");
    check(&set, "openssl", "openssl", "version");
}

#[test]
fn git_works_with_its_own_programs_and_templates() {
    let Some(set) = set() else { return };
    let place = StoreAlone::new();
    let git = build(&set, "git").join("bin/git");
    // git runs the other side of a transport, and hooks, by the one path that is compiled in.
    fs::create_dir(place.tmp().with_file_name("bin")).expect("a folder");
    std::os::unix::fs::symlink(build(&set, "bash").join("bin/sh"), place.tmp().with_file_name("bin/sh"))
        .expect("a link");
    place.run(&git, &["init", "--quiet", "/tmp/here"]);
    fs::write(place.tmp().join("here/file"), "text\n").expect("a file");
    place.run(&git, &["-C", "/tmp/here", "add", "file"]);
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    place.run(&git, &[&["-C", "/tmp/here"], &identity[..], &["commit", "--quiet", "-m", "first"]].concat());
    place.run(&git, &["clone", "--quiet", "file:///tmp/here", "/tmp/there"]);
    assert_eq!(fs::read_to_string(place.tmp().join("there/file")).expect("the clone"), "text\n");
}

#[test]
fn curl_and_python_trust_what_the_certificate_variable_names() {
    let Some(set) = set() else { return };
    let place = StoreAlone::new();
    let (openssl, curl) = (build(&set, "openssl").join("bin/openssl"), build(&set, "curl").join("bin/curl"));
    fs::write(place.tmp().join("openssl.cnf"), "[req]\ndistinguished_name = name\n[name]\n").expect("a file");
    let request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
    let files = "-keyout /tmp/key.pem -out /tmp/cert.pem -config /tmp/openssl.cnf";
    let words: Vec<&str> = request.split(' ').chain(files.split(' ')).collect();
    stdout(place.command(&openssl, &[]).args(words).stderr(std::process::Stdio::null()));

    let serve = ["s_server", "-accept", "127.0.0.1:0", "-www", "-key", "/tmp/key.pem", "-cert", "/tmp/cert.pem"];
    let mut server = place.spawn(&openssl, &serve);
    let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let accept = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned)).expect("an address");
    let port = accept.rsplit_once(':').expect("a port").1;
    let url = format!("https://localhost:{port}/");
    let resolve = format!("localhost:{port}:127.0.0.1");
    let ask = |certificates: &str| {
        let mut command = place.command(&curl, &[("SSL_CERT_FILE", certificates)]);
        command.args(["--silent", "--show-error", "--resolve", &resolve, &url]).output().expect("curl starts")
    };
    let trusted = ask("/tmp/cert.pem");
    let others = ask(&build(&set, "cacert").join("etc/ssl/certs/ca-bundle.crt").display().to_string());
    let _ = server.kill();
    let _ = server.wait();
    assert!(trusted.status.success(), "{}", String::from_utf8_lossy(&trusted.stderr));
    assert_eq!(others.status.code(), Some(60), "an authority that is not in the bundle is not trusted");
}

#[test]
fn data_are_where_images_look_for_them() {
    let Some(set) = set() else { return };
    let check = |attribute: &str, file: &str, expect: &[u8]| {
        let path = build(&set, attribute).join(file);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(bytes.windows(expect.len()).any(|window| window == expect), "{}", path.display());
    };
    check("cacert", "etc/ssl/certs/ca-bundle.crt", b"-----BEGIN CERTIFICATE-----");
    check("tzdata", "share/zoneinfo/Europe/Berlin", b"TZif");
    check("glibc", "lib/libc.so.6", b"\x7fELF");
    check("stdenv.cc.cc.lib", "lib/libstdc++.so.6", b"\x7fELF");
    check("stdenv.cc.cc.lib", "lib/libgcc_s.so.1", b"\x7fELF");
    check("zlib", "lib/libz.so.1", b"\x7fELF");
    check("ncurses", "share/terminfo/x/xterm", b"xterm");
    check("nix-direnv", "share/nix-direnv/direnvrc", b"use_flake");
    assert!(Path::new(&build(&set, "bash")).join("bin/sh").exists());
}
