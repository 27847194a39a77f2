//! Indexes and downloads against archives of the test kit: what is right comes, and what is wrong is told apart.

#[path = "debian_archive/cache.rs"]
mod cache;
#[path = "debian_archive/download.rs"]
mod download;
#[path = "debian_archive/fixture.rs"]
mod fixture;
#[path = "debian_archive/indexes.rs"]
mod indexes;
