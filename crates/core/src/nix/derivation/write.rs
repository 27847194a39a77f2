//! Writing a derivation.

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice as _;

use super::{Derivation, DerivationOutput};

impl Derivation {
    /// The bytes of its `.drv` file.
    pub fn to_aterm(&self) -> Vec<u8> {
        let inputs = self.input_derivations.iter().map(|(path, outputs)| (path.absolute(), outputs));
        self.write(inputs, false)
    }

    /// As the hash modulo what is fixed takes it: derivations by their own such hashes, and, where `masked`, without
    /// the paths of its own outputs (Nix's "hashDerivationModulo").
    pub(super) fn to_aterm_modulo(&self, inputs: &BTreeMap<String, BTreeSet<String>>, masked: bool) -> Vec<u8> {
        self.write(inputs.iter().map(|(hash, outputs)| (hash.clone(), outputs)), masked)
    }

    fn write<'d>(&'d self, inputs: impl Iterator<Item = (String, &'d BTreeSet<String>)>, masked: bool) -> Vec<u8> {
        let mut out = Writer(b"Derive(".to_vec());
        out.list(&self.outputs, |out, (name, output)| {
            let [path, algorithm, hash] = strings(output);
            out.tuple(&[name, if masked { "" } else { &path }, &algorithm, &hash]);
        });
        out.comma().list(inputs, |out, (path, outputs)| {
            out.byte(b'(').string(path.as_bytes()).comma();
            out.list(outputs, |out, output| _ = out.string(output.as_bytes()));
            out.byte(b')');
        });
        out.comma().list(&self.input_sources, |out, path| _ = out.string(path.absolute().as_bytes()));
        out.comma().string(&self.system).comma().string(&self.builder);
        out.comma().list(&self.arguments, |out, argument| _ = out.string(argument));
        out.comma().list(&self.environment, |out, (name, value)| {
            let own = masked && name.to_str().is_ok_and(|name| self.outputs.contains_key(name));
            out.byte(b'(').string(name).comma().string(if own { b"" } else { value }).byte(b')');
        });
        out.byte(b')');
        out.0
    }
}

/// An output's path, algorithm and hash.
fn strings(output: &DerivationOutput) -> [String; 3] {
    let path = output.path().map(|path| path.absolute()).unwrap_or_default();
    match output {
        DerivationOutput::InputAddressed(_) | DerivationOutput::Deferred => [path, String::new(), String::new()],
        DerivationOutput::Fixed { method, hash, .. } => {
            [path, format!("{}{}", method.prefix(), hash.algorithm().as_str()), hash.to_hex()]
        }
        DerivationOutput::Floating { method, algorithm } => {
            [path, format!("{}{}", method.prefix(), algorithm.as_str()), String::new()]
        }
        DerivationOutput::Impure { method, algorithm } => {
            [path, format!("{}{}", method.prefix(), algorithm.as_str()), "impure".to_owned()]
        }
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) -> &mut Self {
        self.0.push(byte);
        self
    }

    fn comma(&mut self) -> &mut Self {
        self.byte(b',')
    }

    fn string(&mut self, string: &[u8]) -> &mut Self {
        self.byte(b'"');
        for byte in string {
            match byte {
                b'"' | b'\\' => self.byte(b'\\').byte(*byte),
                b'\n' => self.byte(b'\\').byte(b'n'),
                b'\r' => self.byte(b'\\').byte(b'r'),
                b'\t' => self.byte(b'\\').byte(b't'),
                byte => self.byte(*byte),
            };
        }
        self.byte(b'"')
    }

    fn tuple(&mut self, strings: &[&str]) {
        let mut before = b'(';
        for string in strings {
            self.byte(before).string(string.as_bytes());
            before = b',';
        }
        self.byte(b')');
    }

    fn list<T>(&mut self, members: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.byte(b'[');
        for (at, member) in members.into_iter().enumerate() {
            if at > 0 {
                self.comma();
            }
            write(self, member);
        }
        self.byte(b']');
    }
}
