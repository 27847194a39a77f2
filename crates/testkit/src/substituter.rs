//! A binary cache in memory, signed by a key of the test: to be served, or written as a folder, and able to lie.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64;
use liblzma::stream::{Check, Filters, LzmaOptions, Stream};
use plywood_core::digest::{FileHash, NarHash};
use plywood_core::nix::{Compression, NarInfo, SecretKey, StorePath};

use crate::files::{FileServer, write_below};
use crate::http::{Request, Response, Server};
use crate::store_path::TestPath;

/// What a cache says that is not so.
#[derive(Debug, Clone)]
pub enum Lie {
    /// The narinfo has no signature.
    Unsigned,
    /// Somebody else signed it.
    OtherKey,
    /// Somebody else signed it, and calls the key by the name of ours.
    ForgedKey,
    /// It was changed after it was signed.
    ChangedReferences,
    /// The narinfo of another path is in its place.
    OtherPath(StorePath),
    /// It leaves out what the path refers to, and is signed so.
    NoReferences,
    /// It has another NAR hash, and is signed so.
    NarHash,
    /// It has another NAR size, and is signed so.
    NarSize,
    /// It has another hash of the compressed file, which no signature covers.
    FileHash,
    /// It has another length of the compressed file.
    FileSize,
    /// Its file holds this NAR, and has the hash and length of it; what is signed speaks of the real one.
    NarFile(Vec<u8>),
    /// The narinfo is this text.
    Text(Vec<u8>),
}

/// A binary cache.
#[derive(Debug, Clone)]
pub struct TestSubstituter {
    /// Who signs it.
    key: Arc<SecretKey>,
    /// How NARs are compressed.
    compression: Compression,
    /// The dictionary of xz, in bytes; that of `xz -6` when `None`.
    xz_dictionary: Option<u32>,
    /// The text of `nix-cache-info`.
    cache_info: String,
    paths: Vec<TestPath>,
    lies: BTreeMap<StorePath, Lie>,
}

impl TestSubstituter {
    /// A cache of these paths, compressed with zstd and signed by the key of [`test_key`].
    pub fn new(paths: impl IntoIterator<Item = TestPath>) -> Self {
        Self {
            key: Arc::new(test_key("test-1")),
            compression: Compression::Zstd,
            xz_dictionary: None,
            cache_info: "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 40\n".to_owned(),
            paths: paths.into_iter().collect(),
            lies: BTreeMap::new(),
        }
    }

    /// Says something wrong about a path.
    #[must_use]
    pub fn lie(mut self, path: &StorePath, lie: Lie) -> Self {
        self.lies.insert(path.clone(), lie);
        self
    }

    /// Says other things of itself.
    #[must_use]
    pub fn described(self, cache_info: &str) -> Self {
        Self { cache_info: cache_info.to_owned(), ..self }
    }

    /// Compresses NARs in another way.
    #[must_use]
    pub fn compressed(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// Compresses NARs with xz and a dictionary of so many bytes.
    #[must_use]
    pub fn with_xz_dictionary(self, bytes: u32) -> Self {
        Self { compression: Compression::Xz, xz_dictionary: Some(bytes), ..self }
    }

    /// Every file of the cache by its path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::from([("nix-cache-info".to_owned(), self.cache_info.clone().into_bytes())]);
        for path in &self.paths {
            let (info, file) = self.entry(path);
            let text = match self.lies.get(&path.path) {
                Some(Lie::Text(text)) => text.clone(),
                _ => info.to_text().into_bytes(),
            };
            files.insert(info.url.to_string(), file);
            files.insert(format!("{}.narinfo", path.path.hash_part()), text);
        }
        files
    }

    /// Serves the cache over HTTP on localhost.
    pub fn serve(&self) -> FileServer {
        FileServer::start(self.files())
    }

    /// Writes the cache below a folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        write_below(folder, self.files())
    }

    fn entry(&self, path: &TestPath) -> (NarInfo, Vec<u8>) {
        let lie = self.lies.get(&path.path);
        let nar = if let Some(Lie::NarFile(nar)) = lie { nar } else { &path.nar };
        let file = match self.xz_dictionary {
            Some(bytes) => xz_with_dictionary(nar, bytes),
            None => compress(self.compression, nar),
        };
        let mut info = NarInfo {
            store_path: if let Some(Lie::OtherPath(other)) = lie { other.clone() } else { path.path.clone() },
            url: nar_url(&file, self.compression),
            compression: self.compression,
            file_hash: Some(FileHash::of(&file)),
            file_size: Some(file.len() as u64),
            nar_hash: path.nar_hash(),
            nar_size: path.nar.len() as u64,
            references: path.references.clone(),
            deriver: None,
            signatures: Vec::new(),
            content_address: None,
        };
        match lie {
            Some(Lie::NarHash) => info.nar_hash = NarHash::of(b"another"),
            Some(Lie::NarSize) => info.nar_size += 8,
            Some(Lie::FileHash) => info.file_hash = Some(FileHash::of(b"another")),
            Some(Lie::FileSize) => info.file_size = info.file_size.map(|size| size + 1),
            Some(Lie::NoReferences) => info.references.clear(),
            _ => {}
        }
        let fingerprint = info.fingerprint();
        match lie {
            Some(Lie::Unsigned) => {}
            Some(Lie::OtherKey) => info.signatures.push(test_key("other-1").sign(fingerprint.as_bytes())),
            Some(Lie::ForgedKey) => {
                let forger = SecretKey::from_seed(self.key.public().name(), &[13; 32]);
                info.signatures.push(forger.sign(fingerprint.as_bytes()));
            }
            _ => info.signatures.push(self.key.sign(fingerprint.as_bytes())),
        }
        if let Some(Lie::ChangedReferences) = lie {
            info.references.clear();
        }
        (info, file)
    }
}

/// A key that is always the same for a name.
pub fn test_key(name: &str) -> SecretKey {
    SecretKey::from_seed(name, &seed(name))
}

/// The text of [`test_key`], as Nix writes a secret key: the seed, then the public key.
///
/// # Panics
/// Never: a public key has a colon.
pub fn test_key_text(name: &str) -> String {
    let public = test_key(name).public().to_string();
    let public = public.rsplit(':').next().expect("a key after the colon");
    let public = BASE64.decode(public.as_bytes()).expect("base 64");
    format!("{name}:{}", BASE64.encode(&[seed(name).as_slice(), &public].concat()))
}

fn seed(name: &str) -> [u8; 32] {
    *plywood_core::digest::Sha256Hash::of(name.as_bytes()).as_bytes()
}

fn nar_url(file: &[u8], compression: Compression) -> plywood_core::nix::NarUrl {
    let name = format!("nar/{}.{}", FileHash::of(file).to_hex(), compression.extension());
    name.parse().expect("a path below the cache")
}

/// Compresses as caches do.
///
/// # Panics
/// For brotli, which only a real Nix writes in our tests.
pub fn compress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let compressed = match compression {
        Compression::None => Ok(bytes.to_vec()),
        Compression::Zstd => zstd::encode_all(bytes, 3),
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
            encoder.write_all(bytes).and_then(|()| encoder.finish())
        }
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).and_then(|()| encoder.finish())
        }
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
            encoder.write_all(bytes).and_then(|()| encoder.finish())
        }
        Compression::Brotli => panic!("no brotli here"),
    };
    compressed.expect("memory takes every byte")
}

fn xz_with_dictionary(bytes: &[u8], dictionary: u32) -> Vec<u8> {
    let mut options = LzmaOptions::new_preset(0).expect("a preset");
    options.dict_size(dictionary);
    let stream = Stream::new_stream_encoder(Filters::new().lzma2(&options), Check::Crc64).expect("an encoder");
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes every byte")
}

/// A binary cache over HTTP that is written to with PUT, and read.
#[derive(Debug)]
pub struct WritableCache {
    server: Server,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl WritableCache {
    /// Starts an empty one; only requests with this `Authorization` are answered, if there is one.
    pub fn start(authorization: Option<&str>) -> Self {
        let files: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let (shared, authorization) = (files.clone(), authorization.map(str::to_owned));
        let server = Server::start(move |request| {
            if authorization.as_ref().is_some_and(|expect| request.headers.get("authorization") != Some(expect)) {
                return Response::status(401);
            }
            answer(&mut lock(&shared), request)
        });
        Self { server, files }
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every file by its path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.files).clone()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

fn answer(files: &mut BTreeMap<String, Vec<u8>>, request: &Request) -> Response {
    let path = request.path.trim_start_matches('/').to_owned();
    match request.method.as_str() {
        "PUT" => {
            files.insert(path, request.body.clone());
            Response::status(201)
        }
        "GET" | "HEAD" => files.get(&path).map_or(Response::status(404), |bytes| Response::ok(bytes.clone())),
        _ => Response::status(405),
    }
}

fn lock(files: &Mutex<BTreeMap<String, Vec<u8>>>) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}
