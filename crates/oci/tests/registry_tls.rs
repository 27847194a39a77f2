//! TLS: certificates of one's own, and what is said of those that are not good.

mod common;

use common::Scratch;
use plywood_oci::registry::{ClientConfig, Failure, RegistryClient, RegistryError, TlsFailure};
use plywood_testkit::docker_registry::DockerRegistry;
use plywood_testkit::require;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

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
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        DockerRegistry::start_with_tls(&certificate.pem(), &key.serialize_pem())
    }
}

/// Lists tags, believing what is in `certs.d/<host>/ca.crt`.
fn ask(registry: &DockerRegistry, scratch: &Scratch, authority: &Authority) -> Result<(), RegistryError> {
    let folder = scratch.join("certs.d").join(registry.host());
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("ca.crt"), authority.0.pem()).expect("written");
    let config = ClientConfig { certificate_folders: vec![scratch.join("certs.d")], ..ClientConfig::default() };
    let client = RegistryClient::new(config).expect("a client");
    let app = format!("{}/app", registry.host()).parse().expect("a name");
    client.repository(&app).list_tags().map(drop)
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
fn a_file_without_certificates_is_named() {
    let scratch = Scratch::new();
    let path = scratch.join("ca.pem");
    std::fs::write(&path, "no certificate").expect("written");
    let config = ClientConfig { certificates: vec![path.clone()], ..ClientConfig::default() };
    let client = RegistryClient::new(config).expect("a client");
    let error = client.repository(&"registry.example/app".parse().expect("a name")).list_tags().expect_err("refused");
    assert!(error.failure.to_string().contains(path.as_str()), "{error:?}");
}
