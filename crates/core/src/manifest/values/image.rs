//! Values of the image's configuration and of how it is packed.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use toml::Spanned;
use toml::de::DeValue;

use super::{ParseValueError, serialize_as_text, text_schema, text_value};
use crate::manifest::read::{self, FromToml, Problems};

/// How layers are compressed, written `zstd`, `zstd:19`, `gzip` or `gzip:9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Zstandard; Docker reads it since version 23.
    Zstd {
        /// 1 (fast) to 22 (small).
        level: u8,
    },
    /// gzip, which every engine reads.
    Gzip {
        /// 1 (fast) to 9 (small).
        level: u8,
    },
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd { level: 3 }
    }
}

impl FromStr for Compression {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rule| ParseValueError::new(text, "a compression", rule);
        let (codec, level) = text.split_once(':').map_or((text, None), |(codec, level)| (codec, Some(level)));
        let level = level.map(|level| level.parse::<u8>().ok().filter(|_| !level.starts_with(['0', '+'])).unwrap_or(0));
        match (codec, level) {
            ("zstd", None) => Ok(Self::Zstd { level: 3 }),
            ("zstd", Some(level @ 1..=22)) => Ok(Self::Zstd { level }),
            ("zstd", _) => Err(wrong("zstd has the levels 1 to 22")),
            ("gzip", None) => Ok(Self::Gzip { level: 6 }),
            ("gzip", Some(level @ 1..=9)) => Ok(Self::Gzip { level }),
            ("gzip", _) => Err(wrong("gzip has the levels 1 to 9")),
            _ => Err(wrong("there are `zstd` and `gzip`, with a level after a colon if need be")),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Compression::Zstd { level } => write!(f, "zstd:{level}"),
            Compression::Gzip { level } => write!(f, "gzip:{level}"),
        }
    }
}

/// The most layers that an image may have, those of its `from` chain included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct LayerBudget(u8);

impl LayerBudget {
    /// What engines' file system drivers surely take (overlayfs and Docker stop at 127 or 128).
    pub const MAX: LayerBudget = LayerBudget(120);

    /// The budget of this many layers; `None` unless it is 1 to [`Self::MAX`].
    pub fn new(layers: u8) -> Option<Self> {
        (1..=Self::MAX.0).contains(&layers).then_some(Self(layers))
    }

    /// The number of layers.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for LayerBudget {
    fn default() -> Self {
        Self(64)
    }
}

impl FromToml for LayerBudget {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let layers = read::integer_in(value, 1..=Self::MAX.0.into(), problems)?;
        u8::try_from(layers).ok().and_then(Self::new)
    }
}

impl JsonSchema for LayerBudget {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LayerBudget".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX.0 })
    }
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port that the image serves, written `8080`, `"8080/tcp"` or `"53/udp"` (OCI image-spec, config, `ExposedPorts`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// Its number.
    pub number: NonZeroU16,
    /// Its protocol, TCP when none is written.
    pub protocol: Protocol,
}

impl FromStr for Port {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rule| ParseValueError::new(text, "a port", rule);
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return Err(wrong("its protocol is `tcp` or `udp`")),
        };
        let number = number.parse().ok().filter(|_| !number.starts_with(['0', '+']));
        Ok(Self { number: number.ok_or_else(|| wrong("its number is between 1 and 65535"))?, protocol })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        write!(f, "{}/{protocol}", self.number)
    }
}

impl FromToml for Port {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => read::parse_text(value, problems),
            _ => {
                let number = read::integer_in(value, 1..=u16::MAX.into(), problems)?;
                let number = u16::try_from(number).ok().and_then(NonZeroU16::new)?;
                Some(Self { number, protocol: Protocol::Tcp })
            }
        }
    }
}

impl JsonSchema for Port {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Port".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": 65535 },
                { "type": "string", "pattern": "^[1-9][0-9]{0,4}(/(tcp|udp))?$" },
            ],
            "examples": [8080, "53/udp"],
        })
    }
}

const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

text_value! {
    /// A signal by its name, `SIGTERM`, or from `SIGRTMIN+0` to `SIGRTMIN+30` (signal(7)).
    Signal,
    kind: "a signal",
    pattern: r"^SIG([A-Z]+[0-9]?|RTMIN(\+[0-9]+)?)$",
    examples: ["SIGTERM", "SIGQUIT"],
    check: |text| {
        let name = text.strip_prefix("SIG").ok_or("it is written with `SIG`, as in \"SIGTERM\"")?;
        let realtime = |offset: &str| offset.parse::<u8>().is_ok_and(|offset| offset <= 30) && !offset.starts_with('+');
        match SIGNALS.contains(&name) || name == "RTMIN" || name.strip_prefix("RTMIN+").is_some_and(realtime) {
            true => Ok(()),
            false => Err("signal(7) has no such name"),
        }
    }
}

serialize_as_text!(Compression, Port);
text_schema!(Compression, pattern: r"^(zstd(:([1-9]|1[0-9]|2[0-2]))?|gzip(:[1-9])?)$", examples: ["zstd", "gzip:9"]);
