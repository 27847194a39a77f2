//! `[debian]`, for all images, and `[images.NAME.debian]`, for one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use toml::de::DeValue;

use crate::manifest::read::{FromToml, Problems, TableReader, read_table, wrong_type};
use crate::manifest::spanned::Spanned;
use crate::manifest::{
    Component, EnvName, HttpUrl, PackagePattern, PathPattern, Problem, RepositoryName, RepositorySuite, SnapshotTime,
    Suite, WorkspacePath,
};

/// The Debian archive that packages come from. In an image, each key here takes the place of the workspace's.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Debian {
    /// The suite or codename.
    pub suite: Option<Suite>,
    /// The components of the archive that packages may come from. Default: `["main"]`.
    #[schemars(length(min = 1))]
    pub components: Option<Spanned<Vec<Component>>>,
    /// Whether `<suite>-updates` is used. Default: true, but for unstable and experimental.
    pub updates: Option<bool>,
    /// Whether `<suite>-security` is used. Default: true, but for unstable and experimental.
    pub security: Option<bool>,
    /// Take the archive as it was at this instant, from the snapshot archive.
    pub snapshot: Option<SnapshotTime>,
    /// Mirrors of the archive, tried in order. Default: the machine's own where it runs Debian, else Debian's.
    pub mirrors: Option<Vec<HttpUrl>>,
    /// Mirrors of the security archive, tried in order. Default: as for `mirrors`.
    pub security_mirrors: Option<Vec<HttpUrl>>,
    /// The OpenPGP keys that sign the archive, where it is not Debian's own: a file of the workspace. Default: Debian's
    /// keys, or on a base of another distribution those that the base itself has.
    pub key: Option<Spanned<WorkspacePath>>,
    /// Leave documentation, manual pages and translations out of the images. Default: false.
    pub slim: Option<Slim>,
    /// Whether recommended packages are installed too. Default: false.
    pub recommends: Option<bool>,
    /// Repositories besides Debian's own, by a name of your choice.
    #[schemars(default)]
    pub repositories: BTreeMap<Spanned<RepositoryName>, Repository>,
}

read_table!(Debian {
    suite = "suite",
    components = "components",
    updates = "updates",
    security = "security",
    snapshot = "snapshot",
    mirrors = "mirrors",
    security_mirrors = "security-mirrors",
    key = "key",
    slim = "slim",
    recommends = "recommends",
    repositories = "repositories",
});

/// `debian` of an image: changes to the workspace's table, or `false` for an image without any Debian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebianSetting {
    /// None: the image is its store paths and what the manifest places.
    Off,
    /// From here.
    On(Box<Debian>),
}

impl DebianSetting {
    /// The table, where there is one.
    pub fn table(&self) -> Option<&Debian> {
        match self {
            DebianSetting::Off => None,
            DebianSetting::On(table) => Some(table),
        }
    }
}

impl FromToml for DebianSetting {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(false) => Some(Self::Off),
            DeValue::Table(_) => Debian::from_toml(value, problems).map(|table| Self::On(Box::new(table))),
            _ => wrong_type(value, "a table or false", problems),
        }
    }
}

impl JsonSchema for DebianSetting {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DebianSetting".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<Debian>();
        schemars::json_schema!({ "anyOf": [table, { "const": false }] })
    }
}

/// A repository besides Debian's own. Only the packages it is allowed to bring are taken from it.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Repository {
    /// Its address: the folder that has `dists`.
    pub url: HttpUrl,
    /// Its suite; a path that ends in `/` for a flat repository. Default: that of Debian.
    pub suite: Option<RepositorySuite>,
    /// Its components; a flat repository has none. Default: `["main"]`.
    #[schemars(length(min = 1))]
    pub components: Option<Spanned<Vec<Component>>>,
    /// The OpenPGP key that signs it: a file of the workspace, armored or binary.
    pub key: Spanned<WorkspacePath>,
    /// The packages that may come from it; `*` stands for any characters.
    #[schemars(length(min = 1))]
    pub packages: Spanned<Vec<PackagePattern>>,
    /// Where the credentials are, for a repository that asks for some.
    pub auth: Option<Auth>,
}

read_table!(Repository {
    url = "url",
    suite = "suite",
    components = "components",
    key = "key",
    packages = "packages",
    auth = "auth",
});

/// Environment variables that hold a repository's credentials; the credentials themselves are never written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub enum Auth {
    /// A user name and a password (HTTP Basic).
    Basic {
        /// The variable with the user name.
        username_env: EnvName,
        /// The variable with the password.
        password_env: EnvName,
    },
    /// A token (HTTP Bearer).
    Bearer {
        /// The variable with the token.
        token_env: EnvName,
    },
}

impl FromToml for Auth {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let mut table = TableReader::open(value, problems)?;
        let username: Option<EnvName> = table.read::<Option<_>>("username-env")?;
        let password: Option<EnvName> = table.read::<Option<_>>("password-env")?;
        let token: Option<EnvName> = table.read::<Option<_>>("token-env")?;
        table.finish(&[]);
        let problem = match (username, password, token) {
            (Some(username_env), Some(password_env), None) => return Some(Auth::Basic { username_env, password_env }),
            (None, None, Some(token_env)) => return Some(Auth::Bearer { token_env }),
            (Some(_), _, Some(_)) => Problem::Exclusive("username-env", "token-env"),
            (_, Some(_), Some(_)) => Problem::Exclusive("password-env", "token-env"),
            (Some(_), None, None) => Problem::Needs { key: "username-env", needs: "password-env" },
            (None, Some(_), None) => Problem::Needs { key: "password-env", needs: "username-env" },
            (None, None, None) => Problem::Missing("token-env".to_owned()),
        };
        problems.add(value.span(), problem);
        None
    }
}

/// Whether and how images are slimmed: `true`, or a table with patterns of your own.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Slim {
    /// Plywood's own list of documentation, manual pages and translations, or nothing.
    Switch(bool),
    /// Plywood's list with these changes.
    Rules(SlimRules),
}

/// Changes to what `slim = true` leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SlimRules {
    /// Paths to leave out as well.
    #[schemars(default)]
    pub exclude: Vec<PathPattern>,
    /// Paths to keep, whatever leaves them out. Copyright files are always kept.
    #[schemars(default)]
    pub keep: Vec<PathPattern>,
}

read_table!(SlimRules { exclude = "exclude", keep = "keep" });

impl FromToml for Slim {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(switch) => Some(Slim::Switch(*switch)),
            DeValue::Table(_) => SlimRules::from_toml(value, problems).map(Slim::Rules),
            _ => wrong_type(value, "true, false or a table", problems),
        }
    }
}
