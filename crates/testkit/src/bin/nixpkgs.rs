//! `cargo xtask nixpkgs`: makes the package set of `tests/nixpkgs` ready, builds attributes of it, moves its lock.

use std::process::ExitCode;

use plywood_testkit::nixpkgs;

const USAGE: &str = "\
Usage: cargo xtask nixpkgs [--system SYSTEM] [ATTRIBUTE]...   make the set ready and build attributes
       cargo xtask nixpkgs --lock                             lock Debian's packages of tests/nixpkgs anew";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["--lock"] => nixpkgs::update_lock().map(|()| Vec::new()),
        ["--system", system, attributes @ ..] => build(system, attributes),
        [option, ..] if option.starts_with('-') => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
        attributes => build(nixpkgs::BUILD_SYSTEM, attributes),
    };
    match done {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
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

fn build(system: &str, attributes: &[&str]) -> nixpkgs::Result<Vec<String>> {
    let bench = attributes.contains(&"benchClosure");
    let set = if bench { nixpkgs::prepare_with_bench() } else { nixpkgs::prepare() }?;
    let paths = set.build(system, attributes)?;
    let flake = std::iter::once(set.url());
    Ok(flake.chain(paths.iter().map(|path| path.display().to_string())).collect())
}
