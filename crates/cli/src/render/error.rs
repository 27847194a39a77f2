//! How an error reads: what failed, why, and after a blank line what to do.

use std::error::Error as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::faults;
use crate::failure::Failure;

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// What `--json` says of an error.
#[derive(Debug, Serialize)]
struct JsonError<'f> {
    error: JsonBody<'f>,
}

#[derive(Debug, Serialize)]
struct JsonBody<'f> {
    message: String,
    causes: &'f [String],
    hint: Option<String>,
}

/// Renders a failure to standard error, and with `--json` to standard output too.
pub(crate) fn render(failure: &Failure, json: bool) {
    if failure.is_silent() {
        return;
    }
    let text = match failure {
        Failure::UseCase(plywood::Error::Manifest { path, text, faults }) => faults::render(path, text, faults),
        _ => describe(failure),
    };
    // There is nowhere left to complain when standard error is closed.
    let _ = anstream::stderr().write_all(text.as_bytes());
    if json {
        let causes = causes(failure);
        let body = JsonBody { message: failure.to_string(), causes: &causes, hint: failure.hint() };
        if let Ok(text) = serde_json::to_string_pretty(&JsonError { error: body }) {
            let _ = writeln!(anstream::stdout(), "{text}");
        }
    }
}

/// The message, its causes, each further in than the one before, and the hint.
fn describe(failure: &Failure) -> String {
    let mut text = format!("{ERROR}error:{ERROR:#} {}\n", indented(&failure.to_string(), "  "));
    for cause in causes(failure) {
        text += &format!("  {}\n", indented(&cause, "    "));
    }
    if let Some(hint) = failure.hint() {
        text += &format!("\n{HINT}hint:{HINT:#} {hint}\n");
    }
    text
}

/// What to do about one failure of several, as a line below it.
pub(crate) fn hint_line(hint: Option<&str>) -> String {
    hint.map(|hint| format!("  {HINT}hint:{HINT:#} {hint}\n")).unwrap_or_default()
}

/// All lines but the first begin with `indent`.
fn indented(text: &str, indent: &str) -> String {
    text.trim_end().replace('\n', &format!("\n{indent}"))
}

/// The messages of the sources, outermost first.
fn causes(failure: &Failure) -> Vec<String> {
    std::iter::successors(failure.source(), |cause| (*cause).source()).map(ToString::to_string).collect()
}
