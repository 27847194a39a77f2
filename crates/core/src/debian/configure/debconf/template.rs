//! debconf templates (debconf-devel(7), "THE TEMPLATES FILE").

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

/// Bound on the templates of one package.
const MAX_TEMPLATES: usize = 10_000;

/// One template: its fields by name as written, `Template` left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// The name, such as `tzdata/Areas`.
    pub name: BString,
    /// `Type`, `Default`, `Description`, `Choices-de.UTF-8`, …
    pub fields: BTreeMap<BString, BString>,
}

impl Template {
    /// A field's value.
    pub fn field(&self, name: &str) -> Option<&BStr> {
        let mut fields = self.fields.iter();
        fields.find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value.as_bstr())
    }

    /// The fields as debconf's database names and splits them, in order: descriptions apart from their long form.
    pub(super) fn stored_fields(&self) -> BTreeMap<BString, BString> {
        let mut stored = BTreeMap::new();
        for (name, value) in &self.fields {
            let lower = name.to_ascii_lowercase();
            let mut stored_name = BString::from(lower.as_slice());
            if let Some(first) = stored_name.first_mut() {
                first.make_ascii_uppercase();
            }
            match lower.strip_prefix(b"description") {
                Some(language) => {
                    let (short, long) = value.split_once_str("\n").unwrap_or((value, b""));
                    stored.insert(stored_name, short.into());
                    if !long.is_empty() {
                        stored.insert([b"Extended_description", language].concat().into(), paragraphs(long));
                    }
                }
                None => _ = stored.insert(stored_name, value.clone()),
            }
        }
        stored
    }

    /// The value a question has before anybody answers it.
    pub fn default_value(&self) -> Option<&BStr> {
        self.field("Default")
    }
}

/// Joins the lines of each paragraph; ` .` separates paragraphs, and lines that are indented stay lines.
fn paragraphs(long: &[u8]) -> BString {
    let mut out = BString::default();
    for line in long.lines() {
        if line == b"." {
            out.extend_from_slice(b"\n\n");
        } else if line.starts_with(b" ") {
            if !out.is_empty() && !out.ends_with(b"\n") {
                out.push(b'\n');
            }
            out.extend_from_slice(line);
            out.push(b'\n');
        } else {
            if !out.is_empty() && !out.ends_with(b"\n") {
                out.push(b' ');
            }
            out.extend_from_slice(line);
        }
    }
    out
}

/// Reads a `templates` file; what is no field is skipped, as a line too many harms nobody.
pub fn parse_templates(text: &[u8]) -> Vec<Template> {
    let mut templates = Vec::new();
    let mut current = Template::default();
    let mut field: Option<BString> = None;
    for line in text.lines().chain([b"".as_slice()]) {
        if line.trim().is_empty() {
            if !current.name.is_empty() && templates.len() < MAX_TEMPLATES {
                templates.push(std::mem::take(&mut current));
            }
            current = Template::default();
            field = None;
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some(value) = field.as_ref().and_then(|name| current.fields.get_mut(name)) {
                value.push(b'\n');
                value.extend_from_slice(line.get(1..).unwrap_or_default());
            }
        } else if !line.starts_with(b"#")
            && let Some((name, value)) = line.split_once_str(":")
        {
            let value = BString::from(value.trim());
            if name == b"Template" {
                current.name = value;
                field = None;
            } else {
                current.fields.insert(name.into(), value);
                field = Some(name.into());
            }
        }
    }
    templates
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_real_file_is_read() {
        let text = "Template: a/b\nType: select\nChoices: x, y\nDefault: x\nDescription: Which?\n Long\n .\n more\n\n\nTemplate: c\nType: note\n";
        let templates = parse_templates(text.as_bytes());
        assert_eq!(templates.len(), 2);
        assert_eq!(templates[0].default_value(), Some("x".into()));
        assert_eq!(templates[0].field("description"), Some("Which?\nLong\n.\nmore".into()));
        assert_eq!(templates[1].name, "c");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(Template: [a-z]{0,3}\n|[ \t]?[A-Za-z:]{0,9}\n){0,12}") {
            let _ = parse_templates(text.as_bytes());
        }
    }
}
