//! Whole workspaces, locked and built from an archive of the test kit that stands in for Debian's.

mod attest;
mod bare;
mod bases;
mod certificates;
mod fixture;
mod lock;
mod publish;
mod publish_faults;
mod published_bases;
mod published_store_paths;
mod scripts;
