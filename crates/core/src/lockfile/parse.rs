//! Reads a lock.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::types::{LockedImage, LockedPackage, LockedPlatform, PackageKey};
use super::{Lockfile, LockfileError, LockfileProblem, base, line};
use crate::item::ItemKey;
use crate::layering::{Layout, LayoutLayer};
use crate::manifest::{BaseReference, ImageName};
use crate::platform::Platform;

/// A problem and the bytes it is at.
pub(super) type Fault = (Range<usize>, LockfileProblem);

type Packages = BTreeMap<PackageKey, LockedPackage>;

impl Lockfile {
    /// Parses a lock.
    ///
    /// # Errors
    /// The first fault, with its line: what is left of a merge, a newer format, text that is no TOML, or anything that
    /// [`Lockfile::to_text`] does not write.
    pub fn parse(text: &str) -> Result<Self, LockfileError> {
        read(text).map_err(|(span, problem)| LockfileError { line: line_of(text, &span), problem })
    }
}

/// The line, from 1, at which `span` begins; `None` for the whole text.
fn line_of(text: &str, span: &Range<usize>) -> Option<usize> {
    let before = text.as_bytes().get(..span.start)?;
    (span.end > span.start).then(|| before.iter().filter(|byte| **byte == b'\n').count() + 1)
}

fn read(text: &str) -> Result<Lockfile, Fault> {
    if text.len() > Lockfile::MAX_LEN {
        return Err((0..0, LockfileProblem::TooLong));
    }
    if let Some(span) = conflict_marker(text) {
        return Err((span, LockfileProblem::Conflict));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut table = Table::of(document.get_ref(), 0..0);
    check_version(&mut table)?;
    if let Some(error) = errors.first() {
        let span = error.span().unwrap_or(0..0);
        return Err((span, LockfileProblem::Syntax(error.message().to_owned())));
    }
    let (date_span, date) = table.required("date", string)?;
    let date = line::timestamp(date)
        .ok_or((date_span, LockfileProblem::Expected("an instant such as 2026-11-01T00:00:00Z")))?;
    let mut releases: Vec<_> = table
        .required("releases", |value| lines(value, "a release: repository suite date sha256", line::read_release))?
        .1;
    releases.sort();
    releases.dedup();
    let packages = table.optional("packages", |value| keyed(value, platform_packages))?.unwrap_or_default();
    let images = table.optional("images", |value| keyed(value, |_: &ImageName, value| image(value, &packages)))?;
    let bases = table.optional("bases", |value| {
        keyed(value, |_: &BaseReference, value| keyed(value, |_: &Platform, value| base::read(value)))
    })?;
    let layouts = table.optional("layout", |value| keyed(value, |_: &Platform, value| layout(value)))?;
    let nix = table.optional("nix", super::nix::parse)?;
    table.end()?;
    let (images, bases) = (images.unwrap_or_default(), bases.unwrap_or_default());
    let layouts = layouts.unwrap_or_default();
    Ok(Lockfile { date, releases, images, bases, packages, nix, layouts })
}

/// Where git left a mark of an unfinished merge.
fn conflict_marker(text: &str) -> Option<Range<usize>> {
    const MARKS: [&str; 4] = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if MARKS.iter().any(|mark| line.starts_with(mark)) {
            return Some(start..start + line.len());
        }
        start += line.len();
    }
    None
}

/// The version comes first, so that a newer lock is called that, whatever else is new in it.
fn check_version(table: &mut Table<'_, '_>) -> Result<(), Fault> {
    let missing = (0..0, LockfileProblem::NoVersion);
    let (span, version) = table.required("version", integer).map_err(|_| missing)?;
    match version {
        Lockfile::VERSION => Ok(()),
        found if found > Lockfile::VERSION => Err((span, LockfileProblem::Newer { found })),
        _ => Err((span, LockfileProblem::NoVersion)),
    }
}

fn platform_packages(platform: &Platform, value: &Spanned<DeValue<'_>>) -> Result<Packages, Fault> {
    let mut table = Table::open(value)?;
    let mut packages = Packages::new();
    for member in table.required("locked", array)?.1 {
        let (span, line) = (member.span(), string(member)?);
        let package = line::read_package(line, *platform);
        let package =
            package.ok_or((span.clone(), LockfileProblem::Expected("the columns of a package of this platform")))?;
        let key = package.key();
        if packages.insert(key.clone(), package).is_some() {
            return Err((span, LockfileProblem::Duplicate(key.to_string())));
        }
    }
    table.end()?;
    Ok(packages)
}

fn image(value: &Spanned<DeValue<'_>>, packages: &BTreeMap<Platform, Packages>) -> Result<LockedImage, Fault> {
    let mut table = Table::open(value)?;
    let (span, inputs) = table.required("inputs", string)?;
    let inputs = inputs.parse().map_err(|_| (span, LockfileProblem::Expected("a digest, sha256:…")))?;
    let mut platforms = BTreeMap::new();
    for platform in Platform::ALL {
        let known = packages.get(&platform);
        let read = |value: &Spanned<DeValue<'_>>| locked_platform(value, known);
        platforms.extend(table.optional(&platform.to_string(), read)?.map(|locked| (platform, locked)));
    }
    table.end()?;
    Ok(LockedImage { inputs, platforms })
}

fn locked_platform(value: &Spanned<DeValue<'_>>, known: Option<&Packages>) -> Result<LockedPlatform, Fault> {
    let mut table = Table::open(value)?;
    let mut locked = LockedPlatform::default();
    let mut seen = std::collections::BTreeSet::new();
    for member in table.required("packages", array)?.1 {
        let (span, line) = (member.span(), string(member)?);
        let unknown = || (span.clone(), LockfileProblem::UnknownPackage(line.to_owned()));
        let used = line::read_use(line, |name, version| find(known?, name, version)).ok_or_else(unknown)?;
        if !seen.insert(used.package.name.clone()) {
            return Err((span, LockfileProblem::Duplicate(used.package.name.to_string())));
        }
        locked.packages.push(used);
    }
    for member in table.optional("scripts", array)?.into_iter().flatten() {
        let expected = (member.span(), LockfileProblem::Expected("a package, `run` or `skip`, and a hash"));
        let (name, script) = line::read_script(string(member)?).ok_or(expected)?;
        if locked.scripts.insert(name.clone(), script).is_some() {
            return Err((member.span(), LockfileProblem::Duplicate(name.to_string())));
        }
    }
    table.end()?;
    Ok(locked)
}

/// The package of that name, and of that version where one is given; `None` when there is none or the name alone is ambiguous.
fn find(packages: &Packages, name: &str, version: Option<&str>) -> Option<PackageKey> {
    // Keys are sorted by name first, so those of one name are neighbours.
    let name: crate::manifest::PackageName = name.parse().ok()?;
    if let Some(version) = version {
        let key = PackageKey { name, version: version.parse().ok()? };
        return packages.contains_key(&key).then_some(key);
    }
    let lowest = PackageKey { version: LOWEST_VERSION.parse().ok()?, name };
    let mut same = packages.range(&lowest..).map(|(key, _)| key).take_while(|key| key.name == lowest.name);
    same.next().filter(|_| same.next().is_none()).cloned()
}

/// No version sorts before this as text: `+` is the first character that one may have.
const LOWEST_VERSION: &str = "+";

fn layout(value: &Spanned<DeValue<'_>>) -> Result<Layout, Fault> {
    let mut table = Table::open(value)?;
    let mut layers = Vec::new();
    for member in table.required("layers", array)?.1 {
        let mut layer = Table::open(member)?;
        let texts = |value: &Spanned<DeValue<'_>>| lines(value, "a name", |line| Some(line.to_owned()));
        layers.push(LayoutLayer {
            images: layer.required("images", texts)?.1.into_iter().collect(),
            items: layer.required("items", texts)?.1.into_iter().map(ItemKey).collect(),
        });
        layer.end()?;
    }
    table.end()?;
    Ok(Layout { layers })
}

/// A table whose keys and values are read alike.
pub(super) fn keyed<K: FromStr + Ord, V>(
    value: &Spanned<DeValue<'_>>,
    read: impl Fn(&K, &Spanned<DeValue<'_>>) -> Result<V, Fault>,
) -> Result<BTreeMap<K, V>, Fault> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err((value.span(), LockfileProblem::Expected("a table")));
    };
    let entries = table.iter().map(|(key, value)| {
        let parsed = key.get_ref().parse::<K>();
        let name = parsed.map_err(|_| (key.span(), LockfileProblem::UnknownKey(key.get_ref().to_string())))?;
        let value = read(&name, value)?;
        Ok((name, value))
    });
    entries.collect()
}

pub(super) fn lines<T>(
    value: &Spanned<DeValue<'_>>,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Fault> {
    let read = |member: &Spanned<DeValue<'_>>| {
        read(string(member)?).ok_or((member.span(), LockfileProblem::Expected(expected)))
    };
    array(value)?.iter().map(read).collect()
}

pub(super) fn array<'v, 'i>(value: &'v Spanned<DeValue<'i>>) -> Result<&'v DeArray<'i>, Fault> {
    value.get_ref().as_array().ok_or((value.span(), LockfileProblem::Expected("an array")))
}

pub(super) fn string<'v>(value: &'v Spanned<DeValue<'_>>) -> Result<&'v str, Fault> {
    value.get_ref().as_str().ok_or((value.span(), LockfileProblem::Expected("a string")))
}

fn integer(value: &Spanned<DeValue<'_>>) -> Result<u64, Fault> {
    let number =
        value.get_ref().as_integer().and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok());
    number.ok_or((value.span(), LockfileProblem::Expected("a number")))
}

/// A table whose keys are all known.
pub(super) struct Table<'v, 'i> {
    table: &'v DeTable<'i>,
    span: Range<usize>,
    read: Vec<String>,
}

impl<'v, 'i> Table<'v, 'i> {
    fn of(table: &'v DeTable<'i>, span: Range<usize>) -> Self {
        Self { table, span, read: Vec::new() }
    }

    pub(super) fn open(value: &'v Spanned<DeValue<'i>>) -> Result<Self, Fault> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(Self::of(table, value.span())),
            _ => Err((value.span(), LockfileProblem::Expected("a table"))),
        }
    }

    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        read: impl Fn(&'v Spanned<DeValue<'i>>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        self.read.push(key.to_owned());
        self.table.get(key).map(read).transpose()
    }

    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'v Spanned<DeValue<'i>>) -> Result<T, Fault>,
    ) -> Result<(Range<usize>, T), Fault> {
        let missing = (self.span.clone(), LockfileProblem::Missing(key));
        let value = self.optional(key, |value| Ok((value.span(), read(value)?)))?;
        value.ok_or(missing)
    }

    pub(super) fn end(self) -> Result<(), Fault> {
        let unknown = self.table.keys().find(|key| !self.read.iter().any(|read| read == key.get_ref().as_ref()));
        match unknown {
            Some(key) => Err((key.span(), LockfileProblem::UnknownKey(key.get_ref().to_string()))),
            None => Ok(()),
        }
    }
}
