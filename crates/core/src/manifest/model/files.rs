//! `files` and `directories` of an image.

use schemars::JsonSchema;
use serde::Serialize;
use toml::de::DeValue;

use crate::manifest::read::{FromToml, Problems, read_table};
use crate::manifest::spanned::Spanned;
use crate::manifest::{FileMode, Owner, Problem, WorkspacePath};

/// A file, or a folder with what is in it: `text` or `source`, exactly one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// What the file holds.
    pub content: FileContent,
    /// The mode of every file.
    pub mode: Option<FileMode>,
    /// Whether files may be executed.
    pub executable: bool,
    /// Whom files and folders belong to.
    pub owner: Option<Spanned<Owner>>,
}

/// Where a file's content comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum FileContent {
    /// It is written in the manifest.
    Text(String),
    /// It is a file or folder of the workspace.
    Source {
        /// Which one.
        path: Spanned<WorkspacePath>,
        /// Patterns, as in `.gitignore`, of what is left out of a folder.
        ignore: Vec<String>,
    },
}

/// How a [`FileEntry`] is written.
#[derive(JsonSchema)]
#[schemars(rename = "File", rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["text"] }, { "required": ["source"] }]))]
#[schemars(extend("dependentRequired" = { "ignore": ["source"] }))]
#[schemars(extend("not" = { "required": ["mode", "executable"] }))]
struct FileTable {
    /// The file's content.
    text: Option<String>,
    /// A file or folder of the workspace, relative to `plywood.toml`.
    source: Option<Spanned<WorkspacePath>>,
    /// The mode of every file, a string in octal. Default: `"0755"` for what is executable, else `"0644"`.
    mode: Option<Spanned<FileMode>>,
    /// Whether files may be executed. Default: as in the workspace; no for `text`.
    executable: Option<Spanned<bool>>,
    /// Whom it belongs to: `user`, `user:group`, or ids. Default: root.
    owner: Option<Spanned<Owner>>,
    /// Patterns, as in `.gitignore`, of what is left out of a folder.
    ignore: Option<Spanned<Vec<String>>>,
}

read_table!(FileTable {
    text = "text",
    source = "source",
    mode = "mode",
    executable = "executable",
    owner = "owner",
    ignore = "ignore",
});

impl FromToml for FileEntry {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let table = FileTable::from_toml(value, problems)?;
        if let (Some(_), Some(executable)) = (&table.mode, &table.executable) {
            problems.add(executable.span.clone(), Problem::Exclusive("mode", "executable"));
        }
        if let (None, Some(ignore)) = (&table.source, &table.ignore) {
            problems.add(ignore.span.clone(), Problem::Needs { key: "ignore", needs: "source" });
        }
        let content = match (table.text, table.source) {
            (Some(text), None) => FileContent::Text(text),
            (None, Some(path)) => {
                FileContent::Source { path, ignore: table.ignore.map(|ignore| ignore.value).unwrap_or_default() }
            }
            (Some(_), Some(source)) => {
                problems.add(source.span, Problem::Exclusive("text", "source"));
                return None;
            }
            (None, None) => {
                problems.add(value.span(), Problem::Missing("text".to_owned()));
                return None;
            }
        };
        Some(Self {
            content,
            mode: table.mode.map(|mode| mode.value),
            executable: table.executable.is_some_and(|executable| executable.value),
            owner: table.owner,
        })
    }
}

impl JsonSchema for FileEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "File".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        FileTable::json_schema(generator)
    }
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Directory", rename_all = "kebab-case", deny_unknown_fields)]
pub struct DirectoryEntry {
    /// Its mode, a string in octal. Default: `"0755"`, or what a package gave it.
    pub mode: Option<FileMode>,
    /// Whom it belongs to: `user`, `user:group`, or ids. Default: root, or what a package gave it.
    pub owner: Option<Spanned<Owner>>,
    /// Whether everything below it belongs to the owner too. Default: false.
    pub recursive: Option<bool>,
}

read_table!(DirectoryEntry { mode = "mode", owner = "owner", recursive = "recursive" });
