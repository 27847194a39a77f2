//! How much memory decoders take, and a bound for those at work at once.

use std::sync::{Condvar, Mutex, PoisonError};

use liblzma::stream::{Action, Stream};

use super::{Compression, XZ_FLAGS, XZ_MEMORY, ZSTD_WINDOW_LOG};

/// As much of a file as says how large a window its decoder needs, in bytes: the first header of any format is shorter.
pub(crate) const HEAD: u64 = 2048;

const MIB: u64 = 1 << 20;

/// What is granted at least, since a later part of a file may want more than its first: enough for `xz -6`.
const XZ_LEAST: u64 = 10 * MIB;

/// The same for zstd: the window of `zstd -19` (RFC 9659 section 3), which any file may have.
const ZSTD_LEAST_LOG: u32 = 23;

/// What a decoder of zstd takes besides its window.
const ZSTD_BUFFERS: u64 = MIB;

/// The largest blocks of bzip2 (bzip2(1), "Memory management").
const BZIP2: u64 = 4 * MIB;

/// The largest window of brotli (RFC 7932 section 9.1), and tables.
const BROTLI: u64 = 20 * MIB;

impl Compression {
    /// How much memory decoding a file with this beginning takes, in bytes, to be given to
    /// [`reader_within`](Self::reader_within). What needs too much, or is malformed, is left to reading.
    pub(crate) fn memory(self, head: &[u8]) -> u64 {
        match self {
            Self::None => 0,
            Self::Gzip => MIB,
            Self::Bzip2 => BZIP2,
            Self::Brotli => BROTLI,
            Self::Xz => xz_memory(head),
            Self::Zstd => (1 << zstd_window_log(head)) + ZSTD_BUFFERS,
        }
    }
}

/// The largest window that a decoder of zstd may have within so much memory, as a power of two.
pub(super) fn zstd_window_log_within(memory: u64) -> u32 {
    memory.saturating_sub(ZSTD_BUFFERS).checked_ilog2().unwrap_or(0).clamp(ZSTD_LEAST_LOG, ZSTD_WINDOW_LOG)
}

/// What liblzma itself says that the first block needs, in steps of a mebibyte.
fn xz_memory(head: &[u8]) -> u64 {
    // With no memory at all it stops before it takes any, and then refuses every limit that would not do.
    let Ok(mut probe) = Stream::new_stream_decoder(1, XZ_FLAGS) else { return XZ_MEMORY };
    match probe.process(head, &mut [], Action::Run) {
        Err(liblzma::stream::Error::MemLimit) => {}
        _ => return XZ_LEAST,
    }
    let mut limits = (XZ_LEAST / MIB..XZ_MEMORY / MIB).map(|mebibytes| mebibytes * MIB);
    limits.find(|limit| probe.set_memlimit(*limit).is_ok()).unwrap_or(XZ_MEMORY)
}

/// The power of two that holds the window of the first frame (RFC 8878 section 3.1.1.1).
fn zstd_window_log(head: &[u8]) -> u32 {
    let window = match *head {
        // The window is the content's size, which follows in one to eight bytes after an id of none to four bytes.
        [0x28, 0xb5, 0x2f, 0xfd, descriptor, ref rest @ ..] if descriptor & 0x20 != 0 => {
            let id = [0, 1, 2, 4][usize::from(descriptor & 3)];
            let length = 1 << (descriptor >> 6);
            let size = rest.get(id..id + length).unwrap_or_default();
            let size = size.iter().rev().fold(0_u64, |size, byte| size << 8 | u64::from(*byte));
            // Two bytes count from 256; as a bound that is of no weight.
            Some(size)
        }
        [0x28, 0xb5, 0x2f, 0xfd, _, window, ..] => {
            let base = 1_u64 << (10 + (window >> 3));
            Some(base + base / 8 * u64::from(window & 7))
        }
        // Nothing that is known beforehand, such as a frame to be skipped.
        _ => None,
    };
    let log = window.map_or(ZSTD_WINDOW_LOG, |window| window.checked_next_power_of_two().map_or(63, u64::ilog2));
    log.clamp(ZSTD_LEAST_LOG, ZSTD_WINDOW_LOG)
}

/// Memory that several share; who finds too little waits.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    all: u64,
    free: Mutex<u64>,
    freed: Condvar,
}

/// A part of a [`MemoryBudget`] that is in use until this is dropped. Whoever has one must not ask for another.
#[derive(Debug)]
pub(crate) struct MemoryShare<'b> {
    budget: &'b MemoryBudget,
    bytes: u64,
}

impl MemoryBudget {
    /// So many bytes.
    pub(crate) fn new(all: u64) -> Self {
        Self { all, free: Mutex::new(all), freed: Condvar::new() }
    }

    /// Waits until so many bytes are free. More than there are in all is all.
    pub(crate) fn take(&self, bytes: u64) -> MemoryShare<'_> {
        let bytes = bytes.min(self.all);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_while(free, |free| *free < bytes);
        *waited.unwrap_or_else(PoisonError::into_inner) -= bytes;
        MemoryShare { budget: self, bytes }
    }
}

impl Drop for MemoryShare<'_> {
    fn drop(&mut self) {
        *self.budget.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::atomic::{AtomicU64, Ordering};

    use liblzma::stream::{Check, Filters, LzmaOptions};
    use proptest::prelude::*;

    use super::*;

    fn xz(dictionary: u32) -> Vec<u8> {
        let mut options = LzmaOptions::new_preset(0).expect("a preset");
        options.dict_size(dictionary);
        let stream = Stream::new_stream_encoder(Filters::new().lzma2(&options), Check::Crc64).expect("made");
        let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        encoder.write_all(b"plywood").expect("written");
        encoder.finish().expect("finished")
    }

    fn zstd(log: u32, sized: bool) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("made");
        encoder.window_log(log).expect("a window");
        if sized {
            encoder.set_pledged_src_size(Some(7)).expect("a size");
        }
        encoder.write_all(b"plywood").expect("written");
        encoder.finish().expect("finished")
    }

    fn check(compression: Compression, file: &[u8], expect: u64) {
        let memory = compression.memory(file);
        assert_eq!(memory / MIB, expect, "{compression:?}");
        let mut reader = compression.reader_within(file, memory).expect("made");
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("read within what it said");
        assert_eq!(text, "plywood");
    }

    #[test]
    fn a_file_says_how_much_memory_it_needs() {
        for (mebibytes, expect) in [(1, 10), (8, 10), (16, 17), (64, 65)] {
            check(Compression::Xz, &xz(mebibytes << 20), expect);
        }
        for (log, expect) in [(10, 9), (21, 9), (23, 9), (24, 17), (27, 129)] {
            check(Compression::Zstd, &zstd(log, false), expect);
        }
        check(Compression::Zstd, &zstd(27, true), 9);
        check(Compression::None, b"plywood", 0);
    }

    #[test]
    fn what_needs_more_than_its_beginning_said_is_refused() {
        let check = |compression: Compression, small: Vec<u8>, large: Vec<u8>| {
            let both = [small.as_slice(), &large].concat();
            let mut reader = compression.reader_within(&*both, compression.memory(&both)).expect("made");
            reader.read_to_end(&mut Vec::new()).expect_err("more memory than it said");
        };
        check(Compression::Xz, xz(1 << 20), xz(64 << 20));
        check(Compression::Zstd, zstd(21, false), zstd(27, false));
    }

    #[test]
    fn what_is_in_use_never_exceeds_the_budget() {
        let (budget, used) = (MemoryBudget::new(100), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [10, 90, 100, 1000, 60, 60, 1, 0] {
                let (budget, used) = (&budget, &used);
                scope.spawn(move || {
                    for _ in 0..100 {
                        let share = budget.take(bytes);
                        assert!(used.fetch_add(share.bytes, Ordering::SeqCst) + share.bytes <= 100);
                        std::thread::yield_now();
                        used.fetch_sub(share.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        drop(budget.take(u64::MAX));
    }

    proptest! {
        #[test]
        fn no_beginning_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), magic: bool) {
            let zstd = [if magic { &[0x28, 0xb5, 0x2f, 0xfd][..] } else { &[] }, &bytes].concat();
            prop_assert!(Compression::Zstd.memory(&zstd) <= (1 << ZSTD_WINDOW_LOG) + ZSTD_BUFFERS);
            let xz = [if magic { b"\xfd7zXZ\0".as_slice() } else { &[] }, &bytes].concat();
            prop_assert!(Compression::Xz.memory(&xz) <= XZ_MEMORY);
        }
    }
}
