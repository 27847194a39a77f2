//! Builtins with little to do here: `alias`, `kill`, `let`, `shopt`; and `sh` itself.

use bstr::BString;

use super::super::eval::{Interpreter, Unwind};
use super::super::syntax::Dialect;
use super::super::{Invocation, ShellError, Status};

/// Aliases change how the text after them is read; no package's script needs them.
pub(super) fn alias<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    match call.args.first() {
        None => Ok(Status::SUCCESS),
        Some(definition) => Err(call.unsupported(definition.clone())),
    }
}

/// There is never a process to send a signal to.
pub(super) fn kill<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    call.fail("No such process")
}

/// bash's `let`.
pub(super) fn arithmetic<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut value = 0;
    for arg in call.args.clone() {
        let mut interpreter = Interpreter { machine: &mut *call.machine, shell: &mut *call.shell };
        value = match interpreter.arithmetic_text(&arg) {
            Ok(value) => value,
            Err(Unwind::Error(error)) => return Err(error),
            Err(_) => return Ok(Status::FAILURE),
        };
    }
    Ok(Status::from_bool(value != 0))
}

/// bash's `shopt`: only what changes nothing here is taken.
pub(super) fn shopt<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    for arg in &call.args {
        if !matches!(arg.as_slice(), b"-s" | b"-u" | b"-q" | b"extglob" | b"expand_aliases" | b"inherit_errexit") {
            return Err(call.unsupported(arg));
        }
    }
    Ok(Status::SUCCESS)
}

/// `sh`: a command string, a script of the tree, or standard input.
pub(super) fn sh<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let bash = call.name == "bash";
    let mut options = Vec::new();
    let mut command = false;
    let mut args = call.args.clone().into_iter().peekable();
    while let Some(arg) = args.next_if(|arg| arg.len() > 1 && matches!(arg.first(), Some(b'-' | b'+'))) {
        if arg == "--" {
            break;
        }
        let on = arg.starts_with(b"-");
        for flag in arg.iter().skip(1) {
            match flag {
                b'c' => command = true,
                b's' | b'l' | b'i' => {}
                b'o' => options.push((args.next().unwrap_or_default(), on)),
                _ => options.push(([*flag].as_slice().into(), on)),
            }
        }
    }
    let name = call.name.clone();
    let (script, name) = if command {
        let script = args.next().unwrap_or_default();
        (Vec::from(script), args.next().unwrap_or(name))
    } else if let Some(path) = args.next() {
        match call.read_file(&path) {
            Ok(text) => (text.to_vec(), path),
            Err(_) => {
                call.complain(format!("0: cannot open {path}: No such file"))?;
                return Ok(Status(127));
            }
        }
    } else {
        (call.read_stdin()?, name)
    };
    let rest: Vec<BString> = args.collect();
    if let Some((unknown, _)) = options.iter().find(|(name, _)| !known(name)) {
        return Err(call.unsupported(unknown.clone()));
    }
    let mut interpreter = Interpreter { machine: &mut *call.machine, shell: &mut *call.shell };
    interpreter.run_child(&script, name, rest, |shell| {
        shell.dialect = if bash { Dialect::Bash } else { Dialect::Posix };
        for (name, on) in &options {
            match name.as_slice() {
                [flag] => _ = shell.options.set_flag(*flag, *on),
                name => _ = shell.options.set_name(name, *on),
            }
        }
    })
}

fn known(name: &[u8]) -> bool {
    let mut options = super::super::state::Options::default();
    match name {
        [flag] => options.set_flag(*flag, true),
        name => options.set_name(name, true) && name.is_ascii(),
    }
}
