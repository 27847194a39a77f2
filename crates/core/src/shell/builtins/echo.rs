//! `echo`: dash's takes only `-n` and always reads escapes, bash's reads them after `-e`.

use super::super::syntax::Dialect;
use super::super::{Invocation, ShellError, Status};

pub(super) fn echo<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let bash = call.shell.dialect == Dialect::Bash;
    let mut args = call.args.as_slice();
    let (mut newline, mut escapes) = (true, !bash);
    while let Some((first, rest)) = args.split_first() {
        match first.as_slice() {
            b"-n" => newline = false,
            [b'-', flags @ ..] if bash && !flags.is_empty() && flags.iter().all(|flag| b"neE".contains(flag)) => {
                for flag in flags {
                    match flag {
                        b'n' => newline = false,
                        b'e' => escapes = true,
                        _ => escapes = false,
                    }
                }
            }
            _ => break,
        }
        args = rest;
        if !bash {
            break;
        }
    }
    let text = bstr::join(" ", args);
    let mut output = Vec::with_capacity(text.len() + 1);
    let goes_on = !escapes || unescape(&text, &mut output, Escapes::Echo);
    if !escapes {
        output.extend_from_slice(&text);
    }
    if newline && goes_on {
        output.push(b'\n');
    }
    call.out(output)?;
    Ok(Status::SUCCESS)
}

/// Which escapes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// `echo` and `%b`: octal is `\0ooo`, and `\c` ends all output.
    Echo,
    /// The format of `printf`: octal is `\ooo`.
    Format,
}

/// Replaces escape sequences; `false` when `\c` asked to stop.
pub(super) fn unescape(text: &[u8], output: &mut Vec<u8>, escapes: Escapes) -> bool {
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            output.push(byte);
            continue;
        }
        let plain = match bytes.next() {
            None => b'\\',
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b'c') if escapes == Escapes::Echo => return false,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 0x0b,
            Some(b'\\') => b'\\',
            Some(b'"') if escapes == Escapes::Format => b'"',
            Some(b'\'') if escapes == Escapes::Format => b'\'',
            Some(b'e') => 0x1b,
            Some(first @ b'0'..=b'7') => {
                // `\0` takes three digits after the zero, `\1` is taken by both printf and dash's echo.
                let (mut value, count) =
                    if first == b'0' && escapes == Escapes::Echo { (0, 3) } else { (u32::from(first - b'0'), 2) };
                for _ in 0..count {
                    let Some(digit) = bytes.next_if(|byte| (b'0'..=b'7').contains(byte)) else { break };
                    value = value * 8 + u32::from(digit - b'0');
                }
                value as u8
            }
            Some(other) => {
                output.push(b'\\');
                other
            }
        };
        output.push(plain);
    }
    true
}
