//! Private keys as cosign encrypts them: scrypt (RFC 7914) and NaCl's secretbox, in JSON (`encrypted` of go-securesystemslib).

use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use data_encoding::BASE64;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::KeyError;

/// The most memory that a key may make us use, in bytes; cosign's take 64 MiB.
const MAX_MEMORY: u64 = 256 << 20;
/// The most passes; cosign makes one.
const MAX_PASSES: u32 = 4;

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Decrypts a key.
///
/// # Errors
/// When the text is of another form, asks for too much, or the password is not the right one.
pub(super) fn open(json: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let sealed: Sealed = serde_json::from_slice(json).map_err(|_| KeyError::Contents)?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(KeyError::Sealing);
    }
    let decode = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| KeyError::Contents);
    let nonce: [u8; 24] = decode(&sealed.cipher.nonce)?.try_into().map_err(|_| KeyError::Contents)?;
    let (salt, ciphertext) = (decode(&sealed.kdf.salt)?, decode(&sealed.ciphertext)?);
    let mut key = Zeroizing::new([0; 32]);
    let params = params(&sealed.kdf.params)?;
    scrypt::scrypt(password, &salt, &params, key.as_mut_slice()).map_err(|_| KeyError::Sealing)?;
    let cipher = XSalsa20Poly1305::new((&*key).into());
    let opened = cipher.decrypt((&nonce).into(), ciphertext.as_slice());
    opened.map(Zeroizing::new).map_err(|_| KeyError::WrongPassword)
}

/// The cost, when it is bearable.
fn params(params: &Params) -> Result<scrypt::Params, KeyError> {
    let Params { n, r, p } = *params;
    let memory = n.checked_mul(u64::from(r)).and_then(|blocks| blocks.checked_mul(128));
    let bearable = n.is_power_of_two() && n > 1 && memory.is_some_and(|memory| memory <= MAX_MEMORY) && p <= MAX_PASSES;
    if !bearable {
        return Err(KeyError::Sealing);
    }
    scrypt::Params::new(n.trailing_zeros() as u8, r, p, 32).map_err(|_| KeyError::Sealing)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn costs_are_bounded() {
        for (n, r, p, expect) in [
            (65536, 8, 1, true),
            (32768, 8, 1, true),
            (1 << 18, 8, 1, true),
            (1 << 19, 8, 1, false),
            (65536, 8, 5, false),
            (65536, 0, 1, false),
            (0, 8, 1, false),
            (3, 8, 1, false),
            (1 << 63, u32::MAX, 1, false),
        ] {
            assert_eq!(params(&Params { n, r, p }).is_ok(), expect, "{n} {r} {p}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_opened_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = open(&bytes, b"");
        }
    }
}
