//! Whether a lock fits the manifest.

use plywood_core::lockfile::{Lockfile, lock_inputs};
use plywood_core::manifest::Manifest;

/// Why the lock does not fit the manifest, one sentence each without a period; none when it does.
pub(super) fn reasons(manifest: &Manifest, lock: Option<&Lockfile>) -> Vec<String> {
    let Some(lock) = lock else { return vec!["there is none yet".to_owned()] };
    let mut reasons = Vec::new();
    for (name, image) in manifest.resolved() {
        match lock.images.get(name) {
            None => reasons.push(format!("the image `{name}` is new")),
            Some(locked) if locked.inputs != lock_inputs(image) => {
                reasons.push(format!("the packages of the image `{name}` are asked for differently"));
            }
            Some(locked) => {
                let missing = image.platforms.iter().find(|platform| !locked.platforms.contains_key(platform));
                reasons.extend(missing.map(|platform| format!("the image `{name}` is not locked for {platform}")));
            }
        }
    }
    let gone = lock.images.keys().filter(|name| !manifest.resolved().contains_key(*name));
    reasons.extend(gone.map(|name| format!("the image `{name}` is gone from the manifest")));
    reasons
}
