//! `printf` (XCU, utilities).

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::echo::{Escapes, unescape};

pub(super) fn printf<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut args = call.args.clone();
    if args.first().is_some_and(|arg| arg == "--") {
        args.remove(0);
    }
    // bash: `printf -v name`.
    let variable =
        (args.first().is_some_and(|arg| arg == "-v") && args.len() > 2).then(|| args.drain(..2).nth(1)).flatten();
    if args.is_empty() {
        call.complain("usage: printf format [arg ...]")?;
        return Ok(Status(2));
    }
    let format = args.remove(0);
    let mut printer =
        Printer { args: args.into_iter().collect(), used: 0, output: Vec::new(), bad: Vec::new(), stopped: false };
    loop {
        let before = printer.used;
        printer.round(&format).map_err(|conversion| call.unsupported(format!("%{}", char::from(conversion))))?;
        if printer.stopped || printer.used >= printer.args.len() || printer.used == before {
            break;
        }
    }
    match variable {
        Some(name) => call.shell.assign_raw(&name, &printer.output),
        None => call.out(&printer.output)?,
    }
    for bad in &printer.bad {
        call.complain(format!("{bad}: expected numeric value"))?;
    }
    Ok(Status::from_bool(printer.bad.is_empty()))
}

struct Printer {
    args: Vec<BString>,
    used: usize,
    output: Vec<u8>,
    bad: Vec<BString>,
    stopped: bool,
}

/// One conversion specification.
#[derive(Default)]
struct Conversion {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternative: bool,
    width: usize,
    precision: Option<usize>,
}

impl Printer {
    fn next(&mut self) -> Option<BString> {
        let arg = self.args.get(self.used).cloned();
        self.used += 1;
        arg
    }

    /// Goes once through the format; the error is a conversion that is not known.
    fn round(&mut self, format: &[u8]) -> Result<(), u8> {
        let mut at = 0;
        while let Some(byte) = format.get(at) {
            let rest = format.get(at..).unwrap_or_default();
            match byte {
                b'%' if rest.starts_with(b"%%") => {
                    self.output.push(b'%');
                    at += 2;
                }
                b'%' => {
                    at += 1;
                    at += self.conversion(format.get(at..).unwrap_or_default())?;
                    if self.stopped {
                        return Ok(());
                    }
                }
                _ => {
                    let length = rest.find_byte(b'%').unwrap_or(rest.len());
                    unescape(rest.get(..length).unwrap_or_default(), &mut self.output, Escapes::Format);
                    at += length;
                }
            }
        }
        Ok(())
    }

    /// One conversion after its `%`; gives its length.
    fn conversion(&mut self, spec: &[u8]) -> Result<usize, u8> {
        let mut conversion = Conversion::default();
        let mut at = 0;
        while let Some(flag) = spec.get(at) {
            match flag {
                b'-' => conversion.left = true,
                b'0' => conversion.zero = true,
                b'+' => conversion.plus = true,
                b' ' => conversion.space = true,
                b'#' => conversion.alternative = true,
                _ => break,
            }
            at += 1;
        }
        let (width, length) = self.count(spec.get(at..).unwrap_or_default());
        conversion.left |= width < 0;
        conversion.width = (width.unsigned_abs() as usize).min(1 << 16);
        at += length;
        if spec.get(at) == Some(&b'.') {
            let (precision, length) = self.count(spec.get(at + 1..).unwrap_or_default());
            conversion.precision = Some((precision.max(0) as usize).min(1 << 16));
            at += 1 + length;
        }
        while spec.get(at).is_some_and(|byte| matches!(byte, b'l' | b'h')) {
            at += 1;
        }
        let letter = *spec.get(at).ok_or(b' ')?;
        self.convert(letter, &conversion)?;
        Ok(at + 1)
    }

    /// A number of the specification, or `*` for the next argument.
    fn count(&mut self, spec: &[u8]) -> (i64, usize) {
        if spec.first() == Some(&b'*') {
            return (self.next().map_or(0, |arg| self.number(&arg)), 1);
        }
        let length = spec.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(spec.len());
        (spec.get(..length).and_then(|digits| digits.to_str().ok()?.parse().ok()).unwrap_or(0), length)
    }

    fn convert(&mut self, letter: u8, conversion: &Conversion) -> Result<(), u8> {
        let arg = self.next();
        let cut = |text: &[u8]| {
            text.get(..conversion.precision.unwrap_or(text.len()).min(text.len())).unwrap_or_default().to_vec()
        };
        match letter {
            b's' => self.pad(&cut(&arg.unwrap_or_default()), conversion),
            b'c' => self.pad(arg.unwrap_or_default().get(..1).unwrap_or_default(), conversion),
            b'b' => {
                let mut text = Vec::new();
                self.stopped = !unescape(&arg.unwrap_or_default(), &mut text, Escapes::Echo);
                self.pad(&cut(&text), conversion);
            }
            b'q' => {
                let text = arg.unwrap_or_default().replace("'", "'\\''");
                self.pad(&[b"'", text.as_slice(), b"'"].concat(), conversion);
            }
            b'd' | b'i' => {
                let value = arg.map_or(0, |arg| self.number(&arg));
                let sign = if value < 0 {
                    "-"
                } else if conversion.plus {
                    "+"
                } else if conversion.space {
                    " "
                } else {
                    ""
                };
                self.pad_number(sign, value.unsigned_abs().to_string(), conversion);
            }
            b'u' | b'o' | b'x' | b'X' => {
                let value = arg.map_or(0, |arg| self.number(&arg)) as u64;
                let (prefix, digits) = match letter {
                    b'u' => ("", value.to_string()),
                    b'o' => (if conversion.alternative { "0" } else { "" }, format!("{value:o}")),
                    b'x' => (if conversion.alternative { "0x" } else { "" }, format!("{value:x}")),
                    _ => (if conversion.alternative { "0X" } else { "" }, format!("{value:X}")),
                };
                self.pad_number(prefix, digits, conversion);
            }
            b'f' | b'F' => {
                let value = arg.and_then(|arg| arg.to_str().ok()?.trim().parse::<f64>().ok()).unwrap_or(0.0);
                let sign = if value < 0.0 { "-" } else { "" };
                let digits = format!("{:.*}", conversion.precision.unwrap_or(6), value.abs());
                self.pad_number(sign, digits, &Conversion { precision: None, ..*conversion });
            }
            other => return Err(other),
        }
        Ok(())
    }

    fn number(&mut self, arg: &BString) -> i64 {
        let text = arg.trim().to_str().unwrap_or_default();
        // `'c` stands for the code of the character.
        if let Some(character) = text.strip_prefix(['\'', '"']) {
            return character.bytes().next().map_or(0, i64::from);
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let parsed = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            i64::from_str_radix(hex, 16)
        } else if digits.len() > 1 && digits.starts_with('0') {
            i64::from_str_radix(digits, 8)
        } else {
            digits.parse()
        };
        match parsed {
            Ok(value) => {
                if negative {
                    -value
                } else {
                    value
                }
            }
            Err(_) if text.is_empty() => 0,
            Err(_) => {
                self.bad.push(arg.clone());
                let length = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
                digits.get(..length).and_then(|digits| digits.parse().ok()).unwrap_or(0)
            }
        }
    }

    fn pad(&mut self, text: &[u8], conversion: &Conversion) {
        let fill = vec![b' '; conversion.width.saturating_sub(text.len())];
        let (before, after) =
            if conversion.left { (&[] as &[u8], fill.as_slice()) } else { (fill.as_slice(), &[] as &[u8]) };
        for part in [before, text, after] {
            self.output.extend_from_slice(part);
        }
    }

    fn pad_number(&mut self, prefix: &str, mut digits: String, conversion: &Conversion) {
        let fill = match conversion.precision {
            Some(precision) => precision,
            None if conversion.zero && !conversion.left => conversion.width.saturating_sub(prefix.len()),
            None => 0,
        };
        digits.insert_str(0, &"0".repeat(fill.saturating_sub(digits.len())));
        digits.insert_str(0, prefix);
        self.pad(digits.as_bytes(), conversion);
    }
}
