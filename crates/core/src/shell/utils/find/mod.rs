//! `find`: the walk over the tree; the expression has files of its own.

mod expression;
mod parser;
mod predicates;
mod printf;

use bstr::{BString, ByteSlice};

use self::expression::Expression;
use self::parser::Parser;
use self::predicates::is_so;
use self::printf::filled;
use super::super::{Invocation, ShellError, Status};
use super::fs::join;
use crate::tree::{Node, TreePath};

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
    let mut parser = Parser::new(&tests);
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
