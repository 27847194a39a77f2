//! Chores of the repository: `cargo xtask test`, `cargo xtask bench`.

mod bench;
mod install;
mod test;
mod tools;

use std::error::Error;
use std::process::ExitCode;

use bench::Bench;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  test [--install] [-- ARGS]   run all tests; with --install, first install what they need (Debian, as root),
                               and let no test be skipped. ARGS go to `cargo test`.
  tools                        say which of the tools that tests need are missing
  nixpkgs [ATTRIBUTE...]       make the package set of tests/nixpkgs ready and build attributes of it; --help says more
  bench [debian|nix|push]...   measure plywood against the floor, mmdebstrap and skopeo, and fail where a promise is
                               not kept";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", "--install", "--", rest @ ..] => test::test(true, rest),
        ["test", "--", rest @ ..] => test::test(false, rest),
        ["test", "--install"] => test::test(true, &[]),
        ["test"] => test::test(false, &[]),
        ["tools"] => Ok(tools::report()),
        ["nixpkgs", rest @ ..] => test::nixpkgs(rest),
        ["bench"] => bench::bench(&Bench::ALL).map(|()| ExitCode::SUCCESS),
        ["bench", names @ ..] if names.iter().all(|name| Bench::named(name).is_some()) => {
            let wanted: Vec<Bench> = names.iter().filter_map(|name| Bench::named(name)).collect();
            bench::bench(&wanted).map(|()| ExitCode::SUCCESS)
        }
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}
