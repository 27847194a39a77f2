//! File modes as `chmod` takes them (XCU, chmod; octal or symbolic).

/// A change of permission bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shell) enum Change {
    /// All bits at once. For directories GNU keeps setuid and setgid unless all five digits are written.
    Octal { bits: u16, explicit: bool },
    /// Clauses such as `u+rwX`.
    Symbolic(Vec<Clause>),
}

/// `[ugoa]*[-+=][rwxXstugo]*`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shell) struct Clause {
    who: u16,
    everyone: bool,
    operator: u8,
    permissions: Vec<u8>,
}

impl Change {
    /// Parses a mode; `None` when it is none.
    pub(in crate::shell) fn parse(text: &[u8]) -> Option<Self> {
        if text.first()?.is_ascii_digit() {
            let octal = std::str::from_utf8(text).ok()?;
            let bits = u16::from_str_radix(octal, 8).ok().filter(|bits| *bits <= 0o7777)?;
            return Some(Change::Octal { bits, explicit: octal.len() >= 5 });
        }
        let mut clauses = Vec::new();
        for part in text.split(|byte| *byte == b',') {
            let length = part.iter().position(|byte| b"+-=".contains(byte))?;
            let (who, mut actions) = part.split_at(length);
            let mut mask = 0;
            for letter in who {
                mask |= match letter {
                    b'u' => 0o4700,
                    b'g' => 0o2070,
                    b'o' => 0o1007,
                    b'a' => 0o7777,
                    _ => return None,
                };
            }
            while let Some((operator, rest)) = actions.split_first() {
                let length = rest.iter().position(|byte| b"+-=".contains(byte)).unwrap_or(rest.len());
                let (permissions, rest) = rest.split_at(length);
                if !permissions.iter().all(|letter| b"rwxXstugo".contains(letter)) {
                    return None;
                }
                let (who, everyone) = if mask == 0 { (0o7777, true) } else { (mask, false) };
                clauses.push(Clause { who, everyone, operator: *operator, permissions: permissions.to_vec() });
                actions = rest;
            }
        }
        Some(Change::Symbolic(clauses))
    }

    /// The bits after the change. `umask` holds back what a clause without `ugoa` would set.
    pub(in crate::shell) fn apply(&self, mode: u16, directory: bool, umask: u16) -> u16 {
        match self {
            Change::Octal { bits, explicit } => {
                let kept = if directory && !explicit { mode & 0o6000 } else { 0 };
                bits | kept
            }
            Change::Symbolic(clauses) => clauses.iter().fold(mode, |mode, clause| clause.apply(mode, directory, umask)),
        }
    }
}

impl Clause {
    fn apply(&self, mode: u16, directory: bool, umask: u16) -> u16 {
        let mut bits = 0;
        for letter in &self.permissions {
            bits |= match letter {
                b'r' => 0o444,
                b'w' => 0o222,
                b'x' => 0o111,
                b'X' if directory || mode & 0o111 != 0 => 0o111,
                b's' => 0o6000,
                b't' => 0o1000,
                b'u' => spread(mode >> 6),
                b'g' => spread(mode >> 3),
                b'o' => spread(mode),
                _ => 0,
            };
        }
        // `s` goes with `u` and `g`, `t` with nobody or everybody.
        let mut who = self.who;
        if self.permissions.contains(&b't') && self.who & 0o1000 != 0 {
            who |= 0o1000;
        }
        let bits = bits & who & if self.everyone { !umask } else { !0 };
        match self.operator {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            _ => {
                let kept = if directory { 0o6000 & !bits } else { 0 };
                (mode & !(who & 0o777 | (who & 0o7000 & !kept))) | bits
            }
        }
    }
}

/// The three bits of one class for all classes.
fn spread(bits: u16) -> u16 {
    let bits = bits & 7;
    bits << 6 | bits << 3 | bits
}
