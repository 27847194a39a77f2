//! `[images.NAME]`.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use toml::de::DeValue;

use super::check::Command;
use super::{Check, DebianSetting, DirectoryEntry, EnvValue, FileEntry, Group, ImageNix, User};
use crate::manifest::read::{FromToml, Problems, integer_value, read_table, string, wrong_type};
use crate::manifest::spanned::Spanned;
use crate::manifest::validate;
use crate::manifest::{
    ByteSize, Compression, EnvName, GroupName, LabelKey, LayerBudget, PackageName, PackageRequest, ParseValueError,
    Platform, Port, Problem, Seconds, SetName, ShellName, Signal, SymlinkTarget,
};
use crate::tree::TreePath;

/// An image: what is in it and how it runs.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Image {
    /// One line about it; becomes the label `org.opencontainers.image.description`.
    pub description: Option<String>,
    /// The image that it is built on: it inherits everything but `description`, `size-limit` and `tests`. One of this
    /// workspace by its name, one of a registry (`ghcr.io/example/base:24.04`), or one in a layout (`oci:path`).
    pub from: Option<Spanned<String>>,
    /// The platforms it is made for. Default: its parent's, or those of the workspace.
    #[schemars(length(min = 1))]
    pub platforms: Option<Spanned<Vec<Spanned<Platform>>>>,
    /// Where its Debian packages come from, where that differs from `[debian]`; `false` for an image without any Debian. Only
    /// without `from`.
    pub debian: Option<Spanned<DebianSetting>>,
    /// The Debian packages to install, besides those of its parent: `name`, or `name=version`.
    #[schemars(default)]
    pub packages: Vec<Spanned<PackageRequest>>,
    /// The sets whose packages from Nix it has, besides those of its parent.
    #[schemars(default)]
    pub sets: Vec<Spanned<SetName>>,
    /// The shell that it has, active in everything that runs in it. Takes the place of a parent's.
    pub shell: Option<Spanned<ShellName>>,
    /// How it has what comes from Nix.
    pub nix: Option<Spanned<ImageNix>>,
    /// Whether packages that these recommend are installed too. Default: the parent's, or that of `[debian]`.
    pub recommends: Option<Spanned<bool>>,
    /// What to do with the maintainer scripts of packages that plywood cannot replay.
    #[schemars(default)]
    pub scripts: BTreeMap<Spanned<PackageName>, ScriptPolicy>,
    /// The user that it runs as. Takes the place of a parent's user with the same id. Default: the parent's, or root.
    pub user: Option<Spanned<User>>,
    /// Groups besides those of the packages.
    #[schemars(default)]
    pub groups: BTreeMap<Spanned<GroupName>, Group>,
    /// Files and folders, by their path in the image.
    #[schemars(default)]
    pub files: BTreeMap<Spanned<TreePath>, FileEntry>,
    /// Directories, by their path: made where they are missing, changed where they are there.
    #[schemars(default)]
    pub directories: BTreeMap<Spanned<TreePath>, DirectoryEntry>,
    /// Symlinks, by their path, and where they point.
    #[schemars(default)]
    pub symlinks: BTreeMap<Spanned<TreePath>, SymlinkTarget>,
    /// Environment variables, merged with those of the parent.
    #[schemars(default)]
    pub env: BTreeMap<Spanned<EnvName>, EnvValue>,
    /// Labels of the image, merged with those of the parent.
    #[schemars(default)]
    pub labels: BTreeMap<Spanned<LabelKey>, String>,
    /// Ports that it serves, besides those of the parent.
    #[schemars(default)]
    pub ports: Vec<Spanned<Port>>,
    /// Directories that hold data of their own, besides those of the parent.
    #[schemars(default)]
    pub volumes: Vec<Spanned<TreePath>>,
    /// The working directory, which is created where it is missing. Default: the parent's, or `/`.
    pub workdir: Option<TreePath>,
    /// The program that always runs; setting it drops the parent's `cmd`.
    #[schemars(length(min = 1))]
    pub entrypoint: Option<Spanned<Vec<String>>>,
    /// The default command, or the arguments of the entrypoint.
    pub cmd: Option<Spanned<Vec<String>>>,
    /// How engines find out whether a container works; `false` drops the parent's.
    pub healthcheck: Option<HealthcheckSetting>,
    /// The signal that stops a container. Default: the parent's, or the engine's `SIGTERM`.
    pub stop_signal: Option<Signal>,
    /// How its layers are compressed: `zstd`, `gzip`, with a level after a colon. Default: the parent's, or `zstd:3`.
    pub compression: Option<Compression>,
    /// The most layers it may have, its parents' included. Default: the parent's, or 64.
    pub layers: Option<LayerBudget>,
    /// The most bytes its compressed layers may have on each platform; a build above that fails.
    pub size_limit: Option<ByteSize>,
    /// What must hold in a container of it, shown by `plywood test`.
    #[schemars(default)]
    pub tests: Vec<Spanned<Check>>,
}

/// Keys of images in later versions of plywood.
pub(in crate::manifest) const RESERVED: [&str; 11] =
    ["app", "apps", "devcontainer", "features", "nodejs", "npm", "policy", "publish", "python", "templates", "wheels"];

read_table!(Image {
    description = "description",
    from = "from",
    platforms = "platforms",
    debian = "debian",
    packages = "packages",
    sets = "sets",
    shell = "shell",
    nix = "nix",
    recommends = "recommends",
    scripts = "scripts",
    user = "user",
    groups = "groups",
    files = "files",
    directories = "directories",
    symlinks = "symlinks",
    env = "env",
    labels = "labels",
    ports = "ports",
    volumes = "volumes",
    workdir = "workdir",
    entrypoint = "entrypoint",
    cmd = "cmd",
    healthcheck = "healthcheck",
    stop_signal = "stop-signal",
    compression = "compression",
    layers = "layers",
    size_limit = "size-limit",
    tests = "tests",
} then check reserved RESERVED);

impl Image {
    /// The rules between the keys of one image that need nothing else.
    fn check(&self, _: Range<usize>, problems: &mut Problems) {
        validate::no_duplicates(&self.packages, |package| package.name.to_string(), problems);
        validate::no_duplicates(&self.sets, ToString::to_string, problems);
        validate::no_duplicates(&self.ports, Port::to_string, problems);
        validate::no_duplicates(&self.volumes, TreePath::to_string, problems);
        if let Some(platforms) = &self.platforms {
            validate::platforms(platforms, problems);
        }
        if let Some(entrypoint) = &self.entrypoint
            && entrypoint.is_empty()
        {
            problems.add(entrypoint.span.clone(), Problem::Empty("entrypoint"));
        }
    }
}

/// What to do with a package's maintainer scripts that plywood cannot replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptPolicy {
    /// Run them, in a container of their own; their hash is locked.
    Run,
    /// Leave them out: the image is right without what they do.
    Skip,
}

impl ScriptPolicy {
    /// The word in manifest and lock.
    pub const fn as_str(self) -> &'static str {
        match self {
            ScriptPolicy::Run => "run",
            ScriptPolicy::Skip => "skip",
        }
    }
}

impl FromToml for ScriptPolicy {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match string(value, problems)? {
            "run" => Some(Self::Run),
            "skip" => Some(Self::Skip),
            text => {
                problems.add(
                    value.span(),
                    ParseValueError::new(text, "what to do with scripts", "there are `run` and `skip`"),
                );
                None
            }
        }
    }
}

/// A health check of the image's configuration (Docker image specification v1.2; podman and Docker heed it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct Healthcheck {
    /// The command that exits with 0 when the container works.
    pub command: Command,
    /// Time between two checks. Default: the engine's, 30 seconds.
    pub interval: Option<Seconds>,
    /// How long one check may take. Default: the engine's, 30 seconds.
    pub timeout: Option<Seconds>,
    /// How long the container may take to start. Default: the engine's, none.
    pub start_period: Option<Seconds>,
    /// Time between two checks during the start. Default: the engine's, 5 seconds.
    pub start_interval: Option<Seconds>,
    /// How many checks in a row must fail. Default: the engine's, 3.
    pub retries: Option<Retries>,
}

read_table!(Healthcheck {
    command = "command",
    interval = "interval",
    timeout = "timeout",
    start_period = "start-period",
    start_interval = "start-interval",
    retries = "retries",
});

integer_value! {
    /// A number of health checks.
    Retries(u8), 1..=100;
}

/// A health check, or `false` for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthcheckSetting {
    /// None, whatever the parent has.
    Off,
    /// This one.
    On(Healthcheck),
}

impl FromToml for HealthcheckSetting {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(false) => Some(Self::Off),
            DeValue::Table(_) => Healthcheck::from_toml(value, problems).map(Self::On),
            _ => wrong_type(value, "a table or false", problems),
        }
    }
}

impl JsonSchema for HealthcheckSetting {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HealthcheckSetting".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Healthcheck>();
        schemars::json_schema!({ "anyOf": [table, { "const": false }] })
    }
}
