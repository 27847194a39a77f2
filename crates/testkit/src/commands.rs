//! Running programs that must do as they are told.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs a command that must succeed.
///
/// # Panics
/// When it does not.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?} failed:\n{}", said(&output));
    output
}

/// Runs a command that must fail with `code`, and gives what it says.
///
/// # Panics
/// When it does not.
pub fn fail(command: &mut Command, code: i32) -> String {
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(code), "{command:?}:\n{}", said(&output));
    said(&output)
}

fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// What a program wrote, as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Copies a folder of files and folders.
///
/// # Panics
/// When something cannot be copied.
pub fn copy_folder(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (from, to) = (from.as_ref(), to.as_ref());
    fs::create_dir_all(to).expect("a folder");
    for entry in from.read_dir().unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(entry.path(), target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
