//! Segments, blobs, image layouts and archives.
