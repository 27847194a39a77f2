//! Dates of `Release` files: RFC 2822 in UTC, as seconds since 1970.

use std::fmt;

use crate::calendar::{civil, days_from_civil};

/// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

/// The text is no date such as `Sat, 15 Nov 2025 09:08:07 UTC`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date such as `Sat, 15 Nov 2025 09:08:07 UTC`")]
pub struct ParseDateError(String);

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

impl UnixTime {
    /// Parses a date of a `Release` file; the zone must be `UTC`, `GMT`, `Z` or `+0000`, the weekday is not checked.
    ///
    /// # Errors
    /// [`ParseDateError`] for anything else.
    pub fn parse_rfc_2822(text: &str) -> Result<Self, ParseDateError> {
        parse(text).ok_or_else(|| ParseDateError(text.chars().take(80).collect()))
    }
}

fn parse(text: &str) -> Option<UnixTime> {
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_ascii_whitespace();
    let day = number(words.next()?, 1..=31)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let year = number(words.next()?, 1970..=9999)?;
    let mut clock = words.next()?.split(':');
    let hour = number(clock.next()?, 0..=23)?;
    let minute = number(clock.next()?, 0..=59)?;
    let second = number(clock.next()?, 0..=60)?;
    if clock.next().is_some() || !matches!(words.next()?, "UTC" | "GMT" | "Z" | "+0000") || words.next().is_some() {
        return None;
    }
    let days = days_from_civil(year, month, day);
    (civil(days) == (year, month, day)).then(|| UnixTime(days * DAY + hour * 3600 + minute * 60 + second))
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| digits && range.contains(value))
}

impl fmt::Display for UnixTime {
    /// As RFC 3339: `2025-11-15T09:08:07Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.rem_euclid(DAY);
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}
