//! Relations between packages: the syntax of `Depends`, `Conflicts`, `Provides` and the like (Debian Policy 7.1).

mod parse;

use std::fmt;

pub use parse::ParseRelationError;

use super::version::DebVersion;

/// What a relation of one package to others means (Debian Policy 7.2 to 7.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelationKind {
    /// Must be configured before the package is unpacked.
    PreDepends,
    /// Must be configured before the package is.
    Depends,
    /// Belongs to all but unusual installations.
    Recommends,
    /// Cannot be unpacked at the same time.
    Conflicts,
    /// Cannot be configured at the same time.
    Breaks,
    /// Whose files the package may replace.
    Replaces,
    /// The virtual packages that the package is, too.
    Provides,
}

impl RelationKind {
    /// As a verb for sentences: `a` *depends on* `b`.
    pub const fn verb(self) -> &'static str {
        match self {
            RelationKind::PreDepends => "pre-depends on",
            RelationKind::Depends => "depends on",
            RelationKind::Recommends => "recommends",
            RelationKind::Conflicts => "conflicts with",
            RelationKind::Breaks => "breaks",
            RelationKind::Replaces => "replaces",
            RelationKind::Provides => "provides",
        }
    }
}

/// How a version is constrained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `<<`: strictly earlier.
    Earlier,
    /// `<=`: earlier or equal; also the obsolete `<`.
    EarlierOrEqual,
    /// `=`: exactly equal.
    Equal,
    /// `>=`: later or equal; also the obsolete `>`.
    LaterOrEqual,
    /// `>>`: strictly later.
    Later,
}

impl Operator {
    /// Whether `version` stands in this relation to `bound`.
    pub fn holds(self, version: &DebVersion, bound: &DebVersion) -> bool {
        let order = version.cmp(bound);
        match self {
            Operator::Earlier => order.is_lt(),
            Operator::EarlierOrEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::LaterOrEqual => order.is_ge(),
            Operator::Later => order.is_gt(),
        }
    }

    /// As written in control data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operator::Earlier => "<<",
            Operator::EarlierOrEqual => "<=",
            Operator::Equal => "=",
            Operator::LaterOrEqual => ">=",
            Operator::Later => ">>",
        }
    }
}

/// A bound on a version, as `(>= 1.2)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionConstraint {
    /// The relation to the bound.
    pub operator: Operator,
    /// The bound.
    pub version: DebVersion,
}

impl VersionConstraint {
    /// Whether `version` satisfies the constraint.
    pub fn is_satisfied_by(&self, version: &DebVersion) -> bool {
        self.operator.holds(version, &self.version)
    }
}

/// What follows the colon of a package name (Debian's multiarch specification, "Dependencies").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchQualifier {
    /// `:any`: a package of any architecture, if it says `Multi-Arch: allowed`.
    Any,
    /// `:native`: the architecture of the machine that builds; only in build dependencies.
    Native,
    /// An architecture by name.
    Architecture(Box<str>),
}

/// One package that a relation names, with its restrictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Name of a package, real or virtual.
    pub name: Box<str>,
    /// Restriction of the architecture the package is of.
    pub qualifier: Option<ArchQualifier>,
    /// Restriction of the version.
    pub constraint: Option<VersionConstraint>,
    /// Architectures on which the relation holds; empty for all. A leading `!` excludes.
    pub architectures: Vec<Box<str>>,
}

impl Relation {
    /// A relation to any version of `name`.
    pub fn any_version(name: &str) -> Self {
        Self { name: name.into(), qualifier: None, constraint: None, architectures: Vec::new() }
    }

    /// A relation to exactly this version of `name`.
    pub fn exactly(name: &str, version: DebVersion) -> Self {
        let constraint = VersionConstraint { operator: Operator::Equal, version };
        Self { constraint: Some(constraint), ..Self::any_version(name) }
    }

    /// Whether the constraint, if any, admits `version`.
    pub fn admits(&self, version: &DebVersion) -> bool {
        self.constraint.as_ref().is_none_or(|constraint| constraint.is_satisfied_by(version))
    }

    /// Whether the list in brackets, if any, includes `architecture` (Debian Policy 7.1). Wildcards are `any` and
    /// `linux-any`, and `any-` before an architecture.
    pub fn applies_on(&self, architecture: &str) -> bool {
        let matches = |listed: &str| {
            let listed = listed.strip_prefix("any-").or(listed.strip_prefix("linux-")).unwrap_or(listed);
            listed == "any" || listed == architecture
        };
        let excluded = self.architectures.iter().filter_map(|listed| listed.strip_prefix('!')).any(matches);
        let mut included = self.architectures.iter().filter(|listed| !listed.starts_with('!')).peekable();
        !excluded && (included.peek().is_none() || included.any(|listed| matches(listed)))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.qualifier {
            Some(ArchQualifier::Any) => f.write_str(":any")?,
            Some(ArchQualifier::Native) => f.write_str(":native")?,
            Some(ArchQualifier::Architecture(architecture)) => write!(f, ":{architecture}")?,
            None => {}
        }
        if let Some(VersionConstraint { operator, version }) = &self.constraint {
            write!(f, " ({} {version})", operator.as_str())?;
        }
        if !self.architectures.is_empty() {
            write!(f, " [{}]", self.architectures.join(" "))?;
        }
        Ok(())
    }
}

/// Alternatives, of which one must hold: `a | b`. Never empty when parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrGroup(pub Vec<Relation>);

impl OrGroup {
    /// Parses one group of alternatives.
    ///
    /// # Errors
    /// [`ParseRelationError`] for anything else, also for several groups.
    pub fn parse(text: &str) -> Result<Self, ParseRelationError> {
        parse::single_group(text)
    }

    /// Parses a comma-separated list of groups: the value of a relation field. Empty elements are left out, as dpkg and
    /// apt do.
    ///
    /// # Errors
    /// [`ParseRelationError`] where the text is no such list.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ParseRelationError> {
        parse::group_list(text)
    }
}

impl fmt::Display for OrGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, relation) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{relation}")?;
        }
        Ok(())
    }
}

/// Whether `name` is a package name: two or more of lower-case letters, digits, `+`, `-`, `.`, the first no sign (Debian
/// Policy 5.6.1). Upper case and `_` are let through, since third-party archives use them and dpkg takes them.
pub fn is_package_name(name: &str) -> bool {
    name.len() >= 2
        && name.len() <= 256
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests;
