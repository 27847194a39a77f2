//! Rules about what programs and editors expect to find.

use crate::inspect::{Report, Subject};
use crate::platform::Platform;

pub(super) fn loader(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !subject.is_debian() {
        // Programs of store paths name their own.
        return;
    }
    // The psABI of each architecture names the loader; every dynamically linked program has this path in it.
    let loader = match subject.platform {
        Platform::LinuxAmd64 => "/lib64/ld-linux-x86-64.so.2",
        Platform::LinuxArm64 => "/lib/ld-linux-aarch64.so.1",
    };
    if !subject.is_program(loader) {
        report.whole(format!("{loader} is no program"));
    }
}

pub(super) fn path(subject: &Subject<'_>, report: &mut Report<'_>) {
    for entry in subject.path_entries() {
        if !entry.starts_with('/') {
            report.whole(format!("PATH has `{entry}`, which depends on the working directory"));
        } else if subject.directory(entry).is_none() && !appears_later(subject, entry) {
            report.whole(format!("PATH has {entry}, which is no directory"));
        }
    }
}

/// Whether a folder is one that the user's own tools make when they are first used.
fn appears_later(subject: &Subject<'_>, entry: &str) -> bool {
    let homes = subject.account().map(|account| account.home.as_str());
    homes
        .into_iter()
        .chain(["/nix/var/nix/profiles"])
        .any(|folder| entry.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/')))
}

pub(super) fn command(subject: &Subject<'_>, report: &mut Report<'_>) {
    for program in &subject.started {
        let found = match program.starts_with('/') {
            true => subject.is_program(program),
            // It depends on the working directory, which may be mounted.
            false if program.contains('/') => true,
            false => subject.has_program(program),
        };
        if !found {
            report.whole(format!("an engine is to start `{program}`, and there is no such program"));
        }
    }
}

pub(super) fn env(subject: &Subject<'_>, report: &mut Report<'_>) {
    for program in ["/usr/bin/env", "/bin/sh"] {
        // Without Debian either is there only if the manifest asks for it.
        if subject.is_debian() && !subject.is_program(program) {
            report.whole(format!("{program} is no program"));
        }
    }
}

pub(super) fn editor(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !subject.is_dev_container() {
        return;
    }
    for program in ["tar", "gzip", "ps"] {
        if !subject.has_program(program) {
            report.whole(format!("there is no program `{program}`"));
        }
    }
    let library = format!("/usr/lib/{}/libstdc++.so.6", subject.platform.multiarch());
    if subject.file(&library).is_none() {
        report.whole(format!("{library} is missing"));
    }
}
