//! The formats of `printf` and `sprintf`.

use super::Expression;
use super::run::{Awk, Jump, Refused, Run};
use super::value::{Value, format_number};

impl Awk {
    /// `printf` with `%s`, `%d`, `%c` and `%%`, width, precision and the flags `-` and `0`.
    pub(super) fn format(&mut self, list: &[Expression]) -> Run<Vec<u8>> {
        let mut values = list.iter().map(|item| self.value(item)).collect::<Run<Vec<_>>>()?.into_iter();
        let format = values.next().map(|format| format.text()).unwrap_or_default();
        let mut text = Vec::new();
        let mut bytes = format.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if byte != b'%' {
                text.push(byte);
                continue;
            }
            let mut spec = String::new();
            while let Some(next) = bytes.next_if(|next| matches!(next, b'-' | b'.' | b'0'..=b'9')) {
                spec.push(next.into());
            }
            let letter = bytes.next().unwrap_or(b'%');
            if letter == b'%' {
                text.push(b'%');
                continue;
            }
            let value = values.next().unwrap_or(Value::Unset);
            let (width, precision) = spec.split_once('.').unwrap_or((&spec, ""));
            let mut field: Vec<u8> = match letter {
                b's' => value.text().into(),
                b'd' | b'i' => format_number(value.number().trunc()).into_bytes(),
                b'c' => value.text().get(..1).unwrap_or_default().to_vec(),
                b'x' => format!("{:x}", value.number() as i64).into_bytes(),
                b'o' => format!("{:o}", value.number() as i64).into_bytes(),
                b'f' => format!("{:.*}", precision.parse::<usize>().unwrap_or(6).min(60), value.number()).into_bytes(),
                other => return Err(Jump::Refused(Refused::Construct([b'%', other].as_slice().into()))),
            };
            if letter == b's'
                && let Ok(precision) = precision.parse::<usize>()
            {
                field.truncate(precision);
            }
            let (left, width) = (width.starts_with('-'), width.trim_start_matches('-'));
            let zero = width.starts_with('0') && letter != b's' && !left;
            let fill = width.parse::<usize>().unwrap_or(0).min(1 << 16).saturating_sub(field.len());
            let padding = vec![if zero { b'0' } else { b' ' }; fill];
            text.extend(if left { [field, padding].concat() } else { [padding, field].concat() });
        }
        Ok(text)
    }
}
