//! The syntax tree of a shell script (POSIX XCU 2.9 and 2.10, with the few forms of bash that packages use).

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

/// Commands in sequence, separated by `;`, `&` or newlines.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct List {
    pub(crate) items: Vec<ListItem>,
}

/// One and-or list of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListItem {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(AndOr, Pipeline)>,
    /// Ended by `&`.
    pub(crate) background: bool,
}

/// How two pipelines are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AndOr {
    And,
    Or,
}

/// Commands joined by `|`, perhaps negated by `!`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) negated: bool,
    pub(crate) commands: Vec<Command>,
}

/// A command with the line it starts on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    pub(crate) line: u32,
    pub(crate) kind: CommandKind,
    /// Redirections of a compound command; those of a simple one are in place among its words.
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CommandKind {
    Simple(Simple),
    Group(List),
    Subshell(Rc<List>),
    If {
        arms: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    While {
        until: bool,
        condition: List,
        body: List,
    },
    For {
        name: BString,
        words: Option<Vec<Word>>,
        body: List,
    },
    Case {
        subject: Word,
        arms: Vec<CaseArm>,
    },
    Function {
        name: BString,
        body: Rc<Command>,
    },
    /// bash: `[[ ... ]]`.
    Test(Box<TestExpression>),
    /// bash: `(( ... ))`.
    Arithmetic(Word),
}

/// Assignments, then words; either may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Simple {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) name: BString,
    /// bash: `name[index]=`.
    pub(crate) index: Option<Word>,
    /// bash: `+=`.
    pub(crate) append: bool,
    pub(crate) value: AssignedValue,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AssignedValue {
    Scalar(Word),
    /// bash: `name=( ... )`.
    Array(Vec<Word>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CaseArm {
    pub(crate) patterns: Vec<Word>,
    pub(crate) body: List,
    /// bash: ended by `;&`.
    pub(crate) falls_through: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Redirect {
    /// The descriptor written before the operator.
    pub(crate) fd: Option<u32>,
    pub(crate) kind: RedirectKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RedirectKind {
    /// `<`
    Read(Word),
    /// `>` and `>|`
    Write(Word),
    /// `>>`
    Append(Word),
    /// `<>`
    ReadWrite(Word),
    /// `<&` and `>&`: a number, or `-` to close.
    Duplicate(Word, DuplicateDirection),
    /// bash: `&>` and `&>>`.
    Both(Word, bool),
    /// `<<`: the body, as one quoted part when the delimiter was quoted. The cell is filled when the parser
    /// comes to the next line.
    Here(Rc<OnceCell<Word>>),
    /// bash: `<<<`.
    HereString(Word),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DuplicateDirection {
    Input,
    Output,
}

/// A word before expansion.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Word {
    pub(crate) parts: Vec<Part>,
}

impl Word {
    /// The text of a word that is all unquoted literal: what reserved words and assignments are looked for in.
    pub(crate) fn bare(&self) -> Option<&BString> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// Unquoted text.
    Literal(BString),
    /// Text in single quotes or after a backslash.
    Quoted(BString),
    /// What stands in double quotes.
    DoubleQuoted(Vec<Part>),
    /// `$name` and `${...}`.
    Parameter(Box<Parameter>),
    /// `$( )` and backquotes.
    Command(Rc<List>),
    /// `$(( ))`.
    Arithmetic(Vec<Part>),
    /// A leading `~` or `~user`.
    Tilde(BString),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: BString,
    /// bash: `${name[index]}`.
    pub(crate) index: Option<Word>,
    /// bash: `${!name}`.
    pub(crate) indirect: bool,
    pub(crate) operation: Operation,
    pub(crate) line: u32,
}

/// What is done to a parameter's value (XCU 2.6.2).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    None,
    /// `${#name}`
    Length,
    /// `-`, with `:` also for an empty value.
    Default {
        colon: bool,
        word: Word,
    },
    /// `=`
    Assign {
        colon: bool,
        word: Word,
    },
    /// `?`
    Require {
        colon: bool,
        word: Word,
    },
    /// `+`
    Alternative {
        colon: bool,
        word: Word,
    },
    /// `#` and `##`
    RemovePrefix {
        longest: bool,
        pattern: Word,
    },
    /// `%` and `%%`
    RemoveSuffix {
        longest: bool,
        pattern: Word,
    },
    /// bash: `/`, `//`, `/#`, `/%`
    Replace {
        anchor: Anchor,
        pattern: Word,
        with: Word,
    },
    /// bash: `:offset:length`
    Slice {
        offset: Word,
        length: Option<Word>,
    },
    /// bash: `^`, `^^`, `,` and `,,`
    Case {
        upper: bool,
        all: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    First,
    All,
    Start,
    End,
}

/// bash's `[[ ]]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TestExpression {
    Not(Box<TestExpression>),
    And(Box<TestExpression>, Box<TestExpression>),
    Or(Box<TestExpression>, Box<TestExpression>),
    Unary(BString, Word),
    Binary(Word, BString, Word),
}
