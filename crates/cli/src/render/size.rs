//! Bytes as people read them.

use std::fmt;

/// A number of bytes, shown in powers of 1000 with three digits, as registries and `ls --si` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        let mut thousandths = self.0;
        if thousandths < 1000 {
            return write!(f, "{thousandths} B");
        }
        let mut unit = UNITS[0];
        for next in &UNITS[1..] {
            // What would be rounded up to 1000 belongs to the next unit.
            if thousandths < 999_500 {
                break;
            }
            thousandths /= 1000;
            unit = next;
        }
        match thousandths {
            ..9_995 => write!(f, "{:.2} {unit}", thousandths as f64 / 1e3),
            9_995..99_950 => write!(f, "{:.1} {unit}", thousandths as f64 / 1e3),
            _ => write!(f, "{:.0} {unit}", thousandths as f64 / 1e3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        for (bytes, expect) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (123_456_789, "123 MB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(Size(bytes).to_string(), expect, "{bytes}");
        }
    }
}
