//! Commands that do nothing in an image: what only matters on a running machine, and caches left out by design.

use super::Outcome;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

/// Something a real bootstrap leaves that plywood leaves out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// The command that would make it.
    pub command: &'static str,
    /// Why an image does without it.
    pub reason: &'static str,
}

const BYTECODE: &str = "compiled Python is only a cache of its source; python3 works, and starts, without it";
const FONTS: &str = "fontconfig makes its cache when a program first asks for fonts";
const ICONS: &str = "icon caches only speed up searching directories of icons";
const MIME: &str = "desktop databases serve file managers; without them types are unknown until the command is run";
const MANUALS: &str = "the index of manual pages is made by the first `mandb`; `man NAME` works without";
const BOOT: &str = "an image has no kernel of its own to boot";
const KEYS: &str = "keys made at build time would be the same in every container of the image";
const CATALOGS: &str = "catalogs of document types are made again by the command when XML is to be validated offline";
const SCHEMAS: &str =
    "binary forms of GTK's schemas and loaders are made by the command where a desktop program is used";
const LISP: &str = "compiled Emacs Lisp is only a cache of its source";
const HELP: &str = "the index of add-ons' help is made by vim's `:helptags`";
const MENUS: &str = "menus and dictionaries' defaults belong to desktops";

/// The one list of what is left out and why; `build --explain` shows what applied.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut { command: "py3compile", reason: BYTECODE },
    LeftOut { command: "py3clean", reason: BYTECODE },
    LeftOut { command: "pycompile", reason: BYTECODE },
    LeftOut { command: "pyclean", reason: BYTECODE },
    LeftOut { command: "pypy3compile", reason: BYTECODE },
    LeftOut { command: "pypy3clean", reason: BYTECODE },
    LeftOut { command: "fc-cache", reason: FONTS },
    LeftOut { command: "update-fonts-dir", reason: FONTS },
    LeftOut { command: "update-fonts-scale", reason: FONTS },
    LeftOut { command: "update-fonts-alias", reason: FONTS },
    LeftOut { command: "update-gsfontmap", reason: FONTS },
    LeftOut { command: "gtk-update-icon-cache", reason: ICONS },
    LeftOut { command: "update-icon-caches", reason: ICONS },
    LeftOut { command: "update-mime-database", reason: MIME },
    LeftOut { command: "update-mime", reason: MIME },
    LeftOut { command: "update-desktop-database", reason: MIME },
    LeftOut { command: "mandb", reason: MANUALS },
    LeftOut { command: "install-info", reason: MANUALS },
    LeftOut { command: "update-info-dir", reason: MANUALS },
    LeftOut { command: "update-initramfs", reason: BOOT },
    LeftOut { command: "update-grub", reason: BOOT },
    LeftOut { command: "depmod", reason: BOOT },
    LeftOut { command: "udevadm", reason: BOOT },
    LeftOut { command: "systemd-hwdb", reason: BOOT },
    LeftOut { command: "journalctl", reason: BOOT },
    LeftOut { command: "sysctl", reason: BOOT },
    LeftOut { command: "ssh-keygen", reason: KEYS },
    LeftOut { command: "make-ssl-cert", reason: KEYS },
    LeftOut { command: "dbus-uuidgen", reason: KEYS },
    LeftOut { command: "update-xmlcatalog", reason: CATALOGS },
    LeftOut { command: "update-catalog", reason: CATALOGS },
    LeftOut { command: "glib-compile-schemas", reason: SCHEMAS },
    LeftOut { command: "gdk-pixbuf-query-loaders", reason: SCHEMAS },
    LeftOut { command: "gio-querymodules", reason: SCHEMAS },
    LeftOut { command: "gtk-query-immodules-3.0", reason: SCHEMAS },
    LeftOut { command: "emacs-package-install", reason: LISP },
    LeftOut { command: "emacs-install", reason: LISP },
    LeftOut { command: "helpztags", reason: HELP },
    LeftOut { command: "update-menus", reason: MENUS },
    LeftOut { command: "update-dictcommon-aspell", reason: MENUS },
    LeftOut { command: "update-dictcommon-hunspell", reason: MENUS },
    LeftOut { command: "update-default-aspell", reason: MENUS },
    LeftOut { command: "update-default-ispell", reason: MENUS },
    LeftOut { command: "update-default-wordlist", reason: MENUS },
];

/// Answers about the machine that are the same for every image, and requests to services that do not run.
const SUCCEED: [&str; 8] = [
    "ischroot",
    "restorecon",
    "telinit",
    "apparmor_parser",
    "aa-status",
    "dbus-send",
    "update-passwd",
    "deb-systemd-invoke",
];

/// Those of them that scripts call by their absolute paths.
const BY_PATH: [&str; 11] = [
    "/usr/lib/x86_64-linux-gnu/glib-2.0/gio-querymodules",
    "/usr/lib/aarch64-linux-gnu/glib-2.0/gio-querymodules",
    "/usr/lib/emacsen-common/emacs-package-install",
    "/usr/lib/emacsen-common/emacs-install",
    "/usr/bin/mandb",
    "/usr/lib/x86_64-linux-gnu/glib-2.0/glib-compile-schemas",
    "/usr/lib/aarch64-linux-gnu/glib-2.0/glib-compile-schemas",
    "/usr/lib/x86_64-linux-gnu/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders",
    "/usr/lib/aarch64-linux-gnu/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders",
    "/usr/lib/x86_64-linux-gnu/libgtk-3-0t64/gtk-query-immodules-3.0",
    "/usr/lib/aarch64-linux-gnu/libgtk-3-0t64/gtk-query-immodules-3.0",
];

pub(super) fn register(commands: &mut Commands<System>) {
    for name in LEFT_OUT.iter().map(|one| one.command).chain(BY_PATH) {
        commands.register(name, left_out);
    }
    for name in SUCCEED {
        commands.register(name, |_| Ok(Status::SUCCESS));
    }
    // No policy forbids anything; that nothing runs is not policy-rc.d's doing.
    commands.register("policy-rc.d", |_| Ok(Status(101)));
}

fn left_out(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let name = call.name.to_string();
    note_left_out(call, name.rsplit('/').next().unwrap_or_default());
    Ok(Status::SUCCESS)
}

/// Leaves a word about what a command of the list would have made.
pub(super) fn note_left_out(call: &mut Invocation<'_, '_, System>, command: &str) {
    if let Some(one) = LEFT_OUT.iter().find(|one| one.command == command) {
        call.machine.state.note(format!("{}: {}", one.command, one.reason));
    }
}
