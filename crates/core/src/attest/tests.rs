//! Envelopes, statements and signatures: what holds and what does not. Other implementations are asked in the integration tests.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::digest::Digest;

fn key(seed: u8) -> PrivateKey {
    let algorithm = if seed.is_multiple_of(2) { KeyAlgorithm::Ed25519 } else { KeyAlgorithm::EcdsaP256 };
    PrivateKey::from_random(algorithm, &Zeroizing::new([seed; 32])).expect("these bytes are a key")
}

fn envelope(key: &PrivateKey) -> DsseEnvelope {
    let statement =
        Statement::about("base", Digest::of(b"image"), COSIGN_SIGN, std::collections::BTreeMap::<(), ()>::new());
    DsseEnvelope::sign(IN_TOTO, crate::oci::to_json(&statement), key)
}

/// The specification's own example (DSSE protocol, "Test Vectors").
#[test]
fn what_is_signed_is_encoded_as_the_specification_does() {
    assert_eq!(
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
    );
}

#[test]
fn an_envelope_holds_by_the_keys_that_signed_it() {
    for seed in [1, 2] {
        let (signer, other) = (key(seed), key(seed + 2));
        let envelope = DsseEnvelope::parse(&crate::oci::to_json(&envelope(&signer))).expect("an envelope");
        let verified = envelope.verify(IN_TOTO, [other.public(), signer.public()]).expect("it holds");
        assert_eq!(verified.key, signer.public().id());
        let statement = Statement::parse(verified.payload, Digest::of(b"image")).expect("a statement");
        assert_eq!(statement.predicate_type(), COSIGN_SIGN);
        assert!(matches!(envelope.verify(IN_TOTO, [other.public()]), Err(AttestationError::Untrusted)));
        assert!(matches!(envelope.verify(IN_TOTO, []), Err(AttestationError::Untrusted)));
        assert!(matches!(
            Statement::parse(verified.payload, Digest::of(b"other")),
            Err(AttestationError::OtherSubject)
        ));
    }
}

#[test]
fn what_was_tampered_with_does_not_hold() {
    let signer = key(1);
    let json = String::from_utf8(crate::oci::to_json(&envelope(&signer))).expect("UTF-8");
    let tampered = |from: &str, to: &str| {
        assert!(json.contains(from), "{json}");
        DsseEnvelope::parse(json.replace(from, to).as_bytes())
            .expect("an envelope")
            .verify(IN_TOTO, [signer.public()])
            .map(drop)
    };
    // The first character of the payload, `{"`, changed to `z"`.
    assert!(matches!(tampered("\"payload\":\"ey", "\"payload\":\"ei"), Err(AttestationError::Untrusted)));
    let other_type = tampered("application/vnd.in-toto+json", "application/json");
    assert!(matches!(other_type, Err(AttestationError::PayloadType { found, .. }) if found == "application/json"));
}

#[test]
fn both_alphabets_of_base64_are_read() {
    let json = r#"{"payloadType":"t","payload":"_-8=","signatures":[{"sig":"/+8="}]}"#;
    assert!(DsseEnvelope::parse(json.as_bytes()).is_ok());
}

#[test]
fn documents_break_rules() {
    let check = |json: &str, expect: &str| {
        let error = DsseEnvelope::parse(json.as_bytes()).map(drop).expect_err("no envelope");
        assert!(error.to_string().contains(expect), "{error}");
    };
    check(r#"{"payloadType":"t","payload":"","signatures":[]}"#, "1 to 64 signatures");
    check(r#"{"payloadType":"t","payload":"!","signatures":[{"sig":""}]}"#, "not a valid DSSE envelope");
    check(r#"{"payloadType":"t","payloadType":"u","payload":"","signatures":[{"sig":""}]}"#, "not a valid");
    let old = r#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[],"predicateType":"x","predicate":{}}"#;
    assert!(matches!(Statement::parse(old.as_bytes(), Digest::of(b"")), Err(AttestationError::Rule { .. })));
}

#[test]
fn bundles_carry_envelopes() {
    let signer = key(1);
    let bundle = SigstoreBundle::new(envelope(&signer), signer.public());
    let json = crate::oci::to_json(&bundle);
    let read = SigstoreBundle::parse(&json).expect("a bundle");
    assert!(read.envelope().verify(IN_TOTO, [signer.public()]).is_ok());
    let other = String::from_utf8(json).expect("UTF-8").replace("dev.sigstore.bundle", "example");
    assert!(matches!(SigstoreBundle::parse(other.as_bytes()), Err(AttestationError::Rule { .. })));
}

#[test]
fn simple_signing_is_cosigns() {
    let digest = Digest::of(b"image");
    let payload = SimpleSigning { reference: "ghcr.io/team/base".to_owned(), digest }.to_payload();
    let expect = format!(
        concat!(
            r#"{{"critical":{{"identity":{{"docker-reference":"ghcr.io/team/base"}},"#,
            r#""image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#
        ),
        digest
    );
    assert_eq!(String::from_utf8(payload).expect("UTF-8"), expect);
}

#[test]
fn a_simple_signature_is_about_one_digest() {
    let (signer, digest) = (key(2), Digest::of(b"image"));
    let payload = SimpleSigning { reference: "ghcr.io/team/base".to_owned(), digest }.to_payload();
    let signature = signer.sign(&payload);
    let verify = |payload: &[u8], about, key: &PrivateKey| {
        SimpleSigning::verify(payload, &signature, about, [key.public()]).map(|(signed, _)| signed.digest)
    };
    assert_eq!(verify(&payload, digest, &signer).ok(), Some(digest));
    assert!(matches!(verify(&payload, Digest::of(b"other"), &signer), Err(AttestationError::OtherSubject)));
    assert!(matches!(verify(&payload, digest, &key(4)), Err(AttestationError::Untrusted)));
    assert!(matches!(verify(&[payload.as_slice(), b" "].concat(), digest, &signer), Err(AttestationError::Untrusted)));
    // Atomic container signatures of other tools look alike.
    let atomic = String::from_utf8(payload.clone()).expect("UTF-8").replace("cosign", "atomic");
    let signature = signer.sign(atomic.as_bytes());
    let atomic = SimpleSigning::verify(atomic.as_bytes(), &signature, digest, [signer.public()]);
    assert!(matches!(atomic, Err(AttestationError::PayloadType { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = DsseEnvelope::parse(&bytes);
        let _ = SigstoreBundle::parse(&bytes);
        let _ = Statement::parse(&bytes, Digest::of(b""));
        let _ = Provenance::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_documents_are_read_or_refused(place in 0usize..600, value: u8) {
        let signer = key(2);
        let mut json = crate::oci::to_json(&SigstoreBundle::new(envelope(&signer), signer.public()));
        let length = json.len();
        json[place % length] = value;
        if let Ok(bundle) = SigstoreBundle::parse(&json) {
            let _ = bundle.envelope().verify(IN_TOTO, [signer.public()]);
        }
    }

    #[test]
    fn signed_bytes_of_any_kind_are_read_or_refused(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let signer = key(2);
        let signature = signer.sign(&payload);
        let _ = SimpleSigning::verify(&payload, &signature, Digest::of(b""), [signer.public()]);
    }
}
