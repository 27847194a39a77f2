//! Why an image has a store path.

use plywood_core::lockfile::{LockedNixPlatform, LockedRoot};
use plywood_core::nix::StorePath;

use super::{Answer, Inquiry, Place, Step, WhyError, embedded, places};

/// Who asks for a root, and where.
struct Asker<'l> {
    path: &'l StorePath,
    asked_by: String,
    place: Option<Place>,
}

/// The shortest chain of references from whatever is asked for.
pub(super) fn answer(inquiry: &Inquiry<'_>, path: &StorePath) -> Result<Answer, WhyError> {
    let nix = inquiry.plan.nix.as_ref();
    let graph = nix.map(|nix| nix.graph()).unwrap_or_default();
    let nothing = LockedNixPlatform::default();
    let locked = inquiry.lock.nix_of(inquiry.plan.platform).unwrap_or(&nothing);
    let groups = [packages(inquiry, locked), environment(inquiry, locked), develop(inquiry, locked)];
    // Packages that a person names come before what follows from the shell as a whole.
    for askers in groups {
        let chains = askers.into_iter().filter_map(|asker| Some((graph.shortest_chain([asker.path], path)?, asker)));
        let Some((chain, asker)) = chains.min_by_key(|(chain, _)| chain.len()) else { continue };
        let variables = nix.and_then(|nix| nix.shell.as_ref()).map(|shell| &shell.env).into_iter().flatten();
        return Ok(Answer {
            subject: format!("store path {}", path.absolute()),
            asked_by: asker.asked_by,
            place: asker.place,
            chain: steps(inquiry, &chain)?,
            variables: variables
                .filter(|(_, value)| value.contains(path.hash_part()))
                .map(|(name, _)| name.clone())
                .collect(),
        });
    }
    Ok(Answer {
        subject: format!("store path {}", path.absolute()),
        asked_by: "a shell of an image that this one is from, in whose layers it is".to_owned(),
        place: None,
        chain: vec![Step { name: path.absolute(), by: None }],
        variables: Vec::new(),
    })
}

/// The packages of the image's sets and its shell.
pub(super) fn roots<'i>(inquiry: &Inquiry<'i>) -> impl Iterator<Item = &'i LockedRoot> {
    let nix = &inquiry.image.nix;
    let locked = inquiry.lock.nix_of(inquiry.plan.platform);
    let of_sets = locked.into_iter().flat_map(|locked| nix.sets.iter().filter_map(|name| locked.sets.get(name)));
    let of_shell = locked.into_iter().flat_map(|locked| nix.shell.iter().filter_map(|name| locked.shells.get(name)));
    of_sets.flat_map(|set| &set.roots).chain(of_shell.flat_map(|shell| &shell.roots))
}

fn steps(inquiry: &Inquiry<'_>, chain: &[&StorePath]) -> Result<Vec<Step>, WhyError> {
    let items = inquiry.plan.nix.as_ref().map(|nix| nix.items()).unwrap_or_default();
    let mut steps = Vec::with_capacity(chain.len());
    for (at, path) in chain.iter().enumerate() {
        let segment = match (chain.get(at + 1), items.get(*path)) {
            (Some(next), Some(item)) => {
                inquiry.store.segment(*item, inquiry.plan.codec)?.map(|segment| (segment, next))
            }
            _ => None,
        };
        let by = segment.map(|(segment, next)| embedded::reference(&segment, path, next)).transpose();
        let by = by.map_err(|source| WhyError::Look { path: (*path).clone(), source })?.flatten();
        steps.push(Step { name: path.absolute(), by });
    }
    Ok(steps)
}

fn packages<'l>(inquiry: &Inquiry<'_>, locked: &'l LockedNixPlatform) -> Vec<Asker<'l>> {
    let nix = &inquiry.image.nix;
    let package = |root: &LockedRoot| match root.attribute.as_str() {
        LockedRoot::EXPRESSION => "the expression".to_owned(),
        attribute => format!("`{attribute}`"),
    };
    let mut askers = Vec::new();
    for (name, set) in nix.sets.iter().filter_map(|name| locked.sets.get_key_value(name)) {
        askers.extend(set.roots.iter().map(|root| Asker {
            path: &root.path,
            asked_by: format!("{} of the set `{name}`", package(root)),
            place: places::in_set(inquiry, name, root),
        }));
    }
    for (name, shell) in nix.shell.iter().filter_map(|name| locked.shells.get_key_value(name)) {
        askers.extend(shell.roots.iter().map(|root| {
            let own = places::in_shell(inquiry, name, root);
            let sets = inquiry.manifest.shells().find(|(other, _)| *other == name).map(|(_, shell)| &shell.sets);
            let sets = inquiry.manifest.sets_within(sets.into_iter().flatten().map(|set| &set.value));
            let place = own.or_else(|| sets.iter().find_map(|set| places::in_set(inquiry, set, root)));
            Asker { path: &root.path, asked_by: format!("{} of the shell `{name}`", package(root)), place }
        }));
    }
    askers
}

fn environment<'l>(inquiry: &Inquiry<'_>, locked: &'l LockedNixPlatform) -> Vec<Asker<'l>> {
    let shells = inquiry.image.nix.shell.iter().filter_map(|name| locked.shells.get_key_value(name));
    let mut askers = Vec::new();
    for (name, shell) in shells {
        askers.extend(shell.environment.iter().map(|path| Asker {
            path,
            asked_by: format!("the environment of the shell `{name}`"),
            place: places::shell(inquiry, name),
        }));
    }
    askers
}

fn develop<'l>(inquiry: &Inquiry<'_>, locked: &'l LockedNixPlatform) -> Vec<Asker<'l>> {
    let shells = inquiry.image.nix.shell.iter().filter_map(|name| locked.shells.get_key_value(name));
    let mut askers = Vec::new();
    for (name, shell) in shells {
        askers.extend(shell.develop.iter().map(|path| Asker {
            path,
            asked_by: format!("`nix develop` without a network in the shell `{name}`"),
            place: places::shell(inquiry, name),
        }));
    }
    askers
}
