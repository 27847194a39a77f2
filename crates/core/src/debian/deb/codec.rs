//! Compression of the members `control.tar` and `data.tar` (deb(5)).

use std::io::{self, BufReader, Read};

use bstr::{BString, ByteSlice};

use super::ContainerError;

/// Window that a zstd stream may ask for, as a power of two; dpkg never uses more (`zstd --ultra`'s default).
const ZSTD_WINDOW_LOG: u32 = 27;

/// As much is decoded at once as makes the calls into the codecs cheap.
const BUFFER: usize = 128 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Stored,
    Gzip,
    Xz,
    Lzma,
    Zstd,
}

impl Codec {
    /// The compression of a member by its name; `None` when it is not the member `expected` at all.
    pub(super) fn of_member(name: &BString, expected: &'static str) -> Option<Result<Self, ContainerError>> {
        let extension = name.strip_prefix(expected.as_bytes())?;
        let codec = match extension {
            b"" => Codec::Stored,
            b".gz" => Codec::Gzip,
            b".xz" => Codec::Xz,
            b".lzma" => Codec::Lzma,
            b".zst" => Codec::Zstd,
            _ => return Some(Err(ContainerError::Compression(name.as_bstr().to_owned()))),
        };
        Some(Ok(codec))
    }

    /// The decoded bytes of `reader`, with at most about `memory` bytes for the dictionary.
    pub(super) fn decode<'r>(self, reader: impl Read + 'r, memory: u64) -> io::Result<Box<dyn Read + 'r>> {
        use liblzma::read::XzDecoder;
        use liblzma::stream::{CONCATENATED, Stream};
        Ok(match self {
            Codec::Stored => Box::new(BufReader::with_capacity(BUFFER, reader)),
            Codec::Gzip => buffered(flate2::read::MultiGzDecoder::new(reader)),
            Codec::Xz => buffered(XzDecoder::new_stream(reader, Stream::new_stream_decoder(memory, CONCATENATED)?)),
            Codec::Lzma => buffered(XzDecoder::new_stream(reader, Stream::new_lzma_decoder(memory)?)),
            Codec::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(reader)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                buffered(decoder)
            }
        })
    }
}

fn buffered<'r>(decoder: impl Read + 'r) -> Box<dyn Read + 'r> {
    Box::new(BufReader::with_capacity(BUFFER, decoder))
}
