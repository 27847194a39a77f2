//! The manifest from text to resolved images.

mod docs;
mod faults;
mod resolution;
mod robustness;
mod schema;
mod values;

use super::*;

pub(super) const SHIPPED: &str = include_str!("../../../../../infra/plywood.toml");

/// What every manifest of these tests starts with.
pub(super) const PRELUDE: &str = "[workspace]\nname = \"w\"\n[debian]\nsuite = \"trixie\"\n";

/// Parses what must be valid.
pub(super) fn parse(text: &str) -> Manifest {
    Manifest::parse(text).unwrap_or_else(|errors| {
        let marked = errors.iter().map(|error| (error.to_string(), text.get(error.span.clone())));
        panic!("{:#?}", marked.collect::<Vec<_>>())
    })
}

/// Parses [`PRELUDE`] and `rest`, which must be valid, and gives the image `name`.
pub(super) fn image(rest: &str, name: &str) -> ResolvedImage {
    parse(&format!("{PRELUDE}{rest}")).resolve(name).expect("it is there").clone()
}

#[test]
fn the_shipped_manifest_is_valid() {
    let manifest = parse(SHIPPED);
    let image = manifest.resolve("devcontainer-base").expect("it is there");
    assert_eq!(image.user.as_ref().map(UserName::as_str), Some("vscode"));
    assert_eq!(image.users.len(), 1, "{:?}", image.users);
    assert_eq!(image.parents.iter().map(ImageName::as_str).collect::<Vec<_>>(), ["base"]);
}

#[test]
fn an_unknown_image_is_answered_with_what_there_is() {
    let manifest = parse(SHIPPED);
    let hint = |name: &str| manifest.resolve(name).expect_err("there is none").hint();
    assert_eq!(hint("devcontainer_base").as_deref(), Some("did you mean `devcontainer-base`?"));
    assert!(hint("zzz").is_some_and(|hint| hint.contains("`base`")));
}
