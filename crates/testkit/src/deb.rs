//! Packages for tests: good ones, and ones no honest tool would write.

use std::io::{self, Read, Write};

use flate2::write::GzEncoder;
use liblzma::write::XzEncoder;
use plywood_core::digest::FileHash;
use tar::{EntryType, Header};

/// How the members of a package are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebCompression {
    /// `control.tar`
    None,
    /// `control.tar.gz`
    Gzip,
    /// `control.tar.xz`
    Xz,
    /// `control.tar.zst`
    Zstd,
}

/// A finished package.
#[derive(Debug, Clone)]
pub struct Deb {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Its control stanza, ending in a newline.
    pub control: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Deb {
    /// SHA-256 of the file.
    pub fn hash(&self) -> FileHash {
        FileHash::of(&self.bytes)
    }

    /// Its file name by custom, where an epoch has no place.
    pub fn file_name(&self) -> String {
        let version = self.version.split_once(':').map_or(self.version.as_str(), |(_, rest)| rest);
        format!("{}_{version}_{}.deb", self.name, self.architecture)
    }
}

/// Builds a package (deb(5)). Entries come in the order they are added, twice where they are added twice.
#[derive(Debug, Clone)]
pub struct DebBuilder {
    fields: Vec<(String, String)>,
    control_files: Vec<Entry>,
    entries: Vec<Entry>,
    compression: DebCompression,
    owner: (u64, u64),
    mtime: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    path: String,
    mode: u32,
    owner: (u64, u64),
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    File(Vec<u8>),
    /// So many zeros.
    Zeros(u64),
    Directory,
    Symlink(String),
    HardLink(String),
}

impl DebBuilder {
    /// A package with the fields that every package has.
    pub fn new(name: &str, version: &str, architecture: &str) -> Self {
        let builder = Self {
            fields: Vec::new(),
            control_files: Vec::new(),
            entries: Vec::new(),
            compression: DebCompression::Xz,
            owner: (0, 0),
            mtime: u64::from(crate::signing::KEY_TIME),
        };
        builder
            .field("Package", name)
            .field("Version", version)
            .field("Architecture", architecture)
            .field("Maintainer", "Nobody <nobody@example.org>")
            .field("Description", "a package of a test")
    }

    /// Sets a field of the control stanza.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a file to the control member, such as `conffiles`.
    #[must_use]
    pub fn control_file(mut self, name: &str, text: &str) -> Self {
        self.control_files.push(Entry::root(&format!("./{name}"), 0o644, Kind::File(text.into())));
        self
    }

    /// Adds a maintainer script, such as `postinst`.
    #[must_use]
    pub fn script(mut self, name: &str, text: &str) -> Self {
        self.control_files.push(Entry::root(&format!("./{name}"), 0o755, Kind::File(text.into())));
        self
    }

    /// Who owns the entries that are added from now on.
    #[must_use]
    pub fn owned_by(mut self, uid: u64, gid: u64) -> Self {
        self.owner = (uid, gid);
        self
    }

    /// Adds a regular file; the path is written as it is, even where it should not be.
    #[must_use]
    pub fn file(self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        self.entry(path, mode, Kind::File(bytes.into()))
    }

    /// Adds a file of so many zeros: a decompression bomb, if they are many.
    #[must_use]
    pub fn zeros(self, path: &str, size: u64) -> Self {
        self.entry(path, 0o644, Kind::Zeros(size))
    }

    /// Adds a directory.
    #[must_use]
    pub fn directory(self, path: &str, mode: u32) -> Self {
        self.entry(path, mode, Kind::Directory)
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, 0o777, Kind::Symlink(target.to_owned()))
    }

    /// Adds a hard link to an earlier entry, named as it was.
    #[must_use]
    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(path, 0o644, Kind::HardLink(target.to_owned()))
    }

    /// How both members are compressed; xz unless told.
    #[must_use]
    pub fn compression(mut self, compression: DebCompression) -> Self {
        self.compression = compression;
        self
    }

    fn entry(mut self, path: &str, mode: u32, kind: Kind) -> Self {
        self.entries.push(Entry { path: path.to_owned(), mode, owner: self.owner, kind });
        self
    }

    /// Writes the package.
    ///
    /// # Panics
    /// When a codec fails, which in memory it does not.
    pub fn build(&self) -> Deb {
        let control: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let mut control_entries = vec![
            Entry::root("./", 0o755, Kind::Directory),
            Entry::root("./control", 0o644, Kind::File(control.clone().into_bytes())),
        ];
        control_entries.extend(self.control_files.iter().cloned());
        let extension = self.compression.extension();
        let bytes = ar(&[
            ("debian-binary", b"2.0\n"),
            (&format!("control.tar{extension}"), &self.member(&control_entries)),
            (&format!("data.tar{extension}"), &self.member(&self.entries)),
        ]);
        let value = |name: &str| self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        Deb {
            name: value("Package").unwrap_or_default(),
            version: value("Version").unwrap_or_default(),
            architecture: value("Architecture").unwrap_or_default(),
            control,
            bytes,
        }
    }

    fn member(&self, entries: &[Entry]) -> Vec<u8> {
        let mut writer = self.compression.writer();
        for entry in entries {
            entry.write(&mut writer, self.mtime).expect("memory takes it");
        }
        writer.write_all(&[0; 1024]).expect("memory takes it");
        writer.finish().expect("memory takes it")
    }
}

impl Entry {
    fn root(path: &str, mode: u32, kind: Kind) -> Self {
        Self { path: path.to_owned(), mode, owner: (0, 0), kind }
    }

    fn write(&self, writer: &mut impl Write, mtime: u64) -> io::Result<()> {
        let (entry_type, size, target) = match &self.kind {
            Kind::File(bytes) => (EntryType::Regular, bytes.len() as u64, None),
            Kind::Zeros(size) => (EntryType::Regular, *size, None),
            Kind::Directory => (EntryType::Directory, 0, None),
            Kind::Symlink(target) => (EntryType::Symlink, 0, Some(target)),
            Kind::HardLink(target) => (EntryType::Link, 0, Some(target)),
        };
        long_name(writer, EntryType::GNULongName, &self.path)?;
        if let Some(target) = target {
            long_name(writer, EntryType::GNULongLink, target)?;
        }
        let mut header = Header::new_gnu();
        // Straight into the field: the library's own setters refuse the names that tests need.
        put(&mut header.as_old_mut().name, self.path.as_bytes());
        put(&mut header.as_old_mut().linkname, target.map_or(&[][..], |target| target.as_bytes()));
        header.set_entry_type(entry_type);
        header.set_mode(self.mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(mtime);
        header.set_size(size);
        header.set_cksum();
        writer.write_all(header.as_bytes())?;
        match &self.kind {
            Kind::File(bytes) => writer.write_all(bytes)?,
            Kind::Zeros(size) => drop(io::copy(&mut io::repeat(0).take(*size), writer)?),
            _ => {}
        }
        pad(writer, size)
    }
}

/// GNU's way of names above 100 bytes: an entry of its own with the name as its content.
fn long_name(writer: &mut impl Write, kind: EntryType, name: &str) -> io::Result<()> {
    if name.len() <= 100 {
        return Ok(());
    }
    let mut header = Header::new_gnu();
    put(&mut header.as_old_mut().name, b"././@LongLink");
    header.set_entry_type(kind);
    header.set_size(name.len() as u64 + 1);
    header.set_mode(0);
    header.set_cksum();
    writer.write_all(header.as_bytes())?;
    writer.write_all(name.as_bytes())?;
    writer.write_all(&[0])?;
    pad(writer, name.len() as u64 + 1)
}

fn put(field: &mut [u8], bytes: &[u8]) {
    for (to, from) in field.iter_mut().zip(bytes) {
        *to = *from;
    }
}

fn pad(writer: &mut impl Write, size: u64) -> io::Result<()> {
    let rest = usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0);
    writer.write_all([0; 512].get(..rest).unwrap_or_default())
}

/// The `ar` archive of deb(5).
pub fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend_from_slice(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len()).as_bytes(),
        );
        bytes.extend_from_slice(content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

enum Compressor {
    None(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Xz(XzEncoder<Vec<u8>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl DebCompression {
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Xz => ".xz",
            Self::Zstd => ".zst",
        }
    }

    fn writer(self) -> Compressor {
        match self {
            Self::None => Compressor::None(Vec::new()),
            Self::Gzip => Compressor::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::default())),
            Self::Xz => Compressor::Xz(XzEncoder::new(Vec::new(), 1)),
            Self::Zstd => Compressor::Zstd(zstd::Encoder::new(Vec::new(), 1).expect("memory for the encoder")),
        }
    }

    /// Compresses bytes as this says.
    pub fn compress(self, bytes: &[u8]) -> Vec<u8> {
        let mut writer = self.writer();
        writer.write_all(bytes).and_then(|()| writer.finish()).expect("memory takes it")
    }
}

impl Compressor {
    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::None(bytes) => Ok(bytes),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Xz(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Compressor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(writer) => writer.write(bytes),
            Self::Gzip(writer) => writer.write(bytes),
            Self::Xz(writer) => writer.write(bytes),
            Self::Zstd(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
