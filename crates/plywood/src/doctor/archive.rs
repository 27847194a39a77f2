//! Whether Debian's archive can be reached.

use std::time::Duration;

use plywood_core::manifest::Manifest;

use super::Diagnosis;
use crate::Error;
use crate::debian::ArchiveConfig;
use crate::debian::mirror_url::MirrorUrl;
use crate::debian::mirrors::{Mirrors, NamedMirrors};
use crate::http::url::redacted;
use crate::workspace::Workspace;

/// The suite asked for where no manifest names one.
const DEFAULT_SUITE: &str = "trixie";
/// How long a mirror may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(15);

/// One diagnosis for Debian's own archive and one for the security archive.
pub(super) fn mirrors(manifest: Option<&Manifest>, workspace: &Workspace) -> Result<Vec<Diagnosis>, Error> {
    let source = manifest.and_then(|manifest| manifest.resolved().values().find_map(|image| image.debian.as_ref()));
    let (suite, mirrors) = match source {
        Some(source) => {
            let config = ArchiveConfig::from_manifest(source, workspace.directory())?;
            (config.suite, config.mirrors)
        }
        None => (DEFAULT_SUITE.to_owned(), Mirrors::find(&NamedMirrors::default())?),
    };
    Ok(vec![
        diagnose("archive", &mirrors.debian, &suite),
        diagnose("security-archive", &mirrors.security, &format!("{suite}-security")),
    ])
}

/// Good when one of the mirrors has the suite.
fn diagnose(id: &'static str, mirrors: &[MirrorUrl], suite: &str) -> Diagnosis {
    let mut failures = Vec::new();
    for mirror in mirrors {
        let shown = redacted(mirror.as_url());
        match ask(mirror, &format!("dists/{suite}/InRelease")) {
            Ok(()) => return Diagnosis::good(id, format!("{shown} has {suite}")),
            Err(why) => failures.push(format!("{shown}: {why}")),
        }
    }
    let message = format!("no mirror has {suite}: {}", failures.join("; "));
    Diagnosis::broken(id, message, "check the network and HTTPS_PROXY, or name a `mirrors` of your own under [debian]")
}

/// Whether a mirror has a file; why not otherwise.
fn ask(mirror: &MirrorUrl, path: &str) -> Result<(), String> {
    let url = mirror.join(path).map_err(|error| error.to_string())?;
    if let Some(folder) = mirror.folder() {
        return if folder.join(path).is_file() { Ok(()) } else { Err("no such file".to_owned()) };
    }
    let request = async {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        client.head(url).send().await?.error_for_status().map(drop)
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(request).map_err(|error| root_cause(&error.without_url()))
}

/// The innermost cause, which says most.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
