//! How much there is in the store, and making it less.

use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Store, StoreError};

/// How much there is of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KindUsage {
    /// The number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How much there is in the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Items as compressed tar entries.
    pub segments: KindUsage,
    /// What is known of layers.
    pub layers: KindUsage,
    /// Layers, configurations and manifests.
    pub blobs: KindUsage,
}

impl Usage {
    /// The bytes of all kinds.
    pub fn bytes(&self) -> u64 {
        self.segments.bytes + self.layers.bytes + self.blobs.bytes
    }
}

/// What may stay when pruning; without a limit all stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneLimits {
    /// What was last used longer ago goes.
    pub max_age: Option<Duration>,
    /// When more bytes are left, those unused the longest go.
    pub max_bytes: Option<u64>,
}

/// What pruning removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A file of the store.
struct CachedFile {
    used: SystemTime,
    path: Utf8PathBuf,
    bytes: u64,
}

impl Store {
    /// Counts what is in the store.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let count = |name| -> Result<KindUsage, StoreError> {
            let files = cached_files(&self.root.join(name))?;
            Ok(KindUsage { files: files.len() as u64, bytes: files.iter().map(|file| file.bytes).sum() })
        };
        Ok(Usage { segments: count("segments")?, layers: count("layers")?, blobs: count("blobs")? })
    }

    /// Removes what the limits leave no room for. Every file of the store can be made again.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has the store open; when a file cannot be removed.
    pub fn prune(&self, limits: PruneLimits) -> Result<Pruned, StoreError> {
        self.lock.unlock().map_err(StoreError::io("unlock", &self.root))?;
        let pruned = match self.lock.try_lock() {
            Ok(()) => self.prune_alone(limits),
            Err(_) => Err(StoreError::InUse { path: self.root.clone() }),
        };
        self.lock.lock_shared().map_err(StoreError::io("lock", &self.root))?;
        pruned
    }

    fn prune_alone(&self, limits: PruneLimits) -> Result<Pruned, StoreError> {
        let mut files = Vec::new();
        for name in ["segments", "layers", "blobs"] {
            files.extend(cached_files(&self.root.join(name))?);
        }
        files.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        let oldest = limits.max_age.and_then(|age| SystemTime::now().checked_sub(age));
        let mut left: u64 = files.iter().map(|file| file.bytes).sum();
        let mut pruned = Pruned::default();
        for file in files {
            let too_old = oldest.is_some_and(|oldest| file.used < oldest);
            let too_much = limits.max_bytes.is_some_and(|max| left > max);
            if !too_old && !too_much {
                continue;
            }
            std::fs::remove_file(&file.path).map_err(StoreError::io("remove", &file.path))?;
            left -= file.bytes;
            pruned.files += 1;
            pruned.bytes += file.bytes;
        }
        Ok(pruned)
    }
}

/// The files below a directory, in no particular order.
fn cached_files(directory: &Utf8Path) -> Result<Vec<CachedFile>, StoreError> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        let failed = || StoreError::io("read the directory", &directory);
        for entry in directory.read_dir_utf8().map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let path = entry.path().to_owned();
            // What vanishes meanwhile was not there.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                pending.push(path);
            } else {
                let used = metadata.modified().map_err(StoreError::io("read the time of", &path))?;
                files.push(CachedFile { used, path, bytes: metadata.len() });
            }
        }
    }
    Ok(files)
}
