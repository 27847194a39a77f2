//! `dpkg-trigger` (dpkg-trigger(1)).

use super::{Outcome, arguments};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

const OPTIONS: OptionTable = &[
    ("--await", "await", Takes::Nothing),
    ("--no-await", "no-await", Takes::Nothing),
    ("--by-package", "by-package", Takes::Value),
    ("--no-act", "no-act", Takes::Nothing),
    ("--check-supported", "check-supported", Takes::Nothing),
    ("--admindir", "admindir", Takes::Value),
    ("--root", "root", Takes::Value),
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("dpkg-trigger", trigger);
}

fn trigger(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    if given.has("check-supported") || given.has("no-act") {
        return Ok(Status::SUCCESS);
    }
    let [name] = given.operands.as_slice() else { return call.fail("takes one argument, the trigger name") };
    call.machine.state.triggers.activate(name);
    Ok(Status::SUCCESS)
}
