//! apt's own configuration in an image, so that installing packages in a container goes on as the image was made.
//!
//! What `slim` leaves out of the image's packages is not left out of later ones: dpkg would call those damaged.

use crate::manifest::{DebianSource, RepositoryName, ResolvedRepository};
use crate::tree::TreePath;

/// Where Debian's keys are in an image (package debian-archive-keyring).
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The addresses of Debian's archives for an image whose manifest names no mirrors.
#[derive(Debug, Clone, Copy)]
pub struct DefaultMirrors {
    /// Of the main archive.
    pub archive: &'static str,
    /// Of the security archive.
    pub security: &'static str,
}

/// `/etc/apt/sources.list.d/debian.sources` (sources.list(5), deb822-style format).
///
/// It comes from the manifest alone: the mirrors of the machine that builds are no business of the image.
pub fn debian_sources(source: &DebianSource, defaults: DefaultMirrors) -> String {
    let uris = |mirrors: Option<&[String]>, default: &str| match mirrors {
        Some(mirrors) if !mirrors.is_empty() => mirrors.join(" "),
        _ => default.to_owned(),
    };
    let listed = |mirrors: &Option<Vec<_>>| -> Option<Vec<String>> {
        mirrors.as_ref().map(|mirrors| mirrors.iter().map(ToString::to_string).collect())
    };
    let (archive, security) = (listed(&source.mirrors), listed(&source.security_mirrors));
    let suite = source.suite.as_str();
    let suites = if source.updates { format!("{suite} {suite}-updates") } else { suite.to_owned() };
    let mut text = stanza(&uris(archive.as_deref(), defaults.archive), &suites, source, KEYRING);
    if source.security {
        text.push('\n');
        let suites = format!("{suite}-security");
        text.push_str(&stanza(&uris(security.as_deref(), defaults.security), &suites, source, KEYRING));
    }
    text
}

fn stanza(uris: &str, suites: &str, source: &DebianSource, key: &str) -> String {
    let components: Vec<&str> = source.components.iter().map(|component| component.as_str()).collect();
    format!("Types: deb\nURIs: {uris}\nSuites: {suites}\nComponents: {}\nSigned-By: {key}\n", components.join(" "))
}

/// The sources file of a third-party repository, with its key at `key`; credentials stay out of images.
pub fn repository_sources(repository: &ResolvedRepository, key: &TreePath) -> String {
    let components: Vec<&str> = repository.components.iter().map(|component| component.as_str()).collect();
    let components = match components.as_slice() {
        [] => String::new(),
        components => format!("Components: {}\n", components.join(" ")),
    };
    format!(
        "Types: deb\nURIs: {}\nSuites: {}\n{components}Signed-By: {key}\n",
        repository.url.as_str(),
        repository.suite.as_str()
    )
}

/// What apt may take from a third-party repository: the packages of the allow list and nothing else (apt_preferences(5)).
pub fn repository_preferences(name: &RepositoryName, repository: &ResolvedRepository, origin: &str) -> String {
    let allowed: Vec<&str> = repository.packages.iter().map(|pattern| pattern.as_str()).collect();
    format!(
        "# The packages that plywood.toml takes from `{name}`; apt takes no others from there.\n\
         Package: {}\nPin: origin {origin}\nPin-Priority: 500\n\n\
         Package: *\nPin: origin {origin}\nPin-Priority: -1\n",
        allowed.join(" ")
    )
}
