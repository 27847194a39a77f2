//! Image layouts and archives.
