//! Headers of answers: `Link` and `Range`.

/// How much of an upload a registry has, as `Range: 0-END` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadRange {
    /// So many bytes.
    Bytes(u64),
    /// None or one: `0-0`, which Docker's registry says in both cases.
    NoneOrOne,
}

impl UploadRange {
    /// Parses the header of an upload (distribution-spec, "Pushing a blob in chunks"); both ends are inclusive.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (start, end) = text.strip_prefix("bytes=").unwrap_or(text).split_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if start != "0" || !digits(end) {
            return None;
        }
        match end.parse::<u64>().ok()? {
            0 => Some(Self::NoneOrOne),
            end => end.checked_add(1).map(Self::Bytes),
        }
    }
}

/// The target of the link to the next page in `Link: <target>; rel="next"` (RFC 8288 section 3), not yet resolved.
pub fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (target, after) = rest.trim_start_matches([' ', '\t', ',']).strip_prefix('<')?.split_once('>')?;
        let (parameters, next) = split_unquoted(after);
        if parameters.split(';').any(is_next) {
            return Some(target);
        }
        rest = next?;
    }
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && value.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
}

/// What comes before the first comma outside of quotes, and what after it.
fn split_unquoted(text: &str) -> (&str, Option<&str>) {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return (&text[..at], text.get(at + 1..)),
            _ => {}
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_page_is_found() {
        for (header, expect) in [
            (r#"</v2/a/tags/list?last=b&n=1>; rel="next""#, Some("/v2/a/tags/list?last=b&n=1")),
            (r#"<x>; rel=prev, <y>; title="a, b"; REL="last next""#, Some("y")),
            ("<x>; rel=next", Some("x")),
            ("<x>", None),
            (r#"<x>; rel="nextish""#, None),
            ("x; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), expect, "{header}");
        }
    }

    #[test]
    fn how_much_is_there() {
        for (text, expect) in [
            ("0-9", Some(UploadRange::Bytes(10))),
            ("bytes=0-1", Some(UploadRange::Bytes(2))),
            ("0-0", Some(UploadRange::NoneOrOne)),
            ("1-9", None),
            ("0-+9", None),
            ("0-", None),
            ("0-18446744073709551615", None),
            ("", None),
        ] {
            assert_eq!(UploadRange::parse(text), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_not(text in "\\PC{0,60}|[<>;=\", relnxt]{0,40}") {
            let _ = (next_link(&text), UploadRange::parse(&text));
        }
    }
}
