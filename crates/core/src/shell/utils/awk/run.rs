//! Running an `awk` program.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use regex::bytes::Regex;

use super::value::Value;
use super::{Expression, Operator, Pattern, Rule, Statement};

/// More steps than any package's program needs.
const MAX_STEPS: u32 = 1_000_000;

/// Why a program could not be run.
pub(super) enum Refused {
    Limit,
    Construct(BString),
}

/// How statements ended early.
pub(super) enum Jump {
    Next,
    Exit(u8),
    Break,
    Continue,
    Refused(Refused),
}

pub(super) type Run<T> = Result<T, Jump>;

pub(super) struct Awk {
    pub(super) variables: BTreeMap<String, Value>,
    pub(super) arrays: BTreeMap<String, BTreeMap<BString, Value>>,
    pub(super) record: BString,
    fields: Vec<BString>,
    in_range: Vec<bool>,
    steps: u32,
    pub(super) output: Vec<u8>,
}

/// The escapes of strings.
pub(super) fn unescape(text: &[u8]) -> BString {
    let mut result = BString::default();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => result.push(b'\n'),
                Some(b't') => result.push(b'\t'),
                Some(b'r') => result.push(b'\r'),
                Some(b'"') => result.push(b'"'),
                Some(b'/') => result.push(b'/'),
                Some(b'\\') => result.push(b'\\'),
                Some(other) => result.extend_from_slice(&[b'\\', other]),
                None => result.push(b'\\'),
            },
            _ => result.push(byte),
        }
    }
    result
}

impl Awk {
    pub(super) fn new(ranges: usize) -> Self {
        let text = |text: &str| Value::Text(text.into());
        let variables =
            [("FS", text(" ")), ("OFS", text(" ")), ("ORS", text("\n")), ("RS", text("\n")), ("SUBSEP", text("\x1c"))];
        Self {
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            arrays: BTreeMap::new(),
            record: BString::default(),
            fields: Vec::new(),
            in_range: vec![false; ranges],
            steps: 0,
            output: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: BString) {
        self.variables.insert(name.to_owned(), Value::Input(value));
    }

    pub(super) fn text_of(&self, name: &str) -> BString {
        self.variables.get(name).map(Value::text).unwrap_or_default()
    }

    /// Runs all rules; gives the status of `exit`.
    pub(super) fn run(&mut self, rules: &[Rule], input: &[u8]) -> Result<Option<u8>, Refused> {
        let mut ended = self.all(rules, |pattern| matches!(pattern, Pattern::Begin));
        let separator = self.text_of("RS");
        if separator != "\n" && rules.iter().any(|rule| !matches!(rule.pattern, Pattern::Begin)) {
            return Err(Refused::Construct("RS".into()));
        }
        if ended.is_ok() {
            for (index, line) in input.lines().enumerate() {
                self.set_record(line.into());
                self.variables.insert("NR".to_owned(), Value::Number((index + 1) as f64));
                self.variables.insert("FNR".to_owned(), Value::Number((index + 1) as f64));
                match self.line(rules) {
                    Ok(()) | Err(Jump::Next) => {}
                    Err(other) => {
                        ended = Err(other);
                        break;
                    }
                }
            }
        }
        let mut code = None;
        match ended {
            Err(Jump::Refused(refused)) => return Err(refused),
            Err(Jump::Exit(status)) => code = Some(status),
            _ => {}
        }
        match self.all(rules, |pattern| matches!(pattern, Pattern::End)) {
            Err(Jump::Refused(refused)) => Err(refused),
            Err(Jump::Exit(status)) => Ok(Some(status)),
            _ => Ok(code),
        }
    }

    fn all(&mut self, rules: &[Rule], wanted: impl Fn(&Pattern) -> bool) -> Run<()> {
        rules.iter().filter(|rule| wanted(&rule.pattern)).try_for_each(|rule| self.block(&rule.action))
    }

    fn line(&mut self, rules: &[Rule]) -> Run<()> {
        for rule in rules {
            let selected = match &rule.pattern {
                Pattern::Begin | Pattern::End => false,
                Pattern::Always => true,
                Pattern::When(condition) => self.value(condition)?.holds(),
                Pattern::Range(first, last, index) => {
                    let inside = self.in_range.get(*index).copied().unwrap_or(false) || self.value(first)?.holds();
                    let goes_on = inside && !self.value(last)?.holds();
                    if let Some(state) = self.in_range.get_mut(*index) {
                        *state = goes_on;
                    }
                    inside
                }
            };
            if selected {
                self.block(&rule.action)?;
            }
        }
        Ok(())
    }

    fn set_record(&mut self, record: BString) {
        self.fields = self.split(&record, &self.text_of("FS"));
        self.record = record;
        self.count_fields();
    }

    fn count_fields(&mut self) {
        self.variables.insert("NF".to_owned(), Value::Number(self.fields.len() as f64));
    }

    pub(super) fn split(&self, text: &[u8], separator: &[u8]) -> Vec<BString> {
        if separator == b" " {
            return text.fields().map(BString::from).collect();
        }
        if text.is_empty() {
            return Vec::new();
        }
        if let [_] | [] = separator {
            return text.split_str(separator).map(BString::from).collect();
        }
        match super::super::regex::extended(separator, false) {
            Some(regex) => regex.split(text).map(BString::from).collect(),
            None => vec![text.into()],
        }
    }

    fn set_field(&mut self, index: usize, value: BString) -> Run<()> {
        if index == 0 {
            self.set_record(value);
            return Ok(());
        }
        if index > 10_000 {
            return Err(Jump::Refused(Refused::Limit));
        }
        if self.fields.len() < index {
            self.fields.resize(index, BString::default());
        }
        if let Some(field) = self.fields.get_mut(index - 1) {
            *field = value;
        }
        self.count_fields();
        self.record = bstr::join(self.text_of("OFS"), &self.fields).into();
        Ok(())
    }

    fn step(&mut self) -> Run<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.output.len() > 1 << 28 { Err(Jump::Refused(Refused::Limit)) } else { Ok(()) }
    }

    fn block(&mut self, statements: &[Statement]) -> Run<()> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    /// One round of a loop's body; `false` when it is to end.
    fn round(&mut self, body: &[Statement]) -> Run<bool> {
        self.step()?;
        match self.block(body) {
            Ok(()) | Err(Jump::Continue) => Ok(true),
            Err(Jump::Break) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn statement(&mut self, statement: &Statement) -> Run<()> {
        self.step()?;
        match statement {
            Statement::Print(list) => {
                let line = if list.is_empty() {
                    self.record.clone()
                } else {
                    let values = list.iter().map(|item| Ok(self.value(item)?.text())).collect::<Run<Vec<_>>>()?;
                    bstr::join(self.text_of("OFS"), values).into()
                };
                self.output.extend_from_slice(&line);
                let end = self.text_of("ORS");
                self.output.extend_from_slice(&end);
            }
            Statement::Printf(list) => {
                let text = self.format(list)?;
                self.output.extend_from_slice(&text);
            }
            Statement::Expression(expression) => _ = self.value(expression)?,
            Statement::If(condition, then, otherwise) => {
                let body = if self.value(condition)?.holds() { then } else { otherwise };
                self.block(body)?;
            }
            Statement::While(condition, body) => while self.value(condition)?.holds() && self.round(body)? {},
            Statement::For(first, condition, step, body) => {
                if let Some(first) = first {
                    self.value(first)?;
                }
                loop {
                    if let Some(condition) = condition
                        && !self.value(condition)?.holds()
                    {
                        break;
                    }
                    if !self.round(body)? {
                        break;
                    }
                    if let Some(step) = step {
                        self.value(step)?;
                    }
                }
            }
            Statement::ForIn(variable, array, body) => {
                let keys: Vec<BString> =
                    self.arrays.get(array).map(|array| array.keys().cloned().collect()).unwrap_or_default();
                for key in keys {
                    self.variables.insert(variable.clone(), Value::Input(key));
                    if !self.round(body)? {
                        break;
                    }
                }
            }
            Statement::Next => return Err(Jump::Next),
            Statement::Break => return Err(Jump::Break),
            Statement::Continue => return Err(Jump::Continue),
            Statement::Exit(code) => {
                let code = match code {
                    Some(code) => self.value(code)?.number() as i64,
                    None => 0,
                };
                return Err(Jump::Exit((code & 0xff) as u8));
            }
            Statement::Delete(array, None) => _ = self.arrays.remove(array),
            Statement::Delete(array, Some(index)) => {
                let key = self.key(index)?;
                if let Some(array) = self.arrays.get_mut(array) {
                    array.remove(&key);
                }
            }
        }
        Ok(())
    }

    fn key(&mut self, index: &[Expression]) -> Run<BString> {
        let parts = index.iter().map(|part| Ok(self.value(part)?.text())).collect::<Run<Vec<_>>>()?;
        Ok(bstr::join(self.text_of("SUBSEP"), parts).into())
    }

    pub(super) fn value(&mut self, expression: &Expression) -> Run<Value> {
        Ok(match expression {
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Regex(regex) => Value::from_bool(regex.is_match(&self.record)),
            Expression::Variable(name) => self.variables.get(name).cloned().unwrap_or(Value::Unset),
            Expression::Field(index) => match self.value(index)?.number() as usize {
                0 => Value::Input(self.record.clone()),
                index => self.fields.get(index - 1).map_or(Value::Unset, |field| Value::Input(field.clone())),
            },
            Expression::Element(name, index) => {
                let key = self.key(index)?;
                self.arrays.entry(name.clone()).or_default().entry(key).or_insert(Value::Unset).clone()
            }
            Expression::In(index, array) => {
                let key = self.key(index)?;
                Value::from_bool(self.arrays.get(array).is_some_and(|array| array.contains_key(&key)))
            }
            Expression::Assign(place, operator, value) => {
                let mut value = self.value(value)?;
                if let Some(operator) = operator {
                    value = Value::Number(arithmetic(*operator, self.value(place)?.number(), value.number()));
                }
                self.assign(place, value.clone())?;
                value
            }
            Expression::Step { place, by, post } => {
                let old = self.value(place)?.number();
                self.assign(place, Value::Number(old + by))?;
                Value::Number(if *post { old } else { old + by })
            }
            Expression::Not(inner) => Value::from_bool(!self.value(inner)?.holds()),
            Expression::Negate(inner) => Value::Number(-self.value(inner)?.number()),
            Expression::Conditional(condition, then, otherwise) => {
                let chosen = if self.value(condition)?.holds() { then } else { otherwise };
                self.value(chosen)?
            }
            Expression::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            Expression::Call(name, arguments) => self.call(name, arguments)?,
        })
    }

    fn binary(&mut self, operator: Operator, left: &Expression, right: &Expression) -> Run<Value> {
        if let Operator::Match | Operator::NoMatch = operator {
            let text = self.value(left)?.text();
            let matches = self.regex(right)?.is_match(&text);
            return Ok(Value::from_bool(matches == (operator == Operator::Match)));
        }
        let left = self.value(left)?;
        match operator {
            Operator::Or if left.holds() => return Ok(Value::from_bool(true)),
            Operator::And if !left.holds() => return Ok(Value::from_bool(false)),
            _ => {}
        }
        let right = self.value(right)?;
        let order = left.compare(&right);
        Ok(match operator {
            Operator::Or | Operator::And => Value::from_bool(right.holds()),
            Operator::Less => Value::from_bool(order.is_lt()),
            Operator::LessOrEqual => Value::from_bool(order.is_le()),
            Operator::Equal => Value::from_bool(order.is_eq()),
            Operator::NotEqual => Value::from_bool(order.is_ne()),
            Operator::Greater => Value::from_bool(order.is_gt()),
            Operator::GreaterOrEqual => Value::from_bool(order.is_ge()),
            Operator::Concatenate => Value::Text([left.text().as_slice(), &right.text()].concat().into()),
            Operator::Arithmetic(operator) => Value::Number(arithmetic(operator, left.number(), right.number())),
            Operator::Match | Operator::NoMatch => Value::Unset,
        })
    }

    pub(super) fn regex(&mut self, expression: &Expression) -> Run<Regex> {
        if let Expression::Regex(regex) = expression {
            return Ok(regex.clone());
        }
        let source = self.value(expression)?.text();
        super::super::regex::extended(&source, false).ok_or(Jump::Refused(Refused::Construct(source)))
    }

    pub(super) fn assign(&mut self, place: &Expression, value: Value) -> Run<()> {
        match place {
            Expression::Variable(name) => {
                if name == "NF" {
                    let count = (value.number().max(0.0) as usize).min(10_000);
                    self.fields.resize(count, BString::default());
                    self.record = bstr::join(self.text_of("OFS"), &self.fields).into();
                }
                self.variables.insert(name.clone(), value);
            }
            Expression::Field(index) => {
                let index = self.value(index)?.number() as usize;
                self.set_field(index, value.text())?;
            }
            Expression::Element(name, index) => {
                let key = self.key(index)?;
                self.arrays.entry(name.clone()).or_default().insert(key, value);
            }
            _ => return Err(Jump::Refused(Refused::Construct("an assignment to this".into()))),
        }
        Ok(())
    }
}

fn arithmetic(operator: u8, left: f64, right: f64) -> f64 {
    match operator {
        b'+' => left + right,
        b'-' => left - right,
        b'*' => left * right,
        b'/' => left / right,
        b'%' => left % right,
        _ => left.powf(right),
    }
}
