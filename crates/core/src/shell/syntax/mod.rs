//! The parser of shell scripts.
//!
//! Written for plywood, because brush-parser 0.4, which was tried first, does not do here: it takes UTF-8 only (scripts
//! are bytes), overflows the stack on a thousand nested parentheses, refuses `$(case a in a) ...)` and `"${x:-'}"`,
//! and leaves words as text that has to be parsed again at each expansion. The rules are those of POSIX XCU 2.2, 2.3,
//! 2.9 and 2.10; where they leave a choice, dash is followed.

pub(crate) mod ast;
mod command;
mod compound;
mod cursor;
mod heredoc;
mod parameter;
mod test_expression;
mod word;

pub(crate) use cursor::{Dialect, Parser, is_name};
