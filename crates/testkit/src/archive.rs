//! A Debian archive in memory, signed with a key of the test: to be served, or written as a folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use plywood_core::debian::release::UnixTime;
use plywood_core::digest::FileHash;

use crate::deb::{Deb, DebCompression};
use crate::files::{FileServer, write_below};
use crate::signing::{SIGN_TIME, TestKey};

/// An archive of suites with their packages, of component `main`.
#[derive(Debug, Clone)]
pub struct TestArchive {
    /// Who signs it.
    pub key: TestKey,
    /// `Date` of every suite.
    pub date: UnixTime,
    /// How long after `date` the suites are valid, in seconds; for ever if `None`.
    pub valid_for: Option<i64>,
    /// Whether files can be had by their hash.
    pub by_hash: bool,
    /// How `Packages` is compressed; uncompressed it is only listed, as at Debian.
    pub compression: DebCompression,
    suites: BTreeMap<String, Vec<Deb>>,
}

/// The architectures that every suite has.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

impl TestArchive {
    /// An archive with these suites, without packages.
    pub fn new(key: TestKey, suites: &[&str]) -> Self {
        Self {
            key,
            date: UnixTime(i64::from(SIGN_TIME)),
            valid_for: Some(7 * 86_400),
            by_hash: true,
            compression: DebCompression::Xz,
            suites: suites.iter().map(|&suite| (suite.to_owned(), Vec::new())).collect(),
        }
    }

    /// Adds a package to a suite, which is made if need be.
    pub fn add(&mut self, suite: &str, deb: Deb) {
        self.suites.entry(suite.to_owned()).or_default().push(deb);
    }

    /// Where a package is in the archive.
    pub fn path_of(deb: &Deb) -> String {
        let folder: String = deb.name.chars().take(1).collect();
        format!("pool/main/{folder}/{}/{}", deb.name, deb.file_name())
    }

    /// Every file of the archive by its path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for (suite, debs) in &self.suites {
            let indexes = self.indexes(debs);
            let release = self.release(suite, &indexes);
            files.insert(format!("dists/{suite}/InRelease"), self.key.clearsign(&release));
            for (path, bytes, published) in indexes {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if published && self.by_hash {
                    let hash = FileHash::of(&bytes).to_hex();
                    files.insert(format!("dists/{suite}/{folder}/by-hash/SHA256/{hash}"), bytes.clone());
                }
                if published {
                    files.insert(format!("dists/{suite}/{path}"), bytes);
                }
            }
            files.extend(debs.iter().map(|deb| (Self::path_of(deb), deb.bytes.clone())));
        }
        files
    }

    /// Serves the archive over HTTP on localhost.
    pub fn serve(&self) -> FileServer {
        FileServer::start(self.files())
    }

    /// Writes the archive below a folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        write_below(folder, self.files())
    }

    /// `Packages` of each architecture, uncompressed and compressed, and whether it can be fetched.
    fn indexes(&self, debs: &[Deb]) -> Vec<(String, Vec<u8>, bool)> {
        let mut indexes = Vec::new();
        for architecture in ARCHITECTURES {
            let fits = |deb: &&Deb| deb.architecture == architecture || deb.architecture == "all";
            let text: String = debs.iter().filter(fits).map(stanza).collect();
            let path = format!("main/binary-{architecture}/Packages");
            let plain = self.compression == DebCompression::None;
            if !plain {
                let compressed = self.compression.compress(text.as_bytes());
                indexes.push((format!("{path}{}", self.compression.extension()), compressed, true));
            }
            indexes.push((path, text.into_bytes(), plain));
        }
        indexes
    }

    fn release(&self, suite: &str, indexes: &[(String, Vec<u8>, bool)]) -> String {
        let mut text =
            format!("Origin: Test\nLabel: Test\nSuite: {suite}\nCodename: {suite}\nDate: {}\n", rfc_2822(self.date));
        if let Some(seconds) = self.valid_for {
            let _ = writeln!(text, "Valid-Until: {}", rfc_2822(UnixTime(self.date.0 + seconds)));
        }
        if self.by_hash {
            text.push_str("Acquire-By-Hash: yes\n");
        }
        let _ = writeln!(text, "Architectures: {}\nComponents: main\nSHA256:", ARCHITECTURES.join(" "));
        for (path, bytes, _) in indexes {
            let _ = writeln!(text, " {} {} {path}", FileHash::of(bytes).to_hex(), bytes.len());
        }
        text
    }
}

fn stanza(deb: &Deb) -> String {
    let (path, hash) = (TestArchive::path_of(deb), deb.hash().to_hex());
    format!("{}Filename: {path}\nSize: {}\nSHA256: {hash}\n\n", deb.control, deb.bytes.len())
}

/// `Thu, 01 Jan 2026 00:00:00 UTC`, from RFC 3339's `2026-01-01T00:00:00Z`.
fn rfc_2822(time: UnixTime) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let text = time.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    let weekday = usize::try_from(time.0.div_euclid(86_400).rem_euclid(7)).ok().and_then(|day| DAYS.get(day));
    let (weekday, month) = (weekday.unwrap_or(&"Thu"), month.unwrap_or(&"Jan"));
    format!("{weekday}, {} {month} {} {} UTC", part(8, 10), part(0, 4), part(11, 19))
}
