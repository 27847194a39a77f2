//! Why an image has a Debian package.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use plywood_core::debian::configure::bootstrapped;
use plywood_core::debian::deb::UnpackedDeb;
use plywood_core::debian::relation::OrGroup;

use super::{Answer, Inquiry, Step, WhyError, places};
use crate::build::unpacked;

/// The fields by which a package needs others, the strongest first (Debian Policy 7.2).
const FIELDS: [&str; 3] = ["Pre-Depends", "Depends", "Recommends"];

/// The shortest chain of relations from a package that the manifest asks for.
pub(super) fn answer(inquiry: &Inquiry<'_>, name: &str) -> Result<Answer, WhyError> {
    let debs = debs(inquiry)?;
    let requested: BTreeSet<&str> = inquiry.plan.requested.iter().map(String::as_str).collect();
    let all: Vec<&UnpackedDeb> = debs.values().map(|deb| &**deb).collect();
    let essential = bootstrapped(&all);
    let essential: BTreeSet<&str> =
        essential.iter().map(String::as_str).filter(|name| debs.contains_key(*name)).collect();
    let chain = chain(&debs, &requested, name).map(|chain| (chain, true));
    let chain = chain.or_else(|| self::chain(&debs, &essential, name).map(|chain| (chain, false)));
    let version = |name: &str| debs.get(name).map_or(name.to_owned(), |deb| format!("{name} {}", deb.version()));
    let (steps, asked) = chain.unwrap_or_else(|| (vec![(name.to_owned(), None)], requested.contains(name)));
    let first = steps.first().map_or(name, |(name, _)| name.as_str()).to_owned();
    let asked_by = match (asked, debs.contains_key(name)) {
        (true, _) => format!("`{first}` of the image's `packages`"),
        (false, true) => "every Debian system, of which it is a part".to_owned(),
        (false, false) => "another package; build the image to see which".to_owned(),
    };
    Ok(Answer {
        subject: format!("package {}", version(name)),
        asked_by,
        place: places::package(inquiry, &first).filter(|_| asked),
        chain: steps.into_iter().map(|(name, by)| Step { name: version(&name), by }).collect(),
        variables: Vec::new(),
    })
}

/// What is known of the image's packages: those that were unpacked on this machine.
pub(super) fn debs(inquiry: &Inquiry<'_>) -> Result<BTreeMap<String, Arc<UnpackedDeb>>, WhyError> {
    let known = inquiry.plan.packages.iter().filter_map(|package| unpacked(inquiry.store, package).transpose());
    let known: Vec<Arc<UnpackedDeb>> = known.collect::<Result<_, _>>()?;
    Ok(known.into_iter().map(|deb| (deb.package().to_owned(), deb)).collect())
}

/// Packages with the field by which each needs the next.
type Chain = Vec<(String, Option<String>)>;

/// The shortest way from one of `start`; of equally short ones the first by name.
fn chain(debs: &BTreeMap<String, Arc<UnpackedDeb>>, start: &BTreeSet<&str>, to: &str) -> Option<Chain> {
    let mut providers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, deb) in debs {
        providers.entry(name.clone()).or_default().push(name);
        for provided in relations(deb, "Provides") {
            providers.entry(provided).or_default().push(name);
        }
    }
    let mut from: BTreeMap<&str, Option<(&str, &str)>> = start.iter().map(|name| (*name, None)).collect();
    let mut waiting: VecDeque<&str> = start.iter().copied().collect();
    while let Some(name) = waiting.pop_front() {
        if name == to {
            let mut chain: Chain = vec![(name.to_owned(), None)];
            let mut at = name;
            while let Some(Some((before, field))) = from.get(at) {
                chain.push(((*before).to_owned(), Some((*field).to_owned())));
                at = before;
            }
            chain.reverse();
            return Some(chain);
        }
        let Some(deb) = debs.get(name) else { continue };
        for field in FIELDS {
            for next in relations(deb, field).iter().filter_map(|needed| providers.get(needed)).flatten() {
                if !from.contains_key(next) {
                    from.insert(next, Some((name, field)));
                    waiting.push_back(next);
                }
            }
        }
    }
    None
}

/// The names in a field, alternatives included.
fn relations(deb: &UnpackedDeb, field: &str) -> Vec<String> {
    let text = deb.control.get_str(field).unwrap_or_default();
    let groups = OrGroup::parse_list(text).unwrap_or_default();
    groups.into_iter().flat_map(|group| group.0).map(|relation| relation.name.into_string()).collect()
}
