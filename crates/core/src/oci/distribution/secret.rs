//! Secrets, which nothing shows.

use std::fmt;

use serde::Deserialize;

/// A password or token. It has no text form; [`Secret::expose`] is where it goes out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a client identifies itself with at a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user and a password, or a token in the password's place (RFC 7617).
    Basic {
        /// Who.
        user: String,
        /// The secret.
        password: Secret,
    },
    /// A long-lived token that the registry's token service exchanges for short ones (OAuth 2 `refresh_token`).
    Identity(Secret),
    /// A token that the registry itself takes (RFC 6750).
    Bearer(Secret),
}

impl Credential {
    /// The secret in it.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Basic { password, .. } => password,
            Self::Identity(token) | Self::Bearer(token) => token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let basic = Credential::Basic { user: "anna".to_owned(), password: Secret::new("sesame") };
        assert_eq!(format!("{basic:?}"), r#"Basic { user: "anna", password: *** }"#);
        assert_eq!(format!("{:?}", Credential::Identity(Secret::new("sesame"))), "Identity(***)");
    }
}
