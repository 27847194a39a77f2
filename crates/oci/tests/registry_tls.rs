//! TLS: certificates of one's own, and what is said of those that are not good.

mod common;

use std::sync::Arc;

use common::{Scratch, say};
use plywood_core::digest::Digest;
use plywood_oci::registry::{
    BlobOutcome, BlobSource, ClientConfig, Failure, RegistryClient, RegistryError, Repository, TlsFailure, no_progress,
};
use plywood_testkit::docker_registry::DockerRegistry;
use plywood_testkit::registry::RegistryFault;
use plywood_testkit::{TestProxy, TestRegistry, require};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, pki_types::PrivateKeyDer};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
        Self(issuer.expect("a certificate"))
    }

    /// A registry with a certificate for `name` that is good until the end of a year.
    fn registry(&self, name: &str, until: i32) -> DockerRegistry {
        let (certificate, key) = self.certificate(name, until);
        DockerRegistry::start_with_tls(&certificate.pem(), &key.serialize_pem())
    }

    /// A certificate for `name` with its key.
    fn certificate(&self, name: &str, until: i32) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }

    /// A server that speaks TLS as `localhost` and hands on what it hears to a port where plain HTTP is spoken, as registries
    /// stand behind one. It ends with the runtime.
    fn front(&self, runtime: &Runtime, to: u16) -> String {
        let (certificate, key) = self.certificate("localhost", 2100);
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut secure = acceptor.accept(stream).await?;
                    let mut plain = TcpStream::connect(("127.0.0.1", to)).await?;
                    tokio::io::copy_bidirectional(&mut secure, &mut plain).await
                });
            }
        });
        format!("localhost:{port}")
    }
}

/// Lists tags, believing what is in `certs.d/<host>/ca.crt`.
fn ask(registry: &DockerRegistry, scratch: &Scratch, authority: &Authority) -> Result<(), RegistryError> {
    repository(&registry.host(), scratch, authority).list_tags().map(drop)
}

/// A repository of a registry, with what is in `certs.d/<host>`: there `ca.crt` of an authority.
fn repository(host: &str, scratch: &Scratch, authority: &Authority) -> Repository {
    let folder = scratch.join("certs.d").join(host);
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("ca.crt"), authority.0.pem()).expect("written");
    let mut config = ClientConfig { certificate_folders: vec![scratch.join("certs.d")], ..ClientConfig::default() };
    config.patience.backoff = std::time::Duration::from_millis(1);
    let client = RegistryClient::new(config).expect("a client");
    client.repository(&format!("{host}/app").parse().expect("a name"))
}

#[test]
fn who_must_show_a_certificate_shows_it() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, authority, clients) = (Scratch::new(), Authority::new(), Authority::new());
    let (certificate, key) = authority.certificate("localhost", 2100);
    let registry = DockerRegistry::start_for_certified(&certificate.pem(), &key.serialize_pem(), &clients.0.pem());
    let refused = |what: &str| {
        let error = ask(&registry, &scratch, &authority).expect_err(what);
        // The refusal comes when all seems set up, and is not always seen before the connection is closed.
        let told =
            matches!(&error.failure, Failure::Tls { failure: TlsFailure::Refused(_), .. } | Failure::Closed { .. });
        assert!(told, "{what}: {error:?}");
        let hint = error.hint().unwrap_or_default();
        assert!(
            hint.contains("if the registry wants a certificate of yours") && hint.contains(&registry.host()),
            "{hint}"
        );
    };
    refused("no certificate");
    let folder = scratch.join("certs.d").join(registry.host());
    let show = |authority: &Authority, until: i32| {
        let (certificate, key) = authority.certificate("anna", until);
        std::fs::write(folder.join("client.cert"), certificate.pem()).expect("written");
        std::fs::write(folder.join("client.key"), key.serialize_pem()).expect("written");
    };
    show(&Authority::new(), 2100);
    refused("somebody else's certificate");
    show(&clients, 2021);
    refused("a certificate that has expired");
    show(&clients, 2100);
    ask(&registry, &scratch, &authority).expect("let in");
    std::fs::remove_file(folder.join("client.key")).expect("removed");
    let error = ask(&registry, &scratch, &authority).expect_err("no key");
    assert!(error.failure.to_string().contains("client.key"), "{error:?}");
}

#[test]
fn a_registry_behind_tls_need_not_know_of_it() {
    let (scratch, authority, registry) = (Scratch::new(), Authority::new(), TestRegistry::start());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let port = registry.host().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let host = authority.front(&runtime, port);
    let repository = repository(&host, &scratch, &authority);
    let put = |number: usize, location: Option<String>| {
        let path = scratch.join(&format!("blob-{number}"));
        let bytes = format!("blob {number}");
        std::fs::write(&path, &bytes).expect("written");
        if let Some(location) = location {
            registry.fail_once("POST", "/blobs/uploads/", RegistryFault::Location(location));
        }
        let blob = BlobSource::file(Digest::of(bytes.as_bytes()), bytes.len() as u64, path);
        repository.put_blob(&blob, None, &no_progress)
    };
    assert_eq!(put(1, None).expect("taken"), BlobOutcome::Uploaded);
    // It takes itself to be spoken to without TLS, and names its port, or that of those who are.
    let address = |host: &str, number: usize| Some(format!("http://{host}/v2/app/blobs/uploads/{number}?_state=s0"));
    assert_eq!(put(2, address(&host, 1)).expect("taken"), BlobOutcome::Uploaded);
    assert_eq!(put(3, address("localhost", 1)).expect("taken"), BlobOutcome::Uploaded);
    // Another host is another matter.
    let error = put(4, address("elsewhere.test", 1)).expect_err("refused");
    assert!(matches!(&error.failure, Failure::Insecure { host } if host == "elsewhere.test"), "{error:?}");
}

#[test]
fn a_proxy_leads_to_tls_without_seeing_in() {
    // Run once more by itself, with a proxy named in the environment.
    const AUTHORITY: &str = "PLYWOOD_TEST_AUTHORITY";
    if let Ok(authority) = std::env::var(AUTHORITY) {
        let mut config = ClientConfig { certificates: vec![authority.into()], ..ClientConfig::default() };
        config.patience.attempts = 1;
        let client = RegistryClient::new(config).expect("a client");
        match client.repository(&"registry.test/app".parse().expect("a name")).list_tags() {
            Ok(tags) => say(&format!("found {tags:?}")),
            Err(error) => say(&format!("failed {}; {}", error.failure, error.hint().unwrap_or_default())),
        }
        return;
    }
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, authority) = (Scratch::new(), Authority::new());
    let registry = authority.registry("registry.test", 2100);
    let file = scratch.join("ca.pem");
    std::fs::write(&file, authority.0.pem()).expect("written");
    let open = TestProxy::start(registry.port(), None);
    let guarded = TestProxy::start(registry.port(), Some(("anna", "sesame")));
    let ask = |proxy: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "a_proxy_leads_to_tls_without_seeing_in", "--nocapture"]);
        for name in ["ALL_PROXY", "all_proxy", "https_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        let output = command.env(AUTHORITY, &file).env("HTTPS_PROXY", proxy).output().expect("run");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(ask(&format!("http://{}", open.host())).contains("found []"));
    assert_eq!(open.asked(), ["CONNECT registry.test:443"]);
    assert!(ask(&format!("http://anna:sesame@{}", guarded.host())).contains("found []"));
    let said = ask(&format!("http://anna:wr0ng@{}", guarded.host()));
    assert!(said.contains("failed registry.test cannot be reached") && said.contains("HTTPS_PROXY"), "{said}");
    assert!(!said.contains("wr0ng"), "{said}");
}

#[test]
fn certificates_are_judged_and_explained() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, authority) = (Scratch::new(), Authority::new());
    ask(&authority.registry("localhost", 2100), &scratch, &authority).expect("let in");
    let check = |registry: DockerRegistry, believed: &Authority, expect: TlsFailure| {
        let error = ask(&registry, &scratch, believed).expect_err("refused");
        assert!(error.hint().is_some(), "{error:?}");
        match error.failure {
            Failure::Tls { failure, .. } => assert_eq!(failure, expect),
            other => panic!("{other:?}"),
        }
    };
    check(authority.registry("localhost", 2100), &Authority::new(), TlsFailure::UnknownIssuer);
    check(authority.registry("localhost", 2021), &authority, TlsFailure::Expired);
    check(authority.registry("registry.example", 2100), &authority, TlsFailure::OtherName);
    check(DockerRegistry::start(), &authority, TlsFailure::NoTls);
}

#[test]
fn who_speaks_only_tls_on_this_machine_is_said_to() {
    if !require(&["docker-registry"]) {
        return;
    }
    // Without certificates for it, this machine's own registry is spoken to without TLS.
    let registry = Authority::new().registry("localhost", 2100);
    let host = registry.host();
    let client = RegistryClient::new(ClientConfig::default()).expect("a client");
    let error = client.repository(&format!("{host}/app").parse().expect("a name")).list_tags().expect_err("refused");
    assert!(matches!(&error.failure, Failure::WantsTls { host: told } if *told == host), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains(&format!("certs.d/{host}/ca.crt"))), "{error:?}");
}

#[test]
fn a_file_without_certificates_is_named() {
    let scratch = Scratch::new();
    let path = scratch.join("ca.pem");
    std::fs::write(&path, "no certificate").expect("written");
    let config = ClientConfig { certificates: vec![path.clone()], ..ClientConfig::default() };
    let client = RegistryClient::new(config).expect("a client");
    let error = client.repository(&"registry.example/app".parse().expect("a name")).list_tags().expect_err("refused");
    assert!(error.failure.to_string().contains(path.as_str()), "{error:?}");
}
