//! Writing a NAR as a stream.

use std::io::{self, Read, Write};

use bstr::BStr;

use super::read::fault_of;
use super::{MAGIC, NarSink};
use crate::tree::TreePath;

/// How much of a file is copied at once, in bytes.
const BUFFER: usize = 128 << 10;

/// Writes a NAR. It is a [`NarSink`], so a NAR that is read into one comes out the same.
///
/// Give each directory before its members and members by the bytes of their names; [`finish`](Self::finish) ends it.
pub struct NarWriter<W> {
    out: W,
    /// The directories that are open, the root first, with the name of the last member.
    open: Vec<(TreePath, Vec<u8>)>,
    started: bool,
    buffer: Vec<u8>,
}

impl<W: Write> NarWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, open: Vec::new(), started: false, buffer: vec![0; BUFFER] }
    }

    /// Everything of a file that comes before its contents, for who has these in hand anyway: hand them to
    /// [`put`](Self::put), and what this returns to [`end_file`](Self::end_file).
    ///
    /// # Errors
    /// When a file cannot come here, or `out` fails.
    pub fn start_file(&mut self, path: &TreePath, executable: bool, size: u64) -> io::Result<bool> {
        let member = self.start(path)?;
        self.string(b"regular")?;
        if executable {
            self.strings(&["executable", ""])?;
        }
        self.string(b"contents")?;
        self.out.write_all(&size.to_le_bytes())?;
        Ok(member)
    }

    /// More of a file's contents, which must be `size` bytes in all.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// What follows a file's contents.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn end_file(&mut self, size: u64, member: bool) -> io::Result<()> {
        self.padding(size)?;
        self.end(member)
    }

    /// Where the NAR goes.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// Ends the NAR.
    ///
    /// # Errors
    /// When nothing was given, or `out` fails.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.started {
            return Err(invalid("a NAR has a root"));
        }
        self.close_down_to(0)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn string(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(&(bytes.len() as u64).to_le_bytes())?;
        self.out.write_all(bytes)?;
        self.padding(bytes.len() as u64)
    }

    fn padding(&mut self, length: u64) -> io::Result<()> {
        self.out.write_all(&[0; 8][..(length.wrapping_neg() % 8) as usize])
    }

    fn strings(&mut self, words: &[&str]) -> io::Result<()> {
        words.iter().try_for_each(|word| self.string(word.as_bytes()))
    }

    fn close_down_to(&mut self, depth: usize) -> io::Result<()> {
        while self.open.len() > depth {
            self.open.pop();
            self.string(b")")?;
            if !self.open.is_empty() {
                self.string(b")")?;
            }
        }
        Ok(())
    }

    /// Everything of a node up to its type. Whether it is a member whose entry must be closed after it.
    fn start(&mut self, path: &TreePath) -> io::Result<bool> {
        let Some(parent) = path.parent() else {
            if std::mem::replace(&mut self.started, true) {
                return Err(invalid("a NAR has one root"));
            }
            self.string(MAGIC)?;
            self.strings(&["(", "type"])?;
            return Ok(false);
        };
        let depth = self.open.iter().position(|(open, _)| *open == parent);
        let depth = depth.ok_or_else(|| invalid("a member comes after its directory and before the next one"))?;
        self.close_down_to(depth + 1)?;
        let name = path.file_name().unwrap_or_default().to_vec();
        let last = self.open.last_mut().map(|(_, last)| std::mem::replace(last, name.clone())).unwrap_or_default();
        if let Some(fault) = fault_of(&name, &last) {
            return Err(invalid(&format!("{path} cannot be in a NAR here: {fault}")));
        }
        self.strings(&["entry", "(", "name"])?;
        self.string(&name)?;
        self.strings(&["node", "(", "type"])?;
        Ok(true)
    }

    fn end(&mut self, member: bool) -> io::Result<()> {
        self.strings(if member { &[")", ")"] } else { &[")"] })
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

impl<W: Write> NarSink for NarWriter<W> {
    fn directory(&mut self, path: &TreePath) -> io::Result<()> {
        self.start(path)?;
        self.string(b"directory")?;
        self.open.push((path.clone(), Vec::new()));
        Ok(())
    }

    fn symlink(&mut self, path: &TreePath, target: &BStr) -> io::Result<()> {
        let member = self.start(path)?;
        self.strings(&["symlink", "target"])?;
        self.string(target)?;
        self.end(member)
    }

    fn file(&mut self, path: &TreePath, executable: bool, size: u64, data: &mut dyn Read) -> io::Result<()> {
        let member = self.start_file(path, executable, size)?;
        let mut left = size;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER);
            match data.read(&mut self.buffer[..wanted]) {
                Ok(0) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{path} is shorter than it was")));
                }
                Ok(length) => {
                    self.out.write_all(&self.buffer[..length])?;
                    left -= length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.end_file(size, member)
    }
}
