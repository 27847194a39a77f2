//! What makes an image fail its users, seen from its files alone: no container runs.
//!
//! Each [`Rule`] is a row of a table: an id, a check, and what to do about what it finds. The rules come from what went
//! wrong in images that people built by hand.

mod accounts;
mod packages;
mod rules;
mod subject;

use serde::Serialize;

pub use accounts::{Account, Group};
pub use packages::{InstalledPackage, installed_packages};
pub use subject::Subject;

use crate::tree::TreePath;

/// Something that is wrong with an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The id of the rule that found it.
    pub rule: &'static str,
    /// Where, if it is at one place; as people write it.
    pub path: Option<String>,
    /// What is wrong, one sentence without a period.
    pub message: String,
    /// What to do about it, one sentence without a period.
    pub hint: &'static str,
}

/// One thing to check.
pub struct Rule {
    /// Its stable name, in kebab case.
    pub id: &'static str,
    /// What holds when it passes, one sentence without a period.
    pub holds: &'static str,
    /// What to do when it does not, one sentence without a period.
    pub hint: &'static str,
    check: fn(&Subject<'_>, &mut Report<'_>),
}

/// The rules, in the order in which they are reported.
pub fn rules() -> &'static [Rule] {
    rules::ALL
}

/// Everything that is wrong with an image, by rule.
pub fn inspect(subject: &Subject<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in rules() {
        (rule.check)(subject, &mut Report { rule, faults: &mut faults });
    }
    faults
}

/// Takes what one rule finds.
struct Report<'f> {
    rule: &'static Rule,
    faults: &'f mut Vec<Fault>,
}

impl Report<'_> {
    /// Something is wrong at a path.
    fn at(&mut self, path: &TreePath, message: impl Into<String>) {
        self.add(Some(path.to_string()), message.into());
    }

    /// Something is wrong with the image as a whole.
    fn whole(&mut self, message: impl Into<String>) {
        self.add(None, message.into());
    }

    fn add(&mut self, path: Option<String>, message: String) {
        self.faults.push(Fault { rule: self.rule.id, path, message, hint: self.rule.hint });
    }
}

#[cfg(test)]
mod tests;
