//! `env`: variables are merged along the `from` chain, never replaced as a whole.

use schemars::JsonSchema;
use serde::Serialize;
use toml::de::DeValue;

use crate::manifest::Problem;
use crate::manifest::read::{FromToml, Problems, TableReader, wrong_type};

/// The value of an environment variable: a text, or additions to the inherited one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(untagged)]
pub enum EnvValue {
    /// The value itself.
    Set(String),
    /// Additions to what the variable holds in the parent image; to the default path for `PATH`.
    Edit(EnvEdit),
}

/// Additions to a variable that holds a list, such as `PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EnvEdit {
    /// Members that come before the inherited ones.
    #[schemars(default)]
    pub prepend: Vec<String>,
    /// Members that come after the inherited ones.
    #[schemars(default)]
    pub append: Vec<String>,
    /// What stands between members. Default: `:`.
    pub separator: Option<String>,
}

impl EnvEdit {
    /// The variable's new value; members that are already there are not repeated but moved.
    pub fn apply(&self, inherited: Option<&str>) -> String {
        let separator = self.separator.as_ref().map_or(":", String::as_str);
        let added = || self.prepend.iter().chain(&self.append).map(String::as_str);
        let inherited =
            inherited.into_iter().filter(|value| !value.is_empty()).flat_map(|value| value.split(separator));
        let kept = inherited.filter(|member| !added().any(|new| new == *member));
        let members = self.prepend.iter().map(String::as_str).chain(kept).chain(self.append.iter().map(String::as_str));
        members.collect::<Vec<_>>().join(separator)
    }
}

impl FromToml for EnvEdit {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let mut table = TableReader::open(value, problems)?;
        let (prepend, append, separator) = (table.read("prepend"), table.read("append"), table.read("separator"));
        table.finish(&[]);
        let edit = Self { prepend: prepend?, append: append?, separator: separator? };
        if edit.separator.as_ref().is_some_and(|separator| separator.is_empty()) {
            problems.add(value.span(), Problem::Empty("separator"));
        }
        Some(edit)
    }
}

impl FromToml for EnvValue {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => String::from_toml(value, problems).map(EnvValue::Set),
            DeValue::Table(_) => EnvEdit::from_toml(value, problems).map(EnvValue::Edit),
            DeValue::Integer(_) | DeValue::Boolean(_) => wrong_type(value, "a string", problems),
            _ => wrong_type(value, "a string, or a table with `prepend` or `append`", problems),
        }
    }
}
