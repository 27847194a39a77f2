//! Segments, blobs, image layouts and archives: what images are made of, on disk.
//!
//! An item becomes a [`segment`], written once and kept in the [`store`]; segments joined are a [`layer`]; layers with
//! a configuration are an [`image`], which the [`layout`] module writes out and reads back. This crate knows neither
//! where items come from nor why they are in an image.

pub mod codec;
pub mod diff;
mod fill;
mod hash;
pub mod image;
pub mod layer;
pub mod layout;
pub mod registry;
pub mod segment;
pub mod store;
mod tar;
pub mod unpacked;
