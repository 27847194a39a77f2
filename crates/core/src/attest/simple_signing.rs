//! Signatures in the form of "simple signing" (containers/image, "Atomic container signature"), as cosign keeps them under tags.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::{AttestationError, parse};
use super::{PublicKey, Verified};
use crate::digest::Digest;

const TYPE: &str = "cosign container image signature";
const WHAT: &str = "simple-signing payload";

/// What is signed: that an image of this digest is known by this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleSigning {
    /// The repository without a tag, such as `ghcr.io/team/base`.
    pub reference: String,
    /// The digest of the manifest or index.
    pub digest: Digest,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    #[serde(default)]
    optional: Option<Box<RawValue>>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: Digest,
}

impl SimpleSigning {
    /// The bytes to sign.
    pub fn to_payload(&self) -> Vec<u8> {
        let critical = Critical {
            identity: Identity { docker_reference: self.reference.clone() },
            image: Image { docker_manifest_digest: self.digest },
            kind: TYPE.to_owned(),
        };
        crate::oci::to_json(&Payload { critical, optional: None })
    }

    /// What a payload says, if one of the keys signed it and it is about the digest.
    ///
    /// # Errors
    /// [`AttestationError::Untrusted`] before anything in it is looked at; then when it is no such payload or about another digest.
    pub fn verify<'p, 'k>(
        payload: &'p [u8],
        signature: &[u8],
        about: Digest,
        keys: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<(Self, Verified<'p>), AttestationError> {
        let key = keys.into_iter().find(|key| key.verify(payload, signature).is_ok());
        let key = key.ok_or(AttestationError::Untrusted)?.id();
        let Payload { critical, .. } = parse(WHAT, payload)?;
        if critical.kind != TYPE {
            return Err(AttestationError::PayloadType { expected: TYPE, found: critical.kind });
        }
        let digest = critical.image.docker_manifest_digest;
        if digest != about {
            return Err(AttestationError::OtherSubject);
        }
        Ok((Self { reference: critical.identity.docker_reference, digest }, Verified { payload, key }))
    }
}
