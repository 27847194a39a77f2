//! An image outside of the workspace as the start of a chain.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{DEFAULT_PATH, DebianSource, ResolvedImage, ResolvedNix, debian};
use crate::manifest::document::Document;
use crate::manifest::model::{DebianSetting, Image};
use crate::manifest::{BaseReference, EnvName, HttpUrl, ImageName, ParseValueError, Platform, Suite};
use crate::oci::RuntimeConfig;
use crate::tree::TreePath;

/// The image outside of the workspace that a chain starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedBase {
    /// Which.
    pub reference: BaseReference,
    /// How its containers run, without what the chain has replaced; empty until it is known.
    pub config: RuntimeConfig,
    /// The suite that the manifest names for it; the base's own when `None`.
    pub suite: Option<Suite>,
    /// Where packages come from if it is Debian: its own table over the workspace's. The suite is none while the
    /// base's is not known.
    pub of_debian: DebianSource,
    /// Where packages come from if it is anything else: its own table alone.
    pub of_other: DebianSource,
}

/// What is known of a base once it is locked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BaseFacts {
    /// How its containers run.
    pub config: RuntimeConfig,
    /// What system it is; `None` when that was not looked for.
    pub distribution: Option<Distribution>,
    /// Where that system's archive is when the manifest does not say, and where its security archive is.
    pub mirrors: Option<(Vec<HttpUrl>, Vec<HttpUrl>)>,
}

/// A distribution of Linux as os-release(5) names it: `debian trixie`, `ubuntu noble`, `alpine`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distribution {
    /// `ID`.
    pub id: String,
    /// `VERSION_CODENAME`.
    pub codename: Option<Suite>,
}

impl Distribution {
    /// Whether it is Debian itself.
    pub fn is_debian(&self) -> bool {
        self.id == "debian"
    }
}

impl FromStr for Distribution {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseValueError::new(text, "a distribution", "it reads `id codename`, see os-release(5)");
        let (id, codename) = text.split_once(' ').map_or((text, None), |(id, codename)| (id, Some(codename)));
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        if id.is_empty() || id.len() > 64 || !id.bytes().all(allowed) {
            return Err(wrong());
        }
        let codename = codename.map(str::parse).transpose().map_err(|_| wrong())?;
        Ok(Self { id: id.to_owned(), codename })
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.codename.iter().try_for_each(|codename| write!(f, " {codename}"))
    }
}

/// What stands for a suite that is not known yet; no archive has it.
const UNKNOWN_SUITE: &str = "suite-of-the-base";

/// The base as an image that another one is built on, so that one set of rules merges all chains. It has the name of
/// the image at the start of the chain, which no one sees.
pub(super) fn as_parent(
    document: &Document,
    name: &ImageName,
    image: &Image,
    reference: BaseReference,
    facts: Option<&BaseFacts>,
    platforms: Vec<Platform>,
) -> Option<ResolvedImage> {
    let unknown: Suite = UNKNOWN_SUITE.parse().ok()?;
    let own = image.debian.as_deref().and_then(DebianSetting::table);
    let suite = own.and_then(|table| table.suite.clone());
    let source = |workspace| debian::source_of(own, workspace, suite.clone().unwrap_or_else(|| unknown.clone()));
    let base = ResolvedBase {
        reference,
        config: facts.map(|facts| facts.config.clone()).unwrap_or_default(),
        of_debian: source(document.debian.as_ref()),
        of_other: source(None),
        suite,
    };
    let recommends = |table: &crate::manifest::model::Debian| table.recommends;
    let config = &base.config;
    let listed = |words: &Option<Vec<String>>| words.clone().filter(|words| !words.is_empty());
    Some(ResolvedImage {
        name: name.clone(),
        parents: Vec::new(),
        description: None,
        platforms,
        debian: facts.and_then(|facts| base.source(facts)),
        recommends: own.and_then(recommends).or(document.debian.as_ref().and_then(recommends)).unwrap_or(false),
        packages: Vec::new(),
        scripts: BTreeMap::new(),
        nix: ResolvedNix::default(),
        user: None,
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        placements: BTreeMap::new(),
        env: env(&config.env),
        // A base's labels, and what else the manifest cannot say, are merged when the configuration is written.
        labels: BTreeMap::new(),
        ports: config.exposed_ports.iter().filter_map(|port| port.parse().ok()).collect(),
        volumes: config.volumes.iter().filter_map(|path| TreePath::parse(path).ok()).collect(),
        workdir: TreePath::parse(&config.working_dir).unwrap_or(TreePath::ROOT),
        entrypoint: listed(&config.entrypoint),
        cmd: listed(&config.cmd),
        healthcheck: None,
        stop_signal: None,
        compression: Default::default(),
        layers: Default::default(),
        size_limit: None,
        tests: Vec::new(),
        certificates: Vec::new(),
        base: Some(base),
    })
}

impl ResolvedBase {
    /// Where packages on it come from; `None` when its system or that one's suite is not known.
    fn source(&self, facts: &BaseFacts) -> Option<DebianSource> {
        let distribution = facts.distribution.as_ref()?;
        let suite = self.suite.clone().or_else(|| distribution.codename.clone())?;
        let is_debian = distribution.is_debian();
        let mut source = if is_debian { self.of_debian.clone() } else { self.of_other.clone() };
        source.distribution = (!is_debian).then(|| distribution.id.clone());
        if let (None, Some((mirrors, security)), false) = (&source.mirrors, &facts.mirrors, is_debian) {
            source.mirrors = Some(mirrors.clone());
            source.security_mirrors = source.security_mirrors.or_else(|| Some(security.clone()));
        }
        Some(source.with_suite(suite))
    }
}

/// The variables whose names the manifest could have; the last of a name holds, as in engines.
fn env(entries: &[String]) -> BTreeMap<EnvName, String> {
    let variable = |entry: &String| {
        let (name, value) = entry.split_once('=')?;
        Some((name.parse().ok()?, value.to_owned()))
    };
    let mut env: BTreeMap<EnvName, String> = entries.iter().filter_map(variable).collect();
    if let Ok(path) = "PATH".parse() {
        env.entry(path).or_insert_with(|| DEFAULT_PATH.to_owned());
    }
    env
}
