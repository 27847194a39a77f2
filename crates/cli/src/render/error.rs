//! How an error reads: what failed, why, and after a blank line what to do.

use std::error::Error as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::args::Color;
use crate::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

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
pub(crate) fn render(failure: &Failure, json: bool, color: Color) {
    let _ = color;
    if failure.is_silent() {
        return;
    }
    let causes = causes(failure);
    let mut text = format!("{ERROR}error:{ERROR:#} {failure}\n");
    for cause in &causes {
        text += &format!("  cause: {}\n", cause.replace('\n', "\n    "));
    }
    if let Some(hint) = failure.hint() {
        text += &format!("\n{HINT}hint:{HINT:#} {hint}\n");
    }
    // There is nowhere left to complain when standard error is closed.
    let _ = anstream::stderr().write_all(text.as_bytes());
    if json {
        let body = JsonBody { message: failure.to_string(), causes: &causes, hint: failure.hint() };
        if let Ok(text) = serde_json::to_string_pretty(&JsonError { error: body }) {
            let _ = writeln!(anstream::stdout(), "{text}");
        }
    }
}

/// The messages of the sources, outermost first.
fn causes(failure: &Failure) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = failure.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}
