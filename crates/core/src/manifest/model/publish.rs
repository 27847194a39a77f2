//! `[publish]`.

use schemars::JsonSchema;

use crate::manifest::WorkspacePath;
use crate::manifest::read::read_table;
use crate::manifest::spanned::Spanned;

/// How images are published, and whose signatures are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Publish {
    /// PEM files of public keys (Ed25519, ECDSA on P-256): what they sign is believed.
    #[schemars(default)]
    pub keys: Vec<Spanned<WorkspacePath>>,
}

read_table!(Publish { keys = "keys" });
