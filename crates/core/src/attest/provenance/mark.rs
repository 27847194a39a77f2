//! A mark by which a provenance that says the same is known again without being read.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Serialize;

use super::materials::keyed;
use super::{Builder, ExternalParameters, InternalParameters, Provenance};
use crate::attest::{PrivateKey, pre_authentication_encoding};
use crate::digest::Digest;
use crate::oci::to_json;

/// What is signed to make a mark, so that nothing else that the key signs can be taken for one.
const MARK: &str = "application/vnd.plywood.provenance-mark.v1+json";

/// What a provenance says of what went in, whichever commit and run that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Said<'p> {
    build_type: &'p str,
    external_parameters: &'p ExternalParameters,
    internal_parameters: &'p InternalParameters,
    materials: BTreeMap<&'p str, &'p BTreeMap<String, String>>,
    builder: &'p Builder,
}

#[derive(Serialize)]
struct Marked<'p> {
    about: Digest,
    said: Said<'p>,
}

impl Provenance {
    /// Whether it says the same of what went in, whichever commit and run that was: an image that did not change with the workspace
    /// around it need not be attested anew.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.said() == other.said()
    }

    /// A signature over the digest that it is about and what [`Provenance::says_the_same`] compares, in base64. Only the key's
    /// holder can make it, who makes the same one whenever that is the same; so whoever finds it knows what the key has
    /// said before.
    pub fn mark(&self, about: Digest, key: &PrivateKey) -> String {
        let marked = to_json(&Marked { about, said: self.said() });
        BASE64.encode(&key.sign(&pre_authentication_encoding(MARK, &marked)))
    }

    fn said(&self) -> Said<'_> {
        let definition = &self.build_definition;
        Said {
            build_type: &definition.build_type,
            external_parameters: &definition.external_parameters,
            internal_parameters: &definition.internal_parameters,
            materials: keyed(&definition.resolved_dependencies),
            builder: &self.run_details.builder,
        }
    }
}
