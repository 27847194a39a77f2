//! The JSON schema and the parser agree.

use serde_json::Value;

use super::faults::{FAULTS, NIX_FAULTS};
use super::{PRELUDE, SHIPPED};
use crate::manifest::{Manifest, schema};

fn validator() -> jsonschema::Validator {
    let schema = schema();
    assert_eq!(jsonschema::meta::validate(&schema).map_err(|error| error.to_string()), Ok(()));
    jsonschema::validator_for(&schema).expect("the schema is one")
}

fn json(text: &str) -> Value {
    toml::from_str(text).expect("it is TOML")
}

#[test]
fn what_is_valid_is_valid_by_the_schema() {
    let validator = validator();
    for text in [SHIPPED, PRELUDE, include_str!("everything.toml")] {
        assert!(Manifest::parse(text).is_ok(), "{:?}", Manifest::parse(text));
        let faults: Vec<_> = validator.iter_errors(&json(text)).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[test]
fn the_schema_sees_the_faults_that_it_can() {
    let validator = validator();
    for (rest, _, expect) in FAULTS.iter().chain(NIX_FAULTS) {
        let seen = !validator.is_valid(&json(&format!("{PRELUDE}{rest}")));
        assert_eq!(seen, *expect, "{rest}");
    }
}

#[test]
fn nothing_may_be_null() {
    assert!(!schema().to_string().contains("null\""), "{:#}", schema());
}

#[test]
fn every_key_is_described() {
    fn walk(at: &str, schema: &Value) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (key, property) in properties.into_iter().flatten() {
            assert!(property.get("description").is_some(), "{at}.{key} has no description");
        }
        if let Some(object) = schema.as_object() {
            if properties.is_some() {
                assert_eq!(object.get("additionalProperties"), Some(&Value::Bool(false)), "{at} takes any key");
            }
            object.iter().for_each(|(key, value)| walk(&format!("{at}/{key}"), value));
        }
        schema.as_array().into_iter().flatten().for_each(|value| walk(at, value));
    }
    walk("", &schema());
}
