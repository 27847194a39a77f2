//! `[workspace]`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest::read::read_table;
use crate::manifest::spanned::Spanned;
use crate::manifest::{HttpUrl, RegistryPrefix, WorkspaceName, WorkspacePath};
use crate::platform::Platform;

/// The workspace as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workspace {
    /// Its name, for messages and reports.
    pub name: WorkspaceName,
    /// The registry and path below which images are pushed: image `base` goes to `<registry>/base`.
    pub registry: Option<RegistryPrefix>,
    /// Where the sources are; becomes the label `org.opencontainers.image.source`.
    pub source: Option<HttpUrl>,
    /// The platforms that images are made for, when an image names none itself. Default: both.
    #[schemars(length(min = 1))]
    pub platforms: Option<Spanned<Vec<Spanned<Platform>>>>,
    /// PEM files of further certificate authorities, added to every trust store of every image.
    #[schemars(default)]
    pub certificates: Vec<Spanned<WorkspacePath>>,
}

read_table!(Workspace {
    name = "name",
    registry = "registry",
    source = "source",
    platforms = "platforms",
    certificates = "certificates",
});
