//! The colon-separated files of accounts: passwd(5), group(5), shadow(5), gshadow(5).
//!
//! Lines that are no record (comments, NIS `+` lines) are kept as they are, as the shadow suite keeps them.

use bstr::{BStr, BString, ByteSlice as _};

/// One kind of record: how it is read from a line and written to one.
pub trait Record: Sized {
    /// Reads a line without its newline; `None` for what is no record of this kind.
    fn parse(line: &[u8]) -> Option<Self>;
    /// The line, without a newline.
    fn to_line(&self) -> Vec<u8>;
    /// The account's or group's name.
    fn name(&self) -> &BStr;
}

/// A user, as in `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: BString,
    /// `x` when the password is in shadow(5).
    pub password: BString,
    /// Numeric user id.
    pub uid: u32,
    /// Numeric id of the primary group.
    pub gid: u32,
    /// Full name and further comma-separated fields.
    pub gecos: BString,
    /// Home directory.
    pub home: BString,
    /// Login shell.
    pub shell: BString,
}

/// A group, as in `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: BString,
    /// `x` when the password is in gshadow(5).
    pub password: BString,
    /// Numeric group id.
    pub gid: u32,
    /// Names of the users for whom this is a supplementary group.
    pub members: Vec<BString>,
}

/// A line of `/etc/shadow`. Days count from 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// Login name.
    pub name: BString,
    /// Password hash, `*` or `!` when none can match.
    pub password: BString,
    /// The seven fields after the password, as written: last change, minimum, maximum, warning, inactivity, expiry, flag.
    pub ageing: [BString; 7],
}

/// A line of `/etc/gshadow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gshadow {
    /// Group name.
    pub name: BString,
    /// Password hash, `*` or `!` when none can match.
    pub password: BString,
    /// Group administrators.
    pub administrators: Vec<BString>,
    /// The same members as in group(5).
    pub members: Vec<BString>,
}

/// Exactly `N` colon-separated fields.
fn fields<const N: usize>(line: &[u8]) -> Option<[&[u8]; N]> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    let fields: [&[u8]; N] = fields.try_into().ok()?;
    (!fields[0].is_empty() && !fields[0].starts_with(b"#") && !fields[0].starts_with(b"+")).then_some(fields)
}

fn number(field: &[u8]) -> Option<u32> {
    let plain = field.iter().all(u8::is_ascii_digit) && (field.len() == 1 || !field.starts_with(b"0"));
    plain.then(|| field.to_str().ok()?.parse().ok()).flatten()
}

fn names(field: &[u8]) -> Vec<BString> {
    field.split(|byte| *byte == b',').filter(|name| !name.is_empty()).map(BString::from).collect()
}

fn line<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    bstr::join(":", fields)
}

impl Record for User {
    fn parse(text: &[u8]) -> Option<Self> {
        let [name, password, uid, gid, gecos, home, shell] = fields(text)?;
        Some(Self {
            name: name.into(),
            password: password.into(),
            uid: number(uid)?,
            gid: number(gid)?,
            gecos: gecos.into(),
            home: home.into(),
            shell: shell.into(),
        })
    }

    fn to_line(&self) -> Vec<u8> {
        let (uid, gid) = (self.uid.to_string(), self.gid.to_string());
        let (gecos, home, shell) = (&self.gecos, &self.home, &self.shell);
        line([&self.name, &self.password, uid.as_bytes(), gid.as_bytes(), gecos, home, shell])
    }

    fn name(&self) -> &BStr {
        self.name.as_bstr()
    }
}

impl Record for Group {
    fn parse(text: &[u8]) -> Option<Self> {
        let [name, password, gid, members] = fields(text)?;
        Some(Self { name: name.into(), password: password.into(), gid: number(gid)?, members: names(members) })
    }

    fn to_line(&self) -> Vec<u8> {
        line([&self.name, &self.password, self.gid.to_string().as_bytes(), &bstr::join(",", &self.members)])
    }

    fn name(&self) -> &BStr {
        self.name.as_bstr()
    }
}

impl Record for Shadow {
    fn parse(text: &[u8]) -> Option<Self> {
        let [name, password, ageing @ ..] = fields::<9>(text)?;
        Some(Self { name: name.into(), password: password.into(), ageing: ageing.map(BString::from) })
    }

    fn to_line(&self) -> Vec<u8> {
        line([self.name.as_slice(), &self.password].into_iter().chain(self.ageing.iter().map(|field| field.as_slice())))
    }

    fn name(&self) -> &BStr {
        self.name.as_bstr()
    }
}

impl Record for Gshadow {
    fn parse(text: &[u8]) -> Option<Self> {
        let [name, password, administrators, members] = fields(text)?;
        let (administrators, members) = (names(administrators), names(members));
        Some(Self { name: name.into(), password: password.into(), administrators, members })
    }

    fn to_line(&self) -> Vec<u8> {
        let (administrators, members) = (bstr::join(",", &self.administrators), bstr::join(",", &self.members));
        line([&self.name, &self.password, administrators.as_slice(), &members])
    }

    fn name(&self) -> &BStr {
        self.name.as_bstr()
    }
}

/// A whole file of records, in order, with the lines that are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<R> {
    lines: Vec<Line<R>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line<R> {
    Record(R),
    Other(BString),
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { lines: Vec::new() }
    }
}

impl<R: Record> Table<R> {
    /// Reads a file; never fails, because what is no record is kept as text.
    pub fn parse(text: &[u8]) -> Self {
        let line = |line: &[u8]| R::parse(line).map_or_else(|| Line::Other(line.into()), Line::Record);
        Self { lines: text.lines_with_terminator().map(|text| line(text.trim_end_with(|c| c == '\n'))).collect() }
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in &self.lines {
            match line {
                Line::Record(record) => bytes.extend(record.to_line()),
                Line::Other(text) => bytes.extend_from_slice(text),
            }
            bytes.push(b'\n');
        }
        bytes
    }

    /// Every record, in order.
    pub fn iter(&self) -> impl Iterator<Item = &R> {
        self.lines.iter().filter_map(|line| match line {
            Line::Record(record) => Some(record),
            Line::Other(_) => None,
        })
    }

    /// Every record, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut R> {
        self.lines.iter_mut().filter_map(|line| match line {
            Line::Record(record) => Some(record),
            Line::Other(_) => None,
        })
    }

    /// The record of this name.
    pub fn get(&self, name: &[u8]) -> Option<&R> {
        self.iter().find(|record| record.name() == name)
    }

    /// The record of this name, to be changed.
    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut R> {
        self.iter_mut().find(|record| record.name() == name)
    }

    /// Adds a record at the end, where the shadow suite puts new ones.
    pub fn push(&mut self, record: R) {
        self.lines.push(Line::Record(record));
    }

    /// Removes the record of this name; says whether there was one.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| !matches!(line, Line::Record(record) if record.name() == name));
        self.lines.len() != before
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_lines_survive() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\n# a comment\n+::::::\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n";
        let table = Table::<User>::parse(passwd.as_bytes());
        assert_eq!(table.iter().count(), 2);
        assert_eq!(table.get(b"_apt").map(|user| user.uid), Some(42));
        assert_eq!(table.to_bytes().as_bstr(), passwd);
        let gshadow = "root:*::\nsudo:!:root:a,b\n";
        assert_eq!(Table::<Gshadow>::parse(gshadow.as_bytes()).to_bytes().as_bstr(), gshadow);
        let shadow = "root:*:20780:0:99999:7:::\n";
        assert_eq!(Table::<Shadow>::parse(shadow.as_bytes()).to_bytes().as_bstr(), shadow);
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_stays_the_same_once_written(text in "([a-z+#,:0-9]{0,20}\n){0,6}") {
            let table = Table::<Group>::parse(text.as_bytes());
            let written = table.to_bytes();
            prop_assert_eq!(Table::<Group>::parse(&written).to_bytes(), written);
            let _ = Table::<User>::parse(text.as_bytes());
            let _ = Table::<Shadow>::parse(text.as_bytes());
            let _ = Table::<Gshadow>::parse(text.as_bytes());
        }
    }
}
