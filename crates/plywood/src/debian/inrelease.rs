//! `InRelease`: an archive's table of contents inside its own signature (RFC 9580 section 7, "Cleartext Signature
//! Framework"; Debian's wiki, `DebianRepository/Format`).

use std::time::{SystemTime, UNIX_EPOCH};

use pgp::composed::CleartextSignedMessage;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Timestamp, VerifyingKey};
use rpgpie::certificate::{Certificate, Checked};

use super::keyring::Keyring;

/// Debian's largest has 193 kB.
pub const MAX_BYTES: usize = 1 << 20;

/// The parser's time grows with bytes times lines; Debian's longest has 2,000.
const MAX_LINES: usize = 16_384;

/// Why an `InRelease` is not believed.
#[derive(Debug, thiserror::Error)]
pub enum InReleaseError {
    /// It is larger than any real one.
    #[error("it has more than {MAX_BYTES} bytes or {MAX_LINES} lines")]
    TooLarge,
    /// There is no signature in it.
    #[error("it is not signed")]
    Unsigned,
    /// Its signature is damaged, or there is text before or after the signed part.
    #[error("its signature cannot be read")]
    Syntax(#[source] Box<pgp::errors::Error>),
    /// None of the keys that signed it is in the keyring.
    #[error("it is signed by a key that is not trusted: {}", .issuers.join(", "))]
    UnknownKey {
        /// Fingerprints, or key ids where the signature has no more.
        issuers: Vec<String>,
    },
    /// A trusted key signed something else.
    #[error("it was changed after {fingerprint} signed it")]
    Tampered {
        /// Of the key that the signature names.
        fingerprint: String,
    },
    /// The key is trusted no longer.
    #[error("the key {fingerprint} that signed it has expired")]
    KeyExpired {
        /// Of the key.
        fingerprint: String,
    },
    /// The key's owner took it back.
    #[error("the key {fingerprint} that signed it is revoked")]
    KeyRevoked {
        /// Of the key.
        fingerprint: String,
    },
    /// Whoever breaks the digest forges the signature.
    #[error("it is signed over {digest}, which is too weak")]
    WeakDigest {
        /// As OpenPGP calls it, such as `SHA1`.
        digest: String,
    },
    /// The signature itself ended, comes from the future, is of another kind, or its key may not sign.
    #[error("the signature by {fingerprint} does not count: it has ended, lies in the future or its key may not sign")]
    NotValid {
        /// Of the key that the signature names.
        fingerprint: String,
    },
}

impl InReleaseError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            InReleaseError::UnknownKey { .. } => {
                Some("check that the repository's `key` is the one its owner publishes".to_owned())
            }
            InReleaseError::KeyExpired { .. } | InReleaseError::KeyRevoked { .. } => {
                Some("get the current key from the repository's owner".to_owned())
            }
            InReleaseError::Unsigned => Some("plywood reads signed repositories only".to_owned()),
            InReleaseError::NotValid { .. } => Some("check this machine's clock".to_owned()),
            _ => None,
        }
    }
}

/// Checks an `InRelease` and returns the signed text with `\n` line ends.
///
/// One good signature is enough: Debian signs with the keys of two releases, so that both old and new systems know one.
/// It must be made over SHA-2 or SHA-3, by a key that could sign at the instant `at` and is not revoked.
///
/// # Errors
/// When no signature is good; the error tells of the one by a key of the keyring, if there is one.
pub fn verify(bytes: &[u8], keyring: &Keyring, at: SystemTime) -> Result<String, InReleaseError> {
    let message = parse(bytes)?;
    let text = message.signed_text();
    let at = timestamp(at);
    let mut unknown = Vec::new();
    let mut failure = None;
    for signature in message.signatures() {
        match check(signature, text.as_bytes(), keyring, at) {
            Ok(()) => return Ok(text.replace("\r\n", "\n")),
            Err(InReleaseError::UnknownKey { issuers }) => unknown.extend(issuers),
            Err(other) => failure = failure.or(Some(other)),
        }
    }
    Err(match failure {
        Some(failure) => failure,
        None if message.signatures().is_empty() => InReleaseError::Unsigned,
        None => InReleaseError::UnknownKey { issuers: unknown },
    })
}

fn parse(bytes: &[u8]) -> Result<CleartextSignedMessage, InReleaseError> {
    if bytes.len() > MAX_BYTES || bytes.iter().filter(|byte| **byte == b'\n').count() > MAX_LINES {
        return Err(InReleaseError::TooLarge);
    }
    if !bytes.trim_ascii_start().starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----") {
        return Err(InReleaseError::Unsigned);
    }
    let (message, _) =
        CleartextSignedMessage::from_armor(bytes).map_err(|source| InReleaseError::Syntax(Box::new(source)))?;
    Ok(message)
}

fn timestamp(at: SystemTime) -> Timestamp {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Timestamp::from_secs(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// Tries one signature with every certificate it may come from.
fn check(signature: &Signature, text: &[u8], keyring: &Keyring, at: Timestamp) -> Result<(), InReleaseError> {
    let mut failure = None;
    for certificate in keyring.certificates().iter().filter(|certificate| may_have_issued(certificate, signature)) {
        match check_by(signature, text, certificate, at) {
            Ok(()) => return Ok(()),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| InReleaseError::UnknownKey { issuers: issuers(signature) }))
}

fn check_by(
    signature: &Signature,
    text: &[u8],
    certificate: &Certificate,
    at: Timestamp,
) -> Result<(), InReleaseError> {
    let checked = Checked::new(certificate.clone());
    let verifiers = checked.valid_signing_capable_component_keys_at(at);
    let good = verifiers.iter().any(|verifier| verifier.verify(signature, text).is_ok());
    if good && is_strong(signature) && counts(signature, at) {
        return Ok(());
    }
    Err(diagnose(signature, text, &checked, at))
}

/// Why a signature that a certificate may have issued does not count, most telling reason first.
fn diagnose(signature: &Signature, text: &[u8], checked: &Checked, at: Timestamp) -> InReleaseError {
    let fingerprint = format!("{:X}", checked.fingerprint());
    let keys = checked.as_signed_public_key();
    let genuine = made_by(signature, text, &keys.primary_key)
        || keys.public_subkeys.iter().any(|subkey| made_by(signature, text, &subkey.key));
    if !genuine {
        return InReleaseError::Tampered { fingerprint };
    }
    if !is_strong(signature) {
        let digest = signature.hash_alg().map_or_else(|| "an unknown digest".to_owned(), |hash| hash.to_string());
        return InReleaseError::WeakDigest { digest };
    }
    if checked.revoked_at(at) {
        return InReleaseError::KeyRevoked { fingerprint };
    }
    let signs_at = |instant| !checked.valid_signing_capable_component_keys_at(instant).is_empty();
    let has_run_out = !signs_at(at) && signature.created().is_some_and(|made| made <= at && signs_at(made));
    if has_run_out {
        return InReleaseError::KeyExpired { fingerprint };
    }
    InReleaseError::NotValid { fingerprint }
}

fn made_by(signature: &Signature, text: &[u8], key: &impl VerifyingKey) -> bool {
    signature.verify(key, text).is_ok()
}

/// SHA-2 and SHA-3 with at least 256 bits; apt trusts the same.
fn is_strong(signature: &Signature) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(signature.hash_alg(), Some(Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512))
}

/// Whether the signature is one over a document, and has not ended.
fn counts(signature: &Signature, at: Timestamp) -> bool {
    let document = matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary));
    let ended = match (signature.created(), signature.signature_expiration_time()) {
        (Some(made), Some(lasts)) if lasts.as_secs() != 0 => {
            u64::from(made.as_secs()) + u64::from(lasts.as_secs()) < u64::from(at.as_secs())
        }
        _ => false,
    };
    document && !ended
}

/// Whether the signature names a key of the certificate, or names none.
fn may_have_issued(certificate: &Certificate, signature: &Signature) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    let ids = signature.issuer_key_id();
    if fingerprints.is_empty() && ids.is_empty() {
        return true;
    }
    let keys = pgp::composed::SignedPublicKey::from(certificate.clone());
    let named = |fingerprint: &pgp::types::Fingerprint, id: &pgp::types::KeyId| {
        fingerprints.contains(&fingerprint) || ids.contains(&id)
    };
    named(&keys.primary_key.fingerprint(), &keys.primary_key.legacy_key_id())
        || keys.public_subkeys.iter().any(|subkey| named(&subkey.key.fingerprint(), &subkey.key.legacy_key_id()))
}

fn issuers(signature: &Signature) -> Vec<String> {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        return signature.issuer_key_id().into_iter().map(|id| id.to_string().to_uppercase()).collect();
    }
    fingerprints.into_iter().map(|fingerprint| format!("{fingerprint:X}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plywood_testkit::TestKey;
    use plywood_testkit::signing::SIGN_TIME;
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Origin: Test\n- dashed\nSHA256:\n 00 1 Packages\n";

    fn at() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::from(SIGN_TIME) + 60)
    }

    fn signed() -> (Vec<u8>, Keyring) {
        let key = TestKey::new("inrelease");
        (key.clearsign(TEXT), Keyring::parse(&key.public()).expect("a key"))
    }

    #[test]
    fn the_signed_text_comes_out() {
        let (signed, keyring) = signed();
        assert_eq!(verify(&signed, &keyring, at()).expect("a good signature").trim_end(), TEXT.trim_end());
        let crlf = String::from_utf8(signed).expect("UTF-8").replace('\n', "\r\n");
        assert_eq!(verify(crlf.as_bytes(), &keyring, at()).expect("a good signature").trim_end(), TEXT.trim_end());
    }

    #[test]
    fn a_signature_from_before_its_key_does_not_count() {
        let (signed, keyring) = signed();
        let error = verify(&signed, &keyring, UNIX_EPOCH).expect_err("no key existed then");
        assert!(matches!(error, InReleaseError::NotValid { .. }), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let keyring = signed().1;
            let framed = [b"-----BEGIN PGP SIGNED MESSAGE-----\n\n", bytes.as_slice()].concat();
            prop_assert!(verify(&bytes, &keyring, at()).is_err());
            prop_assert!(verify(&framed, &keyring, at()).is_err());
        }

        #[test]
        fn nothing_else_passes(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let (mut signed, keyring) = signed();
            let place = place.index(signed.len());
            signed[place] = byte;
            if let Ok(text) = verify(&signed, &keyring, at()) {
                prop_assert_eq!(text.trim_end(), TEXT.trim_end());
            }
        }
    }
}
