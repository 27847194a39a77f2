//! The platforms images are made for.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An operating system and architecture, written as OCI does: `linux/amd64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Platform {
    /// x86-64; Debian's `amd64`, Nix's `x86_64-linux`.
    #[serde(rename = "linux/amd64")]
    LinuxAmd64,
    /// 64-bit ARM; Debian's `arm64`, Nix's `aarch64-linux`.
    #[serde(rename = "linux/arm64")]
    LinuxArm64,
}

/// The text names no platform that plywood makes images for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no platform plywood knows; there are `linux/amd64` and `linux/arm64`")]
pub struct ParsePlatformError(String);

impl Platform {
    /// Every platform, in the order of their names.
    pub const ALL: [Platform; 2] = [Platform::LinuxAmd64, Platform::LinuxArm64];

    /// OCI's and Debian's name of the architecture; they agree on both.
    pub const fn architecture(self) -> &'static str {
        match self {
            Platform::LinuxAmd64 => "amd64",
            Platform::LinuxArm64 => "arm64",
        }
    }

    /// Debian's multiarch triplet, as in `/usr/lib/x86_64-linux-gnu`.
    pub const fn multiarch(self) -> &'static str {
        match self {
            Platform::LinuxAmd64 => "x86_64-linux-gnu",
            Platform::LinuxArm64 => "aarch64-linux-gnu",
        }
    }

    /// The OCI variant, `v8` for 64-bit ARM.
    pub const fn variant(self) -> Option<&'static str> {
        match self {
            Platform::LinuxAmd64 => None,
            Platform::LinuxArm64 => Some("v8"),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.architecture())
    }
}

impl FromStr for Platform {
    type Err = ParsePlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "linux/amd64" => Ok(Platform::LinuxAmd64),
            "linux/arm64" | "linux/arm64/v8" => Ok(Platform::LinuxArm64),
            _ => Err(ParsePlatformError(text.to_owned())),
        }
    }
}
