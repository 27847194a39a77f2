//! `find` and `xargs`.

use bstr::{BString, ByteSlice};

use super::super::eval::Pattern;
use super::super::{Invocation, ShellError, Status};
use super::fs::{base_name, join};
use super::options::{flag, optional, parse_leading, value};
use crate::tree::{Node, NodeKind, TreePath};

/// An expression over one file.
enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    True,
    Name(Pattern, bool),
    Path(Pattern),
    LinkName(Pattern),
    Regex(regex::bytes::Regex),
    Type(Vec<u8>, bool),
    Empty,
    User(u32),
    Group(u32),
    NoUser(bool),
    Mode(u16, u8),
    Links(Comparison),
    Size(Comparison, u64),
    Newer(i64),
    Days(Comparison),
    Executable,
    Print(u8),
    /// `-printf` with `%f`, `%p` and escapes.
    Printf(BString),
    Delete,
    Prune,
    Quit,
    Exec {
        command: Vec<BString>,
        batch: Option<usize>,
    },
}

/// `+n`, `-n` or `n`.
#[derive(Clone, Copy)]
struct Comparison {
    sign: u8,
    number: u64,
}

impl Comparison {
    fn parse(text: &[u8]) -> Option<Self> {
        let (sign, digits) = match text.split_first()? {
            (sign @ (b'+' | b'-'), digits) => (*sign, digits),
            _ => (b'=', text),
        };
        Some(Self { sign, number: digits.to_str().ok()?.parse().ok()? })
    }

    fn holds(self, value: u64) -> bool {
        match self.sign {
            b'+' => value > self.number,
            b'-' => value < self.number,
            _ => value == self.number,
        }
    }
}

struct Parser<'a> {
    args: &'a [BString],
    at: usize,
    acts: bool,
    depth_first: bool,
    max_depth: usize,
    min_depth: usize,
    batches: usize,
    nesting: u32,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<BString> {
        let arg = self.args.get(self.at).cloned();
        self.at += usize::from(arg.is_some());
        arg
    }

    fn or<S>(&mut self, call: &Invocation<'_, '_, S>) -> Result<Expression, ShellError> {
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
                let source = super::regex::translated(&text, false)?;
                Expression::Regex(super::regex::compile(&format!("^(?:{source})$"), false)?)
            }
            b"-type" | b"-xtype" => {
                let letters = operand.iter().copied().filter(|letter| *letter != b',').collect();
                Expression::Type(letters, name == b"-xtype")
            }
            b"-user" | b"-uid" => Expression::User(super::accounts::user(call.machine, operand)?.0),
            b"-group" | b"-gid" => Expression::Group(super::accounts::group(call.machine, operand)?),
            b"-perm" => {
                let (sign, text) = match operand.split_first()? {
                    (sign @ (b'-' | b'/'), rest) => (*sign, rest),
                    _ => (b'=', operand.as_slice()),
                };
                Expression::Mode(super::mode::Change::parse(text)?.apply(0, false, 0), sign)
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

/// One run of find.
struct Walk {
    expression: Expression,
    print: bool,
    depth_first: bool,
    max_depth: usize,
    min_depth: usize,
    follow: bool,
    batches: Vec<(Vec<BString>, Vec<BString>)>,
    status: Status,
    done: bool,
}

/// The file at hand.
struct Entry<'e> {
    name: &'e BString,
    path: &'e TreePath,
    prune: bool,
}

pub(super) fn find<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut args = call.args.clone();
    let mut follow = false;
    while let Some(option) = args.first().filter(|arg| matches!(arg.as_slice(), b"-H" | b"-L" | b"-P")) {
        follow = option == "-L";
        args.remove(0);
    }
    let is_expression = |arg: &BString| (arg.starts_with(b"-") && arg.len() > 1) || arg == "(" || arg == "!";
    let split = args.iter().position(is_expression).unwrap_or(args.len());
    let tests = args.split_off(split);
    if args.is_empty() {
        args.push(".".into());
    }
    let mut parser = Parser {
        args: &tests,
        at: 0,
        acts: false,
        depth_first: false,
        max_depth: usize::MAX,
        min_depth: 0,
        batches: 0,
        nesting: 0,
    };
    let expression = if tests.is_empty() { Expression::True } else { parser.or(call)? };
    if let Some(extra) = tests.get(parser.at) {
        return Err(call.unsupported(extra));
    }
    let mut walk = Walk {
        expression,
        print: !parser.acts,
        depth_first: parser.depth_first,
        max_depth: parser.max_depth,
        min_depth: parser.min_depth,
        follow,
        batches: vec![Default::default(); parser.batches],
        status: Status::SUCCESS,
        done: false,
    };
    for start in args {
        let found = call.stat(&start, follow || start.ends_with(b"/")).map(|(path, _)| path);
        match found {
            Some(path) => walk.visit(call, &start, &path, 0)?,
            None => {
                call.complain([b"'", start.as_slice(), b"': No such file or directory"].concat())?;
                walk.status = Status::FAILURE;
            }
        }
    }
    for (command, files) in std::mem::take(&mut walk.batches) {
        if !files.is_empty() && !call.run([command, files].concat())?.is_success() {
            walk.status = Status::FAILURE;
        }
    }
    Ok(walk.status)
}

impl Walk {
    fn visit<S>(
        &mut self,
        call: &mut Invocation<'_, '_, S>,
        name: &BString,
        path: &TreePath,
        depth: usize,
    ) -> Result<(), ShellError> {
        let mut entry = Entry { name, path, prune: false };
        if depth >= self.min_depth && !self.depth_first {
            self.apply(call, &mut entry)?;
        }
        let enters =
            call.machine.tree.get(path).is_some_and(Node::is_directory) && !entry.prune && depth < self.max_depth;
        // A path is at most 4 KiB long, which bounds the recursion.
        if enters && depth < 2048 {
            let children: Vec<TreePath> = call.machine.tree.children(path).map(|(path, _)| path.clone()).collect();
            for child in children {
                if self.done {
                    return Ok(());
                }
                let child_name = join(name, child.file_name().unwrap_or_default());
                let target = if self.follow { call.stat(&child_name, true).map(|(path, _)| path) } else { None };
                self.visit(call, &child_name, &target.unwrap_or(child), depth + 1)?;
            }
        }
        if depth >= self.min_depth && self.depth_first && !self.done {
            self.apply(call, &mut entry)?;
        }
        Ok(())
    }

    fn apply<S>(&mut self, call: &mut Invocation<'_, '_, S>, entry: &mut Entry<'_>) -> Result<(), ShellError> {
        let Some(node) = call.machine.tree.get(entry.path).cloned() else { return Ok(()) };
        let expression = std::mem::replace(&mut self.expression, Expression::True);
        let matched = self.holds(call, &expression, entry, &node);
        self.expression = expression;
        if matched? && self.print {
            call.out([entry.name.as_slice(), b"\n"].concat())?;
        }
        Ok(())
    }

    fn holds<S>(
        &mut self,
        call: &mut Invocation<'_, '_, S>,
        expression: &Expression,
        entry: &mut Entry<'_>,
        node: &Node,
    ) -> Result<bool, ShellError> {
        Ok(match expression {
            Expression::And(left, right) => {
                self.holds(call, left, entry, node)? && self.holds(call, right, entry, node)?
            }
            Expression::Or(left, right) => {
                self.holds(call, left, entry, node)? || self.holds(call, right, entry, node)?
            }
            Expression::Not(inner) => !self.holds(call, inner, entry, node)?,
            Expression::Print(end) => {
                call.out([entry.name.as_slice(), &[*end]].concat())?;
                true
            }
            Expression::Printf(format) => {
                call.out(filled(format, entry.name))?;
                true
            }
            Expression::Delete => {
                let removed = entry.path.is_root() || call.machine.tree.remove(entry.path).is_ok();
                if !removed {
                    call.complain(format!("cannot delete '{}': Directory not empty", entry.name))?;
                    self.status = Status::FAILURE;
                }
                removed
            }
            Expression::Prune => {
                entry.prune = true;
                true
            }
            Expression::Quit => {
                self.done = true;
                true
            }
            Expression::Exec { command, batch: Some(batch) } => {
                if let Some((words, files)) = self.batches.get_mut(*batch) {
                    words.clone_from(command);
                    files.push(entry.name.clone());
                }
                true
            }
            Expression::Exec { command, batch: None } => {
                let words = command.iter().map(|word| BString::from(word.replace("{}", entry.name))).collect();
                call.run(words)?.is_success()
            }
            test => is_so(call, test, entry, node),
        })
    }
}

/// Whether a test without effect holds.
fn is_so<S>(call: &Invocation<'_, '_, S>, test: &Expression, entry: &Entry<'_>, node: &Node) -> bool {
    let meta = &node.meta;
    match test {
        Expression::Name(pattern, ignore_case) => {
            let base = base_name(entry.name);
            if *ignore_case { pattern.matches(&base.to_ascii_lowercase()) } else { pattern.matches(base) }
        }
        Expression::Path(pattern) => pattern.matches(entry.name),
        Expression::LinkName(pattern) => matches!(&node.kind, NodeKind::Symlink { target } if pattern.matches(target)),
        Expression::Regex(regex) => regex.is_match(entry.name),
        Expression::Type(letters, follow) => {
            let target = if *follow { call.stat(entry.name, true).map(|(_, node)| letter(node)) } else { None };
            letters.contains(&target.unwrap_or_else(|| letter(node)))
        }
        Expression::Empty => match &node.kind {
            NodeKind::File { content, .. } => content.size() == 0,
            NodeKind::Directory => call.machine.tree.children(entry.path).next().is_none(),
            _ => false,
        },
        Expression::User(uid) => meta.uid == *uid,
        Expression::Group(gid) => meta.gid == *gid,
        Expression::NoUser(user) => {
            let (path, id) =
                if *user { (super::accounts::PASSWD, meta.uid) } else { (super::accounts::GROUP, meta.gid) };
            super::accounts::entry(&super::accounts::database(call.machine, path), 2, id.to_string().as_bytes())
                .is_none()
        }
        Expression::Mode(bits, b'-') => meta.mode & bits == *bits,
        Expression::Mode(bits, b'/') => *bits == 0 || meta.mode & bits != 0,
        Expression::Mode(bits, _) => meta.mode == *bits,
        Expression::Links(comparison) => comparison.holds(match node.kind {
            NodeKind::File { link: Some(link), .. } => call.machine.tree.hard_links(link).len() as u64,
            _ => 1,
        }),
        Expression::Size(comparison, unit) => comparison.holds(super::stat::size(node).div_ceil(*unit)),
        Expression::Newer(mtime) => meta.mtime > *mtime,
        Expression::Days(comparison) => {
            comparison.holds((call.machine.now.saturating_sub(meta.mtime).max(0) / 86_400) as u64)
        }
        Expression::Executable => node.is_directory() || meta.mode & 0o111 != 0,
        _ => true,
    }
}

fn letter(node: &Node) -> u8 {
    match node.kind {
        NodeKind::Directory => b'd',
        NodeKind::File { .. } => b'f',
        NodeKind::Symlink { .. } => b'l',
        NodeKind::CharDevice { .. } => b'c',
        NodeKind::BlockDevice { .. } => b'b',
        NodeKind::Fifo => b'p',
    }
}

pub(super) fn xargs<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse_leading(
        call,
        &[
            flag(b'0', "null"),
            flag(b'r', "no-run-if-empty"),
            value(b'n', "max-args"),
            value(b'L', "max-lines"),
            value(b'd', "delimiter"),
            value(b'I', "replace"),
            optional(b'i', "replace-default"),
            value(b'P', "max-procs"),
            flag(b't', "verbose"),
        ],
    )?;
    let input = call.read_stdin()?;
    let replace = options.value("replace").cloned().or_else(|| options.has("replace-default").then(|| "{}".into()));
    let items: Vec<BString> = if options.has("null") {
        input.split_str("\0").filter(|item| !item.is_empty()).map(BString::from).collect()
    } else if let Some(delimiter) = options.value("delimiter") {
        let delimiter: &[u8] = if delimiter == r"\n" { b"\n" } else { delimiter };
        let input = input.strip_suffix(delimiter).unwrap_or(&input);
        if input.is_empty() { Vec::new() } else { input.split_str(delimiter).map(BString::from).collect() }
    } else if replace.is_some() {
        input.lines().map(|line| BString::from(line.trim_start())).filter(|line| !line.is_empty()).collect()
    } else {
        quoted_words(&input)
    };
    let mut command = options.operands.clone();
    if command.is_empty() {
        command.push("echo".into());
    }
    let mut status = Status::SUCCESS;
    let mut run = |call: &mut Invocation<'_, '_, S>, words: Vec<BString>| -> Result<(), ShellError> {
        match call.run(words)?.0 {
            0 => {}
            code @ (126 | 127) => status = Status(code),
            _ => status = Status(123),
        }
        Ok(())
    };
    if let Some(mark) = replace {
        for item in items {
            run(call, command.iter().map(|word| word.replace(&mark, &item).into()).collect())?;
        }
        return Ok(status);
    }
    let size =
        options.number("max-args").or(options.number("max-lines")).map_or(usize::MAX, |size| size.max(1) as usize);
    if items.is_empty() && !options.has("no-run-if-empty") {
        run(call, command.clone())?;
    }
    for chunk in items.chunks(size) {
        run(call, command.iter().chain(chunk).cloned().collect())?;
    }
    Ok(status)
}

/// Words separated by blanks, with quotes and backslashes.
fn quoted_words(input: &[u8]) -> Vec<BString> {
    let mut words = Vec::new();
    let mut current: Option<BString> = None;
    let mut bytes = input.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' => words.extend(current.take()),
            b'\\' => current.get_or_insert_default().extend(bytes.next()),
            quote @ (b'"' | b'\'') => {
                current.get_or_insert_default().extend(bytes.by_ref().take_while(|byte| *byte != quote));
            }
            byte => current.get_or_insert_default().push(byte),
        }
    }
    words.extend(current);
    words
}

/// A format of `-printf` that has nothing but `%f`, `%p`, `%%` and the escapes of [`filled`].
fn check_format(format: &BString) -> Option<BString> {
    let mut bytes = format.iter();
    while let Some(byte) = bytes.next() {
        let known: &[u8] = match byte {
            b'%' => b"fp%",
            b'\\' => b"nt0\\",
            _ => continue,
        };
        bytes.next().filter(|next| known.contains(next))?;
    }
    Some(format.clone())
}

fn filled(format: &BString, name: &BString) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => match bytes.next() {
                Some(b'f') => out.extend_from_slice(name.rsplit(|byte| *byte == b'/').next().unwrap_or_default()),
                Some(b'p') => out.extend_from_slice(name),
                other => out.extend(other),
            },
            b'\\' => out.push(match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                other => other.unwrap_or(b'\\'),
            }),
            plain => out.push(plain),
        }
    }
    out
}
