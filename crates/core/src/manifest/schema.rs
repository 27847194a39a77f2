//! The manifest's JSON schema.

use serde_json::Value;

use super::document::Document;

/// The JSON schema (draft 2020-12) of `plywood.toml`, for editors and for `plywood schema`.
///
/// It is derived from the types that the parser reads into; rules between keys that JSON schema cannot say are the parser's alone.
pub fn schema() -> Value {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<Document>();
    schema.to_value()
}
