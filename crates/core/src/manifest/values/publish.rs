//! How images are tagged.

use crate::oci::{ParseReferenceError, Tag, Timestamp};

use super::text_value;

text_value! {
    /// A template of tags: letters, digits, `_`, `.`, `-`, and `{date}`, `{commit}` and `{version}`.
    TagTemplate,
    kind: "a template of tags",
    pattern: r"^([A-Za-z0-9_]|\{(date|commit|version)\})([A-Za-z0-9_.-]|\{(date|commit|version)\})*$",
    examples: ["{date}-{commit}", "latest"],
    check: |text| {
        let sample = substitute(text, |_| Some("0".to_owned()));
        match sample {
            Err(_) => Err("in braces it has `date`, `commit` or `version`"),
            Ok(tag) if tag.parse::<Tag>().is_ok() => Ok(()),
            Ok(_) => Err("it has letters, digits, `_`, `.` and `-`, not `.` or `-` first, at most 128"),
        }
    }
}

/// What a tag may tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagContext {
    /// The lock's date.
    pub date: Timestamp,
    /// The commit of the workspace, in hexadecimal.
    pub commit: Option<String>,
    /// The version that the manifest gives.
    pub version: Option<String>,
}

/// Why a template gives no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderTagError {
    /// It asks for what is not known.
    #[error("the tag `{template}` needs a {field}, and there is none")]
    Unknown {
        /// The template.
        template: String,
        /// What it asks for.
        field: &'static str,
    },
    /// With its values it is no tag.
    #[error(transparent)]
    Tag(#[from] ParseReferenceError),
}

impl RenderTagError {
    /// What might help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { field: "commit", .. } => Some("push from a git repository with a commit".to_owned()),
            Self::Unknown { field: "version", .. } => Some("set `version` in [publish]".to_owned()),
            _ => None,
        }
    }
}

/// How many digits of a commit a tag has: enough for any repository, and readable.
const COMMIT_DIGITS: usize = 12;

impl TagTemplate {
    /// The tag.
    ///
    /// # Errors
    /// [`RenderTagError`]
    pub fn render(&self, context: &TagContext) -> Result<Tag, RenderTagError> {
        let value = |field: &'static str| match field {
            "date" => Some(context.date.to_string().chars().take(10).filter(char::is_ascii_digit).collect()),
            "commit" => context.commit.as_ref().map(|commit| commit.chars().take(COMMIT_DIGITS).collect()),
            _ => context.version.clone(),
        };
        let unknown = |field| RenderTagError::Unknown { template: self.to_string(), field };
        Ok(substitute(self.as_str(), value).map_err(unknown)?.parse()?)
    }

    /// Whether it gives another tag for another lock or commit, so that old ones are left behind.
    pub fn moves_on(&self) -> bool {
        self.as_str().contains("{date}") || self.as_str().contains("{commit}")
    }

    /// Whether it could have given a tag, for some date and commit; a version may be anything.
    pub fn could_be(&self, tag: &Tag) -> bool {
        could_be(self.as_str(), tag.as_str())
    }
}

fn could_be(template: &str, tag: &str) -> bool {
    let digits = |count: usize, rest: &str, hex: bool| {
        let (value, after) = tag.split_at_checked(count).unwrap_or((tag, ""));
        let digit = |byte: u8| byte.is_ascii_digit() || hex && matches!(byte, b'a'..=b'f');
        value.len() == count && value.bytes().all(digit) && could_be(rest, after)
    };
    if let Some(rest) = template.strip_prefix("{date}") {
        return digits(8, rest, false);
    }
    if let Some(rest) = template.strip_prefix("{commit}") {
        return digits(COMMIT_DIGITS, rest, true);
    }
    if let Some(rest) = template.strip_prefix("{version}") {
        return (1..=tag.len()).any(|length| tag.get(length..).is_some_and(|after| could_be(rest, after)));
    }
    match (template.bytes().next(), tag.bytes().next()) {
        (None, None) => true,
        (Some(a), Some(b)) if a == b => could_be(&template[1..], &tag[1..]),
        _ => false,
    }
}

/// Puts values in the place of fields; fails with the field that has none, or `field` for one that is not known.
fn substitute(text: &str, value: impl Fn(&'static str) -> Option<String>) -> Result<String, &'static str> {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = after.split_once('}').ok_or("field")?;
        let field = ["date", "commit", "version"].into_iter().find(|known| *known == name).ok_or("field")?;
        out.push_str(&value(field).ok_or(field)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_tags() {
        let context = TagContext {
            date: Timestamp::parse("2026-11-25T10:00:00Z").unwrap(),
            commit: Some("0123456789abcdef".to_owned()),
            version: None,
        };
        let render = |text: &str| text.parse::<TagTemplate>().unwrap().render(&context);
        for (text, expect) in
            [("latest", "latest"), ("{date}", "20261125"), ("v{date}-{commit}", "v20261125-0123456789ab")]
        {
            assert_eq!(render(text).unwrap().as_str(), expect);
        }
        let error = render("{version}").unwrap_err();
        assert_eq!(error.to_string(), "the tag `{version}` needs a version, and there is none");
        assert!(error.hint().is_some());
    }

    #[test]
    fn tags_are_told_by_their_template() {
        for (template, tag, expect) in [
            ("{date}-{commit}", "20261125-0123456789ab", true),
            ("{date}-{commit}", "20261125-0123456789a", false),
            ("{date}", "2026112", false),
            ("{date}", "202611250", false),
            ("v{version}", "v1.2", true),
            ("v{version}", "v", false),
            ("{version}-{date}", "1.2-20261125", true),
            ("latest", "latest", true),
            ("latest", "later", false),
        ] {
            let template: TagTemplate = template.parse().unwrap();
            assert_eq!(template.could_be(&tag.parse().unwrap()), expect, "{template:?} {tag}");
        }
        assert!("{date}".parse::<TagTemplate>().unwrap().moves_on());
        assert!(!"latest".parse::<TagTemplate>().unwrap().moves_on());
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["", "-a", ".", "a b", "{", "{date", "{day}", "a}", "ü", &"a".repeat(129)] {
            assert!(text.parse::<TagTemplate>().is_err(), "{text}");
        }
    }
}
