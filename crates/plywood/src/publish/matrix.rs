//! `plywood build --matrix`: images × platforms for a CI that runs each on a machine of its own.

use plywood_core::platform::Platform;
use serde::Serialize;

use crate::Error;
use crate::workspace::Workspace;

/// A matrix as GitHub Actions takes it (`strategy.matrix`, from JSON).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// Each image on each platform, images before those that stand on them.
    pub include: Vec<MatrixEntry>,
}

/// One image on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixEntry {
    /// The image's name.
    pub image: String,
    /// The platform, such as `linux/arm64`.
    pub platform: Platform,
    /// Its architecture, for the choice of a runner.
    pub architecture: &'static str,
}

/// What there is to build.
///
/// # Errors
/// A bad manifest, or an image that it does not have.
pub fn matrix(images: &[String], platforms: &[Platform], workspace: &Workspace) -> Result<Matrix, Error> {
    let manifest = workspace.manifest()?;
    for name in images {
        manifest.resolve(name)?;
    }
    let wanted = |name: &str| images.is_empty() || images.iter().any(|image| image == name);
    let mut resolved: Vec<_> = manifest.resolved().values().filter(|image| wanted(image.name.as_str())).collect();
    resolved.sort_by_key(|image| (image.parents.len(), &image.name));
    let mut include = Vec::new();
    for image in resolved {
        let own = image.platforms.iter().filter(|platform| platforms.is_empty() || platforms.contains(platform));
        include.extend(own.map(|platform| MatrixEntry {
            image: image.name.to_string(),
            platform: *platform,
            architecture: platform.architecture(),
        }));
    }
    Ok(Matrix { include })
}
