//! systemd.preset(5): which units are enabled when their package is installed.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::Scope;
use crate::debian::deb::fnmatch;
use crate::tree::{ReadContent, Tree};

/// What a preset says of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresetAction {
    /// `enable`.
    Enable,
    /// `disable`.
    Disable,
}

/// All rules in order; the first that matches decides, and without one a unit is enabled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presets {
    rules: Vec<(PresetAction, BString)>,
}

impl Presets {
    /// Reads the preset files of a tree, in the order of their names.
    pub fn read(tree: &Tree, contents: &dyn ReadContent, scope: Scope) -> Self {
        let mut files = BTreeMap::new();
        for place in ["/etc", "/usr/lib"] {
            let Some((directory, _)) = tree.lookup(format!("{place}/systemd/{}-preset", scope.directory())) else {
                continue;
            };
            for (path, _) in tree.children(&directory) {
                if let Some(name) = path.file_name().filter(|name| name.ends_with_str(".preset")) {
                    files.entry(BString::from(name)).or_insert_with(|| path.clone());
                }
            }
        }
        let mut presets = Self::default();
        for path in files.values() {
            if let Ok(text) = tree.read(path, contents) {
                presets.add(&text);
            }
        }
        presets
    }

    fn add(&mut self, text: &[u8]) {
        for line in text.lines() {
            let mut words = line.fields();
            let action = match words.next() {
                Some(b"enable") => PresetAction::Enable,
                Some(b"disable") => PresetAction::Disable,
                _ => continue,
            };
            self.rules.extend(words.next().map(|pattern| (action, BString::from(pattern))));
        }
    }

    /// Whether the unit is to be enabled.
    pub fn action(&self, unit: &BStr) -> PresetAction {
        let matching = self.rules.iter().find(|(_, pattern)| fnmatch(pattern, unit));
        matching.map_or(PresetAction::Enable, |(action, _)| *action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_decides() {
        let mut presets = Presets::default();
        presets.add(b"# comment\nenable remote-fs.target\ndisable debug-shell.service\ndisable syslog.*\n");
        assert_eq!(presets.action("remote-fs.target".into()), PresetAction::Enable);
        assert_eq!(presets.action("syslog.socket".into()), PresetAction::Disable);
        assert_eq!(presets.action("ssh.service".into()), PresetAction::Enable);
    }
}
