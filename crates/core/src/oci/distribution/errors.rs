//! What a registry says about a failure (distribution-spec, "Error Codes"), made fit to be shown.

use std::fmt;

use serde::Deserialize;

const MAX_ERRORS: usize = 4;
const MAX_MESSAGE: usize = 240;
const MAX_CODE: usize = 48;

/// A registry's code for a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorCode {
    /// `BLOB_UNKNOWN`.
    BlobUnknown,
    /// `BLOB_UPLOAD_INVALID`.
    BlobUploadInvalid,
    /// `BLOB_UPLOAD_UNKNOWN`.
    BlobUploadUnknown,
    /// `DIGEST_INVALID`.
    DigestInvalid,
    /// `MANIFEST_BLOB_UNKNOWN`.
    ManifestBlobUnknown,
    /// `MANIFEST_INVALID`.
    ManifestInvalid,
    /// `MANIFEST_UNKNOWN`.
    ManifestUnknown,
    /// `NAME_UNKNOWN`.
    NameUnknown,
    /// `UNAUTHORIZED`.
    Unauthorized,
    /// `DENIED`.
    Denied,
    /// `UNSUPPORTED`.
    Unsupported,
    /// `TOOMANYREQUESTS`.
    TooManyRequests,
    /// Any other.
    Other,
}

/// What a registry said, bounded, on one line, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// What the code means.
    pub code: ErrorCode,
    /// The code as it came; empty when there was none.
    name: String,
    /// For people.
    message: String,
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name.as_str(), self.message.as_str()) {
            ("", message) => f.write_str(message),
            (name, "") => f.write_str(name),
            (name, message) => write!(f, "{name}: {message}"),
        }
    }
}

impl Quoted {
    /// The same with every one of `secrets` in it replaced: a registry may repeat what it was told.
    #[must_use]
    pub fn without<'s>(mut self, secrets: impl IntoIterator<Item = &'s str>) -> Self {
        for secret in secrets {
            // Shorter ones would tear ordinary words apart, and are no secrets.
            if secret.len() >= 4 {
                self.name = self.name.replace(secret, "***");
                self.message = self.message.replace(secret, "***");
            }
        }
        self
    }
}

#[derive(Deserialize)]
struct Body {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Token services answer so (RFC 6749 section 5.2), some with `details`.
#[derive(Deserialize)]
struct OauthBody {
    #[serde(alias = "details")]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

/// Reads the body of an answer that tells of a failure. Whatever it is, what comes back may be shown: other texts give
/// one message, pages of HTML nothing.
pub fn parse_errors(body: &[u8]) -> Vec<Quoted> {
    if let Ok(Body { errors }) = serde_json::from_slice::<Body>(body) {
        let of = |entry: Entry| quoted(entry.code.as_deref(), entry.message.as_deref().unwrap_or_default());
        return errors.into_iter().take(MAX_ERRORS).map(of).collect();
    }
    if let Ok(OauthBody { error: Some(error), error_description }) = serde_json::from_slice(body) {
        return vec![quoted(Some(&error), &error_description.unwrap_or_default())];
    }
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.is_empty() || line.starts_with(['<', '{', '[']) { Vec::new() } else { vec![quoted(None, line)] }
}

fn quoted(name: Option<&str>, message: &str) -> Quoted {
    let name = quote(name.unwrap_or_default(), MAX_CODE);
    let code = match name.as_str() {
        "BLOB_UNKNOWN" => ErrorCode::BlobUnknown,
        "BLOB_UPLOAD_INVALID" => ErrorCode::BlobUploadInvalid,
        "BLOB_UPLOAD_UNKNOWN" => ErrorCode::BlobUploadUnknown,
        "DIGEST_INVALID" => ErrorCode::DigestInvalid,
        "MANIFEST_BLOB_UNKNOWN" => ErrorCode::ManifestBlobUnknown,
        "MANIFEST_INVALID" => ErrorCode::ManifestInvalid,
        "MANIFEST_UNKNOWN" => ErrorCode::ManifestUnknown,
        "NAME_UNKNOWN" => ErrorCode::NameUnknown,
        "UNAUTHORIZED" => ErrorCode::Unauthorized,
        "DENIED" => ErrorCode::Denied,
        "UNSUPPORTED" => ErrorCode::Unsupported,
        "TOOMANYREQUESTS" => ErrorCode::TooManyRequests,
        _ => ErrorCode::Other,
    };
    Quoted { code, name, message: quote(message, MAX_MESSAGE) }
}

/// At most `limit` characters of a text from outside, on one line, without what a terminal would obey.
pub fn quote(text: &str, limit: usize) -> String {
    // Besides control characters those that turn the direction of writing.
    let obeyed = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let clean = |c: char| if c.is_whitespace() { Some(' ') } else { (!obeyed(c)).then_some(c) };
    let mut kept: Vec<char> = text.chars().filter_map(clean).take(limit + 1).collect();
    if kept.len() > limit {
        kept.truncate(limit.saturating_sub(1));
        kept.push('…');
    }
    kept.into_iter().collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_registries_say_is_quoted() {
        let check = |body: &str, expect: &[&str]| {
            let found: Vec<String> = parse_errors(body.as_bytes()).iter().map(Quoted::to_string).collect();
            assert_eq!(found, expect, "{body}");
        };
        check(r#"{"errors":[{"code":"DENIED","message":"no","detail":{"x":1}}]}"#, &["DENIED: no"]);
        check(r#"{"errors":[{"code":"DENIED"},{"message":"why"}]}"#, &["DENIED", "why"]);
        check(r#"{"details":"incorrect username or password"}"#, &["incorrect username or password"]);
        check(r#"{"error":"invalid_grant","error_description":"gone"}"#, &["invalid_grant: gone"]);
        check(
            "Client sent an HTTP request to an HTTPS server.\n",
            &["Client sent an HTTP request to an HTTPS server."],
        );
        check("<html>busy</html>", &[]);
        check("", &[]);
        check(r#"{"errors":[{"code":"A","message":"red\u001b[31m\u202e\nnext"}]}"#, &["A: red[31m next"]);
        let long = format!(r#"{{"errors":[{{"code":"A","message":"{}"}}]}}"#, "x".repeat(5000));
        check(&long, &[&format!("A: {}…", "x".repeat(MAX_MESSAGE - 1))]);
    }

    #[test]
    fn a_registry_that_repeats_a_secret_is_not_repeated() {
        let body = r#"{"errors":[{"code":"DENIED","message":"Basic sesame is wrong"}]}"#;
        let quoted = parse_errors(body.as_bytes()).remove(0).without(["sesame", "is"]);
        assert_eq!(
            (quoted.code.clone(), quoted.to_string()),
            (ErrorCode::Denied, "DENIED: Basic *** is wrong".to_owned())
        );
    }

    proptest! {
        #[test]
        fn whatever_came_may_be_shown(body in prop::collection::vec(any::<u8>(), 0..400)) {
            for quoted in parse_errors(&body) {
                let text = quoted.to_string();
                prop_assert!(!text.chars().any(char::is_control));
                prop_assert!(text.chars().count() <= MAX_CODE + MAX_MESSAGE + 2);
            }
        }
    }
}
