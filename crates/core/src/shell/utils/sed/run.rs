//! Running a `sed` script over one input.

use bstr::{BString, ByteSlice};
use regex::bytes::{Captures, Regex};

use super::super::super::{Invocation, ShellError};
use super::{Action, Address, Command, Piece, Substitution};

/// More rounds of one cycle than any script needs.
const MAX_ROUNDS: usize = 1_000_000;

#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) quiet: bool,
    /// What ends a line.
    pub(super) end: u8,
}

/// What came of it.
pub(super) struct Ended {
    pub(super) output: Vec<u8>,
    /// The status of `q` or `Q`.
    pub(super) quit: Option<u8>,
}

struct State<'t> {
    settings: Settings,
    lines: Vec<&'t [u8]>,
    /// The number of the current line, from 1.
    line: usize,
    complete: bool,
    pattern: Vec<u8>,
    hold: Vec<u8>,
    output: Vec<u8>,
    appended: Vec<Vec<u8>>,
    /// For each range, the line it ends at once it has begun; 0 when an expression ends it.
    ranges: Vec<Option<usize>>,
    last: Option<Regex>,
    substituted: bool,
    written: std::collections::BTreeMap<BString, Vec<u8>>,
    restart: bool,
}

/// How a cycle ended.
enum Cycle {
    Normal,
    /// Without printing.
    Deleted,
    Quit(u8, bool),
}

pub(super) fn run<S>(
    call: &mut Invocation<'_, '_, S>,
    commands: &[Command],
    settings: Settings,
    text: &[u8],
) -> Result<Ended, ShellError> {
    let complete = text.ends_with(&[settings.end]);
    let body = text.strip_suffix(&[settings.end]).unwrap_or(text);
    let lines = if text.is_empty() { Vec::new() } else { body.split(|byte| *byte == settings.end).collect() };
    let mut state = State {
        settings,
        lines,
        line: 0,
        complete,
        pattern: Vec::new(),
        hold: Vec::new(),
        output: Vec::new(),
        appended: Vec::new(),
        ranges: commands.iter().map(|_| None).collect(),
        last: None,
        substituted: false,
        written: Default::default(),
        restart: false,
    };
    let mut quit = None;
    while quit.is_none() && (state.restart || state.read_line()) {
        state.restart = false;
        let cycle = state.cycle(call, commands)?;
        match cycle {
            Cycle::Normal if !settings.quiet => state.print_pattern(),
            Cycle::Quit(code, silently) => {
                if !silently && !settings.quiet {
                    state.print_pattern();
                }
                quit = Some(code);
            }
            _ => {}
        }
        state.flush_appended();
    }
    for (name, bytes) in std::mem::take(&mut state.written) {
        match name.as_slice() {
            b"/dev/stdout" => call.out(bytes)?,
            b"/dev/stderr" => call.write(2, bytes)?,
            name => call.write_file(name, bytes)?,
        }
    }
    Ok(Ended { output: state.output, quit })
}

impl State<'_> {
    fn read_line(&mut self) -> bool {
        let Some(line) = self.lines.get(self.line) else { return false };
        self.pattern = line.to_vec();
        self.line += 1;
        true
    }

    fn is_last(&self) -> bool {
        self.line >= self.lines.len()
    }

    fn print(&mut self, text: &[u8]) {
        self.output.extend_from_slice(text);
        // A last line without its newline stays so.
        if !self.is_last() || self.complete {
            self.output.push(self.settings.end);
        }
    }

    fn print_pattern(&mut self) {
        let pattern = std::mem::take(&mut self.pattern);
        self.print(&pattern);
        self.pattern = pattern;
    }

    fn flush_appended(&mut self) {
        for text in std::mem::take(&mut self.appended) {
            if self.output.last().is_some_and(|last| *last != self.settings.end) {
                self.output.push(self.settings.end);
            }
            self.output.extend_from_slice(&text);
        }
    }

    fn cycle<S>(&mut self, call: &mut Invocation<'_, '_, S>, commands: &[Command]) -> Result<Cycle, ShellError> {
        let mut at = 0;
        self.substituted = false;
        for _ in 0..MAX_ROUNDS {
            let Some(command) = commands.get(at) else { return Ok(Cycle::Normal) };
            if self.selects(at, command) == command.negated {
                at = if let Action::Block { end } = command.action { end } else { at };
                at += 1;
                continue;
            }
            match self.act(call, at, command)? {
                Step::Next => at += 1,
                Step::Jump(target) => at = target,
                Step::End(cycle) => return Ok(cycle),
            }
        }
        Err(ShellError::Limit { limit: format!("{MAX_ROUNDS} rounds of a sed script"), line: call.line })
    }

    fn matches(&mut self, regex: &Option<Regex>) -> bool {
        if let Some(regex) = regex {
            self.last = Some(regex.clone());
        }
        self.last.as_ref().is_some_and(|regex| regex.is_match(&self.pattern))
    }

    fn is_at(&mut self, address: &Address) -> bool {
        match address {
            Address::Line(line) => self.line == *line,
            Address::Last => self.is_last(),
            Address::Step(first, step) if *step == 0 => self.line == *first,
            Address::Step(first, step) => self.line >= *first && (self.line - first).is_multiple_of(*step),
            Address::Match(regex) => self.matches(regex),
            Address::Plus(_) => false,
        }
    }

    fn selects(&mut self, index: usize, command: &Command) -> bool {
        let [first, second] = command.addresses.as_slice() else {
            return command.addresses.first().is_none_or(|address| self.is_at(address));
        };
        let running = self.ranges.get(index).copied().flatten();
        let end = match running {
            None => {
                // `0,/x/` begins before the first line.
                let zero = matches!(first, Address::Line(0)) && self.line == 1;
                if !zero && !self.is_at(first) {
                    return false;
                }
                let end = match second {
                    Address::Line(line) => Some(*line).filter(|line| *line > self.line),
                    Address::Plus(count) => Some(self.line + count).filter(|_| *count > 0),
                    Address::Last => Some(self.lines.len()).filter(|last| *last > self.line),
                    Address::Match(_) if zero && self.is_at(second) => None,
                    _ => Some(0),
                };
                self.set_range(index, end);
                return true;
            }
            Some(end) => end,
        };
        let over = if end == 0 { self.is_at(second) } else { self.line >= end };
        if over {
            self.set_range(index, None);
        }
        // A line number that has been passed ends the range before this line.
        end == 0 || self.line <= end
    }

    fn set_range(&mut self, index: usize, end: Option<usize>) {
        if let Some(range) = self.ranges.get_mut(index) {
            *range = end;
        }
    }

    fn act<S>(
        &mut self,
        call: &mut Invocation<'_, '_, S>,
        index: usize,
        command: &Command,
    ) -> Result<Step, ShellError> {
        match &command.action {
            Action::Block { .. } | Action::BlockEnd | Action::Label => {}
            Action::Substitute(substitution) => self.substitute(substitution),
            Action::Transliterate(from, to) => {
                for byte in &mut self.pattern {
                    if let Some(at) = from.iter().position(|from| from == byte) {
                        *byte = to.get(at).copied().unwrap_or(*byte);
                    }
                }
            }
            Action::Append(text) => self.appended.push(text.to_vec()),
            Action::Insert(text) => self.output.extend_from_slice(text),
            Action::Change(text) => {
                let in_range = command.addresses.len() == 2 && self.ranges.get(index).copied().flatten().is_some();
                if !in_range || command.negated {
                    self.output.extend_from_slice(text);
                }
                return Ok(Step::End(Cycle::Deleted));
            }
            Action::Delete => return Ok(Step::End(Cycle::Deleted)),
            Action::DeleteFirst => {
                if let Some(newline) = self.pattern.find_byte(b'\n') {
                    self.pattern.drain(..=newline);
                    self.restart = true;
                }
                return Ok(Step::End(Cycle::Deleted));
            }
            Action::Print => self.print_pattern(),
            Action::PrintFirst => {
                let first = self.pattern.lines().next().unwrap_or_default().to_vec();
                self.print(&first);
            }
            Action::LineNumber => self.output.extend_from_slice(format!("{}\n", self.line).as_bytes()),
            Action::Next | Action::NextAppend if self.is_last() => {
                return Ok(Step::End(if self.settings.quiet { Cycle::Deleted } else { Cycle::Quit(0, false) }));
            }
            Action::Next => {
                if !self.settings.quiet {
                    self.print_pattern();
                }
                self.flush_appended();
                self.read_line();
            }
            Action::NextAppend => {
                let mut joined = std::mem::take(&mut self.pattern);
                self.flush_appended();
                self.read_line();
                joined.push(b'\n');
                joined.append(&mut self.pattern);
                self.pattern = joined;
            }
            Action::Hold => self.hold.clone_from(&self.pattern),
            Action::HoldAppend => self.hold.extend_from_slice(&[b"\n".as_slice(), &self.pattern].concat()),
            Action::Get => self.pattern.clone_from(&self.hold),
            Action::GetAppend => self.pattern.extend_from_slice(&[b"\n".as_slice(), &self.hold].concat()),
            Action::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
            Action::Quit(code) => return Ok(Step::End(Cycle::Quit(*code, false))),
            Action::QuitSilently(code) => return Ok(Step::End(Cycle::Quit(*code, true))),
            Action::Branch(target) => return Ok(Step::Jump(*target)),
            Action::BranchIfSubstituted(target) => {
                if std::mem::take(&mut self.substituted) {
                    return Ok(Step::Jump(*target));
                }
            }
            Action::Read(name) => {
                if let Ok(text) = call.read_file(name) {
                    self.appended.push(text.to_vec());
                }
            }
            Action::Write(name) => {
                let line = [self.pattern.as_slice(), b"\n"].concat();
                self.written.entry(name.clone()).or_default().extend(line);
            }
        }
        Ok(Step::Next)
    }

    fn substitute(&mut self, substitution: &Substitution) {
        if let Some(regex) = &substitution.regex {
            self.last = Some(regex.clone());
        }
        let Some(regex) = self.last.clone() else { return };
        let mut result = Vec::new();
        let (mut copied, mut count) = (0, 0);
        for captures in regex.captures_iter(&self.pattern) {
            let Some(whole) = captures.get(0) else { continue };
            count += 1;
            if count < substitution.number {
                continue;
            }
            result.extend_from_slice(self.pattern.get(copied..whole.start()).unwrap_or_default());
            replace(&captures, &substitution.replacement, &mut result);
            copied = whole.end();
            if !substitution.global {
                break;
            }
        }
        if count < substitution.number {
            return;
        }
        result.extend_from_slice(self.pattern.get(copied..).unwrap_or_default());
        self.pattern = result;
        self.substituted = true;
        if substitution.print {
            self.print_pattern();
        }
        if let Some(file) = &substitution.file {
            let line = [self.pattern.as_slice(), b"\n"].concat();
            self.written.entry(file.clone()).or_default().extend(line);
        }
    }
}

enum Step {
    Next,
    Jump(usize),
    End(Cycle),
}

fn replace(captures: &Captures<'_>, pieces: &[Piece], result: &mut Vec<u8>) {
    let (mut upper, mut next) = (None, None);
    for piece in pieces {
        let start = result.len();
        match piece {
            Piece::Text(text) => result.extend_from_slice(text),
            Piece::Group(group) => {
                result.extend_from_slice(captures.get(*group).map(|part| part.as_bytes()).unwrap_or_default())
            }
            Piece::Upper => upper = Some(true),
            Piece::Lower => upper = Some(false),
            Piece::UpperNext => next = Some(true),
            Piece::LowerNext => next = Some(false),
            Piece::EndCase => upper = None,
        }
        let added = result.get_mut(start..).unwrap_or_default();
        match upper {
            Some(true) => added.make_ascii_uppercase(),
            Some(false) => added.make_ascii_lowercase(),
            None => {}
        }
        if let Some(first) = added.first_mut() {
            match next.take() {
                Some(true) => first.make_ascii_uppercase(),
                Some(false) => first.make_ascii_lowercase(),
                None => {}
            }
        }
    }
}
