//! What a container is to be like, as an engine's options.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::str::FromStr;

use camino::Utf8PathBuf;
use plywood_core::platform::Platform;

/// What a container is to be like. Containers are always removed when they end, and no image is ever pulled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerOptions {
    /// The image, by id or name.
    pub image: String,
    /// Its platform, where that is not the machine's.
    pub platform: Option<Platform>,
    /// The command in place of the image's; with `bare`, the program to run and its arguments.
    pub command: Vec<String>,
    /// Whether the image's entry point is left out.
    pub bare: bool,
    /// The user, by name or id, in place of the image's.
    pub user: Option<String>,
    /// Variables besides the image's.
    pub env: BTreeMap<String, String>,
    /// Folders of the machine that it sees.
    pub mounts: Vec<Mount>,
    /// The working directory in place of the image's.
    pub workdir: Option<String>,
    /// Ports of the container that some free port of the machine's loopback address leads to.
    pub ports: Vec<u16>,
}

/// A folder of the machine that a container sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The folder on the machine.
    pub host: Utf8PathBuf,
    /// Where the container sees it.
    pub container: Utf8PathBuf,
}

/// The text names no mount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseMountError {
    /// The folder's name is empty.
    #[error("a mount is `DIR` or `DIR:PLACE`")]
    Empty,
    /// The place in the container is relative.
    #[error("the place in the container, `{0}`, does not start with `/`")]
    Relative(String),
    /// Engines cannot read such a path.
    #[error("`{0}` has a comma, which engines cannot read in a mount")]
    Comma(String),
}

impl Mount {
    /// Where folders go unless another place is named.
    pub const PLACE: &str = "/workspace";
}

impl FromStr for Mount {
    type Err = ParseMountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, container) = text.split_once(':').unwrap_or((text, Mount::PLACE));
        if host.is_empty() {
            return Err(ParseMountError::Empty);
        }
        if !container.starts_with('/') {
            return Err(ParseMountError::Relative(container.to_owned()));
        }
        if text.contains(',') {
            return Err(ParseMountError::Comma(text.to_owned()));
        }
        Ok(Self { host: host.into(), container: container.into() })
    }
}

impl ContainerOptions {
    /// The arguments after `podman run` or `docker run`.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<String> = vec!["--rm".into(), "--pull=never".into()];
        words.extend(self.platform.map(|platform| format!("--platform={platform}")));
        words.extend(self.user.as_ref().map(|user| format!("--user={user}")));
        words.extend(self.workdir.as_ref().map(|workdir| format!("--workdir={workdir}")));
        words.extend(self.env.iter().map(|(name, value)| format!("--env={name}={value}")));
        let mount = |mount: &Mount| format!("--mount=type=bind,source={},target={}", mount.host, mount.container);
        words.extend(self.mounts.iter().map(mount));
        words.extend(self.ports.iter().map(|port| format!("--publish=127.0.0.1::{port}")));
        let mut command = self.command.iter();
        if self.bare {
            words.push(format!("--entrypoint={}", command.next().map(String::as_str).unwrap_or_default()));
        }
        words.push(self.image.clone());
        words.extend(command.cloned());
        words.into_iter().map(OsString::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_have_a_place() {
        let mount = |host: &str, container: &str| Ok(Mount { host: host.into(), container: container.into() });
        for (text, expect) in [
            (".", mount(".", "/workspace")),
            ("src:/src", mount("src", "/src")),
            ("", Err(ParseMountError::Empty)),
            (":/x", Err(ParseMountError::Empty)),
            ("src:x", Err(ParseMountError::Relative("x".to_owned()))),
            ("a,b", Err(ParseMountError::Comma("a,b".to_owned()))),
        ] {
            assert_eq!(text.parse(), expect, "{text}");
        }
    }

    #[test]
    fn a_bare_command_takes_the_entry_points_place() {
        let options = ContainerOptions {
            image: "base".to_owned(),
            command: ["nix", "--version"].map(str::to_owned).into(),
            bare: true,
            user: Some("1001:1001".to_owned()),
            ..ContainerOptions::default()
        };
        let expect = ["--rm", "--pull=never", "--user=1001:1001", "--entrypoint=nix", "base", "--version"];
        assert_eq!(options.arguments(), expect.map(OsString::from));
    }
}
