//! Stanzas of dpkg's file `status`, field by field as dpkg writes them.

use bstr::{BStr, BString, ByteSlice};
use data_encoding::HEXLOWER;

use crate::debian::dpkg::{InstalledPackage, PackageState, Stanza};

/// Fields that dpkg knows, in the order it writes them (the table `fieldinfos` of its parser); all others follow in
/// the order of the control file. `Status` and `Conffiles` are dpkg's own.
const KNOWN: [(&str, Kind); 28] = [
    ("Package", Kind::Text),
    ("Essential", Kind::YesOrNothing),
    ("Protected", Kind::YesOrNothing),
    ("Status", Kind::Status),
    ("Priority", Kind::Text),
    ("Section", Kind::Text),
    ("Installed-Size", Kind::Text),
    ("Origin", Kind::Text),
    ("Maintainer", Kind::Text),
    ("Bugs", Kind::Text),
    ("Architecture", Kind::Text),
    ("Multi-Arch", Kind::MultiArch),
    ("Source", Kind::Text),
    ("Version", Kind::Text),
    ("Replaces", Kind::Relations),
    ("Provides", Kind::Relations),
    ("Depends", Kind::Relations),
    ("Pre-Depends", Kind::Relations),
    ("Recommends", Kind::Relations),
    ("Suggests", Kind::Relations),
    ("Breaks", Kind::Relations),
    ("Conflicts", Kind::Relations),
    ("Enhances", Kind::Relations),
    ("Conffiles", Kind::Conffiles),
    ("Filename", Kind::Omitted),
    ("Size", Kind::Omitted),
    ("MD5sum", Kind::Omitted),
    ("Description", Kind::Text),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    YesOrNothing,
    MultiArch,
    Relations,
    Status,
    Conffiles,
    /// Only of the archive's indexes.
    Omitted,
}

/// The whole file: the packages by name and architecture, each stanza closed by a blank line. What a base's dpkg has
/// recorded, of packages that are there and of `remains` of others, is as it is there.
pub fn status_file(packages: &[InstalledPackage], remains: &[Stanza]) -> BString {
    let mut stanzas: Vec<(BString, BString, BString)> = Vec::new();
    let mut add = |stanza: &Stanza, text| {
        let field = |name| stanza.get(name).unwrap_or_default().to_owned();
        stanzas.push((field("Package"), field("Architecture"), text));
    };
    for package in packages {
        let mut text = BString::default();
        match &package.recorded {
            Some(stanza) => write_as_is(stanza, &mut text),
            None => write_stanza(package, &mut text),
        }
        add(&package.control, text);
    }
    for stanza in remains {
        let mut text = BString::default();
        write_as_is(stanza, &mut text);
        add(stanza, text);
    }
    stanzas.sort();
    let mut file = BString::default();
    for (_, _, text) in stanzas {
        file.extend_from_slice(&text);
        file.push(b'\n');
    }
    file
}

fn write_as_is(stanza: &Stanza, out: &mut BString) {
    stanza.iter().for_each(|(name, value)| write_field(out, name, value));
}

fn write_stanza(package: &InstalledPackage, out: &mut BString) {
    let control = &package.control;
    for (name, kind) in KNOWN {
        let value = control.get(name);
        match (kind, value) {
            (Kind::Status, _) => {
                write_field(out, name, format!("install ok {}", package.state).as_bytes().as_bstr());
            }
            (Kind::Conffiles, _) => write_conffiles(out, package),
            (Kind::Omitted, _) | (_, None) => {}
            (Kind::Text, Some(value)) => write_field(out, name, value),
            (Kind::YesOrNothing, Some(value)) if value.eq_ignore_ascii_case(b"yes") => {
                write_field(out, name, "yes".into());
            }
            (Kind::MultiArch, Some(value)) if value != "no" => write_field(out, name, value),
            (Kind::YesOrNothing | Kind::MultiArch, Some(_)) => {}
            (Kind::Relations, Some(value)) if value.is_empty() => {}
            (Kind::Relations, Some(value)) => write_field(out, name, relations(value).as_bstr()),
        }
    }
    write_unknown(control, out);
}

fn write_unknown(control: &Stanza, out: &mut BString) {
    for (name, value) in control.iter() {
        if !KNOWN.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            write_field(out, name, value);
        }
    }
}

fn write_field(out: &mut BString, name: &str, value: &BStr) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    if !value.starts_with(b"\n") {
        out.push(b' ');
    }
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// Until a package is configured dpkg has no hash for its conffiles, which a real run shows as `newconffile`.
fn write_conffiles(out: &mut BString, package: &InstalledPackage) {
    let InstalledPackage { conffiles, obsolete_conffiles, state, .. } = package;
    if conffiles.is_empty() && obsolete_conffiles.is_empty() {
        return;
    }
    out.extend_from_slice(b"Conffiles:\n");
    let current = conffiles.iter().map(|conffile| (conffile, false));
    for (conffile, obsolete) in current.chain(obsolete_conffiles.iter().map(|conffile| (conffile, true))) {
        let hash = match conffile.md5 {
            Some(md5) if obsolete || *state > PackageState::HalfConfigured => HEXLOWER.encode(&md5),
            _ => "newconffile".to_owned(),
        };
        let mark = match (obsolete, conffile.remove_on_upgrade) {
            (true, _) => " obsolete",
            (false, true) => " remove-on-upgrade",
            (false, false) => "",
        };
        out.extend_from_slice(format!(" {} {hash}{mark}\n", conffile.listed).as_bytes());
    }
}

/// A relation field in dpkg's spelling: `a (>= 1) | b, c`, whatever blanks and line breaks the package has.
fn relations(value: &BStr) -> BString {
    let join = |parts: Vec<BString>, separator: &str| BString::from(bstr::join(separator, parts));
    let alternatives = |item: &[u8]| join(item.split_str("|").map(relation).collect(), " | ");
    join(value.split_str(",").filter(|item| !item.trim().is_empty()).map(alternatives).collect(), ", ")
}

fn relation(item: &[u8]) -> BString {
    let item = item.trim();
    let Some((name, rest)) = item.split_once_str("(") else { return item.into() };
    let rest = rest.trim();
    let constraint = rest.strip_suffix(b")").unwrap_or(rest).trim();
    let operator_length = constraint.iter().take_while(|byte| b"<>=".contains(byte)).count();
    let (operator, version) = constraint.split_at(operator_length);
    let operator = match operator {
        b"" => b"=".as_slice(),
        b"<" => b"<=",
        b">" => b">=",
        other => other,
    };
    format!("{} ({} {})", name.trim().as_bstr(), operator.as_bstr(), version.trim().as_bstr()).into()
}
