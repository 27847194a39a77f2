//! Finding what someone meant.

/// The candidate nearest to `name`, when one is near enough to be a slip of the fingers.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c String>) -> Option<&'c str> {
    let most = (name.chars().count() / 3).max(1);
    let near = candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate.as_str()))
        .filter(|(distance, candidate)| *distance <= most || candidate.starts_with(name) && !name.is_empty());
    near.min().map(|(_, candidate)| candidate)
}

/// The names as a sentence lists them: "`a`, `b` and `c`".
pub fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// How many insertions, deletions, replacements and swaps of neighbours lead from `from` to `to` (optimal string
/// alignment distance).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == to[column - 1] && from[row - 1] == *b {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known: Vec<String> = ["base", "devcontainer-base", "runtime-python"].map(str::to_owned).into();
        let check = |name: &str, expect: Option<&str>| assert_eq!(nearest(name, &known), expect, "{name}");
        check("bsae", Some("base"));
        check("devcontainer", Some("devcontainer-base"));
        check("devcontianer-base", Some("devcontainer-base"));
        check("runtime-pyhton", Some("runtime-python"));
        check("postgres", None);
        check("", None);
    }

    #[test]
    fn lists_read_as_sentences() {
        let check = |names: &[&str], expect: &str| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(list(&names), expect);
        };
        check(&[], "");
        check(&["a"], "`a`");
        check(&["a", "b", "c"], "`a`, `b` and `c`");
    }
}
