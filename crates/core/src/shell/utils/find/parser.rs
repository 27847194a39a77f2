//! The command line of `find` as an expression (find(1), "EXPRESSION").

use bstr::{BString, ByteSlice};

use super::super::super::eval::Pattern;
use super::super::super::{Invocation, ShellError};
use super::expression::{Comparison, Expression};
use super::printf::check_format;

pub(super) struct Parser<'a> {
    pub(super) args: &'a [BString],
    pub(super) at: usize,
    pub(super) acts: bool,
    pub(super) depth_first: bool,
    pub(super) max_depth: usize,
    pub(super) min_depth: usize,
    pub(super) batches: usize,
    nesting: u32,
}

impl<'a> Parser<'a> {
    pub(super) fn new(args: &'a [BString]) -> Self {
        Self {
            args,
            at: 0,
            acts: false,
            depth_first: false,
            max_depth: usize::MAX,
            min_depth: 0,
            batches: 0,
            nesting: 0,
        }
    }

    fn next(&mut self) -> Option<BString> {
        let arg = self.args.get(self.at).cloned();
        self.at += usize::from(arg.is_some());
        arg
    }

    pub(super) fn or<S>(&mut self, call: &Invocation<'_, '_, S>) -> Result<Expression, ShellError> {
        let mut left = self.and(call)?;
        while self.args.get(self.at).is_some_and(|arg| arg == "-o" || arg == "-or") {
            self.at += 1;
            left = Expression::Or(Box::new(left), Box::new(self.and(call)?));
        }
        Ok(left)
    }

    fn and<S>(&mut self, call: &Invocation<'_, '_, S>) -> Result<Expression, ShellError> {
        let mut left = self.primary(call)?;
        while let Some(arg) = self.args.get(self.at).filter(|arg| !matches!(arg.as_slice(), b")" | b"-o" | b"-or")) {
            self.at += usize::from(matches!(arg.as_slice(), b"-a" | b"-and"));
            left = Expression::And(Box::new(left), Box::new(self.primary(call)?));
        }
        Ok(left)
    }

    fn primary<S>(&mut self, call: &Invocation<'_, '_, S>) -> Result<Expression, ShellError> {
        let Some(name) = self.next() else { return Err(call.unsupported("an incomplete expression")) };
        self.nesting += 1;
        if self.nesting > 1000 {
            return Err(call.unsupported("an expression this long"));
        }
        match name.as_slice() {
            b"(" => {
                let inner = self.or(call)?;
                return if self.next().is_some_and(|arg| arg == ")") { Ok(inner) } else { Err(call.unsupported("(")) };
            }
            b"!" | b"-not" => return Ok(Expression::Not(Box::new(self.primary(call)?))),
            b"-print" | b"-print0" | b"-printf" | b"-delete" | b"-exec" | b"-execdir" | b"-quit" => {
                return self.action(call, &name);
            }
            b"-empty" => return Ok(Expression::Empty),
            b"-prune" => return Ok(Expression::Prune),
            b"-true" | b"-xdev" | b"-mount" | b"-noleaf" | b"-follow" => return Ok(Expression::True),
            b"-false" => return Ok(Expression::Not(Box::new(Expression::True))),
            b"-nouser" => return Ok(Expression::NoUser(true)),
            b"-nogroup" => return Ok(Expression::NoUser(false)),
            b"-executable" => return Ok(Expression::Executable),
            b"-depth" | b"-d" => {
                self.depth_first = true;
                return Ok(Expression::True);
            }
            _ => {}
        }
        let operand = self.next().ok_or_else(|| call.unsupported(&name))?;
        self.test(call, &name, &operand).ok_or_else(|| call.unsupported(format!("{name} {operand}")))
    }

    fn action<S>(&mut self, call: &Invocation<'_, '_, S>, name: &BString) -> Result<Expression, ShellError> {
        self.acts = true;
        Ok(match name.as_slice() {
            b"-print" => Expression::Print(b'\n'),
            b"-print0" => Expression::Print(0),
            b"-printf" => {
                let format = self.next().ok_or_else(|| call.unsupported(name))?;
                Expression::Printf(check_format(&format).ok_or_else(|| call.unsupported(format!("-printf {format}")))?)
            }
            b"-quit" => Expression::Quit,
            b"-delete" => {
                self.depth_first = true;
                Expression::Delete
            }
            _ => {
                let mut command = Vec::new();
                loop {
                    let word = self.next().ok_or_else(|| call.unsupported(name))?;
                    if word == ";" {
                        return Ok(Expression::Exec { command, batch: None });
                    }
                    if word == "+" && command.last().is_some_and(|last: &BString| last == "{}") {
                        command.pop();
                        self.batches += 1;
                        return Ok(Expression::Exec { command, batch: Some(self.batches - 1) });
                    }
                    command.push(word);
                }
            }
        })
    }

    fn test<S>(&mut self, call: &Invocation<'_, '_, S>, name: &[u8], operand: &BString) -> Option<Expression> {
        let depth = || operand.to_str().ok()?.parse::<usize>().ok();
        Some(match name {
            b"-name" => Expression::Name(Pattern::new(operand), false),
            b"-iname" => Expression::Name(Pattern::new(&operand.to_ascii_lowercase()), true),
            b"-path" | b"-wholename" => Expression::Path(Pattern::new(operand)),
            b"-lname" => Expression::LinkName(Pattern::new(operand)),
            b"-regex" => {
                // find's default syntax is Emacs's, which here differs from basic only in `+` and `?`.
                let text = operand.replace("+", r"\+").replace("?", r"\?");
                let source = super::super::regex::translated(&text, false)?;
                Expression::Regex(super::super::regex::compile(&format!("^(?:{source})$"), false)?)
            }
            b"-type" | b"-xtype" => {
                let letters = operand.iter().copied().filter(|letter| *letter != b',').collect();
                Expression::Type(letters, name == b"-xtype")
            }
            b"-user" | b"-uid" => Expression::User(super::super::accounts::user(call.machine, operand)?.0),
            b"-group" | b"-gid" => Expression::Group(super::super::accounts::group(call.machine, operand)?),
            b"-perm" => {
                let (sign, text) = match operand.split_first()? {
                    (sign @ (b'-' | b'/'), rest) => (*sign, rest),
                    _ => (b'=', operand.as_slice()),
                };
                Expression::Mode(super::super::mode::Change::parse(text)?.apply(0, false, 0), sign)
            }
            b"-links" => Expression::Links(Comparison::parse(operand)?),
            b"-size" => {
                let (unit, digits) = match operand.split_last()? {
                    (b'c', digits) => (1, digits),
                    (b'k', digits) => (1024, digits),
                    (b'M', digits) => (1 << 20, digits),
                    (b'b', digits) => (512, digits),
                    _ => (512, operand.as_slice()),
                };
                Expression::Size(Comparison::parse(digits)?, unit)
            }
            b"-newer" => Expression::Newer(call.stat(operand, true)?.1.meta.mtime),
            b"-mtime" | b"-ctime" | b"-atime" => Expression::Days(Comparison::parse(operand)?),
            b"-maxdepth" => {
                self.max_depth = depth()?;
                Expression::True
            }
            b"-mindepth" => {
                self.min_depth = depth()?;
                Expression::True
            }
            _ => return None,
        })
    }
}
