//! As much of DER (X.690) as it takes to find a certificate's subject.

/// One value: its tag, what is in it, and its whole encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// The identifier octet.
    pub(super) tag: u8,
    /// The contents octets.
    pub(super) contents: &'a [u8],
}

/// `SEQUENCE`.
pub(super) const SEQUENCE: u8 = 0x30;
/// `SET`.
pub(super) const SET: u8 = 0x31;

/// Takes the first value off `input`; `None` when there is none, or it is not DER that a certificate uses.
pub(super) fn next<'a>(input: &mut &'a [u8]) -> Option<Value<'a>> {
    let (&tag, rest) = input.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            digits.iter().fold(0, |sum: usize, digit| sum << 8 | usize::from(*digit))
        }
        _ => return None,
    };
    let (contents, after) = rest.split_at_checked(length)?;
    *input = after;
    Some(Value { tag, contents })
}

/// The encoding of a value.
pub(super) fn encode(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = contents.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        out.push(0x80 | digits.len() as u8);
        out.extend_from_slice(digits);
    }
    out.extend_from_slice(contents);
    out
}

/// The subject of an X.509 certificate: the contents of its `Name` (RFC 5280, 4.1).
pub(super) fn subject(mut certificate: &[u8]) -> Option<&[u8]> {
    let mut outer = next(&mut certificate).filter(|value| value.tag == SEQUENCE)?.contents;
    let mut body = next(&mut outer).filter(|value| value.tag == SEQUENCE)?.contents;
    let first = next(&mut body)?;
    // [0] is the version, which a version 1 certificate leaves out; then serial number, algorithm, issuer, validity.
    let before_subject = if first.tag == 0xa0 { 4 } else { 3 };
    for _ in 0..before_subject {
        next(&mut body)?;
    }
    next(&mut body).filter(|value| value.tag == SEQUENCE).map(|value| value.contents)
}
