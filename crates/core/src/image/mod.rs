//! From a configured Debian tree to an image: the definition's users and files, and what each item must look like in it.

pub mod variant;
