//! glibc's order of library names (`_dl_cache_libcmp`): runs of digits compare as numbers.

use std::cmp::Ordering;

/// Compares two names as the dynamic loader's binary search does.
pub(super) fn compare_names(left: &[u8], right: &[u8]) -> Ordering {
    let (mut l, mut r) = (left, right);
    while let Some(&a) = l.first() {
        let b = r.first().copied();
        match (a.is_ascii_digit(), b.is_some_and(|b| b.is_ascii_digit())) {
            (true, true) => {
                let (number_l, number_r) = (take_number(&mut l), take_number(&mut r));
                match number_l.cmp(&number_r) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                }
            }
            // A number is greater than anything else.
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {
                let b = b.unwrap_or(0);
                if a != b {
                    // glibc subtracts plain `char`s, signed on x86; library names are ASCII in practice.
                    return a.cmp(&b);
                }
                l = l.get(1..).unwrap_or_default();
                r = r.get(1..).unwrap_or_default();
            }
        }
    }
    if r.is_empty() { Ordering::Equal } else { Ordering::Less }
}

fn take_number(text: &mut &[u8]) -> u64 {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    *text = rest;
    digits.iter().fold(0, |sum: u64, digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let check = |left: &str, right: &str, expect| {
            assert_eq!(compare_names(left.as_bytes(), right.as_bytes()), expect, "{left} {right}");
            assert_eq!(compare_names(right.as_bytes(), left.as_bytes()), expect.reverse(), "{right} {left}");
        };
        check("libfoo.so.9", "libfoo.so.10", Ordering::Less);
        check("libfoo.so.1", "libfoo.so", Ordering::Greater);
        check("libfoo.so", "libfoo.so", Ordering::Equal);
        check("libz3.so.4", "libzstd.so.1", Ordering::Greater);
        check("liba.so", "libb.so", Ordering::Less);
    }
}
