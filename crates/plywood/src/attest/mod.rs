//! Who vouches for an image: keys, signatures and provenance in registries.

mod builder;
mod error;
mod keys;
mod source;

pub use builder::{BUILDER_VARIABLE, builder, program};
pub use error::AttestError;
pub use keys::{
    GeneratedKey, KEY_FILE_VARIABLE, KEY_VARIABLE, KeyOrigin, PASSWORD_VARIABLE, generate_key, public_key, signing_key,
};
pub use source::source;
