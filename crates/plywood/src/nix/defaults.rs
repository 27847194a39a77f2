//! The binary cache plywood asks when neither the manifest nor the environment names others: it stands here and nowhere else.

/// Nix's public cache.
pub const SUBSTITUTER: &str = "https://cache.nixos.org";

/// The key it signs with.
pub const TRUSTED_PUBLIC_KEY: &str = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";
