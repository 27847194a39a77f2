//! The floor of a closure: one tar, one zstd, two SHA-256 passes over the same bytes, one after the other.

use std::error::Error;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

/// What any builder must do with the same paths, and nothing else.
pub(super) struct Floor {
    paths: Vec<String>,
    /// The tar; kept, so that its memory is asked for once only.
    bytes: Vec<u8>,
}

/// Seconds of each step.
pub(super) struct Steps {
    tar: f64,
    compress: f64,
    hash: f64,
}

impl Floor {
    pub(super) fn new(paths: Vec<String>) -> Self {
        Self { paths, bytes: Vec::new() }
    }

    pub(super) fn paths(&self) -> usize {
        self.paths.len()
    }

    /// How long the tar was, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn measure(&mut self) -> Result<Steps, Box<dyn Error>> {
        let tar = timed(|| self.pack())?;
        let compress = timed(|| Ok(self.compress()?))?;
        let hash = timed(|| {
            for _ in 0..2 {
                std::hint::black_box(Sha256::digest(&self.bytes));
            }
            Ok(())
        })?;
        Ok(Steps { tar, compress, hash })
    }

    /// One tar of all paths, in memory.
    fn pack(&mut self) -> Result<(), Box<dyn Error>> {
        let mut child = Command::new("tar").args(["-c", "-P"]).args(&self.paths).stdout(Stdio::piped()).spawn()?;
        self.bytes.clear();
        child.stdout.take().ok_or("tar has no output")?.read_to_end(&mut self.bytes)?;
        if child.wait()?.success() { Ok(()) } else { Err("tar failed".into()) }
    }

    fn compress(&self) -> io::Result<()> {
        let mut encoder = zstd::Encoder::new(io::sink(), 3)?;
        encoder.multithread(2)?;
        encoder.write_all(&self.bytes)?;
        encoder.finish().map(drop)
    }
}

impl Steps {
    pub(super) fn seconds(&self) -> f64 {
        self.tar + self.compress + self.hash
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tar, compress, hash } = self;
        write!(
            f,
            "{:.2} s: tar {tar:.2} s, zstd -3 -T2 {compress:.2} s, two SHA-256 passes {hash:.2} s",
            self.seconds()
        )
    }
}

fn timed(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}
