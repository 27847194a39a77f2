//! tmpfiles.d(5): files and directories that are made at boot, and by packages when they are installed.

use bstr::{BString, ByteSlice as _};

/// What a line makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TmpfilesKind {
    /// `d`, `D`, `v`, `q`, `Q`: a directory.
    Directory,
    /// `e`: the mode and owner of directories that exist.
    ExistingDirectory,
    /// `f`: a file, with content when it is new.
    File,
    /// `F`, `f+`: a file whose content is replaced.
    TruncatedFile,
    /// `L`: a link, when nothing is there.
    Link,
    /// `L+`: a link in place of what is there.
    ForcedLink,
    /// `C`: a copy.
    Copy,
    /// `z`, `Z`: the mode and owner of what exists.
    Adjust {
        /// `Z`: of all below too.
        recursive: bool,
    },
    /// What creates nothing in an image: ageing, removal, ACLs, attributes, writing to devices, pipes.
    Nothing,
}

/// A line of a tmpfiles.d file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TmpfilesLine {
    /// What it makes.
    pub kind: TmpfilesKind,
    /// Where; may be a pattern for kinds that take what exists.
    pub path: BString,
    /// Permission bits.
    pub mode: Option<u16>,
    /// Name or number of the owner.
    pub user: Option<BString>,
    /// Name or number of the group.
    pub group: Option<BString>,
    /// Content, target of a link, source of a copy.
    pub argument: BString,
}

/// The line follows no form of tmpfiles.d(5) that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tmpfiles.d: line {line} is not understood")]
pub struct TmpfilesError {
    /// From 1.
    pub line: usize,
}

/// Parses a tmpfiles.d file. Lines only for booting (`!`) are left out.
///
/// # Errors
/// [`TmpfilesError`].
pub fn parse_tmpfiles(text: &[u8]) -> Result<Vec<TmpfilesLine>, TmpfilesError> {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with(b"#") {
            lines.extend(parse_line(line).ok_or(TmpfilesError { line: at + 1 })?);
        }
    }
    Ok(lines)
}

/// `Some(None)` for a line that is only for booting.
fn parse_line(line: &[u8]) -> Option<Option<TmpfilesLine>> {
    let mut rest = line;
    let kind_text = take_field(&mut rest)?;
    if kind_text.contains(&b'!') {
        return Some(None);
    }
    let kind = kind(&kind_text)?;
    let path = take_field(&mut rest)?;
    let mut optional = || take_field(&mut rest).filter(|field| field != "-");
    let mode = match optional() {
        Some(mode) => {
            let digits = mode.trim_start_with(|mark| matches!(mark, '~' | ':'));
            Some(u16::from_str_radix(digits.to_str().ok()?, 8).ok().filter(|mode| *mode <= 0o7777)?)
        }
        None => None,
    };
    let plain = |name: BString| BString::from(name.trim_start_with(|mark| mark == ':'));
    let (user, group) = (optional().map(plain), optional().map(plain));
    let _age = optional();
    let argument = rest.trim();
    let argument = if argument == b"-" { BString::default() } else { unescape(argument) };
    Some(Some(TmpfilesLine { kind, path, mode, user, group, argument }))
}

fn kind(text: &[u8]) -> Option<TmpfilesKind> {
    let plus = text.contains(&b'+');
    Some(match text.first()? {
        b'd' | b'D' | b'v' | b'q' | b'Q' => TmpfilesKind::Directory,
        b'e' => TmpfilesKind::ExistingDirectory,
        b'f' if !plus => TmpfilesKind::File,
        b'f' | b'F' => TmpfilesKind::TruncatedFile,
        b'L' if !plus => TmpfilesKind::Link,
        b'L' => TmpfilesKind::ForcedLink,
        b'C' => TmpfilesKind::Copy,
        b'z' => TmpfilesKind::Adjust { recursive: false },
        b'Z' => TmpfilesKind::Adjust { recursive: true },
        b'a' | b'A' | b't' | b'T' | b'h' | b'H' | b'x' | b'X' | b'r' | b'R' | b'w' | b'p' | b'c' | b'b' | b'm' => {
            TmpfilesKind::Nothing
        }
        _ => return None,
    })
}

/// Takes a field off the front; double quotes keep white space.
fn take_field(rest: &mut &[u8]) -> Option<BString> {
    let text = rest.trim_start();
    let (field, after) = match text.strip_prefix(b"\"") {
        Some(quoted) => quoted.split_once_str("\"")?,
        None => {
            let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
            text.split_at(end)
        }
    };
    *rest = after;
    (!field.is_empty()).then(|| field.into())
}

/// C escapes: `\n`, `\t`, `\xHH`, `\\`.
fn unescape(text: &[u8]) -> BString {
    let mut out = BString::default();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, byte == b'\\') {
            (_, true) => match bytes.next() {
                Some(b'n') => out.push(b'\n'),
                Some(b't') => out.push(b'\t'),
                Some(b'x') => {
                    let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                    let value = std::str::from_utf8(&digits).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
                    out.push(value.unwrap_or(b'?'));
                }
                Some(other) => out.push(other),
                None => out.push(b'\\'),
            },
            (plain, false) => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_forms_of_debian_packages_are_read() {
        let check = |text: &str, kind, path: &str, mode, user: Option<&str>, argument: &str| {
            let lines = parse_tmpfiles(text.as_bytes()).expect(text);
            let [line] = lines.as_slice() else { panic!("{text}") };
            let user = user.map(BString::from);
            assert_eq!(
                (line.kind, line.path.to_string(), line.mode, &line.user),
                (kind, path.to_owned(), mode, &user),
                "{text}"
            );
            assert_eq!(line.argument, argument, "{text}");
        };
        check("d /run/sudo 0711 root root", TmpfilesKind::Directory, "/run/sudo", Some(0o711), Some("root"), "");
        check(
            "L+ /etc/mtab - - - - ../proc/self/mounts",
            TmpfilesKind::ForcedLink,
            "/etc/mtab",
            None,
            None,
            "../proc/self/mounts",
        );
        check("f /run/x 644 - - - a\\nb", TmpfilesKind::File, "/run/x", Some(0o644), None, "a\nb");
        check(
            "z /var/log/journal 2755 root systemd-journal - -",
            TmpfilesKind::Adjust { recursive: false },
            "/var/log/journal",
            Some(0o2755),
            Some("root"),
            "",
        );
        assert_eq!(parse_tmpfiles(b"D! /tmp/x 1777 root root 0\n# c\n"), Ok(vec![]));
        assert_eq!(parse_tmpfiles(b"?? x"), Err(TmpfilesError { line: 1 }));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[dfLCzZe][+!]? [ -~\\\\\t\"]{0,60}") {
            let _ = parse_tmpfiles(text.as_bytes());
        }
    }
}
