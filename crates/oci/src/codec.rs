//! Compression of segments and layers.

use std::fmt;
use std::io::{self, Read, Write};

use flate2::{Compression, GzBuilder};
use plywood_core::oci::MediaType;
use serde::{Deserialize, Serialize};

/// The two zero blocks that end a tar archive, in bytes.
pub(crate) const END_OF_ARCHIVE: [u8; 1024] = [0; 1024];

/// The version of the gzip compressor; raised by hand when an update of it changes its output (a golden test tells).
const GZIP_VERSION: &str = "zlib-rs-0.6";

/// How segments are compressed. Each segment is one zstd frame or gzip member, so that segments can be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// RFC 8878, for Docker 23 and later, podman, containerd.
    Zstd {
        /// zstd's level, 1 to 19.
        level: u8,
    },
    /// RFC 1952, which every engine takes.
    Gzip {
        /// zlib's level, 1 to 9.
        level: u8,
    },
}

impl Codec {
    /// The default: zstd at level 3.
    pub const ZSTD: Self = Self::Zstd { level: 3 };
    /// gzip at level 6.
    pub const GZIP: Self = Self::Gzip { level: 6 };

    /// The media type of a layer so compressed.
    pub fn media_type(self) -> MediaType {
        LayerCompression::from(self).media_type()
    }

    /// Starts compressing into `out`.
    pub(crate) fn encoder<W: Write>(self, out: W) -> io::Result<Encoder<W>> {
        match self {
            Self::Zstd { level } => {
                // One thread: segments are made in parallel already, and a second thread would change the bytes.
                let mut encoder = zstd::Encoder::new(out, i32::from(level))?;
                // The checksum lets a layer made from a damaged segment fail instead of shipping.
                encoder.include_checksum(true)?;
                Ok(Encoder::Zstd(encoder))
            }
            Self::Gzip { level } => {
                // No time, no name, an unknown operating system: nothing but the data decides the bytes.
                let builder = GzBuilder::new().mtime(0).operating_system(255);
                let encoder = builder.write(out, Compression::new(u32::from(level)));
                Ok(Encoder::Gzip(FixedChunks { inner: encoder, pending: Vec::with_capacity(CHUNK) }))
            }
        }
    }

    /// Starts decompressing `input`, which may be several frames or members.
    pub(crate) fn decoder<R: Read>(self, input: R) -> io::Result<Decoder<R>> {
        match self {
            Self::Zstd { .. } => Ok(Decoder::Zstd(zstd::Decoder::new(input)?)),
            Self::Gzip { .. } => Ok(Decoder::Gzip(Box::new(flate2::read::MultiGzDecoder::new(input)))),
        }
    }
}

impl fmt::Display for Codec {
    /// Everything that decides the compressed bytes, fit for file names and cache keys: `zstd-1.5.7-3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd { level } => write!(f, "zstd-{}-{level}", zstd::zstd_safe::version_string()),
            Self::Gzip { level } => write!(f, "gzip-{GZIP_VERSION}-{level}"),
        }
    }
}

/// Compresses what is written to it.
pub(crate) enum Encoder<W: Write> {
    Zstd(zstd::Encoder<'static, W>),
    Gzip(FixedChunks<flate2::write::GzEncoder<W>>),
}

impl<W: Write> Encoder<W> {
    /// Ends the frame or member.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.into_inner()?.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    /// Nothing is handed on early: that would end a block, and when it was called would show in the bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How much the gzip compressor is given at once, in bytes.
const CHUNK: usize = 64 << 10;

/// Hands bytes on in chunks of one size, however they come: what zlib-rs makes of them depends on how they are cut.
pub(crate) struct FixedChunks<W> {
    inner: W,
    pending: Vec<u8>,
}

impl<W: Write> FixedChunks<W> {
    /// Hands on the rest.
    fn into_inner(mut self) -> io::Result<W> {
        self.inner.write_all(&self.pending)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for FixedChunks<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() == CHUNK {
            self.inner.write_all(&self.pending)?;
            self.pending.clear();
        }
        let taken = bytes.len().min(CHUNK - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a layer is compressed, be it one of ours or of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerCompression {
    /// Not at all.
    None,
    /// gzip, in any number of members.
    Gzip,
    /// zstd, in any number of frames.
    Zstd,
}

impl LayerCompression {
    /// That of layers of this type, OCI's or Docker's; `None` for what is no layer that is read.
    pub fn of(media_type: &MediaType) -> Option<Self> {
        match media_type {
            known if *known == MediaType::LAYER_TAR_ZSTD => Some(Self::Zstd),
            known if *known == MediaType::LAYER_TAR_GZIP || *known == MediaType::DOCKER_LAYER_GZIP => Some(Self::Gzip),
            known if *known == MediaType::LAYER_TAR || *known == MediaType::DOCKER_LAYER => Some(Self::None),
            _ => None,
        }
    }

    /// OCI's media type of a layer so compressed. Docker's types name the same bytes.
    pub fn media_type(self) -> MediaType {
        match self {
            Self::None => MediaType::LAYER_TAR,
            Self::Gzip => MediaType::LAYER_TAR_GZIP,
            Self::Zstd => MediaType::LAYER_TAR_ZSTD,
        }
    }

    /// Starts decompressing `input`.
    pub(crate) fn decoder<R: Read>(self, input: R) -> io::Result<Decoder<R>> {
        match self {
            Self::None => Ok(Decoder::Plain(input)),
            Self::Gzip => Codec::GZIP.decoder(input),
            Self::Zstd => Codec::ZSTD.decoder(input),
        }
    }
}

impl From<Codec> for LayerCompression {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Zstd { .. } => Self::Zstd,
            Codec::Gzip { .. } => Self::Gzip,
        }
    }
}

/// Decompresses what is read from it.
pub(crate) enum Decoder<R: Read> {
    Plain(R),
    Zstd(zstd::Decoder<'static, io::BufReader<R>>),
    Gzip(Box<flate2::read::MultiGzDecoder<R>>),
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use plywood_core::digest::Digest;

    use super::*;

    /// About a megabyte that compresses somewhat, from a small generator of our own.
    fn sample() -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"plywood base"[(state >> 24) as usize % 12]
        };
        (0..1_000_000).map(|_| next()).collect()
    }

    fn compressed(codec: Codec, bytes: &[u8]) -> Vec<u8> {
        let mut encoder = codec.encoder(Vec::new()).expect("made");
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    }

    /// Layer digests must not change unnoticed: a codec update that fails here needs a new version in `Display`.
    #[test]
    fn compressed_bytes_are_those_of_the_named_version() {
        let sample = sample();
        let check = |codec: Codec, expect: &str| {
            let digest = Digest::of(&compressed(codec, &sample)).to_hex();
            assert_eq!(format!("{codec} {}", &digest[..16]), expect);
        };
        check(Codec::ZSTD, "zstd-1.5.7-3 3596e1f24018d5b0");
        check(Codec::GZIP, "gzip-zlib-rs-0.6-6 6eeaebcb08fb6089");
    }

    #[test]
    fn bytes_do_not_depend_on_how_they_are_cut() {
        let sample = sample();
        for codec in [Codec::ZSTD, Codec::GZIP] {
            let whole = compressed(codec, &sample);
            for size in [511, 4096, 65_537, 300_000] {
                let mut encoder = codec.encoder(Vec::new()).expect("made");
                for part in sample.chunks(size) {
                    encoder.write_all(part).expect("written");
                    encoder.flush().expect("flushed");
                }
                let cut = encoder.finish().expect("finished");
                assert!(cut == whole, "{codec} in parts of {size} bytes");
            }
        }
    }

    #[test]
    fn joined_frames_decompress_to_joined_bytes() {
        for codec in [Codec::ZSTD, Codec::GZIP] {
            let joined = [compressed(codec, b"one "), compressed(codec, b"two"), compressed(codec, &END_OF_ARCHIVE)];
            let mut back = Vec::new();
            codec.decoder(joined.concat().as_slice()).expect("made").read_to_end(&mut back).expect("read");
            assert_eq!(back, [b"one two".as_slice(), &END_OF_ARCHIVE].concat());
        }
    }
}
