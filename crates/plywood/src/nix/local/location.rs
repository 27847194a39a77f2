//! Where the local store is, as Nix finds it.

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::nix::STORE_DIR;

/// The folders of a store whose paths begin with `/nix/store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// Where the store's contents really are.
    pub(super) store: Utf8PathBuf,
    /// Where Nix keeps its state, the database among it.
    pub(super) state: Utf8PathBuf,
}

impl Location {
    /// The store of a whole system below `root`, as with Nix's `--store ROOT`.
    pub(super) fn below(root: &Utf8Path) -> Self {
        Self { store: root.join("nix/store"), state: root.join("nix/var/nix") }
    }

    /// Where the variables of Nix (common environment variables in its manual) say that it is; `None` for stores that are
    /// no folders of this machine, or have other paths than `/nix/store`.
    pub(super) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        if variable("NIX_STORE_DIR").is_some_and(|directory| directory.trim_end_matches('/') != STORE_DIR) {
            return None;
        }
        let mut location = match variable("NIX_REMOTE") {
            None => Self::below("/".into()),
            Some(remote) => Self::of_store_url(&remote)?,
        };
        if let Some(state) = variable("NIX_STATE_DIR") {
            location.state = state.into();
        }
        Some(location)
    }

    /// Nix's store URLs (`nix help-stores`): the daemon serves the same folders that it writes.
    fn of_store_url(text: &str) -> Option<Self> {
        let (kind, parameters) = text.split_once('?').unwrap_or((text, ""));
        let mut location = match kind {
            "auto" | "daemon" | "local" => Self::below("/".into()),
            _ if kind.starts_with("unix://") => Self::below("/".into()),
            root if root.starts_with('/') => Self::below(root.into()),
            _ => return None,
        };
        for (name, value) in reqwest::Url::parse(&format!("local:?{parameters}")).ok()?.query_pairs() {
            match &*name {
                "root" => location = Self::below((&*value).into()),
                "state" => location.state = (&*value).into(),
                "real" => location.store = (&*value).into(),
                "store" if value.trim_end_matches('/') != STORE_DIR => return None,
                _ => {}
            }
        }
        Some(location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expect: Option<(&str, &str)>) {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let expect = expect.map(|(store, state)| Location { store: store.into(), state: state.into() });
        assert_eq!(Location::from_environment(value), expect, "{variables:?}");
    }

    #[test]
    fn the_store_is_where_nix_finds_it() {
        check(&[], Some(("/nix/store", "/nix/var/nix")));
        check(&[("NIX_STORE_DIR", "/nix/store/"), ("NIX_REMOTE", "")], Some(("/nix/store", "/nix/var/nix")));
        check(&[("NIX_STORE_DIR", "/gnu/store")], None);
        check(&[("NIX_STATE_DIR", "/x")], Some(("/nix/store", "/x")));
        check(&[("NIX_REMOTE", "daemon")], Some(("/nix/store", "/nix/var/nix")));
        check(&[("NIX_REMOTE", "/x")], Some(("/x/nix/store", "/x/nix/var/nix")));
        check(&[("NIX_REMOTE", "local?root=/x")], Some(("/x/nix/store", "/x/nix/var/nix")));
        check(&[("NIX_REMOTE", "local?real=/a%20b&state=/s")], Some(("/a b", "/s")));
        check(&[("NIX_REMOTE", "local?store=/gnu/store")], None);
        check(&[("NIX_REMOTE", "ssh://host")], None);
    }
}
