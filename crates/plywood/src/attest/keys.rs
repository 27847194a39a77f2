//! Keys on disk and in the environment.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::attest::{KeyAlgorithm, KeyId, MAX_PEM, PrivateKey, PublicKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::AttestError;
use crate::os;

/// The private key itself, as PEM.
pub const KEY_VARIABLE: &str = "PLYWOOD_SIGNING_KEY";
/// The file of the private key.
pub const KEY_FILE_VARIABLE: &str = "PLYWOOD_SIGNING_KEY_FILE";
/// The password of a key that cosign has encrypted; cosign's own name for it.
pub const PASSWORD_VARIABLE: &str = "COSIGN_PASSWORD";

/// Where a key was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    /// A file.
    File(Utf8PathBuf),
    /// An environment variable.
    Variable(&'static str),
}

impl std::fmt::Display for KeyOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyOrigin::File(path) => write!(f, "{path}"),
            KeyOrigin::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

/// A pair of keys that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedKey {
    /// The file of the private key, which only its owner may read.
    pub private: Utf8PathBuf,
    /// The file of the public key.
    pub public: Utf8PathBuf,
    /// The algorithm.
    pub algorithm: KeyAlgorithm,
    /// The public key's identity.
    pub id: KeyId,
}

/// Makes a pair of keys; neither file may be there yet.
///
/// # Errors
/// [`AttestError::KeyExists`]; when a file cannot be written or the system has no random numbers.
pub fn generate_key(out: &Utf8Path, algorithm: KeyAlgorithm) -> Result<GeneratedKey, AttestError> {
    let public_path = out.with_extension("pub");
    if public_path == out {
        return Err(AttestError::KeyName { path: out.to_owned() });
    }
    let key = random_key(algorithm)?;
    let failed = |path: &Utf8Path, source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => AttestError::KeyExists { path: path.to_owned() },
        _ => AttestError::WriteKey { path: path.to_owned(), source },
    };
    let pem = key.to_pem().map_err(|source| AttestError::Key { origin: KeyOrigin::File(out.to_owned()), source })?;
    // The public file first: whoever finds it alone has lost nothing.
    let mut public = File::create_new(&public_path).map_err(|source| failed(&public_path, source))?;
    let written = os::create_private(out).and_then(|mut private| {
        private.write_all(pem.as_bytes())?;
        private.sync_all()
    });
    let written = written.map_err(|source| failed(out, source)).and_then(|()| {
        public.write_all(key.public().to_pem().as_bytes()).map_err(|source| failed(&public_path, source))
    });
    if let Err(error) = written {
        // Made a moment ago by this call, so that nobody misses it.
        let _ = std::fs::remove_file(&public_path);
        return Err(error);
    }
    Ok(GeneratedKey { private: out.to_owned(), public: public_path, algorithm, id: key.public().id() })
}

fn random_key(algorithm: KeyAlgorithm) -> Result<PrivateKey, AttestError> {
    loop {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|source| AttestError::Random(source.into()))?;
        // All but one of four thousand million numbers are keys on P-256.
        if let Some(key) = PrivateKey::from_random(algorithm, &bytes) {
            return Ok(key);
        }
    }
}

/// The key to sign with: from `file`, else from the environment; `None` when neither names one.
///
/// # Errors
/// When the one that is named cannot be read or is no key.
pub fn signing_key(file: Option<&Utf8Path>) -> Result<Option<PrivateKey>, AttestError> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (origin, text) = if let Some(path) = file {
        (KeyOrigin::File(path.to_owned()), read_pem(path)?)
    } else if let Some(text) = variable(KEY_VARIABLE) {
        (KeyOrigin::Variable(KEY_VARIABLE), Zeroizing::new(text))
    } else if let Some(path) = variable(KEY_FILE_VARIABLE).map(Utf8PathBuf::from) {
        let text = read_pem(&path)?;
        (KeyOrigin::File(path), text)
    } else {
        return Ok(None);
    };
    let password = std::env::var(PASSWORD_VARIABLE).ok().map(Zeroizing::new);
    let password = password.as_ref().map(|password| password.as_bytes());
    PrivateKey::parse_pem(&text, password).map(Some).map_err(|source| AttestError::Key { origin, source })
}

/// Reads a public key.
///
/// # Errors
/// When it cannot be read or is no key.
pub fn public_key(path: &Utf8Path) -> Result<PublicKey, AttestError> {
    let text = read_pem(path)?;
    PublicKey::parse_pem(&text).map_err(|source| AttestError::Key { origin: KeyOrigin::File(path.to_owned()), source })
}

/// Reads a small text, which may be a secret.
fn read_pem(path: &Utf8Path) -> Result<Zeroizing<String>, AttestError> {
    let mut text = Zeroizing::new(String::new());
    let read = File::open(path).and_then(|file| file.take(MAX_PEM as u64 + 1).read_to_string(&mut text));
    read.map_err(|source| AttestError::ReadKey { path: path.to_owned(), source })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        (folder, path)
    }

    #[test]
    fn a_pair_is_made_once_and_its_secret_is_private() {
        use std::os::unix::fs::PermissionsExt as _;

        let (_folder, path) = folder();
        for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256] {
            let out = path.join(format!("{algorithm}.key"));
            let made = generate_key(&out, algorithm).expect("a pair");
            let mode = std::fs::metadata(&out).expect("the file").permissions().mode();
            assert_eq!((mode & 0o777, made.public.extension()), (0o600, Some("pub")));
            let private = signing_key(Some(&out)).expect("a key").expect("it is named");
            assert_eq!(private.public(), &public_key(&made.public).expect("a key"));
            assert_eq!(private.public().id(), made.id);
            assert!(matches!(generate_key(&out, algorithm), Err(AttestError::KeyExists { .. })));
        }
    }

    #[test]
    fn no_file_is_ever_overwritten() {
        let (_folder, path) = folder();
        let (out, public) = (path.join("ci"), path.join("ci.pub"));
        std::fs::write(&out, "mine").expect("a file");
        assert!(
            matches!(generate_key(&out, KeyAlgorithm::Ed25519), Err(AttestError::KeyExists { path }) if path == out)
        );
        assert_eq!(std::fs::read_to_string(&out).expect("the file"), "mine");
        assert!(!public.exists(), "nothing is left of the attempt");
        assert!(matches!(generate_key(&public, KeyAlgorithm::Ed25519), Err(AttestError::KeyName { .. })));
    }

    #[test]
    fn endless_files_are_refused() {
        let error = signing_key(Some(Utf8Path::new("/dev/zero"))).map(drop).expect_err("no key");
        assert!(matches!(error, AttestError::Key { .. }), "{error}");
    }
}
