//! The functions that `awk` has built in.

use bstr::{BString, ByteSlice};

use super::Expression;
use super::run::{Awk, Jump, Refused, Run};
use super::value::Value;

impl Awk {
    pub(super) fn call(&mut self, name: &str, arguments: &[Expression]) -> Run<Value> {
        let refused = || Jump::Refused(Refused::Construct(name.into()));
        if let "sub" | "gsub" = name {
            let [pattern, replacement, place @ ..] = arguments else { return Err(refused()) };
            let record = Expression::Field(Box::new(Expression::Number(0.0)));
            return self.replace(pattern, replacement, place.first().unwrap_or(&record), name == "gsub");
        }
        if let ("split", [text, Expression::Variable(array), rest @ ..]) = (name, arguments) {
            let text = self.value(text)?.text();
            let separator = match rest.first() {
                Some(Expression::Regex(regex)) => {
                    let parts =
                        if text.is_empty() { Vec::new() } else { regex.split(&text).map(BString::from).collect() };
                    return Ok(self.fill(array, parts));
                }
                Some(separator) => self.value(separator)?.text(),
                None => self.text_of("FS"),
            };
            let parts = self.split(&text, &separator);
            return Ok(self.fill(array, parts));
        }
        if let ("match", [text, pattern]) = (name, arguments) {
            let text = self.value(text)?.text();
            let found = self.regex(pattern)?.find(&text).map(|found| (found.start() + 1, found.len()));
            let (start, length) = found.map_or((0.0, -1.0), |(start, length)| (start as f64, length as f64));
            self.variables.insert("RSTART".to_owned(), Value::Number(start));
            self.variables.insert("RLENGTH".to_owned(), Value::Number(length));
            return Ok(Value::Number(start));
        }
        if let ("length", [Expression::Variable(array)]) = (name, arguments)
            && let Some(array) = self.arrays.get(array)
        {
            return Ok(Value::Number(array.len() as f64));
        }
        if name == "sprintf" {
            return Ok(Value::Text(self.format(arguments)?.into()));
        }
        let values = arguments.iter().map(|argument| self.value(argument)).collect::<Run<Vec<_>>>()?;
        Ok(match (name, values.as_slice()) {
            ("length", []) => Value::Number(self.record.len() as f64),
            ("length", [text]) => Value::Number(text.text().len() as f64),
            ("tolower", [text]) => Value::Text(text.text().to_ascii_lowercase().into()),
            ("toupper", [text]) => Value::Text(text.text().to_ascii_uppercase().into()),
            ("int", [number]) => Value::Number(number.number().trunc()),
            ("index", [text, part]) => {
                let (text, part) = (text.text(), part.text());
                Value::Number(text.find(&part).map_or(0.0, |at| (at + 1) as f64))
            }
            ("substr", [text, start, rest @ ..]) => {
                let text = text.text();
                let start = start.number().round();
                let end = rest.first().map_or(f64::INFINITY, |length| start + length.number().round());
                let inside = |at: usize| (at as f64) + 1.0 >= start && (at as f64) + 1.0 < end;
                Value::Text(
                    text.iter()
                        .enumerate()
                        .filter(|(at, _)| inside(*at))
                        .map(|(_, byte)| *byte)
                        .collect::<Vec<u8>>()
                        .into(),
                )
            }
            _ => return Err(refused()),
        })
    }

    fn fill(&mut self, array: &str, parts: Vec<BString>) -> Value {
        let count = parts.len() as f64;
        let items =
            parts.into_iter().enumerate().map(|(at, part)| ((at + 1).to_string().into(), Value::Input(part))).collect();
        self.arrays.insert(array.to_owned(), items);
        Value::Number(count)
    }

    fn replace(&mut self, pattern: &Expression, replacement: &Expression, place: &Expression, all: bool) -> Run<Value> {
        let regex = self.regex(pattern)?;
        let replacement = self.value(replacement)?.text();
        let text = self.value(place)?.text();
        let mut result = Vec::new();
        let (mut copied, mut count) = (0, 0);
        for found in regex.find_iter(&text).take(if all { usize::MAX } else { 1 }) {
            result.extend_from_slice(text.get(copied..found.start()).unwrap_or_default());
            let mut bytes = replacement.iter().copied().peekable();
            while let Some(byte) = bytes.next() {
                match byte {
                    b'\\' => result.push(bytes.next_if(|next| matches!(next, b'&' | b'\\')).unwrap_or(b'\\')),
                    b'&' => result.extend_from_slice(found.as_bytes()),
                    _ => result.push(byte),
                }
            }
            copied = found.end();
            count += 1;
        }
        if count > 0 {
            result.extend_from_slice(text.get(copied..).unwrap_or_default());
            self.assign(place, Value::Text(result.into()))?;
        }
        Ok(Value::Number(f64::from(count)))
    }
}
