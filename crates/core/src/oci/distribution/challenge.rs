//! `WWW-Authenticate`: how a registry wants to be asked (RFC 9110 section 11.6.1; distribution's token specification).

/// The longest header that is read, in bytes.
const MAX_LENGTH: usize = 16 << 10;
const MAX_CHALLENGES: usize = 16;
const MAX_PARAMETERS: usize = 32;

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// User and password in every request.
    Basic,
    /// A token of a token service.
    Bearer(BearerChallenge),
    /// A scheme that is not spoken here, in lower case.
    Other(String),
}

/// Where tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerChallenge {
    /// The token service's URL.
    pub realm: String,
    /// What the token service knows the registry as.
    pub service: Option<String>,
    /// What the request needs, such as `repository:team/app:pull`.
    pub scopes: Vec<String>,
    /// What is wrong with the token that came with the request, such as `invalid_token` (RFC 6750 section 3.1).
    pub error: Option<String>,
}

/// Why a header is no list of challenges. The header itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseChallengeError {
    /// It, or the list in it, is longer than any registry's.
    #[error("the header `WWW-Authenticate` is too long")]
    TooLong,
    /// It breaks the grammar.
    #[error("the header `WWW-Authenticate` cannot be read at byte {0}")]
    Syntax(usize),
    /// A parameter comes twice, so that it is unclear which one holds.
    #[error("the header `WWW-Authenticate` has a parameter twice")]
    Duplicate,
    /// A bearer challenge does not say where tokens come from.
    #[error("the header `WWW-Authenticate` names no `realm`")]
    NoRealm,
}

/// Parses the header's value.
///
/// # Errors
/// When it is too long or no list of challenges.
pub fn parse_challenges(header: &str) -> Result<Vec<Challenge>, ParseChallengeError> {
    if header.len() > MAX_LENGTH {
        return Err(ParseChallengeError::TooLong);
    }
    let mut scanner = Scanner { bytes: header.as_bytes(), at: 0 };
    let mut challenges = Vec::new();
    loop {
        scanner.skip(b" \t,");
        if scanner.peek().is_none() {
            return Ok(challenges);
        }
        if challenges.len() == MAX_CHALLENGES {
            return Err(ParseChallengeError::TooLong);
        }
        let scheme = scanner.token()?.to_ascii_lowercase();
        let parameters = if scanner.skip(b" ") > 0 && !scanner.skip_token68() { scanner.parameters()? } else { vec![] };
        scanner.skip(b" \t");
        if !matches!(scanner.peek(), None | Some(b',')) {
            return Err(ParseChallengeError::Syntax(scanner.at));
        }
        challenges.push(challenge(scheme, &parameters)?);
    }
}

fn challenge(scheme: String, parameters: &[(String, String)]) -> Result<Challenge, ParseChallengeError> {
    let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    Ok(match scheme.as_str() {
        "basic" => Challenge::Basic,
        "bearer" => Challenge::Bearer(BearerChallenge {
            realm: get("realm").filter(|realm| !realm.is_empty()).ok_or(ParseChallengeError::NoRealm)?,
            service: get("service"),
            scopes: get("scope").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
            error: get("error"),
        }),
        _ => Challenge::Other(scheme),
    })
}

struct Scanner<'h> {
    bytes: &'h [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips any of `set`; how many.
    fn skip(&mut self, set: &[u8]) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| set.contains(byte)).count();
        self.at += count;
        count
    }

    fn token(&mut self) -> Result<String, ParseChallengeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let token: String = rest.iter().take_while(|byte| is_token(**byte)).map(|byte| char::from(*byte)).collect();
        if token.is_empty() {
            return Err(ParseChallengeError::Syntax(self.at));
        }
        self.at += token.len();
        Ok(token)
    }

    /// Skips a `token68`, if that is all that follows the scheme.
    fn skip_token68(&mut self) -> bool {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
        self.at += rest.iter().take_while(word).count();
        let found = self.at > start;
        self.skip(b"=");
        let end = self.at;
        self.skip(b" \t");
        if found && matches!(self.peek(), None | Some(b',')) {
            self.at = end;
            return true;
        }
        self.at = start;
        false
    }

    /// Parameters up to the end or the next challenge, by lower-case name.
    fn parameters(&mut self) -> Result<Vec<(String, String)>, ParseChallengeError> {
        let mut found: Vec<(String, String)> = Vec::new();
        loop {
            let start = self.at;
            let name = self.token()?.to_ascii_lowercase();
            self.skip(b" \t");
            if self.peek() != Some(b'=') {
                if found.is_empty() {
                    return Err(ParseChallengeError::Syntax(self.at));
                }
                // The next challenge's scheme.
                self.at = start;
                return Ok(found);
            }
            self.at += 1;
            self.skip(b" \t");
            let value = if self.peek() == Some(b'"') { self.quoted()? } else { self.token()? };
            if found.iter().any(|(other, _)| *other == name) {
                return Err(ParseChallengeError::Duplicate);
            }
            if found.len() == MAX_PARAMETERS {
                return Err(ParseChallengeError::TooLong);
            }
            found.push((name, value));
            let end = self.at;
            self.skip(b" \t");
            if self.peek() != Some(b',') {
                return Ok(found);
            }
            self.skip(b" \t,");
            if self.peek().is_none_or(|byte| !is_token(byte)) {
                self.at = end;
                return Ok(found);
            }
            // Looks ahead: a scheme leaves the comma to the caller.
            let next = self.at;
            self.token()?;
            self.skip(b" \t");
            self.at = if self.peek() == Some(b'=') { next } else { end };
            if self.at == end {
                return Ok(found);
            }
        }
    }

    fn quoted(&mut self) -> Result<String, ParseChallengeError> {
        let mut value = Vec::new();
        self.at += 1;
        loop {
            let byte = self.peek().ok_or(ParseChallengeError::Syntax(self.at))?;
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => value.push(self.peek().ok_or(ParseChallengeError::Syntax(self.at))?),
                0..=8 | 10..=31 | 127 => return Err(ParseChallengeError::Syntax(self.at - 1)),
                other => value.push(other),
            }
            self.at += usize::from(byte == b'\\');
        }
        String::from_utf8(value).map_err(|_| ParseChallengeError::Syntax(self.at))
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scopes: &[&str], error: Option<&str>) -> Challenge {
        Challenge::Bearer(BearerChallenge {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            error: error.map(str::to_owned),
        })
    }

    #[test]
    fn challenges_of_registries_are_read() {
        let check = |header: &str, expect: &[Challenge]| assert_eq!(parse_challenges(header).as_deref(), Ok(expect));
        check(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
            &[bearer("https://auth.docker.io/token", Some("registry.docker.io"), &["repository:a/b:pull,push"], None)],
        );
        check(
            r#"bearer Realm = "https://h/t" , scope="a:b:pull c:d:push",error="invalid_token""#,
            &[bearer("https://h/t", None, &["a:b:pull", "c:d:push"], Some("invalid_token"))],
        );
        check(r#"Basic realm="Registry \"Realm\"""#, &[Challenge::Basic]);
        check("Basic", &[Challenge::Basic]);
        let other = || Challenge::Other("negotiate".to_owned());
        check(
            r#"Negotiate, Negotiate YWJj==, Bearer realm=x,service="s, t", Basic realm="r""#,
            &[other(), other(), bearer("x", Some("s, t"), &[], None), Challenge::Basic],
        );
        check("", &[]);
        check(" , ,", &[]);
    }

    #[test]
    fn what_is_no_challenge_is_refused() {
        use ParseChallengeError::{Duplicate, NoRealm, Syntax, TooLong};
        for (header, error) in [
            (r#"Bearer realm="a",realm="b""#, Duplicate),
            ("Bearer", NoRealm),
            (r#"Bearer service="x""#, NoRealm),
            (r#"Bearer realm="open"#, Syntax(18)),
            ("Bearer realm=\"a\u{1}\"", Syntax(15)),
            ("\"x\"", Syntax(0)),
            (&"Basic,".repeat(17), TooLong),
            (&"x".repeat(MAX_LENGTH + 1), TooLong),
        ] {
            assert_eq!(parse_challenges(header), Err(error), "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(header in "\\PC{0,80}|(Bearer|Basic|[a-z=\",\\\\ ]){0,20}") {
            let _ = parse_challenges(&header);
        }
    }
}
