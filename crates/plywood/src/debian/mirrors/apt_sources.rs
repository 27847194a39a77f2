//! What this machine's apt reads Debian from (sources.list(5): one-line style and deb822 style).

use std::fs;
use std::path::{Path, PathBuf};

use super::super::config::ArchiveName;
use super::super::mirror_url::MirrorUrl;

/// A mirror that apt uses for Debian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptSource {
    /// Which of Debian's archives it mirrors.
    pub archive: ArchiveName,
    /// Its base.
    pub url: MirrorUrl,
}

/// Larger files are no lists of sources.
const MAX_BYTES: u64 = 1 << 20;

/// One source as both formats tell it.
#[derive(Debug, Default)]
struct Entry {
    types: Vec<String>,
    urls: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: String,
    enabled: bool,
}

/// Reads the sources below `etc_apt`, in apt's order; what cannot be read or is not Debian is left out.
pub(super) fn read(etc_apt: &Path) -> Vec<AptSource> {
    let mut files = vec![etc_apt.join("sources.list")];
    files.extend(sorted_files(&etc_apt.join("sources.list.d")));
    let mut sources = Vec::new();
    for file in files {
        let Some(text) = read_bounded(&file) else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.extend(one_line(&text)),
            Some("sources") => sources.extend(deb822(&text)),
            _ => {}
        }
    }
    sources
}

fn sorted_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn read_bounded(file: &Path) -> Option<String> {
    let meta = fs::metadata(file).ok()?;
    if !meta.is_file() || meta.len() > MAX_BYTES {
        return None;
    }
    fs::read_to_string(file).ok()
}

/// `deb [option=value …] URL suite component …`, one a line.
fn one_line(text: &str) -> Vec<AptSource> {
    text.lines().filter_map(one_line_entry).flat_map(|entry| debian_sources(&entry)).collect()
}

fn one_line_entry(line: &str) -> Option<Entry> {
    let line = line.split_once('#').map_or(line, |(before, _)| before).trim();
    let (kind, rest) = line.split_once(char::is_whitespace)?;
    let (options, rest) = match rest.trim_start().strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by=")).unwrap_or_default();
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Entry {
        types: vec![kind.to_owned()],
        urls: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by: signed_by.to_owned(),
        enabled: true,
    })
}

/// Paragraphs of `Field: value`, where a line that begins with a space goes on.
fn deb822(text: &str) -> Vec<AptSource> {
    let mut sources = Vec::new();
    let mut entry = Entry { enabled: true, ..Entry::default() };
    let mut field = String::new();
    for line in text.lines().chain([""]).filter(|line| !line.starts_with('#')) {
        if line.trim().is_empty() {
            sources.extend(debian_sources(&std::mem::replace(&mut entry, Entry { enabled: true, ..Entry::default() })));
            field.clear();
        } else if line.starts_with([' ', '\t']) {
            entry.add(&field, line);
        } else if let Some((name, value)) = line.split_once(':') {
            field = name.trim().to_ascii_lowercase();
            entry.add(&field, value);
        }
    }
    sources
}

impl Entry {
    fn add(&mut self, field: &str, value: &str) {
        let words = value.split_whitespace().map(str::to_owned);
        match field {
            "types" => self.types.extend(words),
            "uris" => self.urls.extend(words),
            "suites" => self.suites.extend(words),
            "components" => self.components.extend(words),
            "signed-by" => self.signed_by.push_str(value.trim()),
            "enabled" => self.enabled = !matches!(value.trim(), "no" | "false" | "without" | "off" | "disable"),
            _ => {}
        }
    }
}

/// The mirrors of an entry that is Debian's: others use Debian's suite names too, but not its folders or its keys.
fn debian_sources(entry: &Entry) -> Vec<AptSource> {
    let binary = entry.types.iter().any(|kind| kind == "deb");
    let main = entry.components.iter().any(|component| component == "main" || component == "updates/main");
    let signed_by_other = !entry.signed_by.is_empty() && !entry.signed_by.contains("debian-archive-");
    if !entry.enabled || !binary || !main || signed_by_other {
        return Vec::new();
    }
    let kinds = entry.suites.iter().filter_map(|suite| archive_of_suite(suite));
    let mut archives: Vec<ArchiveName> = kinds.collect();
    archives.dedup();
    let urls = entry.urls.iter().filter_map(|url| url.parse::<MirrorUrl>().ok());
    let pairs =
        urls.flat_map(|url| archives.iter().map(move |archive| (url.clone(), archive.clone())).collect::<Vec<_>>());
    let trusted = !entry.signed_by.is_empty();
    pairs
        .filter(|(url, archive)| trusted || has_folder_of(url, archive))
        .map(|(url, archive)| AptSource { archive, url })
        .collect()
}

/// Debian's mirrors by custom end in `debian` or `debian-security`.
fn has_folder_of(url: &MirrorUrl, archive: &ArchiveName) -> bool {
    let path = url.as_url().path().trim_end_matches('/');
    let host = url.as_url().host_str().unwrap_or_default();
    let folder = path.rsplit('/').next().unwrap_or_default();
    match archive {
        ArchiveName::Security => folder == "debian-security" || host.starts_with("security."),
        _ => folder == "debian",
    }
}

fn archive_of_suite(suite: &str) -> Option<ArchiveName> {
    let (base, kind) = suite.split_once(['-', '/']).unwrap_or((suite, ""));
    let known =
        ["bookworm", "trixie", "forky", "duke", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable"];
    if !known.contains(&base) {
        return None;
    }
    match kind {
        "" | "updates" | "backports" | "proposed-updates" => Some(ArchiveName::Debian),
        "security" => Some(ArchiveName::Security),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(sources: &[AptSource]) -> Vec<String> {
        sources.iter().map(|source| format!("{} {}", source.archive, source.url)).collect()
    }

    #[test]
    fn one_line_sources() {
        for (text, expect) in [
            ("deb http://a/debian trixie main contrib", &["debian http://a/debian"][..]),
            (
                "  deb\t[arch=amd64 signed-by=/x/debian-archive-keyring.gpg] http://a/d trixie main # c",
                &["debian http://a/d"],
            ),
            ("deb http://security.a/ bookworm-security main", &["security http://security.a"]),
            ("deb http://a/debian-security trixie-security main", &["security http://a/debian-security"]),
            ("deb-src http://a/debian trixie main", &[]),
            ("# deb http://a/debian trixie main", &[]),
            ("deb http://a/debian trixie contrib", &[]),
            ("deb http://a/ubuntu noble main", &[]),
            ("deb [signed-by=/etc/apt/keyrings/docker.asc] http://a/debian trixie main", &[]),
            ("deb http://a/runner bookworm main", &[]),
            ("deb cdrom:[Debian 13]/ trixie main", &[]),
            ("deb [broken http://a/debian trixie main", &[]),
            ("deb http://a/debian", &[]),
        ] {
            assert_eq!(shown(&one_line(text)), expect, "{text}");
        }
    }

    #[test]
    fn deb822_sources() {
        let text = "\
Types: deb deb-src
URIs: http://a/debian
 http://b/debian
Suites: trixie trixie-updates
# a comment
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp

Types: deb
URIs: http://a/debian-security
Suites: trixie-security
Components: main

Types: deb
URIs: http://off/debian
Suites: trixie
Components: main
Enabled: no

Types: deb
URIs: https://other/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQ
";
        assert_eq!(
            shown(&deb822(text)),
            ["debian http://a/debian", "debian http://b/debian", "security http://a/debian-security",]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}(\\n\\PC{0,40}){0,3}", line in "(deb|Types:|URIs:)? ?(\\[[a-z=]*\\]?)?\\PC{0,40}") {
            let both = format!("{text}\n{line}");
            let _ = (one_line(&both), deb822(&both));
        }
    }
}
