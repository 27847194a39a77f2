//! Certificates: those that are trusted, and why one is not.

use std::error::Error;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use reqwest::{Certificate, Identity};
use rustls::CertificateError;

/// The largest certificate or key file that is read, in bytes.
const MAX_LENGTH: u64 = 4 << 20;

/// Why no secure connection can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// The certificate is signed by nobody that this machine trusts.
    #[error("its certificate is signed by nobody that this machine trusts")]
    UnknownIssuer,
    /// The certificate has run out.
    #[error("its certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// The certificate is another host's.
    #[error("its certificate is for another host")]
    OtherName,
    /// What answers does not speak TLS.
    #[error("it does not speak TLS")]
    NoTls,
    /// The other side breaks off.
    #[error("it refuses the connection ({0})")]
    Refused(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl TlsFailure {
    /// Finds the failure of TLS among an error's causes.
    pub(super) fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()).map(Self::of)
    }

    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(problem) => match problem {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
                other => Self::Other(format!("its certificate is not valid: {other}")),
            },
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            rustls::Error::AlertReceived(alert) => Self::Refused(format!("{alert:?}")),
            other => Self::Other(other.to_string()),
        }
    }

    pub(super) fn hint(&self, host: &str) -> Option<String> {
        match self {
            Self::UnknownIssuer => Some(format!(
                "put the certificate of the registry's CA into /etc/containers/certs.d/{host}/ca.crt, or name a file that has it in SSL_CERT_FILE"
            )),
            Self::Expired | Self::NotYetValid => Some("check the clock; else the registry's owner must act".to_owned()),
            Self::OtherName => Some("use the name that the certificate is for".to_owned()),
            Self::NoTls => Some(format!("if the registry has no TLS, allow that with `--plain-http {host}`")),
            Self::Refused(_) => Some(own_certificate(host)),
            Self::Other(_) => None,
        }
    }
}

/// What to do where a registry wants to see a certificate.
pub(super) fn own_certificate(host: &str) -> String {
    format!("if the registry wants a certificate of yours, put it and its key into /etc/containers/certs.d/{host}/")
}

/// An error and what caused it. What is wrapped in an [`io::Error`] is no source of it, so it is looked for there.
pub(super) fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// A file with certificates or a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// It cannot be read.
    #[error("cannot read the certificates in `{path}`")]
    Read {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("`{path}` has no certificate or key in PEM form")]
    Pem {
        /// The file.
        path: Utf8PathBuf,
    },
}

/// What belongs to one registry.
#[derive(Default)]
pub(super) struct Certificates {
    pub(super) trusted: Vec<Certificate>,
    pub(super) identity: Option<Identity>,
}

impl Certificates {
    /// Adds the certificates of a PEM file.
    pub(super) fn add_file(&mut self, path: &Utf8Path) -> Result<(), CertificatesError> {
        let found = Certificate::from_pem_bundle(&read(path)?).unwrap_or_default();
        if found.is_empty() {
            return Err(CertificatesError::Pem { path: path.to_owned() });
        }
        self.trusted.extend(found);
        Ok(())
    }

    /// Adds a registry's folder: `*.crt` to trust, `*.cert` with `*.key` to show (containers-certs.d(5)).
    pub(super) fn add_folder(&mut self, folder: &Utf8Path) -> Result<(), CertificatesError> {
        let failed = |source| CertificatesError::Read { path: folder.to_owned(), source };
        let entries: Result<Vec<_>, _> = folder.read_dir_utf8().map_err(failed)?.collect();
        let mut paths: Vec<Utf8PathBuf> = entries.map_err(failed)?.into_iter().map(|entry| entry.into_path()).collect();
        paths.sort();
        for path in &paths {
            match path.extension() {
                Some("crt") => self.add_file(path)?,
                Some("cert") => {
                    let mut pem = read(path)?;
                    pem.push(b'\n');
                    pem.extend(read(&path.with_extension("key"))?);
                    let identity = Identity::from_pem(&pem);
                    self.identity = Some(identity.map_err(|_| CertificatesError::Pem { path: path.clone() })?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn read(path: &Utf8Path) -> Result<Vec<u8>, CertificatesError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_LENGTH).read_to_end(&mut bytes));
    read.map_err(|source| CertificatesError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}
