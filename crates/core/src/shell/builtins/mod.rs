//! The shell's own commands (XCU 2.15 and those that dash has besides).

mod control;
mod directory;
mod echo;
mod getopts;
mod lookup;
mod other;
mod printf;
mod read;
mod set;
mod test;
mod variables;

use bstr::BString;

use super::Commands;
use super::eval::{Eval, Interpreter};

/// A builtin that may end the shell, a loop or a function, or needs the shell itself.
pub(super) type Special<S> = for<'a, 'i, 'c> fn(&'a mut Interpreter<'i, 'c, S>, Vec<BString>, bool) -> Eval;

/// The builtin of a name that functions cannot replace.
pub(super) fn special<S>(name: &[u8]) -> Option<Special<S>> {
    Some(match name {
        b"break" => |shell, args, _| shell.break_or_continue("break", &args),
        b"continue" => |shell, args, _| shell.break_or_continue("continue", &args),
        b":" => |_, _, _| Ok(super::Status::SUCCESS),
        b"." | b"source" => |shell, args, tested| shell.source(args, tested),
        b"eval" => |shell, args, tested| shell.eval_builtin(&args, tested),
        b"exec" => |shell, args, _| shell.exec_builtin(args),
        b"exit" => |shell, args, _| shell.exit_builtin(&args),
        b"return" => |shell, args, _| shell.return_builtin(&args),
        b"set" => |shell, args, _| shell.set_builtin(args),
        b"shift" => |shell, args, _| shell.shift_builtin(&args),
        b"trap" => |shell, args, _| shell.trap_builtin(&args),
        b"export" => |shell, args, _| shell.export_builtin(&args, variables::Attribute::Exported),
        b"readonly" => |shell, args, _| shell.export_builtin(&args, variables::Attribute::Readonly),
        b"local" => |shell, args, _| shell.local_builtin(&args),
        b"declare" | b"typeset" => |shell, args, _| shell.local_builtin(&args),
        b"unset" => |shell, args, _| shell.unset_builtin(&args),
        b"times" => |_, _, _| Ok(super::Status::SUCCESS),
        _ => return None,
    })
}

/// Whether a builtin declares variables, so that bash's array assignments among its words come after it.
pub(super) fn is_declaration(name: &[u8]) -> bool {
    matches!(name, b"export" | b"readonly" | b"local" | b"declare" | b"typeset")
}

/// Adds the builtins that work like any command.
pub(super) fn register<S>(commands: &mut Commands<S>) {
    commands.register_builtin("true", |_| Ok(super::Status::SUCCESS));
    commands.register_builtin("false", |_| Ok(super::Status::FAILURE));
    commands.register_builtin("echo", echo::echo);
    commands.register_builtin("printf", printf::printf);
    commands.register_builtin("test", test::test);
    commands.register_builtin("[", test::test);
    commands.register_builtin("read", read::read);
    commands.register_builtin("getopts", getopts::getopts);
    commands.register_builtin("cd", directory::cd);
    commands.register_builtin("chdir", directory::cd);
    commands.register_builtin("pwd", directory::pwd);
    commands.register_builtin("umask", directory::umask);
    commands.register_builtin("type", lookup::type_of);
    commands.register_builtin("hash", |_| Ok(super::Status::SUCCESS));
    commands.register_builtin("alias", other::alias);
    commands.register_builtin("unalias", |_| Ok(super::Status::SUCCESS));
    commands.register_builtin("kill", other::kill);
    commands.register_builtin("wait", |_| Ok(super::Status::SUCCESS));
    commands.register_builtin("ulimit", |_| Ok(super::Status::SUCCESS));
    commands.register_builtin("let", other::arithmetic);
    commands.register_builtin("shopt", other::shopt);
    for name in ["sh", "dash", "bash"] {
        commands.register(name, other::sh);
    }
}
