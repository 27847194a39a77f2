//! Foreign text in errors.

use std::fmt::{self, Write as _};

/// How many characters of it are shown.
const LENGTH: usize = 240;

/// Text from outside as an error shows it: escaped, and only its start when it is long, as it is when somebody means harm.
pub(crate) struct Shown<'t>(pub(crate) &'t str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(LENGTH) {
            write!(f, "{}", character.escape_debug())?;
        }
        if characters.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_controls_escaped() {
        assert_eq!(Shown("a\n`é`").to_string(), "a\\n`é`");
        assert_eq!(Shown(&"x".repeat(1 << 20)).to_string().chars().count(), LENGTH + 1);
    }
}
