//! Compound commands (XCU 2.9.4).

use std::rc::Rc;

use super::super::syntax::ast::{CaseArm, Command, CommandKind, List, TestExpression, Word};
use super::{Eval, Interpreter, Unwind};
use crate::shell::Status;

impl<S> Interpreter<'_, '_, S> {
    /// Runs one command.
    pub(super) fn command(&mut self, command: &Command, tested: bool) -> Eval {
        self.shell.line = command.line;
        self.machine.usage.step(&self.machine.limits, command.line)?;
        self.machine.usage.deeper(&self.machine.limits, command.line)?;
        let ended = stacker::maybe_grow(256 << 10, 1 << 20, || match &command.kind {
            CommandKind::Simple(simple) => {
                let status = self.simple(simple, &command.redirects, tested)?;
                self.check(status, tested)
            }
            _ if command.redirects.is_empty() => self.compound(&command.kind, tested),
            kind => self.redirected(kind, command, tested),
        });
        self.machine.usage.depth -= 1;
        let status = ended?;
        self.shell.status = status;
        Ok(status)
    }

    fn redirected(&mut self, kind: &CommandKind, command: &Command, tested: bool) -> Eval {
        let saved = self.shell.descriptors.clone();
        let ended = match self.redirect(&command.redirects) {
            Ok(true) => self.compound(kind, tested),
            Ok(false) => self.check(Status(2), tested),
            Err(unwind) => Err(unwind),
        };
        self.shell.descriptors = saved;
        ended
    }

    fn compound(&mut self, kind: &CommandKind, tested: bool) -> Eval {
        match kind {
            CommandKind::Simple(simple) => self.simple(simple, &[], tested),
            CommandKind::Group(list) => self.list(list, tested),
            CommandKind::Subshell(list) => {
                let status = self.subshell(|inner| inner.list(list, tested))?;
                self.check(status, tested)
            }
            CommandKind::If { arms, otherwise } => self.if_clause(arms, otherwise.as_ref(), tested),
            CommandKind::While { until, condition, body } => self.while_clause(*until, condition, body, tested),
            CommandKind::For { name, words, body } => self.for_clause(name, words.as_deref(), body, tested),
            CommandKind::Case { subject, arms } => self.case_clause(subject, arms, tested),
            CommandKind::Function { name, body } => {
                self.shell.functions.insert(name.clone(), Rc::clone(body));
                Ok(Status::SUCCESS)
            }
            CommandKind::Test(expression) => {
                let holds = self.test_expression(expression)?;
                self.check(Status::from_bool(holds), tested)
            }
            CommandKind::Arithmetic(word) => {
                let value = self.arithmetic(&word.parts)?;
                self.check(Status::from_bool(value != 0), tested)
            }
        }
    }

    fn if_clause(&mut self, arms: &[(List, List)], otherwise: Option<&List>, tested: bool) -> Eval {
        for (condition, body) in arms {
            if self.list(condition, true)?.is_success() {
                return self.list(body, tested);
            }
        }
        match otherwise {
            Some(body) => self.list(body, tested),
            None => Ok(Status::SUCCESS),
        }
    }

    fn while_clause(&mut self, until: bool, condition: &List, body: &List, tested: bool) -> Eval {
        let mut status = Status::SUCCESS;
        self.shell.loops += 1;
        let ended = loop {
            if let Err(error) = self.machine.usage.step(&self.machine.limits, self.shell.line) {
                break Err(error.into());
            }
            match self.list(condition, true) {
                Ok(condition) if condition.is_success() == until => break Ok(status),
                Ok(_) => {}
                other => match self.loop_control(other, &mut status) {
                    Some(ended) => break ended,
                    None => continue,
                },
            }
            let round = self.list(body, tested);
            if let Some(ended) = self.loop_control(round, &mut status) {
                break ended;
            }
        };
        self.shell.loops -= 1;
        ended
    }

    fn for_clause(&mut self, name: &[u8], words: Option<&[Word]>, body: &List, tested: bool) -> Eval {
        let items = match words {
            Some(words) => self.fields(words)?,
            None => self.shell.parameters.clone(),
        };
        let mut status = Status::SUCCESS;
        self.shell.loops += 1;
        let mut ended = Ok(());
        for item in items {
            ended = self.assign(name, &item);
            if ended.is_err() {
                break;
            }
            let round = self.list(body, tested);
            if let Some(early) = self.loop_control(round, &mut status) {
                self.shell.loops -= 1;
                return early;
            }
        }
        self.shell.loops -= 1;
        ended.map(|()| status)
    }

    /// Takes in how one round of a loop ended; `Some` when the loop ends with it.
    fn loop_control(&mut self, round: Eval, status: &mut Status) -> Option<Eval> {
        match round {
            Ok(round) => {
                *status = round;
                None
            }
            Err(Unwind::Break(1)) => Some(Ok(Status::SUCCESS)),
            Err(Unwind::Break(levels)) => Some(Err(Unwind::Break(levels - 1))),
            Err(Unwind::Continue(1)) => {
                *status = Status::SUCCESS;
                None
            }
            Err(Unwind::Continue(levels)) => Some(Err(Unwind::Continue(levels - 1))),
            Err(other) => Some(Err(other)),
        }
    }

    fn case_clause(&mut self, subject: &Word, arms: &[CaseArm], tested: bool) -> Eval {
        let subject = self.single(subject)?;
        let mut falling = false;
        let mut status = Status::SUCCESS;
        for arm in arms {
            if !falling && !self.matches_any(&subject, &arm.patterns)? {
                continue;
            }
            status = self.list(&arm.body, tested)?;
            falling = arm.falls_through;
            if !falling {
                break;
            }
        }
        Ok(status)
    }

    fn matches_any(&mut self, subject: &[u8], patterns: &[Word]) -> Eval<bool> {
        for pattern in patterns {
            if self.pattern(pattern)?.matches(subject) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn test_expression(&mut self, expression: &TestExpression) -> Eval<bool> {
        Ok(match expression {
            TestExpression::Not(inner) => !self.test_expression(inner)?,
            TestExpression::And(left, right) => self.test_expression(left)? && self.test_expression(right)?,
            TestExpression::Or(left, right) => self.test_expression(left)? || self.test_expression(right)?,
            TestExpression::Unary(operator, word) => {
                let operand = self.single(word)?;
                self.test_words(vec![operator.clone(), operand])?
            }
            TestExpression::Binary(left, operator, right) => {
                let left = self.single(left)?;
                match operator.as_slice() {
                    b"=" | b"==" => self.pattern(right)?.matches(&left),
                    b"!=" => !self.pattern(right)?.matches(&left),
                    b"=~" => self.regex_matches(&left, right)?,
                    _ => {
                        let right = self.single(right)?;
                        self.test_words(vec![left, operator.clone(), right])?
                    }
                }
            }
        })
    }
}
