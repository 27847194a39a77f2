//! What a token service answers (distribution's token specification; OAuth 2, RFC 6749 section 5.1).

use serde::Deserialize;

use super::Secret;

/// The largest answer that is read, in bytes.
const MAX_LENGTH: usize = 1 << 20;
/// How long a token lives when the service does not say, in seconds.
const DEFAULT_LIFE: u64 = 60;

/// Why an answer holds no token. The answer is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseTokenError {
    /// It is no JSON of the expected shape, or too long.
    #[error("the token service's answer cannot be read")]
    Json,
    /// It has no token.
    #[error("the token service's answer has no token")]
    Missing,
    /// The token cannot be sent in a header.
    #[error("the token service's token has characters that no header can hold")]
    Unusable,
}

/// A token and how long it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenResponse {
    /// For the registry.
    pub token: Secret,
    /// Seconds from now until it expires.
    pub life: u64,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    token: Option<Secret>,
    #[serde(default)]
    access_token: Option<Secret>,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl TokenResponse {
    /// Reads the answer.
    ///
    /// # Errors
    /// When it holds no token that could be sent.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseTokenError> {
        if bytes.len() > MAX_LENGTH {
            return Err(ParseTokenError::Json);
        }
        let body: Body = serde_json::from_slice(bytes).map_err(|_| ParseTokenError::Json)?;
        let token = [body.token, body.access_token].into_iter().flatten().find(|token| !token.is_empty());
        let token = token.ok_or(ParseTokenError::Missing)?;
        if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ParseTokenError::Unusable);
        }
        // The specification's least: services that say 0 mean that they do not know.
        let life = body.expires_in.filter(|life| *life > 0).unwrap_or(DEFAULT_LIFE);
        Ok(Self { token, life })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_are_read() {
        use ParseTokenError::{Json, Missing, Unusable};
        let check = |body: &str, expect: Result<(&str, u64), ParseTokenError>| {
            let found = TokenResponse::parse(body.as_bytes());
            assert_eq!(found.as_ref().map(|found| (found.token.expose(), found.life)).map_err(|error| *error), expect);
        };
        check(r#"{"token":"a","expires_in":300,"issued_at":"2026-01-01T00:00:00Z"}"#, Ok(("a", 300)));
        check(r#"{"access_token":"b","token":""}"#, Ok(("b", 60)));
        check(r#"{"token":"a","expires_in":0}"#, Ok(("a", 60)));
        check("{}", Err(Missing));
        check(r#"{"token":"a\nb"}"#, Err(Unusable));
        check("<html>", Err(Json));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = TokenResponse::parse(&bytes);
        }
    }
}
