//! Whether a command did what a test expects.

use plywood_core::manifest::model::{Check, OneOrMore};

use crate::engine::Captured;

/// As much of an output as a report repeats, in characters.
const MAX_EXCERPT: usize = 2000;

/// What does not hold, one text each.
pub(super) fn failures(check: &Check, captured: &Captured) -> Vec<String> {
    let mut failures = Vec::new();
    let expected = i32::from(check.exit.as_ref().map_or(0, |exit| exit.0));
    if captured.code != Some(expected) {
        let status = captured.code.map_or_else(|| "by a signal".to_owned(), |code| format!("with status {code}"));
        failures.push(format!("it ended {status} instead of {expected}{}", said(&captured.stderr)));
    }
    let stdout = String::from_utf8_lossy(&captured.stdout);
    let stderr = String::from_utf8_lossy(&captured.stderr);
    if let Some(expected) = &check.stdout
        && **expected != stdout
    {
        failures.push(format!("standard output is {} instead of {}", excerpt(&stdout), excerpt(expected)));
    }
    missing("standard output", check.stdout_contains.as_deref(), &stdout, &mut failures);
    missing("standard error", check.stderr_contains.as_deref(), &stderr, &mut failures);
    failures
}

/// Adds what `text` should contain and does not.
pub(super) fn missing(what: &str, wanted: Option<&OneOrMore>, text: &str, failures: &mut Vec<String>) {
    for wanted in wanted.into_iter().flat_map(OneOrMore::iter).filter(|wanted| !text.contains(wanted)) {
        failures.push(format!("{what} does not contain {}: it is {}", excerpt(wanted), excerpt(text)));
    }
}

fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    if text.trim().is_empty() { String::new() } else { format!(", and said {}", excerpt(text.trim_end())) }
}

/// The text in quotes, with its line breaks visible, cut where it goes on for too long.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{:?} and more", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use plywood_core::manifest::Manifest;

    use super::*;

    fn check(test: &str, code: Option<i32>, stdout: &str, stderr: &str, expect: &[&str]) {
        let text = format!(
            "[workspace]\nname = \"x\"\n[debian]\nsuite = \"trixie\"\n[images.a]\n[[images.a.tests]]\ncommand = [\"true\"]\n{test}\n"
        );
        let manifest = Manifest::parse(&text).expect("a valid manifest");
        let tests = &manifest.resolve("a").expect("the image").tests;
        let captured = Captured { code, stdout: stdout.into(), stderr: stderr.into() };
        assert_eq!(failures(&tests[0], &captured), expect, "{test}");
    }

    #[test]
    fn what_does_not_hold_is_told() {
        check("", Some(0), "anything", "", &[]);
        check("", Some(1), "", "no such file\n", &["it ended with status 1 instead of 0, and said \"no such file\""]);
        check("", None, "", "", &["it ended by a signal instead of 0"]);
        check("exit = 3", Some(3), "", "", &[]);
        check("stdout = \"2\\n\"", Some(0), "2\n", "", &[]);
        check("stdout = \"2\\n\"", Some(0), "2", "", &["standard output is \"2\" instead of \"2\\n\""]);
        check(
            "stdout-contains = [\"a\", \"b\"]",
            Some(0),
            "xax",
            "",
            &["standard output does not contain \"b\": it is \"xax\""],
        );
        check("stderr-contains = \"warn\"", Some(0), "", "warning", &[]);
    }
}
