//! What runners pushed, each for its platform, to be joined under one index.

use plywood_core::oci::{Descriptor, PlatformSpec};
use plywood_core::platform::Platform;
use plywood_oci::registry::Repository;

use super::PublishError;
use super::report::{PushReport, PushedPlatform};

/// The manifest of an image for each platform, as the registry has it.
///
/// # Errors
/// When a platform is in no report, in two that differ, or its manifest is not in the registry.
pub(super) fn manifests(
    image: &str,
    platforms: &[Platform],
    reports: &[PushReport],
    repository: &Repository,
) -> Result<Vec<Descriptor>, PublishError> {
    let mut manifests = Vec::new();
    for platform in platforms {
        let told = one(image, *platform, reports)?;
        let found = repository.head_manifest(&told.digest.into())?;
        let mut manifest = found.ok_or_else(|| PublishError::Incomplete {
            reference: format!("the report of {image} for {platform}"),
            missing: told.digest.to_string(),
        })?;
        manifest.platform = Some(PlatformSpec::from(*platform));
        manifests.push(manifest);
    }
    Ok(manifests)
}

/// What the reports say of an image on a platform.
fn one<'r>(image: &str, platform: Platform, reports: &'r [PushReport]) -> Result<&'r PushedPlatform, PublishError> {
    let images = reports.iter().flat_map(|report| &report.images).filter(|pushed| pushed.name == image);
    let mut told = images.flat_map(|pushed| &pushed.platforms).filter(|told| told.platform == platform);
    let first = told.next().ok_or_else(|| PublishError::Missing { image: image.to_owned(), platform })?;
    match told.all(|other| other.digest == first.digest) {
        true => Ok(first),
        false => Err(PublishError::Contradiction { image: image.to_owned(), platform }),
    }
}

#[cfg(test)]
mod tests {
    use plywood_core::digest::Digest;

    use super::super::report::PushedImage;
    use super::*;

    fn report(image: &str, platform: Platform, content: &[u8]) -> PushReport {
        let told = PushedPlatform { platform, digest: Digest::of(content), size: 1 };
        let image = PushedImage { platforms: vec![told], ..PushedImage::new(image, "r/x".to_owned()) };
        PushReport { dry_run: false, images: vec![image] }
    }

    #[test]
    fn each_platform_comes_from_one_report() {
        let reports = [
            report("a", Platform::LinuxAmd64, b"1"),
            report("a", Platform::LinuxArm64, b"2"),
            report("b", Platform::LinuxAmd64, b"3"),
        ];
        assert_eq!(one("a", Platform::LinuxArm64, &reports).unwrap().digest, Digest::of(b"2"));
        assert!(matches!(one("b", Platform::LinuxArm64, &reports), Err(PublishError::Missing { .. })));
        let differing = [report("a", Platform::LinuxAmd64, b"1"), report("a", Platform::LinuxAmd64, b"2")];
        assert!(matches!(one("a", Platform::LinuxAmd64, &differing), Err(PublishError::Contradiction { .. })));
    }
}
