//! `command` and `type`: what a name would run.

use bstr::BString;

use super::super::eval::find::Description;
use super::super::eval::{Eval, Interpreter};
use super::super::{Invocation, ShellError, Status};
use super::special;

impl<S> Interpreter<'_, '_, S> {
    /// `command`: runs a builtin or program past functions, or tells with `-v` what a name is.
    pub(in crate::shell) fn run_command_builtin(&mut self, args: Vec<BString>, tested: bool) -> Eval {
        let mut args = args.into_iter().peekable();
        let mut tell = None;
        while let Some(option) = args.next_if(|arg| arg.starts_with(b"-") && arg.len() > 1) {
            match option.as_slice() {
                b"-v" => tell = Some(false),
                b"-V" => tell = Some(true),
                b"-p" => {}
                b"--" => break,
                _ => return Err(self.unsupported(format!("command {option}")).into()),
            }
        }
        if let Some(verbose) = tell {
            let mut all = true;
            for name in args {
                all &= self.tell(&name, verbose)?;
            }
            return Ok(if all { Status::SUCCESS } else { Status(127) });
        }
        let Some(name) = args.next() else { return Ok(Status::SUCCESS) };
        match special::<S>(&name) {
            Some(special) => special(self, args.collect(), tested),
            None => Ok(self.run_found(name, args.collect())?),
        }
    }

    fn tell(&mut self, name: &BString, verbose: bool) -> Result<bool, ShellError> {
        let description = self.describe(name);
        let text = match (&description, verbose) {
            (None, false) => return Ok(false),
            (None, true) => format!("{name}: not found\n"),
            (Some(Description::File(path)), false) => format!("{path}\n"),
            (Some(_), false) => format!("{name}\n"),
            (Some(Description::SpecialBuiltin), true) => format!("{name} is a special shell builtin\n"),
            (Some(Description::Reserved), true) => format!("{name} is a shell keyword\n"),
            (Some(Description::Builtin), true) => format!("{name} is a shell builtin\n"),
            (Some(Description::Function), true) => format!("{name} is a shell function\n"),
            (Some(Description::File(path)), true) => format!("{name} is {path}\n"),
        };
        self.write(1, text.as_bytes())?;
        Ok(description.is_some())
    }
}

pub(super) fn type_of<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let args = call.args.clone();
    let mut interpreter = Interpreter { machine: &mut *call.machine, shell: &mut *call.shell };
    let mut all = true;
    for name in args.iter().filter(|arg| !arg.starts_with(b"-")) {
        // bash: `type -p` and `-P` print just the path.
        let verbose = !args.iter().any(|arg| arg == "-p" || arg == "-P");
        all &= interpreter.tell(name, verbose)?;
    }
    Ok(if all { Status::SUCCESS } else { Status(127) })
}
