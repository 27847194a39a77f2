//! Why a text is no key.

/// Why a text is no key that plywood uses. Nothing of the text is repeated: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Longer than [`super::super::MAX_PEM`].
    #[error("the text is too long for a key")]
    TooLong,
    /// No PEM.
    #[error("the text is not a whole PEM block (`-----BEGIN …-----`)")]
    NotPem,
    /// More than one block.
    #[error("the text has more than one PEM block")]
    Several,
    /// A public key was wanted.
    #[error("the block is not a `PUBLIC KEY`")]
    NotPublic,
    /// A private key was given where a public one was wanted.
    #[error("the block is a private key where a public one is wanted")]
    PrivateForPublic,
    /// A public key was given where a private one was wanted.
    #[error("the block is a public key where a private one is wanted")]
    PublicForPrivate,
    /// A private key in a form that is not read.
    #[error("the block is not a `PRIVATE KEY`")]
    NotPrivate,
    /// An older form of private keys, SEC1's or PKCS #1's.
    #[error("the private key is not in PKCS #8 form")]
    OldForm,
    /// A private key that OpenSSL has encrypted (PKCS #8, RFC 5958 section 3).
    #[error("the private key is encrypted in the way of PKCS #8")]
    Encrypted,
    /// The block is not the key that its label says.
    #[error("the block's contents are not a valid key")]
    Contents,
    /// Neither Ed25519 nor ECDSA on P-256.
    #[error("the key is neither Ed25519 nor ECDSA on the curve P-256")]
    Algorithm,
    /// What cosign encrypts keys with, in a form that is not read.
    #[error("the key is encrypted in a way that cosign does not use, or that asks for too much memory")]
    Sealing,
    /// A key that cosign encrypted, and no password.
    #[error("the private key is encrypted by cosign and no password was given")]
    NoPassword,
    /// A key that cosign encrypted with another password.
    #[error("the password does not open the private key, or the key is damaged")]
    WrongPassword,
}

impl KeyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            KeyError::NotPem | KeyError::NotPrivate | KeyError::NotPublic | KeyError::Algorithm => {
                "make a pair of keys with `plywood key generate`".to_owned()
            }
            KeyError::OldForm => "convert it with `openssl pkcs8 -topk8 -nocrypt -in OLD.key -out NEW.key`".to_owned(),
            KeyError::Encrypted => "take the encryption off with `openssl pkcs8 -in OLD.key -out NEW.key`".to_owned(),
            KeyError::NoPassword => "put the password into COSIGN_PASSWORD".to_owned(),
            KeyError::WrongPassword => "see what COSIGN_PASSWORD holds".to_owned(),
            KeyError::PrivateForPublic => {
                "name the file of the public key, and never put the private one under version control".to_owned()
            }
            KeyError::PublicForPrivate => "name the file of the private key".to_owned(),
            KeyError::TooLong | KeyError::Several | KeyError::Contents | KeyError::Sealing => return None,
        })
    }
}
