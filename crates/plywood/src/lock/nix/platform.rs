//! One platform: Nix evaluates it, realises it if it is this machine's own, and stores say what its closure is.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::lockfile::{LockedNixPlatform, LockedRoot, LockedSet, LockedShell, set_inputs, shell_inputs};
use plywood_core::manifest::model::Shell;
use plywood_core::manifest::{Manifest, ShellName};
use plywood_core::nix::{Derivation, StorePath};
use plywood_core::platform::Platform;

use super::packages;
use crate::Error;
use crate::lock::subject::NixScope;
use crate::nix::Sources;
use crate::nix::eval::{EvalError, Evaluator, Root, Subject, Values, parse_environment};

/// Whom to ask, and for which platform.
pub(super) struct Asker<'a, 'e> {
    pub(super) evaluator: &'a Evaluator<'e>,
    pub(super) sources: &'a Sources<'e>,
    pub(super) manifest: &'a Manifest,
    /// What Nix says.
    pub(super) values: &'a Values,
    /// The manifest's text, in which faults have their lines.
    pub(super) text: &'a str,
    pub(super) platform: Platform,
}

/// What is known of a shell once its derivations have been looked at.
struct ShellParts {
    environment: BTreeSet<StorePath>,
    env: BTreeMap<String, String>,
    develop: BTreeSet<StorePath>,
}

impl Asker<'_, '_> {
    /// Locks sets and shells into what is locked for the platform already.
    pub(super) fn lock(&self, todo: &NixScope, old: &LockedNixPlatform) -> Result<LockedNixPlatform, Error> {
        let values = self.values;
        let sets = self.roots_of_sets(todo, values)?;
        let shells = self.roots_of_shells(todo, values)?;
        self.realise(sets.values().chain(shells.values()).flatten())?;
        let mut locked = old.clone();
        for (name, set) in self.manifest.sets().filter(|(name, _)| todo.sets.contains(*name)) {
            let roots = sets.get(name).map(locked_roots).unwrap_or_default();
            locked.sets.insert(name.clone(), LockedSet { inputs: set_inputs(set), roots });
        }
        for (name, shell) in self.manifest.shells().filter(|(name, _)| todo.shells.contains(*name)) {
            let parts = self.shell_parts(name, shell, values)?;
            let own = shells.get(name).into_iter().flatten();
            let within = self.manifest.sets_within(shell.sets.iter().map(|set| &set.value));
            let of_sets = within.iter().filter_map(|set| sets.get(set)).flatten();
            let roots = locked_roots(of_sets.chain(own));
            locked.shells.insert(name.clone(), self.locked_shell(shell, roots, parts));
        }
        let start: BTreeSet<StorePath> = start(&locked, todo).cloned().collect();
        let closure = self.sources.closure(&start.into_iter().collect::<Vec<_>>())?;
        locked.paths.extend(packages::locked_paths(&closure, values, self.evaluator)?);
        locked.remove_unused();
        Ok(locked)
    }

    fn locked_shell(&self, shell: &Shell, roots: Vec<LockedRoot>, parts: ShellParts) -> LockedShell {
        LockedShell {
            inputs: shell_inputs(self.manifest, shell),
            roots,
            environment: parts.environment,
            env: parts.env,
            hook: shell.hook.clone().unwrap_or_default(),
            develop: parts.develop,
        }
    }

    /// The packages of the sets to be locked, and of those in the shells to be locked.
    fn roots_of_sets<'m>(
        &'m self,
        todo: &NixScope,
        values: &Values,
    ) -> Result<BTreeMap<&'m plywood_core::manifest::SetName, Vec<Root>>, Error> {
        let shells = self.manifest.shells().filter(|(name, _)| todo.shells.contains(*name));
        let asked = shells.flat_map(|(_, shell)| shell.sets.iter().map(|set| &set.value)).chain(&todo.sets);
        let asked: BTreeSet<_> = self.manifest.sets_within(asked).into_iter().collect();
        let mut roots = BTreeMap::new();
        for (name, set) in self.manifest.sets().filter(|(name, _)| asked.contains(*name)) {
            let found = values.sets.get(name).map(|set| set.roots.as_slice()).unwrap_or_default();
            roots.insert(name, self.evaluator.roots(Subject::Set(name, set), found, self.platform, self.text)?);
        }
        Ok(roots)
    }

    fn roots_of_shells<'m>(
        &'m self,
        todo: &NixScope,
        values: &Values,
    ) -> Result<BTreeMap<&'m ShellName, Vec<Root>>, Error> {
        let mut roots = BTreeMap::new();
        for (name, shell) in self.manifest.shells().filter(|(name, _)| todo.shells.contains(*name)) {
            let found = values.shells.get(name).map(|shell| shell.roots.as_slice()).unwrap_or_default();
            roots.insert(name, self.evaluator.roots(Subject::Shell(name, shell), found, self.platform, self.text)?);
        }
        Ok(roots)
    }

    fn is_own(&self) -> bool {
        self.platform == crate::os::platform()
    }

    /// Gets packages into Nix's store, if they are for this machine's platform: nothing is built for others.
    fn realise<'r>(&self, roots: impl Iterator<Item = &'r Root>) -> Result<(), Error> {
        if !self.is_own() {
            return Ok(());
        }
        let wanted: BTreeSet<(StorePath, String)> =
            roots.map(|root| (root.derivation.clone(), root.output.clone())).collect();
        Ok(self.evaluator.realise(&wanted.into_iter().collect::<Vec<_>>())?)
    }

    /// The environment that a shell exports, and what `nix develop` needs to make the same.
    fn shell_parts(&self, name: &ShellName, declared: &Shell, values: &Values) -> Result<ShellParts, Error> {
        let shell = values.shells.get(name);
        let (Some(environment), Some(develop)) =
            (shell.and_then(|shell| shell.environment.as_ref()), shell.and_then(|shell| shell.develop.as_ref()))
        else {
            return Err(EvalError::Shell { shell: name.to_string() }.into());
        };
        let written = self.output(environment, "out")?;
        let mut inputs: BTreeSet<(StorePath, String)> = BTreeSet::new();
        for (derivation, outputs) in self.derivation(develop)?.input_derivations {
            inputs.extend(outputs.into_iter().map(|output| (derivation.clone(), output)));
        }
        if self.is_own() {
            let wanted = inputs.iter().cloned().chain([(environment.clone(), "out".to_owned())]);
            self.evaluator.realise(&wanted.collect::<Vec<_>>())?;
        } else {
            // Whoever is of that platform has built it and pushed it, or nobody has.
            self.evaluator.substitute(&written)?;
        }
        let mut develop: BTreeSet<StorePath> = values.sources.iter().cloned().collect();
        for (derivation, output) in &inputs {
            develop.insert(self.output(derivation, output)?);
        }
        let references = self.evaluator.references(&written)?;
        Ok(ShellParts {
            env: parse_environment(name, declared, &self.evaluator.file(&written)?)?,
            environment: references.into_iter().filter(|path| *path != written).collect(),
            develop,
        })
    }

    fn derivation(&self, path: &StorePath) -> Result<Derivation, EvalError> {
        self.evaluator.derivation(path)?.ok_or_else(|| EvalError::Gone { path: path.clone() })
    }

    fn output(&self, derivation: &StorePath, output: &str) -> Result<StorePath, EvalError> {
        let found = self.derivation(derivation)?.outputs.get(output).and_then(|output| output.path().cloned());
        found.ok_or_else(|| EvalError::Floating { path: derivation.clone(), output: output.to_owned() })
    }
}

/// What the closures of these sets and shells start from.
fn start<'l>(locked: &'l LockedNixPlatform, todo: &'l NixScope) -> impl Iterator<Item = &'l StorePath> {
    let sets = locked.sets.iter().filter(|(name, _)| todo.sets.contains(*name));
    let shells = locked.shells.iter().filter(|(name, _)| todo.shells.contains(*name));
    sets.flat_map(|(_, set)| set.start()).chain(shells.flat_map(|(_, shell)| shell.start().chain(&shell.develop)))
}

/// Each output once, as who asks first says it.
fn locked_roots<'r>(roots: impl IntoIterator<Item = &'r Root>) -> Vec<LockedRoot> {
    let mut seen = BTreeSet::new();
    let first = roots.into_iter().filter(|root| seen.insert(&root.path));
    first
        .map(|root| LockedRoot {
            path: root.path.clone(),
            attribute: root.attribute.clone(),
            output: root.output.clone(),
            priority: root.priority.unwrap_or(LockedRoot::DEFAULT_PRIORITY),
        })
        .collect()
}
