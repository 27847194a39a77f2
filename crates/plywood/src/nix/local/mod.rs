//! The local store, read only: what is valid by its database, contents from its files.

mod error;
mod files;
mod location;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::NarHash;
use plywood_core::nix::StorePath;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::database::SCHEMA_VERSION;
use super::path_info::{Origin, PathInfo};
pub use error::LocalStoreError;
pub(super) use files::{FilesError, read_path};
use location::Location;
use reader::Database;

/// A store on this machine whose paths begin with `/nix/store`, wherever they really are.
#[derive(Debug)]
pub struct LocalStore {
    location: Location,
    database: Database,
}

impl LocalStore {
    /// The store of a whole system below `root`, as with Nix's `--store ROOT`; `/` for the machine's own.
    pub fn below(root: &Utf8Path) -> Self {
        Self::at(Location::below(root))
    }

    /// The store that Nix itself would use here by NIX_REMOTE, NIX_STATE_DIR and NIX_STORE_DIR; `None` when there is no
    /// database.
    pub fn from_environment() -> Option<Self> {
        let store = Self::at(Location::from_environment(|name| std::env::var(name).ok())?);
        store.database.exists().then_some(store)
    }

    /// The store of the containers in which `plywood lock` runs Nix; `None` when there is no database.
    pub(super) fn of_containers(cache: &Utf8Path) -> Option<Self> {
        let store = Self::below(&super::eval::store_root(cache));
        store.database.exists().then_some(store)
    }

    fn at(location: Location) -> Self {
        let database = Database::new(location.state.join("db/db.sqlite"));
        Self { location, database }
    }

    /// Where the files of a path really are.
    pub fn real_path(&self, path: &StorePath) -> Utf8PathBuf {
        self.location.store.join(path.to_string())
    }

    /// What the database says of a path; `None` when it is not valid.
    ///
    /// # Errors
    /// When the database cannot be read or makes no sense.
    pub fn path_info(&self, path: &StorePath) -> Result<Option<PathInfo>, LocalStoreError> {
        Ok(self.path_infos([path])?.remove(path))
    }

    /// What the database says of each path that is valid, all in one state of it.
    ///
    /// # Errors
    /// As [`LocalStore::path_info`].
    pub fn path_infos<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p StorePath> + Clone,
    ) -> Result<BTreeMap<StorePath, PathInfo>, LocalStoreError> {
        self.read(|connection| {
            let infos = paths.clone().into_iter().map(|path| query(connection, path));
            infos.filter_map(Result::transpose).map(|info| info.map(|info| (info.path.clone(), info))).collect()
        })
    }

    /// Everything that `roots` need, themselves included, all in one state of the database; paths that are named and not
    /// valid are left out.
    ///
    /// # Errors
    /// As [`LocalStore::path_info`].
    pub fn closure(&self, roots: &[StorePath]) -> Result<BTreeMap<StorePath, PathInfo>, LocalStoreError> {
        self.read(|connection| {
            let mut closure = BTreeMap::new();
            let mut pending: Vec<StorePath> = roots.to_vec();
            let mut seen: BTreeSet<StorePath> = roots.iter().cloned().collect();
            while let Some(path) = pending.pop() {
                let Some(info) = query(connection, &path)? else { continue };
                pending.extend(info.references.iter().filter(|path| seen.insert((*path).clone())).cloned());
                closure.insert(path, info);
            }
            Ok(closure)
        })
    }

    fn read<T>(&self, read: impl Fn(&Connection) -> Result<T, LocalStoreError>) -> Result<T, LocalStoreError> {
        let path = self.database.path();
        // Nix writes the file when it makes the store; where it is missing, the queries will tell.
        if let Ok(found) = fs::read_to_string(path.with_file_name("schema"))
            && found.trim() != SCHEMA_VERSION
        {
            let found = found.trim().chars().take(20).collect();
            return Err(LocalStoreError::Schema { path: path.to_owned(), found });
        }
        self.database.read(read)
    }
}

const INFO: &str = "SELECT id, hash, narSize, deriver, sigs, ca FROM ValidPaths WHERE path = ?1";
const REFERENCES: &str = "SELECT path FROM Refs JOIN ValidPaths ON reference = id WHERE referrer = ?1 ORDER BY path";

fn query(connection: &Connection, path: &StorePath) -> Result<Option<PathInfo>, LocalStoreError> {
    let mut statement = connection.prepare_cached(INFO)?;
    let row = statement.query_row([path.absolute()], |row| Ok((row.get::<_, i64>(0)?, columns(row)?))).optional()?;
    let Some((id, columns)) = row else { return Ok(None) };
    let damaged = |what| LocalStoreError::Damaged { path: path.to_string(), what };
    let mut statement = connection.prepare_cached(REFERENCES)?;
    let references = statement.query_map([id], |row| row.get::<_, String>(0))?;
    let references = references.map(|path| StorePath::from_absolute(&path?).map_err(|_| damaged("a reference")));
    let deriver = columns.deriver.filter(|deriver| !deriver.is_empty());
    Ok(Some(PathInfo {
        path: path.clone(),
        nar_hash: columns.hash.parse::<NarHash>().map_err(|_| damaged("the hash"))?,
        nar_size: columns.nar_size.and_then(|size| u64::try_from(size).ok()).ok_or_else(|| damaged("the size"))?,
        references: references.collect::<Result<_, LocalStoreError>>()?,
        deriver: deriver.map(|path| StorePath::from_absolute(&path)).transpose().map_err(|_| damaged("the deriver"))?,
        signatures: columns.signatures.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        content_address: columns.content_address.filter(|ca| !ca.is_empty()),
        origin: Origin::Local,
    }))
}

/// A row of the table of valid paths.
struct Columns {
    hash: String,
    nar_size: Option<i64>,
    deriver: Option<String>,
    signatures: Option<String>,
    content_address: Option<String>,
}

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok(Columns {
        hash: row.get(1)?,
        nar_size: row.get(2)?,
        deriver: row.get(3)?,
        signatures: row.get(4)?,
        content_address: row.get(5)?,
    })
}
