//! The local store: by its database, whatever state that is in, and by its files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use plywood::nix::{NixError, Origin, Sources};
use plywood_testkit::{StoreNode, TestPath, TestSubstituter};
use rusqlite::{Connection, params};

use super::fixture::{Fixture, chain, files_below, library, program};

/// A store below a folder, with a database in WAL mode as Nix has it.
pub(crate) struct LocalRoot {
    pub(crate) root: PathBuf,
}

const TABLES: &str = "
    PRAGMA journal_mode = wal;
    CREATE TABLE ValidPaths (id integer primary key autoincrement not null, path text unique not null,
        hash text not null, registrationTime integer not null, deriver text, narSize integer, ultimate integer,
        sigs text, ca text);
    CREATE TABLE Refs (referrer integer not null, reference integer not null, primary key (referrer, reference));";

impl LocalRoot {
    pub(crate) fn new(fixture: &Fixture, paths: &[&TestPath]) -> Self {
        let root = fixture.beside("root");
        fs::create_dir_all(root.join("nix/store")).expect("made");
        fs::create_dir_all(root.join("nix/var/nix/db")).expect("made");
        let local = Self { root };
        fs::write(local.database().with_file_name("schema"), "10").expect("written");
        let connection = local.connect();
        connection.execute_batch(TABLES).expect("tables");
        paths.iter().for_each(|path| local.add(&connection, path));
        local
    }

    fn database(&self) -> PathBuf {
        self.root.join("nix/var/nix/db/db.sqlite")
    }

    fn connect(&self) -> Connection {
        Connection::open(self.database()).expect("a database")
    }

    pub(crate) fn real(&self, path: &TestPath) -> PathBuf {
        self.root.join("nix/store").join(path.path.as_str())
    }

    fn add(&self, connection: &Connection, path: &TestPath) {
        path.node.write_to(&self.real(path)).expect("written");
        self.register(connection, path);
    }

    fn register(&self, connection: &Connection, path: &TestPath) {
        let (hash, size) = (path.nar_hash().to_base16(), path.nar.len().cast_signed());
        let sql = "INSERT INTO ValidPaths (path, hash, registrationTime, narSize) VALUES (?1, ?2, 1, ?3)";
        connection.execute(sql, params![path.path.absolute(), hash, size]).expect("inserted");
        for reference in &path.references {
            let sql =
                "INSERT INTO Refs SELECT a.id, b.id FROM ValidPaths a, ValidPaths b WHERE a.path = ?1 AND b.path = ?2";
            connection.execute(sql, params![path.path.absolute(), reference.absolute()]).expect("inserted");
        }
    }
}

fn both() -> (TestPath, TestPath) {
    let library = library();
    let program = program(&library);
    (library, program)
}

#[test]
fn files_give_the_segments_that_a_cache_gives() {
    let (library, program) = both();
    let server = TestSubstituter::new([library.clone(), program.clone()]).serve();
    let remote = Fixture::new();
    remote.fetch(remote.config(&[&server.url()]), &[&library, &program]).expect("a good cache");
    let asked = server.requests().len();

    let fixture = Fixture::new();
    let local = LocalRoot::new(&fixture, &[&library, &program]);
    let before = files_below(&local.root);
    fixture.fetch(fixture.config_with_local(&local.root, &[&server.url()]), &[&library, &program]).expect("local");
    assert!(fixture.files() == remote.files(), "the segments differ");
    assert_eq!(server.requests().len(), asked, "no cache is asked");
    let size = (library.nar.len() + program.nar.len()) as u64;
    assert_eq!(fixture.events.progress(), (size, size));
    assert!(files_below(&local.root) == before, "the store was written to");
}

#[test]
fn a_database_is_read_in_every_state() {
    let (library, program) = both();
    let fixture = Fixture::new();
    let local = LocalRoot::new(&fixture, &[&library]);
    let sources = Sources::new(fixture.config_with_local(&local.root, &[]), &fixture.events).expect("sources");
    let info = sources.path_info(&library.path).expect("in the file itself");
    assert_eq!(
        (info.nar_hash, info.nar_size, &info.origin),
        (library.nar_hash(), library.nar.len() as u64, &Origin::Local)
    );
    sources.path_info(&program.path).expect_err("not registered yet");

    // A Nix at work: the newest rows are in its log.
    let writer = local.connect();
    local.add(&writer, &program);
    let info = sources.path_info(&program.path).expect("in the log");
    assert_eq!(info.references, program.references);
    let closure = sources.closure(std::slice::from_ref(&program.path)).expect("both");
    assert_eq!(closure.len(), 2);

    // It went away, and left no log.
    drop(writer);
    assert!(!local.database().with_file_name("db.sqlite-wal").exists());
    sources.path_info(&program.path).expect("in the file again");
}

#[test]
fn a_closure_at_hand_needs_no_cache() {
    let (library, program) = both();
    let fixture = Fixture::new();
    let local = LocalRoot::new(&fixture, &[&library]);
    let server = TestSubstituter::new([library.clone(), program.clone()]).serve();
    let sources =
        Sources::new(fixture.config_with_local(&local.root, &[&server.url()]), &fixture.events).expect("sources");
    sources.closure_at_hand(std::slice::from_ref(&library.path)).expect("here");
    assert!(server.requests().is_empty());
    let closure = sources.closure_at_hand(std::slice::from_ref(&program.path)).expect("the rest is there");
    assert_eq!(closure[&library.path].origin, Origin::Local);
    assert!(matches!(closure[&program.path].origin, Origin::Substituter(_)));
    let closure = sources.closure(std::slice::from_ref(&program.path)).expect("there");
    assert!(matches!(closure[&library.path].origin, Origin::Substituter(_)), "a lock is for other machines too");
}

#[test]
fn the_log_of_a_dead_nix_is_read_where_nothing_can_be_written() {
    let (library, program) = both();
    let fixture = Fixture::new();
    let local = LocalRoot::new(&fixture, &[&library]);
    let writer = local.connect();
    local.add(&writer, &program);
    // As a dead process leaves it, and where SQLite cannot make the file in which readers meet: root may write anywhere,
    // so a folder stands in its way.
    let dead = fixture.beside("dead");
    fs::create_dir_all(dead.join("nix/var/nix/db")).expect("made");
    for name in ["db.sqlite", "db.sqlite-wal", "schema"] {
        fs::copy(local.database().with_file_name(name), dead.join("nix/var/nix/db").join(name)).expect("copied");
    }
    fs::create_dir(dead.join("nix/var/nix/db/db.sqlite-shm")).expect("made");
    let before = files_below(&dead);
    let sources = Sources::new(fixture.config_with_local(&dead, &[]), &fixture.events).expect("sources");
    sources.path_info(&program.path).expect("in the log");
    assert!(files_below(&dead) == before, "the store was written to");
}

#[test]
fn a_database_of_another_form_is_named() {
    let (library, _) = both();
    let fixture = Fixture::new();
    let local = LocalRoot::new(&fixture, &[&library]);
    fs::write(local.database().with_file_name("schema"), "11\n").expect("written");
    let server = TestSubstituter::new([library.clone()]).serve();
    let error = Sources::new(fixture.config_with_local(&local.root, &[]), &fixture.events)
        .expect("sources")
        .path_info(&library.path)
        .expect_err("another form");
    assert!(chain(&error).contains("is of version 11, not 10"), "{}", chain(&error));
    fixture.fetch(fixture.config_with_local(&local.root, &[&server.url()]), &[&library]).expect("the cache has it");
    let warnings = fixture.events.warnings();
    assert!(warnings.iter().any(|warning| warning.contains("the local store is not used")), "{warnings:?}");

    fs::write(local.database().with_file_name("schema"), "10").expect("written");
    fs::write(local.database(), b"no database".repeat(100)).expect("written");
    let error = Sources::new(fixture.config_with_local(&local.root, &[]), &fixture.events)
        .expect("sources")
        .path_info(&library.path)
        .expect_err("no database");
    assert!(chain(&error).contains("not a database"), "{}", chain(&error));
}

/// Spoils a local store that has the library; says what must be told.
type Spoil = (&'static str, fn(&LocalRoot, &TestPath), &'static str);

#[test]
fn a_local_path_that_is_not_what_the_lock_says() {
    let table: [Spoil; 8] = [
        (
            "changed",
            |local, path| edit(&local.real(path).join("lib/libx.so.1"), |bytes| bytes[0] ^= 1),
            "the NAR has the hash ",
        ),
        ("longer", |local, path| edit(&local.real(path).join("lib/libx.so.1"), |bytes| bytes.push(0)), " bytes, not "),
        ("executable", |local, path| mode(&local.real(path).join("lib/libx.so.1"), 0o555), " bytes, not "),
        ("more", |local, path| fs::write(local.real(path).join("new"), "").expect("written"), " bytes, not "),
        ("gone", |local, path| fs::remove_dir_all(local.real(path)).expect("removed"), "cannot read "),
        ("a pipe", |local, path| pipe(&local.real(path).join("pipe")), "is nothing that a NAR can hold"),
        (
            "another hash",
            |local, _| sql(local, "UPDATE ValidPaths SET hash = 'sha256:' || lower(hex(zeroblob(32)))"),
            "its NAR hash is ",
        ),
        ("no hash", |local, _| sql(local, "UPDATE ValidPaths SET hash = 'md5:00'"), "the database is damaged"),
    ];
    for (what, spoil, expect) in table {
        let (library, _) = both();
        let fixture = Fixture::new();
        let local = LocalRoot::new(&fixture, &[&library]);
        spoil(&local, &library);
        let before = fixture.files();
        let error = fixture.fetch(fixture.config_with_local(&local.root, &[]), &[&library]).expect_err(what);
        let told =
            format!("{} {:?}", chain(&error), fixture.events.warnings()).replace("Nix's database", "the database");
        assert!(told.contains(expect), "{what}: {told}");
        assert!(fixture.files() == before, "{what} left something");

        let server = TestSubstituter::new([library.clone()]).serve();
        let result = fixture.fetch(fixture.config_with_local(&local.root, &[&server.url()]), &[&library]);
        result.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        let alone = Fixture::new();
        alone.fetch(alone.config(&[&server.url()]), &[&library]).expect("a good cache");
        assert!(fixture.files() == alone.files(), "{what}: other files than from a good cache");
    }
}

#[test]
fn names_that_are_not_utf_8_are_kept() {
    let path = TestPath::new("odd", StoreNode::Directory(vec![(b"\xff\xfe".to_vec(), StoreNode::file("x"))]), &[]);
    let fixture = Fixture::new();
    let local = LocalRoot::new(&fixture, &[&path]);
    fixture.fetch(fixture.config_with_local(&local.root, &[]), &[&path]).expect("the bytes as they are");
}

#[test]
fn what_is_nowhere_is_gone() {
    let (library, program) = both();
    let fixture = Fixture::new();
    let local = LocalRoot::new(&fixture, &[&library]);
    let error = fixture.fetch(fixture.config_with_local(&local.root, &[]), &[&program, &library]).expect_err("one");
    assert!(matches!(&error, NixError::Gone(paths) if *paths == [program.path.clone()]), "{error:?}");
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("readable");
    change(&mut bytes);
    mode(path, 0o644);
    fs::write(path, bytes).expect("written");
    mode(path, 0o444);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
}

fn pipe(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o444.into(), 0).expect("a pipe");
}

fn sql(local: &LocalRoot, text: &str) {
    local.connect().execute_batch(text).expect("run");
}
