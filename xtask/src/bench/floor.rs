//! The floor: what any builder must do with the same packages, and nothing else.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;

/// Seconds for decoding all packages on all cores, and for compressing what they hold.
pub(super) struct Floor {
    pub(super) decode: f64,
    pub(super) compress: f64,
}

impl Floor {
    pub(super) fn seconds(&self) -> f64 {
        self.decode + self.compress
    }
}

pub(super) fn measure(packages: &[PathBuf], scratch: &Path) -> Result<Floor, Box<dyn Error>> {
    let tar = scratch.join("floor.tar");
    let out = Mutex::new(BufWriter::with_capacity(1 << 20, File::create(&tar)?));
    let mut by_size: Vec<&PathBuf> = packages.iter().collect();
    by_size.sort_by_key(|path| std::cmp::Reverse(path.metadata().map_or(0, |meta| meta.len())));

    let start = Instant::now();
    by_size.par_iter().try_for_each(|path| -> io::Result<()> {
        let data = decode(path)?;
        out.lock().map_err(|_| io::Error::other("another thread failed"))?.write_all(&data)
    })?;
    out.into_inner().map_err(|_| "another thread failed")?.flush()?;
    let decode = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut encoder = zstd::Encoder::new(BufWriter::new(File::create(scratch.join("floor.tar.zst"))?), 3)?;
    encoder.multithread(2)?;
    io::copy(&mut BufReader::with_capacity(1 << 20, File::open(&tar)?), &mut encoder)?;
    encoder.finish()?.flush()?;
    let compress = start.elapsed().as_secs_f64();
    std::fs::remove_file(&tar)?;
    Ok(Floor { decode, compress })
}

/// The uncompressed data member of a `.deb`.
fn decode(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut magic = [0; 8];
    file.read_exact(&mut magic)?;
    loop {
        let mut header = [0; 60];
        file.read_exact(&mut header)?;
        let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim().to_owned();
        let size: u64 = text(48..58).parse().map_err(io::Error::other)?;
        let name = text(0..16);
        let member = (&mut file).take(size);
        let mut data = Vec::new();
        match name.trim_end_matches('/') {
            "data.tar.xz" => liblzma::bufread::XzDecoder::new(BufReader::new(member)).read_to_end(&mut data)?,
            "data.tar.zst" => zstd::Decoder::new(member)?.read_to_end(&mut data)?,
            "data.tar.gz" => flate2::read::GzDecoder::new(member).read_to_end(&mut data)?,
            "data.tar" => BufReader::new(member).read_to_end(&mut data)?,
            _ => {
                io::copy(&mut { member }, &mut io::sink())?;
                io::copy(&mut (&mut file).take(size % 2), &mut io::sink())?;
                continue;
            }
        };
        return Ok(data);
    }
}
