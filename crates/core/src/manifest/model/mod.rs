//! The manifest's tables, as a person writes them. What they mean together is in [`super::resolve`].

mod check;
mod debian;
mod env;
mod files;
mod image;
mod nix;
mod publish;
mod user;
mod workspace;

pub use check::{Check, Command, ExitStatus, HttpRequest, HttpStatus, OneOrMore, PortNumber, RequestPath};
pub use debian::{Auth, Debian, DebianSetting, Repository, Slim, SlimRules};
pub use env::{EnvEdit, EnvValue};
pub use files::{DirectoryEntry, FileContent, FileEntry};
pub use image::{Healthcheck, HealthcheckSetting, Image, Retries, ScriptPolicy};
pub use nix::{ImageNix, Nix, Priority, Set, Shell};
pub use publish::Publish;
pub use user::{Group, Id, User};
pub use workspace::Workspace;
