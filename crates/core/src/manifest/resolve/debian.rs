//! Where packages come from: the image's own table over the workspace's.

use crate::manifest::model::{Debian, Repository, Slim, SlimRules};
use crate::manifest::{Component, RepositorySuite, Spanned, Suite};

use super::{DebianSource, ResolvedRepository};

/// Suites that have no updates or security suites of their own.
const ROLLING: [&str; 4] = ["sid", "unstable", "experimental", "rc-buggy"];

/// Merges the tables, the first before the second; `None` without a suite, which validation has noted.
pub(super) fn source(own: Option<&Debian>, workspace: Option<&Debian>) -> Option<DebianSource> {
    let suite = |table: Option<&Debian>| table.and_then(|table| table.suite.clone());
    Some(source_of(own, workspace, suite(own).or_else(|| suite(workspace))?))
}

/// Merges the tables but for their suite.
pub(super) fn source_of(own: Option<&Debian>, workspace: Option<&Debian>, suite: Suite) -> DebianSource {
    let empty = Debian::default();
    let (own, workspace) = (own.unwrap_or(&empty), workspace.unwrap_or(&empty));
    let rolling = ROLLING.contains(&suite.as_str());
    let repositories = workspace.repositories.iter().chain(&own.repositories);
    DebianSource {
        components: components(own.components.as_ref().or(workspace.components.as_ref())),
        updates: own.updates.or(workspace.updates).unwrap_or(!rolling),
        security: own.security.or(workspace.security).unwrap_or(!rolling),
        snapshot: own.snapshot.or(workspace.snapshot),
        mirrors: own.mirrors.as_ref().or(workspace.mirrors.as_ref()).cloned(),
        security_mirrors: own.security_mirrors.as_ref().or(workspace.security_mirrors.as_ref()).cloned(),
        slim: own.slim.as_ref().or(workspace.slim.as_ref()).and_then(slim),
        repositories: repositories
            .filter_map(|(name, table)| Some((name.value.clone(), repository(table, &suite)?)))
            .collect(),
        key: own.key.as_ref().or(workspace.key.as_ref()).map(|key| key.value.clone()),
        distribution: None,
        suite,
    }
}

impl DebianSource {
    /// The same of another suite; repositories that took theirs from it go with it.
    pub(super) fn with_suite(mut self, suite: Suite) -> Self {
        let renamed: Option<RepositorySuite> = suite.as_str().parse().ok();
        for repository in self.repositories.values_mut() {
            if repository.suite.as_str() == self.suite.as_str()
                && let Some(renamed) = &renamed
            {
                repository.suite = renamed.clone();
            }
        }
        self.suite = suite;
        self
    }
}

fn slim(slim: &Slim) -> Option<SlimRules> {
    match slim {
        Slim::Switch(false) => None,
        Slim::Switch(true) => Some(SlimRules::default()),
        Slim::Rules(rules) => Some(rules.clone()),
    }
}

/// `None` never happens: every suite is the suite of a repository too.
fn repository(table: &Repository, suite: &Suite) -> Option<ResolvedRepository> {
    let suite: RepositorySuite = table.suite.clone().or_else(|| suite.as_str().parse().ok())?;
    Some(ResolvedRepository {
        url: table.url.clone(),
        components: if suite.is_flat() { Vec::new() } else { components(table.components.as_ref()) },
        suite,
        key: table.key.value.clone(),
        packages: table.packages.value.clone(),
        auth: table.auth.clone(),
    })
}

fn components(listed: Option<&Spanned<Vec<Component>>>) -> Vec<Component> {
    listed.map_or_else(|| "main".parse().into_iter().collect(), |listed| listed.value.clone())
}
