//! Keys against those that OpenSSL and cosign make; the tools themselves are asked in the integration tests.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;

const ALGORITHMS: [KeyAlgorithm; 2] = [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256];

fn key(algorithm: KeyAlgorithm, seed: u8) -> PrivateKey {
    PrivateKey::from_random(algorithm, &Zeroizing::new([seed; 32])).expect("these bytes are a key")
}

/// RFC 8410 section 10.3.
const RFC_8410: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
/// RFC 8410 section 10.1.
const RFC_8410_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

#[test]
fn the_key_of_rfc_8410_is_read_and_written() {
    let private = PrivateKey::parse_pem(RFC_8410, None).expect("a key");
    assert_eq!(private.public().to_pem(), RFC_8410_PUBLIC);
    assert_eq!(private.to_pem().expect("PEM").as_str(), RFC_8410);
}

#[test]
fn keys_survive_pem() {
    for algorithm in ALGORITHMS {
        let private = key(algorithm, 7);
        let again = PrivateKey::parse_pem(&private.to_pem().expect("PEM"), None).expect("a key");
        assert_eq!(again.public(), private.public());
        assert_eq!(PublicKey::parse_pem(&private.public().to_pem()).as_ref(), Ok(private.public()));
        assert_eq!(again.public().algorithm(), algorithm);
    }
}

#[test]
fn only_the_key_and_the_message_verify() {
    for algorithm in ALGORITHMS {
        let (private, other) = (key(algorithm, 1), key(algorithm, 2));
        let signature = private.sign(b"message");
        assert_eq!(private.sign(b"message"), signature, "signing is deterministic");
        assert_eq!(private.public().verify(b"message", &signature), Ok(()));
        assert_eq!(private.public().verify(b"massage", &signature), Err(BadSignature));
        assert_eq!(other.public().verify(b"message", &signature), Err(BadSignature));
        for place in 0..signature.len() {
            let mut damaged = signature.clone();
            damaged[place] ^= 1;
            assert_eq!(private.public().verify(b"message", &damaged), Err(BadSignature), "byte {place}");
        }
    }
    let mixed = key(KeyAlgorithm::Ed25519, 1).sign(b"message");
    assert_eq!(key(KeyAlgorithm::EcdsaP256, 1).public().verify(b"message", &mixed), Err(BadSignature));
}

#[test]
fn bytes_that_are_no_key_are_refused() {
    assert!(PrivateKey::from_random(KeyAlgorithm::EcdsaP256, &Zeroizing::new([0; 32])).is_none());
    assert!(PrivateKey::from_random(KeyAlgorithm::EcdsaP256, &Zeroizing::new([0xff; 32])).is_none());
    // The identity of the curve, a point of small order.
    let weak = [hex("302a300506032b6570032100").as_slice(), &[1], &[0; 31]].concat();
    assert_eq!(PublicKey::parse_der(&weak), Err(KeyError::Contents));
    // ECDSA on P-384, made by OpenSSL.
    let p384 = "-----BEGIN PUBLIC KEY-----\n\
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEyGd991U4op6I35ndCPlTwK3/0TlhiK5e\n\
        hXeMf16MKWE/KwEWdMAsQwq89Nm+xolBTYkg6I0NBf4w//Nq2jQ1r8lIzwLBaE/d\n\
        Pn8V5cBsIlcfuWk8l+icvaIL8VepV8fx\n-----END PUBLIC KEY-----\n";
    assert_eq!(PublicKey::parse_pem(p384), Err(KeyError::Algorithm));
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

#[test]
fn a_key_in_another_form_says_what_to_do() {
    let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    let check = |label: &str, expect: KeyError| {
        let error = PrivateKey::parse_pem(&block(label), None).expect_err("no key");
        assert_eq!(error, expect, "{label}");
        assert_eq!(error.hint().is_some(), expect != KeyError::Contents, "{label}");
    };
    check("PRIVATE KEY", KeyError::Contents);
    check("ENCRYPTED PRIVATE KEY", KeyError::Encrypted);
    check("EC PRIVATE KEY", KeyError::OldForm);
    check("PUBLIC KEY", KeyError::PublicForPrivate);
    check("CERTIFICATE", KeyError::NotPrivate);
    check("ENCRYPTED SIGSTORE PRIVATE KEY", KeyError::NoPassword);
    assert_eq!(PublicKey::parse_pem(&block("PRIVATE KEY")), Err(KeyError::PrivateForPublic));
    assert_eq!(PublicKey::parse_pem(&block("CERTIFICATE")), Err(KeyError::NotPublic));
}

/// Made by PyNaCl's secretbox and Python's scrypt with N = 1024, the password `sesame` and the key of RFC 8410.
const SEALED: &str = include_str!("../../../tests/attest/cosign.key");

#[test]
fn keys_that_cosign_encrypted_are_opened_by_their_password_alone() {
    let opened = PrivateKey::parse_pem(SEALED, Some(b"sesame")).expect("the right password");
    assert_eq!(opened.public().to_pem(), RFC_8410_PUBLIC);
    for (password, expect) in [(Some(b"simsim".as_slice()), KeyError::WrongPassword), (None, KeyError::NoPassword)] {
        assert_eq!(PrivateKey::parse_pem(SEALED, password).map(|_| ()), Err(expect));
    }
}

#[test]
fn secrets_are_never_shown() {
    for algorithm in ALGORITHMS {
        assert_eq!(format!("{:?}", key(algorithm, 7)), "PrivateKey(***)");
    }
}

proptest! {
    #[test]
    fn any_block_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), public: bool) {
        let label = if public { "PUBLIC KEY" } else { "PRIVATE KEY" };
        let text = crate::attest::pem::write(label, &bytes);
        let _ = PublicKey::parse_pem(&text);
        let _ = PrivateKey::parse_pem(&text, Some(b""));
    }

    #[test]
    fn damaged_keys_are_read_or_refused(place in 0usize..200, value: u8, ecdsa: bool) {
        let algorithm = if ecdsa { KeyAlgorithm::EcdsaP256 } else { KeyAlgorithm::Ed25519 };
        let pem = key(algorithm, 3).to_pem().expect("PEM");
        let mut der = crate::attest::pem::parse(&pem).expect("PEM").contents.to_vec();
        let length = der.len();
        der[place % length] = value;
        let _ = PrivateKey::parse_pem(&crate::attest::pem::write("PRIVATE KEY", &der), None);
    }

    #[test]
    fn any_signature_is_verified_or_refused(signature in prop::collection::vec(any::<u8>(), 0..80)) {
        for algorithm in ALGORITHMS {
            prop_assert_eq!(key(algorithm, 1).public().verify(b"m", &signature), Err(BadSignature));
        }
    }
}
