//! debianutils' `run-parts` (run-parts(8)).

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::fs::join;
use super::options::{flag, parse, value};
use crate::tree::NodeKind;

pub(super) fn run_parts<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(0, "test"),
            flag(0, "list"),
            flag(b'v', "verbose"),
            flag(0, "report"),
            flag(0, "reverse"),
            flag(0, "exit-on-error"),
            flag(0, "new-session"),
            flag(0, "lsbsysinit"),
            value(b'a', "arg"),
            value(0, "regex"),
        ],
    )?;
    let Some(directory) = options.operands.first() else { return call.fail("missing operand") };
    let regex = match options.value("regex") {
        Some(source) => Some(super::regex::extended(source, false).ok_or_else(|| call.unsupported(source))?),
        None => None,
    };
    let Some(path) = call.stat(directory, true).filter(|(_, node)| node.is_directory()).map(|(path, _)| path) else {
        return call.fail(format!("failed to open directory {directory}: No such file or directory"));
    };
    let is_named = |name: &[u8]| match &regex {
        Some(regex) => regex.is_match(name),
        None => name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')),
    };
    let names = call.machine.tree.children(&path).filter_map(|(path, _)| path.file_name());
    let mut parts: Vec<BString> = names.filter(|name| is_named(name)).map(|name| join(directory, name)).collect();
    if options.has("reverse") {
        parts.reverse();
    }
    let mut status = Status::SUCCESS;
    for part in parts {
        let Some((_, node)) = call.stat(&part, true) else { continue };
        let executable = node.meta.mode & 0o111 != 0;
        if !matches!(node.kind, NodeKind::File { .. }) || !(executable || options.has("list")) {
            continue;
        }
        if options.has("test") || options.has("list") {
            call.out([part.as_bytes(), b"\n"].concat())?;
            continue;
        }
        if options.has("verbose") {
            call.write(2, format!("run-parts: executing {part}\n"))?;
        }
        let ended = call.run([part.clone()].into_iter().chain(options.values("arg").cloned()).collect())?;
        if !ended.is_success() {
            call.complain(format!("{part} exited with return code {}", ended.0))?;
            status = Status::FAILURE;
            if options.has("exit-on-error") {
                break;
            }
        }
    }
    Ok(status)
}
