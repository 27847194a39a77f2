//! URLs: they may carry a password, so they never show it, and files are only looked for below their base.

use reqwest::Url;

/// A path that leaves its base or names no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no path of a file below its base", .0.escape_debug())]
pub struct BadPath(pub String);

/// The URL of the file at `path` below `base`.
///
/// # Errors
/// When the path is absolute, empty, has `.`, `..` or empty parts, or control characters.
pub fn below(base: &Url, path: &str) -> Result<Url, BadPath> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(|c: char| c.is_control() || c == '\\');
    if !path.split('/').all(plain) {
        return Err(BadPath(path.to_owned()));
    }
    let mut url = base.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => segments.pop_if_empty().extend(path.split('/')),
        Err(()) => return Err(BadPath(path.to_owned())),
    };
    Ok(url)
}

/// `url` as people may see it: user and password replaced.
pub fn redacted(url: &Url) -> String {
    if url.username().is_empty() && url.password().is_none() {
        return url.to_string();
    }
    let mut shown = url.clone();
    // Both only fail for URLs that cannot have user and password at all.
    let _ = shown.set_username("***");
    let _ = shown.set_password(None);
    shown.to_string()
}
