//! `/usr/share/debconf/confmodule` and its `db_*` functions (debconf-devel(7), confmodule(3)).

use bstr::{BString, ByteSlice as _};

use super::Outcome;
use crate::debian::configure::debconf::Code;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

/// Every command of the protocol that confmodule has a function for.
const FUNCTIONS: [&str; 22] = [
    "db_version",
    "db_capb",
    "db_title",
    "db_settitle",
    "db_info",
    "db_beginblock",
    "db_endblock",
    "db_stop",
    "db_progress",
    "db_data",
    "db_go",
    "db_input",
    "db_get",
    "db_metaget",
    "db_fget",
    "db_register",
    "db_unregister",
    "db_purge",
    "db_set",
    "db_fset",
    "db_subst",
    "db_reset",
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register_source("/usr/share/debconf/confmodule", confmodule);
    for function in FUNCTIONS {
        commands.register_builtin(function, function_call);
    }
    commands.register("debconf-set-selections", set_selections);
    commands.register("debconf-communicate", |call| Err(call.unsupported("reading commands")));
}

/// Sourcing the module puts the script under debconf's frontend, which loads the package's templates and, before
/// `postinst configure`, runs its `config` script.
fn confmodule(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let state = &mut call.machine.state;
    let owner = state.current.owner.clone();
    if owner.is_empty() || !state.debconf.load(owner.as_bytes(), &state.current.templates) {
        return Ok(Status::SUCCESS);
    }
    let Some(config) = state.current.config.take() else { return Ok(Status::SUCCESS) };
    let script = call.var("DPKG_MAINTSCRIPT_NAME").cloned().unwrap_or_default();
    call.shell.export(b"DPKG_MAINTSCRIPT_NAME", b"config");
    let name = format!("/var/lib/dpkg/info/{owner}.config");
    let status = call.run_script(&config, name.as_bytes().as_bstr(), vec!["configure".into(), "".into()]);
    call.shell.export(b"DPKG_MAINTSCRIPT_NAME", &script);
    status
}

/// A `db_*` function: the text goes to `RET`, the code is the status.
fn function_call(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let command = call.name.strip_prefix(b"db_").unwrap_or_default().to_ascii_uppercase();
    let (args, state) = (call.args.clone(), &mut call.machine.state);
    let (code, text) = state.debconf.command(state.current.owner.as_bytes(), &command, &args);
    call.shell.assign_raw(b"RET", &text);
    Ok(Status(code as u8))
}

/// `debconf-set-selections`: lines `OWNER QUESTION TYPE VALUE`.
fn set_selections(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let text = call.read_stdin()?;
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(b"#")) {
        let words: Vec<BString> = line.fields().map(BString::from).collect();
        if let [owner, question, _kind, value @ ..] = words.as_slice() {
            let args: Vec<BString> = [question.clone()].into_iter().chain(value.iter().cloned()).collect();
            let (code, _) = call.machine.state.debconf.command(owner, b"SET", &args);
            if code != Code::Ok {
                call.complain(format!("{question} is not known yet"))?;
            }
        }
    }
    Ok(Status::SUCCESS)
}
