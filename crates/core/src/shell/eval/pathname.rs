//! Pathname expansion (XCU 2.13.3) over the tree.

use bstr::{BString, ByteSlice};

use super::expand::Char;
use super::{Interpreter, Pattern};
use crate::shell::ShellError;
use crate::tree::TreePath;

impl<S> Interpreter<'_, '_, S> {
    /// The paths that match, in order; none when there is nothing special in the word or nothing matches.
    pub(super) fn pathnames(&mut self, word: &[Char]) -> Result<Vec<BString>, ShellError> {
        let text: Vec<Char> = word.iter().copied().filter(|char| char.is_text()).collect();
        if !text.iter().any(|char| !char.is_quoted() && matches!(char.byte, b'*' | b'?' | b'[')) {
            return Ok(Vec::new());
        }
        let absolute = text.first().is_some_and(|char| char.byte == b'/');
        let mut found: Vec<BString> = vec![if absolute { "/".into() } else { BString::default() }];
        let components: Vec<&[Char]> = text.split(|char| char.byte == b'/').collect();
        let count = components.len();
        for (index, component) in components.into_iter().enumerate() {
            if component.is_empty() {
                // A slash at the end asks for directories, which the step before has made sure of.
                continue;
            }
            self.machine.usage.step(&self.machine.limits, self.shell.line)?;
            let last = index + 1 == count;
            let pattern = Pattern::from_chars(component);
            let mut next = Vec::new();
            for prefix in &found {
                self.matching(prefix, &pattern, component, last, &mut next);
            }
            found = next;
        }
        found.sort();
        Ok(found)
    }

    /// Adds what one component gives below `prefix`, which is empty or ends in a slash.
    fn matching(&self, prefix: &BString, pattern: &Pattern, component: &[Char], last: bool, next: &mut Vec<BString>) {
        let tree = &self.machine.tree;
        let resolve = |path: &[u8]| tree.resolve(&self.shell.cwd, path, true).ok().filter(|at| tree.contains(at));
        let mut add = |name: &[u8]| {
            let path = [prefix.as_slice(), name].concat();
            let exists = tree.resolve(&self.shell.cwd, &path, false).is_ok_and(|at| tree.contains(&at));
            if last && exists {
                next.push(path.into());
            } else if !last && resolve(&path).and_then(|at| tree.get(&at)).is_some_and(|node| node.is_directory()) {
                next.push([path.as_slice(), b"/"].concat().into());
            }
        };
        if pattern.is_plain() {
            return add(&component.iter().map(|char| char.byte).filter(|byte| *byte != b'\\').collect::<Vec<_>>());
        }
        let directory: Option<TreePath> = resolve(if prefix.is_empty() { b"." } else { prefix.as_bytes() });
        let Some(directory) = directory else { return };
        for name in tree.children(&directory).filter_map(|(path, _)| path.file_name()) {
            if (!name.starts_with(b".") || pattern.starts_with_dot()) && pattern.matches(name) {
                add(name);
            }
        }
    }
}
