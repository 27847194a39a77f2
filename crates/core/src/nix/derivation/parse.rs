//! Reading a derivation.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

use super::{Derivation, DerivationError, DerivationOutput};
use crate::nix::store_path::is_name;
use crate::nix::{ContentHash, ContentMethod, HashAlgorithm, ParseContentAddressError, StorePath};

impl Derivation {
    /// Reads the bytes of a `.drv` file.
    ///
    /// # Errors
    /// For whatever Nix would not have written.
    pub fn parse(bytes: &[u8]) -> Result<Self, DerivationError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(DerivationError::TooLong);
        }
        let mut cursor = Cursor { bytes, at: 0 };
        if bytes.starts_with(b"DrvWithVersion(") {
            cursor.expect("DrvWithVersion(", "a version")?;
            return Err(DerivationError::Version(cursor.text("a version")?));
        }
        cursor.expect("Derive([", "`Derive([`")?;
        let outputs = cursor.outputs()?;
        cursor.expect(",[", "a list of derivations")?;
        let input_derivations = cursor.input_derivations()?;
        cursor.expect(",[", "a list of sources")?;
        let input_sources = cursor.set("sources", |cursor| cursor.path())?;
        cursor.expect(",", "a comma")?;
        let system = cursor.string("a system")?.into();
        cursor.expect(",", "a comma")?;
        let builder = cursor.string("a builder")?.into();
        cursor.expect(",[", "a list of arguments")?;
        let mut arguments: Vec<BString> = Vec::new();
        cursor.list("arguments", |cursor| {
            arguments.push(cursor.string("an argument")?.into());
            Ok(())
        })?;
        cursor.expect(",[", "a list of variables")?;
        let environment = cursor.environment()?;
        cursor.expect(")", "the end of the derivation")?;
        match cursor.at == bytes.len() {
            true => Ok(Self { outputs, input_derivations, input_sources, system, builder, arguments, environment }),
            false => Err(DerivationError::Unexpected { expected: "the end of the file", at: cursor.at }),
        }
    }
}

/// Where reading is.
struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, word: &str, expected: &'static str) -> Result<(), DerivationError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        match word.as_bytes().starts_with(rest) {
            true => Err(DerivationError::Truncated { expected }),
            false => Err(DerivationError::Unexpected { expected, at: self.at }),
        }
    }

    /// The members of a list whose bracket is passed, up to and with its end.
    fn list(
        &mut self,
        what: &'static str,
        mut member: impl FnMut(&mut Self) -> Result<(), DerivationError>,
    ) -> Result<(), DerivationError> {
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        for _ in 0..Derivation::MAX_MEMBERS {
            member(self)?;
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(());
            }
            self.expect(",", "a comma or the end of a list")?;
        }
        Err(DerivationError::TooMany { what })
    }

    /// A list that Nix has sorted.
    fn set<T: Ord>(
        &mut self,
        what: &'static str,
        mut member: impl FnMut(&mut Self) -> Result<T, DerivationError>,
    ) -> Result<BTreeSet<T>, DerivationError> {
        let mut set = BTreeSet::new();
        self.list(what, |cursor| {
            let member = member(cursor)?;
            cursor.after(what, set.last(), &member)?;
            set.insert(member);
            Ok(())
        })?;
        Ok(set)
    }

    fn map<K: Ord, V>(
        &mut self,
        what: &'static str,
        mut member: impl FnMut(&mut Self) -> Result<(K, V), DerivationError>,
    ) -> Result<BTreeMap<K, V>, DerivationError> {
        let mut map = BTreeMap::new();
        self.list(what, |cursor| {
            let (key, value) = member(cursor)?;
            cursor.after(what, map.last_key_value().map(|(last, _)| last), &key)?;
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }

    fn after<T: Ord>(&self, what: &'static str, last: Option<&T>, next: &T) -> Result<(), DerivationError> {
        match last.is_none_or(|last| last < next) {
            true => Ok(()),
            false => Err(DerivationError::Order { what, at: self.at }),
        }
    }

    fn outputs(&mut self) -> Result<BTreeMap<String, DerivationOutput>, DerivationError> {
        let outputs = self.map("outputs", |cursor| {
            cursor.expect("(", "an output")?;
            let name = cursor.output_name()?;
            cursor.expect(",", "a comma")?;
            let path = cursor.text("a path")?;
            let path = if path.is_empty() { None } else { Some(cursor.store_path(&path)?) };
            cursor.expect(",", "a comma")?;
            let algorithm = cursor.text("a hash algorithm")?;
            cursor.expect(",", "a comma")?;
            let hash = cursor.text("a hash")?;
            cursor.expect(")", "the end of an output")?;
            let output = output(&name, path, &algorithm, &hash)?;
            Ok((name, output))
        })?;
        if outputs.is_empty() { Err(DerivationError::NoOutputs) } else { Ok(outputs) }
    }

    fn input_derivations(&mut self) -> Result<BTreeMap<StorePath, BTreeSet<String>>, DerivationError> {
        self.map("derivations", |cursor| {
            cursor.expect("(", "a derivation and its outputs")?;
            let path = cursor.path()?;
            cursor.expect(",[", "a list of outputs")?;
            let outputs = cursor.set("names of outputs", |cursor| cursor.output_name())?;
            cursor.expect(")", "the end of a derivation's outputs")?;
            Ok((path, outputs))
        })
    }

    fn environment(&mut self) -> Result<BTreeMap<BString, BString>, DerivationError> {
        self.map("variables", |cursor| {
            cursor.expect("(", "a variable")?;
            let name = cursor.string("a variable's name")?.into();
            cursor.expect(",", "a comma")?;
            let value = cursor.string("a variable's value")?.into();
            cursor.expect(")", "the end of a variable")?;
            Ok((name, value))
        })
    }

    fn output_name(&mut self) -> Result<String, DerivationError> {
        let name = self.text("an output's name")?;
        if is_name(&name) { Ok(name) } else { Err(DerivationError::OutputName(name)) }
    }

    fn path(&mut self) -> Result<StorePath, DerivationError> {
        let path = self.text("a path")?;
        self.store_path(&path)
    }

    fn store_path(&self, path: &str) -> Result<StorePath, DerivationError> {
        StorePath::from_absolute(path).map_err(|source| DerivationError::Path { at: self.at, source })
    }

    fn text(&mut self, what: &'static str) -> Result<String, DerivationError> {
        String::from_utf8(self.string(what)?).map_err(|_| DerivationError::NotText { what, at: self.at })
    }

    /// A string with the escapes that Nix writes, and no others.
    fn string(&mut self, expected: &'static str) -> Result<Vec<u8>, DerivationError> {
        self.expect("\"", expected)?;
        let mut string = Vec::new();
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t'));
            let plain = plain.ok_or(DerivationError::Truncated { expected: "the end of a string" })?;
            string.extend_from_slice(&rest[..plain]);
            let at = self.at + plain;
            self.at = at + 1;
            match rest[plain] {
                b'"' => return Ok(string),
                b'\\' => {
                    let escaped = self.peek().ok_or(DerivationError::Truncated { expected: "the end of a string" })?;
                    string.push(match escaped {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'"' | b'\\' => escaped,
                        _ => return Err(DerivationError::Escape { at }),
                    });
                    self.at += 1;
                }
                _ => return Err(DerivationError::Escape { at }),
            }
        }
    }
}

/// What the three strings of an output say (Nix's `libstore/derivations.cc`, "parseDerivationOutput").
fn output(
    name: &str,
    path: Option<StorePath>,
    algorithm: &str,
    hash: &str,
) -> Result<DerivationOutput, DerivationError> {
    let kind = || DerivationError::OutputKind(name.to_owned());
    if algorithm.is_empty() {
        return match (path, hash) {
            (Some(path), "") => Ok(DerivationOutput::InputAddressed(path)),
            (None, "") => Ok(DerivationOutput::Deferred),
            _ => Err(kind()),
        };
    }
    let wrong = |source| DerivationError::OutputHash { output: name.to_owned(), source };
    let (method, algorithm) = ContentMethod::split(algorithm);
    let known = HashAlgorithm::parse(algorithm);
    let algorithm = known.ok_or_else(|| wrong(ParseContentAddressError::Algorithm(algorithm.to_owned())))?;
    match (path, hash) {
        (None, "") => Ok(DerivationOutput::Floating { method, algorithm }),
        (None, "impure") => Ok(DerivationOutput::Impure { method, algorithm }),
        (Some(path), hash) if hash.len() == algorithm.size() * 2 => {
            let hash = ContentHash::parse_digits(algorithm, hash).map_err(wrong)?;
            Ok(DerivationOutput::Fixed { path, method, hash })
        }
        (Some(_), hash) if !hash.is_empty() => Err(wrong(ParseContentAddressError::Digits(algorithm, hash.to_owned()))),
        _ => Err(kind()),
    }
}
