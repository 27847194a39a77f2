//! Command lines of the tools we stand in for: options that take a value, flags, operands.
//!
//! A tool's known options are a table; anything else is refused, because an option we pass over silently might be
//! the one that matters.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

/// What one option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: a switch.
    Nothing,
    /// A value: `--x V`, `--x=V`, `-x V` or `-xV`.
    Value,
}

/// The options of one tool: spelling, canonical name, and whether a value follows.
pub(crate) type OptionTable = &'static [(&'static str, &'static str, Takes)];

/// A command line taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    options: BTreeMap<&'static str, Vec<BString>>,
    /// What is not an option, in order.
    pub(crate) operands: Vec<BString>,
}

/// An option that the tool's table does not have, or a value that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("option `{0}` is unknown here or lacks its value")]
pub(crate) struct UnknownOption(pub(crate) BString);

impl Arguments {
    /// Parses as `getopt_long` with permutation: options and operands may mix, `--` ends the options.
    pub(crate) fn parse(args: &[BString], table: OptionTable) -> Result<Self, UnknownOption> {
        let mut parsed = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                parsed.operands.extend(rest.by_ref().cloned());
            } else if let Some(long) = arg.strip_prefix(b"--") {
                let (name, value) = match long.split_once_str("=") {
                    Some((name, value)) => (&arg[..name.len() + 2], Some(BString::from(value))),
                    None => (arg.as_bytes(), None),
                };
                let (name, takes) = find(table, name).ok_or_else(|| UnknownOption(arg.clone()))?;
                let value = match takes {
                    Takes::Nothing => BString::default(),
                    Takes::Value => value.or_else(|| rest.next().cloned()).ok_or_else(|| UnknownOption(arg.clone()))?,
                };
                parsed.options.entry(name).or_default().push(value);
            } else if arg.len() > 1 && arg.starts_with(b"-") {
                parsed.short_cluster(arg, &mut rest, table)?;
            } else {
                parsed.operands.push(arg.clone());
            }
        }
        Ok(parsed)
    }

    /// `-rm`, `-d /home`, `-d/home`.
    fn short_cluster<'a>(
        &mut self,
        arg: &BString,
        rest: &mut impl Iterator<Item = &'a BString>,
        table: OptionTable,
    ) -> Result<(), UnknownOption> {
        let unknown = || UnknownOption(arg.clone());
        for at in 1..arg.len() {
            let (name, takes) = find(table, &[b'-', arg[at]]).ok_or_else(unknown)?;
            if takes == Takes::Nothing {
                self.options.entry(name).or_default().push(BString::default());
                continue;
            }
            let attached = BString::from(&arg[at + 1..]);
            let value = if attached.is_empty() { rest.next().cloned().ok_or_else(unknown)? } else { attached };
            self.options.entry(name).or_default().push(value);
            break;
        }
        Ok(())
    }

    /// Whether the option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// The last value given for the option.
    pub(crate) fn value(&self, name: &str) -> Option<&BStr> {
        self.options.get(name).and_then(|values| values.last()).map(|value| value.as_bstr())
    }

    /// The last value as a number; `None` when absent or no number.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.value(name)?.to_str().ok()?.parse().ok()
    }
}

fn find(table: OptionTable, spelling: &[u8]) -> Option<(&'static str, Takes)> {
    table.iter().find(|(name, ..)| name.as_bytes() == spelling).map(|(_, name, takes)| (*name, *takes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: OptionTable = &[
        ("--home", "home", Takes::Value),
        ("-d", "home", Takes::Value),
        ("--system", "system", Takes::Nothing),
        ("-r", "system", Takes::Nothing),
    ];

    fn parse(line: &str) -> Result<Arguments, UnknownOption> {
        Arguments::parse(&line.split_whitespace().map(BString::from).collect::<Vec<_>>(), TABLE)
    }

    #[test]
    fn every_spelling_means_the_same() {
        for line in ["--system --home /x joe", "joe -rd/x", "-r -d /x joe", "--home=/x --system -- joe"] {
            let parsed = parse(line).expect(line);
            assert!(parsed.has("system"), "{line}");
            assert_eq!(parsed.value("home"), Some("/x".into()), "{line}");
            assert_eq!(parsed.operands, ["joe"], "{line}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for line in ["--frob", "-x", "-rx", "--home", "-d"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
