//! `pam-auth-update` (pam-auth-update(8)): nobody is asked, the profiles' defaults hold.

use super::{Outcome, finish};
use crate::debian::configure::pam::pam_auth_update;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("pam-auth-update", update);
}

fn update(call: &mut Invocation<'_, '_, System>) -> Outcome {
    if call.args.iter().any(|word| word == "--remove" || word == "--enable" || word == "--disable") {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    let machine = &mut *call.machine;
    // Profiles may come before libpam-runtime is configured, which then makes the files.
    if machine.tree.lookup("/usr/share/pam/common-auth").is_none() {
        return Ok(Status::SUCCESS);
    }
    let (contents, now) = (machine.contents, machine.now);
    let result = pam_auth_update(&mut machine.tree, contents, now);
    finish(call, result)
}
