//! What a binary cache says of itself: `nix-cache-info` (Nix manual, "Binary Cache" store; nix `binary-cache-store.cc`).

use plywood_core::nix::STORE_DIR;

/// A longer one is none.
pub(crate) const MAX_BYTES: u64 = 64 << 10;

/// The priority of caches that name none.
const DEFAULT_PRIORITY: u32 = 50;

/// A cache's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CacheInfo {
    /// Lower ones are asked first.
    pub(super) priority: u32,
    /// Whether it wants to be asked for many paths at once.
    pub(super) wants_mass_query: bool,
}

/// Why a text is no `nix-cache-info` of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheInfoError {
    /// It is not UTF-8, or not lines of `Name: value`.
    #[error("its nix-cache-info cannot be read")]
    Syntax,
    /// Its paths are of another store.
    #[error("it is a cache of `{}`, not of {STORE_DIR}", .0.escape_debug())]
    StoreDirectory(String),
}

impl CacheInfo {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, CacheInfoError> {
        let text = std::str::from_utf8(bytes).map_err(|_| CacheInfoError::Syntax)?;
        let mut info = Self { priority: DEFAULT_PRIORITY, wants_mass_query: false };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line.split_once(':').ok_or(CacheInfoError::Syntax)?;
            match (name, value.trim()) {
                ("StoreDir", STORE_DIR) => {}
                ("StoreDir", other) => return Err(CacheInfoError::StoreDirectory(other.to_owned())),
                ("Priority", value) => info.priority = value.parse().map_err(|_| CacheInfoError::Syntax)?,
                ("WantMassQuery", value) => info.wants_mass_query = value == "1",
                _ => {}
            }
        }
        Ok(info)
    }

    /// The text for a new cache.
    pub(crate) fn text() -> String {
        format!("StoreDir: {STORE_DIR}\nWantMassQuery: 1\nPriority: {DEFAULT_PRIORITY}\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cache_describes_itself() {
        let info = |priority, wants_mass_query| Ok(CacheInfo { priority, wants_mass_query });
        for (text, expect) in [
            ("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 40\n", info(40, true)),
            ("StoreDir: /nix/store", info(50, false)),
            ("StoreDir: /nix/store\nSomething: new\n\n", info(50, false)),
            ("", info(50, false)),
            ("StoreDir: /gnu/store\n", Err(CacheInfoError::StoreDirectory("/gnu/store".to_owned()))),
            ("<html>", Err(CacheInfoError::Syntax)),
            ("Priority: high", Err(CacheInfoError::Syntax)),
        ] {
            assert_eq!(CacheInfo::parse(text.as_bytes()), expect, "{text}");
        }
        assert_eq!(CacheInfo::parse(CacheInfo::text().as_bytes()), info(50, true));
        assert_eq!(CacheInfo::parse(b"StoreDir: \xff"), Err(CacheInfoError::Syntax));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = CacheInfo::parse(&bytes);
        }
    }
}
