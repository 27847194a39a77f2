//! How many commonly installed packages are configured without running a script.

use std::collections::{BTreeMap, BTreeSet};

use plywood::debian::DebRef;
use plywood_core::debian::configure::ConfigureError;
use plywood_core::platform::Platform;
use rayon::prelude::*;

use crate::archive::Debian;
use crate::store::Store;

const COMMON: &str = include_str!("../data/common-packages.txt");
const AT_LEAST: usize = 90;

/// Each package on a minimal system of its own, as in an image that asks for nothing else.
#[expect(clippy::print_stdout, reason = "the count is the point of the test")]
#[test]
fn common_packages_need_no_scripts() {
    let Some(debian) = Debian::open("trixie", Platform::LinuxAmd64) else { return };
    let names: Vec<&str> = COMMON.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let sets: Vec<Vec<DebRef>> = names
        .par_iter()
        .map(|name| debian.resolve(&[name]).unwrap_or_else(|error| panic!("{name}: {error}")))
        .collect();
    let union: BTreeMap<_, DebRef> = sets.iter().flatten().map(|deb| (deb.hash, deb.clone())).collect();
    let union: Vec<DebRef> = union.into_values().collect();
    let size: u64 = union.iter().map(|deb| deb.size).sum();
    println!("{} packages need {} with {} MB", names.len(), union.len(), size / 1_000_000);

    let store = Store::unpack(&union, &debian.download(&union));
    let refused: Vec<(&str, String)> =
        names.par_iter().zip(&sets).filter_map(|(name, set)| Some((*name, refusal(&debian, &store, set)?))).collect();
    for (name, why) in &refused {
        println!("{name}: {why}");
    }
    let reasons: BTreeSet<&String> = refused.iter().map(|(_, why)| why).collect();
    println!("{} of {} are refused, for {} reasons", refused.len(), names.len(), reasons.len());
    assert!(names.len() - refused.len() >= AT_LEAST, "only {} are configured", names.len() - refused.len());
}

/// Why a set of packages cannot be configured.
fn refusal(debian: &Debian, store: &Store, set: &[DebRef]) -> Option<String> {
    let error = crate::install(debian, store, set, &[]).err()?;
    let ConfigureError::Scripts(scripts) = &error else { return Some(error.to_string()) };
    let chain = |script: &dyn std::error::Error| match script.source() {
        Some(cause) => format!("{script}: {cause}"),
        None => script.to_string(),
    };
    Some(scripts.iter().map(|script| chain(script)).collect::<Vec<_>>().join("; "))
}
