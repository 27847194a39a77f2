//! Decompression of indexes, bounded.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

/// How an index may be compressed, in the order we prefer: smallest first, `zst` before `gz` for its speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Xz,
    Zstd,
    Gzip,
    None,
}

/// Enough for `xz -9`, whose decoder takes 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// The window of `zstd --ultra -22`: 2^27 bytes.
const ZSTD_WINDOW_LOG: u32 = 27;

impl Compression {
    pub(super) const ALL: [Self; 4] = [Self::Xz, Self::Zstd, Self::Gzip, Self::None];

    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Xz => ".xz",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::None => "",
        }
    }

    /// Decompresses everything.
    ///
    /// # Errors
    /// When the data is malformed, or gives more than `limit` bytes.
    pub(super) fn decompress(self, data: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut reader = self.reader(data)?.take(limit.saturating_add(1));
        reader.read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("more than {limit} bytes come out")));
        }
        Ok(bytes)
    }

    fn reader(self, data: &[u8]) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Xz => {
                let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED).map_err(io::Error::from)?;
                Box::new(XzDecoder::new_stream(data, stream))
            }
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(data)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            Self::Gzip => Box::new(MultiGzDecoder::new(data)),
            Self::None => Box::new(data),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn compress(compression: Compression, data: &[u8]) -> Vec<u8> {
        match compression {
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
                encoder.write_all(data).expect("write");
                encoder.finish().expect("finish")
            }
            Compression::Zstd => zstd::encode_all(data, 3).expect("compress"),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(data).expect("write");
                encoder.finish().expect("finish")
            }
            Compression::None => data.to_vec(),
        }
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for compression in Compression::ALL {
            let data = b"Package: hello\n".repeat(1000);
            let packed = compress(compression, &data);
            assert_eq!(compression.decompress(&packed, data.len() as u64).expect("fits"), data);
            let error = compression.decompress(&packed, data.len() as u64 - 1).expect_err("too much");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{compression:?}");
        }
    }

    #[test]
    fn cut_data_is_an_error() {
        for compression in [Compression::Xz, Compression::Zstd, Compression::Gzip] {
            let packed = compress(compression, &b"Package: hello\n".repeat(1000));
            let cut = packed.get(..packed.len() - 9).expect("longer");
            assert!(compression.decompress(cut, 1 << 20).is_err(), "{compression:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for compression in Compression::ALL {
                let _ = compression.decompress(&bytes, 1 << 16);
            }
        }
    }
}
