//! An image of many layers, made up: what others would have built.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Writes an image layout with an image of so many layers with so many bytes in all, which cannot be compressed.
///
/// The layers are of very different sizes, as those of images are: each of the larger ones has an eighth less than the one
/// before.
pub(super) fn write(layout: &Path, layers: usize, bytes: usize) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(layout.join("blobs/sha256"))?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut descriptors, mut diff_ids) = (Vec::new(), Vec::new());
    for (number, size) in sizes(layers, bytes).into_iter().enumerate() {
        let tar = tar(&format!("layer-{number}"), &random.bytes(size))?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&tar)?;
        diff_ids.push(digest(&tar));
        descriptors.push(blob(layout, "application/vnd.oci.image.layer.v1.tar+gzip", &gzip.finish()?)?);
    }
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = blob(layout, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes())?;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": descriptors });
    let manifest = blob(layout, media_type, manifest.to_string().as_bytes())?;
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(layout.join("index.json"), index.to_string())?;
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(())
}

/// This machine's, as image configurations have it.
pub(super) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// So many sizes with this sum.
fn sizes(count: usize, sum: usize) -> Vec<usize> {
    let weights: Vec<f64> = (0..count).map(|place| 0.875_f64.powi(place.min(24) as i32)).collect();
    let all: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| (sum as f64 * weight / all).ceil() as usize).collect()
}

fn tar(name: &str, data: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, name, data)?;
    Ok(tar.into_inner()?)
}

/// Keeps a blob; its descriptor.
fn blob(layout: &Path, media_type: &str, bytes: &[u8]) -> Result<Value, Box<dyn Error>> {
    let digest = digest(bytes);
    fs::write(layout.join("blobs").join(digest.replace(':', "/")), bytes)?;
    Ok(json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() }))
}

fn digest(bytes: &[u8]) -> String {
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hash}")
}

/// Marsaglia's xorshift: the same numbers every time.
struct Random(u64);

impl Random {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            bytes.extend_from_slice(&self.0.to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}
