//! What a derivation says of itself, as nixpkgs' `mkDerivation` passes it on.

use bstr::{BStr, ByteSlice as _};
use serde_json::Value;

use super::Derivation;
use crate::nix::DrvName;

/// The variable that holds all attributes as JSON (Nix manual, "structured attributes").
const STRUCTURED: &str = "__json";

/// Name, version and patches of what a derivation builds. Whatever is missing or no text is left out: nothing obliges a
/// derivation to say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DerivationAttributes {
    /// `name`, such as `hello-2.12`.
    pub name: Option<String>,
    /// `pname`, or else what [`DrvName`] takes from the name.
    pub pname: Option<String>,
    /// `version`, or else what [`DrvName`] takes from the name.
    pub version: Option<String>,
    /// `patches`: absolute paths in the store, or of files below them.
    pub patches: Vec<String>,
}

impl Derivation {
    /// What it says of itself.
    pub fn attributes(&self) -> DerivationAttributes {
        let structured = self.structured();
        let text = |name: &str| match &structured {
            Some(all) => all.get(name).and_then(Value::as_str).map(str::to_owned),
            None => self.variable(name).and_then(|value| value.to_str().ok()).map(str::to_owned),
        };
        let filled = |name| text(name).filter(|text| !text.is_empty());
        let patches = match structured.as_ref().and_then(|all| all.get("patches")) {
            Some(Value::Array(patches)) => patches.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => text("patches").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
        };
        let name = filled("name");
        let split = name.as_deref().map(DrvName::split);
        let part = |part: &str| Some(part.to_owned()).filter(|part| !part.is_empty());
        DerivationAttributes {
            pname: filled("pname").or_else(|| split.and_then(|split| part(split.name))),
            version: filled("version").or_else(|| split.and_then(|split| part(split.version))),
            patches,
            name,
        }
    }

    /// A variable of the builder's environment.
    pub fn variable(&self, name: &str) -> Option<&BStr> {
        self.environment.get(BStr::new(name)).map(|value| value.as_bstr())
    }

    /// The structured attributes, when it has any; `None` also when they are no JSON object.
    pub fn structured(&self) -> Option<Value> {
        serde_json::from_slice(self.variable(STRUCTURED)?).ok().filter(Value::is_object)
    }
}
