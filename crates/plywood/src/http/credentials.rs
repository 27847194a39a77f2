//! What plywood identifies itself with at a third-party repository.

use std::fmt;

use reqwest::header::HeaderValue;

/// A user with a password, or a token. Never shown and never recorded.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// HTTP Basic (RFC 7617).
    Basic {
        /// Who.
        user: String,
        /// The secret.
        password: String,
    },
    /// HTTP Bearer (RFC 6750).
    Bearer {
        /// The secret.
        token: String,
    },
}

/// A variable that the manifest names holds no usable secret; its value is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// It is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(String),
    /// It holds what cannot be sent in a header.
    #[error("the environment variable {0} holds control characters or is not UTF-8")]
    Unusable(String),
}

impl CredentialsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            CredentialsError::Missing(name) => Some(format!("set {name}, or take `auth` out of the repository")),
            CredentialsError::Unusable(_) => None,
        }
    }
}

impl Credentials {
    /// Takes user and password from two environment variables.
    ///
    /// # Errors
    /// When one of them is missing or cannot be sent.
    pub fn basic_from_env(user: &str, password: &str) -> Result<Self, CredentialsError> {
        Ok(Credentials::Basic { user: from_env(user)?, password: from_env(password)? })
    }

    /// Takes a token from an environment variable.
    ///
    /// # Errors
    /// When it is missing or cannot be sent.
    pub fn bearer_from_env(token: &str) -> Result<Self, CredentialsError> {
        Ok(Credentials::Bearer { token: from_env(token)? })
    }

    /// The value of the `Authorization` header, marked as sensitive; `None` if it cannot be sent.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Credentials::Basic { user, password } => {
                format!("Basic {}", data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes()))
            }
            Credentials::Bearer { token } => format!("Bearer {token}"),
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn from_env(name: &str) -> Result<String, CredentialsError> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Err(CredentialsError::Missing(name.to_owned())),
        Ok(value) if value.chars().any(char::is_control) => Err(CredentialsError::Unusable(name.to_owned())),
        Ok(value) => Ok(value),
        Err(std::env::VarError::NotPresent) => Err(CredentialsError::Missing(name.to_owned())),
        Err(std::env::VarError::NotUnicode(_)) => Err(CredentialsError::Unusable(name.to_owned())),
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let secret = Credentials::Basic { user: "anna".to_owned(), password: "sesame".to_owned() };
        assert_eq!(format!("{secret:?} {:?}", secret.header()), "Credentials(***) Some(Sensitive)");
        assert_eq!(secret.header().as_ref().map(HeaderValue::as_bytes), Some(b"Basic YW5uYTpzZXNhbWU=".as_slice()));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = Credentials::bearer_from_env("PLYWOOD_NO_SUCH_VARIABLE");
        assert_eq!(error, Err(CredentialsError::Missing("PLYWOOD_NO_SUCH_VARIABLE".to_owned())));
    }
}
