//! The utilities of an ordinary Debian system (coreutils, grep, sed, findutils ...) over the tree.
//!
//! Each takes the options that maintainer scripts use; any other is refused, never ignored.

pub(super) mod accounts;
mod awk;
mod codec;
mod compare;
mod copy;
mod date;
mod expr;
mod fields;
mod find;
mod fs;
mod grep;
mod install;
mod link;
mod make;
pub(super) mod mode;
mod options;
mod owner;
mod paths;
mod regex;
mod remove;
mod run_parts;
mod sed;
mod sort;
mod stat;
mod system;
mod text;
mod xargs;

use super::{CommandFn, Commands};

pub(super) use self::fs::base_name;
pub(super) use self::regex::extended as extended_regex;

/// Adds them all.
pub(super) fn register<S>(commands: &mut Commands<S>) {
    let table: &[(&str, CommandFn<S>)] = &[
        ("arch", system::arch),
        ("awk", awk::awk),
        ("base64", codec::base64),
        ("basename", paths::basename),
        ("cat", text::cat),
        ("chgrp", owner::chown),
        ("chmod", owner::chmod),
        ("chown", owner::chown),
        ("cmp", compare::cmp),
        ("comm", sort::comm),
        ("cp", copy::cp),
        ("cut", fields::cut),
        ("date", date::date),
        ("diff", compare::diff),
        ("dirname", paths::dirname),
        ("dpkg-realpath", paths::realpath),
        ("egrep", grep::grep),
        ("env", system::env),
        ("expr", expr::expr),
        ("fgrep", grep::grep),
        ("find", find::find),
        ("getent", system::getent),
        ("grep", grep::grep),
        ("groups", system::groups),
        ("gzip", codec::gzip),
        ("head", text::head),
        ("hostname", system::hostname),
        ("id", system::id),
        ("install", install::install),
        ("ionice", system::wrapper),
        ("ln", link::ln),
        ("logger", system::nothing),
        ("ls", stat::ls),
        ("mawk", awk::awk),
        ("md5sum", compare::checksum),
        ("mkdir", make::mkdir),
        ("mkfifo", make::mknod),
        ("mknod", make::mknod),
        ("mktemp", make::mktemp),
        ("mv", copy::mv),
        ("nice", system::wrapper),
        ("nohup", system::wrapper),
        ("nproc", system::nproc),
        ("readlink", paths::readlink),
        ("realpath", paths::realpath),
        ("rev", text::rev),
        ("rm", remove::rm),
        ("rmdir", remove::rmdir),
        ("run-parts", run_parts::run_parts),
        ("sed", sed::sed),
        ("seq", system::seq),
        ("setsid", system::wrapper),
        ("sha224sum", compare::checksum),
        ("sha256sum", compare::checksum),
        ("sha384sum", compare::checksum),
        ("sha512sum", compare::checksum),
        ("sleep", system::nothing),
        ("sort", sort::sort),
        ("stat", stat::stat),
        ("sync", system::nothing),
        ("tac", text::tac),
        ("tail", text::tail),
        ("tee", text::tee),
        ("tempfile", make::tempfile),
        ("timeout", system::wrapper),
        ("touch", make::touch),
        ("tput", system::no_terminal),
        ("tr", fields::tr),
        ("tty", system::no_terminal),
        ("uname", system::uname),
        ("uniq", text::uniq),
        ("wc", text::wc),
        ("which", paths::which),
        ("whoami", system::whoami),
        ("xargs", xargs::xargs),
        ("zcat", codec::zcat),
    ];
    for (name, command) in table {
        commands.register(name, *command);
    }
}
