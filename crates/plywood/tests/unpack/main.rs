//! Packages against the tools that have the last word: `dpkg-deb`, `dpkg` and `mmdebstrap`.

mod builder;
mod diversions;
mod dpkg;
mod sink;
