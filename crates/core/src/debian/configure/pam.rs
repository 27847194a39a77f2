//! `pam-auth-update`: `/etc/pam.d/common-*` from the profiles in `/usr/share/pam-configs` (pam-auth-update(8)).

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::tree::{Meta, Node, ReadContent, Tree, TreeError, TreePath};

const PROFILES: TreePath = TreePath::literal("usr/share/pam-configs");
const SAVED: TreePath = TreePath::literal("var/lib/pam");
/// The files, and the kind of module in each.
const TYPES: [(&str, &str); 5] = [
    ("auth", "Auth"),
    ("account", "Account"),
    ("password", "Password"),
    ("session", "Session"),
    ("session-noninteractive", "Session-noninteractive"),
];

/// One profile: its fields, multi-line ones with their lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The file's name.
    pub name: BString,
    fields: BTreeMap<BString, Vec<BString>>,
}

impl Profile {
    /// Reads a profile; lines without a field before them are skipped.
    pub fn parse(name: &[u8], text: &[u8]) -> Self {
        let mut profile = Self { name: name.into(), ..Self::default() };
        let mut field: Option<BString> = None;
        for line in text.lines() {
            let is_field = !line.starts_with(b" ") && !line.starts_with(b"\t");
            match line.split_once_str(":") {
                Some((key, value)) if is_field => {
                    let key = BString::from(key.strip_suffix(b"-Final").unwrap_or(key));
                    let value = value.trim();
                    let lines = if value.is_empty() { Vec::new() } else { vec![value.into()] };
                    profile.fields.insert(key.clone(), lines);
                    field = Some(key);
                }
                _ => {
                    let lines = field.as_ref().and_then(|field| profile.fields.get_mut(field));
                    if let Some(lines) = lines.filter(|_| !line.trim().is_empty()) {
                        lines.push(line.trim().into());
                    }
                }
            }
        }
        profile.copy_session();
        profile
    }

    /// Sessions without a person have the same modules, unless the profile says otherwise.
    fn copy_session(&mut self) {
        if self.value("Session-Interactive-Only") == Some(b"yes".as_slice()) {
            return;
        }
        for suffix in ["-Type", "", "-Initial"] {
            let from = BString::from(format!("Session{suffix}"));
            if let Some(lines) = self.fields.get(&from).cloned() {
                self.fields.insert(format!("Session-noninteractive{suffix}").into(), lines);
            }
        }
    }

    fn value(&self, field: &str) -> Option<&[u8]> {
        self.fields.get(field.as_bytes().as_bstr())?.first().map(|value| value.as_slice())
    }

    fn is_default(&self) -> bool {
        self.value("Default") == Some(b"yes")
    }

    fn priority(&self) -> i64 {
        self.value("Priority").and_then(|text| text.to_str().ok()?.parse().ok()).unwrap_or(0)
    }

    /// The profile's lines for a type; the first module of a block may have lines of its own.
    fn lines(&self, kind: &str, first: bool) -> &[BString] {
        let of = |field: String| self.fields.get(field.as_bytes().as_bstr()).map(Vec::as_slice);
        first.then(|| of(format!("{kind}-Initial"))).flatten().or_else(|| of(kind.to_owned())).unwrap_or_default()
    }
}

/// Writes the five files and what pam-auth-update remembers, with the profiles that are on by default.
///
/// # Errors
/// When a template cannot be read or a file not be written.
pub fn pam_auth_update(tree: &mut Tree, contents: &dyn ReadContent, now: i64) -> Result<(), TreeError> {
    let mut profiles = Vec::new();
    for (path, node) in tree.children(&PROFILES) {
        let Some(name) = path.file_name().filter(|_| !node.is_directory()) else { continue };
        profiles.push(Profile::parse(name, &tree.read(path, contents)?));
    }
    profiles.sort_by(|left, right| right.priority().cmp(&left.priority()).then_with(|| left.name.cmp(&right.name)));
    tree.create_dir_all(&SAVED, &Meta::root(0o755, now))?;
    let enabled: Vec<&Profile> = profiles.iter().filter(|profile| profile.is_default()).collect();
    for (file, kind) in TYPES {
        let template = TreePath::parse(format!("usr/share/pam/common-{file}"))?;
        let template = tree.read(&template, contents)?;
        let target = TreePath::parse(format!("etc/pam.d/common-{file}"))?;
        tree.create_dir_all(&TreePath::literal("etc/pam.d"), &Meta::root(0o755, now))?;
        let text = fill(&template, &enabled, file, kind);
        tree.insert(target, Node::file(Meta::root(0o644, now), text))?;
        tree.insert(SAVED.join(file)?, Node::file(Meta::root(0o644, now), saved(&enabled, kind)))?;
    }
    let mut seen = seen(tree, contents);
    for profile in &profiles {
        if !seen.contains(&profile.name) {
            seen.push(profile.name.clone());
        }
    }
    let text: Vec<u8> = seen.iter().flat_map(|name| name.iter().copied().chain([b'\n'])).collect();
    tree.insert(SAVED.join("seen")?, Node::file(Meta::root(0o644, now), text))?;
    Ok(())
}

/// The profiles that earlier runs knew, in their order.
fn seen(tree: &Tree, contents: &dyn ReadContent) -> Vec<BString> {
    let path = SAVED.join("seen").ok();
    let text = path.and_then(|path| tree.read(&path, contents).ok());
    text.map(|text| text.lines().map(BString::from).collect()).unwrap_or_default()
}

/// The modules of a block (`Primary` or `Additional`) with their lines.
fn block<'p>(enabled: &[&'p Profile], kind: &str, block: &[u8]) -> Vec<(&'p Profile, &'p [BString])> {
    let field = format!("{kind}-Type");
    let of_block = enabled.iter().filter(|profile| profile.value(&field) == Some(block));
    of_block.enumerate().map(|(at, profile)| (*profile, profile.lines(kind, at == 0))).collect()
}

/// Puts the blocks in place of `$auth_primary` and its like.
fn fill(template: &[u8], enabled: &[&Profile], file: &str, kind: &str) -> Vec<u8> {
    let prefix = file.strip_suffix("-noninteractive").unwrap_or(file);
    let mark = file.replace("-noninteractive", "_nonint");
    let (primary, additional) = (format!("${mark}_primary"), format!("${mark}_additional"));
    let mut out = Vec::new();
    for line in template.lines_with_terminator() {
        let trimmed = line.trim_end();
        let is = |placeholder: &str| trimmed == placeholder.as_bytes();
        if is(&primary) {
            let modules = block(enabled, kind, b"Primary");
            let mut jump = modules.iter().map(|(_, lines)| lines.len()).sum::<usize>();
            if modules.is_empty() {
                out.extend(format!("{prefix}\t[default=1]\t\t\tpam_permit.so\n").bytes());
            }
            for line in modules.iter().flat_map(|(_, lines)| lines.iter()) {
                out.extend(module_line(prefix, line, jump));
                jump = jump.saturating_sub(1);
            }
        } else if is(&additional) {
            for line in block(enabled, kind, b"Additional").iter().flat_map(|(_, lines)| lines.iter()) {
                out.extend(module_line(prefix, line, 0));
            }
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// `TYPE<tab>CONTROL MODULE OPTIONS`, where `end` jumps over the rest of the block.
fn module_line(prefix: &str, line: &BString, jump: usize) -> Vec<u8> {
    let (control, rest) = match line.strip_prefix(b"[") {
        Some(_) => line.split_at(line.find_byte(b']').map_or(line.len(), |at| at + 1)),
        None => line.split_at(line.find_byteset(b" \t").unwrap_or(line.len())),
    };
    let after_blanks = rest.trim_start();
    let blanks = rest.get(..rest.len() - after_blanks.len()).unwrap_or_default();
    let end = after_blanks.find_byteset(b" \t").unwrap_or(after_blanks.len());
    let (module, options) = after_blanks.split_at(end);
    let control = control.replace("end", jump.to_string());
    let options: Vec<&[u8]> = options.fields().collect();
    [prefix.as_bytes(), b"\t", &control, blanks, module, b" ", &bstr::join(" ", options), b"\n"].concat()
}

/// What was put into a file, module by module, as `/var/lib/pam` keeps it.
fn saved(enabled: &[&Profile], kind: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let primary = block(enabled, kind, b"Primary");
    if primary.is_empty() {
        out.extend_from_slice(b"Module: null\n[default=1]\t\t\tpam_permit.so\n");
    }
    for (profile, lines) in primary.into_iter().chain(block(enabled, kind, b"Additional")) {
        if !lines.is_empty() {
            out.extend(format!("Module: {}\n", profile.name).bytes());
            lines.iter().for_each(|line| out.extend(line.iter().copied().chain([b'\n'])));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNIX: &str = "Name: Unix authentication\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n\
        \t[success=end default=ignore]\tpam_unix.so nullok try_first_pass\nAuth-Initial:\n\
        \t[success=end default=ignore]\tpam_unix.so nullok\nSession-Type: Additional\nSession:\n\trequired\tpam_unix.so\n";

    #[test]
    fn blocks_take_the_place_of_their_marks() {
        let unix = Profile::parse(b"unix", UNIX.as_bytes());
        let check = |template: &str, file: &str, kind: &str, expect: &str| {
            assert_eq!(fill(template.as_bytes(), &[&unix], file, kind).as_bstr(), expect, "{file}");
        };
        check(
            "$auth_primary\nx\n$auth_additional\n",
            "auth",
            "Auth",
            "auth\t[success=1 default=ignore]\tpam_unix.so nullok\nx\n",
        );
        check(
            "$session_nonint_primary\n$session_nonint_additional\n",
            "session-noninteractive",
            "Session-noninteractive",
            "session\t[default=1]\t\t\tpam_permit.so\nsession\trequired\tpam_unix.so \n",
        );
        assert_eq!(
            saved(&[&unix], "Auth").as_bstr(),
            "Module: unix\n[success=end default=ignore]\tpam_unix.so nullok\n"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_profile(text in "([A-Z][a-z-]{0,6}:[ a-z]{0,5}\n|[ \t]?[\\[a-z=\\] ]{0,12}\n){0,10}") {
            let profile = Profile::parse(b"p", text.as_bytes());
            let _ = fill(b"$auth_primary\n$auth_additional\n", &[&profile], "auth", "Auth");
        }
    }
}
