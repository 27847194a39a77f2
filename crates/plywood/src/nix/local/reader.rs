//! Nix's database (`db.sqlite`), read in whatever state it is found, and left in it.
//!
//! Nix keeps it in SQLite's WAL mode: while a Nix is at work, or after one died, the newest pages are in `db.sqlite-wal`,
//! and readers meet in `db.sqlite-shm`, a file that they must be able to write, or that somebody else must have made.
//! Hence three ways, the first that fits:
//!
//! 1. No log beside it: everything is in the file itself. It is read as an immutable file, which needs no right to write
//!    and makes no files; SQLite then watches for no writer, so we do. Whatever was read while the file changed or a log
//!    appeared is read again.
//! 2. A log: SQLite's ordinary way, with its locks.
//! 3. Where that is refused, as in a read-only mount of a store that a dead Nix left: from a private copy of file and log,
//!    taken while neither changed, in which SQLite can recover.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::LocalStoreError;

/// How often a database that changes under us is read anew before that is an error.
const ATTEMPTS: usize = 10;

/// How long Nix may hold its lock; it does so for single transactions.
const BUSY: Duration = Duration::from_secs(20);

/// Where a database in SQLite's header says how it is written: 2 means with a log ("The Database Header", offset 18).
const JOURNAL_MODE_AT: usize = 18;

/// A database that is opened when it is first asked.
#[derive(Debug)]
pub(super) struct Database {
    path: Utf8PathBuf,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// What the files looked like when they were opened as immutable ones, or copied.
    unlocked: Option<Stamp>,
    /// Where the private copy is, if it is one.
    _copy: Option<tempfile::TempDir>,
}

/// What changes when somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp([Option<[i64; 6]>; 3]);

impl Database {
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        Self { path, open: Mutex::default() }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether there is one.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Reads; `read` may be called several times, and sees one state of the database each time.
    ///
    /// # Errors
    /// When it cannot be opened or read, or never holds still.
    pub(super) fn read<T>(
        &self,
        read: impl Fn(&Connection) -> Result<T, LocalStoreError>,
    ) -> Result<T, LocalStoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ATTEMPTS {
            let current = match open.take() {
                Some(current) => current,
                None => match self.open()? {
                    Some(opened) => opened,
                    None => continue,
                },
            };
            let result = in_one_state(&current.connection, &read);
            // With locks: closed at once, so as not to be in the way of a Nix that wants to tidy up its log.
            let Some(before) = &current.unlocked else { return result };
            // What is torn can also look damaged: judged only if nobody wrote meanwhile.
            if *before == Stamp::of(&self.path) {
                *open = result.is_ok().then_some(current);
                return result;
            }
        }
        Err(LocalStoreError::Unsettled { path: self.path.clone() })
    }

    /// `None` when somebody wrote while it was copied.
    fn open(&self) -> Result<Option<Open>, LocalStoreError> {
        let before = Stamp::of(&self.path);
        let failed = |source| LocalStoreError::Open { path: self.path.clone(), source };
        if !self.has_log() && self.is_written_with_log().unwrap_or(false) {
            let connection = connect(&self.path, "mode=ro&immutable=1").map_err(failed)?;
            return Ok(Some(Open { connection, unlocked: Some(before), _copy: None }));
        }
        match connect(&self.path, "mode=ro") {
            Ok(connection) => Ok(Some(Open { connection, unlocked: None, _copy: None })),
            Err(error) if is_refused(&error) && self.path.exists() => {
                let copy = self.copy().map_err(|source| LocalStoreError::Copy { path: self.path.clone(), source })?;
                let connection = connect(&Self::copied(&copy, self.path.as_str())?, "mode=rw").map_err(failed)?;
                let whole = before == Stamp::of(&self.path);
                Ok(whole.then_some(Open { connection, unlocked: Some(before), _copy: Some(copy) }))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A log or journal with something in it.
    fn has_log(&self) -> bool {
        ["-wal", "-journal"]
            .iter()
            .any(|suffix| fs::metadata(format!("{}{suffix}", self.path)).is_ok_and(|metadata| metadata.len() > 0))
    }

    fn is_written_with_log(&self) -> io::Result<bool> {
        use io::Read as _;
        let mut header = [0; JOURNAL_MODE_AT + 2];
        fs::File::open(&self.path)?.read_exact(&mut header)?;
        Ok(header[JOURNAL_MODE_AT..] == [2, 2])
    }

    fn copy(&self) -> io::Result<tempfile::TempDir> {
        let folder = tempfile::Builder::new().prefix("plywood-nix-db").tempdir()?;
        for suffix in ["", "-wal", "-journal"] {
            let from = format!("{}{suffix}", self.path);
            match fs::copy(&from, folder.path().join(format!("db.sqlite{suffix}"))) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => {}
                copied => _ = copied?,
            }
        }
        Ok(folder)
    }

    fn copied(folder: &tempfile::TempDir, original: &str) -> Result<Utf8PathBuf, LocalStoreError> {
        let path = Utf8PathBuf::from_path_buf(folder.path().join("db.sqlite"));
        path.map_err(|_| LocalStoreError::Copy { path: original.into(), source: io::ErrorKind::InvalidFilename.into() })
    }
}

/// Every query of `read` in one transaction.
fn in_one_state<T>(
    connection: &Connection,
    read: impl Fn(&Connection) -> Result<T, LocalStoreError>,
) -> Result<T, LocalStoreError> {
    let transaction = connection.unchecked_transaction()?;
    read(&transaction)
}

/// Opens and looks into it once: SQLite itself opens nothing before that.
fn connect(path: &Utf8Path, options: &str) -> rusqlite::Result<Connection> {
    let flags = if options == "mode=rw" { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let connection = Connection::open_with_flags(
        format!("file:{}?{options}", escaped(path)),
        flags | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// As SQLite reads URIs ("URI Filenames", section 3.1).
fn escaped(path: &Utf8Path) -> String {
    path.as_str().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Whether SQLite lacks the right to write what reading with its locks needs.
fn is_refused(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied))
}

impl Stamp {
    fn of(path: &Utf8Path) -> Self {
        Self(["", "-wal", "-journal"].map(|suffix| {
            let metadata = fs::metadata(format!("{path}{suffix}")).ok()?;
            let [device, inode, size] = [metadata.dev(), metadata.ino(), metadata.len()].map(u64::cast_signed);
            Some([device, inode, size, metadata.mtime(), metadata.mtime_nsec(), metadata.ctime_nsec()])
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_was_read_while_somebody_wrote_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::try_from(folder.path().join("db ?#%.sqlite")).expect("UTF-8");
        let writer = || Connection::open(&path).expect("a database");
        writer()
            .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (n); INSERT INTO t VALUES (1)")
            .expect("made");
        let (database, calls) = (Database::new(path.clone()), Cell::new(0));
        let count = database.read(|connection| {
            let count = connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))?;
            calls.set(calls.get() + 1);
            if calls.get() == 1 {
                writer().execute_batch("INSERT INTO t VALUES (2)").expect("written");
            }
            Ok(count)
        });
        assert_eq!((count.expect("read"), calls.get()), (2, 2));
    }

    #[test]
    fn a_database_that_never_holds_still_is_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::try_from(folder.path().join("db.sqlite")).expect("UTF-8");
        let writer = || Connection::open(&path).expect("a database");
        writer().execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (n)").expect("made");
        let result = Database::new(path.clone()).read(|_| {
            writer().execute_batch("INSERT INTO t VALUES (2)").expect("written");
            Ok(())
        });
        assert!(matches!(result, Err(LocalStoreError::Unsettled { .. })), "{result:?}");
    }
}
