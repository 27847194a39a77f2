//! Why a registry did not do what was asked.

use std::fmt;
use std::io;
use std::time::Duration;

use camino::Utf8PathBuf;
use plywood_core::digest::Digest;
use plywood_core::oci::ParseDocumentError;
use plywood_core::oci::distribution::{ErrorCode, ParseChallengeError, ParseTokenError, Quoted, UnclearManifestError};

use super::credentials::CredentialsError;
use super::tls::{CertificatesError, TlsFailure, own_certificate};
use crate::store::StoreError;

/// Why a registry did not do what was asked. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No address is known for the host.
    #[error("there is no host `{host}`")]
    UnknownHost {
        /// The host.
        host: String,
        /// As the resolver puts it.
        #[source]
        source: io::Error,
    },
    /// Nobody listens.
    #[error("{host} refuses connections")]
    ConnectionRefused {
        /// The host and port.
        host: String,
    },
    /// No connection can be made for another reason.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The host and port.
        host: String,
        /// The innermost cause.
        reason: String,
    },
    /// No secure connection can be made.
    #[error("no secure connection to {host}: {failure}")]
    Tls {
        /// The host and port.
        host: String,
        /// Why.
        failure: TlsFailure,
    },
    /// No byte moved for so many seconds.
    #[error("nothing came or went for {0} seconds")]
    Stalled(u64),
    /// The connection broke, or is none of HTTP.
    #[error("the connection failed: {0}")]
    Transport(String),
    /// A connection with TLS is closed before all of an answer is here: by chance, or because a certificate is missing. With
    /// TLS 1.3 the other side looks at that only when for us all is set up (RFC 8446 section 4.4.2.4).
    #[error("{host} closes the connection too early")]
    Closed {
        /// The host and port.
        host: String,
    },
    /// The registry wants to know who asks (HTTP 401).
    #[error("{host} {reason}{said}")]
    Unauthorized {
        /// The registry.
        host: String,
        /// What is wrong with who asks.
        reason: Unauthorized,
        /// What the registry says.
        said: Said,
    },
    /// Whoever asks may not do this (HTTP 403).
    #[error("access is forbidden; it needs {}{said}", scopes.join(" "))]
    Forbidden {
        /// What was asked for, such as `repository:team/app:pull,push`.
        scopes: Vec<String>,
        /// What the registry says.
        said: Said,
    },
    /// The registry's rules forbid it.
    #[error("the registry denies it{said}")]
    Denied {
        /// What the registry says.
        said: Said,
    },
    /// It is not there (HTTP 404).
    #[error("it is not there{said}")]
    NotFound {
        /// What the registry says.
        said: Said,
    },
    /// Asked too often (HTTP 429).
    #[error("the registry has been asked too often{}{said}", wait_text(*wait))]
    TooManyRequests {
        /// Seconds to wait, as the registry says.
        wait: Option<u64>,
        /// What the registry says.
        said: Said,
    },
    /// The registry is at fault (HTTP 5xx).
    #[error("the registry answers HTTP {status}{said}")]
    Server {
        /// HTTP's status code.
        status: u16,
        /// Seconds to wait, as the registry says.
        wait: Option<u64>,
        /// What the registry says.
        said: Said,
    },
    /// The registry does not take the manifest.
    #[error("the registry refuses the manifest{said}")]
    ManifestInvalid {
        /// What the registry says.
        said: Said,
    },
    /// The registry cannot do this.
    #[error("the registry does not support it (HTTP {status}){said}")]
    Unsupported {
        /// HTTP's status code.
        status: u16,
        /// What the registry says.
        said: Said,
    },
    /// It was asked without TLS, and speaks nothing else (HTTP 400).
    #[error("{host} speaks only TLS, and was asked without")]
    WantsTls {
        /// The registry.
        host: String,
    },
    /// Any other answer.
    #[error("the registry answers HTTP {status}{said}")]
    Status {
        /// HTTP's status code.
        status: u16,
        /// What the registry says.
        said: Said,
    },
    /// The bytes are others than their name says.
    #[error("it has digest {found} instead of {expect}")]
    WrongDigest {
        /// Of the bytes.
        found: Digest,
        /// As it is named.
        expect: Digest,
    },
    /// The registry received other bytes than it was told: the file has changed, or was damaged on the way.
    #[error("the registry finds the bytes not to be {expect}{said}")]
    DigestRefused {
        /// As it is named.
        expect: Digest,
        /// What the registry says.
        said: Said,
    },
    /// The bytes are more or fewer than is known.
    #[error("it has {found} bytes instead of {expect}")]
    WrongSize {
        /// How many came, or are said to come.
        found: u64,
        /// How many there should be.
        expect: u64,
    },
    /// More bytes than are read.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// It is not clear what the manifest is.
    #[error("the manifest cannot be trusted")]
    Unclear(#[from] UnclearManifestError),
    /// A document cannot be read.
    #[error("the registry's answer cannot be read")]
    Document(#[from] ParseDocumentError),
    /// The registry does not say how to authenticate.
    #[error("it is unclear how to authenticate")]
    Challenge(#[from] ParseChallengeError),
    /// The registry wants a way to authenticate that is not spoken here.
    #[error("the registry authenticates by `{0}` only, which plywood does not speak")]
    Scheme(String),
    /// The token service's answer is of no use.
    #[error(transparent)]
    Token(#[from] ParseTokenError),
    /// Credentials cannot be had.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Certificates cannot be used.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    /// The registry breaks the specification in another way.
    #[error("the registry does not keep to the specification: {0}")]
    Protocol(&'static str),
    /// Credentials or data would go out without TLS.
    #[error("{host} would be spoken to without TLS")]
    Insecure {
        /// The host and port.
        host: String,
    },
    /// The file to upload cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This machine gives no HTTP client.
    #[error("no HTTP client can be set up")]
    SetUp(#[source] reqwest::Error),
    /// This machine gives no threads.
    #[error("no threads can be set up")]
    Threads(#[source] io::Error),
}

/// What is wrong with who asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unauthorized {
    /// There are no credentials for the registry.
    #[error("asks for credentials and there are none")]
    NoCredentials,
    /// The registry does not take them.
    #[error("does not accept the credentials from {origin}")]
    Rejected {
        /// Where they are from.
        origin: String,
    },
    /// They were good once.
    #[error("finds that the token from {origin} has expired or was revoked")]
    Expired {
        /// Where it is from.
        origin: String,
    },
}

/// What a registry says for people; shown in parentheses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said(pub Vec<Quoted>);

impl Said {
    /// Whether it says this.
    pub fn has(&self, code: &ErrorCode) -> bool {
        self.0.iter().any(|quoted| quoted.code == *code)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(Quoted::to_string).filter(|text| !text.is_empty()).collect();
        if texts.is_empty() { Ok(()) } else { write!(f, " (it says: {})", texts.join("; ")) }
    }
}

fn wait_text(wait: Option<u64>) -> String {
    wait.map(|seconds| format!(" and asks to wait {seconds} seconds")).unwrap_or_default()
}

impl Failure {
    /// Whether another attempt may go better.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Server { status, .. } => !matches!(status, 501 | 505),
            Self::Unreachable { .. } | Self::Stalled(_) | Self::Transport(_) | Self::Closed { .. } => true,
            Self::TooManyRequests { .. } => true,
            // The digest is of the very bytes that were sent. Docker's registry says this while somebody else writes the same manifest.
            Self::ManifestInvalid { said } => said.has(&ErrorCode::DigestInvalid),
            _ => false,
        }
    }

    /// How long the registry asks to wait.
    pub(super) fn asks_to_wait(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { wait, .. } | Self::Server { wait, .. } => wait.map(Duration::from_secs),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::UnknownHost { .. } => "check the registry's name, and the network".to_owned(),
            Self::ConnectionRefused { .. } => "check the port, and that the registry is running".to_owned(),
            Self::Unreachable { .. } => "check the network, and HTTPS_PROXY if there is a proxy".to_owned(),
            Self::Tls { host, failure } => return failure.hint(host),
            Self::Closed { host } => format!("try again; {}", own_certificate(host)),
            Self::Unauthorized { host, reason, .. } => match reason {
                Unauthorized::NoCredentials => {
                    format!(
                        "log in with `podman login {host}` or `docker login {host}`, or set PLYWOOD_REGISTRY_AUTH='{host}|USER|TOKEN'"
                    )
                }
                Unauthorized::Rejected { origin } => format!("check user and password in {origin}"),
                Unauthorized::Expired { .. } => format!("log in to {host} again"),
            },
            Self::Forbidden { scopes, .. } => {
                let pushes = scopes.iter().any(|scope| scope.contains("push") || scope.contains("delete"));
                let right = if pushes { "write" } else { "read" };
                format!("give the account or token the right to {right} this repository")
            }
            Self::TooManyRequests { .. } => "wait a while, or log in for a higher limit".to_owned(),
            Self::Server { .. } => "try again later".to_owned(),
            Self::Stalled(_) | Self::Transport(_) => "try again; what has arrived is not sent twice".to_owned(),
            Self::NotFound { .. } => {
                "check the name; registries also say this of private repositories when you are not logged in".to_owned()
            }
            Self::DigestRefused { .. } => "remove the blob from the cache and build again".to_owned(),
            Self::WrongDigest { .. } | Self::WrongSize { .. } => {
                "what the registry has is damaged: push the image again".to_owned()
            }
            Self::WantsTls { host } => format!(
                "put the certificate of its authority into ~/.config/containers/certs.d/{host}/ca.crt, and leave out `--plain-http`"
            ),
            Self::Unsupported { .. } => "find out whether the registry is read-only, or a mirror".to_owned(),
            Self::Status { status: 407, .. } => "check user and password of the proxy in HTTP_PROXY".to_owned(),
            Self::Insecure { host } => format!("if that is meant, allow it with `--plain-http {host}`"),
            Self::Credentials(error) => return error.hint(),
            Self::Store(error) => return error.hint(),
            _ => return None,
        };
        Some(text)
    }
}
