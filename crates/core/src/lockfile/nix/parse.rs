//! Reads the Nix part of a lock.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::DeValue;

use super::{LockedFlake, LockedNix, LockedNixPlatform, LockedRoot, LockedSet, LockedShell, LockedStorePath, line};
use crate::lockfile::LockfileProblem;
use crate::lockfile::parse::{Fault, Table, array, keyed, lines, string};
use crate::manifest::{EnvName, SetName, ShellName};
use crate::nix::StorePath;
use crate::platform::Platform;

type Value<'i> = Spanned<DeValue<'i>>;

/// `[nix]` and what is below it.
pub(in crate::lockfile) fn nix(value: &Value<'_>) -> Result<LockedNix, Fault> {
    let mut table = Table::open(value)?;
    let mut hash = |key| {
        let (span, hash) = table.required(key, string)?;
        hash.parse().map_err(|_| (span, LockfileProblem::Expected("a hash, sha256:…")))
    };
    let (flake_lock, files) = (hash("flake-lock")?, hash("flake-files")?);
    let override_inputs = table.optional("override-inputs", override_inputs)?.unwrap_or_default();
    let mut platforms = BTreeMap::new();
    for platform in Platform::ALL {
        let locked = table.optional(&platform.to_string(), nix_platform)?;
        platforms.extend(locked.map(|locked| (platform, locked)));
    }
    table.end()?;
    Ok(LockedNix { flake: LockedFlake { flake_lock, files, override_inputs }, platforms })
}

fn override_inputs(value: &Value<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut inputs = BTreeMap::new();
    for member in array(value)? {
        let expected = (member.span(), LockfileProblem::Expected("an input, NAME=flake"));
        let (input, by) = string(member)?.split_once('=').ok_or(expected)?;
        if inputs.insert(input.to_owned(), by.to_owned()).is_some() {
            return Err((member.span(), LockfileProblem::Duplicate(input.to_owned())));
        }
    }
    Ok(inputs)
}

fn nix_platform(value: &Value<'_>) -> Result<LockedNixPlatform, Fault> {
    let mut table = Table::open(value)?;
    let mut paths = BTreeMap::new();
    let (span, members) = table.required("paths", array)?;
    for member in members {
        let expected = (member.span(), LockfileProblem::Expected("the columns of a store path"));
        let (path, locked) = line::read_path(string(member)?).ok_or(expected)?;
        if paths.insert(path.clone(), locked).is_some() {
            return Err((member.span(), LockfileProblem::Duplicate(path.to_string())));
        }
    }
    about(&mut table, &mut paths)?;
    let sets = table.optional("sets", |value| keyed(value, |_: &SetName, value| set(value)))?;
    let shells = table.optional("shells", |value| keyed(value, |_: &ShellName, value| shell(value)))?;
    table.end()?;
    let locked = LockedNixPlatform { paths, sets: sets.unwrap_or_default(), shells: shells.unwrap_or_default() };
    match locked.missing() {
        Some(path) => Err((span, LockfileProblem::UnknownPath(path.to_string()))),
        None => Ok(locked),
    }
}

fn about(table: &mut Table<'_, '_>, paths: &mut BTreeMap<StorePath, LockedStorePath>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for member in table.optional("about", array)?.into_iter().flatten() {
        let expected = (member.span(), LockfileProblem::Expected("a store path, licences, a homepage and patches"));
        let (path, about) = line::read_about(string(member)?).ok_or(expected)?;
        let unknown = (member.span(), LockfileProblem::UnknownPath(path.to_string()));
        paths.get_mut(&path).ok_or(unknown)?.about = about;
        if !seen.insert(path.clone()) {
            return Err((member.span(), LockfileProblem::Duplicate(path.to_string())));
        }
    }
    Ok(())
}

fn set(value: &Value<'_>) -> Result<LockedSet, Fault> {
    let mut table = Table::open(value)?;
    let inputs = inputs(&mut table)?;
    let roots = table.required("roots", roots)?.1;
    table.end()?;
    Ok(LockedSet { inputs, roots })
}

fn shell(value: &Value<'_>) -> Result<LockedShell, Fault> {
    let mut table = Table::open(value)?;
    let shell = LockedShell {
        inputs: inputs(&mut table)?,
        roots: table.required("roots", roots)?.1,
        environment: table.required("environment", store_paths)?.1,
        env: table.required("env", variables)?.1,
        hook: table.required("hook", string)?.1.to_owned(),
        develop: table.required("develop", store_paths)?.1,
    };
    table.end()?;
    Ok(shell)
}

fn inputs(table: &mut Table<'_, '_>) -> Result<crate::digest::Digest, Fault> {
    let (span, inputs) = table.required("inputs", string)?;
    inputs.parse().map_err(|_| (span, LockfileProblem::Expected("a digest, sha256:…")))
}

fn roots(value: &Value<'_>) -> Result<Vec<LockedRoot>, Fault> {
    lines(value, "a root: attribute output priority path", line::read_root)
}

fn variables(value: &Value<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut variables = BTreeMap::new();
    for member in array(value)? {
        let (name, value) = string(member)?
            .split_once('=')
            .filter(|(name, _)| name.parse::<EnvName>().is_ok())
            .ok_or((member.span(), LockfileProblem::Expected("a variable, NAME=value")))?;
        if variables.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err((member.span(), LockfileProblem::Duplicate(name.to_owned())));
        }
    }
    Ok(variables)
}

fn store_paths(value: &Value<'_>) -> Result<BTreeSet<StorePath>, Fault> {
    let paths: Vec<StorePath> = lines(value, "a store path", |line| line.parse().ok())?;
    Ok(paths.into_iter().collect())
}
