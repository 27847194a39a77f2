//! What is attached to a digest, and what of it is believed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    AttestationError, COSIGN_SIGN, DsseEnvelope, IN_TOTO, KeyId, Provenance, PublicKey, SLSA_PROVENANCE, SimpleSigning,
    Statement,
};
use crate::digest::Digest;

/// Something that a registry has attached to a digest. Nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// A signature in the form of simple signing.
    SimpleSigning {
        /// What is signed.
        payload: Vec<u8>,
        /// The signature.
        signature: Vec<u8>,
    },
    /// A signed envelope, from a bundle or on its own.
    Envelope(DsseEnvelope),
}

/// The form of a signature that is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureForm {
    /// Simple signing, as cosign keeps it under a tag.
    SimpleSigning,
    /// A statement in an envelope that says nothing but the digest, as cosign 3 attaches it.
    Statement,
}

/// A signature over a digest by a key that is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TrustedSignature {
    /// Whose.
    pub key: KeyId,
    /// In which form.
    pub form: SignatureForm,
}

/// A statement about a digest by a key that is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustedStatement {
    /// Whose.
    pub key: KeyId,
    /// What kind of thing it says, a URI.
    pub predicate_type: String,
    /// What it says, as JSON text; empty when the type alone says it.
    #[serde(skip)]
    pub predicate: String,
}

/// What of the attachments of a digest is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trust {
    /// Signatures over the digest, each once.
    pub signatures: BTreeSet<TrustedSignature>,
    /// Statements about it that say more, in the order in which they were found, each once.
    pub statements: Vec<TrustedStatement>,
    /// Why others are not believed, each reason once.
    pub refused: BTreeSet<String>,
}

impl Trust {
    /// Looks at every attachment of a digest with these keys.
    pub fn judge<'a>(about: Digest, attachments: impl IntoIterator<Item = &'a Attachment>, keys: &[PublicKey]) -> Self {
        let mut trust = Self::default();
        for attachment in attachments {
            if let Err(error) = trust.take(about, attachment, keys) {
                trust.refused.insert(error.to_string());
            }
        }
        trust
    }

    fn take(&mut self, about: Digest, attachment: &Attachment, keys: &[PublicKey]) -> Result<(), AttestationError> {
        match attachment {
            Attachment::SimpleSigning { payload, signature } => {
                let (_, verified) = SimpleSigning::verify(payload, signature, about, keys)?;
                let form = SignatureForm::SimpleSigning;
                self.signatures.insert(TrustedSignature { key: verified.key, form });
            }
            Attachment::Envelope(envelope) => {
                let verified = envelope.verify(IN_TOTO, keys)?;
                let statement = Statement::parse(verified.payload, about)?;
                if statement.predicate_type() == COSIGN_SIGN {
                    let form = SignatureForm::Statement;
                    self.signatures.insert(TrustedSignature { key: verified.key, form });
                    return Ok(());
                }
                let predicate = statement.predicate().map(|predicate| predicate.get().to_owned()).unwrap_or_default();
                let predicate_type = statement.predicate_type().to_owned();
                let statement = TrustedStatement { key: verified.key, predicate_type, predicate };
                if !self.statements.contains(&statement) {
                    self.statements.push(statement);
                }
            }
        }
        Ok(())
    }

    /// Whether a key that is believed signed the digest, or said something of it under its signature.
    pub fn is_signed(&self) -> bool {
        !self.signatures.is_empty()
    }

    /// The keys that are believed and say something of the digest.
    pub fn keys(&self) -> BTreeSet<KeyId> {
        let signed = self.signatures.iter().map(|signature| signature.key);
        signed.chain(self.statements.iter().map(|statement| statement.key)).collect()
    }

    /// The provenances by plywood among the statements.
    pub fn provenances(&self) -> impl Iterator<Item = (KeyId, Provenance)> {
        let slsa = self.statements.iter().filter(|statement| statement.predicate_type == SLSA_PROVENANCE);
        slsa.filter_map(|statement| Some((statement.key, Provenance::parse(&statement.predicate).ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::attest::{KeyAlgorithm, PrivateKey};
    use crate::oci::to_json;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_random(KeyAlgorithm::Ed25519, &Zeroizing::new([seed; 32])).expect("a key")
    }

    fn simple(about: &[u8], key: &PrivateKey) -> Attachment {
        let payload = SimpleSigning { reference: "r/a".to_owned(), digest: Digest::of(about) }.to_payload();
        Attachment::SimpleSigning { signature: key.sign(&payload), payload }
    }

    fn statement(about: &[u8], kind: &str, key: &PrivateKey) -> Attachment {
        let statement = Statement::about("a", Digest::of(about), kind, "said");
        Attachment::Envelope(DsseEnvelope::sign(IN_TOTO, to_json(&statement), key))
    }

    #[test]
    fn only_what_believed_keys_say_of_the_digest_counts() {
        let (ours, theirs) = (key(1), key(2));
        let attachments = [
            simple(b"image", &ours),
            simple(b"image", &ours),
            simple(b"image", &theirs),
            simple(b"other", &ours),
            statement(b"image", COSIGN_SIGN, &ours),
            statement(b"image", "https://example.com/tests", &ours),
            statement(b"image", "https://example.com/tests", &ours),
            statement(b"other", "https://example.com/tests", &ours),
            statement(b"image", "https://example.com/tests", &theirs),
        ];
        let trust = Trust::judge(Digest::of(b"image"), &attachments, &[ours.public().clone()]);
        let id = ours.public().id();
        let forms = [SignatureForm::SimpleSigning, SignatureForm::Statement];
        assert_eq!(trust.signatures, forms.map(|form| TrustedSignature { key: id, form }).into());
        let said: Vec<_> = trust.statements.iter().map(|it| (it.key, it.predicate.as_str())).collect();
        assert_eq!(said, [(id, "\"said\"")]);
        assert_eq!(trust.keys(), [id].into());
        assert_eq!(trust.refused.len(), 2, "{:?}", trust.refused);
        let nobody = Trust::judge(Digest::of(b"image"), &attachments, &[]);
        assert!(!nobody.is_signed() && nobody.statements.is_empty());
    }
}
