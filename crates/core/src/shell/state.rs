//! The state of one shell: variables, functions, options, descriptors. A subshell works on a copy.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::Status;
use super::files::{Description, OpenFile};
use super::syntax::{Dialect, ast};
use crate::tree::TreePath;

/// Debian's search path of root.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A variable's value and attributes.
#[derive(Debug, Clone, Default)]
pub(super) struct Variable {
    /// `None` when declared but unset.
    pub(super) value: Option<Value>,
    pub(super) exported: bool,
    pub(super) readonly: bool,
}

/// A scalar, or bash's arrays.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar(BString),
    Indexed(BTreeMap<i64, BString>),
    Associative(BTreeMap<BString, BString>),
}

impl Value {
    /// What `$name` gives: for an array its element 0.
    pub(super) fn scalar(&self) -> Option<&BString> {
        match self {
            Value::Scalar(text) => Some(text),
            Value::Indexed(items) => items.get(&0),
            Value::Associative(items) => items.get(b"0".as_bstr()),
        }
    }
}

/// The options of `set` that have an effect here.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) errexit: bool,
    pub(super) nounset: bool,
    pub(super) noglob: bool,
    pub(super) noexec: bool,
    pub(super) noclobber: bool,
    pub(super) allexport: bool,
    pub(super) xtrace: bool,
    pub(super) verbose: bool,
    pub(super) pipefail: bool,
}

/// How `getopts` stands inside a bundle of options.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct GetoptsState {
    pub(super) index: usize,
    pub(super) offset: usize,
}

/// One shell, as commands see it.
#[derive(Clone)]
pub struct Shell {
    pub(super) variables: BTreeMap<BString, Variable>,
    pub(super) functions: BTreeMap<BString, Rc<ast::Command>>,
    /// What `local` replaced, one layer per running function.
    pub(super) locals: Vec<Vec<(BString, Option<Variable>)>>,
    pub(super) name: BString,
    pub(super) parameters: Vec<BString>,
    pub(super) options: Options,
    pub(super) cwd: TreePath,
    pub(super) umask: u16,
    pub(super) descriptors: BTreeMap<u32, OpenFile>,
    pub(super) traps: BTreeMap<BString, BString>,
    pub(super) status: Status,
    pub(super) getopts: GetoptsState,
    pub(super) dialect: Dialect,
    pub(super) loops: u32,
    pub(super) sourced: u32,
    pub(super) subshell: bool,
    /// The status of the last command substitution of the running command.
    pub(super) substituted: Option<Status>,
    pub(super) line: u32,
}

impl Shell {
    pub(super) fn new(environment: &BTreeMap<String, String>) -> Self {
        let mut shell = Self {
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            locals: Vec::new(),
            name: "sh".into(),
            parameters: Vec::new(),
            options: Options::default(),
            cwd: TreePath::ROOT,
            umask: 0o022,
            descriptors: (0..3).map(|fd| (fd, Description::Null.open())).collect(),
            traps: BTreeMap::new(),
            status: Status::SUCCESS,
            getopts: GetoptsState::default(),
            dialect: Dialect::Posix,
            loops: 0,
            sourced: 0,
            subshell: false,
            substituted: None,
            line: 1,
        };
        for (name, value) in environment {
            shell.export(name.as_bytes(), value.as_bytes());
        }
        for (name, value) in [("PATH", DEFAULT_PATH), ("PWD", "/")] {
            if shell.get(name.as_bytes()).is_none() {
                shell.export(name.as_bytes(), value.as_bytes());
            }
        }
        shell.assign_raw(b"IFS", b" \t\n");
        shell.assign_raw(b"OPTIND", b"1");
        shell.assign_raw(b"PPID", b"1");
        shell
    }

    /// A variable's value.
    pub fn get(&self, name: &[u8]) -> Option<&BString> {
        self.variables.get(name.as_bstr()).and_then(|variable| variable.value.as_ref()).and_then(Value::scalar)
    }

    /// Sets a variable, whatever its attributes.
    pub fn assign_raw(&mut self, name: &[u8], value: &[u8]) {
        let variable = self.variables.entry(name.into()).or_default();
        match &mut variable.value {
            Some(Value::Indexed(items)) => _ = items.insert(0, value.into()),
            _ => variable.value = Some(Value::Scalar(value.into())),
        }
        variable.exported |= self.options.allexport;
        if name == b"OPTIND" {
            self.getopts = GetoptsState::default();
        }
    }

    /// Sets a variable and marks it for the environment of commands.
    pub fn export(&mut self, name: &[u8], value: &[u8]) {
        self.assign_raw(name, value);
        self.variables.entry(name.into()).or_default().exported = true;
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: &[u8]) {
        self.variables.remove(name.as_bstr());
    }

    /// The exported variables.
    pub fn environment(&self) -> impl Iterator<Item = (&BString, &BString)> {
        self.variables
            .iter()
            .filter(|(_, variable)| variable.exported)
            .filter_map(|(name, variable)| Some((name, variable.value.as_ref()?.scalar()?)))
    }

    /// The working directory.
    pub fn cwd(&self) -> &TreePath {
        &self.cwd
    }

    /// A shell for another program: the environment, descriptors, directory and mask are inherited, nothing else.
    pub(super) fn child(&self) -> Self {
        let mut child = Self::new(&BTreeMap::new());
        for (name, variable) in self.variables.iter().filter(|(_, variable)| variable.exported) {
            child.variables.insert(name.clone(), Variable { readonly: false, ..variable.clone() });
        }
        child.descriptors = self.descriptors.clone();
        child.cwd = self.cwd.clone();
        child.umask = self.umask;
        child
    }
}

impl Options {
    /// Sets the option of a letter of `set`; `false` for an unknown letter.
    pub(super) fn set_flag(&mut self, flag: u8, on: bool) -> bool {
        let option = match flag {
            b'e' => &mut self.errexit,
            b'u' => &mut self.nounset,
            b'f' => &mut self.noglob,
            b'n' => &mut self.noexec,
            b'C' => &mut self.noclobber,
            b'a' => &mut self.allexport,
            b'x' => &mut self.xtrace,
            b'v' => &mut self.verbose,
            b'm' | b'b' | b'h' | b'B' | b'E' | b'T' => return true,
            _ => return false,
        };
        *option = on;
        true
    }

    /// Sets the option of a name after `set -o`; `false` for an unknown name.
    pub(super) fn set_name(&mut self, name: &[u8], on: bool) -> bool {
        let flag = match name {
            b"errexit" => b'e',
            b"nounset" => b'u',
            b"noglob" => b'f',
            b"noexec" => b'n',
            b"noclobber" => b'C',
            b"allexport" => b'a',
            b"xtrace" => b'x',
            b"verbose" => b'v',
            b"monitor" | b"notify" | b"posix" | b"errtrace" | b"functrace" => b'm',
            b"pipefail" => {
                self.pipefail = on;
                return true;
            }
            _ => return false,
        };
        self.set_flag(flag, on)
    }

    /// What `$-` gives.
    pub(super) fn letters(&self) -> BString {
        let letters = [
            (self.errexit, b'e'),
            (self.noglob, b'f'),
            (self.xtrace, b'x'),
            (self.verbose, b'v'),
            (self.noclobber, b'C'),
            (self.allexport, b'a'),
            (self.nounset, b'u'),
        ];
        letters.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect::<Vec<u8>>().into()
    }
}
