//! Which triggers are pending, and for whom (deb-triggers(5), dpkg's `doc/spec/triggers.txt`).

use std::collections::{BTreeMap, VecDeque};

use bstr::{BString, ByteSlice as _};

use crate::debian::dpkg::{TriggerInterest, TriggerTarget};
use crate::tree::TreePath;

/// The interests of all packages and what is pending.
#[derive(Debug, Default)]
pub struct Triggers {
    interests: Vec<TriggerInterest>,
    /// Trigger names by package, in the order they became pending.
    pending: BTreeMap<String, Vec<BString>>,
    /// The packages with pending triggers, in the order the first one became pending.
    queue: VecDeque<String>,
}

impl Triggers {
    /// Adds the interests that a package declares.
    pub fn add_interests(&mut self, interests: impl IntoIterator<Item = TriggerInterest>) {
        self.interests.extend(interests);
    }

    /// Activates a named trigger, or a path as `dpkg-trigger /path` does.
    pub fn activate(&mut self, name: &BString) {
        if let Some(path) = name.strip_prefix(b"/").and_then(|_| TreePath::parse(name).ok()) {
            return self.activate_path(&path);
        }
        let interested: Vec<String> = self
            .interests
            .iter()
            .filter(
                |interest| matches!(&interest.target, TriggerTarget::Named(own) if own.as_bytes() == name.as_bytes()),
            )
            .map(|interest| interest.package.clone())
            .collect();
        interested.into_iter().for_each(|package| self.add(package, name.clone()));
    }

    /// Activates every file trigger at or above a path that dpkg has changed.
    pub fn activate_path(&mut self, path: &TreePath) {
        let hits: Vec<(String, BString)> = self
            .interests
            .iter()
            .filter_map(|interest| match &interest.target {
                TriggerTarget::File(own) if path.starts_with(own) => {
                    Some((interest.package.clone(), own.to_string().into()))
                }
                _ => None,
            })
            .collect();
        hits.into_iter().for_each(|(package, name)| self.add(package, name));
    }

    /// Whether a package is interested in any path, so that files are worth looking at.
    pub fn has_file_interests(&self) -> bool {
        self.interests.iter().any(|interest| matches!(interest.target, TriggerTarget::File(_)))
    }

    /// The next package to be triggered with its triggers.
    pub fn next_pending(&mut self) -> Option<(String, Vec<BString>)> {
        let package = self.queue.pop_front()?;
        let names = self.pending.remove(&package)?;
        Some((package, names))
    }

    /// Forgets what is pending for a package, since configuring it includes that.
    pub fn clear(&mut self, package: &str) {
        self.pending.remove(package);
        self.queue.retain(|other| other != package);
    }

    fn add(&mut self, package: String, name: BString) {
        let names = self.pending.entry(package.clone()).or_default();
        if names.is_empty() {
            self.queue.push_back(package);
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// The triggers that a package activates by its control file `triggers` when it is unpacked or configured.
pub(super) fn activations(control_file: &[u8]) -> impl Iterator<Item = BString> + '_ {
    control_file.lines().filter_map(|line| {
        let line = line.split_str("#").next().unwrap_or_default();
        let mut words = line.fields();
        match words.next()? {
            b"activate" | b"activate-await" | b"activate-noawait" => words.next().map(BString::from),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_wait_for_those_interested_in_order() {
        let mut triggers = Triggers::default();
        triggers.add_interests(TriggerInterest::parse_file("libc-bin", b"interest-await ldconfig"));
        triggers.add_interests(TriggerInterest::parse_file("man-db", b"interest-noawait /usr/share/man"));
        triggers.activate_path(&TreePath::literal("usr/share/man/man1/x.1.gz"));
        triggers.activate_path(&TreePath::literal("usr/share/manual"));
        triggers.activate(&"ldconfig".into());
        triggers.activate(&"ldconfig".into());
        triggers.activate(&"nobody".into());
        let drained: Vec<_> = std::iter::from_fn(|| triggers.next_pending()).collect();
        let expect = [("man-db", "/usr/share/man"), ("libc-bin", "ldconfig")];
        assert_eq!(drained, expect.map(|(package, name)| (package.to_owned(), vec![BString::from(name)])));
    }

    #[test]
    fn activations_are_read() {
        let found: Vec<_> = activations(b"# x\nactivate-noawait ldconfig\ninterest y\nactivate z # w\n").collect();
        assert_eq!(found, ["ldconfig", "z"]);
    }
}
