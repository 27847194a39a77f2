//! What pax headers and GNU's long names say of the next entry.

use std::collections::BTreeMap;
use std::io;

use bstr::BString;

/// The prefix of extended attributes.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// What takes the place of fields of the next header.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mtime: Option<i64>,
    pub(super) xattrs: BTreeMap<BString, BString>,
}

impl Overrides {
    /// GNU's long name, with its final NUL.
    pub(super) fn set_path(&mut self, name: Vec<u8>) {
        self.path = Some(until_nul(name));
    }

    /// GNU's long link target, with its final NUL.
    pub(super) fn set_link(&mut self, target: Vec<u8>) {
        self.link = Some(until_nul(target));
    }

    /// Reads records of the form `length key=value\n` (POSIX.1-2024, pax, "pax Header Block").
    pub(super) fn read_pax(&mut self, mut records: &[u8]) -> io::Result<()> {
        while !records.is_empty() {
            let malformed = || invalid("an extended header is malformed");
            let space = records.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
            let length: usize = number(&records[..space])?;
            let (record, rest) = records.split_at_checked(length).ok_or_else(malformed)?;
            let body = record.get(space + 1..).and_then(|body| body.strip_suffix(b"\n")).ok_or_else(malformed)?;
            let equals = body.iter().position(|byte| *byte == b'=').ok_or_else(malformed)?;
            self.set(&body[..equals], &body[equals + 1..])?;
            records = rest;
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(number(value)?),
            b"uid" => self.uid = Some(number(value)?),
            b"gid" => self.gid = Some(number(value)?),
            b"mtime" => self.mtime = Some(seconds(value)?),
            _ if key.starts_with(b"GNU.sparse.") => return Err(invalid("sparse files are not read")),
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    self.xattrs.insert(name.into(), value.into());
                }
            }
        }
        Ok(())
    }
}

pub(super) fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

fn number<N: std::str::FromStr>(text: &[u8]) -> io::Result<N> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| invalid("a number of an extended header is malformed"))
}

/// Whole seconds; a fraction is rounded down, as engines do.
fn seconds(text: &[u8]) -> io::Result<i64> {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let whole: i64 = number(parts.next().unwrap_or_default())?;
    let has_fraction = parts.next().unwrap_or_default().iter().any(|digit| *digit != b'0');
    Ok(whole.saturating_sub(i64::from(text.starts_with(b"-") && has_fraction)))
}
