//! Names like the one that was not found.

use std::collections::BTreeSet;

use super::universe::Universe;

/// How many names are suggested.
const SUGGESTIONS: usize = 3;

/// The names closest to `name`: at most a third of its letters wrong, missing or too many, or one within the other.
pub(super) fn similar_names(universe: &Universe, name: &str) -> Vec<String> {
    let limit = (name.len() / 3).clamp(1, 3);
    let wanted = name.to_ascii_lowercase();
    let scored: BTreeSet<(usize, usize, &str)> = universe
        .all_names()
        .filter_map(|known| {
            let distance = edit_distance(wanted.as_bytes(), known.as_bytes(), limit);
            let length = known.len();
            distance.map(|distance| (distance, length, known)).or_else(|| {
                let extends =
                    wanted.len() > 2 && known.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('-'));
                extends.then_some((limit + 1, length, known))
            })
        })
        .collect();
    scored.into_iter().take(SUGGESTIONS).map(|(_, _, name)| name.to_owned()).collect()
}

/// Number of letters to insert, delete, replace or swap with the next; `None` above `limit`.
fn edit_distance(a: &[u8], b: &[u8], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(letter != other)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && Some(letter) == b.get(j - 1) && a.get(i - 1) == Some(other);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        if next.iter().all(|&distance| distance > limit) {
            return None;
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|&distance| distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (a, b, expect) in [
            ("curl", "curl", Some(0)),
            ("crul", "curl", Some(1)),
            ("curll", "curl", Some(1)),
            ("kurl", "curl", Some(1)),
            ("", "ab", Some(2)),
            ("python", "perl", None),
        ] {
            assert_eq!(edit_distance(a.as_bytes(), b.as_bytes(), 2), expect, "{a} {b}");
        }
    }
}
