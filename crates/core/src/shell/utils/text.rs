//! Utilities that pass text through: `cat`.

use super::super::{Invocation, ShellError, Status};

pub(super) fn cat<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut operands = call.args.clone();
    operands.retain(|arg| arg != "-u" && arg != "--");
    if let Some(option) = operands.iter().find(|arg| arg.starts_with(b"-") && arg.len() > 1) {
        return Err(call.unsupported(option));
    }
    if operands.is_empty() {
        operands.push("-".into());
    }
    let mut status = Status::SUCCESS;
    for operand in operands {
        match call.read_operand(&operand)? {
            Some(text) => call.out(text)?,
            None => status = Status::FAILURE,
        }
    }
    Ok(status)
}
