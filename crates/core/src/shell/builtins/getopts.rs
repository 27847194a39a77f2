//! `getopts` (XCU, utilities).

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};

pub(super) fn getopts<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let [options, name, rest @ ..] = call.args.as_slice() else {
        call.complain("usage: getopts optstring var [arg]")?;
        return Ok(Status(2));
    };
    let (options, name) = (options.clone(), name.clone());
    let args: Vec<BString> = if rest.is_empty() { call.shell.parameters.clone() } else { rest.to_vec() };
    let silent = options.starts_with(b":");
    let mut state = call.shell.getopts;
    if state.index == 0 {
        let start = call.shell.get(b"OPTIND").and_then(|text| text.to_str().ok()?.parse::<usize>().ok()).unwrap_or(1);
        (state.index, state.offset) = (start.max(1), 0);
    }
    let current = args.get(state.index - 1);
    let Some(word) = current.filter(|word| state.offset > 0 || (word.starts_with(b"-") && word.len() > 1)).cloned()
    else {
        return finish(call, &name, state.index);
    };
    if word == "--" && state.offset == 0 {
        return finish(call, &name, state.index + 1);
    }
    let offset = state.offset.max(1);
    let Some(letter) = word.get(offset).copied() else { return finish(call, &name, state.index) };
    let mut next = (state.index, offset + 1);
    if offset + 1 >= word.len() {
        next = (state.index + 1, 0);
    }
    let known = options.iter().skip(usize::from(silent)).position(|option| *option == letter && letter != b':');
    let takes_argument = known.is_some_and(|at| options.get(at + usize::from(silent) + 1) == Some(&b':'));
    let mut result = [letter].as_slice().into();
    call.shell.unset(b"OPTARG");
    if known.is_none() {
        result = BString::from("?");
        if silent {
            call.shell.assign_raw(b"OPTARG", &[letter]);
        } else {
            call.complain(format!("Illegal option -{}", char::from(letter)))?;
        }
    } else if takes_argument {
        let argument = match word.get(offset + 1..).filter(|rest| !rest.is_empty()) {
            Some(rest) => Some(BString::from(rest)),
            None => args.get(state.index).cloned(),
        };
        let attached = offset + 1 < word.len();
        next = (if attached || argument.is_none() { state.index + 1 } else { state.index + 2 }, 0);
        match argument {
            Some(argument) => call.shell.assign_raw(b"OPTARG", &argument),
            None if silent => {
                result = ":".into();
                call.shell.assign_raw(b"OPTARG", &[letter]);
            }
            None => {
                result = "?".into();
                call.complain(format!("No arg for -{} option", char::from(letter)))?;
            }
        }
    }
    call.shell.assign_raw(&name, &result);
    call.shell.assign_raw(b"OPTIND", next.0.to_string().as_bytes());
    (call.shell.getopts.index, call.shell.getopts.offset) = next;
    Ok(Status::SUCCESS)
}

fn finish<S>(call: &mut Invocation<'_, '_, S>, name: &[u8], index: usize) -> Result<Status, ShellError> {
    call.shell.assign_raw(name, b"?");
    call.shell.assign_raw(b"OPTIND", index.to_string().as_bytes());
    (call.shell.getopts.index, call.shell.getopts.offset) = (index, 0);
    Ok(Status::FAILURE)
}
