//! `run-parts` (run-parts(8)), and the few uses of `perl` that are known by their text.

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};
use crate::tree::Node;

const OPTIONS: OptionTable = &[
    ("--test", "test", Takes::Nothing),
    ("--list", "list", Takes::Nothing),
    ("--verbose", "verbose", Takes::Nothing),
    ("-v", "verbose", Takes::Nothing),
    ("--report", "report", Takes::Nothing),
    ("--exit-on-error", "exit-on-error", Takes::Nothing),
    ("--lsbsysinit", "lsbsysinit", Takes::Nothing),
    ("--arg", "arg", Takes::Value),
    ("-a", "arg", Takes::Value),
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("run-parts", run_parts);
    commands.register("perl", perl);
}

fn run_parts(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let [directory] = given.operands.as_slice() else { return call.fail("missing operand") };
    let Some((at, _)) = call.stat(directory, true).filter(|(_, node)| node.is_directory()) else {
        return call.fail(format!("failed to open directory {directory}: No such file or directory"));
    };
    let tree = &call.machine.tree;
    let is_program = |node: &Node| !node.is_directory() && node.meta.mode & 0o111 != 0;
    let parts: Vec<BString> = tree
        .children(&at)
        .filter(|(path, _)| path.file_name().is_some_and(is_part_name))
        .filter(|(path, _)| {
            given.has("list") || tree.lookup(path.to_string()).is_some_and(|(_, node)| is_program(node))
        })
        .filter_map(|(path, _)| path.file_name().map(BString::from))
        .collect();
    let mut worst = Status::SUCCESS;
    for part in parts {
        let path: BString = [directory.trim_end_with(|c| c == '/'), b"/", &part].concat().into();
        if given.has("test") || given.has("list") {
            call.out([path.as_slice(), b"\n"].concat())?;
            continue;
        }
        let command = [path].into_iter().chain(given.value("arg").map(BString::from)).collect();
        let status = call.run(command)?;
        if !status.is_success() {
            worst = status;
            if given.has("exit-on-error") {
                break;
            }
        }
    }
    Ok(worst)
}

/// Letters, digits, underscores and hyphens only.
fn is_part_name(name: &bstr::BStr) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// libc6's preinst asks whether perl works at all; everything else would need perl itself.
fn perl(call: &mut Invocation<'_, '_, System>) -> Outcome {
    match call.args.as_slice() {
        [option, program] if option == "-e" && program.is_empty() => Ok(Status::SUCCESS),
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}
