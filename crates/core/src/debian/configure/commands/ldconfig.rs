//! `ldconfig` (ldconfig(8)).

use super::{Outcome, arguments, finish};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::ldconfig::{LdconfigOptions, ldconfig};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

const OPTIONS: OptionTable = &[
    ("-r", "root", Takes::Value),
    ("-v", "verbose", Takes::Nothing),
    ("--verbose", "verbose", Takes::Nothing),
    ("-X", "no-links", Takes::Nothing),
    ("-p", "print", Takes::Nothing),
    ("--version", "version", Takes::Nothing),
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("ldconfig", run);
    commands.register("ldconfig.real", run);
}

fn run(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let elsewhere = given.value("root").is_some_and(|root| root != "/");
    if given.has("print") || elsewhere || !given.operands.is_empty() {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    if given.has("version") {
        return Ok(Status::SUCCESS);
    }
    let machine = &mut *call.machine;
    let version = machine.state.installer.package("libc-bin").and_then(|package| package.control.get_str("Version"));
    let options = LdconfigOptions {
        platform: machine.platform,
        elf: &machine.state.elf,
        libc_version: version.unwrap_or_default(),
        contents: machine.contents,
        now: machine.now,
    };
    let result = ldconfig(&mut machine.tree, options);
    finish(call, result)
}
