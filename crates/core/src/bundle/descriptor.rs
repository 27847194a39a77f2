//! What a bundle has besides images.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::oci::to_json;

/// What a bundle has besides images: its document [`BundleDescriptor::NAME`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BundleDescriptor {
    format_version: u32,
    /// The blobs that are `.narinfo` files; the NARs that they speak of are blobs too, named by the hash of the file.
    pub nar_infos: BTreeSet<Digest>,
}

/// Why a descriptor is refused.
#[derive(Debug, thiserror::Error)]
pub enum ParseBundleError {
    /// It is no JSON of this form.
    #[error("it is no descriptor of a bundle")]
    Json(#[source] serde_json::Error),
    /// It is of another version of the format.
    #[error("it is of version {found} of the format; this plywood reads {}", BundleDescriptor::VERSION)]
    Version {
        /// Its version.
        found: u32,
    },
    /// It says the same in another way than plywood does.
    #[error("it is not as plywood writes it")]
    Form,
}

impl ParseBundleError {
    /// What might help.
    pub fn hint(&self) -> Option<String> {
        let newer = matches!(self, Self::Version { found } if *found > BundleDescriptor::VERSION);
        newer.then(|| "read it with the plywood that made it, or a newer one".to_owned())
    }
}

/// All that is read before the version is known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    format_version: u32,
}

impl BundleDescriptor {
    /// The document's name.
    pub const NAME: &str = "plywood-bundle.json";
    /// The version of the format.
    pub const VERSION: u32 = 1;
    /// The longest descriptor that is read, in bytes: that of some 200 000 store paths.
    pub const MAX_LEN: u64 = 16 << 20;

    /// A descriptor of these `.narinfo` files.
    pub fn new(nar_infos: BTreeSet<Digest>) -> Self {
        Self { format_version: Self::VERSION, nar_infos }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_json(self)
    }

    /// Parses what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ParseBundleError`]
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseBundleError> {
        let Version { format_version: found } = serde_json::from_slice(bytes).map_err(ParseBundleError::Json)?;
        if found != Self::VERSION {
            return Err(ParseBundleError::Version { found });
        }
        let descriptor: Self = serde_json::from_slice(bytes).map_err(ParseBundleError::Json)?;
        if descriptor.to_bytes() == bytes { Ok(descriptor) } else { Err(ParseBundleError::Form) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_descriptor_is_read_as_it_is_written() {
        let one = BundleDescriptor::new([Digest::of(b"a"), Digest::of(b"b")].into());
        assert_eq!(BundleDescriptor::parse(&one.to_bytes()).unwrap(), one);
        let fault = |text: &str| BundleDescriptor::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(fault(r#"{"formatVersion":2,"more":[]}"#), "it is of version 2 of the format; this plywood reads 1");
        assert_eq!(fault(r#"{"formatVersion":1, "narInfos":[]}"#), "it is not as plywood writes it");
        assert_eq!(fault(r#"{"formatVersion":1,"narInfos":[],"more":1}"#), "it is no descriptor of a bundle");
        assert_eq!(fault("[]"), "it is no descriptor of a bundle");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = BundleDescriptor::parse(&bytes);
        }
    }
}
