//! The manifest from text to resolved images.

use super::*;

const SHIPPED: &str = include_str!("../../../../infra/plywood.toml");

fn parse(text: &str) -> Manifest {
    match Manifest::parse(text) {
        Ok(manifest) => manifest,
        Err(errors) => {
            panic!("{:#?}", errors.iter().map(|error| (&text[error.span.clone()], error)).collect::<Vec<_>>())
        }
    }
}

#[test]
fn the_shipped_manifest_is_valid() {
    let manifest = parse(SHIPPED);
    let image = manifest.resolve("devcontainer-base").expect("it is there");
    assert_eq!(image.user.as_ref().map(UserName::as_str), Some("vscode"));
    assert_eq!(image.users.len(), 1, "{:?}", image.users);
}
