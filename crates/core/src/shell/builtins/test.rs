//! `test` and `[` (XCU, utilities), with dash's `-nt`, `-ot`, `-ef`.

use bstr::{BString, ByteSlice};

use super::super::eval::{Eval, Interpreter, Unwind};
use super::super::{Invocation, ShellError, Status};
use crate::tree::{Node, NodeKind, TreePath};

pub(super) fn test<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut args = call.args.clone();
    if call.name == "[" && args.pop().is_none_or(|last| last != "]") {
        call.complain("missing ]")?;
        return Ok(Status(2));
    }
    let mut condition = Condition { args: &args, at: 0, depth: 0, call };
    match condition.whole() {
        Ok(holds) => Ok(Status::from_bool(holds)),
        Err(message) => {
            call.complain(message)?;
            Ok(Status(2))
        }
    }
}

impl<S> Interpreter<'_, '_, S> {
    /// One condition of bash's `[[ ]]`.
    pub(in crate::shell) fn test_words(&mut self, args: Vec<BString>) -> Eval<bool> {
        let status = self.call(test, "test".into(), args)?;
        if status == Status(2) { Err(Unwind::Exit(status)) } else { Ok(status.is_success()) }
    }
}

struct Condition<'a, 'i, 'c, 'x, S> {
    args: &'a [BString],
    at: usize,
    depth: u32,
    call: &'x Invocation<'i, 'c, S>,
}

impl<'a, S> Condition<'a, '_, '_, '_, S> {
    fn peek(&self, offset: usize) -> Option<&'a [u8]> {
        self.args.get(self.at + offset).map(|arg| arg.as_slice())
    }

    fn left(&self) -> usize {
        self.args.len().saturating_sub(self.at)
    }

    fn whole(&mut self) -> Result<bool, String> {
        if self.args.is_empty() {
            return Ok(false);
        }
        let holds = self.or()?;
        match self.peek(0) {
            None => Ok(holds),
            Some(extra) => Err(format!("{}: unexpected operator", extra.as_bstr())),
        }
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut holds = self.and()?;
        while self.peek(0) == Some(b"-o") {
            self.at += 1;
            holds |= self.and()?;
        }
        Ok(holds)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut holds = self.not()?;
        while self.peek(0) == Some(b"-a") {
            self.at += 1;
            holds &= self.not()?;
        }
        Ok(holds)
    }

    fn not(&mut self) -> Result<bool, String> {
        // `! = x` compares, as the number of arguments decides first.
        let compares = self.left() >= 3 && self.peek(1).is_some_and(is_binary);
        let mut negated = false;
        while self.peek(0) == Some(b"!") && self.left() > 1 && !compares {
            self.at += 1;
            negated = !negated;
        }
        Ok(self.primary()? != negated)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek(0) else { return Err("argument expected".to_owned()) };
        if self.left() >= 3
            && let (Some(operator), Some(right)) = (self.peek(1).filter(|operator| is_binary(operator)), self.peek(2))
        {
            self.at += 3;
            return self.binary(first, operator, right);
        }
        if first == b"(" && self.left() > 1 {
            self.depth += 1;
            if self.depth > 50 {
                return Err("too many parentheses".to_owned());
            }
            self.at += 1;
            let holds = self.or()?;
            if self.peek(0) != Some(b")") {
                return Err("closing paren expected".to_owned());
            }
            self.at += 1;
            self.depth -= 1;
            return Ok(holds);
        }
        if let (&[b'-', operator], Some(operand)) = (first, self.peek(1))
            && is_unary(operator)
        {
            self.at += 2;
            return self.unary(operator, operand);
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn stat(&self, path: &[u8], follow: bool) -> Option<(TreePath, &Node)> {
        self.call.stat(path, follow).filter(|_| !path.is_empty())
    }

    fn unary(&self, operator: u8, operand: &[u8]) -> Result<bool, String> {
        match operator {
            b'n' => return Ok(!operand.is_empty()),
            b'z' => return Ok(operand.is_empty()),
            b't' => return Ok(false),
            b'v' => return Ok(self.call.shell.get(operand).is_some()),
            b'h' | b'L' => {
                return Ok(self
                    .stat(operand, false)
                    .is_some_and(|(_, node)| matches!(node.kind, NodeKind::Symlink { .. })));
            }
            _ => {}
        }
        let Some((_, node)) = self.stat(operand, true) else {
            // Devices that every system has, whether the tree does or not.
            return Ok(matches!(operand, b"/dev/null" | b"/dev/zero" | b"/dev/full") && b"ecrw".contains(&operator));
        };
        let mode = node.meta.mode;
        Ok(match operator {
            b'e' | b'a' | b'r' | b'w' => true,
            b'f' => matches!(node.kind, NodeKind::File { .. }),
            b'd' => node.is_directory(),
            b's' => match &node.kind {
                NodeKind::File { content, .. } => content.size() > 0,
                _ => true,
            },
            // Root may execute what anyone may.
            b'x' => node.is_directory() || mode & 0o111 != 0,
            b'u' => mode & 0o4000 != 0,
            b'g' => mode & 0o2000 != 0,
            b'k' => mode & 0o1000 != 0,
            b'b' => matches!(node.kind, NodeKind::BlockDevice { .. }),
            b'c' => matches!(node.kind, NodeKind::CharDevice { .. }),
            b'p' => matches!(node.kind, NodeKind::Fifo),
            b'O' => node.meta.uid == 0,
            b'G' => node.meta.gid == 0,
            _ => false,
        })
    }

    fn binary(&self, left: &[u8], operator: &[u8], right: &[u8]) -> Result<bool, String> {
        let number = |text: &[u8]| {
            text.trim()
                .to_str()
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
                .ok_or_else(|| format!("Illegal number: {}", text.as_bstr()))
        };
        Ok(match operator {
            b"=" | b"==" => left == right,
            b"!=" => left != right,
            b"<" => left < right,
            b">" => left > right,
            b"-eq" => number(left)? == number(right)?,
            b"-ne" => number(left)? != number(right)?,
            b"-lt" => number(left)? < number(right)?,
            b"-le" => number(left)? <= number(right)?,
            b"-gt" => number(left)? > number(right)?,
            b"-ge" => number(left)? >= number(right)?,
            _ => self.files(left, operator, right),
        })
    }

    fn files(&self, left: &[u8], operator: &[u8], right: &[u8]) -> bool {
        match (self.stat(left, true), self.stat(right, true)) {
            (Some((first, left)), Some((second, right))) => match operator {
                b"-nt" => left.meta.mtime > right.meta.mtime,
                b"-ot" => left.meta.mtime < right.meta.mtime,
                _ => first == second || same_link(left, right),
            },
            (Some(_), None) => operator == b"-nt",
            (None, Some(_)) => operator == b"-ot",
            (None, None) => false,
        }
    }
}

fn same_link(left: &Node, right: &Node) -> bool {
    matches!(
        (&left.kind, &right.kind),
        (NodeKind::File { link: Some(left), .. }, NodeKind::File { link: Some(right), .. }) if left == right
    )
}

fn is_unary(operator: u8) -> bool {
    b"nztvhLefdrwsxugkbcpSOGa".contains(&operator)
}

fn is_binary(operator: &[u8]) -> bool {
    matches!(
        operator,
        b"=" | b"=="
            | b"!="
            | b"<"
            | b">"
            | b"-eq"
            | b"-ne"
            | b"-lt"
            | b"-le"
            | b"-gt"
            | b"-ge"
            | b"-nt"
            | b"-ot"
            | b"-ef"
    )
}
