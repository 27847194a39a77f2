//! Closures: every path that some paths need, asked for in parallel.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, stream};
use plywood_core::nix::StorePath;

use super::sources::{First, Sources};
use super::substituter::QUERIES;
use super::{NixError, PathInfo};
use crate::events::{Task, Unit};

/// nixpkgs has some hundred thousand paths in all; a closure that needs more is an endless one.
const MAX_PATHS: usize = 500_000;

impl Sources<'_> {
    /// Everything that `roots` need, themselves included: what [`Sources::path_info`] gives for each, following references.
    ///
    /// # Errors
    /// [`NixError::Unavailable`] for a root and [`NixError::MissingReference`] for another path that no source knows.
    pub fn closure(&self, roots: &[StorePath]) -> Result<BTreeMap<StorePath, PathInfo>, NixError> {
        self.block_on(self.walk(roots, First::Caches))
    }

    /// What is known of each path, by whatever source knows it; nothing of those that no source knows.
    ///
    /// # Errors
    /// When plywood's cache cannot be written.
    pub(crate) fn known(&self, paths: &[&StorePath]) -> Result<BTreeMap<StorePath, PathInfo>, NixError> {
        self.block_on(async {
            let mut asked = stream::iter(paths).map(|path| self.find(path, First::Caches)).buffer_unordered(QUERIES);
            let mut known = BTreeMap::new();
            while let Some(answer) = asked.next().await {
                match answer {
                    Ok(info) => drop(known.insert(info.path.clone(), info)),
                    Err(NixError::Unavailable { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(known)
        })
    }

    /// As [`Sources::closure`], by the word of the local store for all that is valid there: for what is named directly and
    /// goes into no lock, so that no cache is asked for what is at hand.
    ///
    /// # Errors
    /// As [`Sources::closure`].
    pub fn closure_at_hand(&self, roots: &[StorePath]) -> Result<BTreeMap<StorePath, PathInfo>, NixError> {
        self.block_on(self.walk(roots, First::Local))
    }

    async fn walk(&self, roots: &[StorePath], first: First) -> Result<BTreeMap<StorePath, PathInfo>, NixError> {
        let task = Task::start(self.events, "Asking for store paths", None, Unit::Items);
        let mut closure = BTreeMap::new();
        let mut referrers: BTreeMap<StorePath, StorePath> = BTreeMap::new();
        let mut seen: BTreeSet<StorePath> = roots.iter().cloned().collect();
        let mut pending: Vec<StorePath> = seen.iter().cloned().collect();
        let mut asked = FuturesUnordered::new();
        loop {
            while asked.len() < QUERIES
                && let Some(path) = pending.pop()
            {
                asked.push(async move { self.find(&path, first).await });
            }
            let Some(answer) = asked.next().await else { return Ok(closure) };
            let info = answer.map_err(|error| missing(error, &mut referrers))?;
            task.advance(1);
            for path in &info.references {
                if seen.insert(path.clone()) {
                    referrers.insert(path.clone(), info.path.clone());
                    pending.push(path.clone());
                }
            }
            if seen.len() > MAX_PATHS {
                return Err(NixError::TooLarge(MAX_PATHS));
            }
            closure.insert(info.path.clone(), info);
        }
    }
}

/// Says who needs a path that is missing.
fn missing(error: NixError, referrers: &mut BTreeMap<StorePath, StorePath>) -> NixError {
    match error {
        NixError::Unavailable { path, attempts } => match referrers.remove(&path) {
            Some(referrer) => NixError::MissingReference { path, referrer, attempts },
            None => NixError::Unavailable { path, attempts },
        },
        other => other,
    }
}
