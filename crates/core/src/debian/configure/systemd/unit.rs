//! The `[Install]` section of a unit (systemd.unit(5)): the links that enabling it makes.

use bstr::{BStr, BString, ByteSlice as _};

use crate::tree::{ReadContent, Tree};

/// `Also=` may go round in circles.
const MAX_UNITS: usize = 100;

/// Whose units: the machine's or each user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `/etc/systemd/system`.
    System,
    /// `/etc/systemd/user`.
    User,
}

impl Scope {
    /// The directory's name under `/etc/systemd` and `/usr/lib/systemd`.
    pub const fn directory(self) -> &'static str {
        match self {
            Scope::System => "system",
            Scope::User => "user",
        }
    }
}

/// One link that enabling a unit makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitLink {
    /// The absolute path of the link, under `/etc/systemd`.
    pub link: BString,
    /// The absolute path of the unit.
    pub target: BString,
}

/// The unit's file; the name itself when there is none.
pub fn find_unit(tree: &Tree, scope: Scope, name: &BStr, places: &[&str]) -> BString {
    let scope = scope.directory();
    let mut candidates = places.iter().map(|place| BString::from(format!("{place}/systemd/{scope}/{name}")));
    candidates
        .find(|path| tree.lookup(path).is_some_and(|(_, node)| !node.is_directory()))
        .unwrap_or_else(|| name.into())
}

/// The links of a unit and, through `Also=`, of others; `places` are the directories above `systemd/` to look in.
pub fn install_links(
    tree: &Tree,
    contents: &dyn ReadContent,
    scope: Scope,
    name: &BStr,
    places: &[&str],
) -> Vec<UnitLink> {
    let mut visited = vec![BString::from(name)];
    let mut links = Vec::new();
    collect(tree, contents, scope, name, places, &mut visited, &mut links);
    links
}

fn collect(
    tree: &Tree,
    contents: &dyn ReadContent,
    scope: Scope,
    name: &BStr,
    places: &[&str],
    visited: &mut Vec<BString>,
    links: &mut Vec<UnitLink>,
) {
    let unit = find_unit(tree, scope, name, places);
    let Some((path, _)) = tree.lookup(&unit) else { return };
    let Ok(text) = tree.read(&path, contents) else { return };
    let unit_name = BString::from(unit.rsplit(|byte| *byte == b'/').next().unwrap_or(name));
    let base = format!("/etc/systemd/{}", scope.directory());
    let mut wanted_as = unit_name.clone();
    let mut directories = Vec::new();
    for line in text.lines() {
        let Some((key, value)) = line.trim_start().split_once_str("=") else { continue };
        for word in value.fields().map(unquoted) {
            match key.to_ascii_lowercase().as_slice() {
                b"wantedby" => directories.push(format!("{base}/{word}.wants")),
                b"requiredby" => directories.push(format!("{base}/{word}.requires")),
                b"alias" if *word != *unit_name => {
                    links.push(UnitLink { link: format!("{base}/{word}").into(), target: unit.clone() });
                }
                b"also" if !visited.iter().any(|other| *other == *word) && visited.len() < MAX_UNITS => {
                    visited.push(word.into());
                    collect(tree, contents, scope, word, places, visited, links);
                }
                b"defaultinstance" => wanted_as = instance(&unit_name, word),
                _ => {}
            }
        }
    }
    for directory in directories {
        links.push(UnitLink { link: format!("{directory}/{wanted_as}").into(), target: unit.clone() });
    }
}

/// `getty@.service` and `tty1` make `getty@tty1.service`.
fn instance(unit: &BString, instance: &BStr) -> BString {
    match unit.split_once_str("@.") {
        Some((prefix, suffix)) => [prefix, b"@", instance.as_bytes(), b".", suffix].concat().into(),
        None => unit.clone(),
    }
}

fn unquoted(word: &[u8]) -> &BStr {
    let inner = |quote: &[u8]| word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner(b"\"").or_else(|| inner(b"'")).unwrap_or(word).as_bstr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Meta, NoPackedContent, Node, TreePath};

    #[test]
    fn links_follow_the_install_section() {
        let unit = |name: &'static str, text: &str| {
            (TreePath::literal(name), Node::file(Meta::root(0o644, 0), text.as_bytes()))
        };
        let tree: Tree = [
            unit(
                "usr/lib/systemd/system/ssh.service",
                "[Install]\nWantedBy=multi-user.target\nAlias=sshd.service\nAlso=a.socket\n",
            ),
            unit("usr/lib/systemd/system/a.socket", "[Install]\nRequiredBy=sockets.target\nAlso=ssh.service\n"),
            unit("usr/lib/systemd/system/getty@.service", "[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n"),
        ]
        .into_iter()
        .collect();
        let check = |name: &str, expect: &[&str]| {
            let found = install_links(&tree, &NoPackedContent, Scope::System, name.into(), &["/usr/lib"]);
            let found: Vec<String> = found.iter().map(|link| link.link.to_string()).collect();
            assert_eq!(found, expect, "{name}");
        };
        check(
            "ssh.service",
            &[
                "/etc/systemd/system/sshd.service",
                "/etc/systemd/system/sockets.target.requires/a.socket",
                "/etc/systemd/system/multi-user.target.wants/ssh.service",
            ],
        );
        check("getty@.service", &["/etc/systemd/system/getty.target.wants/getty@tty1.service"]);
        check("none.service", &[]);
    }
}
