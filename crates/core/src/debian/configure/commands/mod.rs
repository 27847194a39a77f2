//! Debian's commands as native functions of the shell, one file for each family.
//!
//! A command that Debian implements as a shell script (`update-shells`, `shadowconfig`, `update-ca-certificates`,
//! `dpkg-maintscript-helper`, …) is not here: the shell evaluates its own text.

mod accounts;
mod alternatives;
mod apache;
mod capabilities;
mod ccache;
mod certificates;
mod debconf;
mod divert;
mod dpkg;
mod dpkg_query;
mod inert;
mod ldconfig;
mod locale;
mod maintscript;
mod pam;
mod programs;
mod rc;
mod shadow;
mod statoverride;
mod systemctl;
mod systemd_helper;
mod sysusers;
mod tmpfiles;
mod trigger;
mod ucf;

use std::fmt::Display;

use bstr::BString;

use super::args::{Arguments, OptionTable};
use super::system::System;
use crate::shell::{Commands, Invocation, ShellError, Status};

pub use inert::{LEFT_OUT, LeftOut};

/// What every command's function returns.
pub(super) type Outcome = Result<Status, ShellError>;

/// The shell's own commands and all of Debian's.
pub(super) fn all() -> Commands<System> {
    let mut commands = Commands::standard();
    for register in [
        accounts::register,
        alternatives::register,
        apache::register,
        capabilities::register,
        ccache::register,
        certificates::register,
        debconf::register,
        divert::register,
        dpkg::register,
        dpkg_query::register,
        inert::register,
        ldconfig::register,
        locale::register,
        maintscript::register,
        pam::register,
        programs::register,
        rc::register,
        shadow::register,
        statoverride::register,
        systemctl::register,
        systemd_helper::register,
        sysusers::register,
        tmpfiles::register,
        trigger::register,
        ucf::register,
    ] {
        register(&mut commands);
    }
    commands
}

/// Takes the command line apart; an option that is not in the table cannot be stood in for.
fn arguments<'c>(call: &Invocation<'_, 'c, System>, table: OptionTable) -> Result<Arguments, ShellError> {
    Arguments::parse(&call.args, table).map_err(|unknown| call.unsupported(&unknown.0))
}

/// Succeeds, or complains with the error and fails.
fn finish<'c, T, E: Display>(call: &mut Invocation<'_, 'c, System>, result: Result<T, E>) -> Outcome {
    match result {
        Ok(_) => Ok(Status::SUCCESS),
        Err(error) => call.fail(error.to_string()),
    }
}

/// The values after the first `count` arguments.
fn after(call: &[BString], count: usize) -> &[BString] {
    call.get(count..).unwrap_or_default()
}
