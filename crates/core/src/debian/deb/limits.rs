//! How much a package may hold.

/// Bounds on what one package may make us read, keep in memory or write.
///
/// They say nothing about what is in a segment, so they are no part of an item's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Members of `data.tar`; the largest package in trixie has about 130 000.
    pub members: usize,
    /// Bytes of `control.tar` when unpacked.
    pub control: u64,
    /// Members of `control.tar`.
    pub control_members: usize,
    /// Bytes of a single file.
    pub file: u64,
    /// Bytes of `data.tar` when unpacked, whatever the package claims.
    pub total: u64,
    /// `data.tar` may unpack to this many times what `Installed-Size` says, plus [`Limits::slack`]. The field is an
    /// estimate (Debian Policy 5.6.20), wrong by a factor of two in practice.
    pub installed_size_factor: u64,
    /// Bytes allowed above what `Installed-Size` permits; it covers tar's headers and packages without the field.
    pub slack: u64,
    /// Bytes of memory for the dictionary of a decompressor.
    pub codec_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            members: 500_000,
            control: 64 * MIB,
            control_members: 256,
            file: 8 << 30,
            total: 16 << 30,
            installed_size_factor: 4,
            slack: 256 * MIB,
            codec_memory: 256 * MIB,
        }
    }
}

impl Limits {
    /// How many bytes `data.tar` of a package may unpack to that says `Installed-Size: installed_kib`.
    pub fn data(&self, installed_kib: Option<u64>) -> u64 {
        let claimed = installed_kib.unwrap_or(0).saturating_mul(1024).saturating_mul(self.installed_size_factor);
        claimed.saturating_add(self.slack).min(self.total)
    }
}
