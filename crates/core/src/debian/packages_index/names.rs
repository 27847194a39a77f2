//! The order in which an index first mentions each name.
//!
//! apt numbers packages as its cache meets them, as a stanza or within a relation, and where two providers of a virtual
//! package are equal in all else it takes the one of the higher number. To choose as apt does we keep that order.

use std::collections::HashSet;

use crate::debian::control::Stanza;

/// The fields with relations, in the order in which apt reads them.
const RELATION_FIELDS: [&str; 9] =
    ["Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances", "Provides"];

#[derive(Default)]
pub(super) struct MentionedNames {
    seen: HashSet<Box<str>>,
    order: Vec<Box<str>>,
}

impl MentionedNames {
    pub(super) fn add_stanza(&mut self, stanza: &Stanza<'_>) {
        self.add(stanza.get("Package").unwrap_or_default());
        for field in RELATION_FIELDS {
            for relation in stanza.get(field).unwrap_or_default().split([',', '|']) {
                let relation = relation.trim_ascii_start();
                let end = relation.find([' ', ':', '(', '\n', '\t']).unwrap_or(relation.len());
                self.add(relation.get(..end).unwrap_or_default());
            }
        }
    }

    fn add(&mut self, name: &str) {
        if !name.is_empty() && !self.seen.contains(name) {
            self.seen.insert(name.into());
            self.order.push(name.into());
        }
    }

    pub(super) fn into_names(self) -> Vec<Box<str>> {
        self.order
    }
}
