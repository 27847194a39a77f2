//! The formats of `find -printf`.

use bstr::BString;

/// A format of `-printf` that has nothing but `%f`, `%p`, `%%` and the escapes of [`filled`].
pub(super) fn check_format(format: &BString) -> Option<BString> {
    let mut bytes = format.iter();
    while let Some(byte) = bytes.next() {
        let known: &[u8] = match byte {
            b'%' => b"fp%",
            b'\\' => b"nt0\\",
            _ => continue,
        };
        bytes.next().filter(|next| known.contains(next))?;
    }
    Some(format.clone())
}

pub(super) fn filled(format: &BString, name: &BString) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => match bytes.next() {
                Some(b'f') => out.extend_from_slice(name.rsplit(|byte| *byte == b'/').next().unwrap_or_default()),
                Some(b'p') => out.extend_from_slice(name),
                other => out.extend(other),
            },
            b'\\' => out.push(match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                other => other.unwrap_or(b'\\'),
            }),
            plain => out.push(plain),
        }
    }
    out
}
