//! `grep`, `egrep` and `fgrep`.

use std::collections::VecDeque;

use bstr::{BString, ByteSlice};
use regex::bytes::Regex;

use super::super::{Invocation, ShellError, Status};
use super::options::{Known, Parsed, flag, optional, parse, value};
use super::regex::{compile, fixed, translated};
use crate::tree::NodeKind;

const KNOWN: &[Known] = &[
    flag(b'E', "extended-regexp"),
    flag(b'F', "fixed-strings"),
    flag(b'G', "basic-regexp"),
    flag(b'P', "perl-regexp"),
    value(b'e', "regexp"),
    value(b'f', "file"),
    flag(b'i', "ignore-case"),
    flag(b'y', "ignore-case"),
    flag(b'v', "invert-match"),
    flag(b'w', "word-regexp"),
    flag(b'x', "line-regexp"),
    flag(b'c', "count"),
    flag(b'l', "files-with-matches"),
    flag(b'L', "files-without-match"),
    value(b'm', "max-count"),
    flag(b'o', "only-matching"),
    flag(b'q', "quiet"),
    flag(0, "silent"),
    flag(b's', "no-messages"),
    flag(b'n', "line-number"),
    flag(b'h', "no-filename"),
    flag(b'H', "with-filename"),
    flag(b'r', "recursive"),
    flag(b'R', "dereference-recursive"),
    flag(b'a', "text"),
    flag(b'I', "skip-binary"),
    flag(b'z', "null-data"),
    value(b'A', "after-context"),
    value(b'B', "before-context"),
    optional(0, "color"),
    optional(0, "colour"),
];

/// What one run looks for and prints.
struct Search {
    regex: Option<Regex>,
    options: Parsed,
    names: bool,
    before: usize,
    after: usize,
}

pub(super) fn grep<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut options = parse(call, KNOWN)?;
    let mut patterns: Vec<BString> = options.values("regexp").cloned().collect();
    let mut given = !patterns.is_empty();
    for file in options.values("file").cloned().collect::<Vec<_>>() {
        given = true;
        match call.read_operand(&file)? {
            Some(text) => patterns.extend(text.lines().map(BString::from)),
            None => return Ok(Status(2)),
        }
    }
    if !given {
        if options.operands.is_empty() {
            call.complain("usage: grep [OPTION]... PATTERNS [FILE]...")?;
            return Ok(Status(2));
        }
        patterns.push(options.operands.remove(0));
    }
    let regex = compiled(call, &options, &patterns)?;
    let mut files = options.operands.clone();
    let recursive = options.has("recursive") || options.has("dereference-recursive");
    if files.is_empty() {
        files.push(if recursive { ".".into() } else { "-".into() });
    }
    let names = (files.len() > 1 || recursive || options.has("with-filename")) && !options.has("no-filename");
    if recursive {
        files = files.iter().flat_map(|file| below(call, file)).collect();
    }
    let number = |name| options.number(name).unwrap_or(0) as usize;
    let search = Search { regex, names, before: number("before-context"), after: number("after-context"), options };
    search.files(call, &files)
}

/// All patterns as one expression; `None` when there is none, which matches nothing.
fn compiled<S>(
    call: &Invocation<'_, '_, S>,
    options: &Parsed,
    patterns: &[BString],
) -> Result<Option<Regex>, ShellError> {
    let kind = options
        .given()
        .filter(|name| matches!(*name, "extended-regexp" | "fixed-strings" | "basic-regexp" | "perl-regexp"))
        .last();
    let kind = kind.unwrap_or(match call.name.as_slice() {
        b"egrep" => "extended-regexp",
        b"fgrep" => "fixed-strings",
        _ => "basic-regexp",
    });
    let mut sources = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split_str("\n")) {
        let source = match kind {
            "fixed-strings" => Some(fixed(pattern)),
            "extended-regexp" => translated(pattern, true),
            // What the regex crate has in common with Perl; it refuses the rest itself.
            "perl-regexp" => pattern.to_str().ok().map(str::to_owned),
            _ => translated(pattern, false),
        };
        sources.push(format!("(?:{})", source.ok_or_else(|| call.unsupported(pattern))?));
    }
    if sources.is_empty() {
        return Ok(None);
    }
    let mut source = sources.join("|");
    if options.has("line-regexp") {
        source = format!("^(?:{source})$");
    } else if options.has("word-regexp") {
        source = format!(r"(?:^|\b{{start-half}})(?:{source})(?:\b{{end-half}}|$)");
    }
    compile(&source, options.has("ignore-case")).map(Some).ok_or_else(|| call.unsupported(source))
}

/// The regular files below an operand.
fn below<S>(call: &Invocation<'_, '_, S>, operand: &BString) -> Vec<BString> {
    let Some((path, node)) = call.stat(operand, true) else { return vec![operand.clone()] };
    if !node.is_directory() {
        return vec![operand.clone()];
    }
    let files = call.machine.tree.below(&path).filter(|(_, node)| matches!(node.kind, NodeKind::File { .. }));
    files.filter_map(|(file, _)| Some(super::fs::join(operand, file.strip_prefix(&path)?))).collect()
}

impl Search {
    fn files<S>(&self, call: &mut Invocation<'_, '_, S>, files: &[BString]) -> Result<Status, ShellError> {
        let (mut found, mut failed) = (false, false);
        for file in files {
            let read = if file == "-" { Ok(call.read_stdin()?.into()) } else { call.read_file(file) };
            let text = match read {
                Ok(text) => text,
                Err(error @ crate::tree::TreeError::Content(_)) => return Err(error.into()),
                Err(error) => {
                    failed = true;
                    if !self.options.has("no-messages") {
                        call.complain(format!("{file}: {}", super::super::invocation::reason(&error)))?;
                    }
                    continue;
                }
            };
            let name: &[u8] = if file == "-" { b"(standard input)" } else { file };
            found |= self.file(call, name, &text)?;
        }
        let quiet = self.options.has("quiet") || self.options.has("silent");
        Ok(if failed && !(found && quiet) { Status(2) } else { Status::from_bool(found) })
    }

    /// Searches one text; says whether it has what was asked for.
    fn file<S>(&self, call: &mut Invocation<'_, '_, S>, name: &[u8], text: &[u8]) -> Result<bool, ShellError> {
        let options = &self.options;
        let limit = options.number("max-count").unwrap_or(u64::MAX);
        let end = if options.has("null-data") { b'\0' } else { b'\n' };
        let has_lines = !text.is_empty();
        let text = text.strip_suffix(&[end]).unwrap_or(text);
        let silent = ["quiet", "silent", "count", "files-with-matches", "files-without-match"]
            .iter()
            .any(|name| options.has(name));
        let mut output = Vec::new();
        let mut count = 0;
        let mut context: VecDeque<(usize, &[u8])> = VecDeque::new();
        let (mut after, mut last_printed) = (0, None);
        let lines = text.split(|byte| *byte == end).enumerate().take_while(|_| has_lines);
        for (index, line) in lines {
            if count >= limit && after == 0 {
                break;
            }
            let matches = count < limit && self.regex.as_ref().is_some_and(|regex| regex.is_match(line));
            if matches != options.has("invert-match") && count < limit {
                count += 1;
                if silent {
                    continue;
                }
                if last_printed.is_some_and(|last| context.front().map_or(index, |(first, _)| *first) > last + 1)
                    && self.before + self.after > 0
                {
                    output.extend_from_slice(b"--\n");
                }
                for (index, line) in context.drain(..) {
                    self.line(&mut output, name, index, line, b'-', end);
                }
                self.matched(&mut output, name, index, line, end);
                (after, last_printed) = (self.after, Some(index));
            } else if after > 0 && !silent {
                self.line(&mut output, name, index, line, b'-', end);
                (after, last_printed) = (after - 1, Some(index));
            } else if self.before > 0 {
                if context.len() == self.before {
                    context.pop_front();
                }
                context.push_back((index, line));
            }
        }
        self.summary(&mut output, name, count);
        call.out(output)?;
        Ok(if options.has("files-without-match") { count == 0 } else { count > 0 })
    }

    fn summary(&self, output: &mut Vec<u8>, name: &[u8], count: u64) {
        let options = &self.options;
        if options.has("quiet") || options.has("silent") {
            return;
        }
        if options.has("files-with-matches") || options.has("files-without-match") {
            if (count > 0) == options.has("files-with-matches") {
                output.extend_from_slice(&[name, b"\n"].concat());
            }
        } else if options.has("count") {
            if self.names {
                output.extend_from_slice(&[name, b":"].concat());
            }
            output.extend_from_slice(format!("{count}\n").as_bytes());
        }
    }

    fn matched(&self, output: &mut Vec<u8>, name: &[u8], index: usize, line: &[u8], end: u8) {
        match &self.regex {
            Some(regex) if self.options.has("only-matching") => {
                for part in regex.find_iter(line).filter(|part| !part.is_empty()) {
                    self.line(output, name, index, part.as_bytes(), b':', end);
                }
            }
            _ => self.line(output, name, index, line, b':', end),
        }
    }

    fn line(&self, output: &mut Vec<u8>, name: &[u8], index: usize, line: &[u8], separator: u8, end: u8) {
        if self.names {
            output.extend_from_slice(name);
            output.push(separator);
        }
        if self.options.has("line-number") {
            output.extend_from_slice((index + 1).to_string().as_bytes());
            output.push(separator);
        }
        output.extend_from_slice(line);
        output.push(end);
    }
}
