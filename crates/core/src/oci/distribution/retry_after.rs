//! `Retry-After` (RFC 9110 section 10.2.3), as seconds or as a date in one of HTTP's three forms (section 5.6.7).

use crate::calendar::{civil, days_from_civil};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How many seconds to wait from `now`, in seconds since 1970; none for a date that has passed.
pub fn retry_after(text: &str, now: i64) -> Option<u64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    http_date(text).map(|at| u64::try_from(at.saturating_sub(now)).unwrap_or(0))
}

/// Seconds since 1970.
fn http_date(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).take(8).collect();
    let (day, month, year, time) = match words.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        // Sun Nov  6 08:49:37 1994
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
    let month = i64::try_from(MONTHS.iter().position(|name| name == month)?).ok()? + 1;
    let year = match (i64::from(number(year)?), year.len()) {
        (year, 4) => year,
        // Two digits are of this century until 2069, as POSIX reads them.
        (year, 2) => year + if year < 70 { 2000 } else { 1900 },
        _ => return None,
    };
    let day = i64::from(number(day)?);
    let mut parts = time.splitn(3, ':').map(|part| number(part).map(i64::from));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let days = days_from_civil(year, month, day);
    let exists = civil(days) == (year, month, day) && hour < 24 && minute < 60 && second <= 60;
    exists.then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now = 784_111_700;
        for (text, expect) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(77)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(77)),
            ("Sun Nov  6 08:49:37 1994", Some(77)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[A-Za-z]{3}, [0-9]{0,2} [A-Z][a-z]{2} [0-9]{0,4} [0-9:]{0,9} GMT") {
            let _ = retry_after(&text, i64::MIN);
        }
    }
}
