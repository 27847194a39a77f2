//! Sizes and durations.

use std::fmt;
use std::str::FromStr;

use super::{ParseValueError, serialize_as_text, text_schema};

/// A size in bytes, written `500 MB` (powers of 1000) or `512 MiB` (powers of 1024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

const SIZE_UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

impl FromStr for ByteSize {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rule| ParseValueError::new(text, "a size", rule);
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let scale = SIZE_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale);
        let scale = scale.ok_or_else(|| wrong("it ends in B, kB, MB, GB, TB, KiB, MiB or GiB"))?;
        scaled(number, scale)
            .map(Self)
            .ok_or_else(|| wrong("it starts with a number such as 500 or 1.5, and is below 2^63 bytes"))
    }
}

/// `number` times `scale`, with up to three decimals; `None` when it is no such number or too large.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse::<u128>().ok()?;
    let total = (whole.parse::<u128>().ok()?.checked_mul(1000)? + thousandths).checked_mul(scale.into())? / 1000;
    i64::try_from(total).ok().map(i64::cast_unsigned)
}

impl fmt::Display for ByteSize {
    /// The largest decimal unit that keeps the size exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
        match units.iter().find(|(_, scale)| self.0 >= *scale && self.0.is_multiple_of(*scale)) {
            Some((unit, scale)) => write!(f, "{} {unit}", self.0 / scale),
            None => write!(f, "{} B", self.0),
        }
    }
}

/// A duration in whole seconds, written `90s`, `5m` or `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u32);

impl FromStr for Seconds {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rule| ParseValueError::new(text, "a duration", rule);
        let mut rest = text;
        let mut total = 0u32;
        for (unit, scale) in [('h', 3600), ('m', 60), ('s', 1)] {
            let Some((number, after)) = rest.split_once(unit) else { continue };
            let number: u32 = match number.bytes().all(|byte| byte.is_ascii_digit()) {
                true => number.parse().map_err(|_| wrong("each unit has a number before it"))?,
                false => return Err(wrong("units come in the order h, m, s, each once")),
            };
            let seconds = number.checked_mul(scale).and_then(|seconds| total.checked_add(seconds));
            total = seconds.ok_or_else(|| wrong("it is too long"))?;
            rest = after;
        }
        if text.is_empty() || !rest.is_empty() {
            return Err(wrong("it is a number of hours, minutes and seconds: 90s, 5m, 1h30m"));
        }
        Ok(Self(total))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.0 / 3600, 'h'), (self.0 / 60 % 60, 'm'), (self.0 % 60, 's')];
        for (number, unit) in parts.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "{number}{unit}")?;
        }
        if self.0 == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

serialize_as_text!(ByteSize, Seconds);
text_schema!(ByteSize, pattern: r"^[0-9]+(\.[0-9]{1,3})? ?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB)$", examples: ["500 MB"]);
text_schema!(Seconds, pattern: r"^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?$", examples: ["30s", "5m"]);
