//! Credentials by host, from netrc files (GNU inetutils, "The .netrc file"; curl's reading of it).

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::credentials::Credentials;

/// A longer file is no list of passwords.
const MAX_BYTES: u64 = 1 << 20;

/// Who plywood is at which host. Never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Netrc(Vec<Entry>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Entry {
    /// `None` for `default`, which is every host.
    host: Option<String>,
    login: String,
    password: Option<String>,
}

/// A netrc file that is there cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub struct NetrcError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl NetrcError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some("name another file with NETRC".to_owned())
    }
}

impl Netrc {
    /// The files of this user and machine: `NETRC` alone where it is set; else `~/.netrc`, then Nix's own `netrc` in
    /// `NIX_CONF_DIR` or `/etc/nix`. Those that are not there, or that only root may read, are passed over.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn of_user() -> Result<Self, NetrcError> {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = folder("NETRC") {
            return read(&path).map_err(|source| NetrcError { path, source });
        }
        let of_nix = folder("NIX_CONF_DIR").unwrap_or_else(|| PathBuf::from("/etc/nix"));
        let mut all = Self::default();
        for path in folder("HOME").map(|home| home.join(".netrc")).into_iter().chain([of_nix.join("netrc")]) {
            match read(&path) {
                Ok(more) => all.0.extend(more.0),
                Err(error) if is_absent(&error) => {}
                Err(source) => return Err(NetrcError { path, source }),
            }
        }
        Ok(all)
    }

    /// Reads the text of such a file; words that mean nothing are passed over, as every reader of netrc does.
    pub fn parse(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut words = Words(text);
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" => entries.push(Entry { host: words.next(), ..Entry::default() }),
                "default" => entries.push(Entry::default()),
                "macdef" => words.skip_macro(),
                "login" | "password" | "account" => {
                    let value = words.next().unwrap_or_default();
                    match (word.as_str(), entries.last_mut()) {
                        ("login", Some(entry)) => entry.login = value,
                        ("password", Some(entry)) => entry.password = Some(value),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Self(entries)
    }

    /// What to send to the URL's host; nothing to files, nor where the URL says itself who asks.
    pub(crate) fn authorization(&self, url: &Url) -> Option<HeaderValue> {
        let host = url.host_str().filter(|_| url.username().is_empty() && url.password().is_none())?;
        let fits = |entry: &&Entry| entry.host.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(host));
        let Entry { login, password, .. } = self.0.iter().find(fits)?;
        let password = password.clone()?;
        Credentials::Basic { user: login.clone(), password }.header()
    }
}

impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Netrc({} entries)", self.0.len())
    }
}

fn read(path: &Path) -> io::Result<Netrc> {
    let mut text = String::new();
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {MAX_BYTES} bytes")));
    }
    Ok(Netrc::parse(&text))
}

/// Nix's own file is often for root alone: then it is not ours.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied)
}

/// Words apart by white space; quoted ones may hold it. A word that begins with `#` hides the rest of its line.
struct Words<'t>(&'t str);

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            self.0 = self.0.trim_start();
            if !self.0.starts_with('#') {
                break;
            }
            self.0 = self.0.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let mut chars = self.0.char_indices();
        let quoted = self.0.starts_with('"');
        if quoted {
            chars.next();
        }
        let mut word = String::new();
        let mut end = self.0.len();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' if quoted => {
                    end = at + 1;
                    break;
                }
                '\\' if quoted => word.extend(chars.next().map(|(_, char)| char)),
                char if !quoted && char.is_whitespace() => {
                    end = at;
                    break;
                }
                char => word.push(char),
            }
        }
        let found = !self.0.is_empty();
        self.0 = self.0.get(end..).unwrap_or_default();
        found.then_some(word)
    }
}

impl Words<'_> {
    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        self.0 = self.0.split_once("\n\n").map_or("", |(_, rest)| rest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(text: &str, url: &str) -> Option<String> {
        let value = Netrc::parse(text).authorization(&url.parse().expect("a URL"))?;
        let encoded = value.to_str().expect("ASCII").strip_prefix("Basic ").expect("Basic").to_owned();
        let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).expect("base 64");
        Some(String::from_utf8(bytes).expect("UTF-8"))
    }

    #[test]
    fn each_host_gets_its_own() {
        const TEXT: &str = "# mine\nmachine a.test login anna password sesame\nmachine b.test\n\tlogin b\n\tpassword \
            \"a \\\"b\\\" #c\" account x\nmacdef init\nmachine c.test login no password no\n\nmachine d.test login d\n\
            machine A.TEST login late password late\n";
        for (url, expect) in [
            ("https://a.test/x", Some("anna:sesame")),
            ("http://A.test:8080/", Some("anna:sesame")),
            ("https://b.test", Some("b:a \"b\" #c")),
            ("https://c.test", None),
            ("https://d.test", None),
            ("https://me@a.test", None),
            ("file:///a.test", None),
        ] {
            assert_eq!(sent(TEXT, url).as_deref(), expect, "{url}");
        }
    }

    #[test]
    fn the_default_is_for_all_others() {
        const TEXT: &str = "machine a.test password token default login any password one";
        for (url, expect) in [("https://a.test", ":token"), ("https://other.test", "any:one")] {
            assert_eq!(sent(TEXT, url).as_deref(), Some(expect), "{url}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let netrc = Netrc::parse("machine a.test login anna password sesame");
        assert_eq!(format!("{netrc:?}"), "Netrc(1 entries)");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|[a-z\" \n\\\\#]{0,60}|(machine|login|password|macdef|\"| |\n){0,20}") {
            let _ = Netrc::parse(&text);
        }
    }
}
