//! Users and groups as the tree's `/etc/passwd` and `/etc/group` have them (passwd(5), group(5)).

use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::super::Machine;

/// The files that name accounts.
pub(in crate::shell) const PASSWD: &str = "/etc/passwd";
/// See [`PASSWD`].
pub(in crate::shell) const GROUP: &str = "/etc/group";

/// The content of an account file; nothing when it is missing.
pub(in crate::shell) fn database<S>(machine: &Machine<'_, S>, path: &str) -> Arc<[u8]> {
    let at = machine.tree.lookup(path).map(|(at, _)| at);
    at.and_then(|at| machine.tree.read(&at, machine.contents).ok()).unwrap_or_else(|| Arc::from([]))
}

/// The fields of the first entry whose field `index` is `key`.
pub(in crate::shell) fn entry(database: &[u8], index: usize, key: &[u8]) -> Option<Vec<BString>> {
    database.lines().find_map(|line| {
        let fields: Vec<BString> = line.split_str(":").map(BString::from).collect();
        (fields.get(index).is_some_and(|field| field == key)).then_some(fields)
    })
}

fn number(fields: &[BString], index: usize) -> Option<u32> {
    fields.get(index)?.to_str().ok()?.parse().ok()
}

/// A user's numeric id and primary group, by name or number.
pub(in crate::shell) fn user<S>(machine: &Machine<'_, S>, name: &[u8]) -> Option<(u32, Option<u32>)> {
    let database = database(machine, PASSWD);
    match entry(&database, 0, name) {
        Some(fields) => Some((number(&fields, 2)?, number(&fields, 3))),
        None if name == b"root" => Some((0, Some(0))),
        None => {
            let uid = name.to_str().ok()?.parse().ok()?;
            Some((uid, entry(&database, 2, name).and_then(|fields| number(&fields, 3))))
        }
    }
}

/// A group's numeric id, by name or number.
pub(in crate::shell) fn group<S>(machine: &Machine<'_, S>, name: &[u8]) -> Option<u32> {
    match entry(&database(machine, GROUP), 0, name) {
        Some(fields) => number(&fields, 2),
        None if name == b"root" => Some(0),
        None => name.to_str().ok()?.parse().ok(),
    }
}

/// The name of a numeric id in a database; the number itself when it has none.
pub(in crate::shell) fn name<S>(machine: &Machine<'_, S>, path: &str, id: u32) -> BString {
    let id = id.to_string();
    let found = entry(&database(machine, path), 2, id.as_bytes()).and_then(|fields| fields.first().cloned());
    found.unwrap_or_else(|| if id == "0" { "root".into() } else { id.into() })
}

/// A user's home directory.
pub(in crate::shell) fn home<S>(machine: &Machine<'_, S>, name: &[u8]) -> Option<BString> {
    let fields = entry(&database(machine, PASSWD), 0, name);
    match fields {
        Some(fields) => fields.get(5).cloned(),
        None => (name == b"root").then(|| "/root".into()),
    }
}
