//! Instants as OCI writes them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::{civil, days_from_civil};

/// An instant in whole seconds since 1970, written in RFC 3339 and UTC: `2026-11-23T08:00:00Z`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

const DAY: i64 = 24 * 60 * 60;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

impl Timestamp {
    /// Parses RFC 3339 with any offset; fractions of a second are cut off. `None` for what is no such text.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let separators = [(4, b"-"), (7, b"-"), (10, b"Tt"), (13, b":"), (16, b":")] as [(usize, &[u8]); 5];
        if !separators.iter().all(|(at, any)| bytes.get(*at).is_some_and(|byte| any.contains(byte))) {
            return None;
        }
        let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let in_range = (1..=12).contains(&month) && hour < 24 && minute < 60 && second <= 60;
        let days = days_from_civil(year, month, day);
        if !in_range || civil(days) != (year, month, day) {
            return None;
        }
        let offset = offset(bytes.get(19..)?)?;
        Some(Self(days * DAY + hour * 3600 + minute * 60 + second.min(59) - offset))
    }
}

/// The offset from UTC in seconds, after an optional fraction.
fn offset(mut rest: &[u8]) -> Option<i64> {
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = fraction.get(length..).filter(|_| length > 0)?;
    }
    match rest {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), hours @ .., b':', _, _] if hours.len() == 2 => {
            let minutes = digits(rest.get(4..6)?)?;
            let seconds = digits(hours)? * 3600 + minutes * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// At most four decimal digits as a number.
fn digits(bytes: &[u8]) -> Option<i64> {
    let one = |sum: i64, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'));
    bytes.iter().try_fold(0, one)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected an RFC 3339 instant"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_are_written_as_date_does() {
        for (seconds, expect) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_420_800, "2026-11-23T08:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(seconds).to_string(), expect);
        }
    }

    #[test]
    fn only_rfc_3339_is_read() {
        for (text, expect) in [
            ("2026-11-23T08:00:00Z", Some(1_795_420_800)),
            ("2026-11-23T08:00:00.123456789Z", Some(1_795_420_800)),
            ("2026-11-23T09:30:00+01:30", Some(1_795_420_800)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-11-23 08:00:00Z", None),
            ("2026-11-23T08:00:00", None),
            ("2026-11-23T08:00:00.Z", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::parse(text).map(|instant| instant.0), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn instants_survive_text(seconds in 0i64..253_402_300_799) {
            prop_assert_eq!(Timestamp::parse(&Timestamp(seconds).to_string()), Some(Timestamp(seconds)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[0-9T:.+Z-]{0,40}") {
            let _ = Timestamp::parse(&text);
        }
    }
}
