//! Signatures, envelopes and bundles against OpenSSL and PyPI's `securesystemslib`, `sigstore` and `PyNaCl`.

use std::path::{Path, PathBuf};
use std::process::Command;

use plywood_core::attest::{
    AttestationError, COSIGN_SIGN, DsseEnvelope, IN_TOTO, KeyAlgorithm, PrivateKey, PublicKey, SigstoreBundle,
    Statement,
};
use plywood_core::digest::Digest;
use plywood_core::oci::to_json;
use plywood_testkit::{require, require_python};
use tempfile::TempDir;

const ALGORITHMS: [KeyAlgorithm; 2] = [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256];

/// A folder with a pair of keys that OpenSSL made.
struct Keys {
    folder: TempDir,
    algorithm: KeyAlgorithm,
    private: PrivateKey,
}

impl Keys {
    fn new(algorithm: KeyAlgorithm) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments: &[&str] = match algorithm {
            KeyAlgorithm::Ed25519 => &["-algorithm", "ed25519"],
            KeyAlgorithm::EcdsaP256 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        };
        let (private, public) = (folder.path().join("key"), folder.path().join("pub"));
        openssl(&[&["genpkey", "-out", text(&private)], arguments].concat());
        openssl(&["pkey", "-in", text(&private), "-pubout", "-out", text(&public)]);
        let pem = std::fs::read_to_string(&private).expect("the private key");
        let key = PrivateKey::parse_pem(&pem, None).expect("a key that OpenSSL made");
        let pem = std::fs::read_to_string(&public).expect("the public key");
        assert_eq!(PublicKey::parse_pem(&pem).as_ref(), Ok(key.public()));
        assert_eq!(key.public().to_pem(), pem, "the same bytes as OpenSSL's");
        Self { folder, algorithm, private: key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Whether OpenSSL takes a signature.
    fn openssl_verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (message, signature) = (self.write("message", message), self.write("signature", signature));
        let (key, message, signature) = (self.path("pub"), text(&message), text(&signature));
        let status = match self.algorithm {
            KeyAlgorithm::Ed25519 => Command::new("openssl")
                .args([
                    "pkeyutl",
                    "-verify",
                    "-pubin",
                    "-rawin",
                    "-inkey",
                    text(&key),
                    "-in",
                    message,
                    "-sigfile",
                    signature,
                ])
                .output(),
            KeyAlgorithm::EcdsaP256 => Command::new("openssl")
                .args(["dgst", "-sha256", "-verify", text(&key), "-signature", signature, message])
                .output(),
        };
        status.expect("openssl runs").status.success()
    }

    fn openssl_signs(&self, message: &[u8]) -> Vec<u8> {
        let (message, out, key) = (self.write("message", message), self.path("signed"), self.path("key"));
        match self.algorithm {
            KeyAlgorithm::Ed25519 => {
                openssl(&[
                    "pkeyutl",
                    "-sign",
                    "-rawin",
                    "-inkey",
                    text(&key),
                    "-in",
                    text(&message),
                    "-out",
                    text(&out),
                ]);
            }
            KeyAlgorithm::EcdsaP256 => {
                openssl(&["dgst", "-sha256", "-sign", text(&key), "-out", text(&out), text(&message)]);
            }
        }
        std::fs::read(out).expect("a signature")
    }

    fn envelope(&self, about: &[u8]) -> DsseEnvelope {
        let nothing = std::collections::BTreeMap::<(), ()>::new();
        let statement = Statement::about("team/base", Digest::of(about), COSIGN_SIGN, nothing);
        DsseEnvelope::sign(IN_TOTO, to_json(&statement), &self.private)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().expect("openssl runs");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether the oracle agrees; what is neither yes nor no fails the test.
fn oracle(python: &Path, arguments: &[&str]) -> bool {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/attest/oracle.py");
    let output = Command::new(python).arg(script).args(arguments).output().expect("Python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.starts_with("refused: "), "{arguments:?}: {said}");
    output.status.success()
}

#[test]
fn openssl_and_plywood_take_each_others_signatures() {
    if !require(&["openssl"]) {
        return;
    }
    for keys in ALGORITHMS.map(Keys::new) {
        let signature = keys.private.sign(b"message");
        assert!(keys.openssl_verifies(b"message", &signature), "{}", keys.algorithm);
        assert!(!keys.openssl_verifies(b"massage", &signature), "{}", keys.algorithm);
        let signature = keys.openssl_signs(b"message");
        assert!(keys.private.public().verify(b"message", &signature).is_ok(), "{}", keys.algorithm);
        assert!(keys.private.public().verify(b"massage", &signature).is_err(), "{}", keys.algorithm);
    }
}

#[test]
fn openssl_reads_the_keys_that_plywood_makes() {
    if !require(&["openssl"]) {
        return;
    }
    for keys in ALGORITHMS.map(Keys::new) {
        let path = keys.write("again", keys.private.to_pem().expect("PEM").as_bytes());
        openssl(&["pkey", "-in", text(&path), "-check", "-noout"]);
        let out = keys.path("public-again");
        openssl(&["pkey", "-in", text(&path), "-pubout", "-out", text(&out)]);
        assert_eq!(std::fs::read_to_string(out).expect("the public key"), keys.private.public().to_pem());
    }
}

#[test]
fn securesystemslib_takes_envelopes() {
    let (true, Some(python)) = (require(&["openssl"]), require_python()) else { return };
    for (keys, other) in ALGORITHMS.map(|algorithm| (Keys::new(algorithm), Keys::new(algorithm))) {
        let json = String::from_utf8(to_json(&keys.envelope(b"image"))).expect("UTF-8");
        let verifies = |json: &str, public: &Path| {
            let path = keys.write("envelope", json.as_bytes());
            oracle(&python, &["verify-securesystemslib", text(&path), text(public)])
        };
        assert!(verifies(&json, &keys.path("pub")), "{}", keys.algorithm);
        assert!(!verifies(&json, &other.path("pub")), "another key, {}", keys.algorithm);
        let other_type = json.replace("vnd.in-toto", "vnd.example");
        assert!(!verifies(&other_type, &keys.path("pub")), "another payload type, {}", keys.algorithm);
        let tampered = json.replace("\"payload\":\"ey", "\"payload\":\"ei");
        assert!(!verifies(&tampered, &keys.path("pub")), "another payload, {}", keys.algorithm);
    }
}

#[test]
fn envelopes_of_securesystemslib_are_taken() {
    let (true, Some(python)) = (require(&["openssl"]), require_python()) else { return };
    for (keys, other) in ALGORITHMS.map(|algorithm| (Keys::new(algorithm), Keys::new(algorithm))) {
        let sign = |payload_type: &str| {
            let (payload, out) = (keys.write("payload", b"{\"a\": 1}\n"), keys.path("signed"));
            let (private, out_text) = (keys.path("key"), text(&out).to_owned());
            let arguments = ["sign-securesystemslib", text(&payload), payload_type, text(&private), &out_text];
            assert!(oracle(&python, &arguments));
            DsseEnvelope::parse(&std::fs::read(out).expect("an envelope")).expect("an envelope")
        };
        let envelope = sign(IN_TOTO);
        let verified = envelope.verify(IN_TOTO, [keys.private.public()]).expect("it holds");
        assert_eq!((verified.payload, verified.key), (b"{\"a\": 1}\n".as_slice(), keys.private.public().id()));
        let untrusted = envelope.verify(IN_TOTO, [other.private.public()]);
        assert!(matches!(untrusted, Err(AttestationError::Untrusted)));
        let other_type = sign("application/json");
        let refused = other_type.verify(IN_TOTO, [keys.private.public()]);
        assert!(matches!(refused, Err(AttestationError::PayloadType { .. })));
    }
}

/// Sigstore's client knows ECDSA alone.
#[test]
fn sigstore_takes_bundles() {
    let (true, Some(python)) = (require(&["openssl"]), require_python()) else { return };
    let (keys, other) = (Keys::new(KeyAlgorithm::EcdsaP256), Keys::new(KeyAlgorithm::EcdsaP256));
    let bundle = SigstoreBundle::new(keys.envelope(b"image"), keys.private.public());
    let path = keys.write("bundle", &to_json(&bundle));
    let verifies = |public: &Path, digest: Digest| {
        oracle(&python, &["verify-sigstore", text(&path), text(public), &digest.to_hex()])
    };
    assert!(verifies(&keys.path("pub"), Digest::of(b"image")));
    assert!(!verifies(&other.path("pub"), Digest::of(b"image")), "another key");
    assert!(!verifies(&keys.path("pub"), Digest::of(b"other")), "another subject");
}

#[test]
fn keys_encrypted_at_cosigns_cost_are_opened() {
    let (true, Some(python)) = (require(&["openssl"]), require_python()) else { return };
    for keys in ALGORITHMS.map(Keys::new) {
        let (private, sealed) = (keys.path("key"), keys.path("sealed"));
        assert!(oracle(&python, &["seal", text(&private), "sesame", text(&sealed)]));
        let pem = std::fs::read_to_string(sealed).expect("the key");
        let opened = PrivateKey::parse_pem(&pem, Some(b"sesame")).expect("the right password");
        assert_eq!(opened.public(), keys.private.public());
        assert!(PrivateKey::parse_pem(&pem, Some(b"")).is_err());
    }
}
