//! What a name was most likely meant to be.

/// The candidate that is nearest to `written`, if any comes near; of equally near ones the first in order.
pub(super) fn nearest<'c>(written: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // Hyphen or underscore, upper or lower case: nobody remembers which.
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let wanted = plain(written);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &plain(candidate));
    let near = |(distance, candidate): &(usize, &str)| *distance * 3 <= candidate.len().max(3);
    // Names of other lengths are far away, and nixpkgs has tens of thousands.
    let alike = candidates.filter(|candidate| candidate.len().abs_diff(written.len()) * 3 <= candidate.len().max(3));
    alike.map(|candidate| (distance(candidate), candidate)).filter(near).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_near_is_suggested() {
        let known = ["nodejs_22", "nodejs_24", "python312", "ripgrep", "typescript-language-server"];
        let check =
            |written: &str, expect: Option<&str>| assert_eq!(nearest(written, known.into_iter()), expect, "{written}");
        check("nodejs-22", Some("nodejs_22"));
        check("pyhton312", Some("python312"));
        check("ripgrp", Some("ripgrep"));
        check("TypeScript-language-server", Some("typescript-language-server"));
        check("zzz", None);
        check("", None);
    }
}
