//! `expr` (XCU, utilities).

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};

/// Binary operators by level, loosest first.
const LEVELS: [&[&[u8]]; 5] =
    [&[b"|"], &[b"&"], &[b"=", b"==", b"!=", b"<", b"<=", b">", b">="], &[b"+", b"-"], &[b"*", b"/", b"%"]];

pub(super) fn expr<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut args = call.args.clone();
    if args.first().is_some_and(|arg| arg == "--") {
        args.remove(0);
    }
    let mut parser = Parser { args: &args, at: 0, depth: 0 };
    match parser.level(0) {
        Ok(value) if parser.at == args.len() => {
            call.out([value.as_slice(), b"\n"].concat())?;
            Ok(Status::from_bool(!is_null(&value)))
        }
        Err(Some(pattern)) => Err(call.unsupported(pattern)),
        _ => {
            call.complain("syntax error")?;
            Ok(Status(2))
        }
    }
}

fn is_null(value: &BString) -> bool {
    value.is_empty() || value == "0"
}

fn number(value: &[u8]) -> Option<i64> {
    value.to_str().ok()?.parse().ok()
}

struct Parser<'a> {
    args: &'a [BString],
    at: usize,
    depth: u32,
}

/// The error is an expression that cannot be translated, or nothing for a syntax error.
type Value = Result<BString, Option<BString>>;

impl Parser<'_> {
    fn next(&mut self) -> Option<&BString> {
        let arg = self.args.get(self.at);
        self.at += usize::from(arg.is_some());
        arg
    }

    fn level(&mut self, level: usize) -> Value {
        let Some(operators) = LEVELS.get(level) else { return self.matching() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.args.get(self.at).filter(|arg| operators.contains(&arg.as_slice())) {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn matching(&mut self) -> Value {
        let mut left = self.primary()?;
        while self.args.get(self.at).is_some_and(|arg| arg == ":") {
            self.at += 1;
            let pattern = self.primary()?;
            left = matched(&left, &pattern)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Value {
        self.depth += 1;
        if self.depth > 1000 {
            return Err(None);
        }
        let Some(first) = self.next().cloned() else { return Err(None) };
        let more = self.at < self.args.len();
        Ok(match first.as_slice() {
            b"(" => {
                let value = self.level(0)?;
                return if self.next().is_some_and(|arg| arg == ")") { Ok(value) } else { Err(None) };
            }
            b"+" if more => self.next().cloned().unwrap_or_default(),
            b"length" if more => self.primary()?.len().to_string().into(),
            b"match" if more => {
                let (text, pattern) = (self.primary()?, self.primary()?);
                return matched(&text, &pattern);
            }
            b"substr" if more => {
                let (text, start, length) = (self.primary()?, self.primary()?, self.primary()?);
                let (start, length) = (number(&start).unwrap_or(0), number(&length).unwrap_or(0));
                if start < 1 || length < 1 {
                    return Ok(BString::default());
                }
                text.iter().copied().skip(start as usize - 1).take(length as usize).collect::<Vec<u8>>().into()
            }
            b"index" if more => {
                let (text, set) = (self.primary()?, self.primary()?);
                text.iter().position(|byte| set.contains(byte)).map_or(0, |at| at + 1).to_string().into()
            }
            _ => first,
        })
    }
}

/// `text : pattern`, anchored: the first group, or how many characters matched.
fn matched(text: &BString, pattern: &BString) -> Value {
    let source = super::regex::translated(pattern, false).ok_or_else(|| Some(pattern.clone()))?;
    let regex = super::regex::compile(&format!("^(?:{source})"), false).ok_or_else(|| Some(pattern.clone()))?;
    let has_group = regex.captures_len() > 1;
    Ok(match regex.captures(text) {
        Some(captures) if has_group => captures.get(1).map(|part| part.as_bytes().into()).unwrap_or_default(),
        Some(captures) => captures.get(0).map_or(0, |part| part.len()).to_string().into(),
        None if has_group => BString::default(),
        None => "0".into(),
    })
}

fn apply(operator: &BString, left: BString, right: BString) -> Value {
    let holds = |condition: bool| Ok(BString::from(if condition { "1" } else { "0" }));
    match operator.as_slice() {
        b"|" => {
            return Ok(if !is_null(&left) {
                left
            } else if is_null(&right) {
                "0".into()
            } else {
                right
            });
        }
        b"&" => return Ok(if is_null(&left) || is_null(&right) { "0".into() } else { left }),
        _ => {}
    }
    if let b"=" | b"==" | b"!=" | b"<" | b"<=" | b">" | b">=" = operator.as_slice() {
        let order = match (number(&left), number(&right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.cmp(&right),
        };
        return holds(match operator.as_slice() {
            b"=" | b"==" => order.is_eq(),
            b"!=" => order.is_ne(),
            b"<" => order.is_lt(),
            b"<=" => order.is_le(),
            b">" => order.is_gt(),
            _ => order.is_ge(),
        });
    }
    let (Some(left), Some(right)) = (number(&left), number(&right)) else { return Err(None) };
    let value = match operator.as_slice() {
        b"+" => left.checked_add(right),
        b"-" => left.checked_sub(right),
        b"*" => left.checked_mul(right),
        b"/" => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    value.map(|value| value.to_string().into()).ok_or(None)
}
