//! One registry: its address, how it is authenticated with, and requests to it.

use std::sync::atomic::AtomicBool;
use tokio::sync::Mutex;

use plywood_core::oci::RepositoryName;
use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Method, Response, Url};

use super::auth::{Auth, Pass, Scope};
use super::body;
use super::client::{Inner, authority};
use super::config::ClientConfig;
use super::failure::Failure;
use super::payload::{Meter, Payload};

const MAX_REDIRECTS: usize = 10;
/// Where Docker's registry really is.
const DOCKER: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// One registry.
#[derive(Debug)]
pub(super) struct Host {
    base: Url,
    pub(super) auth: Auth,
    /// Set when the registry turned out to have no referrers API.
    pub(super) no_referrers: AtomicBool,
    /// Whoever changes a list of referrers under a tag, so that threads of this process do not undo each other's work.
    pub(super) referrers_tag: Mutex<()>,
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) scope: &'a Scope,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload<'a>,
    pub(super) meter: Option<&'a Meter<'a>>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, url: Url, scope: &'a Scope) -> Self {
        Self { method, url, scope, headers: HeaderMap::new(), payload: Payload::Empty, meter: None }
    }
}

/// An answer, and what was asked with.
struct Answer {
    response: Response,
    pass: Pass,
    /// Whether another host than the registry gave it.
    foreign: bool,
}

impl Host {
    pub(super) fn new(registry: &str, config: &ClientConfig) -> Result<Self, Failure> {
        let scheme = if config.is_plain(registry) { "http" } else { "https" };
        let address = if registry == DOCKER.0 { DOCKER.1 } else { registry };
        let base = Url::parse(&format!("{scheme}://{address}/v2/"));
        let base = base.map_err(|_| Failure::Protocol("a registry's name that is no address"))?;
        Ok(Self {
            base,
            auth: Auth::new(registry),
            no_referrers: AtomicBool::new(false),
            referrers_tag: Mutex::default(),
        })
    }

    /// The address of something in a repository, such as `manifests/latest`.
    pub(super) fn url(&self, repository: &RepositoryName, rest: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/v2/{}/{rest}", repository.path()));
        url
    }

    /// Asks, and expects one of `statuses`; any other is a failure.
    pub(super) async fn expect(&self, client: &Inner, ask: &Ask<'_>, statuses: &[u16]) -> Result<Response, Failure> {
        let answer = self.send(client, ask).await?;
        if statuses.contains(&answer.response.status().as_u16()) {
            return Ok(answer.response);
        }
        Err(self.failure(client, ask, answer).await)
    }

    /// Asks with what the registry wants to see, which it may have to say first.
    async fn send(&self, client: &Inner, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let pass = self.auth.pass(client, ask.scope).await?;
        let answer = self.follow(client, ask, pass).await?;
        let status = answer.response.status().as_u16();
        let lacking = status == 401 || (status == 403 && wants_more_scope(answer.response.headers()));
        if !lacking || answer.foreign || !self.auth.learn(answer.response.headers(), ask.scope, &answer.pass)? {
            return Ok(answer);
        }
        // Read to its end, so that the connection can be used again.
        let _ = body::read(answer.response, body::MAX_ERROR, client.config.patience.stall).await;
        let pass = self.auth.pass(client, ask.scope).await?;
        self.follow(client, ask, pass).await
    }

    /// Asks and follows redirects of what only reads. Credentials go to the registry itself only.
    async fn follow(&self, client: &Inner, ask: &Ask<'_>, pass: Pass) -> Result<Answer, Failure> {
        let mut url = ask.url.clone();
        for _ in 0..MAX_REDIRECTS {
            client.check_secure(&url)?;
            let own = url.origin() == self.base.origin();
            let mut headers = ask.headers.clone();
            if let Some(header) = pass.header.as_ref().filter(|_| own) {
                headers.insert(AUTHORIZATION, header.clone());
            }
            let response = client.transfer(&ask.method, &url, &headers, &ask.payload, ask.meter).await?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(Answer { response, pass, foreign: !own });
            }
            if ask.method != Method::GET && ask.method != Method::HEAD {
                return Err(Failure::Protocol("a request that changes something is sent elsewhere"));
            }
            url = location(&response, &url)?;
        }
        Err(Failure::Protocol("it sends from one address to the next without end"))
    }

    async fn failure(&self, client: &Inner, ask: &Ask<'_>, answer: Answer) -> Failure {
        let Answer { response, pass, foreign } = answer;
        let status = response.status().as_u16();
        let host = authority(response.url());
        let plain = response.url().scheme() == "http";
        let wants_more = wants_more_scope(response.headers()) && pass.is_somebody();
        let failure = body::failure(response, &client.config.patience, &self.auth.secrets()).await;
        match (status, failure) {
            // Who asks is known, and may not do this.
            (401, Failure::Status { said, .. }) if wants_more => Failure::Forbidden { scopes: ask.scope.texts(), said },
            (401, Failure::Status { said, .. } | Failure::Denied { said }) if !foreign => {
                Failure::Unauthorized { host: self.auth.registry().to_owned(), reason: pass.refused(), said }
            }
            (401, Failure::Status { said, .. }) => {
                Failure::Unauthorized { host, reason: super::Unauthorized::NoCredentials, said }
            }
            (403, Failure::Status { said, .. } | Failure::Denied { said }) => {
                Failure::Forbidden { scopes: ask.scope.texts(), said }
            }
            (400, Failure::Status { said, .. }) if plain && said.to_string().contains("HTTPS") => {
                Failure::WantsTls { host }
            }
            (_, other) => other,
        }
    }
}

/// Where an answer points to, from the address that gave it.
pub(super) fn location(response: &Response, from: &Url) -> Result<Url, Failure> {
    let header = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let header = header.ok_or(Failure::Protocol("it names no `Location`"))?;
    let mut url = from.join(header).map_err(|_| Failure::Protocol("its `Location` is no address"))?;
    // A registry behind a proxy may not know that it is spoken to over TLS.
    if (from.scheme(), url.scheme()) == ("https", "http") && from.host() == url.host() {
        let _ = (url.set_scheme("https"), url.set_port(from.port()));
    }
    Ok(url)
}

/// RFC 6750 section 3.1.
fn wants_more_scope(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
    texts.into_iter().any(|text| text.contains("insufficient_scope"))
}
