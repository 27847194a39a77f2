//! Who may enter: nobody is asked, a password, or tokens of a service in the same process.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;

use crate::http::{Request, Response};

/// Who may enter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Login {
    /// Everybody.
    #[default]
    Open,
    /// Who knows user and password, in every request.
    Basic {
        /// Who.
        user: String,
        /// The secret.
        password: String,
    },
    /// Who has a token. The service gives those for reading to everybody.
    Token {
        /// Who gets tokens for more than reading.
        user: String,
        /// The secret.
        password: String,
        /// What is exchanged for such tokens as well.
        identity: String,
        /// Whether the user gets tokens for reading only nevertheless.
        read_only: bool,
    },
}

#[derive(Debug, Default)]
pub(super) struct Auth {
    pub(super) login: Login,
    /// What each token is good for.
    tokens: BTreeMap<String, BTreeSet<String>>,
    expired: BTreeSet<String>,
    /// Repositories that nobody gets a token for.
    pub(super) hidden: BTreeSet<String>,
}

impl Auth {
    pub(super) fn expire(&mut self) {
        self.expired.extend(std::mem::take(&mut self.tokens).into_keys());
    }

    /// What a request that may not be done is answered.
    pub(super) fn refuse(&self, request: &Request, host: &str, needs: &[String]) -> Option<Response> {
        let sent = request.headers.get("authorization").map(String::as_str);
        match &self.login {
            Login::Open => None,
            Login::Basic { user, password } => (sent != Some(&basic(user, password)))
                .then(|| unauthorized().header("WWW-Authenticate", "Basic realm=\"test\"")),
            Login::Token { .. } => {
                let token = sent.and_then(|sent| sent.strip_prefix("Bearer ")).unwrap_or_default();
                let error = match self.tokens.get(token) {
                    Some(scopes) if needs.iter().all(|need| scopes.contains(need)) => return None,
                    Some(_) => ",error=\"insufficient_scope\"",
                    None if self.expired.contains(token) => ",error=\"invalid_token\"",
                    None => "",
                };
                let needs = needs.join(" ");
                let challenge =
                    format!("Bearer realm=\"http://{host}/token\",service=\"test\",scope=\"{needs}\"{error}");
                Some(unauthorized().header("WWW-Authenticate", challenge))
            }
        }
    }

    /// The token service. `life` is what it says of tokens, in seconds.
    pub(super) fn give_token(&mut self, request: &Request) -> Response {
        let Login::Token { user, password, identity, read_only } = &self.login else { return Response::status(404) };
        let fields = if request.method == "POST" { &String::from_utf8_lossy(&request.body) } else { &*request.query };
        let fields = parse_form(fields);
        let values = |name: &'static str| fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value);
        let sent = request.headers.get("authorization");
        let known = match (request.method.as_str(), sent) {
            ("POST", _) => values("refresh_token").next() == Some(identity),
            (_, Some(sent)) => *sent == basic(user, password),
            (_, None) => false,
        };
        if !known && (sent.is_some() || request.method == "POST") {
            return unauthorized();
        }
        let mut scopes = BTreeSet::new();
        for scope in values("scope").flat_map(|scopes| scopes.split(' ')) {
            let Some((resource, actions)) = scope.rsplit_once(':') else { continue };
            if resource.strip_prefix("repository:").is_some_and(|name| self.hidden.contains(name)) {
                continue;
            }
            let granted = actions.split(',').filter(|action| *action == "pull" || (known && !read_only));
            scopes.extend(granted.map(|action| format!("{resource}:{action}")));
        }
        let token = format!("token-{}", self.tokens.len() + self.expired.len());
        self.tokens.insert(token.clone(), scopes);
        Response::ok(format!("{{\"token\":\"{token}\",\"expires_in\":300}}"))
    }
}

fn unauthorized() -> Response {
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    Response { body: body.into(), ..Response::status(401) }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()))
}

/// Fields of a form or query.
pub(super) fn parse_form(text: &str) -> Vec<(String, String)> {
    let field = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        (decoded(name), decoded(value))
    };
    text.split('&').filter(|field| !field.is_empty()).map(field).collect()
}

fn decoded(text: &str) -> String {
    crate::files::decoded(&text.replace('+', " "))
}
