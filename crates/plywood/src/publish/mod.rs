//! Images to those who pull them: pushing, moving tags, and clearing away.
//!
//! Everything is pushed by digest first. Tags are what people pull, so they move last, and only to what is whole.

mod error;
mod index;
mod join;
mod matrix;
mod promote;
mod prune;
mod push;
mod report;
mod reuse;
mod transfer;
mod workspace;

pub use error::PublishError;
pub use matrix::{Matrix, MatrixEntry, matrix};
pub use promote::{MovedTag, PromoteOptions, PromoteReport, PromotedImage, promote};
pub use prune::{PruneOptions, PruneReport, PrunedRepository, prune};
pub use push::{PushOptions, push};
pub use report::{BlobFigures, PushOutcome, PushReport, PushedImage, PushedPlatform};
pub use workspace::reference;
pub(crate) use workspace::reference_in;
