//! Debian's names and instants.

use std::fmt;
use std::str::FromStr;

use super::{ParseValueError, serialize_as_text, text_schema, text_type, text_value};

text_value! {
    /// The name of a binary package (Debian Policy 5.6.1).
    PackageName,
    kind: "a package name",
    pattern: r"^[a-z0-9][a-z0-9+.-]+$",
    examples: ["ca-certificates"],
    check: |text| {
        let bytes = text.as_bytes();
        let inner = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'-');
        match bytes {
            _ if text.contains(':') => Err("plywood takes each package for the image's own architecture: leave the `:` part out"),
            [b'a'..=b'z' | b'0'..=b'9', rest @ ..] if (1..=127).contains(&rest.len()) && rest.iter().all(inner) => Ok(()),
            _ => Err("it has two or more lower-case letters, digits, `+`, `-` and `.`, and starts with a letter or digit"),
        }
    }
}

text_value! {
    /// A package name in which `*` stands for any characters.
    PackagePattern,
    kind: "a package name or pattern",
    pattern: r"^[a-z0-9*][a-z0-9*+.-]*$",
    examples: ["docker-ce", "docker-*"],
    check: |text| match text.as_bytes() {
        [b'a'..=b'z' | b'0'..=b'9' | b'*', rest @ ..]
            if rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'-' | b'*')) => Ok(()),
        _ => Err("it has lower-case letters, digits, `+`, `-`, `.` and `*`"),
    }
}

impl PackagePattern {
    /// Whether `name` is one of the packages meant.
    pub fn matches(&self, name: &str) -> bool {
        let mut pieces = self.as_str().split('*');
        let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
        let mut pieces: Vec<&str> = pieces.collect();
        let Some(last) = pieces.pop() else { return rest.is_empty() };
        for piece in pieces {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// A package to install: `git`, or `git=1:2.47.3-0+deb13u1` for exactly that version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRequest {
    /// Its name.
    pub name: PackageName,
    /// The exact version, when one is asked for.
    pub version: Option<ExactVersion>,
}

impl FromStr for PackageRequest {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version.parse()?)),
            None => (text, None),
        };
        Ok(Self { name: name.parse()?, version })
    }
}

text_type! {
    /// A version as written (deb-version(7)). Two that dpkg holds equal, such as `1.0` and `1.00`, differ here.
    ExactVersion,
    kind: "a Debian version",
    check: |text| {
        let rule = "it reads [epoch:]upstream[-revision], see deb-version(7)";
        let rest = match text.split_once(':') {
            Some((epoch, rest)) => match epoch.bytes().all(|byte| byte.is_ascii_digit()) && epoch.parse::<i32>().is_ok() {
                true => rest,
                false => return Err(rule),
            },
            None => text,
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-' | b'~' | b':');
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
        match text.len() <= 512 && !upstream.is_empty() && !revision.is_empty() && !revision.contains(':') && rest.bytes().all(allowed) {
            true => Ok(()),
            false => Err(rule),
        }
    }
}

impl fmt::Display for PackageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}={version}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

text_value! {
    /// A suite or codename of a Debian archive: `trixie`, `stable`, `bookworm-backports`, `stable/updates`.
    Suite,
    kind: "a suite",
    pattern: r"^[a-z0-9][a-z0-9.+_-]*(/[a-z0-9][a-z0-9.+_-]*)*$",
    examples: ["trixie", "bookworm"],
    check: |text| path_of_names(text)
}

text_value! {
    /// The suite of a third-party repository; one that ends in a slash is the path of a flat repository (sources.list(5)).
    RepositorySuite,
    kind: "a suite",
    pattern: r"^(\./|[a-z0-9][a-z0-9.+_-]*(/[a-z0-9][a-z0-9.+_-]*)*/?)$",
    examples: ["stable", "./"],
    check: |text| match text {
        "./" => Ok(()),
        _ => path_of_names(text.strip_suffix('/').unwrap_or(text)),
    }
}

impl RepositorySuite {
    /// Whether it is the path of a flat repository, which has no components.
    pub fn is_flat(&self) -> bool {
        self.as_str().ends_with('/')
    }
}

text_value! {
    /// A component of a suite: `main`, `contrib`, `non-free`, `non-free-firmware`.
    Component,
    kind: "a component",
    pattern: r"^[a-z0-9][a-z0-9.+_-]*(/[a-z0-9][a-z0-9.+_-]*)*$",
    examples: ["main"],
    check: |text| path_of_names(text)
}

text_value! {
    /// What the workspace calls a third-party repository.
    RepositoryName,
    kind: "the name of a repository",
    pattern: r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$",
    examples: ["docker"],
    check: |text| match text {
        "debian" | "debian-security" => Err("plywood uses it for Debian's own archive"),
        _ => super::names::repository_component(text),
    }
}

fn path_of_names(text: &str) -> Result<(), &'static str> {
    let name = |part: &str| match part.as_bytes() {
        [b'a'..=b'z' | b'0'..=b'9', rest @ ..] => {
            rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'+' | b'_' | b'-'))
        }
        _ => false,
    };
    match text.len() <= 128 && text.split('/').all(name) {
        true => Ok(()),
        false => Err("it has lower-case letters, digits, `.`, `+`, `_` and `-`, and starts with a letter or digit"),
    }
}

/// An instant of the snapshot archive, written as there: `20261101T000000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl SnapshotTime {
    /// Seconds since 1970, without leap seconds.
    pub fn unix_seconds(self) -> i64 {
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        // Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that the leap day comes last.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
        days * 86_400 + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
    }
}

impl FromStr for SnapshotTime {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rule| ParseValueError::new(text, "an instant of the snapshot archive", rule);
        let shape = wrong("it reads YYYYMMDDTHHMMSSZ, as in \"20261101T000000Z\"");
        let bytes: &[u8; 16] = text.as_bytes().try_into().map_err(|_| shape.clone())?;
        let number = |from: usize, to: usize| {
            bytes[from..to]
                .iter()
                .try_fold(0u16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u16::from(byte - b'0')))
        };
        let two = |from: usize| number(from, from + 2).map(|value| value as u8);
        let parsed = (bytes[8] == b'T' && bytes[15] == b'Z')
            .then(|| {
                let (year, month, day) = (number(0, 4)?, two(4)?, two(6)?);
                Some(Self { year, month, day, hour: two(9)?, minute: two(11)?, second: two(13)? })
            })
            .flatten()
            .ok_or(shape)?;
        match parsed.is_real() {
            true => Ok(parsed),
            false => Err(wrong("there is no such day or time since the archive began in 2005")),
        }
    }
}

impl SnapshotTime {
    fn is_real(self) -> bool {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        self.year >= 2005 && (1..=days).contains(&self.day) && self.hour < 24 && self.minute < 60 && self.second < 60
    }
}

impl fmt::Display for SnapshotTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

serialize_as_text!(PackageRequest, SnapshotTime);
text_schema!(PackageRequest, pattern: r"^[a-z0-9][a-z0-9+.-]+(=([0-9]+:)?[A-Za-z0-9.+~:-]+)?$", examples: ["git", "git=1:2.47.3-0+deb13u1"]);
text_schema!(SnapshotTime, pattern: r"^[0-9]{8}T[0-9]{6}Z$", examples: ["20261101T000000Z"]);
