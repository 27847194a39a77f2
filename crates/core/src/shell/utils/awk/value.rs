//! Values of `awk`: numbers, text, and text that looks like a number because it came from the input.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Unset,
    Number(f64),
    Text(BString),
    /// From the input: compared as a number when it is one.
    Input(BString),
}

impl Value {
    pub(super) fn from_bool(holds: bool) -> Self {
        Value::Number(f64::from(u8::from(holds)))
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Value::Unset => 0.0,
            Value::Number(number) => *number,
            Value::Text(text) | Value::Input(text) => leading_number(text).0,
        }
    }

    pub(super) fn text(&self) -> BString {
        match self {
            Value::Unset => BString::default(),
            Value::Number(number) => format_number(*number).into(),
            Value::Text(text) | Value::Input(text) => text.clone(),
        }
    }

    pub(super) fn holds(&self) -> bool {
        match self {
            Value::Unset => false,
            Value::Number(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Input(text) if self.is_numeric() => leading_number(text).0 != 0.0,
            Value::Input(text) => !text.is_empty(),
        }
    }

    fn is_numeric(&self) -> bool {
        match self {
            Value::Unset | Value::Number(_) => true,
            Value::Text(_) => false,
            Value::Input(text) => {
                let (_, length) = leading_number(text);
                length > 0 && text.get(length..).is_some_and(|rest| rest.trim().is_empty())
            }
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        if self.is_numeric() && other.is_numeric() {
            self.number().partial_cmp(&other.number()).unwrap_or(Ordering::Equal)
        } else {
            self.text().cmp(&other.text())
        }
    }
}

/// `%.6g` for what is not whole.
pub(super) fn format_number(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e16 {
        return format!("{number:.0}").replace("-0", if number == 0.0 { "0" } else { "-0" });
    }
    let digits = 5 - number.abs().log10().floor() as i32;
    let text = format!("{number:.*}", digits.clamp(0, 30) as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The number that text starts with, and where it ends.
fn leading_number(text: &[u8]) -> (f64, usize) {
    let start = text.len() - text.trim_start().len();
    let mut end = start;
    let (mut dot, mut digits) = (false, false);
    while let Some(byte) = text.get(end) {
        match byte {
            b'+' | b'-' if end == start => {}
            b'.' if !dot => dot = true,
            byte if byte.is_ascii_digit() => digits = true,
            _ => break,
        }
        end += 1;
    }
    let number = text.get(start..end).filter(|_| digits).and_then(|number| number.to_str().ok()?.parse().ok());
    number.map_or((0.0, 0), |number| (number, end))
}
