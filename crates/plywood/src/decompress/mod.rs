//! Decompression of whatever comes from outside, as a stream and in bounded memory.

mod memory;

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

pub(crate) use memory::{HEAD, MemoryBudget};

/// How bytes from outside may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Compression {
    None,
    Xz,
    Zstd,
    Gzip,
    Bzip2,
    Brotli,
}

/// Enough for `xz -9`, whose decoder takes 65 MiB.
const XZ_MEMORY: u64 = 96 << 20;

/// One file may be several streams.
const XZ_FLAGS: u32 = CONCATENATED;

/// The window of `zstd --ultra -22`: 2^27 bytes.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How much brotli is given at once, in bytes.
const BROTLI_BUFFER: usize = 64 << 10;

impl Compression {
    /// Starts decompressing `input`, which may be several members, streams or frames.
    ///
    /// # Errors
    /// When the decoder cannot be made; reading fails for what is malformed, cut short, or needs too much memory.
    pub(crate) fn reader<'r>(self, input: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
        self.reader_within(input, u64::MAX)
    }

    /// As [`Self::reader`], with so much memory, in bytes, as [`Self::memory`] said of the beginning of `input`.
    ///
    /// # Errors
    /// As [`Self::reader`].
    pub(crate) fn reader_within<'r>(self, input: impl BufRead + 'r, memory: u64) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match self {
            Self::Xz => {
                let stream = Stream::new_stream_decoder(memory.min(XZ_MEMORY), XZ_FLAGS).map_err(io::Error::from)?;
                Box::new(XzDecoder::new_stream(input, stream))
            }
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(input)?;
                decoder.window_log_max(memory::zstd_window_log_within(memory))?;
                Box::new(decoder)
            }
            Self::Gzip => Box::new(MultiGzDecoder::new(input)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
            Self::Brotli => Box::new(brotli_decompressor::Decompressor::new(input, BROTLI_BUFFER)),
            Self::None => Box::new(input),
        })
    }

    /// The coding that HTTP calls by this name (RFC 9110 section 8.4.1, and what binary caches add to it).
    pub(crate) fn of_content_coding(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Self::None,
            "gzip" | "x-gzip" => Self::Gzip,
            "br" => Self::Brotli,
            "zstd" => Self::Zstd,
            "xz" => Self::Xz,
            "bzip2" => Self::Bzip2,
            _ => return None,
        })
    }
}

/// Everything that `reader` gives.
///
/// # Errors
/// Those of reading, and when it gives more than `limit` bytes.
pub(crate) fn read_bounded(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("more than {limit} bytes come out")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    const COMPRESSED: [Compression; 5] =
        [Compression::Xz, Compression::Zstd, Compression::Gzip, Compression::Bzip2, Compression::Brotli];

    /// Brotli, as the tool `brotli` made it of 1000 times `Package: hello\n`: we have only its decoder.
    const BROTLI: &str = include_str!("testdata/hello.br.hex");

    fn plain() -> Vec<u8> {
        b"Package: hello\n".repeat(1000)
    }

    fn compress(compression: Compression) -> Vec<u8> {
        let data = plain();
        match compression {
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
                encoder.write_all(&data).expect("write");
                encoder.finish().expect("finish")
            }
            Compression::Zstd => zstd::encode_all(data.as_slice(), 3).expect("compress"),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&data).expect("write");
                encoder.finish().expect("finish")
            }
            Compression::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
                encoder.write_all(&data).expect("write");
                encoder.finish().expect("finish")
            }
            Compression::Brotli => data_encoding::HEXLOWER.decode(BROTLI.trim().as_bytes()).expect("hexadecimal"),
            Compression::None => data,
        }
    }

    fn decompress(compression: Compression, packed: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        read_bounded(compression.reader(packed)?, limit)
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for compression in COMPRESSED.into_iter().chain([Compression::None]) {
            let (data, packed) = (plain(), compress(compression));
            assert!(decompress(compression, &packed, data.len() as u64).expect("fits") == data, "{compression:?}");
            let error = decompress(compression, &packed, data.len() as u64 - 1).expect_err("too much");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{compression:?}");
        }
    }

    #[test]
    fn cut_data_is_an_error() {
        for compression in COMPRESSED {
            let packed = compress(compression);
            let cut = packed.get(..packed.len() - 5).expect("longer");
            assert!(decompress(compression, cut, 1 << 20).is_err(), "{compression:?}");
        }
    }

    #[test]
    fn codings_have_names() {
        for (name, expect) in [
            ("gzip", Some(Compression::Gzip)),
            (" BR ", Some(Compression::Brotli)),
            ("identity", Some(Compression::None)),
            ("compress", None),
        ] {
            assert_eq!(Compression::of_content_coding(name), expect, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for compression in COMPRESSED {
                let _ = decompress(compression, &bytes, 1 << 16);
            }
        }
    }
}
