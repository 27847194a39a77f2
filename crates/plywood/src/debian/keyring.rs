//! Whose signatures count: Debian's own keys, embedded, or the key of a third-party repository.

use std::fmt;

use rpgpie::certificate::Certificate;

/// A set of OpenPGP certificates (RFC 9580, "transferable public keys").
#[derive(Clone)]
pub struct Keyring {
    certificates: Vec<Certificate>,
}

/// Key material cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// It is larger than any keyring.
    #[error("a keyring has at most {MAX_BYTES} bytes")]
    TooLarge,
    /// It is no OpenPGP public key.
    #[error("not an OpenPGP public key, armored or binary")]
    Syntax(#[source] Box<rpgpie::Error>),
    /// It is a private key, which nobody should hand around.
    #[error("this is a private key")]
    Secret,
}

/// Debian's whole keyring has 56 kB.
pub(super) const MAX_BYTES: usize = 4 << 20;

const ARMOR_END: &[u8] = b"-----END PGP PUBLIC KEY BLOCK-----";

/// See `keys/README.md` for their origin.
const DEBIAN: [&[u8]; 6] = [
    include_bytes!("keys/bookworm-automatic.pgp"),
    include_bytes!("keys/bookworm-security-automatic.pgp"),
    include_bytes!("keys/bookworm-stable.pgp"),
    include_bytes!("keys/trixie-automatic.pgp"),
    include_bytes!("keys/trixie-security-automatic.pgp"),
    include_bytes!("keys/trixie-stable.pgp"),
];

impl Keyring {
    /// The keys of the Debian archive: of bookworm and trixie, by which forky and sid are signed too.
    pub fn debian() -> Self {
        // A test reads every embedded file, so none can be missing here.
        let parsed = DEBIAN.iter().filter_map(|bytes| Self::parse(bytes).ok());
        Self { certificates: parsed.flat_map(|keyring| keyring.certificates).collect() }
    }

    /// Reads one or more certificates, binary or in one or more armored blocks.
    ///
    /// # Errors
    /// When there is none, it is a private key, or the bytes are too many.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyringError> {
        if bytes.len() > MAX_BYTES {
            return Err(KeyringError::TooLarge);
        }
        if contains(bytes, b"-----BEGIN PGP PRIVATE KEY BLOCK-----") {
            return Err(KeyringError::Secret);
        }
        let mut certificates = Vec::new();
        for block in armored_blocks(bytes) {
            certificates.extend(Certificate::load(&mut &*block).map_err(|source| KeyringError::Syntax(source.into()))?);
        }
        Ok(Self { certificates })
    }

    pub(crate) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The fingerprints of the certificates in upper-case hexadecimal digits, in order.
    pub fn fingerprints(&self) -> Vec<String> {
        let mut fingerprints: Vec<String> =
            self.certificates.iter().map(|certificate| format!("{:X}", certificate.fingerprint())).collect();
        fingerprints.sort();
        fingerprints
    }
}

/// The parser reads one armored block at a time, while people concatenate them.
fn armored_blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let mut blocks = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(ARMOR_END.len()).position(|window| window == ARMOR_END) {
        let (block, after) = rest.split_at(end + ARMOR_END.len());
        blocks.push(block);
        rest = after;
    }
    if blocks.is_empty() || !rest.trim_ascii().is_empty() {
        blocks.push(rest);
    }
    blocks
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.fingerprints()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_embedded_keys_are_those_of_the_list() {
        let list = include_str!("keys/README.md");
        let mut expect: Vec<&str> = list.split('`').filter(|word| word.len() == 40).collect();
        expect.sort_unstable();
        assert_eq!(Keyring::debian().fingerprints(), expect);
        assert_eq!(expect.len(), DEBIAN.len());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(matches!(Keyring::parse(b""), Err(KeyringError::Syntax(_))));
        assert!(matches!(Keyring::parse(b"<html>not found</html>"), Err(KeyringError::Syntax(_))));
        assert!(matches!(
            Keyring::parse(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n-----END PGP PRIVATE KEY BLOCK-----\n"),
            Err(KeyringError::Secret)
        ));
        assert!(matches!(Keyring::parse(&vec![0; MAX_BYTES + 1]), Err(KeyringError::TooLarge)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..8000) {
            let _ = Keyring::parse(&bytes);
            let mut key = DEBIAN[0].to_vec();
            let at = at % key.len();
            key.truncate(at);
            key.append(&mut bytes);
            let _ = Keyring::parse(&key);
        }
    }
}
