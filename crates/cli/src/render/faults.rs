//! Faults of a manifest, each shown where it is in the text.

use std::fmt;

use camino::Utf8Path;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};
use plywood_core::manifest::{ManifestError, ManifestErrors};

use super::error::{ERROR, HINT};

/// More faults than this are rarely read before the first are mended.
const MAX_SHOWN: usize = 10;

/// Every fault with its place and its hint.
pub(super) fn render(path: &Utf8Path, text: &str, faults: &ManifestErrors) -> String {
    let source = NamedSource::new(path, text.to_owned());
    let handler = handler();
    let mut rendered = String::new();
    for fault in faults.iter().take(MAX_SHOWN) {
        let mut one = String::new();
        if handler.render_report(&mut one, &Marked { fault, source: &source }).is_err() {
            one = format!("{ERROR}error:{ERROR:#} {fault}\n");
        }
        if !rendered.is_empty() {
            rendered.push('\n');
        }
        rendered += one.trim_start_matches([' ', '\n']);
        if let Some(hint) = fault.problem.hint() {
            rendered += &format!("\n{HINT}hint:{HINT:#} {hint}\n");
        }
    }
    if faults.iter().len() > MAX_SHOWN {
        rendered += &format!("\nand {} more\n", faults.iter().len() - MAX_SHOWN);
    }
    rendered
}

/// Miette's look, with our words. Colours that standard error does not show are taken out on the way there.
fn handler() -> GraphicalReportHandler {
    let mut theme = GraphicalTheme::unicode();
    theme.characters.error = format!("{ERROR}error:{ERROR:#}");
    GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100)
}

/// A fault as miette wants it.
#[derive(Debug)]
struct Marked<'f> {
    fault: &'f ManifestError,
    source: &'f NamedSource<String>,
}

impl fmt::Display for Marked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for Marked<'_> {}

impl Diagnostic for Marked<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label =
            |label: &str, span: std::ops::Range<usize>| LabeledSpan::new_with_span(Some(label.to_owned()), span);
        let first = label(self.fault.problem.label(), self.fault.span.clone());
        let related = self.fault.related.iter().map(move |(span, text)| label(text, span.clone()));
        Some(Box::new(std::iter::once(first).chain(related)))
    }
}
