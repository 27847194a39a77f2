//! What the flake says, as JSON (`nix/plywood.nix` of the workspace).

use std::collections::BTreeMap;

use plywood_core::manifest::{SetName, ShellName};
use plywood_core::nix::StorePath;
use serde::{Deserialize, Deserializer};

use super::EvalError;

/// What sets and shells are on one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Values {
    /// The sources of the flake's inputs.
    #[serde(deserialize_with = "absolute_all")]
    pub(crate) sources: Vec<StorePath>,
    /// The sets.
    pub(crate) sets: BTreeMap<SetName, SetValues>,
    /// The shells.
    pub(crate) shells: BTreeMap<ShellName, ShellValues>,
    /// What is known of packages.
    #[serde(default)]
    pub(crate) about: Vec<About>,
    /// The oldest Nix that this nixpkgs is for.
    #[serde(default)]
    pub(crate) needed_nix: Option<String>,
}

/// A set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct SetValues {
    /// Its own packages.
    pub(crate) roots: Vec<RootValue>,
}

/// A shell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct ShellValues {
    /// Its own packages, without those of its sets.
    pub(crate) roots: Vec<RootValue>,
    /// The derivation that writes its exported environment; `None` where a package is at fault.
    #[serde(default, deserialize_with = "absolute_optional")]
    pub(crate) environment: Option<StorePath>,
    /// The derivation of `nix develop`.
    #[serde(default, deserialize_with = "absolute_optional")]
    pub(crate) develop: Option<StorePath>,
}

/// One thing that a set or shell names: a package's output, or why it is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum RootValue {
    /// An output.
    Package(Root),
    /// There is no such attribute.
    Missing {
        /// As the manifest says.
        attribute: String,
        /// The part of it that is not there.
        missing: String,
        /// What there is in its place.
        known: Vec<String>,
        /// Whether it is the flake's input that is missing.
        #[serde(default)]
        input: bool,
    },
    /// Something else than a package.
    Other {
        /// As the manifest says.
        attribute: String,
        /// What it is to Nix: `set`, `lambda` …
        kind: String,
    },
    /// Evaluation refuses it.
    Refused {
        /// As the manifest says.
        attribute: String,
        /// Always so.
        #[serde(rename = "refused")]
        _refused: bool,
    },
}

/// An output of a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Root {
    /// As the manifest says, or `expression`.
    pub(crate) attribute: String,
    /// Which output.
    pub(crate) output: String,
    /// Its path.
    #[serde(deserialize_with = "absolute")]
    pub(crate) path: StorePath,
    /// The derivation that makes it.
    #[serde(deserialize_with = "absolute")]
    pub(crate) derivation: StorePath,
    /// Whose file wins in a collision.
    #[serde(default)]
    pub(crate) priority: Option<i64>,
}

/// What is known of a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct About {
    /// Its licences.
    pub(crate) licences: Vec<String>,
    /// Its home page.
    pub(crate) homepage: Option<String>,
    /// The paths of its outputs.
    #[serde(deserialize_with = "absolute_all")]
    pub(crate) outputs: Vec<StorePath>,
}

impl Values {
    pub(super) fn parse(json: &[u8]) -> Result<Self, EvalError> {
        serde_json::from_slice(json).map_err(EvalError::Values)
    }
}

fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StorePath, D::Error> {
    let text = String::deserialize(deserializer)?;
    StorePath::from_absolute(&text).map_err(serde::de::Error::custom)
}

fn absolute_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StorePath>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| StorePath::from_absolute(&text).map_err(serde::de::Error::custom)).transpose()
}

fn absolute_all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<StorePath>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| StorePath::from_absolute(text).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr";

    #[test]
    fn each_kind_of_root_is_told_apart() {
        let roots = format!(
            r#"[{{"attribute":"a","output":"out","path":"/nix/store/{HASH}-a","derivation":"/nix/store/{HASH}-a.drv","priority":null}},
                {{"attribute":"b","missing":"b","known":["c"]}},
                {{"attribute":"d","kind":"set"}},
                {{"attribute":"e","refused":true}}]"#
        );
        let roots: Vec<RootValue> = serde_json::from_str(&roots).expect("roots");
        let kinds: Vec<&str> = roots
            .iter()
            .map(|root| match root {
                RootValue::Package(_) => "package",
                RootValue::Missing { .. } => "missing",
                RootValue::Other { .. } => "other",
                RootValue::Refused { .. } => "refused",
            })
            .collect();
        assert_eq!(kinds, ["package", "missing", "other", "refused"]);
    }

    #[test]
    fn what_is_no_store_path_is_refused() {
        let json = r#"{"sources":["/etc"],"sets":{},"shells":{}}"#;
        assert!(Values::parse(json.as_bytes()).is_err());
    }
}
