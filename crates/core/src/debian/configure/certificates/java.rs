//! Java's trust store `/etc/ssl/certs/java/cacerts` in the JKS format, as `ca-certificates-java` makes it.

use bstr::BString;
use sha1::{Digest as _, Sha1};

const MAGIC: u32 = 0xfeed_feed;
const VERSION: u32 = 2;
/// The tag of an entry that is a trusted certificate.
const TRUSTED: u32 = 2;
/// Debian's stores are closed with the password that every Java knows; it protects nothing.
const PASSWORD: &str = "changeit";
/// What Java mixes into the digest.
const WHITENER: &[u8] = b"Mighty Aphrodite";

/// A store of certificates by alias, all added at `now` (seconds since 1970).
pub fn java_trust_store(certificates: &[(BString, Vec<u8>)], now: i64) -> Vec<u8> {
    let mut out = Vec::new();
    for value in [MAGIC, VERSION, certificates.len() as u32] {
        out.extend_from_slice(&value.to_be_bytes());
    }
    for (alias, certificate) in certificates {
        out.extend_from_slice(&TRUSTED.to_be_bytes());
        put_text(&mut out, alias);
        out.extend_from_slice(&(now * 1000).to_be_bytes());
        put_text(&mut out, b"X.509");
        out.extend_from_slice(&(certificate.len() as u32).to_be_bytes());
        out.extend_from_slice(certificate);
    }
    let mut digest = Sha1::new();
    digest.update(PASSWORD.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
    digest.update(WHITENER);
    digest.update(&out);
    out.extend_from_slice(&digest.finalize());
    out
}

/// Java's `writeUTF`; the same as UTF-8 for what aliases have.
fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    let text = &text[..text.len().min(usize::from(u16::MAX))];
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text);
}
