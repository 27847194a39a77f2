//! Images outside of the workspace, by digest.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::LockfileProblem;
use super::line::{Columns, timestamp};
use super::parse::{Fault, Table, lines, string};
use super::write::{escaped, list};
use crate::digest::{DiffId, Digest};
use crate::manifest::{BaseReference, Distribution};
use crate::oci::{MediaType, RuntimeConfig, Timestamp};
use crate::platform::Platform;

/// An image outside of the workspace on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedBase {
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The digest of its configuration.
    pub config: Digest,
    /// How many bytes that has.
    pub config_size: u64,
    /// When it was made, if it says so.
    pub created: Option<Timestamp>,
    /// What system it is, for packages; `None` when no image asks for any.
    pub distribution: Option<Distribution>,
    /// How its containers run: the part of the configuration that images built on it inherit.
    pub runtime: RuntimeConfig,
    /// Its layers, bottom up.
    pub layers: Vec<LockedLayer>,
}

/// A layer of a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedLayer {
    /// Of its bytes as they are stored.
    pub digest: Digest,
    /// Of its uncompressed bytes.
    pub diff_id: DiffId,
    /// How many bytes it has as stored.
    pub size: u64,
    /// Its type.
    pub media_type: MediaType,
}

/// The locked bases, by how the manifest names them.
pub type LockedBases = BTreeMap<BaseReference, BTreeMap<Platform, LockedBase>>;

const LAYER: &str = "a layer: digest diff-id size media-type";

pub(super) fn write(out: &mut String, bases: &LockedBases) -> fmt::Result {
    for (reference, platforms) in bases {
        for (platform, base) in platforms {
            writeln!(out, "\n[bases.\"{}\".\"{platform}\"]", escaped(&reference.to_string()))?;
            writeln!(out, "manifest = \"{}\"\nconfig = \"{} {}\"", base.manifest, base.config, base.config_size)?;
            if let Some(created) = base.created {
                writeln!(out, "created = \"{created}\"")?;
            }
            if let Some(distribution) = &base.distribution {
                writeln!(out, "distribution = \"{distribution}\"")?;
            }
            // Texts in memory are always written.
            let runtime = serde_json::to_string(&base.runtime).unwrap_or_default();
            writeln!(out, "runtime = \"{}\"", escaped(&runtime))?;
            list(out, "# digest diff-id size media-type\nlayers", base.layers.iter().map(write_layer))?;
        }
    }
    Ok(())
}

fn read_config(line: &str) -> Option<(Digest, u64)> {
    let mut columns = Columns::of(line);
    let config = (columns.value()?, columns.number()?);
    columns.end(config)
}

fn write_layer(layer: &LockedLayer) -> String {
    let LockedLayer { digest, diff_id, size, media_type } = layer;
    escaped(&format!("{digest} {diff_id} {size} {media_type}"))
}

fn read_layer(line: &str) -> Option<LockedLayer> {
    let mut columns = Columns::of(line);
    let layer = LockedLayer {
        digest: columns.value()?,
        diff_id: columns.value()?,
        size: columns.number()?,
        media_type: MediaType::from(columns.text()?.to_owned()),
    };
    columns.end(layer)
}

pub(super) fn read(value: &Spanned<DeValue<'_>>) -> Result<LockedBase, Fault> {
    let mut table = Table::open(value)?;
    let manifest = parsed(table.required("manifest", string)?, "a digest, sha256:…")?;
    let (span, config) = table.required("config", string)?;
    let (config, config_size) = read_config(config).ok_or((span, LockfileProblem::Expected("a digest and a size")))?;
    let mut base = LockedBase {
        manifest,
        config,
        config_size,
        created: None,
        distribution: None,
        runtime: RuntimeConfig::default(),
        layers: table.required("layers", |value| lines(value, LAYER, read_layer))?.1,
    };
    if let Some(found) = table.optional("distribution", |value| Ok((value.span(), string(value)?)))? {
        base.distribution = Some(parsed(found, "a distribution: id codename")?);
    }
    if let Some((span, created)) = table.optional("created", |value| Ok((value.span(), string(value)?)))? {
        let expected = LockfileProblem::Expected("an instant such as 2026-11-01T00:00:00Z");
        base.created = Some(timestamp(created).ok_or((span, expected))?);
    }
    let (span, runtime) = table.required("runtime", string)?;
    let expected = LockfileProblem::Expected("a configuration in JSON");
    base.runtime = serde_json::from_str(runtime).map_err(|_| (span, expected))?;
    table.end()?;
    Ok(base)
}

fn parsed<T: FromStr>((span, text): (std::ops::Range<usize>, &str), expected: &'static str) -> Result<T, Fault> {
    text.parse().map_err(|_| (span, LockfileProblem::Expected(expected)))
}
