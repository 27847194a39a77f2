//! What a request needs (distribution's token specification, "Scope").

use plywood_core::oci::RepositoryName;

/// What is done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Access {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
    /// Reading and deleting.
    Delete,
}

/// What a request needs: an access to a repository and, for a mount, reading another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Scope {
    pub(in super::super) repository: RepositoryName,
    pub(in super::super) access: Access,
    pub(in super::super) mount_from: Option<RepositoryName>,
}

impl Scope {
    pub(in super::super) fn new(repository: &RepositoryName, access: Access) -> Self {
        Self { repository: repository.clone(), access, mount_from: None }
    }

    /// As token services write it.
    pub(in super::super) fn texts(&self) -> Vec<String> {
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
            Access::Delete => "pull,delete",
        };
        let mount = self.mount_from.iter().map(|from| format!("repository:{}:pull", from.path()));
        [format!("repository:{}:{actions}", self.repository.path())].into_iter().chain(mount).collect()
    }

    /// Whether what suffices for `self` suffices for `other`.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.repository == other.repository
            && (self.access == other.access || other.access == Access::Pull)
            && (self.mount_from == other.mount_from || other.mount_from.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_covers_less() {
        let scope = |access, from: Option<&str>| Scope {
            mount_from: from.map(|from| from.parse().expect("a name")),
            ..Scope::new(&"ghcr.io/a/b".parse().expect("a name"), access)
        };
        let (pull, push, delete) = (scope(Access::Pull, None), scope(Access::Push, None), scope(Access::Delete, None));
        let mount = scope(Access::Push, Some("ghcr.io/c/d"));
        assert!(push.covers(&pull) && delete.covers(&pull) && mount.covers(&push) && mount.covers(&pull));
        assert!(!pull.covers(&push) && !push.covers(&delete) && !push.covers(&mount));
        assert_eq!(mount.texts(), ["repository:a/b:pull,push", "repository:c/d:pull"]);
    }
}
