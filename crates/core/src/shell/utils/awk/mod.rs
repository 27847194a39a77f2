//! `awk` (XCU, utilities): patterns, fields, expressions, arrays and the usual functions. Functions of one's own,
//! `getline`, and output to files or pipes are refused.

mod functions;
mod lexer;
mod parser;
mod printf;
mod run;
mod value;

use bstr::{BString, ByteSlice};
use regex::bytes::Regex;

use super::super::{Invocation, ShellError, Status};
use super::options::{parse_leading, value as option_value};

/// A rule: `pattern { action }`.
#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    action: Vec<Statement>,
}

#[derive(Debug)]
enum Pattern {
    Begin,
    End,
    Always,
    When(Expression),
    /// From one line to another; the index is that of its state.
    Range(Expression, Expression, usize),
}

#[derive(Debug)]
enum Statement {
    Print(Vec<Expression>),
    Printf(Vec<Expression>),
    Expression(Expression),
    If(Expression, Vec<Statement>, Vec<Statement>),
    While(Expression, Vec<Statement>),
    /// The step runs after each round, also one that was cut short.
    For(Option<Expression>, Option<Expression>, Option<Expression>, Vec<Statement>),
    ForIn(String, String, Vec<Statement>),
    Next,
    Exit(Option<Expression>),
    Break,
    Continue,
    Delete(String, Option<Vec<Expression>>),
}

#[derive(Debug)]
enum Expression {
    Number(f64),
    Text(BString),
    Regex(Regex),
    Variable(String),
    Field(Box<Expression>),
    Element(String, Vec<Expression>),
    In(Vec<Expression>, String),
    Assign(Box<Expression>, Option<u8>, Box<Expression>),
    /// Adds to a place; gives the old value when `post`.
    Step {
        place: Box<Expression>,
        by: f64,
        post: bool,
    },
    Binary(Operator, Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Match,
    NoMatch,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Concatenate,
    Arithmetic(u8),
}

pub(super) fn awk<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse_leading(
        call,
        &[option_value(b'F', "field-separator"), option_value(b'v', "assign"), option_value(b'f', "file")],
    )?;
    let mut operands = options.operands.clone();
    let program = match options.value("file") {
        Some(file) => match call.read_operand(file)? {
            Some(text) => BString::from(text.to_vec()),
            None => return Ok(Status(2)),
        },
        None if operands.is_empty() => return call.fail("usage: awk [-F fs][-v var=value] 'prog' [file ...]"),
        None => operands.remove(0),
    };
    let (rules, ranges) = parser::parse(&program).map_err(|what| call.unsupported(what))?;
    let mut machine = run::Awk::new(ranges);
    if let Some(separator) = options.value("field-separator") {
        let separator = if separator == "t" { BString::from("\t") } else { run::unescape(separator) };
        machine.set("FS", separator);
    }
    for assignment in options.values("assign") {
        let Some(at) = assignment.find_byte(b'=') else { return Err(call.unsupported(assignment)) };
        let name = assignment.get(..at).and_then(|name| name.to_str().ok()).unwrap_or_default();
        machine.set(name, run::unescape(assignment.get(at + 1..).unwrap_or_default()));
    }
    let needs_input = rules.iter().any(|rule| !matches!(rule.pattern, Pattern::Begin));
    let mut input = Vec::new();
    let mut status = Status::SUCCESS;
    if needs_input {
        let files: Vec<BString> = operands.iter().filter(|operand| !is_assignment(operand)).cloned().collect();
        if operands.len() != files.len() {
            return Err(call.unsupported("an assignment among the files"));
        }
        let (text, read) = super::text::all_input(call, &files)?;
        input = text;
        status = if read.is_success() { Status::SUCCESS } else { Status(2) };
    }
    let line = call.line;
    let code = machine.run(&rules, &input).map_err(|ended| match ended {
        run::Refused::Limit => ShellError::Limit { limit: "1000000 steps of awk".to_owned(), line },
        run::Refused::Construct(what) => call.unsupported(what),
    })?;
    call.out(&machine.output)?;
    Ok(code.map_or(status, Status))
}

fn is_assignment(operand: &BString) -> bool {
    operand.find_byte(b'=').is_some_and(|at| operand.get(..at).is_some_and(super::super::syntax::is_name))
}
