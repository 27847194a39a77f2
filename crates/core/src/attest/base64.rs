//! Bytes as base64 in JSON (RFC 4648): written in the standard alphabet, read in that of URLs too, as DSSE demands.

use std::borrow::Cow;

use data_encoding::{BASE64, BASE64URL};
use serde::{Deserialize, Deserializer, Serializer};

/// The bytes of a text in either alphabet; `None` when it is no base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).or_else(|_| BASE64URL.decode(text.as_bytes())).ok()
}

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    decode(&text).ok_or_else(|| serde::de::Error::custom("expected base64"))
}
