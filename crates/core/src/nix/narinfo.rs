//! `.narinfo`: what a binary cache says of a store path (Nix's `libstore/nar-info.cc`).

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::{Signature, StorePath, TrustedPublicKeys};
use crate::digest::{FileHash, NarHash, Sha256Hash};

/// How a NAR is compressed in a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    None,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// bzip2, which a narinfo without the field means.
    Bzip2,
    /// Brotli.
    Brotli,
    /// gzip.
    Gzip,
}

impl Compression {
    /// The word for it in a narinfo.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What a NAR's file name ends with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::None => "nar",
            Self::Xz => "nar.xz",
            Self::Zstd => "nar.zst",
            Self::Bzip2 => "nar.bz2",
            Self::Brotli => "nar.br",
            Self::Gzip => "nar.gz",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Xz, Self::Zstd, Self::Bzip2, Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// Why a narinfo is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NarInfoError {
    /// It is longer than [`NarInfo::MAX_LEN`].
    #[error("it is longer than {} bytes", NarInfo::MAX_LEN)]
    TooLong,
    /// It is not text.
    #[error("it is not UTF-8")]
    NotText,
    /// A line has no colon and space.
    #[error("line {0} is not `Key: value`")]
    Line(usize),
    /// A field that it must have is not there.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// It has more signatures than anybody would make: each costs time to check.
    #[error("it has more than {} signatures", NarInfo::MAX_SIGNATURES)]
    TooManySignatures,
    /// A field is there twice.
    #[error("it has `{0}` twice")]
    Twice(&'static str),
    /// A field's value is not one.
    #[error("`{field}` is wrong: {why}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong, without a period.
        why: String,
    },
}

/// Why a narinfo is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Nobody signed it.
    #[error("it is not signed")]
    Unsigned,
    /// Nobody who is trusted signed it.
    #[error("no trusted key signed it; it has signatures of {}", .0.join(", "))]
    Untrusted(Vec<String>),
    /// A trusted key's name is on a signature that is not that key's over this.
    #[error("the signature of {0} is not one over this")]
    Wrong(String),
}

/// What a cache says of a store path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarInfo {
    /// The path.
    pub store_path: StorePath,
    /// Where the NAR is, relative to the cache.
    pub url: NarUrl,
    /// How the file is compressed.
    pub compression: Compression,
    /// SHA-256 of the file as it is transferred.
    pub file_hash: Option<FileHash>,
    /// Its length in bytes.
    pub file_size: Option<u64>,
    /// Hash of the NAR.
    pub nar_hash: NarHash,
    /// The NAR's length in bytes.
    pub nar_size: u64,
    /// What the path refers to, itself included where it does.
    pub references: BTreeSet<StorePath>,
    /// The derivation that made it.
    pub deriver: Option<StorePath>,
    /// Who vouches for it.
    pub signatures: Vec<Signature>,
    /// What its content is addressed by, as Nix writes it.
    pub content_address: Option<String>,
}

/// A path below a binary cache: relative, without `.` and `..`, no other host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarUrl(String);

impl NarUrl {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NarUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NarUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, _) = text.split_once(['?', '#']).unwrap_or((text, ""));
        let plain = text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let part = |part: &str| {
            let decoded = part.to_ascii_lowercase().replace("%2e", ".");
            !matches!(decoded.as_str(), "" | "." | "..") && !decoded.contains("%2f") && !decoded.contains("%00")
        };
        match plain && path.split('/').all(part) && !path.contains(':') {
            true => Ok(Self(text.to_owned())),
            false => Err("it is not a path below the cache"),
        }
    }
}

impl NarInfo {
    /// The longest narinfo that is read, in bytes. Closures of derivations have thousands of references.
    pub const MAX_LEN: usize = 4 << 20;

    /// The most signatures that are read.
    pub const MAX_SIGNATURES: usize = 128;

    /// Parses a narinfo. Fields that are not known are passed over, as Nix does.
    ///
    /// # Errors
    /// When it is too long, a field is missing, there twice or wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, NarInfoError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(NarInfoError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| NarInfoError::NotText)?;
        let mut fields = Fields::default();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let (key, value) = line.split_once(':').ok_or(NarInfoError::Line(at + 1))?;
            fields.take(key, value.strip_prefix(' ').unwrap_or(value))?;
        }
        fields.finish()
    }

    /// The text that Nix and plywood read.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut field = |key: &str, value: &dyn fmt::Display| {
            // Writing to a string cannot fail.
            _ = writeln!(text, "{key}: {value}");
        };
        field("StorePath", &self.store_path.absolute());
        field("URL", &self.url);
        field("Compression", &self.compression.as_str());
        if let Some(hash) = &self.file_hash {
            field("FileHash", &NarHash::new(hash.hash()).to_nix());
        }
        if let Some(size) = &self.file_size {
            field("FileSize", size);
        }
        field("NarHash", &self.nar_hash.to_nix());
        field("NarSize", &self.nar_size);
        field("References", &joined(&self.references, " ", |path| path.to_string()));
        if let Some(deriver) = &self.deriver {
            field("Deriver", deriver);
        }
        for signature in &self.signatures {
            field("Sig", signature);
        }
        if let Some(address) = &self.content_address {
            field("CA", address);
        }
        text
    }

    /// What signatures are over (Nix's `libstore/path-info.cc`, "fingerprint").
    pub fn fingerprint(&self) -> String {
        let references = joined(&self.references, ",", StorePath::absolute);
        let Self { store_path, nar_hash, nar_size, .. } = self;
        format!("1;{};{};{nar_size};{references}", store_path.absolute(), nar_hash.to_nix())
    }

    /// The name of the trusted key that signed it.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub fn verify<'k>(&self, keys: &'k TrustedPublicKeys) -> Result<&'k str, VerifyError> {
        if let Some(name) = keys.signer(self.fingerprint().as_bytes(), &self.signatures) {
            return Ok(name);
        }
        let names: Vec<String> = self.signatures.iter().map(|signature| signature.name().to_owned()).collect();
        let known = names.iter().find(|name| keys.0.iter().any(|key| key.name() == name.as_str()));
        Err(match known {
            Some(name) => VerifyError::Wrong(name.clone()),
            None if names.is_empty() => VerifyError::Unsigned,
            None => VerifyError::Untrusted(names),
        })
    }
}

fn joined(paths: &BTreeSet<StorePath>, separator: &str, text: impl Fn(&StorePath) -> String) -> String {
    paths.iter().map(text).collect::<Vec<_>>().join(separator)
}

/// What was read so far.
#[derive(Default)]
struct Fields<'t> {
    single: [Option<&'t str>; SINGLE.len()],
    signatures: Vec<Signature>,
}

/// The fields that are there once at most.
const SINGLE: [&str; 10] =
    ["StorePath", "URL", "Compression", "FileHash", "FileSize", "NarHash", "NarSize", "References", "Deriver", "CA"];

impl<'t> Fields<'t> {
    fn take(&mut self, key: &str, value: &'t str) -> Result<(), NarInfoError> {
        if key == "Sig" {
            let wrong =
                |error: super::ParseSignatureError| NarInfoError::Field { field: "Sig", why: error.to_string() };
            self.signatures.push(value.parse().map_err(wrong)?);
            if self.signatures.len() > NarInfo::MAX_SIGNATURES {
                return Err(NarInfoError::TooManySignatures);
            }
        } else if let Some(at) = SINGLE.iter().position(|known| *known == key)
            && self.single[at].replace(value).is_some()
        {
            return Err(NarInfoError::Twice(SINGLE[at]));
        }
        Ok(())
    }

    /// A field's value as `parse` reads it; `None` when the field is not there.
    fn optional<T>(
        &self,
        field: &'static str,
        parse: impl FnOnce(&'t str) -> Result<T, String>,
    ) -> Result<Option<T>, NarInfoError> {
        let value = SINGLE.iter().position(|known| *known == field).and_then(|at| self.single[at]);
        value.map(parse).transpose().map_err(|why| NarInfoError::Field { field, why })
    }

    fn required<T>(
        &self,
        field: &'static str,
        parse: impl FnOnce(&'t str) -> Result<T, String>,
    ) -> Result<T, NarInfoError> {
        self.optional(field, parse)?.ok_or(NarInfoError::Missing(field))
    }

    fn finish(self) -> Result<NarInfo, NarInfoError> {
        let references = |text: &str| -> Result<BTreeSet<StorePath>, String> {
            text.split(' ').filter(|word| !word.is_empty()).map(base_name).collect()
        };
        Ok(NarInfo {
            store_path: self
                .required("StorePath", |text| StorePath::from_absolute(text).map_err(|error| error.to_string()))?,
            url: self.required("URL", |text| text.parse().map_err(str::to_owned))?,
            // Nix's default is as old as the field is.
            compression: self
                .optional("Compression", |text| {
                    Compression::parse(text).ok_or_else(|| "plywood does not know this compression".to_owned())
                })?
                .unwrap_or(Compression::Bzip2),
            file_hash: self.optional("FileHash", sha256)?.map(FileHash::new),
            file_size: self.optional("FileSize", number)?,
            nar_hash: self.required("NarHash", sha256).map(NarHash::new)?,
            nar_size: match self.required("NarSize", number)? {
                0 => return Err(NarInfoError::Field { field: "NarSize", why: "no NAR is empty".to_owned() }),
                size => size,
            },
            references: self.optional("References", references)?.unwrap_or_default(),
            deriver: self
                .optional("Deriver", |text| match text {
                    "unknown-deriver" | "" => Ok(None),
                    base => base_name(base).map(Some),
                })?
                .flatten(),
            content_address: self.optional("CA", |text| Ok(text.to_owned()))?.filter(|text| !text.is_empty()),
            signatures: self.signatures,
        })
    }
}

fn base_name(text: &str) -> Result<StorePath, String> {
    text.parse().map_err(|error: super::ParseStorePathError| error.to_string())
}

fn sha256(text: &str) -> Result<Sha256Hash, String> {
    text.parse::<NarHash>().map(|hash| hash.hash()).map_err(|error| error.to_string())
}

fn number(text: &str) -> Result<u64, String> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().map_err(|_| "it is no number of bytes".to_owned()),
        false => Err("it is no number of bytes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::SecretKey;
    use super::*;

    const PATH: &str = "/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-hello-2.12";
    const NAR_HASH: &str = "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";

    fn text(extra: &str) -> String {
        format!("StorePath: {PATH}\nURL: nar/x.nar.xz\nCompression: xz\nNarHash: {NAR_HASH}\nNarSize: 120\n{extra}")
    }

    fn parse(text: &str) -> Result<NarInfo, NarInfoError> {
        NarInfo::parse(text.as_bytes())
    }

    #[test]
    fn a_narinfo_survives_text() {
        let base = PATH.rsplit('/').next().unwrap();
        let info = parse(&text(&format!(
            "FileHash: {NAR_HASH}\nFileSize: 60\nReferences: {base}\nDeriver: {base}.drv\nCA: fixed:r:sha256:x\nNews: x\n"
        )))
        .unwrap();
        assert_eq!(info.fingerprint(), format!("1;{PATH};{NAR_HASH};120;{PATH}"));
        assert_eq!(parse(&info.to_text()), Ok(info.clone()));
        let least = parse(&text("References: \nDeriver: unknown-deriver\n")).unwrap();
        assert_eq!((least.references.len(), &least.deriver), (0, &None));
    }

    #[test]
    fn signatures_decide_what_is_believed() {
        let (key, other) = (SecretKey::from_seed("a-1", &[1; 32]), SecretKey::from_seed("b-1", &[2; 32]));
        let mut info = parse(&text("")).unwrap();
        let keys: TrustedPublicKeys = [key.public()].into_iter().collect();
        assert_eq!(info.verify(&keys), Err(VerifyError::Unsigned));
        info.signatures = vec![other.sign(info.fingerprint().as_bytes())];
        assert_eq!(info.verify(&keys), Err(VerifyError::Untrusted(vec!["b-1".to_owned()])));
        info.signatures.push(key.sign(info.fingerprint().as_bytes()));
        assert_eq!(info.verify(&keys), Ok("a-1"));
        info.nar_size += 1;
        assert_eq!(info.verify(&keys), Err(VerifyError::Wrong("a-1".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let fault = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(fault("nonsense"), "line 1 is not `Key: value`");
        assert_eq!(fault(""), "it has no `StorePath`");
        assert_eq!(fault(&text("NarSize: 7\n")), "it has `NarSize` twice");
        assert_eq!(
            fault(&text("Deriver: x\n")),
            "`Deriver` is wrong: `x` does not start with the 32 digits of a hash and a dash"
        );
        assert!(fault(&text("References: ../x\n")).starts_with("`References` is wrong"));
        for url in ["/etc/x", "../x", "a/../x", "a//x", "https://elsewhere/x", "a/%2e%2E/x", "nar/a%2f..", "a b", ""] {
            let text = text("").replace("nar/x.nar.xz", url);
            assert_eq!(fault(&text), "`URL` is wrong: it is not a path below the cache", "{url}");
        }
        for (from, to) in [
            ("NarSize: 120", "NarSize: 0"),
            ("NarSize: 120", "NarSize: +1"),
            (NAR_HASH, "sha256:x"),
            ("xz\nNar", "lzip\nNar"),
        ] {
            assert!(parse(&text("").replace(from, to)).is_err(), "{to}");
        }
    }

    #[test]
    fn huge_narinfos_are_refused() {
        let huge = "x".repeat(NarInfo::MAX_LEN);
        assert_eq!(parse(&text(&format!("News: {huge}\n"))), Err(NarInfoError::TooLong));
        let path = text(&format!("Deriver: {}\n", "x".repeat(1 << 20)));
        assert!(parse(&path).unwrap_err().to_string().len() < 1000);
        let key = SecretKey::from_seed("a-1", &[1; 32]);
        let signature = format!("Sig: {}\n", key.sign(b""));
        assert_eq!(parse(&text(&signature.repeat(129))), Err(NarInfoError::TooManySignatures));
        assert_eq!(parse(&text(&signature.repeat(128))).unwrap().signatures.len(), 128);
        assert_eq!(NarInfo::parse(b"\xff"), Err(NarInfoError::NotText));
    }

    proptest! {
        #[test]
        fn changed_narinfos_never_panic(at: prop::sample::Index, byte: u8) {
            let info = parse(&text(&format!("References: {} {0}-b\nCA: text:x\n", &PATH[11..]))).unwrap();
            let mut bytes = info.to_text().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(info) = NarInfo::parse(&bytes) {
                prop_assert_eq!(NarInfo::parse(info.to_text().as_bytes()), Ok(info));
            }
        }

        #[test]
        fn parsing_never_panics(extra in "[A-Za-z]{0,10}: \\PC{0,80}\n") {
            if let Ok(info) = parse(&text(&extra)) {
                prop_assert_eq!(parse(&info.to_text()), Ok(info));
            }
        }

        #[test]
        fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = NarInfo::parse(&bytes);
        }
    }
}
