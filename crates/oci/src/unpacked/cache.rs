//! What is in layers, kept in the store.

use std::fs::File;
use std::io::{self, BufReader, Write as _};

use camino::Utf8PathBuf;

use super::{LayerRef, UnpackError, UnpackLimits, UnpackedLayer, unpack};
use crate::store::{Store, StoreError, mark_used};

/// Raised when more or less of a layer is kept.
const VERSION: u32 = 1;
/// How much of a blob is read at once, in bytes.
const BUFFER: usize = 256 << 10;

impl Store {
    /// What is in a layer whose blob is in the store: read and verified the first time, remembered from then on.
    ///
    /// # Errors
    /// When the blob is missing or not what it should be, or the store cannot be used.
    pub fn unpacked_layer(&self, layer: &LayerRef) -> Result<UnpackedLayer, UnpackError> {
        let path = self.unpacked_path(layer);
        match std::fs::read(&path) {
            Ok(bytes) => {
                // What a power failure cut short, or another version wrote, is made anew.
                if let Ok(known) = postcard::from_bytes(&bytes) {
                    mark_used(&path);
                    return Ok(known);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("read", &path)(error).into()),
        }
        let blob_path = self.blob_path(layer.digest);
        let blob = File::open(&blob_path).map_err(StoreError::io("open", &blob_path))?;
        let unpacked = unpack(BufReader::with_capacity(BUFFER, blob), layer, &UnpackLimits::default())?;
        if let Ok(bytes) = postcard::to_stdvec(&unpacked) {
            let mut file = self.create_temp()?;
            file.write_all(&bytes).map_err(StoreError::io("write", &path))?;
            file.persist(&path)?;
        }
        Ok(unpacked)
    }

    fn unpacked_path(&self, layer: &LayerRef) -> Utf8PathBuf {
        self.root().join("layers/unpacked").join(format!("{}-v{VERSION}", layer.diff_id.to_hex()))
    }
}
