//! Programs of single packages that their scripts call, each for just the uses that are known.

use bstr::BString;

use super::Outcome;
use super::inert::note_left_out;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};
use crate::tree::{Meta, Node, TreePath};

/// Pythons that Debian has or had, by any of the names that scripts use.
const PYTHONS: [&str; 8] = [
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "/usr/bin/python3",
    "/usr/bin/python3.11",
    "/usr/bin/python3.12",
    "/usr/bin/python3.13",
];

pub(super) fn register(commands: &mut Commands<System>) {
    for name in PYTHONS {
        commands.register(name, python);
    }
    commands.register("perl", perl);
    commands.register("mountpoint", mountpoint);
    commands.register("setpriv", setpriv);
    commands.register("git", git);
    commands.register("sshd", sshd);
    commands.register("/usr/sbin/sshd", sshd);
}

/// Compiling is left out; any other program in Python would have to be run.
fn python(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let compiles = |word: &BString| word.ends_with(b"/py_compile.py") || word == "compileall" || word == "py_compile";
    if !call.args.iter().any(compiles) {
        return Err(call.unsupported(bstr::join(" ", call.args.iter().take(4))));
    }
    note_left_out(call, "py3compile");
    Ok(Status::SUCCESS)
}

/// libc6's preinst asks whether perl works at all; everything else would need perl itself.
fn perl(call: &mut Invocation<'_, '_, System>) -> Outcome {
    match call.args.as_slice() {
        [option, program] if option == "-e" && program.is_empty() => Ok(Status::SUCCESS),
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}

/// In a bootstrap's chroot just the kernel's file systems are mounted.
fn mountpoint(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let path = call.args.iter().find(|word| !word.starts_with(b"-"));
    Ok(Status::from_bool(path.is_some_and(|path| ["/proc", "/sys", "/dev"].iter().any(|mounted| path == mounted))))
}

/// Runs the command after `--`: who runs it makes no difference to a native function.
fn setpriv(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let Some(at) = call.args.iter().position(|word| word == "--") else {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    };
    let command = super::after(&call.args, at + 1).to_vec();
    call.run(command)
}

/// `git lfs install --system`, as git-lfs's postinst calls it.
fn git(call: &mut Invocation<'_, '_, System>) -> Outcome {
    const FILTER: &str = "[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n\
        \tprocess = git-lfs filter-process\n\trequired = true\n";
    let path = TreePath::literal("etc/gitconfig");
    if bstr::join(" ", &call.args) != b"lfs install --skip-repo --system" || call.machine.tree.contains(&path) {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    let now = call.machine.now;
    call.machine.tree.insert(path, Node::file(Meta::root(0o644, now), FILTER.as_bytes()))?;
    Ok(Status::SUCCESS)
}

/// `sshd -G` shows its configuration, of which the scripts look for host keys to make: there shall be none.
fn sshd(call: &mut Invocation<'_, '_, System>) -> Outcome {
    if call.args.first().is_none_or(|option| option != "-G" && option != "-T") {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    note_left_out(call, "ssh-keygen");
    Ok(Status::SUCCESS)
}
