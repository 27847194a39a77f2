//! Where built images go.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, Serializer};

/// Where built images go, written as skopeo's transports are: `oci:DIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A folder that is an OCI image layout (image-spec, "Image Layout"), one entry of the index per image.
    OciLayout(Utf8PathBuf),
    /// The same in a tar file.
    OciArchive(Utf8PathBuf),
    /// What `docker save` writes and `docker load` reads; layers are uncompressed, one platform only.
    DockerArchive(Utf8PathBuf),
}

/// The text names no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseOutputError {
    /// The part before the colon is no kind of output.
    #[error("an output is `oci:DIR`, `oci-archive:FILE` or `docker-archive:FILE`")]
    Kind,
    /// Nothing follows the colon.
    #[error("a path is missing after `{0}:`")]
    Path(&'static str),
}

impl Output {
    /// The folder or file.
    pub fn path(&self) -> &Utf8Path {
        match self {
            Output::OciLayout(path) | Output::OciArchive(path) | Output::DockerArchive(path) => path,
        }
    }

    /// The transport's name before the colon.
    pub const fn transport(&self) -> &'static str {
        match self {
            Output::OciLayout(_) => "oci",
            Output::OciArchive(_) => "oci-archive",
            Output::DockerArchive(_) => "docker-archive",
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport(), self.path())
    }
}

impl Serialize for Output {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Output {
    type Err = ParseOutputError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, path) = text.split_once(':').ok_or(ParseOutputError::Kind)?;
        let output: fn(Utf8PathBuf) -> Output = match kind {
            "oci" => Output::OciLayout,
            "oci-archive" => Output::OciArchive,
            "docker-archive" => Output::DockerArchive,
            _ => return Err(ParseOutputError::Kind),
        };
        let output = output(Utf8PathBuf::from(path));
        if path.is_empty() { Err(ParseOutputError::Path(output.transport())) } else { Ok(output) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_as_they_are_written() {
        for text in ["oci:out", "oci-archive:a/b.tar", "docker-archive:/tmp/x:y.tar"] {
            assert_eq!(text.parse::<Output>().map(|output| output.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_output_is_refused() {
        for (text, error) in [
            ("", ParseOutputError::Kind),
            ("out", ParseOutputError::Kind),
            ("docker:out", ParseOutputError::Kind),
            ("oci:", ParseOutputError::Path("oci")),
        ] {
            assert_eq!(text.parse::<Output>(), Err(error), "{text}");
        }
    }
}
