//! The table of rules.

mod accounts;
mod home;
mod programs;
mod sudo;
mod system;
mod uid;

use super::Rule;

/// The rules, in the order in which they are reported.
pub(super) const ALL: &[Rule] = &[
    Rule {
        id: "account-files",
        holds: "passwd, group and shadow are real files that agree with each other",
        hint: "let `user` and `groups` in plywood.toml write them instead of `files`",
        check: accounts::files,
    },
    Rule {
        id: "one-name-per-id",
        holds: "each uid and gid has one name",
        hint: "give the user of this image the uid of the one it replaces, by `user` alone",
        check: accounts::one_name,
    },
    Rule {
        id: "user",
        holds: "the user of the image is one it has",
        hint: "declare it with `user`",
        check: accounts::user,
    },
    Rule {
        id: "home",
        holds: "the user's home is there and is the user's, and HOME agrees",
        hint: "declare the user with `user`, which makes and owns its home, and leave HOME unset",
        check: home::home,
    },
    Rule {
        id: "shell",
        holds: "the user's login shell can be run",
        hint: "add the shell's package, or another `shell` for the user",
        check: home::shell,
    },
    Rule {
        id: "workdir",
        holds: "the working directory is there and the user may write to it",
        hint: "add it to `directories` with the user as its owner",
        check: home::workdir,
    },
    Rule {
        id: "sudo",
        holds: "sudo is setuid root, and root alone may change its rules",
        hint: "take `sudo = true` of `user` instead of files of your own",
        check: sudo::sudo,
    },
    Rule {
        id: "setuid",
        holds: "programs that act for root are setuid root",
        hint: "leave the mode and owner of the package's files as they are",
        check: sudo::setuid,
    },
    Rule {
        id: "loader",
        holds: "the loader that foreign programs ask for is at its place",
        hint: "add the package libc6",
        check: programs::loader,
    },
    Rule {
        id: "path",
        holds: "every folder of PATH is there",
        hint: "drop it from PATH in `env`, or add it to `directories`",
        check: programs::path,
    },
    Rule {
        id: "command",
        holds: "what an engine starts is there: the image's command and its health check",
        hint: "add its package; a health check that is a line needs /bin/sh, which `nix = { sh = true }` takes from a package of Nix",
        check: programs::command,
    },
    Rule {
        id: "env-program",
        holds: "scripts find /usr/bin/env and /bin/sh",
        hint: "add the packages coreutils and dash",
        check: programs::env,
    },
    Rule {
        id: "editor-tools",
        holds: "an editor's server finds what it needs (dev container images)",
        hint: "add the packages libstdc++6, tar, gzip and procps",
        check: programs::editor,
    },
    Rule {
        id: "os-release",
        holds: "os-release says which system it is",
        hint: "add the package base-files",
        check: system::os_release,
    },
    Rule {
        id: "engine-files",
        holds: "what an engine mounts over is no link",
        hint: "leave these files to the engine, or make them regular files",
        check: system::engine_files,
    },
    Rule {
        id: "temporary",
        holds: "/tmp and /var/tmp are there for everyone",
        hint: "leave them as base-files makes them: root's, mode 1777",
        check: system::temporary,
    },
    Rule {
        id: "certificates",
        holds: "ca-certificates has been configured",
        hint: "build the image again: its bundle is generated then",
        check: system::certificates,
    },
    Rule {
        id: "nix-store",
        holds: "a single-user Nix store is its user's",
        hint: "add /nix, /nix/store and /nix/var to `directories` with the user as their owner",
        check: system::nix_store,
    },
    Rule {
        id: "other-uid",
        holds: "nothing is lost when an editor changes the user's uid (dev container images)",
        hint: "own it anew in an onCreateCommand of the label `devcontainer.metadata`, or keep it below the home",
        check: uid::other_uid,
    },
];
