//! Short-lived tokens: fetched once for each scope, and anew when they expire.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use plywood_core::oci::distribution::{BearerChallenge, Credential, Secret, TokenResponse};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use tokio::time::Instant;

use super::{Auth, Pass, Scope, lock};
use crate::registry::body;
use crate::registry::client::Inner;
use crate::registry::credentials::Found;
use crate::registry::failure::Failure;
use crate::registry::payload::Payload;

/// The largest answer of a token service that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 20;
/// A token is not used in the last tenth of its life, and at most this long before its end.
const MARGIN: Duration = Duration::from_secs(30);

/// The tokens of one registry by realm, service and scope.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    cached: Mutex<BTreeMap<Key, Token>>,
    /// Scopes that the registry named beyond those that were asked for.
    wider: Mutex<BTreeMap<Scope, Vec<String>>>,
    /// Whoever fetches, so that many requests that start together fetch once.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    realm: String,
    service: Option<String>,
    scope: Scope,
}

#[derive(Debug, Clone)]
struct Token {
    secret: Secret,
    until: Instant,
}

impl Tokens {
    pub(super) async fn get(
        &self,
        client: &Inner,
        auth: &Auth,
        challenge: &BearerChallenge,
        scope: &Scope,
        found: Option<&Found>,
    ) -> Result<Secret, Failure> {
        if let Some(token) = self.cached(challenge, scope) {
            return Ok(token);
        }
        let _fetching = self.fetching.lock().await;
        if let Some(token) = self.cached(challenge, scope) {
            return Ok(token);
        }
        let mut scopes = scope.texts();
        for wider in lock(&self.wider).get(scope).into_iter().flatten() {
            if !scopes.contains(wider) {
                scopes.push(wider.clone());
            }
        }
        let asked = Instant::now();
        let answer = fetch(client, auth, challenge, &scopes, found).await?;
        let life = Duration::from_secs(answer.life);
        // A life beyond what a clock can count is as good as any.
        let until = asked.checked_add(life - (life / 10).min(MARGIN)).unwrap_or(asked + MARGIN);
        let key = key(challenge, scope);
        lock(&self.cached).insert(key, Token { secret: answer.token.clone(), until });
        Ok(answer.token)
    }

    /// Drops the tokens of a scope, since the registry refused one, and takes note of what it would rather see. If that
    /// one has been replaced meanwhile, by a request at the same time, the new one stays.
    pub(super) fn forget(&self, scope: &Scope, challenge: &BearerChallenge, refused: Option<&Secret>) {
        let mut cached = lock(&self.cached);
        if cached.values().any(|token| Some(&token.secret) == refused) {
            cached.retain(|key, _| !key.scope.covers(scope));
        }
        drop(cached);
        if !challenge.scopes.is_empty() {
            lock(&self.wider).insert(scope.clone(), challenge.scopes.clone());
        }
    }

    fn cached(&self, challenge: &BearerChallenge, scope: &Scope) -> Option<Secret> {
        let now = Instant::now();
        let mut cached = lock(&self.cached);
        cached.retain(|_, token| token.until > now);
        let fits =
            |key: &Key| key.realm == challenge.realm && key.service == challenge.service && key.scope.covers(scope);
        cached.iter().find(|(key, _)| fits(key)).map(|(_, token)| token.secret.clone())
    }
}

fn key(challenge: &BearerChallenge, scope: &Scope) -> Key {
    Key { realm: challenge.realm.clone(), service: challenge.service.clone(), scope: scope.clone() }
}

/// Asks the token service: with GET and the user's name and password, or with POST and an identity token.
async fn fetch(
    client: &Inner,
    auth: &Auth,
    challenge: &BearerChallenge,
    scopes: &[String],
    found: Option<&Found>,
) -> Result<TokenResponse, Failure> {
    let mut url = Url::parse(&challenge.realm).map_err(|_| Failure::Protocol("a realm that is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::Protocol("a realm with a user in it"));
    }
    client.check_secure(&url)?;
    let mut headers = HeaderMap::new();
    let mut pass = Pass::of(found, None);
    let service = challenge.service.iter().map(|service| ("service", service.as_str()));
    let (method, payload) = match found.map(|found| &found.credential) {
        Some(Credential::Identity(token)) => {
            auth.remember(token);
            let all = scopes.join(" ");
            let fixed = [("grant_type", "refresh_token"), ("client_id", "plywood"), ("scope", &all)];
            let fields = fixed.into_iter().chain(service).chain([("refresh_token", token.expose())]);
            // The query of a URL has the very form that is wanted.
            let mut form = url.clone();
            form.query_pairs_mut().clear().extend_pairs(fields);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            (Method::POST, Payload::Bytes(form.query().unwrap_or_default().as_bytes().to_vec()))
        }
        credential => {
            url.query_pairs_mut().extend_pairs(service).extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
            if let Some(Credential::Basic { user, password }) = credential {
                url.query_pairs_mut().append_pair("account", user);
                pass.header = auth.basic(user, password);
            }
            (Method::GET, Payload::Empty)
        }
    };
    if let Some(header) = &pass.header {
        headers.insert(AUTHORIZATION, header.clone());
    }
    let response = client.transfer(&method, &url, &headers, &payload, None).await?;
    if response.status().is_success() {
        let bytes = body::read(response, MAX_ANSWER, client.config.patience.stall).await?;
        return Ok(TokenResponse::parse(&bytes)?);
    }
    let status = response.status().as_u16();
    let failure = body::failure(response, &client.config.patience, &auth.secrets()).await;
    Err(match (status, failure) {
        // OAuth 2 says 400 of a token that is good no more (RFC 6749 section 5.2).
        (400 | 401 | 403, Failure::Status { said, .. } | Failure::Denied { said }) => {
            Failure::Unauthorized { host: auth.registry().to_owned(), reason: pass.refused(), said }
        }
        (_, other) => other,
    })
}
