//! Why a request cannot be resolved.

use std::fmt;

use crate::debian::relation::RelationKind;

/// Why there is no resolution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No package and no virtual package has this name.
    #[error("there is no package `{name}`")]
    UnknownPackage {
        /// The name asked for.
        name: String,
        /// Names like it, the closest first.
        similar: Vec<String>,
    },
    /// The name is that of a virtual package, and more than one package provides it.
    #[error("`{name}` is a virtual package that several packages provide")]
    VirtualPackage {
        /// The name asked for.
        name: String,
        /// Who provides it, in order of names.
        providers: Vec<String>,
    },
    /// The package exists, but in no version that was asked for.
    #[error("there is no `{wanted}`; available: {}", available.join(", "))]
    NoSuchVersion {
        /// What was asked for.
        wanted: String,
        /// The versions there are.
        available: Vec<String>,
    },
    /// No set of packages satisfies the request.
    #[error("`{package}` cannot be installed: {}", Chain(chain))]
    Unsatisfiable {
        /// The package asked for.
        package: String,
        /// From the package to what stands in the way.
        chain: Vec<Obstacle>,
    },
}

/// A link of the chain from a requested package to what stands in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A package needs another one, which the next link is about.
    Needs {
        /// The package.
        package: String,
        /// How it needs it.
        kind: RelationKind,
        /// The relation as written.
        relation: String,
    },
    /// Nothing satisfies the last need; these are the versions there are.
    Missing {
        /// `name version` of what has the name or provides it.
        available: Vec<String>,
    },
    /// A field of a package cannot be read.
    Malformed {
        /// The package.
        package: String,
        /// The field's kind.
        kind: RelationKind,
    },
    /// A package cannot be with another one that is needed, too.
    Conflict {
        /// The package.
        package: String,
        /// `conflicts with` or `breaks`.
        kind: RelationKind,
        /// The relation as written.
        relation: String,
        /// The other package.
        other: String,
        /// Whether the other one was asked for, itself or through `because`; it is part of the base or of the parent
        /// image otherwise.
        requested: bool,
        /// The needs from what was asked for, or is there, to the other package; empty when it is that itself.
        because: Vec<Obstacle>,
    },
}

struct Chain<'a>(&'a [Obstacle]);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, obstacle) in self.0.iter().enumerate() {
            let joint = match obstacle {
                _ if at == 0 => "",
                Obstacle::Missing { .. } => ", but ",
                _ => ", ",
            };
            write!(f, "{joint}{obstacle}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Needs { package, kind, relation } => write!(f, "{package} {} {relation}", kind.verb()),
            Obstacle::Missing { available } if available.is_empty() => f.write_str("there is no such package"),
            Obstacle::Missing { available } => {
                let verb = if available.len() == 1 { "is" } else { "are" };
                write!(f, "only {} {verb} available", available.join(", "))
            }
            Obstacle::Malformed { package, kind } => {
                write!(f, "what {package} {} cannot be read", kind.verb())
            }
            Obstacle::Conflict { package, kind, relation, other, requested, because } => {
                write!(f, "{package} {} {relation}, and ", kind.verb())?;
                let because: Vec<String> = because.iter().map(ToString::to_string).collect();
                let origin = if *requested { "was requested" } else { "is there already" };
                match because.is_empty() {
                    true => write!(f, "{other} {origin}"),
                    false => write!(f, "{}, which {origin}", because.join(", ")),
                }
            }
        }
    }
}

impl ResolveError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            ResolveError::UnknownPackage { similar, .. } if similar.is_empty() => None,
            ResolveError::UnknownPackage { similar, .. } => Some(format!("did you mean {}?", one_of(similar))),
            ResolveError::VirtualPackage { providers, .. } => Some(format!("choose {}", one_of(providers))),
            ResolveError::NoSuchVersion { .. } => {
                Some("leave the version out to take the one the archive prefers".to_owned())
            }
            ResolveError::Unsatisfiable { .. } => None,
        }
    }
}

/// `a`, `b` or `c`; a long list is cut.
fn one_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match (&shown[..], names.len() > SHOWN) {
        (_, true) => format!("one of {} …", shown.join(", ")),
        ([rest @ .., last], false) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => shown.concat(),
    }
}
