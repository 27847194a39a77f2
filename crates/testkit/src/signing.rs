//! OpenPGP keys and signatures for tests: the same for the same name, at any time.

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SecretKeyParamsBuilder, SignedKeyDetails, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{Duration, KeyDetails as _, Password, SignedUser, SigningKey as _, Tag, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// When test keys are made: 2025-01-01T00:00:00Z, in seconds since 1970.
pub const KEY_TIME: u32 = 1_735_689_600;

/// When test archives are signed: 2026-01-01T00:00:00Z, in seconds since 1970.
pub const SIGN_TIME: u32 = 1_767_225_600;

/// How a key is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFlaw {
    /// Nothing is wrong with it.
    None,
    /// It runs out an hour after [`SIGN_TIME`].
    Expires,
    /// Its owner has revoked it.
    Revoked,
    /// It signs over SHA-1.
    Sha1,
}

/// A key that signs archives.
#[derive(Debug, Clone)]
pub struct TestKey {
    key: SignedSecretKey,
    hash: HashAlgorithm,
}

impl TestKey {
    /// The key of this name.
    pub fn new(name: &str) -> Self {
        Self::flawed(name, KeyFlaw::None)
    }

    /// The key of this name, with a flaw.
    ///
    /// # Panics
    /// When the OpenPGP library refuses, which is the test's failure.
    pub fn flawed(name: &str, flaw: KeyFlaw) -> Self {
        // Only RSA signs over SHA-1; GnuPG 2.2, an oracle here, does not know the newer form of Ed25519.
        let kind = if flaw == KeyFlaw::Sha1 { KeyType::Rsa(2048) } else { KeyType::Ed25519Legacy };
        let seed = name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters.key_type(kind).created_at(Timestamp::from_secs(KEY_TIME)).can_certify(true).can_sign(true);
        parameters.primary_user_id(format!("{name} <{name}@example.org>"));
        let parameters = parameters.build().expect("complete parameters");
        let key = parameters.generate(StdRng::seed_from_u64(seed)).expect("a key");
        let hash = if flaw == KeyFlaw::Sha1 { HashAlgorithm::Sha1 } else { HashAlgorithm::Sha256 };
        Self { key: certified(&key, flaw), hash }
    }

    /// The public key, binary.
    ///
    /// # Panics
    /// When the OpenPGP library refuses.
    pub fn public(&self) -> Vec<u8> {
        self.key.to_public_key().to_bytes().expect("bytes")
    }

    /// The public key in ASCII armor.
    ///
    /// # Panics
    /// When the OpenPGP library refuses.
    pub fn public_armored(&self) -> Vec<u8> {
        self.key.to_public_key().to_armored_bytes(ArmorOptions::default()).expect("armor")
    }

    /// The fingerprint in upper-case hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.key.fingerprint())
    }

    /// Signs a text as in `InRelease`, at [`SIGN_TIME`].
    ///
    /// # Panics
    /// When the OpenPGP library refuses.
    pub fn clearsign(&self, text: &str) -> Vec<u8> {
        let key = &self.key.primary_key;
        let mut config = SignatureConfig::v4(SignatureType::Text, key.algorithm(), self.hash);
        config.hashed_subpackets = subpackets(&self.key, SIGN_TIME, []);
        let message = CleartextSignedMessage::new(text, config, key, &Password::empty()).expect("a signature");
        message.to_armored_bytes(ArmorOptions::default()).expect("armor")
    }
}

/// The key with a self-signature of [`KEY_TIME`] in place of one of today.
fn certified(key: &SignedSecretKey, flaw: KeyFlaw) -> SignedSecretKey {
    let (secret, nobody) = (&key.primary_key, Password::empty());
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(true);
    let mut more = vec![SubpacketData::KeyFlags(flags), SubpacketData::IsPrimary(true)];
    if flaw == KeyFlaw::Expires {
        more.push(SubpacketData::KeyExpirationTime(Duration::from_secs(SIGN_TIME - KEY_TIME + 3600)));
    }
    let hash = secret.hash_alg();
    let mut config = SignatureConfig::v4(SignatureType::CertPositive, secret.algorithm(), hash);
    config.hashed_subpackets = subpackets(key, KEY_TIME, more);
    let users = key.details.users.iter().map(|user| {
        let public = secret.public_key();
        let signature = config.clone().sign_certification(secret, &public, &nobody, Tag::UserId, &user.id);
        SignedUser::new(user.id.clone(), vec![signature.expect("a self-signature")])
    });
    let users = users.collect();
    let mut revocations = Vec::new();
    if flaw == KeyFlaw::Revoked {
        let mut config = SignatureConfig::v4(SignatureType::KeyRevocation, secret.algorithm(), hash);
        config.hashed_subpackets = subpackets(key, KEY_TIME + 1, []);
        revocations.push(config.sign_key(secret, &nobody, &secret.public_key()).expect("a revocation"));
    }
    let details = SignedKeyDetails::new(revocations, Vec::new(), users, Vec::new());
    SignedSecretKey::new(secret.clone(), details, Vec::new(), Vec::new())
}

fn subpackets(key: &SignedSecretKey, at: u32, more: impl IntoIterator<Item = SubpacketData>) -> Vec<Subpacket> {
    let always = [
        SubpacketData::SignatureCreationTime(Timestamp::from_secs(at)),
        SubpacketData::IssuerFingerprint(key.fingerprint()),
        // GnuPG 2.2 finds a key's own signatures by this.
        SubpacketData::IssuerKeyId(key.legacy_key_id()),
    ];
    let all = always.into_iter().chain(more);
    all.map(|data| Subpacket::regular(data).expect("a subpacket")).collect()
}
