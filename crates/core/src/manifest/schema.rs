//! The manifest's JSON schema.

use schemars::transform::{Transform, transform_subschemas};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::document::Document;

/// The JSON schema (draft 2020-12) of `plywood.toml`, for editors and for `plywood schema`.
///
/// It is derived from the types that the parser reads into; rules between keys that JSON schema cannot say are the parser's alone.
pub fn schema() -> Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Document>();
    WithoutNull.transform(&mut schema);
    schema.to_value()
}

/// TOML has no null: what is optional is left out, so no schema needs to allow it.
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
        choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            only.into_iter().for_each(|(key, value)| {
                // The key's own description says more than that of its type.
                schema.ensure_object().entry(key).or_insert(value);
            });
        }
    }
}
