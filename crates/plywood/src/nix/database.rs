//! Nix's database of an image: which store paths are valid, and how they hang together.
//!
//! It is written from the lock alone, so equal locks give equal bytes: rows in the order of their paths, one time of
//! registration for all of them, nothing that SQLite takes from the clock. The tables are those of schema 10, which Nix
//! has had from 2.0 on and newer ones read as it is (Nix, `src/libstore/schema.sql` and `local-store.cc`).

use rusqlite::{Connection, MAIN_DB, params};

/// What the file `schema` beside the database says.
pub const SCHEMA_VERSION: &str = "10";

/// The time at which every path was registered, in seconds since 1970: the lock does not know any, and a real one would
/// change the database whenever anything is locked.
const REGISTRATION_TIME: i64 = 1;

const SCHEMA: &str = "
PRAGMA page_size = 4096;
CREATE TABLE ValidPaths (
    id               integer primary key autoincrement not null,
    path             text unique not null,
    hash             text not null,
    registrationTime integer not null,
    deriver          text,
    narSize          integer,
    ultimate         integer,
    sigs             text,
    ca               text
);
CREATE TABLE Refs (
    referrer  integer not null,
    reference integer not null,
    primary key (referrer, reference),
    foreign key (referrer) references ValidPaths(id) on delete cascade,
    foreign key (reference) references ValidPaths(id) on delete restrict
);
CREATE INDEX IndexReferrer on Refs(referrer);
CREATE INDEX IndexReference on Refs(reference);
CREATE TRIGGER DeleteSelfRefs before delete on ValidPaths
  begin
    delete from Refs where referrer = old.id and reference = old.id;
  end;
CREATE TABLE DerivationOutputs (
    drv  integer not null,
    id   text not null,
    path text not null,
    primary key (drv, id),
    foreign key (drv) references ValidPaths(id) on delete cascade
);
CREATE INDEX IndexDerivationOutputs on DerivationOutputs(path);
";

/// A row of the database; paths are absolute, as Nix writes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValidPath {
    /// The path.
    pub path: String,
    /// The hash of its NAR, as `sha256:` and hexadecimal digits.
    pub nar_hash: String,
    /// The length of its NAR in bytes.
    pub nar_size: u64,
    /// The derivation that made it; it need not be valid itself.
    pub deriver: Option<String>,
    /// The paths that it refers to, itself included where it does; those that are not among the rows are left out.
    pub references: Vec<String>,
    /// Of a derivation: its outputs' names and paths.
    pub outputs: Vec<(String, String)>,
    /// Of a path that its contents name: how they do.
    pub content_address: Option<String>,
}

/// The database's file, with these rows in whatever order.
///
/// # Errors
/// Only by a mistake in the program: two rows of one path, or SQLite out of memory.
pub fn write_database(paths: &[ValidPath]) -> Result<Vec<u8>, rusqlite::Error> {
    let mut sorted: Vec<&ValidPath> = paths.iter().collect();
    sorted.sort();
    let mut database = Connection::open_in_memory()?;
    database.execute_batch(SCHEMA)?;
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare(
            "INSERT INTO ValidPaths (id, path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, NULL, ?7)",
        )?;
        for (row, id) in sorted.iter().zip(1_i64..) {
            let size = i64::try_from(row.nar_size).unwrap_or(i64::MAX);
            insert.execute(params![
                id,
                row.path,
                row.nar_hash,
                REGISTRATION_TIME,
                row.deriver,
                size,
                row.content_address
            ])?;
        }
        let mut refer = transaction.prepare("INSERT OR IGNORE INTO Refs (referrer, reference) VALUES (?1, ?2)")?;
        let mut output = transaction.prepare("INSERT INTO DerivationOutputs (drv, id, path) VALUES (?1, ?2, ?3)")?;
        for (row, id) in sorted.iter().zip(1_i64..) {
            let places = row.references.iter().filter_map(|path| id_of(&sorted, path));
            let references: std::collections::BTreeSet<i64> = places.collect();
            references.into_iter().try_for_each(|reference| refer.execute(params![id, reference]).map(drop))?;
            row.outputs.iter().try_for_each(|(name, path)| output.execute(params![id, name, path]).map(drop))?;
        }
    }
    transaction.commit()?;
    Ok(database.serialize(MAIN_DB)?.to_vec())
}

/// The id of the row of a path.
fn id_of(sorted: &[&ValidPath], path: &str) -> Option<i64> {
    let at = sorted.binary_search_by(|row| row.path.as_str().cmp(path)).ok()?;
    i64::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, references: &[&str]) -> ValidPath {
        let path = |name: &str| format!("/nix/store/{name:0>32}-{name}");
        ValidPath {
            path: path(name),
            nar_hash: format!("sha256:{}", "0".repeat(64)),
            nar_size: 120,
            deriver: None,
            references: references.iter().map(|name| path(name)).collect(),
            outputs: Vec::new(),
            content_address: None,
        }
    }

    #[test]
    fn equal_rows_give_equal_bytes_in_whatever_order() {
        let rows: Vec<ValidPath> = (0..500).map(|at| row(&at.to_string(), &["0", "1", "missing"])).collect();
        let bytes = write_database(&rows).expect("written");
        let reversed: Vec<ValidPath> = rows.iter().rev().cloned().collect();
        assert_eq!(write_database(&reversed).expect("written"), bytes);
        assert!(bytes.starts_with(b"SQLite format 3\0"));
        // The version of the file format for reading and writing: 1 is the rollback journal, which needs no second file.
        assert_eq!(bytes.get(18..20), Some(&[1, 1][..]));
    }

    #[test]
    fn one_path_twice_is_a_mistake() {
        assert!(write_database(&[row("a", &[]), row("a", &[])]).is_err());
    }
}
