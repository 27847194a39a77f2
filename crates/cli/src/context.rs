//! What every command works with: the workspace, the progress and the way results are printed.

use std::io::Write as _;

use camino::Utf8PathBuf;
use plywood::workspace::Workspace;
use serde::Serialize;

use crate::args::Global;
use crate::failure::Failure;
use crate::render::progress::Progress;

/// What every command works with.
pub(crate) struct Context {
    /// Where it works.
    pub(crate) workspace: Workspace,
    /// Where use cases report to.
    pub(crate) progress: Progress,
    directory: Utf8PathBuf,
    json: bool,
    quiet: bool,
}

impl Context {
    /// The context that the global options ask for.
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        let cache = global.cache_dir.or_else(default_cache).ok_or(Failure::NoCache)?;
        Ok(Self {
            workspace: Workspace::new(global.directory.clone(), cache),
            progress: Progress::new(global.quiet, global.verbose),
            directory: global.directory,
            json: global.json,
            quiet: global.quiet,
        })
    }

    /// Prints a result to standard output: `report` as JSON with `--json`, else what `text` makes of it.
    pub(crate) fn print<R: Serialize>(&self, report: &R, text: impl FnOnce(&R) -> String) -> Result<(), Failure> {
        let text = if self.json {
            let json = serde_json::to_string_pretty(report).map_err(|error| Failure::Stdout(error.into()))?;
            json + "\n"
        } else {
            text(report)
        };
        self.print_text(&text)
    }

    /// Prints to standard output what has no JSON form.
    pub(crate) fn print_text(&self, text: &str) -> Result<(), Failure> {
        self.progress.clear();
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Stdout)
    }

    /// Names the next useful command on standard error, with `-C` when this one had it.
    pub(crate) fn next(&self, arguments: &str) {
        if self.quiet || self.json {
            return;
        }
        let directory = if self.directory == "." {
            String::new()
        } else {
            format!("-C {} ", shell_quoted(self.directory.as_str()))
        };
        // Advice that nobody can read is no reason to fail.
        let _ = writeln!(anstream::stderr(), "next: plywood {directory}{arguments}");
    }
}

/// `text` as a POSIX shell reads it back as one word.
fn shell_quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `plywood` in the user's cache folder (XDG Base Directory Specification).
fn default_cache() -> Option<Utf8PathBuf> {
    let folder = |name: &str| {
        let path = std::env::var(name).ok().map(Utf8PathBuf::from)?;
        path.is_absolute().then_some(path)
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("plywood"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_quoted_for_the_shell() {
        for (text, expect) in [("infra", "infra"), ("my infra", "'my infra'"), ("it's", r"'it'\''s'"), ("", "''")] {
            assert_eq!(shell_quoted(text), expect);
        }
    }
}
