//! `openssl rehash` (openssl-rehash(1)); other uses of `openssl` in scripts make keys, which no image shall share.

use super::{Outcome, finish};
use crate::debian::configure::certificates::rehash;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation};

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("openssl", openssl);
    commands.register("c_rehash", |call| rehash_directories(call, 0));
}

fn openssl(call: &mut Invocation<'_, '_, System>) -> Outcome {
    match call.args.first().map(|action| action.as_slice()) {
        Some(b"rehash") => rehash_directories(call, 1),
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}

fn rehash_directories(call: &mut Invocation<'_, '_, System>, skip: usize) -> Outcome {
    let directories: Vec<_> = call.args.iter().skip(skip).filter(|word| !word.starts_with(b"-")).cloned().collect();
    for directory in directories {
        let path = call.resolve(&directory, true)?;
        let machine = &mut *call.machine;
        let (contents, now) = (machine.contents, machine.now);
        let result = rehash(&mut machine.tree, &path, contents, now);
        let status = finish(call, result)?;
        if !status.is_success() {
            return Ok(status);
        }
    }
    Ok(crate::shell::Status::SUCCESS)
}
