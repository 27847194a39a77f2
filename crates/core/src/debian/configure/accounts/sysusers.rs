//! `systemd-sysusers`: accounts declared in `/usr/lib/sysusers.d` (sysusers.d(5)).
//!
//! Free ids are taken from 999 downwards, and must be free both as user and as group id.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::{Accounts, GROUP, GSHADOW, NewUser, PASSWD, SHADOW};
use crate::tree::{Meta, Node, TreeError, TreePath};

/// The lines of one file are bounded, as all that comes from packages.
const MAX_LINES: usize = 10_000;
/// Debian builds systemd with system ids up to this one.
const SYSTEM_ID_MAX: u32 = 999;

/// A line of a sysusers.d file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SysusersLine {
    /// `u` or `u!`: a user, with a group of the same name unless one is named.
    User {
        /// Login name.
        name: BString,
        /// The id asked for.
        uid: Option<u32>,
        /// The primary group, by name or number.
        group: Option<BString>,
        /// Full name.
        gecos: BString,
        /// Home directory.
        home: BString,
        /// Login shell.
        shell: Option<BString>,
        /// `u!`: the account is locked (systemd 257).
        locked: bool,
    },
    /// `g`: a group.
    Group {
        /// Name.
        name: BString,
        /// The id asked for.
        gid: Option<u32>,
    },
    /// `m`: a user becomes a member of a group.
    Member {
        /// The user's name.
        user: BString,
        /// The group's name.
        group: BString,
    },
    /// `r`: a range of ids, which Debian's packages leave alone.
    Range,
}

/// Why accounts could not be made from sysusers.d.
#[derive(Debug, thiserror::Error)]
pub enum SysusersError {
    /// The line follows no form of sysusers.d(5) that is known here.
    #[error("sysusers.d: line {line} is not understood")]
    Line {
        /// From 1.
        line: usize,
    },
    /// The named group does not exist.
    #[error("sysusers.d: group `{0}` does not exist")]
    NoSuchGroup(BString),
    /// Every system id is taken.
    #[error("sysusers.d: no free id is left for `{0}`")]
    NoFreeId(BString),
    /// The tree could not be changed.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Parses a sysusers.d file (sysusers.d(5), "Configuration file format").
///
/// # Errors
/// [`SysusersError::Line`].
pub fn parse_sysusers(text: &[u8]) -> Result<Vec<SysusersLine>, SysusersError> {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate().take(MAX_LINES) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with(b"#") {
            lines.push(parse_line(line).ok_or(SysusersError::Line { line: at + 1 })?);
        }
    }
    Ok(lines)
}

fn parse_line(line: &[u8]) -> Option<SysusersLine> {
    let mut fields = quoted_fields(line)?.into_iter();
    let kind = fields.next()?;
    let name = fields.next()?;
    let mut optional = || fields.next().filter(|field| field != "-" && !field.is_empty());
    match kind.trim_end_with(|mark| matches!(mark, '!' | '+' | '-')) {
        b"u" => {
            let id = optional();
            let (uid, group) = match id.as_ref().map(|id| id.split_once_str(":")) {
                Some(Some((uid, group))) => (Some(uid), Some(group.into())),
                _ => (id.as_ref().map(|id| id.as_slice()), None),
            };
            let uid = uid.filter(|uid| *uid != b"-");
            Some(SysusersLine::User {
                name,
                uid: uid.and_then(number),
                group,
                gecos: optional().unwrap_or_default(),
                home: optional().unwrap_or_else(|| "/".into()),
                shell: optional(),
                locked: kind.contains(&b'!'),
            })
        }
        b"g" => Some(SysusersLine::Group { name, gid: optional().as_deref().and_then(|id| number(id)) }),
        b"m" => Some(SysusersLine::Member { user: name, group: optional()? }),
        b"r" => Some(SysusersLine::Range),
        _ => None,
    }
}

fn number(text: &[u8]) -> Option<u32> {
    text.to_str().ok()?.parse().ok()
}

/// Splits at white space; double or single quotes keep it.
fn quoted_fields(line: &[u8]) -> Option<Vec<BString>> {
    let mut fields = Vec::new();
    let mut bytes = line.iter().copied().peekable();
    loop {
        while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
        let Some(first) = bytes.peek().copied() else { return Some(fields) };
        let quote = matches!(first, b'"' | b'\'').then_some(first);
        if quote.is_some() {
            bytes.next();
        }
        let mut field = BString::default();
        loop {
            match (bytes.next(), quote) {
                (Some(byte), Some(quote)) if byte == quote => break,
                (Some(byte), None) if byte.is_ascii_whitespace() => break,
                (Some(b'\\'), _) => field.push(bytes.next()?),
                (Some(byte), _) => field.push(byte),
                (None, Some(_)) => return None,
                (None, None) => break,
            }
        }
        fields.push(field);
    }
}

impl Accounts<'_> {
    /// As `systemd-sysusers` with the lines of all files named: groups first, then users, then memberships.
    ///
    /// # Errors
    /// [`SysusersError`].
    pub fn apply_sysusers(&mut self, lines: &[SysusersLine]) -> Result<(), SysusersError> {
        let before = [PASSWD, GROUP, SHADOW, GSHADOW].map(|path| (self.tree.get(&path).cloned(), path));
        let queued: BTreeMap<&BStr, Option<u32>> = lines
            .iter()
            .filter_map(|line| match line {
                SysusersLine::Group { name, gid } => Some((name.as_bstr(), *gid)),
                _ => None,
            })
            .collect();
        for line in lines {
            if let SysusersLine::Group { name, gid } = line {
                self.sysusers_group(name.as_bstr(), *gid)?;
            }
        }
        for line in lines {
            if let SysusersLine::User { .. } = line {
                self.sysusers_user(line, &queued)?;
            }
        }
        for line in lines {
            if let SysusersLine::Member { user, group } = line {
                self.sysusers_group(group.as_bstr(), None)?;
                self.add_member(user, group)?;
            }
        }
        Ok(self.back_up_once(before)?)
    }

    /// systemd-sysusers writes each file once a run, so the backup is the file as the run found it.
    fn back_up_once(&mut self, before: [(Option<Node>, TreePath); 4]) -> Result<(), TreeError> {
        for (old, path) in before {
            let backup = TreePath::parse([path.as_bytes(), b"-"].concat())?;
            match old {
                Some(old) if self.tree.get(&path) != Some(&old) => {
                    self.tree.insert(backup, old)?;
                }
                None => {
                    self.tree.remove_all(&backup);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The group's id; it is made when it does not exist.
    fn sysusers_group(&mut self, name: &BStr, wanted: Option<u32>) -> Result<u32, SysusersError> {
        let groups = self.groups();
        if let Some(group) = groups.get(name) {
            return Ok(group.gid);
        }
        let is_free = |gid: &u32| !groups.iter().any(|group| group.gid == *gid);
        let gid = match wanted.filter(is_free) {
            Some(gid) => gid,
            None => self.highest_free_id(name)?,
        };
        self.ensure_shadow_file(GSHADOW)?;
        self.add_group_with_password(name, gid, b"!*")?;
        Ok(gid)
    }

    fn sysusers_user(
        &mut self,
        line: &SysusersLine,
        queued: &BTreeMap<&BStr, Option<u32>>,
    ) -> Result<(), SysusersError> {
        let SysusersLine::User { name, uid, group, gecos, home, shell, locked } = line else { return Ok(()) };
        let name = name.as_bstr();
        if self.users().get(name).is_some() {
            return Ok(());
        }
        let gid = match group {
            Some(group) => self.gid_of(group).ok_or_else(|| SysusersError::NoSuchGroup(group.clone()))?,
            None => self.sysusers_group(name, queued.get(name).copied().flatten().or(*uid))?,
        };
        let users = self.users();
        let groups = self.groups();
        let is_free = |id: &u32| {
            !users.iter().any(|user| user.uid == *id)
                && !groups.iter().any(|other| other.gid == *id && other.name != name)
        };
        let uid = match uid.filter(|id| !users.iter().any(|user| user.uid == *id)).or(Some(gid).filter(is_free)) {
            Some(uid) => uid,
            None => self.highest_free_id(name)?,
        };
        let shell =
            shell.clone().unwrap_or_else(|| if uid == 0 { "/bin/sh".into() } else { "/usr/sbin/nologin".into() });
        self.ensure_shadow_file(SHADOW)?;
        let (gecos, home, expires) =
            (gecos.clone(), home.clone(), if *locked { "1".into() } else { BString::default() });
        let password = "!*".into();
        Ok(self.add_user(&NewUser {
            name: name.into(),
            uid,
            gid,
            gecos,
            home,
            shell,
            system: true,
            password,
            expires,
        })?)
    }

    fn highest_free_id(&self, name: &BStr) -> Result<u32, SysusersError> {
        let (users, groups) = (self.users(), self.groups());
        (1..=SYSTEM_ID_MAX)
            .rev()
            .find(|id| !users.iter().any(|user| user.uid == *id) && !groups.iter().any(|group| group.gid == *id))
            .ok_or_else(|| SysusersError::NoFreeId(name.into()))
    }

    /// systemd-sysusers makes a shadow file where `shadowconfig` has not yet run, readable by nobody.
    fn ensure_shadow_file(&mut self, path: TreePath) -> Result<(), TreeError> {
        if !self.tree.contains(&path) {
            self.tree.insert(path, Node::file(Meta::root(0, self.now), *b""))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_forms_of_debian_packages_are_read() {
        let check = |text: &str, expect: SysusersLine| {
            assert_eq!(parse_sysusers(text.as_bytes()).expect(text), [expect], "{text}");
        };
        let user = |name: &str, uid, group: Option<&str>, gecos: &str, home: &str, locked| SysusersLine::User {
            name: name.into(),
            uid,
            group: group.map(BString::from),
            gecos: gecos.into(),
            home: home.into(),
            shell: None,
            locked,
        };
        check(
            "u sshd -:nogroup \"sshd user\" /run/sshd",
            user("sshd", None, Some("nogroup"), "sshd user", "/run/sshd", false),
        );
        check("u! systemd-network - \"Network\"", user("systemd-network", None, None, "Network", "/", true));
        check("u _apt 42:65534 - /nonexistent", user("_apt", Some(42), Some("65534"), "", "/nonexistent", false));
        check("g input  -", SysusersLine::Group { name: "input".into(), gid: None });
        check("m joe wheel", SysusersLine::Member { user: "joe".into(), group: "wheel".into() });
        assert!(parse_sysusers(b"x joe").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[ugmr!]?[ -~\n\t\"']{0,60}") {
            let _ = parse_sysusers(text.as_bytes());
        }
    }
}
