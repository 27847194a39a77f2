//! Serializes a map of named shared bytes, each as one byte string.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer};

use super::arc_bytes::ArcBytes;

type Files = BTreeMap<String, Arc<[u8]>>;

/// As a map of byte strings.
pub(crate) fn serialize<S: Serializer>(files: &Files, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(files.iter().map(|(name, bytes)| (name, ArcBytes(bytes.clone()))))
}

/// The inverse of [`serialize`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Files, D::Error> {
    let files = BTreeMap::<String, ArcBytes>::deserialize(deserializer)?;
    Ok(files.into_iter().map(|(name, ArcBytes(bytes))| (name, bytes)).collect())
}
