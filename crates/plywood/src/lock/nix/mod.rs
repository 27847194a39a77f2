//! The Nix part of a lock: what Nix says of sets and shells, and what stores say of their paths.

mod keep;
mod packages;
mod platform;

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::lockfile::{LockedFlake, LockedNix, LockedNixPlatform};
use plywood_core::manifest::Manifest;
use plywood_core::platform::Platform;

pub(super) use keep::{flake_changed, is_set_stale, is_shell_stale};

use super::LockError;
use super::subject::NixScope;
use crate::Error;
use crate::error::in_full;
use crate::events::{Event, Events};
use crate::nix::eval::{EvalError, EvalOptions, Evaluator};
use crate::nix::{NixError, Sources};
use crate::workspace::Workspace;
use platform::Asker;

/// What of Nix is to be locked.
#[derive(Debug)]
pub(super) struct NixRequest<'r> {
    /// Which sets and shells.
    pub(super) scope: NixScope,
    /// For which platforms.
    pub(super) platforms: BTreeSet<Platform>,
    /// Whether to lock anew what fits already.
    pub(super) anew: bool,
    /// How Nix is asked.
    pub(super) options: &'r EvalOptions,
    /// The inputs that others have to stand in for in all that is locked; those of parts may differ when `None`.
    pub(super) override_inputs: Option<&'r BTreeMap<String, String>>,
}

impl NixRequest<'_> {
    /// Whether what was locked from one flake can stand beside what is locked from another.
    fn fits(&self, old: &LockedFlake, new: &LockedFlake) -> bool {
        let is_same = (old.flake_lock, old.files) == (new.flake_lock, new.files);
        is_same && self.override_inputs.is_none_or(|wanted| *wanted == old.override_inputs)
    }
}

/// Locks what is asked for, keeping the rest of `old` as long as the flake is the same.
///
/// # Errors
/// When Nix cannot be asked, a set or shell is at fault, or a path of this machine's own platform cannot be had. Another platform
/// whose paths nobody has is told, and stays as it was.
pub(super) fn lock_nix(
    request: &NixRequest<'_>,
    manifest: &Manifest,
    old: Option<&LockedNix>,
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<Option<LockedNix>, Error> {
    let kept = old.map(|old| keep::known(old, manifest));
    let fits = |nix: &LockedNix| {
        keep::flake_changed(&nix.flake, request.override_inputs, manifest, workspace).is_none()
            && request.platforms.iter().all(|platform| keep::todo(request, manifest, Some(nix), *platform).is_empty())
    };
    if request.scope.is_empty() || kept.as_ref().is_some_and(fits) {
        return Ok(kept);
    }
    let text = workspace.manifest_text()?;
    let evaluator = Evaluator::open(request.options, manifest, workspace, events)?;
    let flake = evaluator.flake();
    let mut nix = match kept {
        Some(mut kept) if request.fits(&kept.flake, flake) => {
            kept.flake.override_inputs.extend(flake.override_inputs.clone());
            kept
        }
        other => {
            tell_lost(other.as_ref(), request, events);
            LockedNix { flake: flake.clone(), platforms: Default::default() }
        }
    };
    let sources = Sources::from_workspace(workspace, manifest, events)?;
    for platform in &request.platforms {
        let todo = keep::todo(request, manifest, Some(&nix), *platform);
        if todo.is_empty() {
            continue;
        }
        let values = evaluator.values(*platform, manifest)?;
        let (evaluator, sources, text, platform) = (&evaluator, &sources, text.as_str(), *platform);
        let asker = Asker { evaluator, sources, manifest, values: &values, text, platform };
        let old = nix.platforms.get(&platform).cloned().unwrap_or_default();
        let locked = lock_platform(&asker, &todo, old, events)?;
        nix.platforms.insert(platform, locked);
    }
    nix.platforms.retain(|_, locked| !(locked.sets.is_empty() && locked.shells.is_empty()));
    warn_of_local(&nix, manifest, request, events);
    Ok(Some(nix))
}

/// Locks what is to be done at once; where paths of another platform cannot be had, each part that can be locked.
fn lock_platform(
    asker: &Asker<'_, '_>,
    todo: &NixScope,
    mut locked: LockedNixPlatform,
    events: &dyn Events,
) -> Result<LockedNixPlatform, Error> {
    match asker.lock(todo, &locked) {
        Err(error) if asker.platform != crate::os::platform() && is_unavailable(&error) => {}
        done => return done,
    }
    let mut left = Vec::new();
    for (name, part) in todo.parts() {
        match asker.lock(&part, &locked) {
            Ok(more) => locked = more,
            Err(error) if is_unavailable(&error) => left.push(format!("{name} ({})", chain(&error))),
            Err(error) => return Err(error),
        }
    }
    let (platform, left) = (asker.platform, left.join(", "));
    events.emit(Event::Warning(format!(
        "not locked for {platform}, whose store paths nobody here has: {left}; run `plywood lock` on such a machine, or \
         `plywood cache push` there and `plywood lock` here"
    )));
    Ok(locked)
}

/// Whether somebody else might have what is missing.
fn is_unavailable(error: &Error) -> bool {
    matches!(
        error,
        Error::Nix(NixError::Unavailable { .. } | NixError::MissingReference { .. } | NixError::Gone(_))
            | Error::Lock(LockError::Eval(EvalError::NotSubstitutable { .. }))
    )
}

/// What a new flake makes worthless on platforms or of sets that are not locked again.
fn tell_lost(old: Option<&LockedNix>, request: &NixRequest<'_>, events: &dyn Events) {
    let Some(old) = old else { return };
    let lost = |platform: &Platform| {
        let locked = old.platforms.get(platform);
        let sets = locked.into_iter().flat_map(|locked| locked.sets.keys().map(|name| format!("sets.{name}")));
        let shells = locked.into_iter().flat_map(|locked| locked.shells.keys().map(|name| format!("shells.{name}")));
        sets.chain(shells)
            .filter(|name| {
                let known = |one: &str| match one.split_once('.') {
                    Some(("sets", name)) => request.scope.sets.contains(name),
                    Some((_, name)) => request.scope.shells.contains(name),
                    None => false,
                };
                !request.platforms.contains(platform) || !known(name)
            })
            .map(|name| format!("{name} for {platform}"))
            .collect::<Vec<_>>()
    };
    let lost: Vec<String> = old.platforms.keys().flat_map(lost).collect();
    if !lost.is_empty() {
        events.emit(Event::Warning(format!(
            "the flake is another one, so these must be locked anew: {}",
            lost.join(", ")
        )));
    }
}

/// Names the paths that no other machine can get.
fn warn_of_local(nix: &LockedNix, manifest: &Manifest, request: &NixRequest<'_>, events: &dyn Events) {
    /// As many are named.
    const NAMED: usize = 5;
    let platforms = nix.platforms.iter().filter(|(platform, _)| request.platforms.contains(platform));
    let local: BTreeSet<&str> = platforms
        .flat_map(|(_, locked)| &locked.paths)
        .filter(|(_, locked)| locked.local)
        .map(|(path, _)| path.name())
        .collect();
    if local.is_empty() {
        return;
    }
    let named: Vec<&str> = local.iter().copied().take(NAMED).collect();
    let more = local.len().checked_sub(NAMED).filter(|more| *more > 0);
    let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
    let remedy = match manifest.nix().is_some_and(|nix| nix.cache.is_some()) {
        true => "`plywood cache push` copies them to the workspace's cache",
        false => "name a `cache` under [nix], and `plywood cache push` copies them there",
    };
    events.emit(Event::Warning(format!(
        "only this machine's store has {}{more}: other machines cannot build images of them; {remedy}",
        named.join(", ")
    )));
}

/// An error with the causes that say what is missing.
fn chain(error: &Error) -> String {
    match error {
        Error::Lock(LockError::Eval(EvalError::NotSubstitutable { .. })) | Error::Nix(_) => error.to_string(),
        _ => in_full(error),
    }
}
