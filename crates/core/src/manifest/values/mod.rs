//! The manifest's scalar values: each is parsed once, into a type that can hold nothing else.

mod base;
mod debian;
mod files;
mod image;
mod names;
mod net;
mod nix;
mod publish;
mod units;

pub use base::{BaseReference, LayoutReference};
pub use debian::{
    Component, ExactVersion, PackageName, PackagePattern, PackageRequest, RepositoryName, RepositorySuite,
    SnapshotTime, Suite,
};
pub use files::{FileMode, Owner, OwnerId, PathPattern, SymlinkTarget, WorkspacePath};
pub use image::{Compression, LayerBudget, Port, Protocol, Signal};
pub use names::{EnvName, GroupName, ImageName, LabelKey, UserName, WorkspaceName};
pub use net::{HttpUrl, RegistryPrefix};
pub use nix::{FlakePath, NixExpression, PackageAttribute, SetName, ShellName, SubstituterKey, SubstituterUrl};
pub use publish::{RenderTagError, TagContext, TagTemplate};
pub use units::{ByteSize, Seconds};

/// Why a text is not a value of some type of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}: {rule}")]
pub struct ParseValueError {
    /// The text, shortened when it is long.
    pub text: String,
    /// What was expected, with its article: "an image name".
    pub kind: &'static str,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl ParseValueError {
    /// How many characters of the offending text an error quotes.
    const QUOTED: usize = 60;

    pub(crate) fn new(text: &str, kind: &'static str, rule: &'static str) -> Self {
        let mut quoted: String = text.chars().take(Self::QUOTED).collect();
        if quoted.len() < text.len() {
            quoted.push('…');
        }
        Self { text: quoted, kind, rule }
    }
}

/// Declares a type that holds checked text: `check` gives the broken rule.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, kind: $kind:literal, check: $check:expr $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::manifest::ParseValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(rule) => Err($crate::manifest::ParseValueError::new(text, $kind, rule)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text_type;

/// Declares a type that holds checked text of the manifest; `pattern` tells the JSON schema about the rule.
macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident, kind: $kind:literal, pattern: $pattern:literal, examples: [$($example:literal),*], check: $check:expr $(,)?) => {
        $crate::manifest::values::text_type!($(#[$doc])* $name, kind: $kind, check: $check);
        $crate::manifest::values::text_schema!($name, pattern: $pattern, examples: [$($example),*]);
    };
}
pub(crate) use text_value;

/// Gives a type with `FromStr` its JSON schema and its readers: from the manifest and, where serde is used, from text.
macro_rules! text_schema {
    ($name:ident, pattern: $pattern:literal, examples: [$($example:literal),*]) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "examples": [$($example),*] })
            }
        }

        impl $crate::manifest::read::FromToml for $name {
            fn from_toml(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                problems: &mut $crate::manifest::read::Problems,
            ) -> Option<Self> {
                $crate::manifest::read::parse_text(value, problems)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error as _;
                std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}
pub(crate) use text_schema;

/// Serializes a type through its `Display`.
macro_rules! serialize_as_text {
    ($($name:ident),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}
pub(super) use files::parse_tree_path;
pub(crate) use serialize_as_text;
