//! Options as getopt_long(3) reads them, operands and options mixed.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError};

/// One option a command knows: its letter (0 for none), its long name, and whether it takes a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known(u8, &'static str, Takes);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    /// Only written as `--name=value`.
    Optional,
}

/// An option without a value.
pub(super) const fn flag(letter: u8, name: &'static str) -> Known {
    Known(letter, name, Takes::Nothing)
}

/// An option with a value.
pub(super) const fn value(letter: u8, name: &'static str) -> Known {
    Known(letter, name, Takes::Value)
}

/// A long option whose value may be left out.
pub(super) const fn optional(letter: u8, name: &'static str) -> Known {
    Known(letter, name, Takes::Optional)
}

/// The options and operands of one call.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    given: Vec<(&'static str, Option<BString>)>,
    pub(super) operands: Vec<BString>,
}

impl Parsed {
    /// Whether the option of this long name was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }

    /// The last value given for an option.
    pub(super) fn value(&self, name: &str) -> Option<&BString> {
        self.given.iter().rev().find(|(given, _)| *given == name).and_then(|(_, value)| value.as_ref())
    }

    /// Every value given for an option, in order.
    pub(super) fn values<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p BString> {
        self.given.iter().filter(move |(given, _)| *given == name).filter_map(|(_, value)| value.as_ref())
    }

    /// The options in order.
    pub(super) fn given(&self) -> impl Iterator<Item = &'static str> {
        self.given.iter().map(|(name, _)| *name)
    }

    /// An option's value as a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.to_str().ok()?.parse().ok()
    }
}

/// Parses a call's arguments.
///
/// # Errors
/// [`ShellError::Unsupported`] for an option that is not in `known` or lacks its value.
pub(super) fn parse<S>(call: &Invocation<'_, '_, S>, known: &[Known]) -> Result<Parsed, ShellError> {
    parse_args(call, call.args.clone(), known)
}

/// As [`parse`], with options only before the first operand.
pub(super) fn parse_leading<S>(call: &Invocation<'_, '_, S>, known: &[Known]) -> Result<Parsed, ShellError> {
    let mut args = call.args.clone();
    let mut at = 0;
    while let Some(arg) = args.get(at).filter(|arg| arg.starts_with(b"-") && arg.len() > 1) {
        at += 1;
        if arg == "--" {
            break;
        }
        let last = arg.last().copied().unwrap_or_default();
        let detached = |Known(letter, name, takes): &&Known| {
            *takes == Takes::Value
                && (*letter == last && !arg.starts_with(b"--") || arg.strip_prefix(b"--") == Some(name.as_bytes()))
        };
        at += usize::from(known.iter().find(detached).is_some());
    }
    let operands = args.split_off(at.min(args.len()));
    let mut parsed = parse_args(call, args, known)?;
    parsed.operands.extend(operands);
    Ok(parsed)
}

fn parse_args<S>(call: &Invocation<'_, '_, S>, args: Vec<BString>, known: &[Known]) -> Result<Parsed, ShellError> {
    let mut parsed = Parsed::default();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            parsed.operands.extend(args);
            break;
        } else if let Some(long) = arg.strip_prefix(b"--") {
            let (name, attached) = match long.find_byte(b'=') {
                Some(at) => (long.get(..at).unwrap_or_default(), long.get(at + 1..).map(BString::from)),
                None => (long, None),
            };
            let Known(_, name, takes) = *known
                .iter()
                .find(|Known(_, known, _)| known.as_bytes() == name)
                .filter(|Known(_, _, takes)| attached.is_none() || *takes != Takes::Nothing)
                .ok_or_else(|| call.unsupported(&arg))?;
            let value = if takes == Takes::Value { attached.or_else(|| args.next()) } else { attached };
            if takes == Takes::Value && value.is_none() {
                return Err(call.unsupported(&arg));
            }
            parsed.given.push((name, value));
        } else if arg.len() > 1 && arg.starts_with(b"-") {
            letters(call, &arg, &mut args, known, &mut parsed)?;
        } else {
            parsed.operands.push(arg);
        }
    }
    Ok(parsed)
}

fn letters<S>(
    call: &Invocation<'_, '_, S>,
    arg: &BString,
    args: &mut impl Iterator<Item = BString>,
    known: &[Known],
    parsed: &mut Parsed,
) -> Result<(), ShellError> {
    for (index, letter) in arg.iter().enumerate().skip(1) {
        let Some(Known(_, name, takes)) = known.iter().find(|Known(known, ..)| known == letter) else {
            return Err(call.unsupported(arg));
        };
        if *takes != Takes::Value {
            parsed.given.push((name, None));
            continue;
        }
        let attached = arg.get(index + 1..).filter(|rest| !rest.is_empty()).map(BString::from);
        let value = attached.or_else(|| args.next()).ok_or_else(|| call.unsupported(arg))?;
        parsed.given.push((name, Some(value)));
        return Ok(());
    }
    Ok(())
}
