//! `[publish]`.

use schemars::JsonSchema;

use crate::manifest::read::read_table;
use crate::manifest::spanned::Spanned;
use crate::manifest::{TagTemplate, WorkspacePath};

/// How images are published, and whose signatures are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Publish {
    /// The tags that `plywood push` moves: `{date}` is that of the lock, `{commit}` that of the workspace. Default: `latest`.
    #[schemars(length(min = 1))]
    pub tags: Option<Spanned<Vec<Spanned<TagTemplate>>>>,
    /// What `{version}` in tags stands for.
    pub version: Option<String>,
    /// PEM files of public keys (Ed25519, ECDSA on P-256): what they sign is believed.
    #[schemars(default)]
    pub keys: Vec<Spanned<WorkspacePath>>,
}

read_table!(Publish { tags = "tags", version = "version", keys = "keys" });
