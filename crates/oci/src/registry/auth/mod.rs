//! How a client identifies itself at one registry: what the registry wants, and what there is.

mod scope;
mod token;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64;
use plywood_core::oci::RepositoryName;
use plywood_core::oci::distribution::{BearerChallenge, Challenge, Credential, Secret, parse_challenges};
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use tokio::sync::OnceCell;

use super::client::Inner;
use super::credentials::Found;
use super::failure::{Failure, Unauthorized};
pub(super) use scope::{Access, Scope};
use token::Tokens;

/// What is known of a registry's wishes. Credentials are looked for only once it has any.
#[derive(Debug)]
pub(super) struct Auth {
    registry: String,
    wish: Mutex<Option<Wish>>,
    found: tokio::sync::Mutex<BTreeMap<RepositoryName, Arc<OnceCell<Option<Found>>>>>,
    tokens: Tokens,
    /// All that was ever sent, so that nothing that comes back repeats it.
    sent: Mutex<Vec<Secret>>,
}

/// How the registry wants to be asked.
#[derive(Debug, Clone)]
enum Wish {
    Basic,
    Bearer(BearerChallenge),
}

/// What a request carries.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    pub(super) header: Option<HeaderValue>,
    /// Where the credentials behind it are from.
    origin: Option<String>,
    /// Whether they are a token that was good once, rather than a password.
    token: bool,
    /// Whether it is the user's own, so that no other can be had.
    given: bool,
    /// The token of a token service that it is.
    made: Option<Secret>,
}

impl Pass {
    /// Whether there are credentials behind it.
    pub(super) fn is_somebody(&self) -> bool {
        self.origin.is_some()
    }

    /// What is wrong with it, when the registry refuses it.
    pub(super) fn refused(&self) -> Unauthorized {
        match &self.origin {
            None => Unauthorized::NoCredentials,
            Some(origin) if self.token => Unauthorized::Expired { origin: origin.clone() },
            Some(origin) => Unauthorized::Rejected { origin: origin.clone() },
        }
    }

    fn of(found: Option<&Found>, header: Option<HeaderValue>) -> Self {
        let token = found.is_some_and(|found| !matches!(found.credential, Credential::Basic { .. }));
        Self { header, origin: found.map(|found| found.origin.clone()), token, given: false, made: None }
    }
}

impl Auth {
    pub(super) fn new(registry: &str) -> Self {
        Self {
            registry: registry.to_owned(),
            wish: Mutex::default(),
            found: tokio::sync::Mutex::default(),
            tokens: Tokens::default(),
            sent: Mutex::default(),
        }
    }

    /// What a request of this scope should carry, by what is known so far.
    pub(super) async fn pass(&self, client: &Inner, scope: &Scope) -> Result<Pass, Failure> {
        let wish = lock(&self.wish).clone();
        let Some(wish) = wish else { return Ok(Pass::default()) };
        let found = self.credential(client, &scope.repository).await?;
        match (wish, found.as_ref()) {
            (_, Some(found @ Found { credential: Credential::Bearer(token), .. })) => {
                Ok(Pass { given: true, ..Pass::of(Some(found), self.bearer(token)) })
            }
            (Wish::Basic, Some(found @ Found { credential: Credential::Basic { user, password }, .. })) => {
                Ok(Pass::of(Some(found), self.basic(user, password)))
            }
            (Wish::Basic, found) => Ok(Pass::of(found, None)),
            (Wish::Bearer(challenge), found) => {
                let token = self.tokens.get(client, self, &challenge, scope, found).await?;
                let header = self.bearer(&token);
                Ok(Pass { made: Some(token), ..Pass::of(found, header) })
            }
        }
    }

    /// Takes in what the registry answered with 401, or 403 for want of scope; whether it is worth trying again.
    pub(super) fn learn(&self, headers: &HeaderMap, scope: &Scope, pass: &Pass) -> Result<bool, Failure> {
        let mut challenges = Vec::new();
        for header in headers.get_all(WWW_AUTHENTICATE) {
            let text = header.to_str().map_err(|_| Failure::Protocol("a challenge that is no text"))?;
            challenges.extend(parse_challenges(text)?);
        }
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer(bearer) => Some(Wish::Bearer(bearer.clone())),
            _ => None,
        });
        let basic = challenges.contains(&Challenge::Basic).then_some(Wish::Basic);
        let Some(wish) = bearer.or(basic) else {
            let other = challenges.into_iter().find_map(|challenge| match challenge {
                Challenge::Other(scheme) => Some(Failure::Scheme(scheme)),
                _ => None,
            });
            return Err(other.unwrap_or(Failure::Protocol("401 without a way to authenticate")));
        };
        let again = match &wish {
            Wish::Bearer(challenge) => {
                self.tokens.forget(scope, challenge, pass.made.as_ref());
                !pass.given
            }
            Wish::Basic => pass.header.is_none(),
        };
        *lock(&self.wish) = Some(wish);
        Ok(again)
    }

    /// Everything that was sent and must not be shown.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        lock(&self.sent).clone()
    }

    /// The registry, for people.
    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    /// Credentials are looked for once for each repository, as files may have different ones.
    async fn credential(&self, client: &Inner, repository: &RepositoryName) -> Result<Option<Found>, Failure> {
        let cell = self.found.lock().await.entry(repository.clone()).or_default().clone();
        let look = || client.config.credentials.find(repository, client.config.patience.helper);
        let found = cell.get_or_try_init(look).await?;
        Ok(found.clone())
    }

    fn basic(&self, user: &str, password: &Secret) -> Option<HeaderValue> {
        let encoded = BASE64.encode(format!("{user}:{}", password.expose()).as_bytes());
        self.remember(password);
        self.remember(&Secret::new(encoded.clone()));
        sensitive(&format!("Basic {encoded}"))
    }

    fn bearer(&self, token: &Secret) -> Option<HeaderValue> {
        self.remember(token);
        sensitive(&format!("Bearer {}", token.expose()))
    }

    fn remember(&self, secret: &Secret) {
        let mut sent = lock(&self.sent);
        if !sent.contains(secret) {
            sent.push(secret.clone());
        }
    }
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
