//! Shell patterns as fnmatch(3) matches them without flags, which is how dpkg uses it for paths.

/// Whether `text` as a whole matches `pattern`; `*`, `?` and brackets match slashes and leading dots too.
///
/// Brackets know ranges, `!` and `^`, and the classes of the C locale. A pattern that ends in a lone backslash or has an
/// unclosed bracket takes that character literally, as in the GNU C library.
pub fn fnmatch(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut pos) = (0, 0);
    // Where to resume after the last `*`: only the last one can ever need another try, so this is never exponential.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            None if pos == text.len() => return true,
            None => None,
            Some(b'*') => {
                retry = Some((at + 1, pos));
                at += 1;
                continue;
            }
            Some(_) => text.get(pos).and_then(|byte| match_one(pattern, at, *byte)),
        };
        match (step, retry) {
            (Some(next), _) => (at, pos) = (next, pos + 1),
            (None, Some((after, from))) if from < text.len() => {
                retry = Some((after, from + 1));
                (at, pos) = (after, from + 1);
            }
            (None, _) => return false,
        }
    }
}

/// Matches one byte against the pattern element at `at`, which is not `*`; gives where the next element starts.
fn match_one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match (pattern.get(at)?, pattern.get(at + 1)) {
        (b'?', _) => Some(at + 1),
        (b'\\', Some(escaped)) => (*escaped == byte).then_some(at + 2),
        (b'[', _) => match bracket(pattern, at + 1, byte) {
            Some((matches, next)) => matches.then_some(next),
            None => (byte == b'[').then_some(at + 1),
        },
        (literal, _) => (*literal == byte).then_some(at + 1),
    }
}

/// Matches a bracket expression whose first byte after `[` is at `at`; `None` when it is never closed.
fn bracket(pattern: &[u8], mut at: usize, byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(at)?, b'!' | b'^');
    at += usize::from(negated);
    let (first, mut matches) = (at, false);
    loop {
        match pattern.get(at)? {
            b']' if at > first => return Some((matches != negated, at + 1)),
            b'[' if pattern.get(at + 1) == Some(&b':') => {
                let rest = pattern.get(at + 2..)?;
                let length = rest.windows(2).position(|pair| pair == b":]")?;
                matches |= in_class(&rest[..length], byte);
                at += length + 4;
            }
            _ => {
                let (low, after) = bracket_byte(pattern, at)?;
                at = after;
                let mut high = low;
                if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|next| *next != b']') {
                    (high, at) = bracket_byte(pattern, at + 1)?;
                }
                matches |= (low..=high).contains(&byte);
            }
        }
    }
}

fn bracket_byte(pattern: &[u8], at: usize) -> Option<(u8, usize)> {
    match pattern.get(at)? {
        b'\\' => pattern.get(at + 1).map(|escaped| (*escaped, at + 2)),
        byte => Some((*byte, at + 1)),
    }
}

fn in_class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_without_flags() {
        let check = |pattern: &str, text: &str, expect| {
            assert_eq!(fnmatch(pattern.as_bytes(), text.as_bytes()), expect, "{pattern} {text}");
        };
        check("/usr/share/doc/*", "/usr/share/doc/a/b", true);
        check("/usr/share/doc/*", "/usr/share/doc", false);
        check("/usr/share/doc/*/copyright", "/usr/share/doc/a/b/copyright", true);
        check("/usr/share/doc/*/copyright", "/usr/share/doc/copyright", false);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "aXbYbZ", false);
        check("*", "", true);
        check("**a", "bba", true);
        check("?", "/", true);
        check("?", "", false);
        check("[a-c]x", "bx", true);
        check("[!a-c]x", "bx", false);
        check("[^a-c]x", "dx", true);
        check("[]x]", "]", true);
        check("[[:digit:]-]", "7", true);
        check("[[:digit:]-]", "-", true);
        check("[a", "[a", true);
        check("\\*", "*", true);
        check("\\*", "a", false);
    }
}
