//! What is said about a problem beside its message: a few words at the place, and what to do.

use super::Problem;

impl Problem {
    /// A few words for the marked place.
    pub fn label(&self) -> &'static str {
        match self {
            Problem::Syntax(_) => "here",
            Problem::NotForNix(_) => "Nix 2.8 stops here",
            Problem::TooLong => "the rest was not read",
            Problem::UnknownKey { .. } => "no such key here",
            Problem::Reserved(_) => "not yet",
            Problem::WrongType { expected, .. } => expected,
            Problem::Value(error) => error.rule,
            Problem::OutOfRange { .. } => "out of range",
            Problem::Missing(_) => "in this table",
            Problem::Empty(_) => "needs at least one",
            Problem::Duplicate(_) => "again here",
            Problem::Exclusive(..) => "only one of them",
            Problem::Needs { .. } => "without it this has no effect",
            Problem::UnknownImage { .. } => "no image of this workspace",
            Problem::UnknownName { .. } => "no such name in this manifest",
            Problem::SetCycle(_) => "leads back to itself",
            Problem::ShellPath => "would hide the shell's tools",
            Problem::NoDebian { .. } => "`debian` is false",
            Problem::Cycle(_) => "leads back to itself",
            Problem::OnlyInRoot { .. } => "the parent decides this",
            Problem::ParentPlatform { .. } => "wider than the parent",
            Problem::NoSuite(_) => "has packages from nowhere",
            Problem::IdConflict { .. } => "another id",
            Problem::FlatComponents => "its suite ends in `/`",
            Problem::IdShared { .. } => "the id is taken",
            Problem::RootId => "two users would be one",
            Problem::RootSudo => "is root already",
            Problem::PathTwice { .. } => "declared again",
            Problem::BelowFile { .. } => "cannot be below it",
        }
    }

    /// What to do about it, as one sentence without a period.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Problem::NotForNix(what) => what.hint().to_owned(),
            Problem::UnknownKey { suggestion: Some(key), .. } => format!("did you mean `{key}`?"),
            Problem::UnknownKey { known, .. } if !known.is_empty() => format!("there are {}", quoted_list(known)),
            Problem::WrongType { expected, found: "a string" } if expected.starts_with("an array") => {
                "put it into brackets: [\"…\"]".to_owned()
            }
            Problem::WrongType { found: "an integer", expected: "a string" } => "put it into quotes".to_owned(),
            Problem::UnknownImage { suggestion: Some(name), .. } => format!("did you mean `{name}`?"),
            Problem::UnknownName { suggestion: Some(name), .. } => format!("did you mean `{name}`?"),
            Problem::UnknownName { what, .. } => format!("declare it: [{what}s.NAME]"),
            Problem::ShellPath => "add packages, or add folders in the `env` of an image".to_owned(),
            Problem::NoDebian { key: "packages" } => {
                "take packages of Nix with `sets`, or take `debian = false` out of the image at the start of the chain"
                    .to_owned()
            }
            Problem::NoDebian { .. } => "leave it out".to_owned(),
            Problem::OnlyInRoot { .. } => "set it in the image at the start of the `from` chain".to_owned(),
            Problem::ParentPlatform { .. } => {
                "leave the platform out here, or add it to the parent's `platforms`".to_owned()
            }
            Problem::NoSuite(_) => "add a table: [debian] with suite = \"trixie\"".to_owned(),
            Problem::IdConflict { .. } => "give it the same id, or another name".to_owned(),
            Problem::IdShared { other, .. } => format!("take another id, or name group `{other}` instead"),
            Problem::Missing(key) if key == "command" => "a test has a `command` or an `http` request".to_owned(),
            Problem::Missing(key) if key == "text" => {
                "a file has its `text`, or a `source` in the workspace".to_owned()
            }
            _ => return None,
        })
    }
}

fn quoted_list(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
