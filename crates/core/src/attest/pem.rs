//! PEM (RFC 7468): one block, with the text that tools put before it.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::KeyError;

/// The longest PEM text that is read, in bytes; keys have a few hundred.
pub const MAX_PEM: usize = 64 << 10;

/// Characters of base64 in a line (RFC 7468 section 2).
const LINE: usize = 64;

/// A block with its label. What is in it may be a secret, and is wiped.
pub(super) struct Pem<'t> {
    pub(super) label: &'t str,
    pub(super) contents: Zeroizing<Vec<u8>>,
}

/// Reads the only block of a text.
///
/// # Errors
/// When the text is too long, has no block or several, or the block is no base64 or does not end.
pub(super) fn parse(text: &str) -> Result<Pem<'_>, KeyError> {
    if text.len() > MAX_PEM {
        return Err(KeyError::TooLong);
    }
    let mut lines = text.lines().map(str::trim_end);
    let label = lines.find_map(|line| boundary(line, "-----BEGIN ")).ok_or(KeyError::NotPem)?;
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    let end = loop {
        let line = lines.next().ok_or(KeyError::NotPem)?;
        match boundary(line, "-----END ") {
            Some(end) => break end,
            None => base64.push_str(line.trim_start()),
        }
    };
    if end != label {
        return Err(KeyError::NotPem);
    }
    if lines.any(|line| boundary(line, "-----BEGIN ").is_some()) {
        return Err(KeyError::Several);
    }
    let contents = BASE64.decode(base64.as_bytes()).map_err(|_| KeyError::NotPem)?;
    Ok(Pem { label, contents: Zeroizing::new(contents) })
}

/// The label of a line such as `-----BEGIN PUBLIC KEY-----`.
fn boundary<'l>(line: &'l str, start: &str) -> Option<&'l str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

/// Writes a block.
pub(super) fn write(label: &str, contents: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(BASE64.encode(contents));
    let mut text = Zeroizing::new(String::with_capacity(base64.len() + base64.len() / LINE + 2 * label.len() + 40));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII, so that any place is one between characters.
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_whole_block_is_read() {
        let check = |text: &str, expect: Result<(&str, &[u8]), KeyError>| {
            let read = parse(text).map(|pem| (pem.label.to_owned(), pem.contents.to_vec()));
            assert_eq!(read, expect.map(|(label, bytes)| (label.to_owned(), bytes.to_vec())), "{text}");
        };
        check("-----BEGIN X-----\nAAEC\n-----END X-----\n", Ok(("X", &[0, 1, 2])));
        check("Key of nobody\r\n-----BEGIN X-----\r\nAA\r\nEC\r\n-----END X-----\r\n", Ok(("X", &[0, 1, 2])));
        check("-----BEGIN X-----\nAAEC\n-----END Y-----\n", Err(KeyError::NotPem));
        check("-----BEGIN X-----\nAAEC\n", Err(KeyError::NotPem));
        check("-----BEGIN X-----\nA!EC\n-----END X-----\n", Err(KeyError::NotPem));
        let twice = "-----BEGIN X-----\nAAEC\n-----END X-----\n".repeat(2);
        check(&twice, Err(KeyError::Several));
        check(&"x".repeat(MAX_PEM + 1), Err(KeyError::TooLong));
        check("", Err(KeyError::NotPem));
    }

    proptest! {
        #[test]
        fn blocks_survive_text(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let text = write("A KEY", &bytes);
            prop_assert!(text.lines().all(|line| line.len() <= LINE));
            prop_assert_eq!(parse(&text).map(|pem| pem.contents.to_vec()), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}|(-----(BEGIN|END) [XY]-----\n|[A=/+]{0,4}\n){0,6}") {
            let _ = parse(&text);
        }
    }
}
