//! `[nix]`, `[sets.NAME]`, `[shells.NAME]` and `[images.NAME.nix]`.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;

use crate::manifest::read::{Problems, integer_value, read_table};
use crate::manifest::spanned::Spanned;
use crate::manifest::{
    EnvName, FlakePath, NixExpression, PackageAttribute, Problem, SetName, SubstituterKey, SubstituterUrl,
};

/// Where store paths come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Nix {
    /// The folder with `flake.nix` and `flake.lock`, relative to `plywood.toml`. Default: `.`.
    pub flake: Option<Spanned<FlakePath>>,
    /// Binary caches that store paths are had from, tried in order. Default: Nix's public cache.
    pub substituters: Option<Vec<Spanned<SubstituterUrl>>>,
    /// The keys of those who may sign store paths. Default: that of Nix's public cache.
    pub trusted_public_keys: Option<Vec<Spanned<SubstituterKey>>>,
    /// The binary cache that `plywood cache push` copies to.
    pub cache: Option<SubstituterUrl>,
    /// Whether the machine's own `/nix/store` is a source of store paths. Default: true.
    pub local_store: Option<bool>,
}

read_table!(Nix {
    flake = "flake",
    substituters = "substituters",
    trusted_public_keys = "trusted-public-keys",
    cache = "cache",
    local_store = "local-store",
});

/// A set of packages, which images and shells have by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Set {
    /// Packages by attribute: of nixpkgs, or `input#attribute` of another input of the flake.
    #[schemars(default)]
    pub packages: Vec<Spanned<PackageAttribute>>,
    /// A function from nixpkgs to a list of packages, for what attributes cannot say.
    pub expression: Option<Spanned<NixExpression>>,
    /// Other sets that are in this one.
    #[schemars(default)]
    pub sets: Vec<Spanned<SetName>>,
    /// Whose file wins where packages collide: the lowest. Default: each package's own, mostly 5.
    pub priority: Option<Priority>,
}

read_table!(Set {
    packages = "packages",
    expression = "expression",
    sets = "sets",
    priority = "priority",
} then check);

impl Set {
    fn check(&self, _: Range<usize>, problems: &mut Problems) {
        lists(&self.packages, &self.sets, problems);
    }
}

/// A development shell: what `nix develop` gives, and what images have that name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Shell {
    /// The sets whose packages are in it.
    #[schemars(default)]
    pub sets: Vec<Spanned<SetName>>,
    /// Further packages by attribute.
    #[schemars(default)]
    pub packages: Vec<Spanned<PackageAttribute>>,
    /// A function from nixpkgs to a list of packages, for what attributes cannot say.
    pub expression: Option<Spanned<NixExpression>>,
    /// What interactive bash and zsh run when they start in it.
    pub hook: Option<String>,
    /// Variables that are exported in it.
    #[schemars(default)]
    pub env: BTreeMap<Spanned<EnvName>, String>,
}

read_table!(Shell {
    sets = "sets",
    packages = "packages",
    expression = "expression",
    hook = "hook",
    env = "env",
} then check);

impl Shell {
    fn check(&self, _: Range<usize>, problems: &mut Problems) {
        lists(&self.packages, &self.sets, problems);
        if let Some(name) = self.env.keys().find(|name| name.as_str() == "PATH") {
            problems.add(name.span.clone(), Problem::ShellPath);
        }
    }
}

fn lists(packages: &[Spanned<PackageAttribute>], sets: &[Spanned<SetName>], problems: &mut Problems) {
    crate::manifest::validate::no_duplicates(packages, ToString::to_string, problems);
    crate::manifest::validate::no_duplicates(sets, ToString::to_string, problems);
}

integer_value! {
    /// The priority of packages in a collision, as `meta.priority` of nixpkgs: the lowest wins.
    Priority(i32), -1_000_000..=1_000_000;
}

/// How an image has what comes from Nix.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageNix {
    /// Whether `/bin/sh` is there, from a package of the image. Default: the parent's, or false.
    pub sh: Option<bool>,
    /// Whether `/usr/bin/env` is there, from a package of the image. Default: the parent's, or whether it has no Debian.
    pub env: Option<bool>,
    /// Whether certificates are where programs look for them. Default: the parent's, or whether it has no Debian.
    pub certificates: Option<bool>,
    /// Whether time zones are in `/usr/share/zoneinfo`. Default: the parent's, or whether it has no Debian.
    pub time_zones: Option<bool>,
    /// Whether the dynamic loader and the C and C++ libraries are where programs made elsewhere look for them. Default: the
    /// parent's, or false.
    pub loader: Option<bool>,
    /// Whether Nix's database knows the store paths. Default: whether the image has a shell.
    pub database: Option<Spanned<bool>>,
    /// Whether `nix develop` works without a network. Default: whether the image has a shell.
    pub offline_develop: Option<Spanned<bool>>,
}

read_table!(ImageNix {
    sh = "sh",
    env = "env",
    certificates = "certificates",
    time_zones = "time-zones",
    loader = "loader",
    database = "database",
    offline_develop = "offline-develop",
});
