//! The tags of a repository.

use plywood_core::oci::Tag;
use plywood_core::oci::distribution::next_link;
use reqwest::header::LINK;
use reqwest::{Method, Response, Url};
use serde::Deserialize;

use super::auth::{Access, Scope};
use super::body::read;
use super::failure::Failure;
use super::host::Ask;
use super::repository::Work;

/// The largest page that is read, in bytes.
const MAX_PAGE: u64 = 8 << 20;
/// As many tags as are read; more than any repository has.
const MAX_TAGS: usize = 1 << 20;
const PER_PAGE: &str = "1000";

#[derive(Deserialize)]
struct Page {
    /// Go writes no tags as `null`.
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Work<'_> {
    /// Every tag, sorted; of a repository that is not there, none.
    ///
    /// A name that is no tag is an error rather than left out, since what has no tag may be deleted.
    pub(super) async fn list_tags(&self) -> Result<Vec<Tag>, Failure> {
        let scope = Scope::new(self.name, Access::Pull);
        let mut url = self.host.url(self.name, "tags/list");
        url.query_pairs_mut().append_pair("n", PER_PAGE);
        let mut tags: Vec<Tag> = Vec::new();
        let mut next = Some(url);
        let patience = &self.client.config.patience;
        while let Some(url) = next {
            let get = async || {
                let response =
                    self.host.expect(self.client, &Ask::new(Method::GET, url.clone(), &scope), &[200]).await?;
                let next = next_page(&response, &url)?;
                Ok((read(response, MAX_PAGE, patience.stall).await?, next))
            };
            let (bytes, following) = match patience.retry(get).await {
                Err(Failure::NotFound { .. }) if tags.is_empty() => return Ok(tags),
                other => other?,
            };
            let page: Page =
                serde_json::from_slice(&bytes).map_err(|_| Failure::Protocol("a list of tags that is none"))?;
            let names = page.tags.unwrap_or_default();
            // A page that brings nothing would go on for ever.
            next = following.filter(|_| !names.is_empty());
            for name in names {
                tags.push(name.parse().map_err(|_| Failure::Protocol("a tag that is none"))?);
            }
            if tags.len() > MAX_TAGS {
                return Err(Failure::Protocol("more than a million tags"));
            }
        }
        tags.sort();
        tags.dedup();
        Ok(tags)
    }
}

/// The address of the next page, which must be the registry's own.
pub(super) fn next_page(response: &Response, from: &Url) -> Result<Option<Url>, Failure> {
    let Some(header) = response.headers().get(LINK).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    let Some(target) = next_link(header) else { return Ok(None) };
    let mut url = from.join(target).map_err(|_| Failure::Protocol("a link to the next page that is no address"))?;
    if url.host() != from.host() {
        return Err(Failure::Protocol("a link to the next page that leads to another host"));
    }
    // Registries behind a proxy do not know their own scheme and port.
    let _ = (url.set_scheme(from.scheme()), url.set_port(from.port()));
    Ok(Some(url).filter(|url| url != from))
}
