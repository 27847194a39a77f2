//! What [`Sources`](super::Sources) needs to know: which caches, whom to believe, patience.

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::manifest::{Manifest, Spanned};
use plywood_core::nix::{TrustedPublicKey, TrustedPublicKeys};

use super::local::LocalStore;
use super::{BinaryCacheUrl, NixError, defaults};
use crate::http::Patience;
use crate::http::netrc::Netrc;
use crate::workspace::Workspace;

/// Names binary caches, apart by spaces; set, it replaces all others, be it empty.
pub const SUBSTITUTERS_VARIABLE: &str = "PLYWOOD_NIX_SUBSTITUTERS";
/// Names keys, apart by spaces; set, it replaces all others, be it empty.
pub const TRUSTED_KEYS_VARIABLE: &str = "PLYWOOD_NIX_TRUSTED_KEYS";

/// Everything [`Sources`](super::Sources) takes paths from.
#[derive(Debug)]
pub struct SourcesConfig {
    /// The local store, if it is a source.
    pub local: Option<LocalStore>,
    /// Binary caches as they are named; those with a lower priority are asked first, whatever their place here.
    pub substituters: Vec<BinaryCacheUrl>,
    /// Whose signatures to believe.
    pub trusted_keys: TrustedPublicKeys,
    /// Who plywood is at which host.
    pub netrc: Netrc,
    /// How long to wait and how often to try.
    pub patience: Patience,
    /// plywood's cache, of which this takes `nix/`.
    pub cache: Utf8PathBuf,
}

/// What the manifest says of sources; what it leaves open is for the machine.
#[derive(Debug, Clone, Default)]
pub struct NamedSources {
    /// Binary caches; Nix's public one when `None`.
    pub substituters: Option<Vec<String>>,
    /// Keys; that of Nix's public cache when `None`.
    pub trusted_keys: Option<Vec<String>>,
    /// Whether the local store is a source; it is where there is one when `None`.
    pub local_store: Option<bool>,
}

/// Sources in the place of all that manifest and environment name: those of tests.
#[derive(Debug, Clone)]
pub struct StandInSources {
    /// Binary caches.
    pub substituters: Vec<BinaryCacheUrl>,
    /// Whose signatures to believe.
    pub trusted_keys: TrustedPublicKeys,
    /// Below which folder the local store is, if it is a source.
    pub local: Option<Utf8PathBuf>,
    /// How long to wait and how often to try.
    pub patience: Patience,
}

impl NamedSources {
    /// What a manifest says.
    pub fn of(manifest: &Manifest) -> Self {
        fn texts<T: ToString>(list: Option<&Vec<Spanned<T>>>) -> Option<Vec<String>> {
            list.map(|list| list.iter().map(|item| item.value.to_string()).collect())
        }
        let Some(nix) = manifest.nix() else { return Self::default() };
        Self {
            substituters: texts(nix.substituters.as_ref()),
            trusted_keys: texts(nix.trusted_public_keys.as_ref()),
            local_store: nix.local_store,
        }
    }
}

impl SourcesConfig {
    /// What the manifest names, unless the environment names others; the local store as Nix finds it; the user's netrc.
    ///
    /// # Errors
    /// When a URL or key is none, or the netrc cannot be read.
    pub fn find(named: &NamedSources, cache: &Utf8Path) -> Result<Self, NixError> {
        let (substituters, trusted_keys) = choose(named, |name| std::env::var(name).ok())?;
        // Where Nix runs in containers, their store is this machine's.
        let found = || LocalStore::from_environment().or_else(|| LocalStore::of_containers(cache));
        let local = if named.local_store == Some(false) { None } else { found() };
        let (netrc, patience) = (Netrc::of_user()?, Patience::default());
        Ok(Self { local, substituters, trusted_keys, netrc, patience, cache: cache.to_owned() })
    }

    /// What stands in for all of that.
    pub(super) fn standing_in(stand_in: &StandInSources, cache: &Utf8Path) -> Self {
        Self {
            local: stand_in.local.as_deref().map(LocalStore::below),
            substituters: stand_in.substituters.clone(),
            trusted_keys: stand_in.trusted_keys.clone(),
            netrc: Netrc::default(),
            patience: stand_in.patience,
            cache: cache.to_owned(),
        }
    }
}

/// The binary caches and keys that stand-ins, the environment or the manifest name; `None` when none of them names any, so that Nix
/// keeps to its own configuration. What cannot be read is left to [`SourcesConfig::find`] to say.
pub(super) fn named(manifest: &Manifest, workspace: &Workspace) -> Option<(Vec<String>, Vec<String>)> {
    fn texts<T: ToString>(list: impl IntoIterator<Item = T>) -> Vec<String> {
        list.into_iter().map(|one| one.to_string()).collect()
    }
    if let Some(stand_in) = workspace.sources() {
        return Some((texts(&stand_in.substituters), texts(&stand_in.trusted_keys.0)));
    }
    let named = NamedSources::of(manifest);
    let variables = [SUBSTITUTERS_VARIABLE, TRUSTED_KEYS_VARIABLE].iter().any(|name| std::env::var(name).is_ok());
    if !variables && named.substituters.is_none() && named.trusted_keys.is_none() {
        return None;
    }
    let (substituters, keys) = choose(&named, |name| std::env::var(name).ok()).ok()?;
    Some((texts(&substituters), texts(&keys.0)))
}

/// The environment before the manifest, the manifest before the public cache.
fn choose(
    named: &NamedSources,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(Vec<BinaryCacheUrl>, TrustedPublicKeys), NixError> {
    let pick = |name: &'static str, manifest: &Option<Vec<String>>, key: &'static str, default: &str| match (
        variable(name),
        manifest,
    ) {
        (Some(text), _) => (text.split_whitespace().map(str::to_owned).collect(), name),
        (None, Some(list)) => (list.clone(), key),
        (None, None) => (vec![default.to_owned()], "plywood"),
    };
    let (urls, by): (Vec<String>, _) =
        pick(SUBSTITUTERS_VARIABLE, &named.substituters, "`nix.substituters`", defaults::SUBSTITUTER);
    let url = |text: &String| text.parse().map_err(|source| NixError::Url { named_by: by.to_owned(), source });
    let urls = urls.iter().map(url).collect::<Result<_, _>>()?;
    let (keys, by): (Vec<String>, _) =
        pick(TRUSTED_KEYS_VARIABLE, &named.trusted_keys, "`nix.trusted-public-keys`", defaults::TRUSTED_PUBLIC_KEY);
    let key = |text: &String| text.parse().map_err(|source| NixError::Key { named_by: by.to_owned(), source });
    let keys = keys.iter().map(key).collect::<Result<Vec<TrustedPublicKey>, _>>()?;
    Ok((urls, keys.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest: Option<&[&str]>, variable: Option<&str>, expect: Result<&[&str], &str>) {
        let substituters = manifest.map(|urls| urls.iter().map(|url| (*url).to_owned()).collect());
        let named = NamedSources { substituters, ..NamedSources::default() };
        let found = choose(&named, |name| (name == SUBSTITUTERS_VARIABLE).then(|| variable.map(str::to_owned))?);
        let found = found.map(|(urls, _)| urls.iter().map(ToString::to_string).collect::<Vec<_>>());
        match expect {
            Ok(urls) => assert_eq!(found.expect("caches"), urls),
            Err(text) => assert_eq!(found.expect_err("no caches").to_string(), text),
        }
    }

    #[test]
    fn the_environment_goes_before_the_manifest() {
        let manifest: Option<&[&str]> = Some(&["https://a.test"]);
        check(None, None, Ok(&[defaults::SUBSTITUTER]));
        check(manifest, None, Ok(&["https://a.test"]));
        check(Some(&[]), None, Ok(&[]));
        check(manifest, Some(" https://b.test file:///c "), Ok(&["https://b.test", "file:///c"]));
        check(manifest, Some(""), Ok(&[]));
        check(None, Some("b.test"), Err("cannot use the binary cache that PLYWOOD_NIX_SUBSTITUTERS names"));
        check(Some(&["s3://b"]), None, Err("cannot use the binary cache that `nix.substituters` names"));
    }
}
