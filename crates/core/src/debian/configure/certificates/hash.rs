//! OpenSSL's subject hash, which names the links in a directory of certificates (`X509_NAME_hash`).

use sha1::{Digest as _, Sha1};

use super::der;

/// `UTF8String`, into which the canonical form turns every string.
const UTF8_STRING: u8 = 0x0c;

/// The hash by which OpenSSL looks a certificate up, of the certificate's DER; `None` when that is none.
pub fn subject_hash(certificate: &[u8]) -> Option<u32> {
    let canonical = canonical_name(der::subject(certificate)?)?;
    let digest = Sha1::digest(&canonical);
    Some(u32::from_le_bytes(digest.get(..4)?.try_into().ok()?))
}

/// The sets of a name, strings in canonical form, without the sequence around them (`x509_name_canon`).
fn canonical_name(mut name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while !name.is_empty() {
        let mut set = der::next(&mut name).filter(|value| value.tag == der::SET)?.contents;
        let mut attributes = Vec::new();
        while !set.is_empty() {
            let mut attribute = der::next(&mut set).filter(|value| value.tag == der::SEQUENCE)?.contents;
            let kind = der::next(&mut attribute)?;
            let value = der::next(&mut attribute)?;
            let mut encoded = der::encode(kind.tag, kind.contents);
            encoded.extend(match text(value) {
                Some(text) => der::encode(UTF8_STRING, &canonical_text(&text)),
                None => der::encode(value.tag, value.contents),
            });
            attributes.push(der::encode(der::SEQUENCE, &encoded));
        }
        attributes.sort();
        out.extend(der::encode(der::SET, &attributes.concat()));
    }
    Some(out)
}

/// The text of a value whose type takes part in canonical form, as UTF-8.
fn text(value: der::Value<'_>) -> Option<Vec<u8>> {
    let bytes = value.contents;
    match value.tag {
        // UTF8String, PrintableString, IA5String, VisibleString.
        UTF8_STRING | 0x13 | 0x16 | 0x1a => Some(bytes.to_vec()),
        // T61String, which OpenSSL takes for Latin-1.
        0x14 => Some(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()),
        // BMPString.
        0x1e => {
            let units = bytes.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
            units.map(char::from_u32).collect::<Option<String>>().map(String::into_bytes)
        }
        // UniversalString.
        0x1c => {
            let units = bytes.chunks_exact(4).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
            units.map(char::from_u32).collect::<Option<String>>().map(String::into_bytes)
        }
        _ => None,
    }
}

/// White space trimmed and collapsed, ASCII letters in lower case (`asn1_string_canon`).
fn canonical_text(text: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let words: Vec<Vec<u8>> =
        text.split(is_space).filter(|word| !word.is_empty()).map(<[u8]>::to_ascii_lowercase).collect();
    words.join(&b' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spaces_and_case_do_not_matter() {
        assert_eq!(canonical_text(b"  Let's   ENCRYPT\tx "), b"let's encrypt x");
        assert_eq!(canonical_text(b""), b"");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_hashed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = subject_hash(&bytes);
            let nested = der::encode(der::SEQUENCE, &der::encode(der::SEQUENCE, &bytes));
            let _ = subject_hash(&nested);
            let _ = canonical_name(&bytes);
        }
    }
}
