//! `sed` (XCU, with GNU's `-i`, `-E`, `-s`, `I`, `Q`).

mod parse;
mod run;

use bstr::BString;
use regex::bytes::Regex;

use super::super::{Invocation, ShellError, Status};
use super::options::{flag, optional, value};

/// An address of a line.
#[derive(Debug)]
enum Address {
    Line(usize),
    Last,
    /// `first~step`
    Step(usize, usize),
    /// `None` is the last expression used.
    Match(Option<Regex>),
    /// `addr,+n`
    Plus(usize),
}

#[derive(Debug)]
struct Command {
    addresses: Vec<Address>,
    negated: bool,
    action: Action,
}

#[derive(Debug)]
enum Action {
    /// `{`: jumps past its end when not selected.
    Block {
        end: usize,
    },
    BlockEnd,
    Substitute(Substitution),
    Transliterate(Vec<u8>, Vec<u8>),
    Append(BString),
    Insert(BString),
    Change(BString),
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    LineNumber,
    Next,
    NextAppend,
    Hold,
    HoldAppend,
    Get,
    GetAppend,
    Exchange,
    Quit(u8),
    QuitSilently(u8),
    Label,
    /// The index to go to; past the end without a label.
    Branch(usize),
    BranchIfSubstituted(usize),
    Read(BString),
    Write(BString),
}

#[derive(Debug)]
struct Substitution {
    regex: Option<Regex>,
    replacement: Vec<Piece>,
    global: bool,
    print: bool,
    /// Which match is the first to be replaced, from 1.
    number: usize,
    file: Option<BString>,
}

/// A piece of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Group(usize),
    Upper,
    Lower,
    UpperNext,
    LowerNext,
    EndCase,
}

pub(super) fn sed<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    // `-i` may have its suffix attached, unlike other short options.
    let mut suffix = None;
    for arg in &mut call.args {
        if arg == "--" {
            break;
        }
        if let Some(rest) = arg.strip_prefix(b"-i").filter(|rest| !rest.is_empty()) {
            suffix = Some(BString::from(rest));
            *arg = "-i".into();
        }
    }
    let options = super::options::parse(
        call,
        &[
            flag(b'n', "quiet"),
            flag(0, "silent"),
            value(b'e', "expression"),
            value(b'f', "file"),
            flag(b'E', "regexp-extended"),
            flag(b'r', "regexp-extended"),
            optional(b'i', "in-place"),
            flag(b's', "separate"),
            flag(b'u', "unbuffered"),
            flag(b'z', "null-data"),
            flag(0, "posix"),
            flag(0, "follow-symlinks"),
        ],
    )?;
    let suffix = suffix.or_else(|| options.value("in-place").cloned());
    let mut operands = options.operands.clone();
    let mut script = BString::default();
    let mut parts: Vec<BString> = options.values("expression").cloned().collect();
    for file in options.values("file") {
        match call.read_operand(file)? {
            Some(text) => parts.push(text.strip_suffix(b"\n").unwrap_or(&text).into()),
            None => return Ok(Status::FAILURE),
        }
    }
    if parts.is_empty() {
        if operands.is_empty() {
            return call.fail("no script given");
        }
        parts.push(operands.remove(0));
    }
    script.extend_from_slice(&bstr::join("\n", parts));
    let commands = parse::parse(&script, options.has("regexp-extended")).map_err(|what| call.unsupported(what))?;
    if operands.is_empty() {
        operands.push("-".into());
    }
    let quiet = options.has("quiet") || options.has("silent") || script.starts_with(b"#n\n");
    let settings = run::Settings { quiet, end: if options.has("null-data") { 0 } else { b'\n' } };
    if options.has("in-place") {
        return in_place(call, &commands, settings, &operands, suffix);
    }
    let mut input = Vec::new();
    let mut status = Status::SUCCESS;
    let separate = options.has("separate");
    let mut texts = Vec::new();
    for operand in &operands {
        match call.read_operand(operand)? {
            Some(text) if separate => texts.push(text.to_vec()),
            Some(text) => {
                if input.last().is_some_and(|last| *last != settings.end) {
                    input.push(settings.end);
                }
                input.extend_from_slice(&text);
            }
            None => status = Status(2),
        }
    }
    if !separate {
        texts.push(input);
    }
    for text in texts {
        let ended = run::run(call, &commands, settings, &text)?;
        call.out(&ended.output)?;
        if let Some(code) = ended.quit {
            return Ok(Status(code));
        }
    }
    Ok(status)
}

fn in_place<S>(
    call: &mut Invocation<'_, '_, S>,
    commands: &[Command],
    settings: run::Settings,
    files: &[BString],
    suffix: Option<BString>,
) -> Result<Status, ShellError> {
    let mut status = Status::SUCCESS;
    for file in files {
        let read = call.read_file(file);
        let Some(text) = (match read {
            Err(error) if !matches!(error, crate::tree::TreeError::Content(_)) => {
                call.complain(format!("can't read {file}: {}", super::super::invocation::reason(&error)))?;
                None
            }
            other => Some(other?),
        }) else {
            status = Status(4);
            continue;
        };
        let ended = run::run(call, commands, settings, &text)?;
        let Some((at, node)) = call.stat(file, false).map(|(at, node)| (at, node.clone())) else { continue };
        let meta = match call.stat(file, true) {
            Some((_, target)) => target.meta.clone(),
            None => node.meta.clone(),
        };
        if let Some(suffix) = &suffix {
            let backup = call.resolve(&[file.as_slice(), suffix].concat(), false)?;
            call.machine.tree.insert(backup, node)?;
        }
        // The file is replaced by a new one, so a symbolic link becomes a file and hard links part.
        let meta = crate::tree::Meta { mtime: call.machine.now, ..meta };
        call.machine.tree.insert(at, crate::tree::Node::file(meta, ended.output))?;
        if let Some(code) = ended.quit {
            return Ok(Status(code));
        }
    }
    Ok(status)
}
