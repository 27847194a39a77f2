//! Writes the Nix part of a lock.

use std::fmt::{self, Write as _};

use super::{LockedNix, LockedNixPlatform, LockedRoot, line};
use crate::lockfile::write::{escaped, list};
use crate::platform::Platform;

/// Appends it, platform by platform, so that the lines of one never stand among those of another.
pub(in crate::lockfile) fn write(out: &mut String, nix: &LockedNix) -> fmt::Result {
    writeln!(out, "\n# {}\n[nix]\nflake-lock = \"{}\"", line::COLUMNS, nix.flake.flake_lock)?;
    writeln!(out, "flake-files = \"{}\"", nix.flake.files)?;
    let overrides = &nix.flake.override_inputs;
    if !overrides.is_empty() {
        list(out, "override-inputs", overrides.iter().map(|(input, by)| escaped(&format!("{input}={by}"))))?;
    }
    nix.platforms.iter().try_for_each(|(platform, locked)| write_platform(out, *platform, locked))
}

fn write_platform(out: &mut String, platform: Platform, locked: &LockedNixPlatform) -> fmt::Result {
    for (name, set) in &locked.sets {
        writeln!(out, "\n[nix.\"{platform}\".sets.{name}]\ninputs = \"{}\"", set.inputs)?;
        roots(out, &set.roots)?;
    }
    for (name, shell) in &locked.shells {
        writeln!(out, "\n[nix.\"{platform}\".shells.{name}]\ninputs = \"{}\"", shell.inputs)?;
        writeln!(out, "hook = \"{}\"", escaped(&shell.hook))?;
        roots(out, &shell.roots)?;
        list(out, "env", shell.env.iter().map(|(name, value)| escaped(&format!("{name}={value}"))))?;
        list(out, "environment", shell.environment.iter().map(ToString::to_string))?;
        list(out, "develop", shell.develop.iter().map(ToString::to_string))?;
    }
    writeln!(out, "\n[nix.\"{platform}\"]")?;
    list(out, "paths", locked.paths.iter().map(|(path, locked)| line::write_path(path, locked)))?;
    list(out, "about", locked.paths.iter().filter_map(|(path, locked)| line::write_about(path, &locked.about)))
}

fn roots(out: &mut String, roots: &[LockedRoot]) -> fmt::Result {
    list(out, "roots", roots.iter().map(line::write_root))
}
