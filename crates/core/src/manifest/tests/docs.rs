//! `docs/manifest.md` has every key, and its examples are valid.

use std::collections::BTreeSet;

use serde_json::Value;

use super::PRELUDE;
use crate::manifest::{Manifest, schema};

const DOCS: &str = include_str!("../../../../../docs/manifest.md");

/// The TOML examples of the documentation.
fn examples() -> impl Iterator<Item = &'static str> {
    DOCS.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next())
}

#[test]
fn every_example_is_valid() {
    assert!(examples().count() > 10);
    for example in examples() {
        // An example shows what it is about; what every manifest has is put before it where it is not shown.
        let needs = |table: &str| !example.contains(&format!("[{table}]"));
        let workspace = if needs("workspace") { "[workspace]\nname = \"w\"\n" } else { "" };
        let debian = if needs("debian") { "[debian]\nsuite = \"trixie\"\n" } else { "" };
        let base = if example.contains("from = \"base\"") && needs("images.base") { "[images.base]\n" } else { "" };
        let text = format!("{workspace}{debian}{base}{example}");
        let faults =
            Manifest::parse(&text).err().map(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(faults, None, "{example}");
    }
    assert!(Manifest::parse(PRELUDE).is_ok());
}

/// The keys of every table of the schema.
fn keys(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            for (name, value) in object {
                if let ("properties", Value::Object(properties)) = (name.as_str(), value) {
                    into.extend(properties.keys().cloned());
                }
                keys(value, into);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| keys(member, into)),
        _ => {}
    }
}

#[test]
fn every_key_is_documented() {
    let mut all = BTreeSet::new();
    keys(&schema(), &mut all);
    assert!(all.len() > 60, "{all:?}");
    let missing: Vec<_> = all.iter().filter(|key| !DOCS.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/manifest.md says nothing of {missing:?}");
}

#[test]
fn no_key_is_made_up() {
    let mut all = BTreeSet::new();
    keys(&schema(), &mut all);
    let rows = DOCS.lines().filter_map(|line| line.strip_prefix("| `"));
    let named = rows.filter_map(|row| row.split('`').next());
    let unknown: Vec<_> = named.filter(|key| !all.contains(*key)).collect();
    assert!(unknown.is_empty(), "docs/manifest.md speaks of {unknown:?}");
}
